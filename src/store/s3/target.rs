//! A bucket and prefix, written to: which file does what.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    S3Store, annotations, copy, delete, leftover, tags, upload, versioning, withdraw, write,
};
use crate::digest::{Algorithm, Digest};
use crate::object::{ObjectKey, ObjectVersion, Tags};
use crate::store::{
    AnnotationTag, Copied, CopySource, LeftUpload, Payer, Put, Removal, Removed, StoreError,
    Stored, Target, Unheard, UnheardUpload, Upload, Withdrawn,
};

#[async_trait]
impl Target for S3Store {
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError> {
        write::put(self, put, bytes, digests).await
    }

    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
        upload::begin(self, put).await
    }

    async fn resume(
        &self,
        put: &Put,
        left: &LeftUpload,
    ) -> Result<Option<Box<dyn Upload>>, StoreError> {
        upload::resume(self, put, left).await
    }

    async fn end_left(&self, left: &LeftUpload) -> Result<(), StoreError> {
        leftover::end(self, &left.key, &left.upload_id, Payer::default())
            .await
            .map(drop)
    }

    async fn end_unheard(&self, unheard: &UnheardUpload) -> Result<Unheard, StoreError> {
        leftover::end_unheard(self, unheard).await
    }

    async fn copy(&self, put: &Put, from: &CopySource) -> Result<Copied, StoreError> {
        copy::copy(self, put, from).await
    }

    async fn set_tags(&self, of: ObjectVersion<'_>, tags: &Tags) -> Result<(), StoreError> {
        tags::set(self, of, tags).await
    }

    async fn put_annotation(
        &self,
        of: ObjectVersion<'_>,
        name: &str,
        bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        annotations::put(self, of, name, bytes).await
    }

    async fn delete_annotation(&self, of: ObjectVersion<'_>, name: &str) -> Result<(), StoreError> {
        annotations::delete(self, of, name).await
    }

    async fn withdraw(&self, key: &ObjectKey, stored: &Stored) -> Result<Withdrawn, StoreError> {
        withdraw::withdraw(self, key, stored).await
    }

    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
        delete::delete(self, removals).await
    }

    async fn mark_deleted(&self, key: &ObjectKey) -> Result<Option<Arc<str>>, StoreError> {
        versioning::mark_deleted(self, key).await
    }

    fn signs_with(&self) -> Option<Algorithm> {
        self.0.signs_payloads.then_some(Algorithm::Sha256)
    }
}
