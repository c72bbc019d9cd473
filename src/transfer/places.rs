//! How many parts may be on their way at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for parts on their way, over all objects of a pair: so many are read while as many are
/// written, but only a third more than that altogether. Those wait to be hashed together, and for
/// a place to be written.
///
/// A part has its memory when it waits to be written: who has a place to write must not wait for
/// memory. What is to be read first therefore has places of its own, taken after its memory.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    beside: Arc<Semaphore>,
}

/// The place of a part on its way, until it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Places {
    /// For so many parts read, and as many written.
    pub(super) fn new(parts: usize) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self {
            all: places(parts + parts.div_ceil(3)),
            reading: places(parts),
            writing: places(parts),
            beside: places(parts),
        }
    }

    /// Waits until another part may be begun.
    pub(super) async fn to_begin(&self) -> Place {
        free(&self.all).await
    }

    /// Waits until another part may be read.
    pub(super) async fn to_read(&self) -> Place {
        free(&self.reading).await
    }

    /// Waits until another part may be written.
    pub(super) async fn to_write(&self) -> Place {
        free(&self.writing).await
    }

    /// Waits until another annotation may be read and written.
    pub(super) async fn to_annotate(&self) -> Place {
        free(&self.beside).await
    }
}

async fn free(places: &Arc<Semaphore>) -> Place {
    let permit = Arc::clone(places).acquire_owned().await;
    permit.expect("the semaphore is never closed")
}
