//! Objects that need nothing: told one by one only where somebody wants to hear of each.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Event, Sinks};

/// So many unchanged objects make one event.
const AT_ONCE: u64 = 1000;

/// Tells of unchanged objects, or counts them and tells their number from time to time.
#[derive(Debug)]
pub(super) struct Unchanged {
    sinks: Sinks,
    each: bool,
    count: AtomicU64,
}

impl Unchanged {
    pub(super) fn new(sinks: &Sinks) -> Self {
        Self {
            each: sinks.wants_unchanged(),
            sinks: sinks.clone(),
            count: AtomicU64::new(0),
        }
    }

    /// Tells of one more.
    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.each {
            self.sinks.emit(&event());
        } else {
            self.count();
        }
    }

    /// Counts one more of which there is nothing to tell.
    pub(super) fn count(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 >= AT_ONCE {
            self.end();
        }
    }

    /// Tells what was counted and not told yet.
    pub(super) fn end(&self) {
        let count = self.count.swap(0, Ordering::Relaxed);
        if count > 0 {
            self.sinks.emit(&Event::UnchangedMany { count });
        }
    }
}
