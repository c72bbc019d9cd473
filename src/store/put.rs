//! What is written beside an object's bytes, and what must hold for that.

use std::sync::Arc;

use crate::digest::Algorithm;
use crate::object::{Attributes, ETag, ObjectKey, StorageClass, Tags, Timestamp};

/// What to write beside the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Where to.
    pub key: ObjectKey,
    /// Length of the whole object in bytes.
    pub size: u64,
    /// The source's time: a directory's file gets it, a bucket's object does not.
    pub modified: Timestamp,
    /// Its headers and user metadata.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// Its storage class; the bucket's own when `None`.
    pub storage_class: Option<StorageClass>,
    /// A canned ACL by S3's name for it; the bucket's own when `None`.
    pub acl: Option<Arc<str>>,
    /// What must hold of the key for it to be written.
    pub condition: Condition,
    /// The additional checksum the object is to carry.
    pub checksum: Option<Algorithm>,
    /// Whether that is of the whole object even where it is written in parts: CRCs only.
    pub full_object: bool,
    /// The entries of its user metadata that tell it from all else that is written under its key:
    /// an attempt whose answer was lost is looked for by them before it is made again. None where
    /// it does no harm to write it twice.
    pub known_by: &'static [&'static str],
    /// Who says that they pay for the request.
    pub payer: Payer,
}

impl Put {
    /// An object of this length with nothing beside its bytes.
    pub fn bare(key: ObjectKey, size: u64, modified: Timestamp) -> Self {
        Self {
            key,
            size,
            modified,
            attributes: Attributes::default(),
            tags: Tags::new(),
            storage_class: None,
            acl: None,
            condition: Condition::None,
            checksum: None,
            full_object: false,
            known_by: &[],
            payer: Payer::default(),
        }
    }

    /// Whether a checksum under this algorithm is kept of the whole object, however it is written.
    pub fn keeps_whole(&self, algorithm: Algorithm) -> bool {
        algorithm.is_always_full_object() || (self.full_object && algorithm.is_crc())
    }
}

/// What must hold of a key for it to be written; otherwise
/// [`ErrorKind::PreconditionFailed`](super::ErrorKind::PreconditionFailed). A directory is never
/// given any.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// It has this ETag (`If-Match`).
    Has(ETag),
    /// Nothing is there (`If-None-Match: *`).
    Absent,
}

/// Who says that they pay for writing an object, as buckets may demand.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payer {
    /// Whoever says so with all requests to the bucket.
    #[default]
    AsEver,
    /// Whoever asks.
    Requester,
    /// Nobody: the bucket's owner does.
    Owner,
}
