//! How often calls of a script ran out of time, and when that is enough.

use std::cell::Cell;

/// So many calls in a row run out of time, and no more.
const MOST_IN_A_ROW: u32 = 3;

/// So many in all.
const MOST: u32 = 10;

/// After so many calls that were in time, one that was not is forgotten.
const FORGOTTEN_AFTER: u32 = 100;

/// What is remembered of the calls in one interpreter: a script that loops on every call would hold
/// the run for as many times its limit as there are objects.
#[derive(Debug, Default)]
pub(super) struct Overtime {
    in_a_row: Cell<u32>,
    remembered: Cell<u32>,
    in_time: Cell<u32>,
}

impl Overtime {
    /// A call ended. True where this one was too much.
    pub(super) fn is_enough(&self, is_late: bool) -> bool {
        if is_late {
            self.in_a_row.set(self.in_a_row.get() + 1);
            self.remembered.set(self.remembered.get() + 1);
            return self.in_a_row.get() >= MOST_IN_A_ROW || self.remembered.get() >= MOST;
        }
        self.in_a_row.set(0);
        self.in_time.set(self.in_time.get() + 1);
        if self.in_time.get() >= FORGOTTEN_AFTER {
            self.in_time.set(0);
            self.remembered.set(self.remembered.get().saturating_sub(1));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_enough_when_most_calls_are_late() {
        for (name, late_of, expected) in [
            ("every call", 1, Some(3)),
            ("every second", 2, Some(19)),
            ("every third", 3, Some(28)),
            ("one of a hundred and one", 101, None),
        ] {
            let overtime = Overtime::default();
            let calls = 1..=10_000;
            let mut calls = calls.filter(|call| overtime.is_enough((call - 1) % late_of == 0));
            assert_eq!(calls.next(), expected, "{name}");
        }
    }
}
