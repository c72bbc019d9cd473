/*! The executor: one job from its first second to its exit code.

It opens the report, starts the sandbox where the job is a rehearsal, runs the pairs in order,
listens for signals, and ends with the final report and the last words on the terminal. What ends
one pair does not end the others.
*/

mod pair;
mod rehearsal;
mod signals;
mod terminal;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Pair};
use crate::engine::{self, Context, PairDone, PairError};
use crate::report::{ExitCode, RunEnd, RunReport, Status, log_summary};
use crate::transfer::Budget;
use pair::PairRun;
use rehearsal::Rehearsal;
use signals::Signals;

/// How a job is run, beside what it says itself.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The command that was given: `run`, `sync`, …
    pub command: String,
    /// End with the predecessor's one line, which a single pair from the command line gets anyway.
    pub plain: bool,
    /// Show progress and the final line.
    pub progress: bool,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// What the process should end with.
    pub exit: ExitCode,
}

/// Runs a job to its end. Whatever happens is in the report and the log; the outcome is the exit
/// code of the worst pair.
pub async fn run(job: config::Job, options: RunOptions) -> Outcome {
    run_with(job, options, |pair, context| {
        Box::pin(async move { engine::run_pair(&pair, &context).await })
    })
    .await
}

/// What runs one pair: the engine, or what stands for it in tests.
type RunPair = fn(Pair, Context) -> BoxFuture<'static, Result<PairDone, PairError>>;

async fn run_with(mut job: config::Job, options: RunOptions, engine: RunPair) -> Outcome {
    let report = match RunReport::open(&job, &options.command) {
        Ok(report) => report,
        Err(error) => {
            tracing::error!("{error}");
            let exit = ExitCode::Failed;
            return Outcome { exit };
        }
    };
    let heartbeat = report.heartbeat();
    let stop = CancellationToken::new();
    let signals = Signals::listen(&stop, &report);
    let rehearsed = Rehearsal::start(job.sandbox.as_ref(), &mut job.pairs).await;
    let reason = match rehearsed {
        Ok(rehearsal) => {
            let run = PairRun {
                engine,
                budget: Budget::new(job.limits.memory),
                stop,
                dry_run: job.dry_run,
                shown: terminal::progress_shown(&job, &options),
            };
            for (pair, part) in job.pairs.iter().zip(report.pairs()) {
                run.run(pair, part, report.directory()).await;
            }
            rehearsal.end().await;
            None
        }
        Err(error) => {
            tracing::error!("{error}");
            for part in report.pairs() {
                part.finish(Status::Failed, Some("not started: no sandbox".to_owned()));
            }
            Some(error)
        }
    };
    heartbeat.abort();
    let received = signals.end();
    let end = end_of(&report, received, reason);
    let exit = end.exit;
    let record = report.finish(end);
    log_summary(&record);
    terminal::last_words(&job, &options, &record, report.directory());
    Outcome { exit }
}

/// The worst pair decides; `reason` is of the run itself.
fn end_of(report: &RunReport, received: Option<ExitCode>, reason: Option<String>) -> RunEnd {
    let interrupted = received.unwrap_or(ExitCode::Interrupted);
    let mut end = RunEnd {
        exit: ExitCode::Success,
        reason: None,
        interrupted_by: received.and_then(ExitCode::signal),
    };
    for part in report.pairs() {
        let exit = part.status().exit(interrupted);
        let worst = end.exit.worse(exit);
        if worst != end.exit {
            end.exit = worst;
            end.reason = part.reason().map(|why| format!("{}: {why}", part.name()));
        }
    }
    end.reason = reason.or(end.reason);
    end
}

#[cfg(test)]
mod tests;
