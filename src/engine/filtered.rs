//! Objects that filters keep out: told one by one only where somebody wants to hear of each.

use std::sync::{Arc, Mutex};

use crate::event::{Event, Rule, Sinks, locked};

/// So many objects that one filter keeps out make one event.
const AT_ONCE: u64 = 1000;

/// Tells of filtered objects, or counts them and tells their number from time to time.
#[derive(Debug)]
pub(super) struct Filtered {
    sinks: Sinks,
    each: bool,
    /// As few as there are filters.
    counts: Mutex<Vec<(Arc<Rule>, u64)>>,
}

impl Filtered {
    pub(super) fn new(sinks: &Sinks) -> Self {
        Self {
            each: sinks.wants_filtered(),
            sinks: sinks.clone(),
            counts: Mutex::default(),
        }
    }

    /// The event of one more, where it is to be told; otherwise it is counted.
    pub(super) fn count_or(&self, by: &Arc<Rule>, event: impl FnOnce() -> Event) -> Option<Event> {
        if self.each {
            return Some(event());
        }
        let mut counts = locked(&self.counts);
        let at = (counts.iter().position(|(rule, _)| Arc::ptr_eq(rule, by))).unwrap_or_else(|| {
            counts.push((Arc::clone(by), 0));
            counts.len() - 1
        });
        counts[at].1 += 1;
        if counts[at].1 >= AT_ONCE {
            let (by, count) = counts.swap_remove(at);
            drop(counts);
            self.sinks.emit(&Event::FilteredMany { count, by });
        }
        None
    }

    /// Tells of one more.
    pub(super) fn tell(&self, by: &Arc<Rule>, event: impl FnOnce() -> Event) {
        if let Some(event) = self.count_or(by, event) {
            self.sinks.emit(&event);
        }
    }

    /// Tells what was counted and not told yet.
    pub(super) fn end(&self) {
        for (by, count) in std::mem::take(&mut *locked(&self.counts)) {
            self.sinks.emit(&Event::FilteredMany { count, by });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Sink, Stats, Warned};

    #[derive(Debug)]
    struct Wanting(bool);

    impl Sink for Wanting {
        fn event(&self, _: &Event) {}

        fn wants_filtered(&self) -> bool {
            self.0
        }
    }

    fn rule(value: &str) -> Arc<Rule> {
        Arc::new(Rule {
            filter: "filter.exclude",
            value: value.to_owned(),
            origin: "job.toml:1".to_owned(),
        })
    }

    #[test]
    fn each_counts_once_however_it_is_told() {
        for each in [false, true] {
            let stats = Arc::new(Stats::new(Warned::default()));
            let filtered = Filtered::new(&Sinks::new(vec![stats.clone(), Arc::new(Wanting(each))]));
            let (a, b) = (rule("a"), rule("b"));
            let mut made = 0;
            for n in 0..2500 {
                let by = if n % 5 == 0 { &b } else { &a };
                filtered.tell(by, || {
                    made += 1;
                    Event::Filtered {
                        key: "k".to_owned(),
                        source: None,
                        seen: None,
                        by: Arc::clone(by),
                    }
                });
            }
            filtered.end();
            filtered.end();
            let counts = stats.tally().counts.filtered;
            assert_eq!(counts, [(a, 2000), (b, 500)].into(), "{each}");
            assert_eq!(made, if each { 2500 } else { 0 });
        }
    }
}
