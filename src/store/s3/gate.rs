/*! How many requests an endpoint is sent at once: as many as there are, until it asks for fewer.

Then it is what a network does with a full line: fewer by a third at each refusal, one more after
each round that went well. All stores of one endpoint share a gate, because it is the endpoint that
is throttled and not one side of one pair.
*/

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// After a refusal so much is left of the requests in flight.
const CUT: f64 = 0.7;

/// No fewer: one slow upload must not stop everything else.
const FEWEST: f64 = 2.0;

/// The way to an endpoint.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_flight: u32,
    /// How many may be in flight; any number while nothing was refused.
    limit: Option<f64>,
    /// From so many on it is as many as there are again.
    free_at: f64,
    /// How often it was cut: who entered before the last time says nothing new.
    cuts: u64,
}

/// A request in flight; it has left when this is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    cuts: u64,
}

impl Gate {
    /// The gate of an endpoint, the same for all who name it alike.
    pub(super) fn of(endpoint: &str) -> Arc<Self> {
        static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(endpoint.to_owned()).or_default())
    }

    /// Waits until one more request may be sent.
    pub(super) async fn enter(self: &Arc<Self>) -> Pass {
        loop {
            let left = self.left.notified();
            if let Some(pass) = self.try_enter() {
                return pass;
            }
            left.await;
        }
    }

    fn try_enter(self: &Arc<Self>) -> Option<Pass> {
        let mut state = self.state();
        if state
            .limit
            .is_some_and(|limit| f64::from(state.in_flight) + 1.0 > limit)
        {
            return None;
        }
        state.in_flight += 1;
        let cuts = state.cuts;
        drop(state);
        // there may be room for another one who waits
        self.left.notify_one();
        Some(Pass {
            gate: Arc::clone(self),
            cuts,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The endpoint did what it was asked for.
    pub(super) fn went_well(&self) {
        let mut state = self.gate.state();
        let free_at = state.free_at;
        state.limit = state
            .limit
            .map(|limit| limit + 1.0 / limit)
            .filter(|limit| *limit < free_at);
    }

    /// The endpoint asks for fewer requests.
    pub(super) fn was_throttled(&self) {
        let mut state = self.gate.state();
        if self.cuts < state.cuts {
            return;
        }
        let now = f64::from(state.in_flight);
        if state.limit.is_none() {
            state.free_at = now.max(FEWEST + 1.0);
        }
        let limit = (state.limit.unwrap_or(now).min(now) * CUT).max(FEWEST);
        state.limit = Some(limit);
        state.cuts += 1;
        tracing::debug!(limit, "the endpoint asks for fewer requests at once");
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.state().in_flight -= 1;
        self.gate.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn passes(gate: &Arc<Gate>, count: usize) -> Vec<Pass> {
        (0..count)
            .map_while(|_| gate.enter().now_or_never())
            .collect()
    }

    #[test]
    fn nothing_is_held_back_before_a_refusal() {
        assert_eq!(passes(&Arc::default(), 1000).len(), 1000);
    }

    #[test]
    fn one_round_of_refusals_cuts_once_and_success_lets_it_grow_again() {
        let gate = Arc::<Gate>::default();
        let round = passes(&gate, 100);
        for pass in &round {
            pass.was_throttled();
        }
        drop(round);
        let round = passes(&gate, 100);
        assert_eq!(round.len(), 70);
        for pass in &round {
            pass.went_well();
        }
        drop(round);
        assert_eq!(
            passes(&gate, 100).len(),
            70,
            "one more after a whole round, nearly"
        );
        for _ in 0..40 {
            for pass in passes(&gate, 100) {
                pass.went_well();
            }
        }
        assert_eq!(passes(&gate, 1000).len(), 1000, "as before");
    }

    #[test]
    fn something_always_goes_through() {
        let gate = Arc::<Gate>::default();
        for _ in 0..100 {
            for pass in passes(&gate, 64) {
                pass.was_throttled();
            }
        }
        assert_eq!(passes(&gate, 64).len(), 2);
    }

    #[tokio::test]
    async fn who_waits_is_let_in_when_another_leaves() {
        let gate = Arc::<Gate>::default();
        for pass in passes(&gate, 3) {
            pass.was_throttled();
        }
        let mut inside = passes(&gate, 8);
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { drop(gate.enter().await) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|task| !task.is_finished()));
        inside.pop();
        for task in waiting {
            task.await.expect("it came through");
        }
    }

    #[test]
    fn stores_of_one_endpoint_share_it() {
        assert!(Arc::ptr_eq(&Gate::of("http://a"), &Gate::of("http://a")));
        assert!(!Arc::ptr_eq(&Gate::of("http://a"), &Gate::of("http://b")));
    }
}
