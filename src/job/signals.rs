//! SIGINT and SIGTERM: the first stops in order, the second at once.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::program;
use crate::event::locked;
use crate::report::{ExitCode, RunEnd, RunReport, Status};

/// Listens for signals, from before the first job of a command until after its last: a signal that
/// comes between two jobs is not lost.
#[derive(Debug)]
pub struct Signals {
    heard: Arc<Heard>,
    task: Option<JoinHandle<()>>,
}

/// What the signals of a command have come to.
#[derive(Default)]
struct Heard {
    first: OnceLock<Stopped>,
    /// Cancelled by the first signal.
    stop: CancellationToken,
    /// The report of the job under way: the second signal writes it as it stands.
    report: Mutex<Option<Arc<RunReport>>>,
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
            task: None,
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

    /// Begins to listen, on the current runtime.
    pub fn listen() -> Self {
        let heard = Arc::new(Heard::default());
        let task = match Both::new() {
            Ok(both) => Some(tokio::spawn(watch(both, Arc::clone(&heard)))),
            Err(error) => {
                tracing::warn!(%error, "signals cannot be handled; an interrupted run will leave no last report");
                None
            }
        };
        Self { heard, task }
    }

    /// What the first signal stands for, if there was one: nothing is to be started any more.
    pub fn received(&self) -> Option<ExitCode> {
        self.heard.first.get().map(|stopped| stopped.exit())
    }

    /// A job begins: what stops it.
    pub(super) fn begin(&self, report: &Arc<RunReport>) -> CancellationToken {
        *locked(&self.heard.report) = Some(Arc::clone(report));
        self.heard.stop.child_token()
    }

    /// The job has ended: its report is for nobody else to write.
    pub(super) fn end(&self) {
        *locked(&self.heard.report) = None;
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Heard({:?})", self.first.get())
    }
}

async fn watch(mut both: Both, heard: Arc<Heard>) {
    let exit = both.next().await;
    let _ = heard.first.set(Stopped::Signal(exit));
    heard.stop.cancel();
    tracing::warn!(
        "stopping: finishing what is short, giving up the rest; once more stops at once"
    );
    let exit = both.next().await;
    let report = locked(&heard.report).take();
    if let Some(report) = report {
        for part in report.pairs() {
            part.finish(Status::Interrupted, None);
        }
        report.finish(RunEnd {
            exit,
            reason: Some("ended by a second signal".to_owned()),
            interrupted_by: exit.signal(),
        });
    }
    program::kill_all();
    #[allow(
        clippy::exit,
        reason = "the user asked twice: nothing may be waited for any more"
    )]
    std::process::exit(exit.code().into());
}

struct Both {
    interrupt: Signal,
    terminate: Signal,
}

impl Both {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> ExitCode {
        tokio::select! {
            _ = self.interrupt.recv() => ExitCode::Interrupted,
            _ = self.terminate.recv() => ExitCode::Terminated,
        }
    }
}
