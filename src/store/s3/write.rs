//! PutObject.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::answer::stored_of;
use super::completion::Expected;
use super::encryption::with_encryption;
use super::headers::{with_attributes, with_condition};
use super::learnt::{Told, asking_for, under};
use super::locked::with_body;
use super::once::{Written, attempted};
use super::payer::NotPaying;
use super::{S3Store, condition};
use crate::digest::{Algorithm, Digest};
use crate::store::{Condition, ErrorKind, Put, StoreError, Stored};

/// Sets the header of a precomputed additional checksum on any request builder that has them.
macro_rules! with_checksum {
    ($request:expr, $digest:expr) => {{
        use $crate::digest::Algorithm;
        let request = $request;
        match $digest {
            None => request,
            Some(digest) => {
                let value = digest.base64();
                match digest.algorithm() {
                    Algorithm::Md5 => request.checksum_md5(value),
                    Algorithm::Sha1 => request.checksum_sha1(value),
                    Algorithm::Sha256 => request.checksum_sha256(value),
                    Algorithm::Sha512 => request.checksum_sha512(value),
                    Algorithm::Crc32 => request.checksum_crc32(value),
                    Algorithm::Crc32c => request.checksum_crc32_c(value),
                    Algorithm::Crc64Nvme => request.checksum_crc64_nvme(value),
                    Algorithm::XxHash64 => request.checksum_xxhash64(value),
                    Algorithm::XxHash3 => request.checksum_xxhash3(value),
                    Algorithm::XxHash128 => request.checksum_xxhash128(value),
                }
            }
        }
    }};
}
pub(super) use with_checksum;

/// The digest under one algorithm among those computed of the bytes.
pub(super) fn pick(digests: &[Digest], algorithm: Option<Algorithm>) -> Option<&Digest> {
    digests
        .iter()
        .find(|digest| Some(digest.algorithm()) == algorithm)
}

/// The Content-MD5 of a body, unless the user switched it off and nobody demands it.
pub(super) fn content_md5(store: &S3Store, digests: &[Digest]) -> Option<String> {
    let wanted = store.sends_content_md5().then_some(Algorithm::Md5);
    pick(digests, wanted).map(Digest::base64)
}

/// PutObject.
pub(super) async fn put(
    store: &S3Store,
    put: &Put,
    bytes: Bytes,
    digests: &[Digest],
) -> Result<Stored, StoreError> {
    const OPERATION: &str = "PutObject";
    let full_key = store.full_key(&put.key);
    let size = bytes.len() as u64;
    let (full_key, bytes) = (full_key.as_str(), &bytes);
    let turn = store.turn_to_encrypt(OPERATION, full_key).await?;
    // an attempt that S3 may have carried out, whatever was heard of it
    let in_doubt = &AtomicBool::new(false);
    let expected = &Expected::of_whole(put, digests);
    let attempt = |checksum, condition: Condition| async move {
        let condition = &condition;
        let send = || {
            let request = store
                .client()
                .put_object()
                .bucket(store.bucket())
                .key(full_key)
                .set_content_md5(content_md5(store, digests))
                .body(ByteStream::from(bytes.clone()));
            let request = with_attributes!(request, put);
            let request = with_condition!(request, condition);
            let request = with_encryption!(request, store.encryption());
            let request = with_checksum!(request, pick(digests, checksum));
            let untyped = put.attributes.content_type.is_none();
            let payload = store.payload_hash(digests).untyped(untyped);
            let request = request.customize().interceptor(payload);
            let request = request.interceptor(NotPaying::for_a(put));
            let answer = store.send_content(OPERATION, full_key, size, request.send());
            attempted(store, put, expected, in_doubt, answer)
        };
        with_body(store, || store.retrying(OPERATION, send)).await
    };
    let attempt = |checksum| {
        under(store, &put.key, &put.condition, move |condition| {
            attempt(checksum, condition)
        })
    };
    let (output, asked) = match asking_for(store, put.checksum, attempt).await {
        Ok((Written::Answered(output), asked)) => (output, asked),
        Ok((Written::Found(stored), _)) => return Ok(stored),
        Err(error) => {
            let error = condition::refused(error, &put.condition);
            let is_refused = error.kind == ErrorKind::PreconditionFailed;
            if is_refused && in_doubt.load(Ordering::Relaxed) {
                return condition::settle(store, &put.key, expected, error).await;
            }
            return Err(error);
        }
    };
    let customer = output.sse_customer_algorithm();
    let stored = stored_of!(store, output, output, customer, size);
    store.note_proofs(OPERATION, asked, &stored);
    let told = Told {
        method: output.server_side_encryption(),
        customer,
    };
    let undone = || store.remove_in_the_clear(put, &stored);
    store.encrypted(OPERATION, full_key, told, undone).await?;
    drop(turn);
    store.look_back(put, &stored).await;
    Ok(stored)
}
