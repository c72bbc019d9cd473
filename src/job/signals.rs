//! SIGINT and SIGTERM: the first stops in order, the second at once.

use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::report::{ExitCode, RunEnd, RunReport, Status};

/// Listens for signals while a run goes on.
#[derive(Debug)]
pub(super) struct Signals {
    first: Arc<OnceLock<ExitCode>>,
    task: Option<JoinHandle<()>>,
}

impl Signals {
    /// Begins to listen. The first signal cancels `stop`; the second writes the report as it
    /// stands and ends the process.
    pub(super) fn listen(stop: &CancellationToken, report: &Arc<RunReport>) -> Self {
        let first = Arc::new(OnceLock::new());
        let task = match Both::new() {
            Ok(both) => {
                let (stop, report, first) = (stop.clone(), report.clone(), first.clone());
                Some(tokio::spawn(watch(both, stop, report, first)))
            }
            Err(error) => {
                tracing::warn!(%error, "signals cannot be handled; an interrupted run will leave no last report");
                None
            }
        };
        Self { first, task }
    }

    /// Stops listening; what the first signal stands for, if there was one.
    pub(super) fn end(self) -> Option<ExitCode> {
        if let Some(task) = self.task {
            task.abort();
        }
        self.first.get().copied()
    }
}

async fn watch(
    mut both: Both,
    stop: CancellationToken,
    report: Arc<RunReport>,
    first: Arc<OnceLock<ExitCode>>,
) {
    let exit = both.next().await;
    let _ = first.set(exit);
    stop.cancel();
    tracing::warn!(
        "stopping: finishing what is short, giving up the rest; once more stops at once"
    );
    let exit = both.next().await;
    for part in report.pairs() {
        part.finish(Status::Interrupted, None);
    }
    report.finish(RunEnd {
        exit,
        reason: Some("ended by a second signal".to_owned()),
        interrupted_by: exit.signal(),
    });
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
