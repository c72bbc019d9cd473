/*! What S3 and a directory have in common: keys, entries of a listing, ETags and times.

Everything here is parsed once at the border; past it, the type is the proof. An [`ObjectKey`]
is any key S3 accepts; a [`LocalKey`] can only be made from a key that stays below the root of a
directory, so nothing that writes files needs to look at `..` again.
*/

mod attributes;
mod etag;
#[cfg(test)]
mod fuzz;
mod history;
mod key;
mod listed_checksum;
mod tagging;
mod time;
mod words;

pub use attributes::{Attributes, StorageClass, Tags};
pub use etag::ETag;
pub use history::{History, Marker, Version};
pub use key::{KeyError, LocalKey, MAX_KEY_BYTES, ObjectKey, UnsafeKey};
pub use listed_checksum::ListedChecksum;
pub use tagging::{tagging, tags_of};
pub use time::{Timestamp, TimestampError};
pub use words::encoded_words;

use std::sync::Arc;

/// One row of a listing: what a store says of a key without being asked about it by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key relative to the store's root (the part after the S3 prefix, or below the directory).
    pub key: ObjectKey,
    /// Length in bytes.
    pub size: u64,
    /// When the content was last changed, as the store tells it.
    pub modified: Timestamp,
    /// The entity tag; a directory has none.
    pub etag: Option<ETag>,
    /// The version, where the listing names one.
    pub version: Option<Arc<str>>,
    /// The storage class, where the listing names one that is not `STANDARD`.
    pub storage_class: Option<StorageClass>,
    /// Which checksum it has, where the listing says it.
    pub checksum: Option<ListedChecksum>,
}

impl Entry {
    /// The object it speaks of: this version of the key, the latest where it names none.
    pub fn at(&self) -> ObjectVersion<'_> {
        ObjectVersion {
            key: &self.key,
            version: self.version.as_deref(),
        }
    }
}

/// One object by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectVersion<'a> {
    /// Its key, relative to the store's root.
    pub key: &'a ObjectKey,
    /// Which of its versions; the latest when `None`.
    pub version: Option<&'a str>,
}

impl<'a> From<&'a ObjectKey> for ObjectVersion<'a> {
    fn from(key: &'a ObjectKey) -> Self {
        Self { key, version: None }
    }
}
