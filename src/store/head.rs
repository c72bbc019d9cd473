//! What a store says of one object.

use std::sync::Arc;

use super::Details;
use crate::digest::Checksum;
use crate::object::{Attributes, ETag, StorageClass, Timestamp};

/// What a store says of one object by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length of the whole object in bytes, also when a range of it was read.
    pub size: u64,
    /// When the content was last changed.
    pub modified: Timestamp,
    /// The entity tag; a directory has none.
    pub etag: Option<ETag>,
    /// Whether the ETag is worth what its shape says: false under SSE-KMS, DSSE or SSE-C.
    pub etag_is_digest: bool,
    /// The version, in a versioned bucket.
    pub version: Option<Arc<str>>,
    /// Additional checksums the store keeps, where it was asked for them.
    pub checksums: Vec<Checksum>,
    /// The store's name for a checksum it keeps under an algorithm that is not known here.
    pub unknown_checksum: Option<String>,
    /// Its headers and user metadata, as far as the store keeps them.
    pub attributes: Attributes,
    /// Its storage class, where it is not `STANDARD`.
    pub storage_class: Option<StorageClass>,
    /// Whether it is archived and not restored, so that it cannot be read: only asking for it
    /// tells.
    pub is_archived: bool,
    /// How many tags it has; `None` where the store does not tell, as S3 does not of none.
    pub tag_count: Option<u32>,
    /// The file's identity (inode), so that a replaced file is told from a rewritten one.
    pub file_id: Option<u64>,
    /// What else S3 tells of it, where that is wanted.
    pub details: Option<Box<Details>>,
}

impl Head {
    /// Whether two looks at one key saw the same content: the same ETag, or for files the same
    /// file, size and time to the nanosecond.
    pub fn same_content(&self, other: &Self) -> bool {
        self.size == other.size
            && match (&self.etag, &other.etag) {
                (Some(a), Some(b)) => a == b,
                _ => self.modified == other.modified && self.file_id == other.file_id,
            }
    }
}
