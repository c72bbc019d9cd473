//! One side of a pair: a directory or a bucket, with the options that belong to it.

use std::path::PathBuf;
use std::time::Duration;

use super::layer::Said;
use super::merged::Merged;
use super::setting::Setting;
use crate::store::Pace;
use crate::store::retry::RetrySettings;
use crate::store::s3::{
    CustomerKey, Encryption, KeyOrder, Keys, ListingSettings, PayloadSigning, S3Location,
    S3Settings, Timeouts,
};

/// Most keys S3 puts in a page.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(super) const LARGEST_PAGE: u64 = 1000;

/// What a side's URL names.
#[derive(Debug, Clone)]
pub(super) enum Side {
    Local(PathBuf),
    S3(S3Location),
}

impl Side {
    /// What a `source.url` or `target.url` names, if it is right.
    pub(super) fn of(said: &Said) -> Option<Self> {
        match &said.setting {
            Setting::Path(path) => Some(Self::Local(path.clone())),
            Setting::Text(url) => S3Location::parse(url).ok().map(Self::S3),
            _ => None,
        }
    }

    /// Whether it is a directory bucket.
    pub(super) fn is_directory_bucket(&self) -> bool {
        matches!(self, Self::S3(location) if location.is_directory_bucket())
    }

    /// Whether it is an access point by its ARN.
    pub(super) fn is_arn(&self) -> bool {
        matches!(self, Self::S3(location) if location.is_arn())
    }

    /// Whether it is a Multi-Region Access Point.
    pub(super) fn is_multi_region(&self) -> bool {
        matches!(self, Self::S3(location) if location.is_multi_region())
    }

    /// Whether it is a bucket.
    pub(super) fn is_s3(&self) -> bool {
        matches!(self, Self::S3(_))
    }
}

/// The endpoint of `side` (`source` or `target`), the same text for the same place; none where it
/// is AWS.
pub(super) fn endpoint(side: &str, merged: &Merged) -> Option<String> {
    let said: Option<String> = merged.optional(&format!("{side}.endpoint_url"));
    said.and_then(|url| aws_or(&url))
}

/// An endpoint's URL in one way to write it, or none for those of AWS: a bucket is the same by each
/// of them.
pub(super) fn aws_or(url: &str) -> Option<String> {
    let normal = normal_endpoint(url);
    let (_, host) = normal.split_once("://").unwrap_or(("", &normal));
    let is_aws = [".amazonaws.com", ".amazonaws.com.cn"]
        .iter()
        .filter_map(|domain| host.strip_suffix(domain))
        .any(|name| {
            name.split('.')
                .any(|label| label == "s3" || label.starts_with("s3-"))
        });
    (!is_aws).then_some(normal)
}

/// An endpoint's URL with its scheme and host in lower case, without the port that goes without
/// saying and without a slash at its end.
pub(super) fn normal_endpoint(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, host) = (scheme.to_lowercase(), host.to_lowercase());
    let default_port = match &*scheme {
        "https" => ":443",
        _ => ":80",
    };
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

/// How to reach a bucket: the options of `side` (`source` or `target`) and those both sides share.
pub(super) fn s3_settings(location: S3Location, side: &str, merged: &Merged) -> S3Settings {
    let path = |option: &str| format!("{side}.{option}");
    let secret = |option: &str| merged.secret(&path(option));
    let keys = secret("access_key").zip(secret("secret_access_key"));
    let is_split = !location.is_directory_bucket()
        || merged.value("performance.allow_parallel_listings_in_express_one_zone");
    S3Settings {
        location,
        region: merged.optional(&path("region")),
        endpoint_url: merged.optional(&path("endpoint_url")),
        force_path_style: merged
            .optional(&path("force_path_style"))
            .unwrap_or_default(),
        accelerate: merged.optional(&path("accelerate")).unwrap_or_default(),
        profile: merged.optional(&path("profile")),
        keys: keys.map(|(access_key, secret_access_key)| Keys {
            access_key,
            secret_access_key,
            session_token: secret("session_token"),
        }),
        config_file: merged.path("aws.config_file"),
        shared_credentials_file: merged.path("aws.shared_credentials_file"),
        listing: ListingSettings {
            max_keys: merged
                .value::<u64>("performance.max_keys")
                .min(LARGEST_PAGE) as u16,
            parallel: if is_split {
                merged.value("performance.max_parallel_listings")
            } else {
                1
            },
            queue: merged.value("performance.object_listing_queue_size"),
            max_depth: merged.value("performance.max_parallel_listing_max_depth"),
        },
        order: KeyOrder::default(),
        as_of: None,
        retry: RetrySettings {
            attempts: merged.value("retry.aws_max_attempts"),
            initial_backoff: merged.duration("retry.initial_backoff"),
        },
        timeouts: Timeouts {
            connect: limit(merged, "timeout.connect"),
            read: limit(merged, "timeout.read"),
            attempt: limit(merged, "timeout.operation_attempt"),
            operation: limit(merged, "timeout.operation"),
            cuts_stalled: merged.value("protocol.stalled_stream_protection"),
            ..Timeouts::default()
        },
        bandwidth: Pace::default(),
        payload_signing: match merged.value::<String>("protocol.payload_signing").as_str() {
            "always" => PayloadSigning::Always,
            "never" => PayloadSigning::Never,
            _ => PayloadSigning::Auto,
        },
        content_md5: merged.value("protocol.content_md5_header"),
        // a header more; they are the proof where the ETag turns out to be none
        read_checksums: merged.value("checksum.download")
            || merged.value("checksum.express_one_zone_default"),
        // as who is asked about objects needs it
        tells_details: false,
        encryption: encryption(side, merged),
        anonymous: merged
            .optional(&path("no_sign_request"))
            .unwrap_or_default(),
        requester_pays: merged.optional(&path("request_payer")).unwrap_or_default(),
    }
}

/// How long something may take; as long as it likes where nothing or 0 is said.
fn limit(merged: &Merged, path: &str) -> Option<Duration> {
    merged
        .optional::<Duration>(path)
        .filter(|limit| !limit.is_zero())
}

/// How a side is encrypted: a source only by its key, which has to be presented.
pub(super) fn encryption(side: &str, merged: &Merged) -> Encryption {
    let customer_key = merged.secret(&format!("{side}.sse_c_key"));
    if let Some(key) = customer_key.and_then(CustomerKey::new) {
        return Encryption::Customer(key);
    }
    if side == "source" {
        return Encryption::Bucket;
    }
    let kms_key = merged.optional("target.sse_kms_key_id");
    match merged.optional::<String>("target.sse").as_deref() {
        Some("AES256") => Encryption::Managed,
        Some("aws:kms") => Encryption::Kms(kms_key),
        Some("aws:kms:dsse") => Encryption::DualKms(kms_key),
        _ => Encryption::Bucket,
    }
}
