//! One loop for every operation alike: how often, and how long in between.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::overdue::without_time;
use super::{ErrorKind, Meter, StoreError};

/// How an operation is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Attempts in all, the first included; at least 1.
    pub attempts: u32,
    /// The first pause at most; it doubles from there.
    pub initial_backoff: Duration,
}

/// No pause of our own is longer.
const MAX_BACKOFF: Duration = Duration::from_secs(20);

/// No server is waited for longer before it is asked again, whatever it says.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 10,
            initial_backoff: Duration::from_millis(100),
        }
    }
}

impl RetrySettings {
    /// Runs `attempt` until it works, fails for good, has been tried often enough, or has no time
    /// left. Pauses are exponential with full jitter, or as long as the server asks (Retry-After),
    /// a minute at most.
    pub async fn run<T, F>(
        &self,
        meter: &dyn Meter,
        stop: &CancellationToken,
        operation: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut failures = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            failures += 1;
            if failures >= self.attempts || !error.kind.is_retryable() {
                return Err(error);
            }
            let wait = error.retry_after.map_or_else(
                || self.backoff(failures),
                |asked| asked.min(MAX_RETRY_AFTER),
            );
            let error = match without_time(error, wait) {
                Ok(error) => return Err(error),
                Err(error) => error,
            };
            meter.retry(
                operation,
                error.code.as_deref().unwrap_or("unanswered"),
                wait,
            );
            tracing::debug!(operation, %error, ?wait, "trying again");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {
                    return Err(StoreError { kind: ErrorKind::Cancelled, ..error });
                }
            }
        }
    }

    /// A random pause before attempt `failures + 1`: between zero and the doubled backoff.
    fn backoff(&self, failures: u32) -> Duration {
        let ceiling = self
            .initial_backoff
            .saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX))
            .min(MAX_BACKOFF);
        ceiling.mul_f64(jitter())
    }
}

/// A number in 0..1. Pauses need no better randomness than the low bits of the clock, mixed.
fn jitter() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    let bits = RandomState::new().hash_one(std::time::Instant::now());
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::Unmetered;
    use super::*;

    fn error(kind: ErrorKind) -> StoreError {
        StoreError::new("PutObject", "k", kind, "no")
    }

    #[tokio::test]
    async fn tries_again_only_what_may_work() {
        for (kind, fails, attempts, works) in [
            (ErrorKind::Transient, 2, 3, true),
            (ErrorKind::Transient, 99, 4, false),
            (ErrorKind::AccessDenied, 99, 1, false),
            (ErrorKind::Transient, 0, 1, true),
        ] {
            let calls = Cell::new(0);
            let settings = RetrySettings {
                attempts: 4,
                ..RetrySettings::default()
            };
            let result = settings
                .run(&Unmetered, &CancellationToken::new(), "PutObject", || {
                    calls.set(calls.get() + 1);
                    let fail = calls.get() <= fails;
                    async move { if fail { Err(error(kind)) } else { Ok(()) } }
                })
                .await;
            assert_eq!(result.is_ok(), works, "{kind:?} {fails}");
            assert_eq!(calls.get(), attempts, "{kind:?} {fails}");
        }
    }

    #[tokio::test]
    async fn a_stopped_run_waits_for_nothing() {
        let stop = CancellationToken::new();
        stop.cancel();
        let settings = RetrySettings {
            attempts: 9,
            initial_backoff: Duration::from_hours(1),
        };
        let failing = || async { Err::<(), _>(error(ErrorKind::Transient)) };
        let result = settings.run(&Unmetered, &stop, "PutObject", failing).await;
        assert_eq!(
            result.map_err(|error| error.kind),
            Err(ErrorKind::Cancelled)
        );
    }

    #[test]
    fn pauses_double_and_are_bounded() {
        let settings = RetrySettings::default();
        for failures in 1..64 {
            let ceiling = Duration::from_millis(100).saturating_mul(1 << (failures - 1).min(8));
            assert!(
                settings.backoff(failures) <= ceiling.min(MAX_BACKOFF),
                "{failures}"
            );
        }
    }
}
