//! How much users have yet to hear of: nothing more is begun while it is too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// So many events may wait to be heard before whoever makes them waits.
const MOST: usize = 10_000;

/// The events of a pair that were told and not heard yet. Cloning shares it; by default nobody is
/// told anything, and there is always room.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Option<Arc<Waiting>>);

#[derive(Debug)]
struct Waiting {
    events: AtomicUsize,
    heard: Notify,
    stop: CancellationToken,
}

impl Backlog {
    /// An empty one; once the run is stopped nobody waits for it any more.
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self(Some(Arc::new(Waiting {
            events: AtomicUsize::new(0),
            heard: Notify::new(),
            stop,
        })))
    }

    /// Waits until there is room for what is about to happen.
    pub async fn room(&self) {
        let Some(waiting) = &self.0 else { return };
        loop {
            let heard = waiting.heard.notified();
            if waiting.events.load(Ordering::Relaxed) < MOST {
                return;
            }
            tokio::select! {
                () = waiting.stop.cancelled() => return,
                () = heard => {}
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |waiting| waiting.events.load(Ordering::Relaxed))
    }

    /// One more was told.
    pub(super) fn told(&self) {
        if let Some(waiting) = &self.0 {
            waiting.events.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// So many were heard.
    pub(super) fn heard(&self, events: usize) {
        if let Some(waiting) = &self.0 {
            waiting.events.fetch_sub(events, Ordering::Relaxed);
            waiting.heard.notify_waiters();
        }
    }
}
