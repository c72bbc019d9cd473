//! The worker of a run that brings objects over.

use super::carry::Worker;
use super::filtered::Filtered;
use super::unchanged::Unchanged;
use crate::config::Pair;
use crate::context::{Context, Distrusted, Ends};
use crate::event::{Event, Sinks};
use crate::plan::{Decision, Leave};
use crate::store::StoreError;
use crate::transfer::{Transferrer, may_be_archived};

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
}

impl Syncing {
    /// Between these ends.
    pub(super) fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        Self {
            transferrer: Transferrer::new(ends, pair, context),
            unchanged: Unchanged::new(&context.sinks),
            filtered: Filtered::new(&context.sinks),
            sinks: context.sinks.clone(),
            distrusted: context.distrusted.clone(),
            dry_run: context.dry_run,
            sync_latest: pair.tagging.sync_latest || pair.annotations.sync_latest,
        }
    }
}

impl Worker for Syncing {
    type Decision = Decision;
    type Task = Decision;

    async fn take(&self, decision: Decision) -> Result<Option<Decision>, StoreError> {
        match self.distrusted.overrule(decision) {
            // what lies beside its content may not be
            decision @ Decision::Leave(Leave::Unchanged { .. }) if self.sync_latest => {
                Ok(Some(decision))
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
            decision => Ok(Some(decision)),
        }
    }

    async fn work(&self, decision: Decision) -> Result<(), StoreError> {
        self.transferrer.run(decision).await.map(|_| ())
    }

    fn end(&self) {
        self.unchanged.end();
        self.filtered.end();
    }
}
