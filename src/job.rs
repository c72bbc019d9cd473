/*! The executor: one job from its first second to its exit code.

It opens the report (`opened`), takes the job's lock, starts the sandbox where the job is a
rehearsal, runs the pairs (`executor`) and the programs around them (`programs`), listens for
signals and the clock, and ends with the final report and the last words on the terminal (`run`).
What ends one pair does not end the others.
[`reverify()`] asks later whether what a run proved still holds.
*/

mod deadline;
mod distrust;
mod ending;
mod executor;
mod hooks;
mod journal;
mod lock;
mod one_key;
mod online;
mod opened;
mod pair;
mod past;
mod place;
mod program;
mod programs;
mod rehearsal;
mod retry_failed;
mod reverify;
mod run;
mod signals;
mod terminal;

use futures::future::BoxFuture;

use crate::config::{self, Pair};
use crate::engine::{self, Context, Manner, PairDone, PairError};
use crate::report::{CheckForm, CheckSettings, ExitCode, PlanSettings};
pub use hooks::PairHooks;
pub use online::{Probed, probe};
pub use opened::Opened;
pub use retry_failed::{Retry, attempts, retry_failed};
pub use reverify::{ProvedRun, Standing, Standings, Told, reverify};
use run::run_opened;
pub use signals::{Cancel, Signals};

/// How a job is run, beside what it says itself.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The command that was given: `run`, `sync`, …
    pub command: String,
    /// End with the predecessor's one line, which a single pair from the command line gets anyway.
    pub plain: bool,
    /// Show progress and the final line.
    pub progress: bool,
    /// Print nothing at all: another program is told by values.
    pub silent: bool,
    /// Leave nothing behind: no report, no evidence, and nothing remembered for the next run.
    pub unreported: bool,
    /// The run whose failed objects it attempts, where it is run for those.
    pub retries_of: Option<RetriedRun>,
    /// What it is run for.
    pub purpose: Purpose,
}

/// A run whose failed objects are attempted once more.
#[derive(Debug, Clone)]
pub struct RetriedRun {
    /// Its id.
    pub id: String,
    /// What else went wrong in it and is not put right by that, in words: at best it is a warning.
    pub beyond: Option<String>,
}

/// What a job is run for.
#[derive(Debug, Clone, Default)]
pub enum Purpose {
    /// To be carried out, or tried out where it says so itself.
    #[default]
    Run,
    /// To show what would be done: a dry run that leaves nothing behind.
    Plan(PlanSettings),
    /// To say where both sides differ, and change nothing.
    Check(CheckSettings),
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// What the process should end with.
    pub exit: ExitCode,
    /// Whether it was a plan whose reader went away.
    pub unread: bool,
}

/// Runs a job to its end. Whatever happens is in the report and the log; the outcome is the exit
/// code of the worst pair.
pub async fn run(
    job: config::Job,
    hooks: PairHooks,
    options: RunOptions,
    signals: &Signals,
) -> Outcome {
    let engine = engine(&options.purpose);
    run_with(job, hooks, options, signals, engine).await
}

/// The engine for what a job is run for.
fn engine(purpose: &Purpose) -> RunPair {
    match purpose {
        Purpose::Run | Purpose::Plan(_) => {
            |pair, context| Box::pin(async move { engine::run_pair(&pair, &context).await })
        }
        Purpose::Check(settings) => match settings.form {
            CheckForm::Table => |pair, context| {
                Box::pin(async move { engine::check_pair(&pair, &context, Manner::Audit).await })
            },
            CheckForm::Records => |pair, context| {
                Box::pin(async move { engine::check_pair(&pair, &context, Manner::Records).await })
            },
        },
    }
}

/// What runs one pair: the engine, or what stands for it in tests.
type RunPair = fn(Pair, Context) -> BoxFuture<'static, Result<PairDone, PairError>>;

async fn run_with(
    job: config::Job,
    hooks: PairHooks,
    options: RunOptions,
    signals: &Signals,
    engine: RunPair,
) -> Outcome {
    match Opened::new(job, options) {
        Ok(opened) => run_opened(opened, hooks, signals, engine).await,
        Err(error) => {
            tracing::error!("{error}");
            Outcome {
                exit: ExitCode::Failed,
                unread: false,
            }
        }
    }
}

#[cfg(test)]
mod tests;
