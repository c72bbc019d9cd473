//! How much content the process holds at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this many.
const UNIT: u64 = 16 << 10;

/// A bound on the bytes of content in memory, shared by everything in the process.
#[derive(Debug, Clone)]
pub struct Budget {
    units: Arc<Semaphore>,
    all: u32,
}

/// A share of the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Reserved(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let all = u32::try_from((bytes / UNIT).max(1)).unwrap_or(u32::MAX);
        Self {
            units: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// Waits for a share of so many bytes. Who asks for more than there is gets all there is.
    pub async fn reserve(&self, bytes: u64) -> Reserved {
        let units = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.all);
        let permit = Arc::clone(&self.units).acquire_many_owned(units).await;
        Reserved(permit.expect("the semaphore is never closed"))
    }

    /// The whole of it, in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.all) * UNIT
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn shares_add_up_to_the_whole() {
        let budget = Budget::new(1 << 20);
        let first = budget.reserve(700 << 10).await;
        assert!(budget.reserve(400 << 10).now_or_never().is_none());
        assert!(budget.reserve(200 << 10).now_or_never().is_some());
        drop(first);
        let everything = budget.reserve(u64::MAX).now_or_never();
        assert!(everything.is_some());
        assert!(budget.reserve(0).now_or_never().is_none());
    }
}
