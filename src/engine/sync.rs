//! The worker of a run that brings objects over.

use std::sync::Arc;

use super::carry::Worker;
use super::deletion::SetAside;
use super::filtered::Filtered;
use super::later::Later;
use super::unchanged::Unchanged;
use crate::config::Pair;
use crate::context::{Context, Distrusted, Ends};
use crate::event::{Event, Sinks, SkipReason};
use crate::object::ObjectKey;
use crate::plan::{Decision, Leave, Transfer};
use crate::store::StoreError;
use crate::transfer::{Became, Ended, Failure, Transferrer, may_be_archived};

/// Has objects transferred, and counts those that need not be.
#[derive(Debug)]
pub(super) struct Syncing {
    transferrer: Transferrer,
    sinks: Sinks,
    distrusted: Distrusted,
    dry_run: bool,
    /// Whether unchanged objects are looked at too, for their tags or annotations.
    sync_latest: bool,
    unchanged: Unchanged,
    filtered: Filtered,
    /// Where what deletions are about goes, in a pair that deletes.
    set_aside: Option<Arc<SetAside>>,
    later: Later<Box<Failure>>,
}

/// What a worker is given.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "almost all of them are the large one"
)]
pub(super) enum Task {
    /// A decision to carry out.
    First(Decision),
    /// An object to begin once more.
    Again(Box<Failure>),
}

impl Syncing {
    /// Between these ends.
    pub(super) fn new(
        ends: Ends,
        pair: &Pair,
        context: &Context,
        set_aside: Option<Arc<SetAside>>,
    ) -> Self {
        let transferrer = Transferrer::new(ends, pair, context);
        Self {
            transferrer: if set_aside.is_some() {
                transferrer.waiting_for_deletions()
            } else {
                transferrer
            },
            unchanged: Unchanged::new(&context.sinks),
            filtered: Filtered::new(&context.sinks),
            later: Later::new(pair.force_retry.0 > 0),
            sinks: context.sinks.clone(),
            distrusted: context.distrusted.clone(),
            dry_run: context.dry_run,
            set_aside,
            sync_latest: pair.tagging.sync_latest || pair.annotations.sync_latest,
        }
    }

    async fn again(&self, failure: Failure) -> Result<(), StoreError> {
        if self.later.is_hopeless() {
            self.transferrer.tell(failure);
            return Ok(());
        }
        let key = failure.key().cloned();
        let became = self.transferrer.begin_again(failure).await?;
        self.later.ended(!matches!(became, Became::Failed));
        self.set_aside(key, became)
    }

    /// Leaves to the deletions what they have to know of an object.
    fn set_aside(&self, key: Option<ObjectKey>, became: Became) -> Result<(), StoreError> {
        let (Some(set_aside), Some(key)) = (&self.set_aside, key) else {
            return Ok(());
        };
        match became {
            Became::Filtered(Some(target)) => set_aside.excluded(&key, target),
            Became::Blocked(transfer) => {
                if let Some(Transfer { source, .. }) = set_aside.wait(*transfer) {
                    let message = "something else is in its place, which the deletions of this run may clear; the next run brings it over";
                    let skip = Leave::Skip {
                        source,
                        reason: SkipReason::ShadowedKey,
                        message: Some(message.to_owned()),
                    };
                    self.sinks.emit(&skip.into());
                }
                Ok(())
            }
            Became::Filtered(None)
            | Became::Arrived(_)
            | Became::LeftOut
            | Became::Stayed
            | Became::Failed => Ok(()),
        }
    }

    /// Carries a decision out.
    async fn first(&self, decision: Decision) -> Result<(), StoreError> {
        let key = decision.key().cloned();
        match self.transferrer.begin(decision).await {
            Ok(became) => return self.set_aside(key, became),
            Err(Ended::Failed(failure)) => {
                if let Err(failure) = self.later.keep(failure, 1) {
                    self.transferrer.tell(*failure);
                }
            }
            Err(Ended::Stopped(event)) => self.sinks.emit(&event),
            Err(Ended::Pair(error)) => return Err(error),
        }
        Ok(())
    }
}

impl Worker for Syncing {
    type Decision = Decision;
    type Task = Task;

    async fn take(&self, decision: Decision) -> Result<Option<Task>, StoreError> {
        match self.distrusted.overrule(decision) {
            // what lies beside its content may not be
            decision @ Decision::Leave(Leave::Unchanged { .. })
                if self.sync_latest || self.transferrer.judges_unchanged() =>
            {
                Ok(Some(Task::First(decision)))
            }
            Decision::Leave(leave @ Leave::Unchanged { .. }) => {
                self.unchanged.tell(|| leave.into());
                Ok(None)
            }
            Decision::Leave(Leave::Filtered { source, by, .. }) => {
                self.filtered.tell(&by, || Event::filtered(&source, &by));
                Ok(None)
            }
            Decision::Delete(deletion) => {
                let set_aside = self.set_aside.as_ref();
                set_aside.map_or(Ok(()), |it| it.candidates.add(&deletion))?;
                Ok(None)
            }
            Decision::Leave(leave) => {
                self.sinks.emit(&leave.into());
                Ok(None)
            }
            // it only has to be told: here, it is told in the order of the keys
            Decision::Transfer(transfer)
                if self.dry_run
                    && !self.transferrer.late().asks()
                    && !may_be_archived(&transfer.source) =>
            {
                let decision = Decision::Transfer(transfer);
                Box::pin(self.first(decision)).await.map(|()| None)
            }
            decision => Ok(Some(Task::First(decision))),
        }
    }

    async fn work(&self, task: Task) -> Result<(), StoreError> {
        match task {
            Task::First(decision) => self.first(decision).await,
            Task::Again(failure) => self.again(*failure).await,
        }
    }

    fn begin_anew(&self) -> Result<(), StoreError> {
        let set_aside = self.set_aside.as_ref();
        set_aside.map_or(Ok(()), |it| it.candidates.begin_anew())
    }

    fn kept(&self) -> u64 {
        self.later.objects()
    }

    fn once_more(&self) -> Option<Task> {
        self.later.next().map(Task::Again)
    }

    fn end(&self) {
        while let Some(failure) = self.later.next() {
            self.transferrer.tell(*failure);
        }
        self.unchanged.end();
        self.filtered.end();
    }
}
