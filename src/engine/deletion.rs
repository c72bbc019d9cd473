/*! The second phase of a pair: what only the target has goes, or nothing of it does.

While the plan is made and carried out, every candidate is written to the pair's delete plan on
disk, so that a million of them cost no memory. When both sides are completely listed and nothing
is on its way any more, the guards judge the complete plan. Only then the first object is deleted,
and only if no guard withholds it.
*/

mod carry_out;
mod guards;
mod lines;
mod plan_file;
mod plan_line;
mod plan_reader;
mod set_aside;
mod waited;
mod watch;

use std::sync::Arc;

use super::PairError;
use super::carry;
use super::listed;
use super::sync::Syncing;
use crate::config::{self, Pair, SourceSpec};
use crate::context::{Context, Ends};
use crate::event::{Deletion, Event, Guard, Judged, Outcome, Sink, Sinks};
use crate::plan::{self, DeletePermit, Direction, Superfluous, Survey};
use crate::store::{ErrorKind, StoreError};
use carry_out::Carrying;
use guards::Seen;
use plan_file::Candidates;
pub use plan_line::{Line as DeletePlanLine, VERSION as DELETE_PLAN_VERSION};
pub(super) use set_aside::SetAside;
use waited::Waited;
use watch::Watch;

/// So many objects are deleted, or told of, at once: S3 takes no more.
const BATCH: usize = 1000;

/// The deletion of one pair, from before its plan is made until its last object is gone.
#[derive(Debug)]
pub(super) struct Deleting {
    permit: DeletePermit,
    settings: config::Deletion,
    survey: Arc<Survey>,
    watch: Arc<Watch>,
    set_aside: Arc<SetAside>,
}

impl Deleting {
    /// Begins, for a pair that asked for deletion: opens its delete plan. A single file has nothing
    /// to say of what else there should be, and is refused before anything is done.
    pub(super) fn begin(
        pair: &Pair,
        direction: Direction,
        context: &Context,
    ) -> Result<Option<Self>, PairError> {
        let (Some(permit), Some(settings)) = (DeletePermit::of(pair), &pair.deletion) else {
            return Ok(None);
        };
        // of named keys only those are looked at: what else is missing is not known
        if listed::is_named(pair) {
            return Ok(None);
        }
        let failed = |error| PairError {
            error,
            phase: "open",
        };
        if let SourceSpec::Local(source) = &pair.source
            && source.root.is_file()
        {
            let message = "the source is a single file, and `delete.enabled` would delete everything else at the target; name a directory";
            let root = source.root.display().to_string();
            return Err(failed(StoreError::new(
                "open",
                root,
                ErrorKind::Fatal,
                message,
            )));
        }
        let candidates = Candidates::create(&pair.name, permit, context.delete_plan.as_deref());
        let candidates = candidates.map_err(failed)?;
        Ok(Some(Self {
            permit,
            settings: settings.clone(),
            survey: Arc::default(),
            watch: Arc::default(),
            set_aside: Arc::new(SetAside::new(candidates, permit, direction)),
        }))
    }

    /// The sinks of the pair, and one that hears what the guards have to know.
    pub(super) fn watching(&self, sinks: &Sinks) -> Sinks {
        sinks.and(Arc::clone(&self.watch) as Arc<dyn Sink>)
    }

    /// What the plan has to look for.
    pub(super) fn wanted(&self) -> Superfluous {
        Superfluous {
            permit: self.permit,
            marker: self
                .settings
                .guards
                .source_marker
                .as_deref()
                .map(Into::into),
            survey: Arc::clone(&self.survey),
        }
    }

    /// Where goes what the second phase is about.
    pub(super) fn set_aside(&self) -> Arc<SetAside> {
        Arc::clone(&self.set_aside)
    }

    /// Judges the plan and deletes what it has, or tells that all of it stays; then brings over
    /// what waited for that. `ended` says how the first phase ended, and comes back unless what
    /// comes after it was stopped or failed itself.
    pub(super) async fn end(
        self,
        ended: Result<bool, PairError>,
        ends: &Ends,
        pair: &Pair,
        context: &Context,
    ) -> Result<bool, PairError> {
        let is_complete = matches!(ended, Ok(false)) && self.survey.is_complete();
        let deleted = self.delete(&ended, ends, pair, context).await;
        let deleted = deleted.map_err(|error| PairError {
            error,
            phase: "delete",
        });
        let waited = Waited::new(self.set_aside.waited());
        if !is_complete || deleted.is_err() {
            carry::not_attempted(waited, context);
            return Ok(ended? | deleted?);
        }
        let worker = Syncing::new(ends.clone(), pair, context, None);
        let stopped = carry::carry_out(waited, worker, pair, context).await?;
        Ok(deleted? | stopped)
    }

    /// Returns whether it was stopped.
    async fn delete(
        &self,
        ended: &Result<bool, PairError>,
        ends: &Ends,
        pair: &Pair,
        context: &Context,
    ) -> Result<bool, StoreError> {
        let candidates = &self.set_aside.candidates;
        let mut judged = self.judge(ended);
        // what cannot be written down is not deleted
        let written = candidates.complete(&judged).await;
        if let Err(error) = &written
            && judged.candidates > 0
            && judged.withheld.is_none()
        {
            judged.withheld = Some(Guard::Errors);
            judged.message = error.to_string();
        }
        let withheld = judged.withheld;
        context.sinks.emit(&Event::Judged(Box::new(judged)));
        let carrying = Carrying {
            target: Arc::clone(&ends.target),
            candidates,
            pair,
            context,
        };
        let told = match withheld {
            Some(guard) => carrying.tell(&Outcome::Withheld(guard)).await,
            None if written.is_err() => Ok(()),
            None if context.dry_run => carrying.tell(&Outcome::Planned).await,
            None => return carrying.delete().await,
        };
        written.and(told).map(|()| false)
    }

    fn judge(&self, ended: &Result<bool, PairError>) -> Judged {
        let seen = Seen {
            candidates: self.set_aside.candidates.count(),
            in_scope: self.survey.in_scope(),
            source_listed: self.watch.source_listed(),
            has_marker: self.survey.has_marker(),
            failed: self.watch.failed(),
        };
        let tripped = match ended {
            Err(failed) if failed.phase == "list" => Some((
                Guard::ListingFailed,
                format!("a listing failed: {}", failed.error),
            )),
            Err(failed) => Some((Guard::Errors, format!("the pair failed: {}", failed.error))),
            Ok(stopped) if *stopped || !self.survey.is_complete() => Some((
                Guard::Interrupted,
                "the run was stopped before both sides were listed".to_owned(),
            )),
            Ok(_) => guards::judge(&self.settings.guards, &seen),
        };
        // where there is nothing to delete, nothing is withheld
        let tripped = tripped.filter(|_| seen.candidates > 0);
        let (withheld, message) = tripped.unzip();
        Judged {
            candidates: seen.candidates,
            in_scope: seen.in_scope,
            withheld,
            message: message.unwrap_or_default(),
        }
    }
}

/// What became of a candidate, as an event.
fn told(deletion: plan::Deletion, outcome: Outcome) -> Event {
    let (key, target, because) = deletion.into_parts();
    Event::Deletion(Box::new(Deletion {
        key,
        target,
        because,
        outcome,
    }))
}
