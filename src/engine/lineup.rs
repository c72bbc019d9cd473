//! What is done beside each other, told one after the other.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::event::{Event, Sinks, locked};

/// So many wait for one that takes its time; then the first of them are told before it.
const WAITING: usize = 10_000;

/// Tells events in the order of the places they were given.
#[derive(Debug)]
pub(super) struct Lineup {
    sinks: Sinks,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    /// Places given so far.
    given: u64,
    /// The place whose turn it is; whoever comes later than that is told at once.
    next: u64,
    waiting: BTreeMap<u64, Event>,
}

/// A place in the line. Whoever has one is to tell something.
#[derive(Debug)]
pub(super) struct Place(u64);

impl Lineup {
    pub(super) fn new(sinks: Sinks) -> Self {
        Self {
            sinks,
            line: Mutex::default(),
        }
    }

    /// The place behind all others.
    pub(super) fn place(&self) -> Place {
        let mut line = locked(&self.line);
        line.given += 1;
        Place(line.given - 1)
    }

    /// Tells an event when it is its turn.
    pub(super) fn tell(&self, place: Place, event: Event) {
        let mut line = locked(&self.line);
        if place.0 < line.next {
            self.sinks.emit(&event);
            return;
        }
        line.waiting.insert(place.0, event);
        while let Some(first) = line.waiting.first_entry() {
            let at = *first.key();
            if at != line.next && line.waiting.len() <= WAITING {
                break;
            }
            self.pass(&mut line);
        }
    }

    /// Tells everything that waits: whoever it waits for will not come.
    pub(super) fn end(&self) {
        let mut line = locked(&self.line);
        while !line.waiting.is_empty() {
            self.pass(&mut line);
        }
    }

    fn pass(&self, line: &mut Line) {
        if let Some((at, event)) = line.waiting.pop_first() {
            line.next = at + 1;
            self.sinks.emit(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::Sink;

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<u64>>);

    impl Sink for Told {
        fn event(&self, event: &Event) {
            if let Event::Moved { bytes } = event {
                locked(&self.0).push(*bytes);
            }
        }
    }

    fn lineup() -> (Lineup, Arc<Told>) {
        let told = Arc::new(Told::default());
        (Lineup::new(Sinks::new(vec![told.clone()])), told)
    }

    #[test]
    fn everything_is_told_in_the_order_of_its_place() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 3, 1]] {
            let (lineup, told) = lineup();
            let mut places: Vec<_> = (0..4).map(|_| Some(lineup.place())).collect();
            for at in order {
                let place = places[at].take().expect("told once");
                lineup.tell(place, Event::Moved { bytes: at as u64 });
            }
            assert_eq!(*locked(&told.0), [0, 1, 2, 3], "{order:?}");
        }
    }

    #[test]
    fn whoever_never_comes_keeps_nobody_for_ever() {
        let (lineup, told) = lineup();
        let late = lineup.place();
        let many = WAITING as u64 + 5;
        for at in 1..=many {
            let place = lineup.place();
            lineup.tell(place, Event::Moved { bytes: at });
        }
        // the line moved on without the first
        assert_eq!(locked(&told.0).first(), Some(&1));
        lineup.tell(late, Event::Moved { bytes: 0 });
        let _never = lineup.place();
        let last = lineup.place();
        lineup.tell(last, Event::Moved { bytes: many + 1 });
        assert_eq!(locked(&told.0).last(), Some(&0));
        lineup.end();
        assert_eq!(locked(&told.0).last(), Some(&(many + 1)));
        assert_eq!(locked(&told.0).len() as u64, many + 2);
    }
}
