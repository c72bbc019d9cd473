/*! The executor: one job from its first second to its exit code.

It opens the report, starts the sandbox where the job is a rehearsal, runs the pairs in order,
listens for signals, and ends with the final report and the last words on the terminal. What ends
one pair does not end the others. [`reverify()`] asks later whether what a run proved still holds.
*/

mod distrust;
mod hooks;
mod journal;
mod one_key;
mod online;
mod pair;
mod place;
mod rehearsal;
mod reverify;
mod signals;
mod terminal;

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::config::{self, Pair};
use crate::context::{Bounds, Budget};
use crate::engine::{self, Context, Manner, PairDone, PairError};
use crate::plan::Aim;
use crate::report::{
    CheckForm, CheckOutput, CheckSettings, ExitCode, PlanOutput, PlanSettings, ReportError, RunEnd,
    RunReport, Status, log_summary,
};
use crate::store::Halt;
use distrust::Ledger;
pub use hooks::PairHooks;
use journal::Journals;
pub use online::{Probed, probe};
use pair::{Output, PairRun};
use rehearsal::Rehearsal;
pub use reverify::{ProvedRun, Standing, Standings, Told, reverify};
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
    /// What it is run for.
    pub purpose: Purpose,
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

/// A job whose report is open, so that it can be looked at while the job runs.
#[derive(Debug)]
pub struct Opened {
    job: config::Job,
    options: RunOptions,
    report: Arc<RunReport>,
}

impl Opened {
    /// Opens the report of a run; the error is of a directory that cannot be written.
    pub fn new(mut job: config::Job, options: RunOptions) -> Result<Self, ReportError> {
        match &options.purpose {
            Purpose::Run => {}
            Purpose::Plan(settings) => {
                job.dry_run = true;
                if let Some(key) = &settings.key {
                    (job.pairs.iter_mut()).for_each(|pair| one_key::narrow(pair, key));
                }
            }
            // it decides nothing that could be carried out
            Purpose::Check(_) => job.dry_run = false,
        }
        Ok(Self {
            report: open(&job, &options)?,
            job,
            options,
        })
    }

    /// The report as it grows.
    pub fn report(&self) -> &Arc<RunReport> {
        &self.report
    }

    /// Runs it to its end.
    pub async fn run(self, hooks: PairHooks, signals: &Signals) -> Outcome {
        let engine = engine(&self.options.purpose);
        run_opened(self, hooks, signals, engine).await
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

async fn run_opened(
    opened: Opened,
    hooks: PairHooks,
    signals: &Signals,
    engine: RunPair,
) -> Outcome {
    let Opened {
        mut job,
        options,
        report,
    } = opened;
    hooks.begin(report.id());
    for part in report.pairs() {
        part.has_scripts(hooks.scripts(part.name()));
    }
    let heartbeat = report.heartbeat();
    let stop = signals.begin(&report);
    let (halt, _halting) = Halt::after(stop.clone(), job.shutdown_grace);
    let plan = match &options.purpose {
        Purpose::Run | Purpose::Check(_) => None,
        Purpose::Plan(settings) => Some(PlanOutput::new(&job, settings.clone(), stop.clone())),
    };
    let check = match &options.purpose {
        Purpose::Run | Purpose::Plan(_) => None,
        Purpose::Check(settings) => Some(CheckOutput::new(&job, settings.clone())),
    };
    let output = match (&plan, &check, report.directory()) {
        (Some(plan), ..) => Output::Plan(plan),
        (None, Some(check), Some(directory)) => Output::Check(directory, check),
        (None, None, Some(directory)) => Output::Evidence(directory),
        (None, _, None) => Output::Nothing,
    };
    // by the places the job says, which a sandbox takes the place of
    let ledgers: Vec<Ledger> = job
        .pairs
        .iter()
        .map(|pair| Ledger::of(&job, pair))
        .collect();
    let journals = match output {
        Output::Evidence(_) if !job.dry_run => Journals::open(&job, report.id()),
        Output::Evidence(_) | Output::Check(..) | Output::Plan(_) | Output::Nothing => {
            Journals::default()
        }
    };
    let rehearsed = Rehearsal::start(job.sandbox.as_ref(), &mut job.pairs).await;
    let reason = match rehearsed {
        Ok(rehearsal) => {
            let run = PairRun {
                engine,
                budget: Budget::new(job.limits.memory),
                bounds: Bounds::new(&job.limits),
                stop,
                halt,
                journals: &journals,
                run_id: report.id().to_owned(),
                dry_run: job.dry_run,
                shown: terminal::progress_shown(&job, &options),
                output,
            };
            let pairs = job.pairs.iter().zip(report.pairs());
            for ((pair, part), ledger) in pairs.zip(&ledgers) {
                run.run(pair, part, ledger, hooks.of(&pair.name)).await;
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
    journals.finish();
    heartbeat.abort();
    let received = signals.end();
    if let Some(plan) = plan {
        return show(&report, &plan, received, reason);
    }
    let mut end = end_of(&report, received, reason);
    if signals.is_of_program() {
        end = cancelled(end);
    }
    let mut exit = end.exit;
    let record = report.finish(end);
    match &check {
        None => log_summary(&record),
        Some(check) => {
            if let Some(trouble) = check.finish(&record) {
                tracing::error!("{trouble}");
                exit = exit.worse(ExitCode::Failed);
            }
        }
    }
    if let Some(directory) = report.directory() {
        terminal::last_words(&job, &options, &record, directory, check.as_ref());
    }
    Outcome {
        exit,
        unread: false,
    }
}

fn open(job: &config::Job, options: &RunOptions) -> Result<Arc<RunReport>, ReportError> {
    match options.purpose {
        Purpose::Run if options.unreported => Ok(RunReport::unwritten(job, &options.command)),
        Purpose::Run => RunReport::open(job, &options.command, Aim::Sync),
        Purpose::Check(_) => RunReport::open(job, &options.command, Aim::Compare),
        Purpose::Plan(_) => Ok(RunReport::unwritten(job, &options.command)),
    }
}

/// Ends a plan. Where its reader has gone it ends well: nobody is there to miss the rest.
fn show(
    report: &RunReport,
    plan: &PlanOutput,
    received: Option<ExitCode>,
    reason: Option<String>,
) -> Outcome {
    let received = received.or(plan.is_unread().then_some(ExitCode::Success));
    let end = end_of(report, received, reason);
    let exit = end.exit;
    plan.finish(&report.finish(end));
    let trouble = plan.trouble().map_or(ExitCode::Success, |trouble| {
        tracing::error!("{trouble}");
        ExitCode::Failed
    });
    Outcome {
        exit: exit.worse(trouble),
        unread: plan.is_unread(),
    }
}

/// It was no signal that stopped the run.
fn cancelled(end: RunEnd) -> RunEnd {
    let is_all = end.exit == ExitCode::Interrupted && end.reason.is_none();
    RunEnd {
        reason: end
            .reason
            .or_else(|| is_all.then(|| "cancelled by the program".to_owned())),
        interrupted_by: None,
        ..end
    }
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
