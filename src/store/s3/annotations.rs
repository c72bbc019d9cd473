//! ListObjectAnnotations, GetObjectAnnotation, PutObjectAnnotation and DeleteObjectAnnotation:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectAnnotations.html>.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;

use super::error::broken_body;
use super::exchange::patience_for;
use super::write::{content_md5, pick, with_checksum};
use super::{S3Store, answer, arrival};
use crate::digest::{Algorithm, Digest, digest};
use crate::object::{ETag, ObjectVersion};
use crate::store::{
    Annotation, AnnotationContent, AnnotationTag, Annotations, ErrorKind, StoreError,
};

/// More than S3 takes; what is longer is not one.
const LARGEST: usize = 8 << 20;

/// Everything the object has, page by page.
pub(super) async fn list(
    store: &S3Store,
    of: ObjectVersion<'_>,
) -> Result<Annotations, StoreError> {
    const OPERATION: &str = "ListObjectAnnotations";
    let full_key = store.full_key(of.key);
    let mut annotations = Annotations::new();
    let mut token: Option<String> = None;
    loop {
        let output = store
            .retrying(OPERATION, || {
                let request = store
                    .client()
                    .list_object_annotations()
                    .bucket(store.bucket())
                    .key(&full_key)
                    .set_version_id(of.version.map(str::to_owned))
                    .set_continuation_token(token.clone());
                store.send(OPERATION, &full_key, Duration::ZERO, request.send())
            })
            .await?;
        annotations.extend(output.annotations().iter().map(|entry| {
            let annotation = Annotation {
                size: u64::try_from(entry.size()).unwrap_or_default(),
                modified: answer::timestamp(Some(entry.last_modified())),
                etag: entry.e_tag().map(ETag::parse),
            };
            (entry.annotation_name().to_owned(), annotation)
        }));
        match output.next_continuation_token() {
            Some(next) if !next.is_empty() && token.as_deref() != Some(next) => {
                token = Some(next.to_owned());
            }
            _ => return Ok(annotations),
        }
    }
}

/// One of them, with its payload.
pub(super) async fn get(
    store: &S3Store,
    of: ObjectVersion<'_>,
    name: &str,
) -> Result<AnnotationContent, StoreError> {
    let full_key = store.full_key(of.key);
    store
        .retrying("GetObjectAnnotation", || {
            let attempt = Box::pin(attempt(store, &full_key, of, name));
            store.in_time("GetObjectAnnotation", &full_key, attempt)
        })
        .await
}

async fn attempt(
    store: &S3Store,
    full_key: &str,
    of: ObjectVersion<'_>,
    name: &str,
) -> Result<AnnotationContent, StoreError> {
    const OPERATION: &str = "GetObjectAnnotation";
    let request = store
        .client()
        .get_object_annotation()
        .bucket(store.bucket())
        .key(full_key)
        .annotation_name(name)
        .set_version_id(of.version.map(str::to_owned));
    let answer = store.send(OPERATION, full_key, Duration::ZERO, request.send());
    let output = answer.await?;
    let etag = tag(store, output.e_tag(), output.server_side_encryption());
    let length = output
        .content_length()
        .and_then(|n| usize::try_from(n).ok());
    if length.is_some_and(|length| length > LARGEST) {
        let message = format!("the annotation `{name}` is longer than S3 allows");
        return Err(StoreError::new(
            OPERATION,
            full_key,
            ErrorKind::Other,
            message,
        ));
    }
    let silence = store.0.settings.timeouts.of_bodies();
    let body = arrival::whole(output.annotation_payload, silence).await;
    let bytes = body.map_err(|what| broken_body(OPERATION, full_key, what))?;
    if length.is_some_and(|length| length != bytes.len()) {
        let what = format!("the annotation `{name}` ended after {} bytes", bytes.len());
        return Err(broken_body(OPERATION, full_key, what));
    }
    Ok(AnnotationContent { bytes, etag })
}

/// Writes one; S3 compares its MD5 and its CRC64NVME.
pub(super) async fn put(
    store: &S3Store,
    of: ObjectVersion<'_>,
    name: &str,
    bytes: Bytes,
) -> Result<AnnotationTag, StoreError> {
    const OPERATION: &str = "PutObjectAnnotation";
    let full_key = store.full_key(of.key);
    let hashed = [Algorithm::Md5, Algorithm::Crc64Nvme]
        .into_iter()
        .chain(store.0.signs_payloads.then_some(Algorithm::Sha256));
    let digests: Vec<Digest> = hashed.map(|algorithm| digest(algorithm, &bytes)).collect();
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .put_object_annotation()
                .bucket(store.bucket())
                .key(&full_key)
                .annotation_name(name)
                .set_version_id(of.version.map(str::to_owned))
                .set_content_md5(content_md5(store, &digests))
                .annotation_payload(ByteStream::from(bytes.clone()));
            let crc = pick(&digests, Some(Algorithm::Crc64Nvme));
            let request = with_checksum!(request, crc);
            let request = request
                .customize()
                .interceptor(store.payload_hash(&digests));
            let patience = patience_for(bytes.len() as u64);
            store.send(OPERATION, &full_key, patience, request.send())
        })
        .await?;
    Ok(tag(store, output.e_tag(), output.server_side_encryption()))
}

/// Removes one.
pub(super) async fn delete(
    store: &S3Store,
    of: ObjectVersion<'_>,
    name: &str,
) -> Result<(), StoreError> {
    const OPERATION: &str = "DeleteObjectAnnotation";
    let full_key = store.full_key(of.key);
    store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .delete_object_annotation()
                .bucket(store.bucket())
                .key(&full_key)
                .annotation_name(name)
                .set_version_id(of.version.map(str::to_owned));
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await
        .map(drop)
}

fn tag(
    store: &S3Store,
    etag: Option<&str>,
    encryption: Option<&ServerSideEncryption>,
) -> AnnotationTag {
    AnnotationTag {
        etag: etag.map(ETag::parse),
        is_digest: store.etag_is_digest(encryption, None),
    }
}
