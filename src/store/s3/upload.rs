//! Multipart uploads:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};

use super::read::{checksums_of, digest_under, etag_is_digest};
use super::write::{content_md5, pick, request_id, with_checksum};
use super::{S3Store, SERVER_SIDE_WORK, copy, patience_for};
use crate::digest::{Algorithm, Checksum, Digest, composite};
use crate::object::ETag;
use crate::store::{
    CopySource, ErrorKind, Part, Put, Source as _, StoreError, Stored, StoredPart, Upload,
};

/// One multipart upload that has begun.
#[derive(Debug)]
pub(super) struct S3Upload {
    store: S3Store,
    put: Put,
    full_key: String,
    upload_id: String,
}

/// CreateMultipartUpload. Content type and metadata are given here: S3 takes them nowhere else.
pub(super) async fn begin(store: &S3Store, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
    const OPERATION: &str = "CreateMultipartUpload";
    let full_key = store.full_key(&put.key);
    let output = store
        .retrying(OPERATION, || {
            let mut request = store
                .client()
                .create_multipart_upload()
                .bucket(store.bucket())
                .key(&full_key)
                .set_content_type(put.content_type.clone());
            for (name, value) in &put.metadata {
                request = request.metadata(name, value);
            }
            if let Some(algorithm) = put.checksum {
                request = request.checksum_algorithm(ChecksumAlgorithm::from(algorithm.as_str()));
                if algorithm.is_always_full_object() {
                    request = request.checksum_type(ChecksumType::FullObject);
                }
            }
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await?;
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
        put: put.clone(),
        upload_id: upload_id.to_owned(),
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
        let stored = checksums_of!(output);
        Ok(StoredPart {
            number: part.number,
            etag: output.e_tag().map(ETag::parse),
            etag_is_digest: etag_is_digest(
                output.server_side_encryption(),
                output.sse_customer_algorithm(),
            ),
            checksum: self
                .put
                .checksum
                .and_then(|algorithm| digest_under(&stored, algorithm)),
            size,
        })
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
        let completed = CompletedMultipartUpload::builder()
            .set_parts(Some(
                parts.iter().map(|part| self.completed(part)).collect(),
            ))
            .build();
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
                    .multipart_upload(completed.clone());
                if let Some(whole) = &whole {
                    request = with_checksum!(request, Some(whole))
                        .checksum_type(ChecksumType::FullObject);
                }
                store.send(OPERATION, &self.full_key, SERVER_SIDE_WORK, request.send())
            })
            .await;
        let size = parts.iter().map(|part| part.size).sum();
        match answer {
            Ok(output) => Ok(Stored {
                size,
                etag: output.e_tag().map(ETag::parse),
                etag_is_digest: etag_is_digest(output.server_side_encryption(), None),
                version: output.version_id().map(Into::into),
                checksums: checksums_of!(output),
                request_id: request_id(&output),
            }),
            // a lost answer: the upload is gone because it was completed the first time
            Err(error)
                if error.kind == ErrorKind::NotFound && attempts.load(Ordering::Relaxed) > 1 =>
            {
                self.completed_before(&parts, size).await.ok_or(error)
            }
            Err(error) => {
                // nothing may stay behind; the first error is the one to tell
                if let Err(also) = self.abort().await {
                    tracing::warn!(error = %also, "a multipart upload could not be aborted");
                }
                Err(error)
            }
        }
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
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
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
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

    /// The object as it is, if it is the one these parts make.
    async fn completed_before(&self, parts: &[StoredPart], size: u64) -> Option<Stored> {
        let part_md5s: Option<Vec<Digest>> = parts
            .iter()
            .map(|part| match &part.etag {
                Some(ETag::Md5Shaped(md5)) => Digest::from_bytes(Algorithm::Md5, md5),
                _ => None,
            })
            .collect();
        let expected = composite(&part_md5s?)?;
        let head = self
            .store
            .head(&self.put.key, self.put.checksum.is_some())
            .await
            .ok()?;
        let same =
            head.size == size && head.etag.as_ref().and_then(Checksum::of_etag) == Some(expected);
        same.then_some(Stored {
            size,
            etag: head.etag,
            etag_is_digest: head.etag_is_digest,
            version: head.version,
            checksums: head.checksums,
            request_id: None,
        })
    }
}
