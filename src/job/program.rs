/*! One program that a job runs before or after, from its start to its end.

Whatever it does, it is over in its time: it need not read what it is given, may say more than
anybody wants to know, and may leave behind a daemon that keeps its pipes open. It has a process
group of its own, which is ended as a whole.
*/

mod feed;
mod group;
mod said;
mod surroundings;

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::{Pin, pin};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::config::ProgramHook;
use crate::store::{Secret, StoreError, grant_huge_pages};
use group::Group;
pub(super) use group::kill_all;
use said::Said;

/// What was told to end has this long before it is killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Pipes that somebody else keeps open are read for so long after the program's end.
const LINGERING: Duration = Duration::from_millis(300);

/// A program with everything it is given.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) hook: &'a ProgramHook,
    /// What it is told in its environment.
    pub(super) told: Vec<(&'static str, String)>,
    /// Variables it does not get.
    pub(super) withheld: &'a BTreeSet<String>,
    /// Texts that nobody is to read, should it say them.
    pub(super) secrets: &'a [Secret],
    /// What it finds on its standard input.
    pub(super) input: Vec<u8>,
    /// Ends it before its time.
    pub(super) stop: Stop<'a>,
}

/// What ends a program before its time.
#[derive(Debug)]
pub(super) struct Stop<'a> {
    /// Once this is cancelled, …
    pub(super) token: &'a CancellationToken,
    /// … it has so long.
    pub(super) grace: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) is_timed_out: bool,
    /// What is wrong, in words; none if it ended well.
    pub(super) error: Option<String>,
    pub(super) duration: Duration,
}

/// Runs a program to its end.
pub(super) async fn run(call: Call<'_>) -> Ended {
    let started = Instant::now();
    let cut = pin!(cut(call.hook, &call.stop));
    // it inherits what is withheld, and may need them
    grant_huge_pages();
    let starting = start(&call, Command::spawn);
    let (exit_code, signal, is_timed_out, error) = attend(&call, starting, cut).await;
    Ended {
        exit_code,
        signal,
        is_timed_out,
        error,
        duration: started.elapsed(),
    }
}

/// Starts it. It may be on a file system that does not answer: what comes when nobody waits for it
/// any more is killed.
async fn start(
    call: &Call<'_>,
    spawn: impl FnOnce(&mut Command) -> io::Result<Child> + Send + 'static,
) -> Result<(Group, Child), String> {
    let hook = call.hook;
    let mut command = surroundings::command(hook, call.withheld, &call.told);
    let (answer, started) = oneshot::channel();
    spawn_blocking(move || {
        let spawned = Group::start(|| spawn(&mut command));
        if let Err(Ok((group, mut child))) = answer.send(spawned) {
            drop(group);
            let _ = child.wait();
        }
    });
    let spawned = started.await.map_err(|error| error.to_string())?;
    spawned.map_err(|error| {
        let (program, directory) = (&hook.run[0], hook.directory.display());
        let why = match error.kind() {
            io::ErrorKind::NotFound if !program.contains('/') => {
                "no such program in PATH".to_owned()
            }
            _ => StoreError::io("start", program, &error).message,
        };
        format!("cannot be started in `{directory}`: {why}")
    })
}

/// Why a program was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    TimedOut,
    Stopped,
}

/// Completes when a program is to be ended before its time, counted from now.
async fn cut(hook: &ProgramHook, stop: &Stop<'_>) -> Cut {
    tokio::select! {
        () = tokio::time::sleep(hook.timeout) => Cut::TimedOut,
        () = after(stop) => Cut::Stopped,
    }
}

async fn attend(
    call: &Call<'_>,
    starting: impl Future<Output = Result<(Group, Child), String>>,
    mut too_long: Pin<&mut impl Future<Output = Cut>>,
) -> (Option<i32>, Option<i32>, bool, Option<String>) {
    let started = tokio::select! {
        started = starting => started,
        cut = &mut too_long => {
            let error = wrong(Some(cut), None, call.hook);
            let error = error.map(|error| format!("{error}: it could not be started meanwhile"));
            return (None, None, cut == Cut::TimedOut, error);
        }
    };
    let (group, mut child) = match started {
        Ok(started) => started,
        Err(error) => return (None, None, false, Some(error)),
    };
    let input = call.input.clone();
    let feeding = child.stdin.take().map(|pipe| feed::feed(pipe, input));
    let handed_on = surroundings::secrets();
    let secrets = call.secrets.iter().chain(&handed_on);
    let mut said = Said::listen(&mut child, call.hook, secrets);
    let mut exited = group.exit();
    let cut = tokio::select! {
        () = &mut exited => None,
        cut = &mut too_long => Some(cut),
    };
    let mut is_over = true;
    if cut.is_some() {
        group.ask_to_end();
        is_over = tokio::time::timeout(FAREWELL, &mut exited).await.is_ok();
        // and what did not listen
        group.kill();
        if !is_over {
            is_over = tokio::time::timeout(FAREWELL, &mut exited).await.is_ok();
        }
    }
    said.hear_out(LINGERING).await;
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    let status = if is_over {
        let reaped = spawn_blocking(move || child.wait()).await;
        reaped.ok().and_then(Result::ok)
    } else {
        // it waits in the kernel, and nobody waits for it
        None
    };
    group.has_ended();
    let error = wrong(cut, status, call.hook).map(|error| match said.last_words() {
        Some(words) => format!("{error}: {words}"),
        None => error,
    });
    (
        status.and_then(|status| status.code()),
        status.and_then(|status| status.signal()),
        cut == Some(Cut::TimedOut),
        error,
    )
}

/// What is wrong with the way a program ended, if anything is.
fn wrong(cut: Option<Cut>, status: Option<ExitStatus>, hook: &ProgramHook) -> Option<String> {
    match (cut, status) {
        (Some(Cut::TimedOut), _) => Some(format!("took longer than {:?}", hook.timeout)),
        (Some(Cut::Stopped), _) => Some("was ended, as the run was stopped".to_owned()),
        (None, Some(status)) if status.success() => None,
        (None, Some(status)) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was killed by {}", signal_name(signal)),
            (None, None) => "ended in an unknown way".to_owned(),
        }),
        (None, None) => Some("cannot be waited for".to_owned()),
    }
}

/// A signal's name, as the report has it.
pub(super) fn signal_name(signal: i32) -> String {
    use rustix::process::Signal;
    const NAMES: [(Signal, &str); 12] = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::BUS, "SIGBUS"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
    ];
    let named = NAMES.iter().find(|(known, _)| known.as_raw() == signal);
    named.map_or_else(
        || format!("signal {signal}"),
        |(_, name)| (*name).to_owned(),
    )
}

async fn after(stop: &Stop<'_>) {
    stop.token.cancelled().await;
    tokio::time::sleep(stop.grace).await;
}

#[cfg(test)]
mod tests;
