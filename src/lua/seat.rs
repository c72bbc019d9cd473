//! What the thread of an interpreter tells those who wait for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Where an interpreter sits and works.
#[derive(Debug, Default)]
pub(super) struct Seat(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    busy: Option<Busy>,
    is_given_up: bool,
}

/// What is being done.
#[derive(Debug, Clone, Copy)]
struct Busy {
    /// The number of the work.
    work: u64,
    /// When the call of it that is running began.
    since: Instant,
}

impl Seat {
    /// Work begins. False where nobody counts on this interpreter any more.
    pub(super) fn takes(&self, work: u64) -> bool {
        let mut state = self.state();
        let since = Instant::now();
        state.busy = Some(Busy { work, since });
        !state.is_given_up
    }

    /// A call of it begins.
    pub(super) fn begins(&self, now: Instant) {
        if let Some(busy) = &mut self.state().busy {
            busy.since = now;
        }
    }

    /// The work is done. False where nobody counts on this interpreter any more.
    pub(super) fn is_done(&self) -> bool {
        let mut state = self.state();
        state.busy = None;
        !state.is_given_up
    }

    /// Since when the call that is running runs.
    pub(super) fn busy_since(&self) -> Option<Instant> {
        self.state().busy.map(|busy| busy.since)
    }

    /// Nobody waits for it any more.
    pub(super) fn give_up(&self) {
        self.state().is_given_up = true;
    }

    /// The same if a call runs that began before this; the number of the work it is of.
    pub(super) fn give_up_since(&self, before: Instant) -> Option<u64> {
        let mut state = self.state();
        let busy = state.busy.filter(|busy| busy.since <= before)?;
        state.is_given_up = true;
        Some(busy.work)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
