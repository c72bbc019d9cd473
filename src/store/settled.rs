//! From "the store took it" to "it is proved": the only way an object counts as transferred.

use std::sync::Arc;

use crate::digest::{Checksum, Integrity, Mismatch};
use crate::object::{ETag, ObjectKey, Timestamp};

/// What the target says of an object it has just taken. Not yet evidence: [`Stored::settle`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an object that was stored must be settled"]
pub struct Stored {
    /// Length in bytes.
    pub size: u64,
    /// The entity tag; a directory gives none.
    pub etag: Option<ETag>,
    /// Whether the ETag is worth what its shape says: false under SSE-KMS, DSSE or SSE-C.
    pub etag_is_digest: bool,
    /// The version that was made.
    pub version: Option<Arc<str>>,
    /// Additional checksums the store keeps of it.
    pub checksums: Vec<Checksum>,
    /// S3's request id.
    pub request_id: Option<String>,
}

/// What became of an object that was to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// It was removed.
    Removed,
    /// Nothing is there.
    Absent,
    /// Something is there that is not what was told of it; it stays.
    Other,
}

/// What was transferred, as the source had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// The key relative to both roots.
    pub key: ObjectKey,
    /// Length in bytes.
    pub size: u64,
    /// The source's time.
    pub modified: Timestamp,
    /// The source's ETag, if it has any.
    pub etag: Option<ETag>,
    /// The source's version.
    pub version: Option<Arc<str>>,
    /// The checksum computed of the bytes, or kept by the source.
    pub checksum: Option<Checksum>,
}

/// What the target has taken and must not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What the target has.
    pub stored: Stored,
    /// Why it must not keep it.
    pub mismatch: Mismatch,
}

/// A transferred object together with what was proved of it. It cannot be made from a mismatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    source: SourceFacts,
    stored: Stored,
    integrity: Integrity,
}

impl Stored {
    /// Makes a settled object of a stored one, unless the evidence says that it is damaged: then
    /// it comes back as the error, with the evidence.
    pub fn settle(self, source: SourceFacts, integrity: Integrity) -> Result<Settled, Rejected> {
        match integrity.mismatch() {
            Some(mismatch) => Err(Rejected {
                stored: self,
                mismatch,
            }),
            None => Ok(Settled {
                source,
                stored: self,
                integrity,
            }),
        }
    }
}

impl Settled {
    /// What the source had.
    pub fn source(&self) -> &SourceFacts {
        &self.source
    }

    /// What the target has.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// What was compared, and how.
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }
}
