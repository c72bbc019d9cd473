//! HEAD and GET: what an object is, and its bytes, hashed as they arrive.

use std::num::NonZeroU16;
use std::time::Duration;

use aws_sdk_s3::types::{ChecksumMode, StorageClass};
use bytes::Bytes;

use super::answer::{head_of, is_archived, request_id};
use super::arrival::Arrival;
use super::encryption::with_key;
use super::error::broken_body;
use super::learnt::{Extra, is_left_out};
use super::strangers::Strangers;
use super::{S3Store, headers};
use crate::digest::{Algorithm, Digest, Hashers};
use crate::object::{ETag, ObjectVersion};
use crate::store::buffers::{Buffer, buffer};
use crate::store::{Content, ErrorKind, Head, Read, StoreError};

/// Above this many bytes, hashing leaves the async threads.
const HASH_INLINE: u64 = 256 << 10;

/// HEAD: what S3 says of one object.
pub(super) async fn head(
    store: &S3Store,
    of: ObjectVersion<'_>,
    checksums: bool,
) -> Result<Head, StoreError> {
    const OPERATION: &str = "HeadObject";
    let full_key = store.full_key(of.key);
    let strangers = Strangers::default();
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .head_object()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned))
                .set_checksum_mode(checksums.then_some(ChecksumMode::Enabled));
            let request = with_key!(request, store.key())
                .customize()
                .interceptor(strangers.clone())
                .send();
            store.send(OPERATION, &full_key, Duration::ZERO, request)
        })
        .await?;
    let size = output.content_length().and_then(|n| u64::try_from(n).ok());
    let unknown = strangers.seen();
    let class = output.storage_class().map(StorageClass::as_str);
    let is_archived = is_archived(class, output.restore(), output.archive_status());
    Ok(Head {
        is_archived,
        ..head_of!(store, output, unknown, size.unwrap_or(0))
    })
}

/// HEAD of one part: its length, where the server counts parts at all.
pub(super) async fn part_size(
    store: &S3Store,
    of: ObjectVersion<'_>,
    number: NonZeroU16,
) -> Result<Option<u64>, StoreError> {
    const OPERATION: &str = "HeadObject";
    let full_key = store.full_key(of.key);
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .head_object()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned))
                .part_number(i32::from(number.get()));
            let request = with_key!(request, store.key()).send();
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
        .retrying("GetObject", || {
            let attempt = Box::pin(attempt(store, &full_key, read));
            store.in_time("GetObject", &full_key, attempt)
        })
        .await
}

async fn attempt(store: &S3Store, full_key: &str, read: &Read) -> Result<Content, StoreError> {
    const OPERATION: &str = "GetObject";
    let checksums = store.0.settings.read_checksums && read.range.is_none();
    let strangers = Strangers::default();
    let request = store
        .client()
        .get_object()
        .bucket(store.bucket())
        .key(full_key)
        .set_version_id(read.version.as_deref().map(str::to_owned))
        .set_range(read.range.as_ref().map(headers::range))
        .set_if_match(read.if_match.as_ref().map(ETag::quoted));
    let request = with_key!(request, store.key())
        .customize()
        .interceptor(strangers.clone())
        .mutate_request(move |request| {
            // set this way the SDK hands the checksum on without computing it as well
            if checksums && !is_left_out(Extra::ReadChecksums) {
                request
                    .headers_mut()
                    .insert("x-amz-checksum-mode", "ENABLED");
            }
        })
        .send();
    let content = store.turn(OPERATION, full_key, read.expected).await?;
    let mut output = store
        .send(OPERATION, full_key, Duration::ZERO, request)
        .await
        .map_err(|error| changed(error, full_key))?;

    if is_another(read.if_match.as_ref(), output.e_tag()) {
        // an endpoint that does not look at If-Match
        return Err(replaced(full_key));
    }
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
    let arrival = Arrival {
        body,
        silence: store.0.settings.timeouts.of_bodies(),
        content,
    };
    let (bytes, digests) = collect(arrival, length, &read.hash)
        .await
        .map_err(|what| broken_body(OPERATION, full_key, what))?;
    let head = head_of!(store, output, strangers.seen(), size);
    Ok(Content {
        bytes,
        digests,
        head,
        request_id: request_id(&output),
    })
}

const REPLACED: &str = "the object was replaced since it was listed";

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
            message: REPLACED.to_owned(),
            ..error
        },
        _ => error,
    }
}

/// Whether the answer is of another object than was asked for.
fn is_another(asked: Option<&ETag>, told: Option<&str>) -> bool {
    match (asked, told) {
        (Some(asked), Some(told)) => *asked != ETag::parse(told),
        _ => false,
    }
}

fn replaced(full_key: &str) -> StoreError {
    StoreError::new("GetObject", full_key, ErrorKind::Changed, REPLACED)
}

fn shorter(full_key: &str) -> StoreError {
    let message = "the object is shorter than it was listed";
    StoreError::new("GetObject", full_key, ErrorKind::Changed, message)
}

/// Takes a body of exactly `length` bytes; anything else is an error in words.
async fn collect(
    mut arrival: Arrival,
    length: u64,
    algorithms: &[Algorithm],
) -> Result<(Bytes, Vec<Digest>), String> {
    let capacity = usize::try_from(length).map_err(|_| format!("a body of {length} bytes"))?;
    let mut hashers = Hashers::new(algorithms.iter().copied());
    let inline = length <= HASH_INLINE;
    let mut received = 0;
    let mut whole = None;
    let mut pieces: Option<Buffer> = None;
    loop {
        let Some(frame) = arrival.next().await? else {
            break;
        };
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
