//! What is read of an object, and what comes of that.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::Head;
use crate::digest::{Algorithm, Digest};
use crate::object::{ETag, ObjectKey};

/// What to read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The object.
    pub key: ObjectKey,
    /// Which of its versions; the latest when `None`.
    pub version: Option<Arc<str>>,
    /// Bytes `start..end` of it; all of it when `None`.
    pub range: Option<Range<u64>>,
    /// How many bytes that are, as far as is known: they wait for their turn before they are asked
    /// for.
    pub expected: u64,
    /// Only if it still has this ETag; otherwise [`ErrorKind::Changed`](super::ErrorKind::Changed).
    pub if_match: Option<ETag>,
    /// Digests to compute in the same pass.
    pub hash: Vec<Algorithm>,
}

/// Bytes that were read, and what was learnt with them.
#[derive(Debug, Clone)]
pub struct Content {
    /// The bytes asked for.
    pub bytes: Bytes,
    /// Their digests, in the order asked for.
    pub digests: Vec<Digest>,
    /// The object they came from.
    pub head: Head,
    /// S3's request id.
    pub request_id: Option<String>,
}
