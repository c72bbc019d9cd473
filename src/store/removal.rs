//! What is to be removed from a target, and what came of it.

use std::sync::Arc;

use crate::object::{ETag, Entry, ObjectKey, Timestamp};

/// One object that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its key.
    pub key: ObjectKey,
    /// What must be there still: whatever has taken its place since then stays, and is a
    /// [`super::ErrorKind::PreconditionFailed`], as far as the store can tell. With `None`
    /// whatever is there is removed.
    pub still: Option<Still>,
}

/// An object as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Length in bytes.
    pub size: u64,
    /// When its content was last changed.
    pub modified: Timestamp,
    /// The entity tag; a directory has none.
    pub etag: Option<ETag>,
}

/// What became of an object that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, or was gone already: S3 does not tell one from the other. So it is where a
    /// bucket's versioning is suspended, whose markers take the place of what was written since.
    Object,
    /// It is hidden by a delete marker, of this version id where it was told. What it had is kept.
    Marked(Option<Arc<str>>),
}

impl From<&ObjectKey> for Removal {
    fn from(key: &ObjectKey) -> Self {
        let key = key.clone();
        Self { key, still: None }
    }
}

impl From<&Entry> for Removal {
    fn from(entry: &Entry) -> Self {
        Self {
            key: entry.key.clone(),
            still: Some(Still {
                size: entry.size,
                modified: entry.modified,
                etag: entry.etag.clone(),
            }),
        }
    }
}
