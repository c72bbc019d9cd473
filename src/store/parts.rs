//! Parts of an object: on their way, as the store has taken them, and as it tells of them later.

use std::num::NonZeroU16;

use bytes::Bytes;

use crate::digest::Digest;
use crate::object::ETag;

/// One part of an upload: bytes, where they stand, and what they hash to.
#[derive(Debug, Clone)]
pub struct Part {
    /// 1 to 10,000.
    pub number: NonZeroU16,
    /// Where in the object the part begins.
    pub offset: u64,
    /// Its content.
    pub bytes: Bytes,
    /// Its digests: MD5 and the additional checksum, as far as they are wanted.
    pub digests: Vec<Digest>,
}

/// A part the store has taken, as the store tells it.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// 1 to 10,000.
    pub number: NonZeroU16,
    /// The part's ETag; a directory has none.
    pub etag: Option<ETag>,
    /// Whether the ETag is worth what its shape says: false under SSE-KMS, DSSE or SSE-C.
    pub etag_is_digest: bool,
    /// The additional checksum the store computed of it.
    pub checksum: Option<Digest>,
    /// Its length in bytes.
    pub size: u64,
}

/// The parts an object was uploaded in, as the store tells them, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartLayout {
    /// The ETag of the object that was told about.
    pub etag: Option<ETag>,
    /// Its parts; one at least.
    pub parts: Vec<ToldPart>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldPart {
    /// Its length in bytes.
    pub size: u64,
    /// Its additional checksum, where the store tells one.
    pub checksum: Option<Digest>,
}
