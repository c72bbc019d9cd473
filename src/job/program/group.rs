//! The process group of a program: it and everything it has started.

use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::task::spawn_blocking;

use crate::event::locked;

/// So long are programs waited for that are being started when all ends: the file system of one may
/// not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What ends this process at once ends them, too.
static ALIVE: Alive = Alive::new();

/// Groups of programs that have not ended.
#[derive(Debug)]
struct Alive {
    groups: Mutex<Groups>,
    /// Told when a program was started.
    started: Condvar,
}

#[derive(Debug)]
struct Groups {
    leaders: Vec<Pid>,
    /// How many are being started: they may run before anybody knows their numbers.
    starting: usize,
    /// Nothing is to be started any more.
    is_over: bool,
}

/// A group with a program that leads it. Who forgets it before its end has it killed.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    is_over: AtomicBool,
    among: &'static Alive,
}

impl Group {
    /// Starts a program in a group of its own, as `spawn` does.
    pub(super) fn start(spawn: impl FnOnce() -> io::Result<Child>) -> io::Result<(Self, Child)> {
        Self::start_among(&ALIVE, spawn)
    }

    fn start_among(
        among: &'static Alive,
        spawn: impl FnOnce() -> io::Result<Child>,
    ) -> io::Result<(Self, Child)> {
        among.begin()?;
        let spawned = spawn();
        among.begun(spawned.as_ref().ok().map(Pid::from_child));
        spawned.map(|child| {
            let group = Self {
                leader: Pid::from_child(&child),
                is_over: AtomicBool::new(false),
                among,
            };
            (group, child)
        })
    }

    /// Completes when its leader has ended. The leader is still to be waited for: until then its
    /// number is nobody else's.
    pub(super) fn exit(&self) -> BoxFuture<'static, ()> {
        let leader = self.leader;
        let waiting = spawn_blocking(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(leader), options) {}
        });
        waiting.map(|_| ()).boxed()
    }

    /// Tells all of it to end.
    pub(super) fn ask_to_end(&self) {
        signal(self.leader, Signal::TERM);
    }

    /// Ends all of it.
    pub(super) fn kill(&self) {
        signal(self.leader, Signal::KILL);
    }

    /// Its leader was waited for. Daemons it has left are nobody's business.
    pub(super) fn has_ended(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut groups = locked(&self.among.groups);
        groups.leaders.retain(|leader| *leader != self.leader);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over.load(Ordering::Relaxed) {
            self.kill();
            self.has_ended();
        }
    }
}

impl Alive {
    const fn new() -> Self {
        Self {
            groups: Mutex::new(Groups {
                leaders: Vec::new(),
                starting: 0,
                is_over: false,
            }),
            started: Condvar::new(),
        }
    }

    /// A program is about to be started.
    fn begin(&self) -> io::Result<()> {
        let mut groups = locked(&self.groups);
        if groups.is_over {
            return Err(io::Error::other("everything is being ended"));
        }
        groups.starting += 1;
        Ok(())
    }

    /// It was, or could not be.
    fn begun(&self, leader: Option<Pid>) {
        let mut groups = locked(&self.groups);
        groups.starting -= 1;
        groups.leaders.extend(leader);
        if let (Some(leader), true) = (leader, groups.is_over) {
            signal(leader, Signal::KILL);
        }
        self.started.notify_all();
    }

    /// Ends all, and those that are being started; no other is started after this.
    fn kill_all(&self, patience: Duration) {
        let mut groups = locked(&self.groups);
        groups.is_over = true;
        for leader in &groups.leaders {
            signal(*leader, Signal::KILL);
        }
        let waited = self
            .started
            .wait_timeout_while(groups, patience, |groups| groups.starting > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Ends all programs under way, as this process ends.
pub(in crate::job) fn kill_all() {
    ALIVE.kill_all(PATIENCE);
}

fn signal(leader: Pid, signal: Signal) {
    // there may be nobody left
    let _ = kill_process_group(leader, signal);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Command, Stdio};
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    fn waiting() -> io::Result<Child> {
        let mut command = Command::new("tail");
        command.args(["-f", "/dev/null"]).stdin(Stdio::null());
        command.process_group(0).spawn()
    }

    #[test]
    fn what_is_being_started_when_all_ends_is_ended_too() {
        let alive: &'static Alive = Box::leak(Box::new(Alive::new()));
        let (_first, mut first) = Group::start_among(alive, waiting).expect("tail");
        let (asked, is_asked) = mpsc::channel();
        let (release, stuck) = mpsc::channel::<()>();
        let starting = std::thread::spawn(move || {
            Group::start_among(alive, move || {
                asked.send(()).expect("heard");
                let _ = stuck.recv();
                waiting()
            })
        });
        is_asked.recv().expect("asked");
        let ending = std::thread::spawn(|| alive.kill_all(LONG));
        assert_eq!(first.wait().expect("an end").signal(), Some(9));
        let late = Group::start_among(alive, || unreachable!("all ends"));
        assert!(late.is_err());
        assert!(!ending.is_finished(), "one is being started");
        drop(release);
        ending.join().expect("no panic");
        let (_second, mut second) = (starting.join().expect("no panic")).expect("tail");
        assert_eq!(second.wait().expect("an end").signal(), Some(9));
    }

    #[test]
    fn what_cannot_be_started_or_does_not_come_is_not_waited_for() {
        let alive: &'static Alive = Box::leak(Box::new(Alive::new()));
        let failed = Group::start_among(alive, || Err(io::Error::other("no such program")));
        assert!(failed.is_err());
        alive.kill_all(LONG);

        let alive: &'static Alive = Box::leak(Box::new(Alive::new()));
        alive.begin().expect("not over");
        alive.kill_all(Duration::from_millis(1));
    }
}
