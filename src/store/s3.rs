/*! A bucket and prefix as a store, through aws-sdk-s3. Nothing outside this folder names the SDK.

The SDK's retries are off (every operation goes through [`S3Store::retrying`]), and so are its own
checksums: what is sent was hashed before, and travels as plain headers.
*/

mod client;
mod copy;
mod error;
mod listing;
mod read;
mod settings;
mod upload;
mod write;

pub use settings::{
    KeyOrder, Keys, ListingSettings, PayloadSigning, S3Location, S3Settings, S3UrlError, Timeouts,
};

use std::fmt;
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::Bytes;

use super::{
    Content, CopySource, Description, Head, Listing, Meter, Put, Read, Source, StoreError, Stored,
    Target, Upload,
};
use crate::digest::Digest;
use crate::object::ObjectKey;

/// A bucket and prefix. Cloning shares the client and its connections.
#[derive(Clone)]
pub struct S3Store(Arc<Shared>);

struct Shared {
    settings: S3Settings,
    client: Client,
    meter: Arc<dyn Meter>,
    region: Option<String>,
    /// Whether the endpoint has ever answered.
    reached: AtomicBool,
    /// Whether the prefix names exactly one object, which then stands under its base name.
    one_object: AtomicBool,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Store({})", self.0.settings.location.url())
    }
}

/// A server that never answered is given up after so many attempts, whatever the user allows:
/// it is a wrong endpoint rather than a bad night.
const ATTEMPTS_TO_REACH: u32 = 3;

/// On top of the user's patience, a body is given the time it takes at this rate, bytes a second.
const SLOWEST_BODY: u64 = 64 << 10;

/// Operations that S3 works on before it answers (copies, completing an upload) get this long.
const SERVER_SIDE_WORK: Duration = Duration::from_mins(15);

impl S3Store {
    /// Reads configuration and credentials, and connects when it is first used. `meter` hears of
    /// every request.
    pub async fn open(settings: S3Settings, meter: Arc<dyn Meter>) -> Result<Self, StoreError> {
        let (client, region) = client::connect(&settings).await?;
        Ok(Self(Arc::new(Shared {
            settings,
            client,
            meter,
            region,
            reached: AtomicBool::new(false),
            one_object: AtomicBool::new(false),
        })))
    }

    /// Whether the bucket is there and may be listed: the first page of its listing is asked for.
    pub async fn probe(&self) -> Result<(), StoreError> {
        listing::probe(self).await
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn bucket(&self) -> &str {
        &self.0.settings.location.bucket
    }

    fn prefix(&self) -> &str {
        &self.0.settings.location.prefix
    }

    /// The whole key of a relative one.
    fn full_key(&self, key: &ObjectKey) -> String {
        if self.0.one_object.load(Ordering::Relaxed) {
            return self.prefix().to_owned();
        }
        format!("{}{key}", self.prefix())
    }

    /// Runs one operation as often as the user allows.
    async fn retrying<T, F>(
        &self,
        operation: &'static str,
        attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut retry = self.0.settings.retry;
        if !self.0.reached.load(Ordering::Relaxed) {
            retry.attempts = retry.attempts.min(ATTEMPTS_TO_REACH);
            let mut attempt = attempt;
            // the first to get through opens the way for the rest of its own attempts as well
            let early = retry.run(&*self.0.meter, operation, &mut attempt).await;
            return match early {
                Err(error) if error.kind.is_retryable() => {
                    if self.0.reached.load(Ordering::Relaxed) {
                        self.0
                            .settings
                            .retry
                            .run(&*self.0.meter, operation, attempt)
                            .await
                    } else {
                        Err(error::unreachable(error, &self.describe()))
                    }
                }
                other => other,
            };
        }
        retry.run(&*self.0.meter, operation, attempt).await
    }

    /// Sends one request and waits for its answer: `patience` beyond the user's read timeout.
    async fn send<T, E>(
        &self,
        operation: &'static str,
        subject: &str,
        patience: Duration,
        request: impl Future<Output = Result<T, error::SdkError<E>>>,
    ) -> Result<T, StoreError>
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let started = Instant::now();
        let limit = self.0.settings.timeouts.read + patience;
        let answer = tokio::time::timeout(limit, Box::pin(request)).await;
        let elapsed = started.elapsed();
        match answer {
            Ok(Ok(output)) => {
                self.0.reached.store(true, Ordering::Relaxed);
                self.0.meter.request(operation, Some(200), elapsed);
                Ok(output)
            }
            Ok(Err(sdk)) => {
                let status = sdk
                    .raw_response()
                    .map(|response| response.status().as_u16());
                if status.is_some() {
                    self.0.reached.store(true, Ordering::Relaxed);
                }
                self.0.meter.request(operation, status, elapsed);
                Err(error::convert(operation, subject, &self.describe(), sdk))
            }
            Err(_) => {
                self.0.meter.request(operation, None, elapsed);
                Err(error::silent(operation, subject, limit))
            }
        }
    }
}

/// How much longer than the user's read timeout a request with such a body may take.
fn patience_for(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST_BODY)
}

#[async_trait]
impl Source for S3Store {
    fn describe(&self) -> Description {
        let settings = &self.0.settings;
        Description {
            url: settings.location.url(),
            kind: "s3",
            prefix: settings.location.prefix.clone(),
            region: self.0.region.clone(),
            endpoint: settings.endpoint_url.clone(),
        }
    }

    fn list(&self) -> Listing {
        listing::list(self)
    }

    async fn head(&self, key: &ObjectKey, checksums: bool) -> Result<Head, StoreError> {
        read::head(self, key, checksums).await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        read::read(self, read).await
    }

    async fn part_size(
        &self,
        key: &ObjectKey,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        read::part_size(self, key, number).await
    }

    fn copy_source(&self, key: &ObjectKey) -> Option<CopySource> {
        Some(CopySource {
            bucket: self.bucket().to_owned(),
            key: self.full_key(key),
            version: None,
            if_match: None,
        })
    }
}

#[async_trait]
impl Target for S3Store {
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError> {
        write::put(self, put, bytes, digests).await
    }

    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
        upload::begin(self, put).await
    }

    async fn copy(&self, put: &Put, from: &CopySource) -> Result<Stored, StoreError> {
        copy::copy(self, put, from).await
    }

    async fn delete(&self, keys: &[ObjectKey]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        write::delete(self, keys).await
    }
}

/// The bytes of a range as the Range header has them, both ends included.
fn range_header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}
