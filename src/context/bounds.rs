//! What all pairs of a run share the use of, beside the memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::store::Pace;

/// Bounds of the whole process. Cloning shares them; by default there are none.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Objects written, copied or deleted.
    pub objects: Pace,
    /// Bytes of content over the network.
    pub bandwidth: Pace,
    workers: Option<Arc<Semaphore>>,
}

impl Bounds {
    /// As the job has them.
    pub fn new(limits: &Limits) -> Self {
        let workers = limits.workers.map(usize::from);
        Self {
            objects: Pace::of(limits.rate.objects),
            bandwidth: Pace::of(limits.rate.bandwidth),
            workers: workers.map(|workers| Arc::new(Semaphore::new(workers))),
        }
    }

    /// Waits until one more object may be in flight; it is until what is returned is dropped.
    pub async fn worker(&self) -> Option<OwnedSemaphorePermit> {
        let workers = Arc::clone(self.workers.as_ref()?);
        Some(workers.acquire_owned().await.expect("never closed"))
    }
}
