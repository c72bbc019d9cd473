//! HEAD and GET: what an object is, and its bytes, hashed as they arrive.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption};
use bytes::Bytes;

use super::error::broken_body;
use super::{S3Store, range_header};
use crate::digest::{Algorithm, Checksum, Digest, Hashers};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::store::buffers::{Buffer, buffer};
use crate::store::{Content, ErrorKind, Head, Read, StoreError};

/// Above this many bytes, hashing leaves the async threads.
const HASH_INLINE: u64 = 256 << 10;

/// Whether an ETag is worth what its shape says:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>.
pub(super) fn etag_is_digest(
    encryption: Option<&ServerSideEncryption>,
    customer_algorithm: Option<&str>,
) -> bool {
    customer_algorithm.is_none() && matches!(encryption, None | Some(ServerSideEncryption::Aes256))
}

/// A time of the SDK as ours.
pub(super) fn timestamp(time: Option<&DateTime>) -> Timestamp {
    time.map_or(Timestamp::new(0, 0), |time| {
        Timestamp::new(time.secs(), time.subsec_nanos())
    })
}

/// The checksum fields of an answer of the SDK, parsed; fields that are not there are left out.
macro_rules! checksums_of {
    ($output:expr) => {{
        use $crate::digest::{Algorithm, Checksum};
        let output = &$output;
        [
            (Algorithm::Crc32, output.checksum_crc32()),
            (Algorithm::Crc32c, output.checksum_crc32_c()),
            (Algorithm::Crc64Nvme, output.checksum_crc64_nvme()),
            (Algorithm::Sha1, output.checksum_sha1()),
            (Algorithm::Sha256, output.checksum_sha256()),
            (Algorithm::Sha512, output.checksum_sha512()),
            (Algorithm::Md5, output.checksum_md5()),
            (Algorithm::XxHash64, output.checksum_xxhash64()),
            (Algorithm::XxHash3, output.checksum_xxhash3()),
            (Algorithm::XxHash128, output.checksum_xxhash128()),
        ]
        .into_iter()
        .filter_map(|(algorithm, text)| Checksum::parse(algorithm, text?))
        .collect::<Vec<Checksum>>()
    }};
}
pub(super) use checksums_of;

/// HEAD: what S3 says of one object.
pub(super) async fn head(
    store: &S3Store,
    key: &ObjectKey,
    checksums: bool,
) -> Result<Head, StoreError> {
    const OPERATION: &str = "HeadObject";
    let full_key = store.full_key(key);
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .head_object()
                .bucket(store.bucket())
                .key(&full_key)
                .set_checksum_mode(checksums.then_some(ChecksumMode::Enabled))
                .send();
            store.send(OPERATION, &full_key, Duration::ZERO, request)
        })
        .await?;
    Ok(Head {
        size: output
            .content_length()
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0),
        modified: timestamp(output.last_modified()),
        etag: output.e_tag().map(ETag::parse),
        etag_is_digest: etag_is_digest(
            output.server_side_encryption(),
            output.sse_customer_algorithm(),
        ),
        version: output.version_id().map(Into::into),
        checksums: checksums_of!(output),
        content_type: output.content_type().map(str::to_owned),
        metadata: lower_case(output.metadata()),
        file_id: None,
    })
}

/// HEAD of one part: its length, where the server counts parts at all.
pub(super) async fn part_size(
    store: &S3Store,
    key: &ObjectKey,
    number: NonZeroU16,
) -> Result<Option<u64>, StoreError> {
    const OPERATION: &str = "HeadObject";
    let full_key = store.full_key(key);
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .head_object()
                .bucket(store.bucket())
                .key(&full_key)
                .part_number(i32::from(number.get()))
                .send();
            store.send(OPERATION, &full_key, Duration::ZERO, request)
        })
        .await?;
    // a server that knows no parts answers for the whole object and counts none
    Ok(output
        .parts_count()
        .and(output.content_length())
        .and_then(|length| u64::try_from(length).ok()))
}

/// GET of an object or a range, collected and hashed.
pub(super) async fn read(store: &S3Store, read: &Read) -> Result<Content, StoreError> {
    let full_key = store.full_key(&read.key);
    store
        .retrying("GetObject", || attempt(store, &full_key, read))
        .await
}

async fn attempt(store: &S3Store, full_key: &str, read: &Read) -> Result<Content, StoreError> {
    const OPERATION: &str = "GetObject";
    let checksums = store.0.settings.read_checksums && read.range.is_none();
    let request = store
        .client()
        .get_object()
        .bucket(store.bucket())
        .key(full_key)
        .set_range(read.range.as_ref().map(range_header))
        .set_if_match(read.if_match.as_ref().map(ETag::quoted))
        .customize()
        .mutate_request(move |request| {
            // set this way the SDK hands the checksum on without computing it as well
            if checksums {
                request
                    .headers_mut()
                    .insert("x-amz-checksum-mode", "ENABLED");
            }
        })
        .send();
    let mut output = store
        .send(OPERATION, full_key, Duration::ZERO, request)
        .await
        .map_err(|error| changed(error, full_key))?;

    let length = output
        .content_length()
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or(0);
    let size = match output.content_range() {
        Some(text) => text
            .rsplit_once('/')
            .and_then(|(_, total)| total.parse().ok())
            .ok_or_else(|| broken_body(OPERATION, full_key, format!("Content-Range `{text}`")))?,
        None => length,
    };
    if read.range.as_ref().is_some_and(|range| range.end > size) {
        return Err(shorter(full_key));
    }
    let asked = read.range.as_ref().map(|range| range.end - range.start);
    if asked.is_some_and(|asked| asked != length) {
        return Err(broken_body(
            OPERATION,
            full_key,
            format!(
                "the server answered {length} bytes, not the {} asked for",
                asked.unwrap_or(0)
            ),
        ));
    }
    let body = std::mem::take(&mut output.body);
    let silence = store.0.settings.timeouts.read;
    let (bytes, digests) = collect(body, length, &read.hash, silence)
        .await
        .map_err(|what| broken_body(OPERATION, full_key, what))?;
    let head = Head {
        size,
        modified: timestamp(output.last_modified()),
        etag: output.e_tag().map(ETag::parse),
        etag_is_digest: etag_is_digest(
            output.server_side_encryption(),
            output.sse_customer_algorithm(),
        ),
        version: output.version_id().map(Into::into),
        checksums: if checksums {
            checksums_of!(output)
        } else {
            Vec::new()
        },
        content_type: output.content_type().map(str::to_owned),
        metadata: lower_case(output.metadata()),
        file_id: None,
    };
    Ok(Content {
        bytes,
        digests,
        head,
        request_id: super::write::request_id(&output),
    })
}

/// A failed If-Match, or no byte where some were, means that the object is not the listed one any
/// more.
fn changed(error: StoreError, full_key: &str) -> StoreError {
    if error.code.as_deref() == Some("InvalidRange") {
        return StoreError {
            request_id: error.request_id,
            ..shorter(full_key)
        };
    }
    match error.kind {
        ErrorKind::PreconditionFailed => StoreError {
            kind: ErrorKind::Changed,
            message: "the object was replaced since it was listed".to_owned(),
            ..error
        },
        _ => error,
    }
}

fn shorter(full_key: &str) -> StoreError {
    let message = "the object is shorter than it was listed";
    StoreError::new("GetObject", full_key, ErrorKind::Changed, message)
}

/// Takes a body of exactly `length` bytes; anything else is an error in words.
async fn collect(
    mut body: ByteStream,
    length: u64,
    algorithms: &[Algorithm],
    silence: Duration,
) -> Result<(Bytes, Vec<Digest>), String> {
    let capacity = usize::try_from(length).map_err(|_| format!("a body of {length} bytes"))?;
    let mut hashers = Hashers::new(algorithms.iter().copied());
    let inline = length <= HASH_INLINE;
    let mut received = 0;
    let mut whole = None;
    let mut pieces: Option<Buffer> = None;
    loop {
        let frame = tokio::time::timeout(silence, body.next())
            .await
            .map_err(|_| format!("the body fell silent for {} s", silence.as_secs()))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| format!("the body broke off: {error}"))?;
        received += frame.len();
        if received > capacity {
            return Err(format!(
                "the body is longer than the {length} bytes promised"
            ));
        }
        if inline {
            hashers.update(&frame);
        }
        if frame.len() == capacity {
            whole = Some(frame);
        } else {
            let pieces = pieces.get_or_insert_with(|| buffer(capacity));
            pieces.extend_from_slice(&frame);
        }
    }
    if received != capacity {
        return Err(format!("the body ended after {received} of {length} bytes"));
    }
    let bytes = match (whole, pieces) {
        (Some(frame), _) => frame,
        (None, Some(pieces)) => pieces.freeze(),
        (None, None) => Bytes::new(),
    };
    if inline || algorithms.is_empty() {
        return Ok((bytes, hashers.finish()));
    }
    let hashed = bytes.clone();
    let digests = tokio::task::spawn_blocking(move || {
        hashers.update(&hashed);
        hashers.finish()
    })
    .await
    .map_err(|error| format!("hashing stopped: {error}"))?;
    Ok((bytes, digests))
}

fn lower_case(
    metadata: Option<&std::collections::HashMap<String, String>>,
) -> BTreeMap<String, String> {
    metadata
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// The stored checksum under one algorithm, if there is one.
pub(super) fn digest_under(checksums: &[Checksum], algorithm: Algorithm) -> Option<Digest> {
    checksums
        .iter()
        .map(Checksum::digest)
        .find(|digest| digest.algorithm() == algorithm)
        .copied()
}
