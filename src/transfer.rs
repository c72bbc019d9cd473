/*! One object from the source to the target, with its proof.

[`Transferrer::run`] takes a decision of the plan and ends in exactly one event for its key:
transferred, unchanged, skipped, failed or not attempted. An object goes in one piece
(`whole`), in parts (`parts`) or inside S3 (`server_side`); damage and change on the way begin
it again. Nothing is published that is known to be damaged, and nothing counts as transferred that
was not settled.
*/

mod annotations;
mod archived;
mod asked;
mod attempt;
mod attempts;
mod became;
mod concede;
mod conclusion;
mod condition;
mod copy_proof;
mod damage;
mod decision;
mod desk;
mod dress;
mod front;
mod hashed;
mod joined;
mod late;
mod latest;
mod marker;
mod once_more;
mod origin;
mod overtaken;
mod part_copies;
mod parts;
mod parts_proof;
mod places;
mod preprocess;
mod published;
mod resume;
mod scheme;
mod server_side;
mod source_proof;
mod tags;
mod target_proof;
mod trouble;
mod whole;
mod work;
mod written;

pub use self::became::Became;
pub use self::once_more::{Ended, Failure};
pub use self::origin::{is_made_from, is_nameless, origin_of};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(crate) use self::archived::may_be_archived;
pub(crate) use self::late::Late;
#[cfg(feature = "lua")]
pub(crate) use self::preprocess::wrong_change;

use self::asked::asks_checksums;
use self::attempt::Done;
use self::concede::Conceded;
use self::desk::Desk;
use self::once_more::Past;
use self::places::Places;
use self::preprocess::Preprocess;
use self::work::Work;
use self::written::Written;
use crate::config::{Excluded, Pair};
use crate::context::{Budget, Context, Ends, Journal};
use crate::event::Sinks;
use crate::examine::{Depth, Examiner};
use crate::hook::Backlog;
use crate::plan::{Decision, Direction};
use crate::store::{Source, StoreError, Target};

/// Carries objects of one pair.
#[derive(Debug)]
pub struct Transferrer {
    source: Arc<dyn Source>,
    target: Arc<dyn Target>,
    examiner: Examiner,
    pair: Pair,
    direction: Direction,
    budget: Budget,
    /// Parts in flight, over all objects of the pair.
    parts: Places,
    /// Where they are hashed.
    desk: Desk,
    sinks: Sinks,
    /// Whether they want every step.
    tells_steps: bool,
    /// What is told and was not heard yet.
    backlog: Backlog,
    stop: CancellationToken,
    /// Knows of uploads that earlier runs have left, and hears of those of this one.
    journal: Arc<dyn Journal>,
    dry_run: bool,
    /// What is asked of an object before it goes.
    late: Late,
    /// Who has a say in what is written beside the content.
    preprocess: Preprocess,
    /// What the target was found not to do.
    conceded: Conceded,
    /// Whether the source said that it knows no tags.
    has_no_tags: AtomicBool,
    /// Whether what filters reject at the target is deleted, so that it matters of unchanged
    /// objects, too.
    deletes_excluded: bool,
    /// Whether what stands in the place of an object may yet be deleted.
    waits_for_deletions: bool,
}

impl Transferrer {
    /// For one pair.
    pub fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        let parts = Places::new(usize::from(pair.performance.max_parallel_uploads));
        let depth = if pair.auto_chunksize {
            Depth::Asked
        } else {
            Depth::Inferred
        };
        let preprocess = Preprocess::new(&ends, pair, &context.hooks);
        Self {
            preprocess,
            examiner: Examiner::new(ends.clone(), pair, context, depth),
            late: Late::new(&ends, pair, context, asks_checksums(pair, ends.direction)),
            source: ends.source,
            target: ends.target,
            direction: ends.direction,
            desk: Desk::new(context.budget.clone(), parts.clone()),
            parts,
            pair: pair.clone(),
            budget: context.budget.clone(),
            sinks: context.sinks.clone(),
            tells_steps: context.sinks.wants_steps(),
            backlog: context.backlog.clone(),
            stop: context.stop.clone(),
            journal: context.journal.clone(),
            dry_run: context.dry_run,
            conceded: Conceded::default(),
            has_no_tags: AtomicBool::new(false),
            deletes_excluded: (pair.deletion.as_ref())
                .is_some_and(|deletion| deletion.excluded == Excluded::Deleted),
            waits_for_deletions: false,
        }
    }

    /// The same; what only a candidate for deletion blocks is [`Became::Blocked`].
    #[must_use]
    pub fn waiting_for_deletions(self) -> Self {
        Self {
            waits_for_deletions: self.direction == Direction::S3ToLocal,
            ..self
        }
    }

    /// Whether filters are asked of objects that need not go.
    pub fn judges_unchanged(&self) -> bool {
        self.deletes_excluded && !self.late.is_empty()
    }

    /// What is asked of an object before it goes.
    pub(crate) fn late(&self) -> &Late {
        &self.late
    }

    /// Carries a decision out and tells what came of it. An error is one that ends the pair; its
    /// object was told of all the same.
    pub async fn run(&self, decision: Decision) -> Result<Became, StoreError> {
        match self.begin(decision).await {
            Ok(became) => Ok(became),
            Err(ended) => self.tell_end(ended).map(|()| Became::Stayed),
        }
    }

    /// The same, but what failed for a reason that may pass is given back and not told: it is to be
    /// [begun once more](Self::begin_again) or [told](Self::tell). So is, of objects that the end
    /// of the run has stopped, that they were not attempted.
    pub async fn begin(&self, decision: Decision) -> Result<Became, Ended> {
        self.carry(decision, Past::default()).await
    }

    /// Begins once more what failed, and tells what comes of it, all attempts together. What is
    /// stopped meanwhile has failed as it had before. An error is one that ends the pair.
    pub async fn begin_again(&self, failure: Failure) -> Result<Became, StoreError> {
        let Failure {
            event,
            warnings,
            again,
        } = failure;
        let untold = |again| Failure {
            event,
            warnings,
            again,
        };
        let Some((decision, past)) = again.filter(|_| !self.stop.is_cancelled()) else {
            self.tell(untold(None));
            return Ok(Became::Stayed);
        };
        self.begun_again(Duration::ZERO);
        match self.carry(decision, past).await {
            Ok(became) => return Ok(became),
            Err(Ended::Stopped(_)) => self.tell(untold(None)),
            Err(ended) => self.tell_end(ended)?,
        }
        Ok(Became::Failed)
    }

    /// Tells of an object that has failed and is not begun any more.
    pub fn tell(&self, failure: Failure) {
        for event in failure.told() {
            self.sinks.emit(&event);
        }
    }
}
