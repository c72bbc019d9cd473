//! By when an operation has to be done, known to all it does.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::{ErrorKind, StoreError};

tokio::task_local! {
    static DUE: Due;
}

/// When an operation has to be done, and how long that was from its beginning.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Instant,
    limit: Duration,
}

/// Does an operation that may take so long. What it awaits can ask when it has to be done.
pub(super) async fn due_within<T>(
    limit: Option<Duration>,
    operation: impl Future<Output = T>,
) -> T {
    let at = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    match at {
        Some((at, limit)) => DUE.scope(Due { at, limit }, operation).await,
        None => operation.await,
    }
}

/// What of an operation took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overdue {
    limit: Duration,
    /// The option that says so.
    option: &'static str,
}

impl Overdue {
    /// Waits until the attempt or the operation under way has taken too long.
    pub(super) async fn happens(attempt: Option<Duration>) -> Self {
        let now = Instant::now();
        let attempt = attempt
            .and_then(|limit| Some((now.checked_add(limit)?, limit, "timeout.operation_attempt")));
        let operation = DUE.try_with(|due| (due.at, due.limit, "timeout.operation"));
        let first = attempt.into_iter().chain(operation).min();
        match first {
            Some((at, limit, option)) => {
                tokio::time::sleep_until(at).await;
                Self { limit, option }
            }
            None => std::future::pending().await,
        }
    }

    /// The error of an operation that was broken off.
    pub(super) fn error(self, operation: &'static str, subject: &str) -> StoreError {
        let Self { limit, option } = self;
        StoreError {
            code: Some("Timeout".to_owned()),
            ..StoreError::new(
                operation,
                subject,
                ErrorKind::Transient,
                format!("not done within {limit:?} ({option})"),
            )
        }
    }
}

/// The error of an operation that failed and has no time left for `wait` and another attempt; the
/// error comes back otherwise.
pub(super) fn without_time(error: StoreError, wait: Duration) -> Result<StoreError, StoreError> {
    let due = DUE.try_with(|due| *due).ok();
    let Some(due) = due.filter(|due| Instant::now() + wait >= due.at) else {
        return Err(error);
    };
    let message = if error.message.ends_with("(timeout.operation)") {
        error.message
    } else {
        let limit = due.limit;
        format!(
            "{}; not tried again after {limit:?} (timeout.operation)",
            error.message
        )
    };
    Ok(StoreError { message, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_shorter_limit_is_named() {
        let ms = Duration::from_millis;
        for (operation, attempt, named) in [
            (Some(ms(5)), None, "5ms (timeout.operation)"),
            (None, Some(ms(5)), "5ms (timeout.operation_attempt)"),
            (
                Some(Duration::MAX),
                Some(ms(5)),
                "5ms (timeout.operation_attempt)",
            ),
            (
                Some(ms(5)),
                Some(Duration::from_hours(1)),
                "5ms (timeout.operation)",
            ),
        ] {
            let overdue = due_within(operation, Overdue::happens(attempt)).await;
            let error = overdue.error("PutObject", "k");
            assert_eq!(
                error.to_string(),
                format!("PutObject `k`: not done within {named} (Timeout)")
            );
            assert!(error.kind.is_retryable());
        }
    }

    #[tokio::test]
    async fn no_attempt_is_begun_that_could_not_be_finished() {
        let failed = || StoreError::new("PutObject", "k", ErrorKind::Transient, "slow down");
        let long = Duration::from_hours(1);
        assert!(without_time(failed(), long).is_err(), "nothing is due");
        due_within(Some(long), async {
            assert!(without_time(failed(), Duration::from_secs(1)).is_err());
            let error = without_time(failed(), long).expect("no time");
            assert_eq!(
                error.message,
                "slow down; not tried again after 3600s (timeout.operation)"
            );
        })
        .await;
    }
}
