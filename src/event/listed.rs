//! What was listed under a key.

use std::sync::Arc;

use crate::object::{ETag, Entry, Timestamp};

/// What a source listed under a key, as evidence lines show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Length in bytes.
    pub size: u64,
    /// The source's time.
    pub modified: Timestamp,
    /// The ETag, if the source has any.
    pub etag: Option<ETag>,
    /// The version, where the listing names one.
    pub version: Option<Arc<str>>,
}

impl From<&Entry> for Listed {
    fn from(entry: &Entry) -> Self {
        Self {
            size: entry.size,
            modified: entry.modified,
            etag: entry.etag.clone(),
            version: entry.version.clone(),
        }
    }
}
