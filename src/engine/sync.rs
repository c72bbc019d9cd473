//! The worker of a run that brings objects over.

use std::sync::atomic::{AtomicU64, Ordering};

use super::carry::Worker;
use crate::config::Pair;
use crate::context::{Context, Distrusted, Ends};
use crate::event::{Event, Sinks};
use crate::plan::{Decision, Leave};
use crate::store::StoreError;
use crate::transfer::{Transferrer, may_be_archived};

/// So many unchanged objects make one event.
const UNCHANGED_AT_ONCE: u64 = 1000;

/// Has objects transferred, and counts those that need not be.
#[derive(Debug)]
pub(super) struct Syncing {
    transferrer: Transferrer,
    sinks: Sinks,
    distrusted: Distrusted,
    dry_run: bool,
    /// Whether unchanged objects are looked at too, for their tags or annotations.
    sync_latest: bool,
    each_unchanged: bool,
    /// Where nobody wants to hear of each, they are counted here and told from time to time.
    unchanged: AtomicU64,
}

impl Syncing {
    /// Between these ends.
    pub(super) fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        Self {
            transferrer: Transferrer::new(ends, pair, context),
            each_unchanged: context.sinks.wants_unchanged(),
            sinks: context.sinks.clone(),
            distrusted: context.distrusted.clone(),
            dry_run: context.dry_run,
            sync_latest: pair.tagging.sync_latest || pair.annotations.sync_latest,
            unchanged: AtomicU64::new(0),
        }
    }

    fn tell_unchanged(&self) {
        let count = self.unchanged.swap(0, Ordering::Relaxed);
        if count > 0 {
            self.sinks.emit(&Event::UnchangedMany { count });
        }
    }
}

impl Worker for Syncing {
    type Task = Decision;

    async fn take(&self, decision: Decision) -> Result<Option<Decision>, StoreError> {
        match self.distrusted.overrule(decision) {
            // what lies beside its content may not be
            decision @ Decision::Leave(Leave::Unchanged { .. }) if self.sync_latest => {
                Ok(Some(decision))
            }
            Decision::Leave(Leave::Unchanged { .. }) if !self.each_unchanged => {
                let before = self.unchanged.fetch_add(1, Ordering::Relaxed);
                if before + 1 >= UNCHANGED_AT_ONCE {
                    self.tell_unchanged();
                }
                Ok(None)
            }
            Decision::Leave(leave) => {
                self.sinks.emit(&leave.into());
                Ok(None)
            }
            // it only has to be told: here, it is told in the order of the keys
            Decision::Transfer(transfer) if self.dry_run && !may_be_archived(&transfer.source) => {
                let decision = Decision::Transfer(transfer);
                self.transferrer.run(decision).await.map(|()| None)
            }
            decision => Ok(Some(decision)),
        }
    }

    async fn work(&self, decision: Decision) -> Result<(), StoreError> {
        self.transferrer.run(decision).await
    }

    fn end(&self) {
        self.tell_unchanged();
    }
}
