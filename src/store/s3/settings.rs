//! What it takes to reach a bucket, resolved.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::time::Duration;

use super::encryption::Encryption;
use crate::object::{ObjectKey, Timestamp};
use crate::store::retry::RetrySettings;
use crate::store::{Pace, Secret};

/// A bucket, a prefix, and how to reach them.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// Bucket and prefix.
    pub location: S3Location,
    /// The region; the SDK's own chain decides when `None`.
    pub region: Option<String>,
    /// An endpoint other than AWS's.
    pub endpoint_url: Option<String>,
    /// Address buckets as `endpoint/bucket` rather than `bucket.endpoint`.
    pub force_path_style: bool,
    /// Reach it through S3 Transfer Acceleration.
    pub accelerate: bool,
    /// The profile of the configuration files.
    pub profile: Option<String>,
    /// Keys given outright; the SDK's chain of credentials decides when `None`.
    pub keys: Option<Keys>,
    /// The configuration file, when it is not the usual one.
    pub config_file: Option<PathBuf>,
    /// The credentials file, when it is not the usual one.
    pub shared_credentials_file: Option<PathBuf>,
    /// How it is listed.
    pub listing: ListingSettings,
    /// In which order.
    pub order: KeyOrder,
    /// As it was at this time, rather than as it is.
    pub as_of: Option<Timestamp>,
    /// How often operations are tried.
    pub retry: RetrySettings,
    /// How long operations may take.
    pub timeouts: Timeouts,
    /// How fast content may go over the network, in bytes.
    pub bandwidth: Pace,
    /// Whether the payload is part of the signature.
    pub payload_signing: PayloadSigning,
    /// Send Content-MD5 with every upload request.
    pub content_md5: bool,
    /// Ask for the stored additional checksum with every read of a whole object.
    pub read_checksums: bool,
    /// Keep all that S3 tells of an object ([`Head::details`](crate::store::Head::details)).
    pub tells_details: bool,
    /// How what is written is encrypted; a key of the user's is for what is read as well.
    pub encryption: Encryption,
    /// Sign nothing: whoever asks is nobody, whatever credentials there are.
    pub anonymous: bool,
    /// Say with every request that whoever asks pays for it, as buckets may demand.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>
    pub requester_pays: bool,
}

/// `s3://bucket[/prefix]`, used as written: nothing is decoded and no slash is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket's name, or an access point ARN.
    pub bucket: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
}

/// An access key of one side.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The access key id.
    pub access_key: Secret,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token of temporary credentials.
    pub session_token: Option<Secret>,
}

/// How a bucket is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingSettings {
    /// Keys in a page, 1 to 1000.
    pub max_keys: u16,
    /// Requests in flight.
    pub parallel: u16,
    /// How many levels of `/` are looked at to split a listing.
    pub max_depth: u16,
    /// Entries listed ahead of those being decided on, at most; a page is always listed ahead.
    pub queue: u32,
}

/// The order a bucket is listed in: the one of what it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyOrder {
    /// By the bytes of the key, as S3 lists.
    #[default]
    Bytes,
    /// By [`ObjectKey::unslashed`](crate::object::ObjectKey::unslashed), the name the key has in a
    /// directory; of two keys with one name, the one without the slash first.
    AsInADirectory,
}

impl KeyOrder {
    /// Which of two keys comes first in it. No two keys share a place.
    pub fn compare(self, a: &ObjectKey, b: &ObjectKey) -> Ordering {
        match self {
            Self::Bytes => a.cmp(b),
            Self::AsInADirectory => a
                .unslashed()
                .cmp(b.unslashed())
                // of one name, the key without the slash is the shorter
                .then_with(|| a.as_str().len().cmp(&b.as_str().len())),
        }
    }
}

/// How long things may take; as long as they like where there is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Option<Duration>,
    /// Of silence on the socket: no byte of a body is taken or comes, or no answer.
    pub read: Option<Duration>,
    /// Of silence while S3 works before it answers: copies inside it, completing an upload.
    pub server_side_work: Duration,
    /// One attempt of an operation.
    pub attempt: Option<Duration>,
    /// An operation with all its attempts and the pauses between them.
    pub operation: Option<Duration>,
    /// Whether silence in the middle of a body counts; otherwise only an answer that does not come.
    pub cuts_stalled: bool,
}

/// Whether the payload is hashed for the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadSigning {
    /// Over plain http only: TLS already protects it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// An S3 URL that names no bucket.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum S3UrlError {
    /// It does not begin with `s3://`.
    #[error("`{0}` is not an S3 URL; write s3://bucket or s3://bucket/prefix")]
    NotS3(String),
    /// Nothing stands where the bucket should.
    #[error("`{0}` names no bucket; write s3://bucket or s3://bucket/prefix")]
    NoBucket(String),
    /// It has the ARN of something else than an access point.
    #[error(
        "`{0}` has no ARN of an access point; write s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/prefix, or a bucket by its name"
    )]
    NoAccessPoint(String),
}

impl S3Location {
    /// Reads `s3://bucket[/prefix]`; the ARN of an access point may stand for the bucket:
    /// `s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/prefix`. One without a region is of a
    /// Multi-Region Access Point. An access point's alias is a name like a bucket's.
    pub fn parse(url: &str) -> Result<Self, S3UrlError> {
        let rest = url
            .strip_prefix("s3://")
            .ok_or_else(|| S3UrlError::NotS3(url.to_owned()))?;
        let bucket_end = if rest.starts_with("arn:") {
            end_of_arn(rest).ok_or_else(|| S3UrlError::NoAccessPoint(url.to_owned()))?
        } else {
            rest.find('/').unwrap_or(rest.len())
        };
        let (bucket, prefix) = rest.split_at(bucket_end);
        if bucket.is_empty() {
            return Err(S3UrlError::NoBucket(url.to_owned()));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.strip_prefix('/').unwrap_or(prefix).to_owned(),
        })
    }

    /// Whether it is in a directory bucket, which says so by its name, as an access point to one
    /// does, and whose ETags are no digests:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html>.
    pub fn is_directory_bucket(&self) -> bool {
        self.bucket.ends_with("--x-s3") || self.bucket.ends_with("--xa-s3")
    }

    /// Whether an access point's ARN stands for the bucket.
    pub fn is_arn(&self) -> bool {
        self.bucket.starts_with("arn:")
    }

    /// Whether that is the ARN of a Multi-Region Access Point:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRequests.html>.
    pub fn is_multi_region(&self) -> bool {
        let fields: Vec<&str> = self.bucket.splitn(6, ':').collect();
        matches!(fields[..], ["arn", _, _, "", _, name] if name.strip_suffix(".mrap").is_some())
    }

    /// The URL again.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Where the ARN of an access point ends, of which the resource is `accesspoint/NAME` or
/// `outpost/ID/accesspoint/NAME`, also written with colons: those slashes are no part of a prefix.
fn end_of_arn(text: &str) -> Option<usize> {
    let (resource, _) = text.match_indices(':').nth(4)?;
    let mut end = resource + 1;
    let mut names = 2;
    let mut words = 0;
    while words < names {
        let word = &text[end..];
        let length = word.find(['/', ':']).unwrap_or(word.len());
        match (words, &word[..length]) {
            (_, "") => return None,
            (0, "outpost") => names = 4,
            (0, kind) if kind != "accesspoint" => return None,
            _ => {}
        }
        words += 1;
        end += length;
        if words < names {
            // a resource that ends too early
            end += text[end..].chars().next()?.len_utf8();
        }
    }
    Some(end)
}

impl Default for ListingSettings {
    fn default() -> Self {
        Self {
            max_keys: 1000,
            parallel: 16,
            max_depth: 2,
            queue: 200_000,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(5)),
            read: Some(Duration::from_mins(1)),
            server_side_work: Duration::from_mins(15),
            attempt: None,
            operation: None,
            cuts_stalled: true,
        }
    }
}

impl Timeouts {
    /// How long nothing may move in the middle of a body.
    pub fn of_bodies(&self) -> Option<Duration> {
        self.read.filter(|_| self.cuts_stalled)
    }
}

impl S3Settings {
    /// A location with the defaults of every option.
    pub fn new(location: S3Location) -> Self {
        Self {
            location,
            region: None,
            endpoint_url: None,
            force_path_style: false,
            accelerate: false,
            profile: None,
            keys: None,
            config_file: None,
            shared_credentials_file: None,
            listing: ListingSettings::default(),
            order: KeyOrder::default(),
            as_of: None,
            retry: RetrySettings::default(),
            timeouts: Timeouts::default(),
            bandwidth: Pace::default(),
            payload_signing: PayloadSigning::default(),
            content_md5: true,
            read_checksums: false,
            tells_details: false,
            encryption: Encryption::default(),
            anonymous: false,
            requester_pays: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_as_written() {
        let point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine";
        let colon = "arn:aws:s3:eu-west-1:123456789012:accesspoint:mine";
        let everywhere = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap";
        let outpost = "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/mine";
        for (url, bucket, prefix) in [
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("s3://b/p", "b", "p"),
            ("s3://b/p/", "b", "p/"),
            ("s3://b//p%20q", "b", "/p%20q"),
            ("s3://mine-1a2b-s3alias/p/", "mine-1a2b-s3alias", "p/"),
            (&format!("s3://{point}"), point, ""),
            (&format!("s3://{point}/"), point, ""),
            (&format!("s3://{point}/p/q"), point, "p/q"),
            (&format!("s3://{point}//p:q"), point, "/p:q"),
            (&format!("s3://{colon}/p/q"), colon, "p/q"),
            (&format!("s3://{everywhere}/p/"), everywhere, "p/"),
            (&format!("s3://{outpost}/p/"), outpost, "p/"),
        ] {
            let seen = S3Location::parse(url).expect(url);
            assert_eq!(
                (seen.bucket.as_str(), seen.prefix.as_str()),
                (bucket, prefix),
                "{url}"
            );
            assert_eq!(seen.is_multi_region(), bucket == everywhere, "{url}");
        }
        for (url, error) in [
            ("s3://", S3UrlError::NoBucket as fn(String) -> S3UrlError),
            ("s3:///p", S3UrlError::NoBucket),
            ("/tmp", S3UrlError::NotS3),
            ("s3://arn:aws:s3:::bucket/p", S3UrlError::NoAccessPoint),
            (
                "s3://arn:aws:s3:eu-west-1:1:accesspoint",
                S3UrlError::NoAccessPoint,
            ),
            (
                "s3://arn:aws:s3:eu-west-1:1:accesspoint/",
                S3UrlError::NoAccessPoint,
            ),
            (
                "s3://arn:aws:s3:eu-west-1:1:accesspoint//p",
                S3UrlError::NoAccessPoint,
            ),
            (
                "s3://arn:aws:s3:eu-west-1:1:outpost/op-1/p",
                S3UrlError::NoAccessPoint,
            ),
            ("s3://arn:aws", S3UrlError::NoAccessPoint),
        ] {
            assert_eq!(S3Location::parse(url), Err(error(url.to_owned())), "{url}");
        }
    }
}
