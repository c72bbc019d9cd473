/*! What is begun once more when everything else is done: the failed, as long as they are few.

A pair of which ten thousand objects have failed is not having a bad moment: whatever fails then
fails at once, as all that is kept is in memory. And the second round is given up when so many of it
have failed in a row that the trouble is still there, so that a server that is down costs a pair not
twice the time. Which objects failed is in the evidence, and `run --retry-failed` attempts them when
somebody has looked.
*/

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::locked;

/// So many objects are kept at most.
const MOST: u64 = 10_000;

/// So many that fail one after the other in the second round say that it helps nothing.
const HOPELESS: u64 = 100;

/// Objects that wait for the second round, each `T` of one or several.
#[derive(Debug)]
pub(super) struct Later<T> {
    waiting: Mutex<Waiting<T>>,
    failed_in_a_row: AtomicU64,
}

#[derive(Debug)]
struct Waiting<T> {
    tasks: VecDeque<T>,
    objects: u64,
    is_open: bool,
}

impl<T> Later<T> {
    /// With room for some, or none where nothing is ever begun again.
    pub(super) fn new(is_open: bool) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                tasks: VecDeque::new(),
                objects: 0,
                is_open,
            }),
            failed_in_a_row: AtomicU64::new(0),
        }
    }

    /// Keeps something that is so many objects. It comes back where it cannot be kept: it has failed
    /// for good.
    pub(super) fn keep(&self, task: T, objects: u64) -> Result<(), T> {
        let mut waiting = locked(&self.waiting);
        if !waiting.is_open || waiting.objects + objects > MOST {
            return Err(task);
        }
        waiting.objects += objects;
        waiting.tasks.push_back(task);
        Ok(())
    }

    /// How many objects wait.
    pub(super) fn objects(&self) -> u64 {
        locked(&self.waiting).objects
    }

    /// The next, in the order they were kept; from now on nothing more is.
    pub(super) fn next(&self) -> Option<T> {
        let mut waiting = locked(&self.waiting);
        if std::mem::take(&mut waiting.is_open) {
            self.ended(true);
        }
        waiting.tasks.pop_front()
    }

    /// Takes in how one ended in the second round.
    pub(super) fn ended(&self, well: bool) {
        if well {
            self.failed_in_a_row.store(0, Ordering::Relaxed);
        } else {
            self.failed_in_a_row.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether there is no use in beginning another one.
    pub(super) fn is_hopeless(&self) -> bool {
        self.failed_in_a_row.load(Ordering::Relaxed) >= HOPELESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_kept_in_their_order_and_none_once_they_are_taken() {
        let later = Later::new(true);
        for task in 0..3 {
            assert_eq!(later.keep(task, 1), Ok(()), "{task}");
        }
        assert_eq!(later.objects(), 3);
        assert_eq!(later.next(), Some(0));
        assert_eq!(later.keep(9, 1), Err(9), "the second round has begun");
        assert_eq!((later.next(), later.next()), (Some(1), Some(2)));
        assert_eq!(later.next(), None);
        assert_eq!(
            Later::new(false).keep(1, 1),
            Err(1),
            "nothing is begun again"
        );
    }

    #[test]
    fn no_more_objects_are_kept_than_there_is_room_for() {
        let later = Later::new(true);
        assert_eq!(later.keep("many", MOST - 1), Ok(()));
        assert_eq!(later.keep("more", 2), Err("more"));
        assert_eq!(later.keep("one", 1), Ok(()));
        assert_eq!(later.keep("one more", 1), Err("one more"));
    }

    #[test]
    fn only_failures_in_a_row_are_hopeless() {
        let later = Later::<()>::new(true);
        for _ in 0..3 {
            (1..HOPELESS).for_each(|_| later.ended(false));
            assert!(!later.is_hopeless());
            later.ended(true);
        }
        (0..HOPELESS).for_each(|_| later.ended(false));
        assert!(later.is_hopeless());
    }
}
