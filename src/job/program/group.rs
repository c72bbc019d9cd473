//! The process group of a program: it and everything it has started.

use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::task::spawn_blocking;

use crate::event::locked;

/// Groups of programs that have not ended: what ends this process at once ends them, too.
static ALIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A group with a program that leads it. Who forgets it before its end has it killed.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    is_over: AtomicBool,
}

impl Group {
    /// The group a program was started in.
    pub(super) fn of(child: &Child) -> Self {
        let leader = Pid::from_child(child);
        locked(&ALIVE).push(leader);
        Self {
            leader,
            is_over: AtomicBool::new(false),
        }
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
        locked(&ALIVE).retain(|leader| *leader != self.leader);
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

/// Ends all programs under way, as this process ends.
pub(in crate::job) fn kill_all() {
    for leader in locked(&ALIVE).iter() {
        signal(*leader, Signal::KILL);
    }
}

fn signal(leader: Pid, signal: Signal) {
    // there may be nobody left
    let _ = kill_process_group(leader, signal);
}
