//! The pairs of a job, begun in order, so many side by side, each after those it comes after.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::PairHooks;
use super::distrust::Ledger;
use super::pair::{Output, PairRun};
use crate::config::{Job, OnConflict, OnPairFailure};
use crate::report::{ExitCode, RunReport, Status};

/// What it works on.
#[derive(Debug)]
pub(super) struct Executor<'a> {
    pub(super) job: &'a Job,
    pub(super) report: &'a RunReport,
    /// What is distrusted of each pair's target.
    pub(super) ledgers: &'a [Ledger],
    pub(super) hooks: &'a PairHooks,
    pub(super) run: PairRun<'a>,
}

impl Executor<'_> {
    /// Runs all pairs to their ends. What ends one does not end the others.
    ///
    /// The next to begin is the first in the job's order of which all predecessors have ended. All
    /// share the budgets of the run; nothing else is shared, so that none waits for another.
    /// Gives what is wrong around them, if something is: what it means for the run, and why.
    pub(super) async fn run(&self) -> Option<(ExitCode, String)> {
        let around = match self.run.programs.before_job().await {
            Ok(warnings) => {
                (!warnings.is_empty()).then(|| (ExitCode::Warning, warnings.join("; ")))
            }
            // it was ended in the middle, and the pairs say why
            Err(_) if self.run.stop.is_cancelled() => None,
            Err(reason) => {
                for part in self.report.pairs() {
                    let reason = format!("not attempted: {reason}");
                    part.finish(Status::NotAttempted, Some(reason));
                }
                return Some((ExitCode::Failed, reason));
            }
        };
        self.pairs().await;
        around
    }

    async fn pairs(&self) {
        let predecessors = self.job.predecessors();
        let mut waiting = self.job.order();
        let mut ended = vec![false; self.job.pairs.len()];
        let mut running = FuturesUnordered::new();
        let most = self.most_at_once();
        loop {
            let is_ready = |at: &usize| predecessors[*at].iter().all(|before| ended[*before]);
            if running.len() < most
                && let Some(place) = waiting.iter().position(is_ready)
            {
                let at = waiting.remove(place);
                running.push(async move {
                    self.pair(at).await;
                    at
                });
                continue;
            }
            match running.next().await {
                Some(at) => ended[at] = true,
                None => break,
            }
        }
    }

    async fn pair(&self, at: usize) {
        let (pair, part) = (&self.job.pairs[at], &self.report.pairs()[at]);
        if let (Some((status, reason)), false) = (self.refusal(at), self.run.stop.is_cancelled()) {
            if status == Status::Locked {
                tracing::info!(pair = pair.name, "{reason}");
            } else {
                tracing::error!(pair = pair.name, "{reason}");
            }
            part.finish(status, Some(reason));
            if let Output::Plan(plan) = self.run.output {
                plan.not_begun(part);
            }
            return;
        }
        let hooks = self.hooks.of(&pair.name);
        self.run.run(pair, part, &self.ledgers[at], hooks).await;
    }

    /// Why a pair is not attempted, if it is not, and what it is called then.
    ///
    /// A pair has succeeded that came to its end with nothing failed and nothing withheld, be it
    /// with warnings. Where others did not, a pair that deletes could take what they left undone
    /// for what is to be deleted. A pair that lets another run go first has not failed where
    /// `lock.on_conflict` says so, nor has one that is left out for its sake alone.
    fn refusal(&self, at: usize) -> Option<(Status, String)> {
        let status = |at: usize| self.report.pairs()[at].status();
        let has_failed = |at: &usize| {
            let status = status(*at);
            !matches!(status, Status::Pending | Status::Running) && !status.has_succeeded()
        };
        let lets_go_first =
            |at: &usize| self.job.lock == OnConflict::Skip && status(*at) == Status::Locked;
        let told = |at: usize| {
            let (name, status) = (&self.job.pairs[at].name, status(at).as_str());
            format!("`{name}` ended as {status}")
        };
        let pair = &self.job.pairs[at];
        let before = pair.after.iter().filter_map(|name| {
            let mut pairs = self.job.pairs.iter();
            pairs.position(|other| other.name == *name)
        });
        let before: Vec<usize> = before.filter(has_failed).collect();
        // what has failed counts before what was skipped
        let worst = (before.iter().find(|at| !lets_go_first(at))).or(before.first());
        if deletes(pair)
            && !matches!(self.run.output, Output::Check(..))
            && let Some(&failed) = worst
        {
            let why = "a pair that deletes is not begun after one that did not succeed";
            let told = told(failed);
            return Some(if lets_go_first(&failed) {
                (Status::Locked, format!("skipped: {told}, and {why}"))
            } else {
                let reason = format!("not attempted: {told}, and {why}");
                (Status::NotAttempted, reason)
            });
        }
        let stops = self.job.execution.on_pair_failure == OnPairFailure::Stop;
        let mut others = 0..self.job.pairs.len();
        let failed = others.find(|other| {
            stops
                && has_failed(other)
                && !lets_go_first(other)
                && status(*other) != Status::NotAttempted
        })?;
        let reason = format!("not attempted: {} (job.on_pair_failure)", told(failed));
        Some((Status::NotAttempted, reason))
    }

    /// What is shown line by line is shown pair by pair.
    fn most_at_once(&self) -> usize {
        match self.run.output {
            Output::Evidence(_) | Output::Nothing => self.job.execution.max_parallel_pairs.max(1),
            Output::Plan(_) | Output::Check(..) => 1,
        }
    }
}

/// Whether objects of its target may be deleted.
fn deletes(pair: &crate::config::Pair) -> bool {
    pair.deletion.is_some()
}
