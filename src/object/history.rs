//! What a bucket that keeps versions has under one key.

use std::sync::Arc;

use super::{ETag, Entry, ListedChecksum, ObjectKey, StorageClass, Timestamp};

/// Everything under one key, in the order it came to be. Delete markers are left out but for the
/// one that hides all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The key.
    pub key: ObjectKey,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
    /// The delete marker that is the latest; `None` where an object is.
    pub marker: Option<Marker>,
    /// Whether there are more than are held, and `versions` has the newest alone.
    pub is_too_long: bool,
}

/// One version of an object, as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id; `null` where it was written while the bucket kept no versions.
    pub id: Arc<str>,
    /// Length in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Timestamp,
    /// The entity tag.
    pub etag: Option<ETag>,
    /// The storage class, where it is not `STANDARD`.
    pub storage_class: Option<StorageClass>,
    /// Which checksum it has, where the listing says it.
    pub checksum: Option<ListedChecksum>,
}

/// A delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Its id.
    pub id: Arc<str>,
    /// When the key was deleted.
    pub modified: Timestamp,
}

impl History {
    /// One of its versions as an entry.
    pub fn entry(&self, version: &Version) -> Entry {
        version.clone().under(&self.key)
    }

    /// Its versions, and the marker as an empty one.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let versions = self.versions.iter().map(|version| self.entry(version));
        versions.chain(self.marker.as_ref().map(|marker| self.deletion(marker)))
    }

    /// The marker as an empty version.
    pub fn deletion(&self, marker: &Marker) -> Entry {
        Entry {
            key: self.key.clone(),
            size: 0,
            modified: marker.modified,
            etag: None,
            version: Some(Arc::clone(&marker.id)),
            storage_class: None,
            checksum: None,
        }
    }
}

impl Version {
    /// The entry of this key that it is.
    pub fn under(self, key: &ObjectKey) -> Entry {
        Entry {
            key: key.clone(),
            size: self.size,
            modified: self.modified,
            etag: self.etag,
            version: Some(self.id),
            storage_class: self.storage_class,
            checksum: self.checksum,
        }
    }
}
