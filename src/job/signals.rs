//! SIGINT, SIGTERM and SIGHUP: the first stops in order, the second at once.
//!
//! A terminal that goes away stops a run like the other two, unless the run was started to outlive
//! it (`nohup`): a SIGHUP that is ignored stays ignored. SIGPIPE is ignored from the start, by
//! Rust's runtime: a reader that goes away is an error of the write.
//!
//! They are listened to on a thread of their own: all others may be waiting for a disk, or for
//! somebody to read the log.

use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::ending::end_of;
use super::program;
use crate::event::locked;
use crate::report::{ExitCode, PairReport, RunReport, Status};
use crate::store;

/// So long does a run that is ended at once take for its report at most.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Listens for signals, from before the first job of a command until after its last: a signal that
/// comes between two jobs is not lost.
#[derive(Debug)]
pub struct Signals {
    heard: Arc<Heard>,
    /// Cancelled when nobody is to listen any more.
    over: CancellationToken,
}

/// What the signals of a command have come to.
#[derive(Default)]
struct Heard {
    first: OnceLock<Stopped>,
    /// Cancelled by the first signal.
    stop: CancellationToken,
    /// The report of the job under way: the second signal writes it as it stands.
    report: Mutex<UnderWay>,
    /// Told when a job has ended.
    ended: Condvar,
}

/// What is to be written of the job under way if all ends at once.
#[derive(Default)]
enum UnderWay {
    /// There is none.
    #[default]
    Nothing,
    /// Its report as it stands.
    Job(Arc<RunReport>),
    /// It is writing its last report itself.
    Ending,
}

/// A job that writes its last report, until this is dropped.
#[derive(Debug)]
pub(super) struct Ending(Arc<Heard>);

impl Drop for Ending {
    fn drop(&mut self) {
        *locked(&self.0.report) = UnderWay::Nothing;
        self.0.ended.notify_all();
    }
}

/// What stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// A signal.
    Signal(ExitCode),
    /// The program that embeds the library.
    Program,
}

impl Stopped {
    /// What it stands for.
    fn exit(self) -> ExitCode {
        match self {
            Self::Signal(exit) => exit,
            Self::Program => ExitCode::Interrupted,
        }
    }
}

/// Stops a run from within the program, as the first signal does.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<Heard>);

impl Cancel {
    /// Stops listing and starting; what is small is finished, what is large given up.
    pub fn cancel(&self) {
        let _ = self.0.first.set(Stopped::Program);
        self.0.stop.cancel();
    }

    /// Whether the run was told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.stop.is_cancelled()
    }
}

impl Signals {
    /// Listens to nothing: signals are the program's own. What stops a run is [`Self::cancel`].
    pub fn unheard() -> Self {
        Self {
            heard: Arc::default(),
            over: CancellationToken::new(),
        }
    }

    /// What stops the run from within the program.
    pub fn cancel(&self) -> Cancel {
        Cancel(Arc::clone(&self.heard))
    }

    /// Whether it was the program that stopped the run, and no signal.
    pub(super) fn is_of_program(&self) -> bool {
        self.heard.first.get() == Some(&Stopped::Program)
    }

    /// Begins to listen.
    pub fn listen() -> Self {
        let signals = Self::unheard();
        let listening = watch_beside(Arc::clone(&signals.heard), signals.over.clone());
        if let Err(error) = listening {
            tracing::warn!(%error, "signals cannot be handled; an interrupted run will leave no last report");
        }
        signals
    }

    /// What the first signal stands for, if there was one: nothing is to be started any more.
    pub fn received(&self) -> Option<ExitCode> {
        self.heard.first.get().map(|stopped| stopped.exit())
    }

    /// A job begins: what stops it.
    pub(super) fn begin(&self, report: &Arc<RunReport>) -> CancellationToken {
        *locked(&self.heard.report) = UnderWay::Job(Arc::clone(report));
        self.heard.stop.child_token()
    }

    /// The job has ended: its report is for nobody else to write, and is waited for until what this
    /// gives is dropped.
    pub(super) fn end(&self) -> Ending {
        *locked(&self.heard.report) = UnderWay::Ending;
        Ending(Arc::clone(&self.heard))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heard({:?})", self.first.get())
    }
}

/// Listens on a thread of its own; when this returns, it does.
fn watch_beside(heard: Arc<Heard>, over: CancellationToken) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let signals = {
        let _entered = runtime.enter();
        Listening::new()?
    };
    let watching = move || {
        runtime.block_on(async {
            tokio::select! {
                () = watch(signals, heard) => {}
                () = over.cancelled() => {}
            }
        });
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    thread.spawn(watching).map(|_| ())
}

async fn watch(mut signals: Listening, heard: Arc<Heard>) {
    let exit = signals.next().await;
    let _ = heard.first.set(Stopped::Signal(exit));
    heard.stop.cancel();
    // beside: nobody may read it, and the second signal is not to wait for that
    let told = std::thread::Builder::new().name("told".to_owned());
    let _ = told.spawn(|| {
        tracing::warn!(
            "stopping: finishing what is short, giving up the rest; once more stops at once"
        );
    });
    let exit = signals.next().await;
    let (done, is_done) = mpsc::channel();
    let last_words = move || {
        store::local::remove_temporary_files();
        let _ = done.send(finish(&heard, exit));
    };
    // a disk that does not answer must not keep it
    let thread = std::thread::Builder::new().name("last words".to_owned());
    let written = match thread.spawn(last_words) {
        Ok(_) => is_done.recv_timeout(LAST_WORDS).ok(),
        Err(_) => None,
    };
    let exit = written.unwrap_or(exit);
    program::kill_all();
    #[allow(
        clippy::exit,
        reason = "the user asked twice: nothing may be waited for any more"
    )]
    std::process::exit(exit.code().into());
}

/// The report of the job under way, as it stands; where it is written already, when that is done.
/// What the process is to end with is the worst of what was.
fn finish(heard: &Heard, exit: ExitCode) -> ExitCode {
    let mut under_way = locked(&heard.report);
    while matches!(*under_way, UnderWay::Ending) {
        let waited = heard.ended.wait(under_way);
        under_way = waited.unwrap_or_else(PoisonError::into_inner);
    }
    let UnderWay::Job(report) = std::mem::take(&mut *under_way) else {
        return exit;
    };
    drop(under_way);
    for part in report.pairs() {
        let (status, reason) = broken_off(part);
        part.finish(status, reason.map(str::to_owned));
    }
    let reason = "ended by a second signal".to_owned();
    let mut end = end_of(&report, Some(exit), Some(reason));
    end.exit = end.exit.worse(exit);
    let exit = end.exit;
    report.finish(end);
    exit
}

/// What a pair is called that does not come to its end: what has failed is worse.
fn broken_off(part: &PairReport) -> (Status, Option<&'static str>) {
    match (part.status(), part.outcome().0) {
        (Status::Pending, _) => (Status::Interrupted, Some("not started")),
        (_, Status::Failed) => (Status::Failed, Some("also interrupted")),
        _ => (Status::Interrupted, None),
    }
}

/// The signals that are listened to.
struct Listening {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where whoever started the run has it ignored.
    hang_up: Option<Signal>,
}

impl Listening {
    fn new() -> std::io::Result<Self> {
        let hang_up = (!is_ignored(HANG_UP)).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: hang_up.transpose()?,
        })
    }

    async fn next(&mut self) -> ExitCode {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => ExitCode::Interrupted,
            _ = self.terminate.recv() => ExitCode::Terminated,
            _ = hang_up => ExitCode::HungUp,
        }
    }
}

/// SIGHUP.
const HANG_UP: u32 = 1;

/// Whether whoever started this process has a signal ignored, as far as the system tells.
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

/// The same by the text of proc(5), where `SigIgn` has a bit for each signal.
fn ignores(status: &str, signal: u32) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_found_in_the_mask() {
        for (status, expected) in [
            (
                "Name:\ts3sync\nSigIgn:\t0000000000001001\nSigCgt:\t0\n",
                true,
            ),
            ("SigIgn:\t0000000000001000\n", false),
            ("SigIgn:\tnonsense\n", false),
            ("", false),
        ] {
            assert_eq!(ignores(status, HANG_UP), expected, "{status:?}");
        }
    }
}
