//! CopyObject and UploadPartCopy: bytes that never leave S3.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::types::{
    AnnotationDirective, ChecksumAlgorithm, MetadataDirective, RequestPayer, TaggingDirective,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::{part_of, stored_of};
use super::completion::Expected;
use super::encryption::{with_encryption, with_key, with_source_key};
use super::error::WANTS_KEY;
use super::headers::{with_attributes, with_condition};
use super::learnt::{Told, asking_for, under};
use super::once::{Written, attempted};
use super::payer::NotPaying;
use super::{S3Store, condition, headers};
use crate::digest::Algorithm;
use crate::object::ETag;
use crate::store::{Condition, Copied, CopySource, ErrorKind, Payer, Put, StoreError, StoredPart};

/// Everything but RFC 3986's unreserved characters and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The value of `x-amz-copy-source`, encoded as
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html> demands: the SDK sends
/// it as it is given, and a raw `+`, `?` or `%` would name another object.
pub(super) fn encoded(from: &CopySource) -> String {
    let bucket = if from.bucket.starts_with("arn:") {
        // an access point is named by its ARN and the word `object`
        format!("{}/object", from.bucket)
    } else {
        from.bucket.clone()
    };
    let mut header = format!("{bucket}/{}", utf8_percent_encode(&from.key, ENCODED));
    if let Some(version) = &from.version {
        header.push_str("?versionId=");
        header.extend(utf8_percent_encode(version, ENCODED));
    }
    header
}

/// CopyObject. Headers and metadata are those of `put`, because S3 itself would leave some behind;
/// tags and annotations come along as [`CopySource::brings`] says.
pub(super) async fn copy(
    store: &S3Store,
    put: &Put,
    from: &CopySource,
) -> Result<Copied, StoreError> {
    const OPERATION: &str = "CopyObject";
    let full_key = store.full_key(&put.key);
    let key = full_key.as_str();
    let turn = store.turn_to_encrypt(OPERATION, key).await?;
    // an attempt that S3 may have carried out, whatever was heard of it
    let in_doubt = &AtomicBool::new(false);
    let expected = &Expected::of_copy(put, from.if_match.as_ref());
    let attempt = |checksum: Option<Algorithm>, condition: Condition| async move {
        let condition = &condition;
        let send = || {
            let request = store
                .client()
                .copy_object()
                .bucket(store.bucket())
                .key(key)
                .copy_source(encoded(from))
                .set_copy_source_if_match(from.if_match.as_ref().map(ETag::quoted))
                .set_tagging_directive((!from.brings.tags).then_some(TaggingDirective::Replace))
                .set_annotation_directive(annotations(store, from))
                .set_checksum_algorithm(
                    checksum.map(|algorithm| ChecksumAlgorithm::from(algorithm.as_str())),
                )
                .metadata_directive(MetadataDirective::Replace);
            let request = with_attributes!(request, put);
            let request = with_condition!(request, condition);
            let request = with_encryption!(request, store.encryption());
            let request = with_source_key!(request, from.customer_key.as_ref());
            let request = request.set_request_payer(payer(&paying(from, put.payer)));
            let request = request
                .customize()
                .interceptor(NotPaying::for_copy(from, put));
            let patience = store.server_side_work();
            let answer = store.send(OPERATION, key, patience, request.send());
            attempted(store, put, expected, in_doubt, answer)
        };
        store.retrying(OPERATION, send).await
    };
    let attempt = |checksum| {
        under(store, &put.key, &put.condition, move |condition| {
            attempt(checksum, condition)
        })
    };
    let (output, asked) = match asking_for(store, put.checksum, attempt).await {
        Ok((Written::Answered(output), asked)) => (output, asked),
        Ok((Written::Found(stored), _)) => {
            let of = from.version.clone();
            return Ok(Copied { stored, of });
        }
        Err(error) if put.condition == Condition::None => return Err(changed(error, from)),
        Err(error) => {
            let error = of_source(error, from);
            if error.kind == ErrorKind::NotFound {
                // be it the source or the target
                return Err(error);
            }
            let error = condition::refused(error, &put.condition);
            if error.kind != ErrorKind::PreconditionFailed || !in_doubt.load(Ordering::Relaxed) {
                return Err(error);
            }
            let stored = condition::settle(store, &put.key, expected, error).await?;
            return Ok(Copied { stored, of: None });
        }
    };
    let result = output
        .copy_object_result()
        .ok_or_else(|| no_result(OPERATION, &full_key))?;
    let customer = output.sse_customer_algorithm();
    let stored = stored_of!(store, output, result, customer, put.size);
    store.note_proofs(OPERATION, asked, &stored);
    let told = Told {
        method: output.server_side_encryption(),
        customer,
    };
    let undone = || store.remove_in_the_clear(put, &stored);
    store.encrypted(OPERATION, key, told, undone).await?;
    drop(turn);
    store.look_back(put, &stored).await;
    let of = output.copy_source_version_id().map(Into::into);
    Ok(Copied { stored, of })
}

/// Annotations come along unless they are left out, where there are any.
fn annotations(store: &S3Store, from: &CopySource) -> Option<AnnotationDirective> {
    let may_have_some = !store.0.settings.location.is_directory_bucket();
    (may_have_some && !from.brings.annotations).then_some(AnnotationDirective::Exclude)
}

/// UploadPartCopy.
pub(super) async fn copy_part(
    store: &S3Store,
    full_key: &str,
    upload_id: &str,
    number: NonZeroU16,
    from: &CopySource,
    range: Range<u64>,
    checksum: Option<Algorithm>,
) -> Result<StoredPart, StoreError> {
    const OPERATION: &str = "UploadPartCopy";
    let size = range.end - range.start;
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .upload_part_copy()
                .bucket(store.bucket())
                .key(full_key)
                .upload_id(upload_id)
                .part_number(i32::from(number.get()))
                .copy_source(encoded(from))
                .copy_source_range(headers::range(&range))
                .set_copy_source_if_match(from.if_match.as_ref().map(ETag::quoted));
            let request = with_key!(request, store.key());
            let request = with_source_key!(request, from.customer_key.as_ref());
            let request = request.set_request_payer(payer(from));
            let patience = store.server_side_work();
            store.send(OPERATION, full_key, patience, request.send())
        })
        .await
        .map_err(|error| changed(error, from))?;
    let result = output
        .copy_part_result()
        .ok_or_else(|| no_result(OPERATION, full_key))?;
    Ok(part_of!(store, output, result, number, checksum, size))
}

/// The same source, read and written by somebody who says so where either end wants it.
pub(super) fn paying(from: &CopySource, payer: Payer) -> CopySource {
    CopySource {
        requester_pays: from.requester_pays || payer == Payer::Requester,
        ..from.clone()
    }
}

/// Who pays for what is read of the source's bucket.
fn payer(from: &CopySource) -> Option<RequestPayer> {
    from.requester_pays.then_some(RequestPayer::Requester)
}

/// The source is guarded by the ETag it was listed with.
fn changed(error: StoreError, from: &CopySource) -> StoreError {
    let error = of_source(error, from);
    match error.kind {
        ErrorKind::PreconditionFailed => StoreError {
            kind: ErrorKind::Changed,
            message: "the source object was replaced since it was listed".to_owned(),
            ..error
        },
        _ => error,
    }
}

/// What is refused of a copy may be its source, whose key is another than the target's.
fn of_source(error: StoreError, from: &CopySource) -> StoreError {
    let advice = match error.kind {
        ErrorKind::AccessDenied if from.customer_key.is_some() => {
            "; if the source's sse_c_key is not the one the object was encrypted with, set that"
        }
        ErrorKind::Other if error.message == WANTS_KEY => ", which for a copy is the source's",
        _ => return error,
    };
    StoreError {
        message: format!("{}{advice}", error.message),
        ..error
    }
}

fn no_result(operation: &'static str, key: &str) -> StoreError {
    StoreError::new(
        operation,
        key,
        ErrorKind::Other,
        "the server answered without a result",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Brings;

    #[test]
    fn copy_sources_name_the_very_key() {
        for (bucket, key, version, header) in [
            ("b", "a/b.txt", None, "b/a/b.txt"),
            ("b", "a b+c%d?e#f&g", None, "b/a%20b%2Bc%25d%3Fe%23f%26g"),
            ("b", "ü/\u{3000}", None, "b/%C3%BC/%E3%80%80"),
            ("b", "k", Some("v/1+"), "b/k?versionId=v/1%2B"),
            (
                "arn:aws:s3:eu-west-1:1:accesspoint/ap",
                "k",
                None,
                "arn:aws:s3:eu-west-1:1:accesspoint/ap/object/k",
            ),
        ] {
            let from = CopySource {
                bucket: bucket.into(),
                key: key.into(),
                version: version.map(Into::into),
                if_match: None,
                customer_key: None,
                requester_pays: false,
                brings: Brings::default(),
            };
            assert_eq!(encoded(&from), header, "{key}");
        }
    }
}
