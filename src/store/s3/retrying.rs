//! One operation, tried as often and as long as it may be.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{S3Store, error, learnt, renewal};
use crate::store::overdue::due_within;
use crate::store::retry::RetrySettings;
use crate::store::{ErrorKind, Source as _, StoreError};

/// A server that never answered is given up after so many attempts, whatever the user allows:
/// it is a wrong endpoint rather than a bad night.
const ATTEMPTS_TO_REACH: u32 = 3;

impl S3Store {
    /// Runs one operation as often and as long as the user allows, without what the endpoint refuses
    /// as far as it can do without.
    pub(super) async fn retrying<T, F>(
        &self,
        operation: &'static str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let timeouts = &self.0.settings.timeouts;
        // its future is large, and would be moved at each step inwards
        let trying = Box::pin(self.trying(operation, attempt));
        due_within(timeouts.operation, timeouts.attempt, trying).await
    }

    async fn trying<T, F>(
        &self,
        operation: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut trials = learnt::Trials::of(self);
        loop {
            let tried = trials.during(self.mending(operation, &mut attempt)).await;
            if let ControlFlow::Break(result) = trials.judge(self, tried) {
                return result;
            }
        }
    }

    /// Runs one operation as often as the user allows, and once more where it was refused for
    /// something that can be mended: credentials that have expired are looked up anew, and a wrong
    /// clock is put right by the SDK, by the time of the answer.
    async fn mending<T, F>(
        &self,
        operation: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let times = self.0.renewal.times();
        let error = match self.insisting(operation, &mut attempt).await {
            Err(error) if error.kind == ErrorKind::Fatal => error,
            other => return other,
        };
        let is_skewed = error.code.as_deref() == Some("RequestTimeTooSkewed");
        // renewal is rare and its future large, which every request would carry along
        let is_mended = is_skewed
            || (renewal::is_expiry(&error) && Box::pin(renewal::renew(self, times)).await);
        if !is_mended {
            return Err(error);
        }
        let code = error.code.as_deref().unwrap_or_default();
        self.0.meter.retry(operation, code, Duration::ZERO);
        self.insisting(operation, attempt).await
    }

    /// Runs one operation as often as the user allows; where the bucket turns out to be in another
    /// region, there once more.
    async fn insisting<T, F>(
        &self,
        operation: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let had_moved = self.0.regional.has_moved();
        match self.insisting_here(operation, &mut attempt).await {
            Err(_) if !had_moved && self.0.regional.has_moved() => {
                self.insisting_here(operation, attempt).await
            }
            other => other,
        }
    }

    async fn insisting_here<T, F>(
        &self,
        operation: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let stop = &self.1.stop;
        let meter = &*self.0.meter;
        let retry = self.0.settings.retry;
        let early = RetrySettings {
            attempts: retry.attempts.min(ATTEMPTS_TO_REACH),
            ..retry
        };
        if self.0.reached.load(Ordering::Relaxed) {
            let answers = self.0.answers.load(Ordering::Relaxed);
            let ended = retry.run(meter, stop, operation, attempt).await;
            return match ended {
                // it was there, and all the while nobody could so much as connect to it
                Err(error)
                    if error.code.as_deref() == Some(error::NO_CONNECTION)
                        && self.0.answers.load(Ordering::Relaxed) == answers =>
                {
                    Err(error::unreachable(error, &self.describe()))
                }
                other => other,
            };
        }
        match early.run(meter, stop, operation, &mut attempt).await {
            Err(error) if error.kind.is_retryable() => {
                let left = retry.attempts - early.attempts;
                if !self.0.reached.load(Ordering::Relaxed) {
                    return Err(error::unreachable(error, &self.describe()));
                }
                if left == 0 {
                    return Err(error);
                }
                // the endpoint answers after all: the rest of the attempts are worth making
                let rest = RetrySettings {
                    attempts: left,
                    ..retry
                };
                rest.run(meter, stop, operation, attempt).await
            }
            other => other,
        }
    }
}
