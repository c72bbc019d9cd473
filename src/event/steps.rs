//! What happens to an object on its way, before it is known what becomes of it.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::Listed;
use crate::digest::Mismatch;
use crate::object::ObjectKey;
use crate::store::Stored;

/// Content that the target has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrote {
    /// The object's key.
    pub key: ObjectKey,
    /// Its version at the source, where the listing names one.
    pub source_version: Option<Arc<str>>,
    /// Length of the whole object.
    pub size: u64,
    /// How much of it this is.
    pub bytes: u64,
    /// Which part; `None` where it went in one piece.
    pub part: Option<NonZeroU16>,
    /// S3's id of the multipart upload.
    pub upload_id: Option<String>,
}

/// An object whose bytes are proved to be damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its key.
    pub key: ObjectKey,
    /// What the source has.
    pub source: Listed,
    /// What the target has, where it was published.
    pub stored: Option<Stored>,
    /// What was to be the same, and is not.
    pub mismatch: Mismatch,
}
