//! One pair of a job: its sinks, its engine, its end.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::RunPair;
use super::deadline::Deadline;
use super::distrust::{Keeper, Ledger, Opened};
use super::journal::Journals;
use super::lock::{Locks, Refused};
use super::programs::{Programs, Turn};
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::config::Pair;
use crate::context::{Bounds, Budget};
use crate::engine::{Context, PairDone, PairError};
use crate::event::{Counts, Event, Sink, Sinks};
use crate::hook::{Announcer, Backlog, Ended, Hooks};
use crate::report::{
    CheckOutput, PairPlan, PairReport, PlanOutput, Progress, ReportError, RunDirectory, Shown,
    Status,
};
use crate::store::{ErrorKind, Halt};

/// A run that was stopped waits this long for its events to be heard.
const GRACE: Duration = Duration::from_secs(5);

/// What all pairs of a run share.
#[derive(Debug)]
pub(super) struct PairRun<'a> {
    pub(super) engine: RunPair,
    pub(super) budget: Budget,
    pub(super) bounds: Bounds,
    pub(super) stop: CancellationToken,
    pub(super) halt: Halt,
    pub(super) journals: &'a Journals,
    pub(super) run_id: String,
    pub(super) dry_run: bool,
    /// Where progress is shown; nowhere when `None`.
    pub(super) shown: Option<Shown>,
    pub(super) output: Output<'a>,
    /// Taken for each pair while it is at work.
    pub(super) locks: &'a Locks,
    /// What stops it when its time is up.
    pub(super) deadline: Deadline,
    /// What is run before and after.
    pub(super) programs: Programs<'a>,
}

/// What a pair has come to.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    /// Who hears of it; nobody where it has not begun.
    pub(super) sinks: Option<Sinks>,
}

/// Where it is told what happens to each object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Output<'a> {
    /// In evidence below the run's directory.
    Evidence(&'a RunDirectory),
    /// In evidence, and in what a check shows beside it.
    Check(&'a RunDirectory, &'a CheckOutput),
    /// On standard output.
    Plan(&'a PlanOutput),
    /// Nowhere but in the log.
    Nothing,
}

impl PairRun<'_> {
    /// Runs one pair, with the programs around it, and writes its end into its part of the report.
    pub(super) async fn run(&self, pair: &Pair, part: &PairReport, ledger: &Ledger, hooks: Hooks) {
        if self.stop.is_cancelled() {
            let (status, reason) = self.deadline.not_started();
            part.finish(status, reason);
            return;
        }
        let locked = self.locks.take_target(part.name(), &self.stop).await;
        let ((settled, lines), turn) = match &locked {
            Ok(_) => (self.attempt(pair, part, (ledger, hooks)).await, Turn::Came),
            Err(refused) => {
                let ended = match refused {
                    Refused::Stopped => self.deadline.not_started(),
                    Refused::Locked(_) | Refused::Failed(_) => {
                        (refused.status(), Some(refused.why()))
                    }
                };
                ((ended.into(), None), Turn::NeverCame)
            }
        };
        part.stop_clock();
        let settled = self.programs.after_pair(part, settled, turn).await;
        part.finish(settled.status, settled.reason);
        if let (Output::Plan(plan), Some(lines)) = (self.output, lines) {
            plan.end(part, &lines);
        }
    }

    /// What runs before the pair, and the pair itself.
    async fn attempt(
        &self,
        pair: &Pair,
        part: &PairReport,
        (ledger, hooks): (&Ledger, Hooks),
    ) -> (Settled, Option<Arc<PairPlan>>) {
        let (warnings, begun) = self.programs.before_pair(part).await;
        if self.stop.is_cancelled() {
            self.programs.tell_without(part, &warnings);
            return (self.deadline.not_started().into(), None);
        }
        match begun {
            Ok(()) => self.work(pair, part, (ledger, hooks), warnings).await,
            Err(reason) => {
                self.programs.tell_without(part, &warnings);
                let reason = format!("not attempted: {reason}");
                ((Status::Failed, Some(reason)).into(), None)
            }
        }
    }

    /// The pair itself; `before` are warnings of what ran before it. Gives its lines of a plan, too.
    async fn work(
        &self,
        pair: &Pair,
        part: &PairReport,
        (ledger, hooks): (&Ledger, Hooks),
        before: Vec<String>,
    ) -> (Settled, Option<Arc<PairPlan>>) {
        let refuse = |error: String| {
            self.programs.tell_without(part, &before);
            tracing::error!(pair = part.name(), "{error}");
            ((Status::Failed, Some(error)).into(), None)
        };
        // without it what is damaged could pass for unchanged
        let opened = spawn_blocking({
            let ledger = ledger.clone();
            move || ledger.open()
        });
        let distrusted = match opened.await.expect("reading does not panic") {
            Ok(distrusted) => distrusted,
            Err(error) => {
                return refuse(format!(
                    "cannot read `{}`: {error}",
                    ledger.path().display()
                ));
            }
        };
        let (mut sinks, lines) = match self.begin(pair, &hooks, part) {
            Ok(begun) => begun,
            Err(error) => return refuse(error.to_string()),
        };
        let keys = distrusted.keys();
        let warnings = distrusted.warnings.clone();
        let keeper = self.keeper(distrusted);
        sinks.extend(keeper.clone().map(|keeper| keeper as Arc<dyn Sink>));
        let announcer = self.announcer(pair, part, &hooks);
        sinks.extend(
            announcer
                .clone()
                .map(|announcer| announcer as Arc<dyn Sink>),
        );
        let sinks = Sinks::new(sinks);
        for message in before.into_iter().chain(warnings) {
            sinks.emit(&Event::Warning { message });
        }
        let progress = self
            .shown
            .zip(part.stats())
            .map(|(shown, stats)| Progress::start(part.name(), stats, shown));
        let context = Context {
            sinks: sinks.clone(),
            budget: self.budget.clone(),
            stop: self.stop.clone(),
            halt: self.halt.clone(),
            journal: self.journals.of(&pair.name),
            dry_run: self.dry_run,
            distrusted: keys,
            bounds: self.bounds.clone(),
            hooks,
            delete_plan: self.delete_plan(pair),
            backlog: (announcer.as_deref()).map_or_else(Backlog::default, Announcer::backlog),
        };
        // a task of its own, so that its panic is a value here
        let ended = tokio::spawn((self.engine)(pair.clone(), context)).await;
        drop(progress);
        let not_kept = spawn_blocking(|| keeper.and_then(|keeper| keeper.finish()));
        let not_kept = not_kept.await.expect("writing does not panic");
        for message in not_kept.into_iter().chain(part.complete_evidence()) {
            sinks.emit(&Event::Warning { message });
        }
        let (mut status, mut reason) = self.settle(ended, part, &sinks);
        if let Some(announcer) = announcer {
            let unheard = hear_the_end(&announcer, part, status, reason.as_deref()).await;
            for message in &unheard {
                let message = message.clone();
                sinks.emit(&Event::Warning { message });
            }
            if !unheard.is_empty() && matches!(status, Status::Success | Status::Warning) {
                (status, reason) = part.outcome();
            }
        }
        let settled = Settled {
            status,
            reason,
            sinks: Some(sinks),
        };
        (settled, lines)
    }

    fn begin(&self, pair: &Pair, hooks: &Hooks, part: &PairReport) -> Result<Begun, ReportError> {
        match self.output {
            Output::Evidence(directory) => Ok((part.begin(directory)?, None)),
            Output::Check(directory, check) => {
                let mut sinks = part.begin(directory)?;
                sinks.extend(check.sinks(pair, part));
                Ok((sinks, None))
            }
            Output::Plan(plan) => {
                let (sinks, lines) = plan.begin(pair, hooks, part);
                Ok((sinks, Some(lines)))
            }
            Output::Nothing => Ok((part.begin_unwritten(), None)),
        }
    }

    /// Where the pair's delete plan is written, if it deletes and anything is left of the run.
    fn delete_plan(&self, pair: &Pair) -> Option<PathBuf> {
        pair.deletion.as_ref()?;
        match self.output {
            Output::Evidence(directory) => {
                let name = RunDirectory::deletions_name(&pair.name);
                Some(directory.path().join(name))
            }
            Output::Check(..) | Output::Plan(_) | Output::Nothing => None,
        }
    }

    /// Writes down what becomes distrusted; a dry run writes nothing.
    fn keeper(&self, distrusted: Opened) -> Option<Arc<Keeper>> {
        match self.output {
            Output::Evidence(directory) if !self.dry_run => {
                Some(Arc::new(distrusted.keeper(directory.id())))
            }
            Output::Evidence(_) | Output::Check(..) | Output::Plan(_) | Output::Nothing => None,
        }
    }

    /// Tells the pair's event hooks what happens. A plan is shown, and nothing of it happens.
    fn announcer(&self, pair: &Pair, part: &PairReport, hooks: &Hooks) -> Option<Arc<Announcer>> {
        let is_check = match self.output {
            Output::Evidence(_) | Output::Nothing => false,
            Output::Check(..) => true,
            Output::Plan(_) => return None,
        };
        let told_as = (&*self.run_id, self.dry_run || is_check);
        Announcer::start(&hooks.events, pair, told_as, part.warned(), &self.stop)
    }

    fn settle(
        &self,
        ended: Result<Result<PairDone, PairError>, JoinError>,
        part: &PairReport,
        sinks: &Sinks,
    ) -> (Status, Option<String>) {
        match ended {
            Ok(Ok(done)) => {
                part.describe(&done.source, &done.target);
                audit(&part.tally().counts, sinks);
                let counts = part.tally().counts;
                let (status, reason) = part.outcome();
                if let Some(reason) = reason.as_ref().filter(|_| status != Status::Guard) {
                    tracing::error!(pair = part.name(), "{reason}");
                }
                // stopped while planning, or afterwards while objects were on their way
                let left = counts.not_attempted + counts.deletions.not_attempted;
                let cut_short = self.stop.is_cancelled() && left > 0;
                match (done.stopped || cut_short, status) {
                    (false, status) => (status, reason),
                    // a failure is worse than having been stopped after it
                    (true, Status::Failed) => {
                        let (stopped, reason) = self.deadline.stopped();
                        let stopped = reason.unwrap_or_else(|| stopped.as_str().to_owned());
                        (Status::Failed, Some(format!("also {stopped}")))
                    }
                    (true, _) => self.deadline.stopped(),
                }
            }
            Ok(Err(failed))
                if self.stop.is_cancelled() && failed.error.kind == ErrorKind::Cancelled =>
            {
                self.deadline.stopped()
            }
            Ok(Err(failed)) => {
                let reason = failed.to_string();
                sinks.emit(&Event::PairFailed {
                    phase: failed.phase,
                    error: Box::new(failed.error),
                });
                (Status::Failed, Some(reason))
            }
            Err(panic) => {
                let message = panic_message(panic);
                tracing::error!(pair = part.name(), "panic: {message}");
                (Status::Crashed, Some(format!("panic: {message}")))
            }
        }
    }
}

impl From<(Status, Option<String>)> for Settled {
    fn from((status, reason): (Status, Option<String>)) -> Self {
        Self {
            status,
            reason,
            sinks: None,
        }
    }
}

/// Tells the hooks how the pair ended, and gives what they could not hear of it.
async fn hear_the_end(
    announcer: &Announcer,
    part: &PairReport,
    status: Status,
    reason: Option<&str>,
) -> Vec<String> {
    let tally = part.tally();
    let failed = matches!(status, Status::Failed | Status::Crashed);
    let by_counts = || match tally.counts.failed {
        1 => "1 object failed".to_owned(),
        failed => format!("{failed} objects failed"),
    };
    let error = failed.then(|| reason.map_or_else(by_counts, str::to_owned));
    let tally = &tally;
    announcer.end(Ended { tally, error }, GRACE).await
}

/// The sinks of a pair, and its lines of a plan.
type Begun = (Vec<Arc<dyn Sink>>, Option<Arc<PairPlan>>);

/// A run whose books do not balance must not say that all is well.
fn audit(counts: &Counts, sinks: &Sinks) {
    if !counts.reconciled() {
        let (listed, accounted) = (counts.listed.source, counts.accounted());
        let candidates = counts.deletions.candidates;
        let message = if listed == accounted {
            format!(
                "not all of {candidates} candidates for deletion are accounted for; this is a bug of s3sync"
            )
        } else {
            format!(
                "{listed} objects were listed but {accounted} are accounted for; this is a bug of s3sync"
            )
        };
        sinks.emit(&Event::Warning { message });
    }
}

/// What the panic said; a panic's payload is text unless somebody took pains.
fn panic_message(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else {
        return "the task was cancelled".to_owned();
    };
    let payload: Box<dyn Any + Send> = payload;
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "of an unknown kind".to_owned()
    }
}
