//! An upload in parts, from its beginning to its end.

use std::fmt;
use std::num::NonZeroU16;
use std::ops::Range;

use async_trait::async_trait;

use super::{CopySource, Incomplete, LeftUpload, Part, StoreError, Stored, StoredPart};
use crate::digest::Digest;

/// An upload in parts that has begun. Dropping it without completing or aborting leaves a
/// multipart upload behind: the engine never does.
#[async_trait]
pub trait Upload: Send + Sync + fmt::Debug {
    /// Writes one part; parts may come in any order and at the same time.
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError>;

    /// Whether the ETags of its parts, and of the object, will be worth what their shapes say, as
    /// far as it is known yet.
    fn etag_is_digest(&self) -> bool {
        true
    }

    /// What S3 calls this upload.
    fn id(&self) -> Option<&str> {
        None
    }

    /// What another run needs to go on with it or to end it, where it outlives this one.
    fn left(&self) -> Option<LeftUpload> {
        None
    }

    /// The part as the store has it from an earlier run, where what it says of that proves that it
    /// is just this one: it need not be written again.
    fn has(&self, _part: &Part) -> Option<StoredPart> {
        None
    }

    /// Copies one part from inside S3.
    async fn copy_part(
        &self,
        _number: NonZeroU16,
        _from: &CopySource,
        _range: Range<u64>,
    ) -> Result<StoredPart, StoreError> {
        Err(StoreError::unsupported(
            "copy part",
            "this store cannot copy by itself",
        ))
    }

    /// Publishes the object. `parts` in ascending order; `whole` is the digest of all bytes under
    /// the additional algorithm where it is kept of the full object. The error says whether
    /// anything may have been published all the same.
    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, Incomplete>;

    /// Gives up: nothing of it stays.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
}
