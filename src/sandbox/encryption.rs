//! Server-side encryption as clients see it: headers, opaque ETags and keys that must be presented.
//!
//! Nothing is encrypted on disk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{Result, access_denied, error, invalid_argument, invalid_request};
use super::response::Answer;
use super::xml::Node;
use crate::digest::{Algorithm, digest};

/// How an object is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Encryption {
    /// SSE-S3.
    #[default]
    Managed,
    /// SSE-KMS, or DSSE-KMS when `dual`.
    Kms {
        dual: bool,
        key_id: String,
        bucket_key: bool,
    },
    /// SSE-C; only the MD5 of the key is kept.
    Customer { key_md5: String },
}

/// A key a request presents for SSE-C, whose MD5 was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CustomerKey {
    md5: String,
}

impl CustomerKey {
    /// The key in the request's own headers.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        Self::read(headers, "x-amz-server-side-encryption-customer")
    }

    /// The key for the source of a copy.
    pub(super) fn of_copy_source(headers: &HeaderMap) -> Result<Option<Self>> {
        Self::read(headers, "x-amz-copy-source-server-side-encryption-customer")
    }

    fn read(headers: &HeaderMap, stem: &str) -> Result<Option<Self>> {
        let header = |suffix: &str| {
            headers
                .get(format!("{stem}-{suffix}"))
                .and_then(|value| value.to_str().ok())
        };
        let (algorithm, key, md5) = match (header("algorithm"), header("key"), header("key-md5")) {
            (None, None, None) => return Ok(None),
            (Some(algorithm), Some(key), Some(md5)) => (algorithm, key, md5),
            _ => {
                return Err(invalid_argument(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
                ));
            }
        };
        if algorithm != "AES256" {
            return Err(error(
                400,
                "InvalidEncryptionAlgorithmError",
                "The encryption request that you specified is not valid. The valid value is AES256.",
            ));
        }
        let key = STANDARD
            .decode(key)
            .ok()
            .filter(|key| key.len() == 32)
            .ok_or_else(|| {
                invalid_argument("The secret key was invalid for the specified algorithm.")
            })?;
        if digest(Algorithm::Md5, &key).base64() != md5 {
            return Err(invalid_argument(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ));
        }
        Ok(Some(Self {
            md5: md5.to_owned(),
        }))
    }
}

impl Encryption {
    /// What an upload asks for, or the bucket's default.
    pub(super) fn of_upload(
        headers: &HeaderMap,
        bucket_default: Option<&str>,
        region: &str,
    ) -> Result<Self> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let asked = header("x-amz-server-side-encryption");
        if let Some(key) = CustomerKey::of(headers)? {
            if asked.is_some() {
                return Err(invalid_argument(
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                ));
            }
            return Ok(Self::Customer { key_md5: key.md5 });
        }
        let key_id = header("x-amz-server-side-encryption-aws-kms-key-id");
        let bucket_key = header("x-amz-server-side-encryption-bucket-key-enabled") == Some("true");
        match asked {
            Some(method) => Self::under(method, key_id, bucket_key, region),
            None if key_id.is_some() => Err(invalid_argument(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            )),
            None => Self::default_of(bucket_default, region),
        }
    }

    /// Whether the request has the key it needs, and no key it must not have.
    pub(super) fn admit(&self, key: Option<&CustomerKey>) -> Result<()> {
        match (self, key) {
            (Self::Customer { key_md5 }, Some(key)) if key.md5 == *key_md5 => Ok(()),
            (Self::Customer { .. }, Some(_)) => Err(access_denied()),
            (Self::Customer { .. }, None) => Err(invalid_request(
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
            )),
            (Self::Managed | Self::Kms { .. }, Some(_)) => Err(invalid_request(
                "The encryption parameters are not applicable to this object.",
            )),
            (Self::Managed | Self::Kms { .. }, None) => Ok(()),
        }
    }

    /// Whether a part may be added with this key to an upload that began like this.
    pub(super) fn admit_part(&self, key: Option<&CustomerKey>) -> Result<()> {
        match (self, key) {
            (Self::Customer { key_md5 }, Some(key)) if key.md5 == *key_md5 => Ok(()),
            (Self::Managed | Self::Kms { .. }, None) => Ok(()),
            (Self::Customer { .. }, None) => Err(invalid_request(
                "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
            )),
            (_, Some(_)) => Err(invalid_request(
                "The provided encryption parameters did not match the ones used originally.",
            )),
        }
    }

    /// Adds the headers that tell it.
    pub(super) fn tell(&self, answer: &mut Answer) {
        match self {
            Self::Managed => answer.set("x-amz-server-side-encryption", "AES256"),
            Self::Kms {
                dual,
                key_id,
                bucket_key,
            } => {
                answer.set(
                    "x-amz-server-side-encryption",
                    if *dual { "aws:kms:dsse" } else { "aws:kms" },
                );
                answer.set("x-amz-server-side-encryption-aws-kms-key-id", key_id);
                if *bucket_key {
                    answer.set("x-amz-server-side-encryption-bucket-key-enabled", "true");
                }
            }
            Self::Customer { key_md5 } => {
                answer.set("x-amz-server-side-encryption-customer-algorithm", "AES256");
                answer.set("x-amz-server-side-encryption-customer-key-md5", key_md5);
            }
        }
    }

    /// The ETag for content whose MD5-made ETag would be this one: the same, or one that proves nothing.
    pub(super) fn etag(&self, of_md5: String) -> String {
        match self {
            Self::Managed => of_md5,
            Self::Kms { .. } | Self::Customer { .. } => Self::opaque_etag(&of_md5),
        }
    }

    /// An ETag of the same shape that is no digest of anything the client has.
    pub(super) fn opaque_etag(of_md5: &str) -> String {
        let random = digest(Algorithm::Md5, Uuid::now_v7().as_bytes()).hex();
        match of_md5.split_once('-') {
            Some((_, parts)) => format!("{random}-{parts}"),
            None => random,
        }
    }

    fn under(method: &str, key_id: Option<&str>, bucket_key: bool, region: &str) -> Result<Self> {
        let dual = match method {
            "AES256" if key_id.is_none() => return Ok(Self::Managed),
            "aws:kms" => false,
            "aws:kms:dsse" => true,
            _ => {
                return Err(invalid_argument(
                    "The encryption method specified is not supported",
                ));
            }
        };
        let key_id = key_id.map_or_else(
            || format!("arn:aws:kms:{region}:000000000000:alias/aws/s3"),
            str::to_owned,
        );
        Ok(Self::Kms {
            dual,
            key_id,
            bucket_key,
        })
    }

    fn default_of(document: Option<&str>, region: &str) -> Result<Self> {
        let Some(document) = document else {
            return Ok(Self::Managed);
        };
        let document = Node::parse_any(document.as_bytes())?;
        let text = |name| document.find(name).map(|node| node.text.as_str());
        match text("SSEAlgorithm") {
            None => Ok(Self::Managed),
            Some(method) => Self::under(
                method,
                text("KMSMasterKeyID"),
                text("BucketKeyEnabled") == Some("true"),
                region,
            ),
        }
    }
}
