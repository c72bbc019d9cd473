//! One hop to the threads that may wait for a disk.

use crate::store::{ErrorKind, StoreError};

/// Runs `work` where blocking is allowed. A panic in it goes on here.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ending()),
        },
    }
}

/// Nobody is left to do it.
pub(super) fn ending() -> StoreError {
    StoreError::new("run", "", ErrorKind::Cancelled, "the process is ending")
}
