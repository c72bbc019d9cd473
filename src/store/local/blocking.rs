//! One hop to the threads that may wait for a disk.

use tokio_util::sync::CancellationToken;

use crate::store::{ErrorKind, StoreError};

/// Runs `work` where blocking is allowed. A panic in it goes on here. Once `halt` is cancelled
/// nobody waits for it any more: a thread that a disk keeps stays behind.
pub(super) async fn blocking<T: Send + 'static>(
    halt: &CancellationToken,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::select! {
        biased;
        done = tokio::task::spawn_blocking(work) => done,
        () = halt.cancelled() => return Err(halted()),
    };
    match done {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ending()),
        },
    }
}

/// Nobody waits for it any more.
pub(super) fn halted() -> StoreError {
    let message = "the file system did not answer in the time that a stopped run has";
    StoreError::new("wait", "", ErrorKind::Cancelled, message)
}

/// Nobody is left to do it.
pub(super) fn ending() -> StoreError {
    StoreError::new("run", "", ErrorKind::Cancelled, "the process is ending")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_disk_that_does_not_answer_keeps_nobody_who_is_to_stop() {
        let halt = CancellationToken::new();
        let (release, stuck) = mpsc::channel::<()>();
        let waiting = blocking(&halt, move || {
            let _ = stuck.recv();
            Ok(())
        });
        let mut waiting = Box::pin(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        halt.cancel();
        let error = waiting.await.expect_err("nothing has come");
        assert_eq!(error.kind, ErrorKind::Cancelled);
        drop(release);
    }
}
