//! What can be done to a store that is written to.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::source::{NO_ANNOTATIONS, NO_TAGS};
use super::{
    AnnotationTag, Copied, CopySource, Folding, LeftFiles, LeftUpload, Put, Removal, Removed,
    Source, StoreError, Stored, Swept, Unheard, UnheardUpload, Upload, Withdrawn,
};
use crate::digest::{Algorithm, Digest};
use crate::object::{ObjectKey, ObjectVersion, Tags};

/// A store that can be written to.
#[async_trait]
pub trait Target: Source {
    /// Writes a whole object at once. `digests` are those of `bytes`. When it returns, the object
    /// is complete under its key, or nothing has changed.
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError>;

    /// Starts writing an object in parts. Nothing is visible before [`Upload::complete`].
    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError>;

    /// Goes on with an upload that an earlier run left behind, for an object that is to be written
    /// like this. `None` where it is not there any more.
    async fn resume(
        &self,
        _put: &Put,
        _left: &LeftUpload,
    ) -> Result<Option<Box<dyn Upload>>, StoreError> {
        Ok(None)
    }

    /// Ends an upload that was left behind. One that is not there counts as ended.
    async fn end_left(&self, _left: &LeftUpload) -> Result<(), StoreError> {
        Ok(())
    }

    /// Looks for an upload that was asked for and not heard of, and ends it.
    async fn end_unheard(&self, _unheard: &UnheardUpload) -> Result<Unheard, StoreError> {
        Ok(Unheard::Ended)
    }

    /// Removes temporary files, wherever they are below the root. Who makes some with the same
    /// token must not be at work.
    async fn sweep(&self, _left: &LeftFiles) -> Result<Swept, StoreError> {
        Ok(Swept::Clean(0))
    }

    /// Copies an object that is already inside S3, in one request (5 GiB at most).
    async fn copy(&self, _put: &Put, _from: &CopySource) -> Result<Copied, StoreError> {
        Err(StoreError::unsupported(
            "copy",
            "this store cannot copy by itself",
        ))
    }

    /// Removes objects; one result for each, in their order. One that is not there counts as
    /// removed, as S3 has it. An error in place of the results means that nothing is known of any.
    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError>;

    /// Deletes a key where what it had is kept; the id of the delete marker that hides it now.
    async fn mark_deleted(&self, _key: &ObjectKey) -> Result<Option<Arc<str>>, StoreError> {
        Err(StoreError::unsupported(
            "mark as deleted",
            "this store keeps no versions",
        ))
    }

    /// Gives an object these tags in place of those it has; none where there are none.
    async fn set_tags(&self, _of: ObjectVersion<'_>, _tags: &Tags) -> Result<(), StoreError> {
        Err(StoreError::unsupported("tag", NO_TAGS))
    }

    /// Writes an annotation of an object, and says what it has then. The bytes are proved to have
    /// arrived where the store can compare digests.
    async fn put_annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
        _bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        Err(StoreError::unsupported("annotate", NO_ANNOTATIONS))
    }

    /// Removes an annotation of an object; one that is not there counts as removed.
    async fn delete_annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
    ) -> Result<(), StoreError> {
        Err(StoreError::unsupported("annotate", NO_ANNOTATIONS))
    }

    /// Takes back what this run has just stored, and only that: by its version, or only while the
    /// key still has its ETag. Whatever took its place meanwhile stays.
    async fn withdraw(&self, key: &ObjectKey, _stored: &Stored) -> Result<Withdrawn, StoreError> {
        let results = self.delete(&[key.into()]).await?;
        results.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Withdrawn::Removed)
    }

    /// Whether the whole of an object is proved before it can be seen (a directory), so that a
    /// caller need not compare what [`Target::put`] answers.
    fn keeps_no_digests(&self) -> bool {
        false
    }

    /// The digest that requests with a body are signed with. Given among a body's digests it need
    /// not be computed again where it would hold up others.
    fn signs_with(&self) -> Option<Algorithm> {
        None
    }

    /// Which differences between names it does not see. Where nothing may be written, what is there
    /// already has to tell it.
    async fn folding(&self, _may_write: bool) -> Folding {
        Folding::NONE
    }

    /// Makes durable what was written: called once, when nothing more will be. A bucket has
    /// nothing left to do; a directory syncs the directories files were renamed in.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
