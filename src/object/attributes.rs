//! What S3 keeps beside the bytes of an object.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The headers and the user metadata of an object, as a copy of it carries them:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, as it is stored: S3 keeps any text.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// User metadata, keys in lower case and without `x-amz-meta-`.
    pub user: BTreeMap<String, String>,
}

impl Attributes {
    /// Takes over what `others` has: each header by itself, user metadata as one.
    pub fn put_on(&mut self, others: &Self) {
        let Self {
            content_type,
            cache_control,
            content_disposition,
            content_encoding,
            content_language,
            expires,
            website_redirect,
            user,
        } = self;
        for (own, other) in [
            (content_type, &others.content_type),
            (cache_control, &others.cache_control),
            (content_disposition, &others.content_disposition),
            (content_encoding, &others.content_encoding),
            (content_language, &others.content_language),
            (expires, &others.expires),
            (website_redirect, &others.website_redirect),
        ] {
            if other.is_some() {
                own.clone_from(other);
            }
        }
        if !others.user.is_empty() {
            user.clone_from(&others.user);
        }
    }
}

/// The tags of an object, decoded:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.
pub type Tags = BTreeMap<String, String>;

/// A storage class by S3's name for it: `STANDARD`, `GLACIER_IR`, …
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StorageClass(Arc<str>);

impl StorageClass {
    /// The class of this name, which S3 may know or not.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Whether its objects cannot be read before they are restored.
    pub fn is_archive(&self) -> bool {
        matches!(self.as_str(), "GLACIER" | "DEEP_ARCHIVE")
    }

    /// S3's name for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageClass({self})")
    }
}
