//! A run that is under way.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{PairState, Summary};
use crate::job::{Cancel, Outcome};
use crate::report::{ExitCode, RunEnd, RunReport, Status};

/// A run that is under way. Dropping it [cancels](CancelHandle::cancel) the run, which then ends in
/// order as long as the runtime lives.
#[derive(Debug)]
#[must_use = "dropping it cancels the run"]
pub struct Running {
    task: JoinHandle<Outcome>,
    cancel: CancelHandle,
    live: Live,
}

/// Stops a run. Clones stop the same one, from any thread.
#[derive(Debug, Clone)]
pub struct CancelHandle(pub(super) Cancel);

/// The statistics of a run while it goes on, and after it. Clones look at the same run, from any
/// thread.
#[derive(Debug, Clone)]
pub struct Live(Arc<RunReport>);

impl Running {
    pub(super) fn new(
        task: JoinHandle<Outcome>,
        cancel: CancelHandle,
        report: Arc<RunReport>,
    ) -> Self {
        Self {
            task,
            cancel,
            live: Live(report),
        }
    }

    /// What stops it.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }

    /// What it has done so far, at any time.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    /// Waits for its end. Where the runtime it was started on is shut down before, it is
    /// `interrupted`.
    pub async fn finished(mut self) -> Summary {
        let report = &self.live.0;
        match (&mut self.task).await {
            Ok(outcome) => Summary::of(report, outcome.exit),
            // pairs that panic are told in the report: this is a bug outside of them
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => abandoned(report),
            },
        }
    }
}

/// Ends the report of a run that nobody works on any more.
fn abandoned(report: &RunReport) -> Summary {
    for part in report.pairs() {
        part.finish(Status::Interrupted, None);
    }
    report.finish(RunEnd {
        exit: ExitCode::Interrupted,
        reason: Some("its runtime was shut down".to_owned()),
        interrupted_by: None,
    });
    Summary::of(report, ExitCode::Interrupted)
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl CancelHandle {
    /// Stops the run in order, as the first SIGINT does the command: no object is begun any more,
    /// small ones are finished, large ones given up and their uploads aborted. The run ends soon
    /// after, `interrupted` (exit code 130), and its report says how far it came: what was not
    /// begun is `not_attempted`. Once a run has ended this does nothing.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the run was told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Live {
    /// Every pair as it stands now, in the order they are named. It takes microseconds a pair.
    pub fn pairs(&self) -> Vec<PairState> {
        self.0
            .pairs()
            .iter()
            .map(|pair| PairState::of(pair))
            .collect()
    }

    /// The id of the run: a UUID of version 7.
    pub fn run_id(&self) -> &str {
        self.0.id()
    }
}
