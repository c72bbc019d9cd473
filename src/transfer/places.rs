//! How many parts may be on their way at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for parts in flight, over all objects of a pair: so many are read while as many are
/// written. What stands between, waiting to be hashed or written, is bounded by the budget.
#[derive(Debug, Clone)]
pub(super) struct Places {
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

impl Places {
    /// So many of each kind.
    pub(super) fn new(parts: usize) -> Self {
        Self {
            reading: Arc::new(Semaphore::new(parts)),
            writing: Arc::new(Semaphore::new(parts)),
        }
    }

    /// Waits until another part may be read.
    pub(super) async fn to_read(&self) -> OwnedSemaphorePermit {
        free(&self.reading).await
    }

    /// Waits until another part may be written.
    pub(super) async fn to_write(&self) -> OwnedSemaphorePermit {
        free(&self.writing).await
    }
}

async fn free(places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let permit = Arc::clone(places).acquire_owned().await;
    permit.expect("the semaphore is never closed")
}
