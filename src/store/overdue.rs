//! By when an operation has to be done, known to all it does.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{ErrorKind, StoreError};

tokio::task_local! {
    static DUE: Arc<Due>;
}

/// How exactly it is looked whether an operation is still held up.
const TICK: Duration = Duration::from_millis(50);

/// By when an operation, and each attempt of it, has to be done. What it waits for on our account
/// does not count: a limit that the user sets himself is no slow server.
#[derive(Debug)]
struct Due {
    begun: Instant,
    operation: Option<Duration>,
    attempt: Option<Duration>,
    held: Mutex<Held>,
}

/// How long it was held up.
#[derive(Debug, Default)]
struct Held {
    before: Duration,
    since: Option<Instant>,
}

/// Does an operation that may take so long, and each of its attempts so long. What it awaits can
/// ask when it has to be done.
pub(super) async fn due_within<T>(
    operation_limit: Option<Duration>,
    attempt_limit: Option<Duration>,
    operation: impl Future<Output = T>,
) -> T {
    if operation_limit.is_none() && attempt_limit.is_none() {
        return operation.await;
    }
    let due = Due {
        begun: Instant::now(),
        operation: operation_limit,
        attempt: attempt_limit,
        held: Mutex::default(),
    };
    DUE.scope(Arc::new(due), operation).await
}

/// The operation under way, for those who hold it up.
#[derive(Debug, Clone, Default)]
pub(super) struct Patient(Option<Arc<Due>>);

/// Holds an operation up until it is dropped.
#[derive(Debug)]
pub(super) struct HoldUp(Option<Arc<Due>>);

impl Patient {
    /// That of this task.
    pub(super) fn here() -> Self {
        Self(DUE.try_with(Arc::clone).ok())
    }

    /// From now on its time does not count. One at a time may hold it up.
    pub(super) fn hold_up(&self) -> HoldUp {
        if let Some(due) = &self.0 {
            due.change(|held| held.since = Some(Instant::now()));
        }
        HoldUp(self.0.clone())
    }
}

impl Drop for HoldUp {
    fn drop(&mut self) {
        if let Some(due) = &self.0 {
            due.change(|held| {
                let waited = held.since.take().map(|since| since.elapsed());
                held.before += waited.unwrap_or_default();
            });
        }
    }
}

impl Due {
    fn change<T>(&self, how: impl FnOnce(&mut Held) -> T) -> T {
        how(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How long it was held up, and whether it is.
    fn held(&self) -> (Duration, bool) {
        self.change(|held| {
            let now = held.since.map(|since| since.elapsed());
            (held.before + now.unwrap_or_default(), now.is_some())
        })
    }

    /// When the operation has to be done, as it looks now, and how long that is.
    fn of_operation(&self) -> Option<(Instant, Duration)> {
        let limit = self.operation?;
        let at = self.begun.checked_add(limit)?.checked_add(self.held().0)?;
        Some((at, limit))
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
    /// Waits until the attempt that begins now, or the operation under way, has taken too long.
    pub(super) async fn happens() -> Self {
        let Ok(due) = DUE.try_with(Arc::clone) else {
            return std::future::pending().await;
        };
        let begun = Instant::now();
        let (held_before, _) = due.held();
        loop {
            let (held, is_held) = due.held();
            let attempt = due.attempt.and_then(|limit| {
                let at = begun
                    .checked_add(limit)?
                    .checked_add(held.saturating_sub(held_before))?;
                Some((at, limit, "timeout.operation_attempt"))
            });
            let operation = due.of_operation();
            let operation = operation.map(|(at, limit)| (at, limit, "timeout.operation"));
            let Some((at, limit, option)) = attempt.into_iter().chain(operation).min() else {
                return std::future::pending().await;
            };
            let now = Instant::now();
            if at <= now && !is_held {
                return Self { limit, option };
            }
            tokio::time::sleep_until(if is_held { at.max(now + TICK) } else { at }).await;
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
    let due = DUE.try_with(|due| due.of_operation()).ok().flatten();
    let Some((_, limit)) = due.filter(|(at, _)| Instant::now() + wait >= *at) else {
        return Err(error);
    };
    let message = if error.message.ends_with("(timeout.operation)") {
        error.message
    } else {
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
            let overdue = due_within(operation, attempt, Overdue::happens()).await;
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
        due_within(Some(long), None, async {
            assert!(without_time(failed(), Duration::from_secs(1)).is_err());
            let error = without_time(failed(), long).expect("no time");
            assert_eq!(
                error.message,
                "slow down; not tried again after 3600s (timeout.operation)"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn what_it_waits_for_on_our_account_does_not_count() {
        let ms = Duration::from_millis;
        for (operation, attempt) in [(Some(ms(40)), None), (None, Some(ms(40)))] {
            let began = Instant::now();
            let held_up = async {
                let held_up = Patient::here().hold_up();
                tokio::time::sleep(ms(300)).await;
                drop(held_up);
                std::future::pending::<()>().await;
            };
            due_within(operation, attempt, async {
                tokio::select! {
                    overdue = Overdue::happens() => assert_eq!(overdue.limit, ms(40)),
                    () = held_up => {}
                }
            })
            .await;
            assert!(began.elapsed() >= ms(340), "{operation:?} {attempt:?}");
        }
    }
}
