//! Whoever removes what looks old must not remove a lock that is held.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use super::registry::Registered;
use crate::event::locked;

/// How often the file of a lock is looked after.
const EVERY: Duration = Duration::from_mins(1);

/// Looks after a lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    task: JoinHandle<()>,
    registered: Arc<Mutex<Option<Registered>>>,
}

impl Keeper {
    /// Begins, on the current runtime.
    pub(super) fn start(registered: Registered) -> Self {
        let registered = Arc::new(Mutex::new(Some(registered)));
        let kept = Arc::clone(&registered);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let kept = Arc::clone(&kept);
                let renewed = spawn_blocking(move || {
                    locked(&kept).as_mut().map_or(Ok(()), Registered::renew)
                });
                if let Ok(Err(trouble)) = renewed.await {
                    tracing::warn!("{trouble}");
                }
            }
        });
        Self { task, registered }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
        // it may be at work on another thread, which must not keep the lock
        drop(locked(&self.registered).take());
    }
}
