//! A run from its first second to its exit code: it takes the job's lock, is rehearsed where the job
//! says so, carries out the pairs, and ends with the final report and the last words.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::deadline::Deadline;
use super::distrust::Ledger;
use super::ending::{cancelled, end_of};
use super::executor::Executor;
use super::journal::Journals;
use super::lock::{Lock, Locks, Refused};
use super::opened::Opened;
use super::pair::{Output, PairRun};
use super::programs::{self, Programs, Turn};
use super::rehearsal::Rehearsal;
use super::{Outcome, PairHooks, Purpose, RunOptions, RunPair, Signals, past, terminal};
use crate::config;
use crate::context::{Bounds, Budget};
use crate::report::{
    CheckOutput, ExitCode, PlanOutput, RunEnd, RunLog, RunReport, Status, log_summary,
};
use crate::store::{Halt, Halting};

/// Runs a job whose report is open to its end.
pub(super) async fn run_opened(
    opened: Opened,
    hooks: PairHooks,
    signals: &Signals,
    engine: RunPair,
) -> Outcome {
    let mut run = Run::begin(opened, hooks, signals);
    // waiting for another run counts
    let deadline = Deadline::begin(run.job.execution.timeout, &run.stop);
    let locked = run.lock().await;
    let came_to = match &locked {
        Ok(held) => run.carry_out(&held.journals, deadline, engine).await,
        Err(refused) => run.is_not_begun(refused, &deadline),
    };
    run.end(came_to, locked.ok()).await
}

/// A run that has begun, and what is the same in all it does.
#[derive(Debug)]
struct Run<'a> {
    job: config::Job,
    options: RunOptions,
    report: Arc<RunReport>,
    log: Option<RunLog>,
    hooks: PairHooks,
    signals: &'a Signals,
    /// Cancelled by a signal.
    interrupted: CancellationToken,
    /// Cancelled by whatever stops the run.
    stop: CancellationToken,
    halt: Halt,
    _halting: Halting,
    heartbeat: JoinHandle<()>,
    display: Display,
    /// What is distrusted of each pair's target, by the places the job says, which a sandbox takes
    /// the place of; so are the locks.
    ledgers: Vec<Ledger>,
    locks: Locks,
}

/// What is shown of each object beside the evidence.
#[derive(Debug)]
enum Display {
    Nothing,
    Plan(PlanOutput),
    Check(CheckOutput),
}

/// What a run has that is the only one of its job.
#[derive(Debug)]
struct Held {
    _lock: Lock,
    /// What an earlier run left behind is for it to clean up.
    journals: Journals,
}

/// What a run came to beside what its pairs say.
#[derive(Debug, Default)]
struct CameTo {
    /// Why nothing was begun.
    reason: Option<String>,
    /// What is wrong around the pairs: what it means for the run, and why.
    around: Option<(ExitCode, String)>,
}

impl<'a> Run<'a> {
    fn begin(opened: Opened, hooks: PairHooks, signals: &'a Signals) -> Self {
        let Opened {
            job,
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
        let (halt, halting) = Halt::after(stop.clone(), job.shutdown_grace);
        Self {
            display: Display::of(&job, &options.purpose, &stop),
            ledgers: (job.pairs.iter().map(|pair| Ledger::of(&job, pair))).collect(),
            locks: Locks::of(&job, &options, &report),
            job,
            options,
            report,
            log,
            hooks,
            signals,
            interrupted,
            stop,
            halt,
            _halting: halting,
            heartbeat,
        }
    }

    /// Takes the job's lock, and opens what an earlier run left behind.
    async fn lock(&self) -> Result<Held, Refused> {
        let lock = self.locks.take_job(&self.report, &self.stop).await?;
        let journals = if self.locks.are_taken() {
            Journals::open(&self.job, self.report.id())
        } else {
            Journals::default()
        };
        Ok(Held {
            _lock: lock,
            journals,
        })
    }

    /// The job was not for this run to do.
    fn is_not_begun(&self, refused: &Refused, deadline: &Deadline) -> CameTo {
        let reason = match refused {
            Refused::Stopped => {
                let (status, reason) = deadline.not_started();
                for part in self.report.pairs() {
                    part.finish(status, reason.clone());
                }
                reason.unwrap_or_default()
            }
            // the pairs say so already
            Refused::Locked(_) | Refused::Failed(_) => refused.why(),
        };
        CameTo {
            reason: Some(reason),
            around: None,
        }
    }

    /// Looks after earlier runs, and runs the pairs, on the sandbox where the job says so.
    async fn carry_out(
        &mut self,
        journals: &Journals,
        deadline: Deadline,
        engine: RunPair,
    ) -> CameTo {
        if let (Some(directory), true) = (self.report.directory(), self.locks.are_taken()) {
            past::tidy(directory.job().clone(), self.job.report.keep).await;
        }
        let rehearsal = Rehearsal::start(self.job.sandbox.as_ref(), &mut self.job.pairs).await;
        let came_to = match rehearsal {
            Ok(rehearsal) => {
                let around = self.run_pairs(journals, deadline, engine).await;
                rehearsal.end().await;
                CameTo {
                    reason: None,
                    around,
                }
            }
            Err(error) => {
                tracing::error!("{error}");
                for part in self.report.pairs() {
                    part.finish(Status::Failed, Some("not started: no sandbox".to_owned()));
                }
                CameTo {
                    reason: Some(error),
                    around: None,
                }
            }
        };
        journals.finish();
        came_to
    }

    async fn run_pairs(
        &self,
        journals: &Journals,
        deadline: Deadline,
        engine: RunPair,
    ) -> Option<(ExitCode, String)> {
        let run = PairRun {
            deadline,
            programs: self.programs(&self.stop),
            engine,
            budget: Budget::new(self.job.limits.memory),
            bounds: Bounds::new(&self.job.limits),
            stop: self.stop.clone(),
            halt: self.halt.clone(),
            journals,
            run_id: self.report.id().to_owned(),
            dry_run: self.job.dry_run,
            shown: terminal::progress_shown(&self.job, &self.options),
            output: self.display.output(&self.report),
            locks: &self.locks,
        };
        let executor = Executor {
            job: &self.job,
            report: &self.report,
            ledgers: &self.ledgers,
            hooks: &self.hooks,
            run,
        };
        executor.run().await
    }

    /// The job's programs, those before the end of which are ended by `stop`.
    fn programs(&self, stop: &CancellationToken) -> Programs<'_> {
        let hooks_run = matches!(self.options.purpose, Purpose::Run) && !self.job.dry_run;
        Programs {
            hooks: hooks_run.then_some(&self.job.hooks),
            report: &self.report,
            is_rehearsal: self.job.sandbox.is_some(),
            signals: self.signals,
            interrupted: self.interrupted.clone(),
            stop: stop.clone(),
        }
    }

    /// Ends it all; what it held is let go of once the report says how it ended.
    async fn end(self, came_to: CameTo, held: Option<Held>) -> Outcome {
        let received = self.signals.received();
        if let Display::Plan(plan) = &self.display {
            self.heartbeat.abort();
            drop(self.signals.end());
            return show(&self.report, plan, received, came_to.reason);
        }
        let end = self.end_before_programs(came_to, received);
        let turn = match held {
            Some(_) => Turn::Came,
            None => Turn::NeverCame,
        };
        let end = self.programs(&self.interrupted).after_job(end, turn).await;
        self.heartbeat.abort();
        self.last_words(end, held)
    }

    /// What it comes to, but for the programs that run after it.
    fn end_before_programs(&self, came_to: CameTo, received: Option<ExitCode>) -> RunEnd {
        let mut end = end_of(&self.report, received, came_to.reason);
        if self.signals.is_of_program() {
            end = cancelled(end);
        }
        if let Some((means, message)) = came_to.around {
            end = programs::worsened(end, means, message);
        }
        let retried = self.options.retries_of.as_ref();
        if let Some(beyond) = retried.and_then(|run| run.beyond.clone()) {
            self.report.warn(&beyond);
            end = programs::worsened(end, ExitCode::Warning, beyond);
        }
        end
    }

    /// The final report, and what is said of it.
    fn last_words(self, end: RunEnd, held: Option<Held>) -> Outcome {
        // the report is for nobody else to write any more, and whoever ends it all waits for it
        let ending = self.signals.end();
        let mut exit = end.exit;
        if let Some(trouble) = self.log.as_ref().and_then(RunLog::trouble) {
            tracing::warn!("{trouble}");
        }
        let record = self.report.finish(end);
        drop(ending);
        if record.run.exit_code != Some(exit.code()) {
            // its last report could not be written
            exit = exit.worse(ExitCode::Warning);
        }
        drop(held);
        let check = match &self.display {
            Display::Check(check) => Some(check),
            Display::Plan(_) | Display::Nothing => None,
        };
        match check {
            None => log_summary(&record),
            Some(check) => {
                if let Some(trouble) = check.finish(&record) {
                    tracing::error!("{trouble}");
                    exit = exit.worse(ExitCode::Failed);
                }
            }
        }
        if let Some(path) = self.report.shown_path() {
            terminal::last_words(&self.job, &self.options, &record, &path, check);
        }
        Outcome {
            exit,
            unread: false,
        }
    }
}

impl Display {
    fn of(job: &config::Job, purpose: &Purpose, stop: &CancellationToken) -> Self {
        match purpose {
            Purpose::Run => Self::Nothing,
            Purpose::Plan(settings) => {
                Self::Plan(PlanOutput::new(job, settings.clone(), stop.clone()))
            }
            Purpose::Check(settings) => Self::Check(CheckOutput::new(job, settings.clone())),
        }
    }

    /// Where it is told what happens to each object.
    fn output<'a>(&'a self, report: &'a RunReport) -> Output<'a> {
        match (self, report.directory()) {
            (Self::Plan(plan), _) => Output::Plan(plan),
            (Self::Check(check), Some(directory)) => Output::Check(directory, check),
            (Self::Nothing, Some(directory)) => Output::Evidence(directory),
            (Self::Check(_) | Self::Nothing, None) => Output::Nothing,
        }
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
