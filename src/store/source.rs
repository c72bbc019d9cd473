//! What every store can do: be listed and read.

use std::fmt;
use std::num::NonZeroU16;

use async_trait::async_trait;

use super::{
    AnnotationContent, Annotations, Content, CopySource, Description, Head, Histories, Listing,
    Looked, PartLayout, Read, StoreError, Versioning, named,
};
use crate::object::{ObjectKey, ObjectVersion, Tags};

/// A store that can be listed and read.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// What to call it in messages and reports.
    fn describe(&self) -> Description;

    /// Everything below the root, in order.
    fn list(&self) -> Listing;

    /// The same, put into order here whatever order it comes in: for a store whose
    /// [listing](Self::list) was not. It begins when all is listed.
    fn list_sorted(&self) -> Listing {
        self.list()
    }

    /// What the store says of one object; with `checksums` it is asked for those as well.
    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError>;

    /// The same. Where a denial has no words, it is found out whether it is the credentials that
    /// are wrong, which ends everything, or the object that may not be looked at.
    async fn head_in_words(
        &self,
        of: ObjectVersion<'_>,
        checksums: bool,
    ) -> Result<Head, StoreError> {
        self.head(of, checksums).await
    }

    /// What a listing has under one key, without listing: an object is asked for.
    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        named::looked(key, self.head(key.into(), false).await)
    }

    /// Reads an object or a range of it, and hashes what it reads.
    async fn read(&self, read: &Read) -> Result<Content, StoreError>;

    /// The length of one part of a multipart object, where the store tells it
    /// (HEAD with `partNumber`).
    async fn part_size(
        &self,
        _of: ObjectVersion<'_>,
        _number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// The parts of a multipart object, where the store tells them all at once.
    async fn parts(&self, _of: ObjectVersion<'_>) -> Result<Option<PartLayout>, StoreError> {
        Ok(None)
    }

    /// Every version of everything below the root; `None` where the store keeps none.
    fn histories(&self) -> Option<Histories> {
        None
    }

    /// Whether the store keeps what is overwritten and deleted.
    async fn versioning(&self) -> Result<Versioning, StoreError> {
        Ok(Versioning::Off)
    }

    /// The tags of an object.
    async fn tags(&self, _of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        Err(StoreError::unsupported("tags", NO_TAGS))
    }

    /// The annotations of an object, without their payloads.
    async fn annotations(&self, _of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        Err(StoreError::unsupported("annotations", NO_ANNOTATIONS))
    }

    /// One annotation of an object.
    async fn annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        Err(StoreError::unsupported("annotation", NO_ANNOTATIONS))
    }

    /// Where the object is inside S3, if it is there.
    fn copy_source(&self, _of: ObjectVersion<'_>) -> Option<CopySource> {
        None
    }
}

/// Why there is nothing to say of tags, or to write.
pub(super) const NO_TAGS: &str = "this store keeps no tags";

/// The same of annotations.
pub(super) const NO_ANNOTATIONS: &str = "this store keeps no annotations";
