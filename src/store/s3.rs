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
mod patience;
mod payer;
mod probe;
mod profile;
mod proxy;
mod raw;
mod read;
mod region;
mod renewal;
mod retrying;
mod send;
mod settings;
mod source;
mod strangers;
mod tags;
mod target;
#[cfg(test)]
mod tests;
mod trust;
mod upload;
mod versioning;
mod withdraw;
mod write;

pub use self::encryption::{CustomerKey, Encryption, KmsKey};
pub use self::logs::logs_identities;
pub use self::probe::{Wanted, probe};
pub use self::settings::{
    KeyOrder, Keys, ListingSettings, PayloadSigning, S3Location, S3Settings, S3UrlError, Timeouts,
};

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::types::ServerSideEncryption;

use self::gate::Gate;
use self::patience::Patience;
use super::{Meter, StoreError, Versioning};
use crate::digest::Digest;
use crate::object::ObjectKey;

/// A bucket and prefix. Cloning shares the client and its connections.
#[derive(Clone)]
pub struct S3Store(Arc<Shared>, Patience);

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
}
