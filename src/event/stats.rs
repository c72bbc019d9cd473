//! Statistics: the one fold over events, shared by all tasks of a pair.

mod comparisons;
mod counts;
mod deletions;
mod latency;
mod samples;
mod series;
mod tally;
mod traffic;

pub use comparisons::{Agreement, Comparisons};
pub use counts::{Axis, Counts, PerSide, Verified};
pub use deletions::Deletions;
pub use latency::Latency;
pub use samples::{Sample, Samples};
pub use series::Series;
pub use tally::{Lost, Tally};
pub use traffic::Traffic;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Event, Sink, Warned, locked};

/// Counts the events of one pair while they happen, in constant memory.
///
/// Everything that reports numbers reads them here: progress, `report.json`, the table and the
/// exit code cannot disagree.
#[derive(Debug)]
pub struct Stats {
    started: Instant,
    /// Apart from the rest, because on a quiet night it is all there is to count.
    unchanged: AtomicU64,
    tally: Mutex<Tally>,
}

/// The few numbers a progress line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Objects of the source listed so far.
    pub listed: u64,
    /// Whether the source is completely listed, so that `listed` is the total.
    pub listing_done: bool,
    /// Objects that are through, however they ended.
    pub done: u64,
    /// Objects transferred (or, in a dry run, planned).
    pub transferred: u64,
    /// Bytes taken by the target, in objects that are not complete too.
    pub bytes: u64,
    /// Failures so far.
    pub errors: u64,
    /// Warnings so far.
    pub warnings: u64,
    /// Since the pair began.
    pub elapsed: Duration,
}

impl Stats {
    /// Begins to count; the clock of the throughput starts now.
    pub fn new(warned: Warned) -> Self {
        Self {
            started: Instant::now(),
            unchanged: AtomicU64::new(0),
            tally: Mutex::new(Tally::new(warned)),
        }
    }

    /// Everything counted so far.
    pub fn tally(&self) -> Tally {
        let mut tally = locked(&self.tally).clone();
        tally.counts.unchanged += self.unchanged.load(Ordering::Relaxed);
        tally
    }

    /// What a progress line shows, without copying the rest.
    pub fn progress(&self) -> Progress {
        let unchanged = self.unchanged.load(Ordering::Relaxed);
        let tally = locked(&self.tally);
        let counts = &tally.counts;
        Progress {
            listed: counts.listed.source,
            listing_done: tally.listing.source.is_some(),
            done: unchanged + counts.accounted(),
            transferred: counts.transferred(),
            bytes: tally.traffic.moved,
            errors: counts.errors,
            warnings: counts.warnings,
            elapsed: self.started.elapsed(),
        }
    }
}

impl Sink for Stats {
    fn event(&self, event: &Event) {
        match event {
            Event::Unchanged { .. } => {
                self.unchanged.fetch_add(1, Ordering::Relaxed);
            }
            Event::UnchangedMany { count } => {
                self.unchanged.fetch_add(*count, Ordering::Relaxed);
            }
            _ => locked(&self.tally).fold(event, self.started.elapsed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Listed, Sinks};
    use super::*;
    use crate::effort::spent;
    use crate::object::{ObjectKey, Timestamp};

    #[test]
    fn a_million_unchanged_objects_cost_next_to_nothing() {
        let stats = Arc::new(Stats::new(Warned::default()));
        let sinks = Sinks::new(vec![stats.clone()]);
        let listed = Listed {
            size: 1,
            modified: Timestamp::new(0, 0),
            etag: None,
            version: None,
        };
        let event = Event::Unchanged {
            key: ObjectKey::new("k").expect("short"),
            source: listed.clone(),
            target: listed,
        };
        let before = spent();
        for _ in 0..1_000_000 {
            sinks.emit(&event);
        }
        let took = spent().saturating_sub(before);
        sinks.emit(&Event::UnchangedMany { count: 7 });
        assert_eq!(stats.tally().counts.unchanged, 1_000_007);
        assert_eq!(stats.progress().done, 1_000_007);
        assert!(!sinks.wants_unchanged());
        // 100 ms is the promise of an optimized build; an unoptimized one is slower
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}
