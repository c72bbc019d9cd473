//! Multipart uploads:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};

use super::answer::{part_of, stored_of};
use super::completion::Expected;
use super::encryption::{with_encryption, with_key};
use super::kept::asking_for;
use super::write::{content_md5, pick, with_checksum};
use super::{S3Store, copy, patience_for};
use crate::digest::{Algorithm, Digest};
use crate::object::ETag;
use crate::store::{
    CopySource, ErrorKind, Part, Put, Source as _, StoreError, Stored, StoredPart, Upload,
};

/// One multipart upload that has begun.
#[derive(Debug)]
pub(super) struct S3Upload {
    store: S3Store,
    /// As it was begun: without a checksum that the endpoint refused.
    put: Put,
    /// That checksum.
    refused: Option<Algorithm>,
    full_key: String,
    upload_id: String,
    etag_is_digest: bool,
}

/// CreateMultipartUpload. Content type and metadata are given here: S3 takes them nowhere else.
pub(super) async fn begin(store: &S3Store, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
    const OPERATION: &str = "CreateMultipartUpload";
    let full_key = store.full_key(&put.key);
    let key = full_key.as_str();
    let attempt = |checksum: Option<Algorithm>| async move {
        let send = || {
            let mut request = store
                .client()
                .create_multipart_upload()
                .bucket(store.bucket())
                .key(key)
                .set_content_type(put.content_type.clone());
            for (name, value) in &put.metadata {
                request = request.metadata(name, value);
            }
            if let Some(algorithm) = checksum {
                request = request.checksum_algorithm(ChecksumAlgorithm::from(algorithm.as_str()));
                if put.keeps_whole(algorithm) {
                    request = request.checksum_type(ChecksumType::FullObject);
                }
            }
            let request = with_encryption!(request, store.encryption());
            store.send(OPERATION, key, Duration::ZERO, request.send())
        };
        store.retrying(OPERATION, send).await
    };
    let (output, checksum) = asking_for(store, put.checksum, attempt).await?;
    let upload_id = output
        .upload_id()
        .filter(|id| !id.is_empty())
        .ok_or_else(|| {
            StoreError::new(
                OPERATION,
                &full_key,
                ErrorKind::Other,
                "the server named no upload id",
            )
        })?;
    Ok(Box::new(S3Upload {
        store: store.clone(),
        refused: put.checksum.filter(|_| checksum.is_none()),
        put: Put {
            checksum,
            ..put.clone()
        },
        upload_id: upload_id.to_owned(),
        etag_is_digest: store.etag_is_digest(
            output.server_side_encryption(),
            output.sse_customer_algorithm(),
        ),
        full_key,
    }))
}

#[async_trait]
impl Upload for S3Upload {
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError> {
        const OPERATION: &str = "UploadPart";
        let store = &self.store;
        let size = part.bytes.len() as u64;
        let output = store
            .retrying(OPERATION, || {
                let request = store
                    .client()
                    .upload_part()
                    .bucket(store.bucket())
                    .key(&self.full_key)
                    .upload_id(&self.upload_id)
                    .part_number(i32::from(part.number.get()))
                    .set_content_md5(content_md5(store, &part.digests))
                    .body(ByteStream::from(part.bytes.clone()));
                let request = with_key!(request, store.key());
                let request = with_checksum!(request, pick(&part.digests, self.put.checksum));
                let request = request
                    .customize()
                    .interceptor(store.payload_hash(&part.digests));
                store.send(
                    OPERATION,
                    &self.full_key,
                    patience_for(size),
                    request.send(),
                )
            })
            .await?;
        let checksum = self.put.checksum;
        Ok(part_of!(store, output, output, part.number, checksum, size))
    }

    fn etag_is_digest(&self) -> bool {
        self.etag_is_digest
    }

    async fn copy_part(
        &self,
        number: NonZeroU16,
        from: &CopySource,
        range: Range<u64>,
    ) -> Result<StoredPart, StoreError> {
        let (store, key, id) = (&self.store, &self.full_key, &self.upload_id);
        copy::copy_part(store, key, id, number, from, range, self.put.checksum).await
    }

    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, StoreError> {
        const OPERATION: &str = "CompleteMultipartUpload";
        let store = &self.store;
        let whole = whole.filter(|whole| Some(whole.algorithm()) != self.refused);
        let completed = CompletedMultipartUpload::builder()
            .set_parts(Some(
                parts.iter().map(|part| self.completed(part)).collect(),
            ))
            .build();
        let size: u64 = parts.iter().map(|part| part.size).sum();
        let attempts = AtomicU32::new(0);
        let answer = store
            .retrying(OPERATION, || {
                attempts.fetch_add(1, Ordering::Relaxed);
                let mut request = store
                    .client()
                    .complete_multipart_upload()
                    .bucket(store.bucket())
                    .key(&self.full_key)
                    .upload_id(&self.upload_id)
                    .set_mpu_object_size(i64::try_from(size).ok())
                    .multipart_upload(completed.clone());
                if let Some(whole) = &whole {
                    request = with_checksum!(request, Some(whole))
                        .checksum_type(ChecksumType::FullObject);
                }
                let request = with_key!(request, store.key());
                let patience = store.server_side_work();
                let answer = store.send(OPERATION, &self.full_key, patience, request.send());
                async { answer.await.map_err(refused_for_good) }
            })
            .await;
        match answer {
            Ok(output) => {
                // it names no algorithm of SSE-C
                let stored = stored_of!(store, output, output, None, size);
                store.note_checksum(OPERATION, self.put.checksum, &stored.checksums);
                let parts_are_digests =
                    self.etag_is_digest && parts.iter().all(|part| part.etag_is_digest);
                Ok(Stored {
                    etag_is_digest: stored.etag_is_digest && parts_are_digests,
                    ..stored
                })
            }
            Err(error) if error.code.as_deref() == Some(BAD_DIGEST) => {
                if let Err(also) = self.end().await {
                    tracing::warn!(error = %also, "a multipart upload could not be aborted");
                }
                Err(StoreError {
                    kind: ErrorKind::Corrupted,
                    ..error
                })
            }
            Err(error) => {
                let expected = Expected::of(&self.put, &parts, whole);
                // what was gone when it was first asked for, this upload did not complete
                let may_be_done =
                    error.kind != ErrorKind::NotFound || attempts.load(Ordering::Relaxed) > 1;
                let settled = self.settle(&expected).await;
                settled.filter(|_| may_be_done).ok_or(error)
            }
        }
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.end().await.map(drop)
    }
}

const BAD_DIGEST: &str = "BadDigest";

/// What the parts make is not what was sent: it will be no other when they are asked for again.
fn refused_for_good(error: StoreError) -> StoreError {
    match error.kind {
        ErrorKind::Corrupted => StoreError {
            kind: ErrorKind::Other,
            code: Some(BAD_DIGEST.to_owned()),
            ..error
        },
        _ => error,
    }
}

/// What an upload was when it was to be aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Under way: nothing of it stays.
    Now,
    /// Completed, or aborted by somebody else.
    Before,
}

impl S3Upload {
    fn completed(&self, part: &StoredPart) -> CompletedPart {
        let builder = CompletedPart::builder()
            .part_number(i32::from(part.number.get()))
            .set_e_tag(part.etag.as_ref().map(ETag::quoted));
        let checksum = part.checksum.as_ref();
        debug_assert!(checksum.is_none_or(|sum| Some(sum.algorithm()) == self.put.checksum));
        with_checksum!(builder, checksum).build()
    }

    /// AbortMultipartUpload.
    async fn end(&self) -> Result<Ended, StoreError> {
        const OPERATION: &str = "AbortMultipartUpload";
        let store = &self.store;
        let aborted = store
            .retrying(OPERATION, || {
                let request = store
                    .client()
                    .abort_multipart_upload()
                    .bucket(store.bucket())
                    .key(&self.full_key)
                    .upload_id(&self.upload_id);
                store.send(OPERATION, &self.full_key, Duration::ZERO, request.send())
            })
            .await;
        match aborted {
            Ok(_) => Ok(Ended::Now),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Ended::Before),
            Err(error) => Err(error),
        }
    }

    /// Finds out what became of an upload whose completion failed or got no answer. What can still
    /// be aborted was not completed, and nothing of it stays; otherwise the object as it is tells
    /// whether it is the one the parts make.
    async fn settle(&self, expected: &Expected) -> Option<Stored> {
        match self.end().await {
            Ok(Ended::Now) => return None,
            Ok(Ended::Before) => {}
            Err(error) => {
                tracing::warn!(%error, "a multipart upload could not be aborted");
            }
        }
        let wants_checksums = self.put.checksum.is_some();
        let head = self.store.head(&self.put.key, wants_checksums).await.ok()?;
        expected.is(&head).then_some(Stored {
            size: head.size,
            etag: head.etag,
            etag_is_digest: head.etag_is_digest,
            version: head.version,
            checksums: head.checksums,
            request_id: None,
        })
    }
}
