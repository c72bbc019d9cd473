//! What happens in a pair, as far as the guards of its deletions have to know.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Event, Side, Sink};

/// Counts what the guards look at.
#[derive(Debug, Default)]
pub(super) struct Watch {
    failed: AtomicU64,
    source_listed: AtomicU64,
}

impl Watch {
    /// Objects that failed.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The objects that the source listed, filtered or not. What is no object is none: the marker of
    /// its own prefix, or a fifo, is not what a source that has lost everything is safe by.
    pub(super) fn source_listed(&self) -> u64 {
        self.source_listed.load(Ordering::Relaxed)
    }
}

impl Sink for Watch {
    fn event(&self, event: &Event) {
        match event {
            Event::Failed { .. } => {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
            Event::Listed {
                side: Side::Source,
                entries,
                odd,
                ..
            } => {
                let entries = entries.saturating_sub(*odd);
                self.source_listed.fetch_add(entries, Ordering::Relaxed);
            }
            // they come again
            Event::Relisted { entries, .. } => {
                self.source_listed.fetch_sub(*entries, Ordering::Relaxed);
            }
            // everything else is no reason to keep what the target has
            _ => {}
        }
    }
}
