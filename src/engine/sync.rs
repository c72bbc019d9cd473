//! The worker of a run that brings objects over.

use super::carry::Worker;
use super::filtered::Filtered;
use super::later::Later;
use super::unchanged::Unchanged;
use crate::config::Pair;
use crate::context::{Context, Distrusted, Ends};
use crate::event::{Event, Sinks};
use crate::plan::{Decision, Leave};
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
    later: Later<Box<Failure>>,
}

/// What a worker is given.
#[derive(Debug)]
pub(super) enum Task {
    /// A decision to carry out.
    First(Decision),
    /// An object to begin once more.
    Again(Box<Failure>),
}

impl Syncing {
    /// Between these ends.
    pub(super) fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        Self {
            transferrer: Transferrer::new(ends, pair, context),
            unchanged: Unchanged::new(&context.sinks),
            filtered: Filtered::new(&context.sinks),
            later: Later::new(pair.force_retry.0 > 0),
            sinks: context.sinks.clone(),
            distrusted: context.distrusted.clone(),
            dry_run: context.dry_run,
            sync_latest: pair.tagging.sync_latest || pair.annotations.sync_latest,
        }
    }

    async fn again(&self, failure: Failure) -> Result<(), StoreError> {
        if self.later.is_hopeless() {
            self.transferrer.tell(failure);
            return Ok(());
        }
        let became = self.transferrer.begin_again(failure).await?;
        self.later.ended(became != Became::Failed);
        Ok(())
    }
}

impl Worker for Syncing {
    type Decision = Decision;
    type Task = Task;

    async fn take(&self, decision: Decision) -> Result<Option<Task>, StoreError> {
        match self.distrusted.overrule(decision) {
            // what lies beside its content may not be
            decision @ Decision::Leave(Leave::Unchanged { .. }) if self.sync_latest => {
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
                Box::pin(self.transferrer.run(decision)).await.map(|_| None)
            }
            decision => Ok(Some(Task::First(decision))),
        }
    }

    async fn work(&self, task: Task) -> Result<(), StoreError> {
        let decision = match task {
            Task::First(decision) => decision,
            Task::Again(failure) => return self.again(*failure).await,
        };
        match self.transferrer.begin(decision).await {
            Ok(_) => {}
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
