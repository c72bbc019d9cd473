//! Multipart uploads:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};

use super::answer::{part_of, stored_of};
use super::completion::{Expected, Likeness};
use super::encryption::{with_encryption, with_key};
use super::error::broken_body;
use super::headers::{payer, with_attributes, with_condition};
use super::learnt::{Told, asking_for, under};
use super::leftover::{self, Ended};
use super::locked::with_body;
use super::payer::NotPaying;
use super::raw::RawBody;
use super::write::{content_md5, pick, with_checksum};
use super::{S3Store, begun, condition, copy};
use crate::digest::{Algorithm, Digest};
use crate::object::ETag;
use crate::store::{
    Condition, CopySource, ErrorKind, Head, Incomplete, LeftUpload, Part, Put, Source as _,
    StoreError, Stored, StoredPart, Upload,
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
    /// The digests of parts under the algorithm S3 keeps a checksum of unasked.
    unasked: Mutex<BTreeMap<NonZeroU16, Digest>>,
    /// The parts it had when it was gone on with.
    listed: BTreeMap<NonZeroU16, StoredPart>,
}

/// CreateMultipartUpload. Content type and metadata are given here: S3 takes them nowhere else.
pub(super) async fn begin(store: &S3Store, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
    const OPERATION: &str = "CreateMultipartUpload";
    let full_key = store.full_key(&put.key);
    let key = full_key.as_str();
    let asked = Instant::now();
    // attempts that S3 may have carried out, whatever was heard of them
    let in_doubt = &AtomicUsize::new(0);
    let attempt = |checksum: Option<Algorithm>| async move {
        let send = || async move {
            let raw = RawBody::giving(begun::INSTEAD);
            let request = store
                .client()
                .create_multipart_upload()
                .bucket(store.bucket())
                .key(key);
            let mut request = with_attributes!(request, put);
            if let Some(algorithm) = checksum {
                request = request.checksum_algorithm(ChecksumAlgorithm::from(algorithm.as_str()));
                if put.keeps_whole(algorithm) {
                    request = request.checksum_type(ChecksumType::FullObject);
                }
            }
            let request = with_encryption!(request, store.encryption());
            let request = request.customize().interceptor(raw.clone());
            let request = request.interceptor(NotPaying::for_a(put));
            let output = store
                .send(OPERATION, key, Duration::ZERO, request.send())
                .await?;
            let body = raw.collect(store.0.settings.timeouts.of_bodies()).await;
            let body = body.map_err(|what| broken_body(OPERATION, key, what))?;
            Ok((output, body))
        };
        let send = || async {
            let begun = store.in_time(OPERATION, key, Box::pin(send())).await;
            begun.inspect_err(|error| {
                in_doubt.fetch_add(condition::may_be_done(error).into(), Ordering::Relaxed);
            })
        };
        store.retrying(OPERATION, send).await
    };
    let ((output, body), checksum) = asking_for(store, put.checksum, attempt).await?;
    let upload_id = begun::upload_id(&body).ok_or_else(|| {
        StoreError::new(
            OPERATION,
            &full_key,
            ErrorKind::Other,
            "the server named no upload id",
        )
    })?;
    let upload = Box::new(S3Upload {
        store: store.clone(),
        refused: put.checksum.filter(|_| checksum.is_none()),
        put: Put {
            checksum,
            ..put.clone()
        },
        upload_id,
        etag_is_digest: store.etag_is_digest(
            output.server_side_encryption(),
            output.sse_customer_algorithm(),
        ),
        full_key: full_key.clone(),
        unasked: Mutex::default(),
        listed: BTreeMap::new(),
    });
    let in_doubt = in_doubt.load(Ordering::Relaxed);
    if in_doubt > 0 {
        leftover::end_twins(store, put, (&upload.left_one(), in_doubt), asked).await;
    }
    let told = Told {
        method: output.server_side_encryption(),
        customer: output.sse_customer_algorithm(),
    };
    let undone = || async {
        upload.end_or_tell().await;
        "nothing was written".to_owned()
    };
    store.encrypted(OPERATION, key, told, undone).await?;
    Ok(upload)
}

/// ListParts, and goes on with what is there.
pub(super) async fn resume(
    store: &S3Store,
    put: &Put,
    left: &LeftUpload,
) -> Result<Option<Box<dyn Upload>>, StoreError> {
    let Some(listed) = leftover::parts(store, left).await? else {
        return Ok(None);
    };
    Ok(Some(Box::new(S3Upload {
        store: store.clone(),
        refused: put.checksum.filter(|_| left.checksum.is_none()),
        put: Put {
            checksum: left.checksum,
            ..put.clone()
        },
        full_key: left.key.clone(),
        upload_id: left.upload_id.clone(),
        etag_is_digest: left.etag_is_digest,
        unasked: Mutex::default(),
        listed,
    })))
}

#[async_trait]
impl Upload for S3Upload {
    fn id(&self) -> Option<&str> {
        Some(&self.upload_id)
    }

    fn left(&self) -> Option<LeftUpload> {
        Some(self.left_one())
    }

    fn has(&self, part: &Part) -> Option<StoredPart> {
        let listed = self.listed.get(&part.number)?;
        if !leftover::is_confirmed(listed, part, self.put.checksum) {
            return None;
        }
        self.remember(part);
        Some(listed.clone())
    }

    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError> {
        const OPERATION: &str = "UploadPart";
        let store = &self.store;
        let size = part.bytes.len() as u64;
        let send = || {
            store.retrying(OPERATION, || {
                let request = store
                    .client()
                    .upload_part()
                    .bucket(store.bucket())
                    .key(&self.full_key)
                    .upload_id(&self.upload_id)
                    .part_number(i32::from(part.number.get()))
                    .set_content_md5(content_md5(store, &part.digests))
                    .set_request_payer(payer(self.put.payer))
                    .body(ByteStream::from(part.bytes.clone()));
                let request = with_key!(request, store.key());
                let request = with_checksum!(request, pick(&part.digests, self.put.checksum));
                let request = request
                    .customize()
                    .interceptor(store.payload_hash(&part.digests));
                store.send_content(OPERATION, &self.full_key, size, request.send())
            })
        };
        let output = with_body(store, send).await?;
        self.remember(part);
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
        let from = &copy::paying(from, self.put.payer);
        copy::copy_part(store, key, id, number, from, range, self.put.checksum).await
    }

    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, Incomplete> {
        const OPERATION: &str = "CompleteMultipartUpload";
        let store = &self.store;
        let whole = whole.filter(|whole| Some(whole.algorithm()) != self.refused);
        let completed = CompletedMultipartUpload::builder()
            .set_parts(Some(
                parts.iter().map(|part| self.completed(part)).collect(),
            ))
            .build();
        let size: u64 = parts.iter().map(|part| part.size).sum();
        // an attempt that S3 may have carried out, whatever was heard of it
        let in_doubt = AtomicBool::new(false);
        let (this, whole_sum) = (&self, &whole);
        let (completed, in_doubt_ref) = (&completed, &in_doubt);
        let attempt = |condition: Condition| async move {
            let condition = &condition;
            let send = || async move {
                let mut request = store
                    .client()
                    .complete_multipart_upload()
                    .bucket(store.bucket())
                    .key(&this.full_key)
                    .upload_id(&this.upload_id)
                    .set_mpu_object_size(i64::try_from(size).ok())
                    .set_request_payer(payer(this.put.payer))
                    .multipart_upload(completed.clone());
                if let Some(whole) = whole_sum {
                    request = with_checksum!(request, Some(whole))
                        .checksum_type(ChecksumType::FullObject);
                }
                let request = with_key!(request, store.key());
                let request = with_condition!(request, condition);
                let patience = store.server_side_work();
                let answer = store.send(OPERATION, &this.full_key, patience, request.send());
                answer.await.map_err(|error| {
                    in_doubt_ref.fetch_or(condition::may_be_done(&error), Ordering::Relaxed);
                    refused_for_good(error, condition)
                })
            };
            store.retrying(OPERATION, send).await
        };
        let answer = under(store, &self.put.key, &self.put.condition, attempt).await;
        match answer {
            Ok(output) => {
                // it names no algorithm of SSE-C
                let stored = stored_of!(store, output, output, None, size);
                let parts_are_digests =
                    self.etag_is_digest && parts.iter().all(|part| part.etag_is_digest);
                let stored = Stored {
                    etag_is_digest: stored.etag_is_digest && parts_are_digests,
                    ..stored
                };
                store.note_proofs(OPERATION, self.put.checksum, &stored);
                store.look_back(&self.put, &stored).await;
                Ok(stored)
            }
            Err(error) if error.code.as_deref() == Some(BAD_DIGEST) => {
                self.end_or_tell().await;
                Err(Incomplete::Undone(StoreError {
                    kind: ErrorKind::Corrupted,
                    ..error
                }))
            }
            Err(error) if error.is_conflict() && !in_doubt.load(Ordering::Relaxed) => {
                self.end_or_tell().await;
                Err(Incomplete::Undone(StoreError {
                    kind: ErrorKind::Transient,
                    ..error
                }))
            }
            Err(error) if !in_doubt.load(Ordering::Relaxed) => {
                self.end_or_tell().await;
                Err(Incomplete::Undone(error))
            }
            Err(error) => {
                let expected = Expected::of(&self.put, &parts, whole, &self.remembered());
                self.settle(&expected, error).await
            }
        }
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.end().await.map(drop)
    }
}

const BAD_DIGEST: &str = "BadDigest";

/// What the parts make is not what was sent: it will be no other when they are asked for again. And
/// an upload that met another writer has to be begun again.
fn refused_for_good(error: StoreError, condition: &Condition) -> StoreError {
    match error.kind {
        ErrorKind::Transient if error.is_conflict() => StoreError {
            kind: ErrorKind::Other,
            ..error
        },
        ErrorKind::Corrupted => StoreError {
            kind: ErrorKind::Other,
            code: Some(BAD_DIGEST.to_owned()),
            ..error
        },
        _ => condition::refused(error, condition),
    }
}

impl S3Upload {
    fn left_one(&self) -> LeftUpload {
        LeftUpload {
            key: self.full_key.clone(),
            upload_id: self.upload_id.clone(),
            etag_is_digest: self.etag_is_digest,
            checksum: self.put.checksum,
        }
    }

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
        leftover::end(&self.store, &self.full_key, &self.upload_id, self.put.payer).await
    }

    /// Gives up; what cannot be given up is told.
    async fn end_or_tell(&self) -> Option<Ended> {
        let ended = self.end().await;
        ended
            .inspect_err(|error| tracing::warn!(%error, "a multipart upload could not be aborted"))
            .ok()
    }

    /// Keeps what would prove an object that keeps no checksum of the user's choice.
    fn remember(&self, part: &Part) {
        let unasked = part.digests.iter().find(|digest| {
            self.put.checksum.is_none() && digest.algorithm() == Algorithm::Crc64Nvme
        });
        if let Some(digest) = unasked {
            let mut unasked = self.unasked.lock().unwrap_or_else(PoisonError::into_inner);
            unasked.insert(part.number, *digest);
        }
    }

    fn remembered(&self) -> BTreeMap<NonZeroU16, Digest> {
        let unasked = self.unasked.lock().unwrap_or_else(PoisonError::into_inner);
        unasked.clone()
    }

    /// Finds out what became of an upload whose completion failed without a clear answer. The
    /// object as it is tells whether it is the one the parts make. It is looked at before anything
    /// is aborted, because a server may take the end of a finished upload as well as any other;
    /// and again afterwards, because the completion may have been under way.
    async fn settle(&self, expected: &Expected, error: StoreError) -> Result<Stored, Incomplete> {
        let early = self.look().await;
        if let Ok(head) = &early
            && expected.against(head) == Likeness::Same
        {
            self.end_or_tell().await;
            return Ok(condition::stored(head.clone()));
        }
        let ended = self.end_or_tell().await;
        let head = match self.look().await {
            Ok(head) => head,
            Err(gone) if gone.kind == ErrorKind::NotFound && ended == Some(Ended::Now) => {
                return Err(Incomplete::Undone(error));
            }
            Err(silent) => {
                tracing::debug!(key = self.full_key, error = %silent, "what was completed cannot be asked");
                return Err(Incomplete::Unproved {
                    error,
                    seen: None,
                    is_own: false,
                });
            }
        };
        let is_own = match expected.against(&head) {
            Likeness::Same => return Ok(condition::stored(head)),
            // it was under way until now, and another's object keeps it from being published
            Likeness::Other
                if ended == Some(Ended::Now) && error.kind == ErrorKind::PreconditionFailed =>
            {
                return Err(Incomplete::Undone(error));
            }
            Likeness::Other => ended == Some(Ended::Before) && expected.is_cut_like(&head),
            Likeness::Unknown => false,
        };
        Err(Incomplete::Unproved {
            error,
            seen: Some(Box::new(condition::stored(head))),
            is_own,
        })
    }

    async fn look(&self) -> Result<Head, StoreError> {
        self.store.head((&self.put.key).into(), true).await
    }
}
