/*! The executor: one job from its first second to its exit code.

It opens the report, starts the sandbox where the job is a rehearsal, runs the pairs (`executor`)
and the programs around them (`programs`), listens for signals and the clock, and ends with the
final report and the last words on the terminal. What ends one pair does not end the others.
[`reverify()`] asks later whether what a run proved still holds.
*/

mod deadline;
mod distrust;
mod executor;
mod hooks;
mod journal;
mod lock;
mod one_key;
mod online;
mod pair;
mod past;
mod place;
mod program;
mod programs;
mod rehearsal;
mod retry_failed;
mod reverify;
mod signals;
mod terminal;

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Pair};
use crate::context::{Bounds, Budget};
use crate::engine::{self, Context, Manner, PairDone, PairError};
use crate::plan::Aim;
use crate::report::{
    CheckForm, CheckOutput, CheckSettings, ExitCode, PlanOutput, PlanSettings, ReportError, RunEnd,
    RunLog, RunReport, Status, log_summary,
};
use crate::store::Halt;
use deadline::Deadline;
use distrust::Ledger;
use executor::Executor;
pub use hooks::PairHooks;
use journal::Journals;
use lock::{Locks, Refused};
pub use online::{Probed, probe};
use pair::{Output, PairRun};
use programs::{Programs, Turn};
use rehearsal::Rehearsal;
pub use retry_failed::{Retry, attempts, retry_failed};
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

/// A job whose report is open, so that it can be looked at while the job runs.
#[derive(Debug)]
pub struct Opened {
    job: config::Job,
    options: RunOptions,
    report: Arc<RunReport>,
    /// What is logged while it runs; the log of other programs is theirs.
    log: Option<RunLog>,
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
        let report = open(&job, &options)?;
        let log = begin(&report, &options).inspect_err(|error| never_began(&report, error))?;
        Ok(Self {
            job,
            options,
            report,
            log,
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
        log,
    } = opened;
    hooks.begin(report.id());
    for part in report.pairs() {
        part.has_scripts(hooks.scripts(part.name()));
    }
    let heartbeat = report.heartbeat();
    let interrupted = signals.begin(&report);
    let stop = interrupted.child_token();
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
    let locks = Locks::of(&job, &options, &report);
    // waiting for another run counts
    let deadline = Deadline::begin(job.execution.timeout, &stop);
    let locked = locks.take_job(&report, &stop).await;
    // what an earlier run left behind is for the only run of the job
    let journals = if locked.is_ok() && locks.are_taken() {
        Journals::open(&job, report.id())
    } else {
        Journals::default()
    };
    let rehearsed = match &locked {
        Ok(_) => {
            if let (Some(directory), true) = (report.directory(), locks.are_taken()) {
                past::tidy(directory.job().clone(), job.report.keep).await;
            }
            let started = Rehearsal::start(job.sandbox.as_ref(), &mut job.pairs).await;
            started.inspect_err(|error| tracing::error!("{error}"))
        }
        Err(Refused::Stopped) => {
            let (status, reason) = deadline.not_started();
            for part in report.pairs() {
                part.finish(status, reason.clone());
            }
            Err(reason.unwrap_or_default())
        }
        Err(refused) => Err(refused.why()),
    };
    let hooks_run = matches!(options.purpose, Purpose::Run) && !job.dry_run;
    let programs = |stop: &CancellationToken| Programs {
        hooks: hooks_run.then_some(&job.hooks),
        report: &report,
        is_rehearsal: job.sandbox.is_some(),
        signals,
        interrupted: interrupted.clone(),
        stop: stop.clone(),
    };
    let mut around = None;
    let reason = match rehearsed {
        Ok(rehearsal) => {
            let run = PairRun {
                deadline,
                programs: programs(&stop),
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
                locks: &locks,
            };
            let executor = Executor {
                job: &job,
                report: &report,
                ledgers: &ledgers,
                hooks: &hooks,
                run,
            };
            around = executor.run().await;
            rehearsal.end().await;
            None
        }
        Err(error) => {
            for part in report.pairs() {
                part.finish(Status::Failed, Some("not started: no sandbox".to_owned()));
            }
            Some(error)
        }
    };
    journals.finish();
    let received = signals.received();
    if let Some(plan) = plan {
        heartbeat.abort();
        drop(signals.end());
        return show(&report, &plan, received, reason);
    }
    let mut end = end_of(&report, received, reason);
    if signals.is_of_program() {
        end = cancelled(end);
    }
    if let Some((means, message)) = around {
        end = programs::worsened(end, means, message);
    }
    if let Some(beyond) = options
        .retries_of
        .as_ref()
        .and_then(|run| run.beyond.clone())
    {
        tracing::warn!("{beyond}");
        end = programs::worsened(end, ExitCode::Warning, beyond);
    }
    let turn = if locked.is_ok() {
        Turn::Came
    } else {
        Turn::NeverCame
    };
    end = programs(&interrupted).after_job(end, turn).await;
    heartbeat.abort();
    // the report is for nobody else to write any more, and whoever ends it all waits for it
    let ending = signals.end();
    let mut exit = end.exit;
    if let Some(trouble) = log.as_ref().and_then(RunLog::trouble) {
        tracing::warn!("{trouble}");
    }
    let record = report.finish(end);
    drop(ending);
    if record.run.exit_code != Some(exit.code()) {
        // its last report could not be written
        exit = exit.worse(ExitCode::Warning);
    }
    drop(locked);
    match &check {
        None => log_summary(&record),
        Some(check) => {
            if let Some(trouble) = check.finish(&record) {
                tracing::error!("{trouble}");
                exit = exit.worse(ExitCode::Failed);
            }
        }
    }
    if let Some(path) = report.shown_path() {
        terminal::last_words(&job, &options, &record, &path, check.as_ref());
    }
    Outcome {
        exit,
        unread: false,
    }
}

/// What is written before anything runs.
fn begin(report: &RunReport, options: &RunOptions) -> Result<Option<RunLog>, ReportError> {
    if let Some(run) = &options.retries_of {
        report.retries(&run.id)?;
    }
    let directory = report.directory().filter(|_| !options.silent);
    directory.map(RunLog::begin).transpose()
}

/// Ends the report of a run that cannot begin: it has not crashed, and is not at work.
fn never_began(report: &RunReport, error: &ReportError) {
    let reason = format!("not started: {error}");
    for part in report.pairs() {
        part.finish(Status::Failed, Some(reason.clone()));
    }
    report.finish(RunEnd {
        exit: ExitCode::Failed,
        reason: Some(reason),
        interrupted_by: None,
    });
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
        let exit = report.exit_of(part.status(), interrupted);
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
