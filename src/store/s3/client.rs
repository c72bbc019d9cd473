//! From settings to a client of the SDK.

use std::time::Duration;

use super::learnt::LeaveOut;
use super::network::http_client;
use super::payer::RequesterPays;
use super::profile;
use super::region::Regional;
use super::settings::{PayloadSigning, S3Settings};
use super::write::pick;
use crate::digest::{Algorithm, Digest};
use crate::store::{ErrorKind, StoreError};
use aws_config::BehaviorVersion;
use aws_runtime::auth::PayloadSigningOverride;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    ConfigBag, Credentials, Intercept, Region, RequestChecksumCalculation,
    ResponseChecksumValidation, RuntimeComponents, SharedHttpClient, SharedInterceptor,
    StalledStreamProtectionConfig,
};

/// Where no chain of configuration names a region: S3's oldest, as other tools have it.
const DEFAULT_REGION: &str = "us-east-1";

/// A client of the SDK, and what was found out while it was made.
pub(super) struct Connected {
    pub(super) regional: Regional,
    /// Whether the signature covers what is uploaded.
    pub(super) signs_payloads: bool,
}

/// A client with the settings' region, credentials and endpoint; it sends what it sends through
/// `http`, where that is given.
pub(super) async fn connect(
    settings: &S3Settings,
    http: Option<SharedHttpClient>,
) -> Result<Connected, StoreError> {
    let plain_http = settings
        .endpoint_url
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));
    let http = match http {
        Some(http) => http,
        None => http_client(settings.endpoint_url.as_deref())?,
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .http_client(http.clone())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts(settings.timeouts.connect));
    let files = profile_files(settings);
    if let Some(files) = files.clone() {
        loader = loader.profile_files(files);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(name) = &settings.profile {
        loader = profile::of(name, settings.region.as_deref(), files, http, loader).await;
    }
    if let Some(keys) = &settings.keys {
        loader = loader.credentials_provider(Credentials::new(
            keys.access_key.expose(),
            keys.secret_access_key.expose(),
            keys.session_token
                .as_ref()
                .map(|token| token.expose().to_owned()),
            None,
            "s3sync settings",
        ));
    }
    if settings.anonymous {
        loader = loader.no_credentials();
    }
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let shared = loader.load().await;

    let region = shared
        .region()
        .map_or(DEFAULT_REGION, |region| region.as_ref())
        .to_owned();
    let mut config = aws_sdk_s3::config::Builder::from(&shared)
        .region(Region::new(region.clone()))
        .force_path_style(settings.force_path_style)
        .accelerate(settings.accelerate)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let plain_endpoint = plain_http
        || shared
            .endpoint_url()
            .is_some_and(|url| url.starts_with("http://"));
    let signed = match settings.payload_signing {
        PayloadSigning::Always => true,
        PayloadSigning::Never => false,
        PayloadSigning::Auto => plain_endpoint,
    };
    // one that may be disabled is asked whether it is, some twenty times a request
    config.push_interceptor(SharedInterceptor::permanent(PayloadSignature { signed }));
    config.push_interceptor(SharedInterceptor::permanent(LeaveOut));
    if settings.requester_pays {
        config.push_interceptor(SharedInterceptor::permanent(RequesterPays));
    }
    if settings.anonymous {
        config = config.allow_no_auth();
    }
    if settings.endpoint_url.as_deref().is_some_and(str::is_empty) {
        return Err(StoreError::new(
            "connect",
            "",
            ErrorKind::Fatal,
            "the endpoint URL is empty",
        ));
    }
    let is_aws = settings.endpoint_url.is_none() && shared.endpoint_url().is_none();
    Ok(Connected {
        regional: Regional::new(Client::from_conf(config.build()), region, is_aws),
        signs_payloads: signed,
    })
}

/// Connecting is the SDK's to limit; everything else is measured by `exchange`.
fn timeouts(connect: Option<Duration>) -> TimeoutConfig {
    let builder = TimeoutConfig::builder()
        .disable_read_timeout()
        .disable_operation_timeout()
        .disable_operation_attempt_timeout();
    match connect {
        Some(limit) => builder.connect_timeout(limit).build(),
        None => builder.disable_connect_timeout().build(),
    }
}

fn profile_files(settings: &S3Settings) -> Option<EnvConfigFiles> {
    if settings.config_file.is_none() && settings.shared_credentials_file.is_none() {
        return None;
    }
    let mut files = EnvConfigFiles::builder();
    files = match &settings.config_file {
        Some(path) => files.with_file(EnvConfigFileKind::Config, path),
        None => files.include_default_config_file(true),
    };
    files = match &settings.shared_credentials_file {
        Some(path) => files.with_file(EnvConfigFileKind::Credentials, path),
        None => files.include_default_credentials_file(true),
    };
    Some(files.build())
}

/// Decides what the signature says of an upload's payload: nothing (over TLS, which protects it
/// already), or its SHA-256, which the SDK computes where no [`PayloadHash`] tells it.
#[derive(Debug)]
struct PayloadSignature {
    signed: bool,
}

impl Intercept for PayloadSignature {
    fn name(&self) -> &'static str {
        "PayloadSignature"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let request = context.request();
        if request.method() != "PUT" || request.body().content_length() == Some(0) {
            return Ok(());
        }
        if !self.signed {
            cfg.interceptor_state()
                .store_put(PayloadSigningOverride::UnsignedPayload);
        }
        Ok(())
    }
}

/// What one upload has to tell the SDK of its payload: its SHA-256 for the signature, if that is
/// known, because the SDK would compute it on an async thread; and that it has no content type.
#[derive(Debug)]
pub(super) struct PayloadHash {
    known: Option<PayloadSigningOverride>,
    untyped: bool,
}

impl PayloadHash {
    /// For a request to a store that signs payloads, or does not.
    pub(super) fn of(signs_payloads: bool, digests: &[Digest]) -> Self {
        let wanted = signs_payloads.then_some(Algorithm::Sha256);
        let known = pick(digests, wanted).map(Digest::hex);
        Self {
            known: known.map(PayloadSigningOverride::Precomputed),
            untyped: false,
        }
    }

    /// Of an upload that names no content type: the SDK would name one, and S3 another.
    pub(super) fn untyped(self, untyped: bool) -> Self {
        Self { untyped, ..self }
    }
}

impl Intercept for PayloadHash {
    fn name(&self) -> &'static str {
        "PayloadHash"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        if self.untyped {
            context.request_mut().headers_mut().remove("content-type");
        }
        if let Some(payload) = &self.known {
            cfg.interceptor_state().store_put(payload.clone());
        }
        Ok(())
    }
}
