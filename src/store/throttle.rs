//! A target that is written to no faster than it may be.

use async_trait::async_trait;
use bytes::Bytes;
use std::num::NonZeroU16;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::{
    AnnotationContent, AnnotationTag, Annotations, Content, Copied, CopySource, Description,
    ErrorKind, Folding, Head, Histories, LeftFiles, LeftUpload, Listing, Looked, Pace, PartLayout,
    Put, Read, Removal, Removed, Source, StoreError, Stored, Swept, Target, Unheard, UnheardUpload,
    Upload, Versioning, Withdrawn,
};
use crate::digest::{Algorithm, Digest};
use crate::object::{ObjectKey, ObjectVersion, Tags};

/// A target around which every object that is written, copied or deleted waits for its turn. What
/// is tried again by the target itself waits no more; what is put back in order waits never.
#[derive(Debug)]
pub struct Throttle {
    target: Arc<dyn Target>,
    objects: Pace,
    stop: CancellationToken,
}

impl Throttle {
    /// The target itself where there is nothing to wait for. Who waits when `stop` is cancelled is
    /// told so.
    pub fn around(
        target: Arc<dyn Target>,
        objects: Pace,
        stop: CancellationToken,
    ) -> Arc<dyn Target> {
        if objects.is_free() {
            return target;
        }
        Arc::new(Self {
            target,
            objects,
            stop,
        })
    }

    async fn turn(&self, objects: usize, subject: &str) -> Result<(), StoreError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(StoreError::new(
                "wait", subject, ErrorKind::Cancelled, "the run was stopped",
            )),
            () = self.objects.take(objects as u64) => Ok(()),
        }
    }
}

#[async_trait]
impl Source for Throttle {
    fn describe(&self) -> Description {
        self.target.describe()
    }

    fn list(&self) -> Listing {
        self.target.list()
    }

    fn list_sorted(&self) -> Listing {
        self.target.list_sorted()
    }

    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError> {
        self.target.head(of, checksums).await
    }

    async fn head_in_words(
        &self,
        of: ObjectVersion<'_>,
        checksums: bool,
    ) -> Result<Head, StoreError> {
        self.target.head_in_words(of, checksums).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        self.target.look(key).await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        self.target.read(read).await
    }

    async fn part_size(
        &self,
        of: ObjectVersion<'_>,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        self.target.part_size(of, number).await
    }

    async fn parts(&self, of: ObjectVersion<'_>) -> Result<Option<PartLayout>, StoreError> {
        self.target.parts(of).await
    }

    async fn tags(&self, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        self.target.tags(of).await
    }

    async fn annotations(&self, of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        self.target.annotations(of).await
    }

    async fn annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        self.target.annotation(of, name).await
    }

    fn histories(&self) -> Option<Histories> {
        self.target.histories()
    }

    async fn versioning(&self) -> Result<Versioning, StoreError> {
        self.target.versioning().await
    }

    fn copy_source(&self, of: ObjectVersion<'_>) -> Option<CopySource> {
        self.target.copy_source(of)
    }
}

#[async_trait]
impl Target for Throttle {
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError> {
        self.turn(1, put.key.as_str()).await?;
        self.target.put(put, bytes, digests).await
    }

    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
        self.turn(1, put.key.as_str()).await?;
        self.target.begin(put).await
    }

    async fn resume(
        &self,
        put: &Put,
        left: &LeftUpload,
    ) -> Result<Option<Box<dyn Upload>>, StoreError> {
        self.turn(1, put.key.as_str()).await?;
        self.target.resume(put, left).await
    }

    async fn end_left(&self, left: &LeftUpload) -> Result<(), StoreError> {
        self.target.end_left(left).await
    }

    async fn end_unheard(&self, unheard: &UnheardUpload) -> Result<Unheard, StoreError> {
        self.target.end_unheard(unheard).await
    }

    async fn sweep(&self, left: &LeftFiles) -> Result<Swept, StoreError> {
        self.target.sweep(left).await
    }

    async fn copy(&self, put: &Put, from: &CopySource) -> Result<Copied, StoreError> {
        self.turn(1, put.key.as_str()).await?;
        self.target.copy(put, from).await
    }

    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
        self.turn(removals.len(), "").await?;
        self.target.delete(removals).await
    }

    async fn set_tags(&self, of: ObjectVersion<'_>, tags: &Tags) -> Result<(), StoreError> {
        self.target.set_tags(of, tags).await
    }

    async fn put_annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
        bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        self.target.put_annotation(of, name, bytes).await
    }

    async fn delete_annotation(&self, of: ObjectVersion<'_>, name: &str) -> Result<(), StoreError> {
        self.target.delete_annotation(of, name).await
    }

    async fn mark_deleted(&self, key: &ObjectKey) -> Result<Option<Arc<str>>, StoreError> {
        self.turn(1, key.as_str()).await?;
        self.target.mark_deleted(key).await
    }

    async fn withdraw(&self, key: &ObjectKey, stored: &Stored) -> Result<Withdrawn, StoreError> {
        self.target.withdraw(key, stored).await
    }

    fn keeps_no_digests(&self) -> bool {
        self.target.keeps_no_digests()
    }

    fn signs_with(&self) -> Option<Algorithm> {
        self.target.signs_with()
    }

    async fn folding(&self, may_write: bool) -> Folding {
        self.target.folding(may_write).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.target.flush().await
    }
}
