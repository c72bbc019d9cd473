/*! A bucket and prefix as a store, through aws-sdk-s3. Nothing outside this folder names the SDK.

The SDK's retries are off (every operation goes through `S3Store::retrying`), and so are its own
checksums: what is sent was hashed before, and travels as plain headers.
*/

mod annotations;
mod answer;
mod arrival;
mod attributes;
mod begun;
mod client;
mod completion;
mod condition;
mod copy;
mod delete;
mod denied;
mod encryption;
mod error;
mod exchange;
mod gate;
mod headers;
mod learnt;
mod leftover;
mod listing;
mod locked;
mod logs;
mod look;
mod network;
mod once;
mod payer;
mod probe;
mod profile;
mod proxy;
mod raw;
mod read;
mod region;
mod renewal;
mod settings;
mod singly;
mod strangers;
mod tags;
#[cfg(test)]
mod tests;
mod trust;
mod upload;
mod versioning;
mod withdraw;
mod write;

pub use encryption::{CustomerKey, Encryption, KmsKey};
pub use logs::logs_identities;
pub use probe::{Wanted, probe};
pub use settings::{
    KeyOrder, Keys, ListingSettings, PayloadSigning, S3Location, S3Settings, S3UrlError, Timeouts,
};

use std::fmt;
use std::num::NonZeroU16;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use self::exchange::{Exchange, patience_for};
use self::gate::Gate;
use super::error::asks_for_fewer;
use super::overdue::{Overdue, Patient, due_within};
use super::retry::RetrySettings;
use super::{
    AnnotationContent, AnnotationTag, Annotations, Brings, Content, Copied, CopySource,
    Description, ErrorKind, Halt, Head, Histories, LeftUpload, Listing, Looked, Meter, PartLayout,
    Payer, Put, Read, Removal, Removed, Source, StoreError, StoreKind, Stored, Stream, Target,
    Unheard, UnheardUpload, Upload, Versioning, Withdrawn, named,
};
use crate::digest::{Algorithm, Digest};
use crate::object::{ObjectKey, ObjectVersion, Tags};

/// A bucket and prefix. Cloning shares the client and its connections.
#[derive(Clone)]
pub struct S3Store(Arc<Shared>, Patience);

/// How long it goes on once a run was stopped.
#[derive(Debug, Clone, Default)]
struct Patience {
    /// From here on nothing is tried again.
    stop: CancellationToken,
    /// From here on nothing is waited for.
    cut: CancellationToken,
    /// The same for what cleans up.
    cleaning: CancellationToken,
}

struct Shared {
    settings: S3Settings,
    regional: region::Regional,
    /// Credentials that were looked up anew.
    renewal: renewal::Renewal,
    meter: Arc<dyn Meter>,
    /// Shared with all stores of the endpoint.
    gate: Arc<Gate>,
    /// Whether the signature covers what is uploaded.
    signs_payloads: bool,
    /// Whether the endpoint has ever answered.
    reached: AtomicBool,
    /// How often it has.
    answers: AtomicU64,
    /// Whether the bucket was heard to demand a digest of every body.
    wants_digests: AtomicBool,
    /// Whether it was said of an object that it is denied, and not that the keys are wrong.
    denies_objects: AtomicBool,
    /// What the endpoint was found not to do.
    learnt: learnt::Learnt,
    /// Whether a prefix that is the key of the only object may name just that object.
    may_be_one: bool,
    /// Whether it does; the object then stands under its base name.
    one_object: AtomicBool,
    /// Whether the bucket keeps versions, once that was asked.
    versioning: OnceLock<Versioning>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Store({})", self.0.settings.location.url())
    }
}

/// A server that never answered is given up after so many attempts, whatever the user allows:
/// it is a wrong endpoint rather than a bad night.
const ATTEMPTS_TO_REACH: u32 = 3;

impl S3Store {
    /// Reads configuration and credentials, and connects when it is first used. `meter` hears of
    /// every request.
    pub async fn open(settings: S3Settings, meter: Arc<dyn Meter>) -> Result<Self, StoreError> {
        Self::connect(settings, meter, false, None).await
    }

    /// The same, to read from: a prefix may then be the key of one object, as a local source may
    /// be one file. Written to, such a store would take every key for that object's.
    pub async fn open_source(
        settings: S3Settings,
        meter: Arc<dyn Meter>,
    ) -> Result<Self, StoreError> {
        Self::connect(settings, meter, true, None).await
    }

    async fn connect(
        settings: S3Settings,
        meter: Arc<dyn Meter>,
        may_be_one: bool,
        http: Option<SharedHttpClient>,
    ) -> Result<Self, StoreError> {
        let connected = client::connect(&settings, http).await?;
        let endpoint = settings.endpoint_url.as_deref();
        let endpoint = endpoint.unwrap_or_else(|| connected.regional.region());
        let shared = Shared {
            gate: Gate::of(endpoint),
            settings,
            regional: connected.regional,
            renewal: renewal::Renewal::default(),
            meter,
            signs_payloads: connected.signs_payloads,
            reached: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            wants_digests: AtomicBool::new(false),
            denies_objects: AtomicBool::new(false),
            learnt: learnt::Learnt::default(),
            may_be_one,
            one_object: AtomicBool::new(false),
            versioning: OnceLock::new(),
        };
        Ok(Self(Arc::new(shared), Patience::default()))
    }

    /// The same store, whose operations are not tried again once `stop` is cancelled; what cleans
    /// up still is.
    pub fn stopping_with(self, stop: CancellationToken) -> Self {
        Self(self.0, Patience { stop, ..self.1 })
    }

    /// The same store, whose operations end when these moments have come, whatever is under way.
    pub fn halting_with(self, halt: Halt) -> Self {
        let Halt { work, cleaning } = halt;
        let patience = Patience {
            stop: self.1.stop,
            cut: work,
            cleaning,
        };
        Self(self.0, patience)
    }

    /// The same store, whose operations are tried again although the run was stopped, for as long
    /// as cleaning up may take: what cleans up goes through this one.
    fn cleaning_up(&self) -> Self {
        let cleaning = self.1.cleaning.clone();
        let patience = Patience {
            stop: cleaning.clone(),
            cut: cleaning.clone(),
            cleaning,
        };
        Self(Arc::clone(&self.0), patience)
    }

    fn client(&self) -> Client {
        let renewed = self.0.renewal.client();
        renewed.unwrap_or_else(|| self.0.regional.client().clone())
    }

    /// What the signature of a request with such a body is told of it.
    fn payload_hash(&self, digests: &[Digest]) -> client::PayloadHash {
        client::PayloadHash::of(self.0.signs_payloads, digests)
    }

    fn bucket(&self) -> &str {
        &self.0.settings.location.bucket
    }

    fn prefix(&self) -> &str {
        &self.0.settings.location.prefix
    }

    /// How what is written is encrypted.
    fn encryption(&self) -> &Encryption {
        &self.0.settings.encryption
    }

    /// The user's key for SSE-C.
    fn key(&self) -> Option<&CustomerKey> {
        self.encryption().customer_key()
    }

    /// How much longer than the user's read timeout S3 may work before it answers.
    fn server_side_work(&self) -> Duration {
        let timeouts = &self.0.settings.timeouts;
        let read = timeouts.read.unwrap_or_default();
        timeouts.server_side_work.saturating_sub(read)
    }

    /// Whether an ETag of this bucket, made under this encryption, is worth what its shape says.
    fn etag_is_digest(
        &self,
        encryption: Option<&ServerSideEncryption>,
        customer_algorithm: Option<&str>,
    ) -> bool {
        !self.0.settings.location.is_directory_bucket()
            && self.key().is_none()
            && answer::etag_is_digest(encryption, customer_algorithm)
    }

    /// Notes that the endpoint is there.
    fn was_answered(&self) {
        self.0.reached.store(true, Ordering::Relaxed);
        self.0.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the prefix is the key of the only object.
    fn is_one_object(&self) {
        self.0.one_object.store(true, Ordering::Relaxed);
    }

    /// The whole key of a relative one.
    fn full_key(&self, key: &ObjectKey) -> String {
        if self.0.one_object.load(Ordering::Relaxed) {
            return self.prefix().to_owned();
        }
        format!("{}{key}", self.prefix())
    }

    /// Runs one operation as often and as long as the user allows, without what the endpoint refuses
    /// as far as it can do without.
    async fn retrying<T, F>(
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
        let is_mended =
            is_skewed || (renewal::is_expiry(&error) && renewal::renew(self, times).await);
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

    /// Does what one attempt of an operation consists of, for as long as it may take.
    async fn in_time<T>(
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

    /// Sends one request and waits for its answer: `patience` beyond the user's read timeout.
    fn send<T, E>(
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
    fn send_content<T, E>(
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

    /// Waits until so many bytes of content may begin to move.
    async fn turn(
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

#[async_trait]
impl Source for S3Store {
    fn describe(&self) -> Description {
        let settings = &self.0.settings;
        Description {
            url: settings.location.url(),
            kind: StoreKind::S3,
            prefix: settings.location.prefix.clone(),
            region: Some(self.0.regional.region().to_owned()),
            endpoint: settings.endpoint_url.clone(),
            versioning: self.0.versioning.get().copied(),
        }
    }

    fn list(&self) -> Listing {
        listing::list(self)
    }

    fn list_sorted(&self) -> Listing {
        listing::list_sorted(self)
    }

    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError> {
        read::head(self, of, checksums).await
    }

    async fn head_in_words(
        &self,
        of: ObjectVersion<'_>,
        checksums: bool,
    ) -> Result<Head, StoreError> {
        denied::head(self, of, checksums).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        named::looked(key, denied::head(self, key.into(), false).await)
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        read::read(self, read).await
    }

    async fn part_size(
        &self,
        of: ObjectVersion<'_>,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        read::part_size(self, of, number).await
    }

    async fn parts(&self, of: ObjectVersion<'_>) -> Result<Option<PartLayout>, StoreError> {
        attributes::parts(self, of).await
    }

    fn histories(&self) -> Option<Histories> {
        Some(listing::histories(self))
    }

    async fn versioning(&self) -> Result<Versioning, StoreError> {
        versioning::ask(self).await
    }

    fn copy_source(&self, of: ObjectVersion<'_>) -> Option<CopySource> {
        Some(CopySource {
            bucket: self.bucket().to_owned(),
            key: self.full_key(of.key),
            version: of.version.map(Into::into),
            if_match: None,
            customer_key: self.key().cloned(),
            requester_pays: self.0.settings.requester_pays,
            brings: Brings::default(),
        })
    }

    async fn tags(&self, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        tags::get(self, of).await
    }

    async fn annotations(&self, of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        annotations::list(self, of).await
    }

    async fn annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        annotations::get(self, of, name).await
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

    async fn resume(
        &self,
        put: &Put,
        left: &LeftUpload,
    ) -> Result<Option<Box<dyn Upload>>, StoreError> {
        upload::resume(self, put, left).await
    }

    async fn end_left(&self, left: &LeftUpload) -> Result<(), StoreError> {
        leftover::end(self, &left.key, &left.upload_id, Payer::default())
            .await
            .map(drop)
    }

    async fn end_unheard(&self, unheard: &UnheardUpload) -> Result<Unheard, StoreError> {
        leftover::end_unheard(self, unheard).await
    }

    async fn copy(&self, put: &Put, from: &CopySource) -> Result<Copied, StoreError> {
        copy::copy(self, put, from).await
    }

    async fn set_tags(&self, of: ObjectVersion<'_>, tags: &Tags) -> Result<(), StoreError> {
        tags::set(self, of, tags).await
    }

    async fn put_annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
        bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        annotations::put(self, of, name, bytes).await
    }

    async fn delete_annotation(&self, of: ObjectVersion<'_>, name: &str) -> Result<(), StoreError> {
        annotations::delete(self, of, name).await
    }

    async fn withdraw(&self, key: &ObjectKey, stored: &Stored) -> Result<Withdrawn, StoreError> {
        withdraw::withdraw(self, key, stored).await
    }

    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
        delete::delete(self, removals).await
    }

    async fn mark_deleted(&self, key: &ObjectKey) -> Result<Option<Arc<str>>, StoreError> {
        versioning::mark_deleted(self, key).await
    }

    fn signs_with(&self) -> Option<Algorithm> {
        self.0.signs_payloads.then_some(Algorithm::Sha256)
    }
}

/// The bytes of a range as the Range header has them, both ends included.
fn range_header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}
