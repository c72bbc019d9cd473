//! Copies inside S3: from where, with what, and what came of them.

use std::sync::Arc;

use super::Stored;
use super::s3::CustomerKey;
use crate::object::ETag;

/// Where an S3 object is, for a copy inside S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// The bucket.
    pub bucket: String,
    /// The whole key, prefix included, unencoded.
    pub key: String,
    /// The version to copy; the latest when `None`.
    pub version: Option<Arc<str>>,
    /// Copy only if the source still has this ETag.
    pub if_match: Option<ETag>,
    /// The user's key it is encrypted with (SSE-C).
    pub customer_key: Option<CustomerKey>,
    /// Whether whoever asks has to say that they pay for it.
    pub requester_pays: bool,
    /// What S3 takes along by itself where it copies an object at once.
    pub brings: Brings,
}

/// What comes along with an object that is copied at once, beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brings {
    /// Its tags, in place of those of the [`Put`](super::Put).
    pub tags: bool,
    /// Its annotations.
    pub annotations: bool,
}

/// What came of a copy inside S3.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an object that was stored must be settled"]
pub struct Copied {
    /// What the target has now.
    pub stored: Stored,
    /// The version that was copied, in a versioned bucket.
    pub of: Option<Arc<str>>,
}
