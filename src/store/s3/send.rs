//! One request: its turn, its way past the gate, and what its answer is taken for.

use std::time::{Duration, Instant};

use super::exchange::{Exchange, patience_for};
use super::{S3Store, Shared, error, region};
use crate::store::overdue::{Overdue, Patient};
use crate::store::{ErrorKind, Source as _, StoreError, Stream, asks_for_fewer};

impl S3Store {
    /// Sends one request and waits for its answer: `patience` beyond the user's read timeout.
    pub(super) fn send<T, E>(
        &self,
        operation: &'static str,
        subject: &str,
        patience: Duration,
        request: impl Future<Output = Result<T, error::SdkError<E>>>,
    ) -> impl Future<Output = Result<T, StoreError>>
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        // the SDK's futures are large: boxed here, they are in no other
        let exchange = self.exchange(
            operation,
            subject,
            patience,
            Stream::default(),
            Box::pin(request),
        );
        self.in_time(operation, subject, exchange)
    }

    /// The same with so many bytes of content, which wait for their turn.
    pub(super) fn send_content<T, E>(
        &self,
        operation: &'static str,
        subject: &str,
        size: u64,
        request: impl Future<Output = Result<T, error::SdkError<E>>>,
    ) -> impl Future<Output = Result<T, StoreError>>
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let request = Box::pin(request);
        let exchange = async move {
            let bytes = self.turn(operation, subject, size).await?;
            self.exchange(operation, subject, patience_for(size), bytes, request)
                .await
        };
        self.in_time(operation, subject, exchange)
    }

    /// Does what one attempt of an operation consists of, for as long as it may take.
    pub(super) async fn in_time<T>(
        &self,
        operation: &'static str,
        subject: &str,
        attempt: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            done = attempt => done,
            () = self.1.cut.cancelled() => Err(StoreError::new(
                operation, subject, ErrorKind::Cancelled, "the run was stopped, and nothing is waited for any more",
            )),
            overdue = Overdue::happens() => {
                Err(overdue.error(operation, subject))
            }
        }
    }

    /// Waits until so many bytes of content may begin to move.
    pub(super) async fn turn(
        &self,
        operation: &'static str,
        subject: &str,
        size: u64,
    ) -> Result<Stream, StoreError> {
        let bandwidth = &self.0.settings.bandwidth;
        if bandwidth.is_free() {
            return Ok(Stream::default());
        }
        let _held_up = Patient::here().hold_up();
        tokio::select! {
            biased;
            () = self.1.stop.cancelled() => Err(StoreError::new(
                operation, subject, ErrorKind::Cancelled, "the run was stopped",
            )),
            bytes = bandwidth.begin(size) => Ok(bytes),
        }
    }

    async fn exchange<T, E>(
        &self,
        operation: &'static str,
        subject: &str,
        patience: Duration,
        content: Stream,
        request: impl Future<Output = Result<T, error::SdkError<E>>>,
    ) -> Result<T, StoreError>
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Shared {
            settings, meter, ..
        } = &*self.0;
        let held_up = Patient::here().hold_up();
        let pass = self.0.gate.enter().await;
        drop(held_up);
        let exchange = Exchange::new(content);
        let started = Instant::now();
        let answer = tokio::select! {
            biased;
            answer = exchange.carry(request) => Ok(answer),
            silence = exchange.falls_silent(&settings.timeouts, patience) => Err(silence),
        };
        let elapsed = started.elapsed();
        match answer {
            Ok(Ok(output)) => {
                self.was_answered();
                pass.went_well();
                meter.request(operation, Some(200), elapsed);
                Ok(output)
            }
            Ok(Err(sdk)) => {
                let status = sdk
                    .raw_response()
                    .map(|response| response.status().as_u16());
                if status.is_some() {
                    self.was_answered();
                }
                meter.request(operation, status, elapsed);
                let failed = error::convert(operation, subject, &self.describe(), &sdk);
                if failed.code.as_deref().is_some_and(asks_for_fewer) {
                    pass.was_throttled();
                }
                if let Some(region) = region::named(&sdk) {
                    self.0.regional.follow(region, &self.describe().url);
                }
                Err(error::advised(failed, &self.0.settings))
            }
            Err((silence, limit)) => {
                meter.request(operation, None, elapsed);
                Err(error::silent(operation, subject, silence, limit))
            }
        }
    }
}
