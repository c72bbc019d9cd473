//! What the listings do not tell: a look at the target's metadata, or at the source's content.

use std::num::NonZeroU16;

use super::Transferrer;
use super::layout::candidates;
use super::whole::cancelled;
use crate::digest::{Algorithm, Checksum, Digest, composite};
use crate::event::Cause;
use crate::object::ETag;
use crate::plan::{Examine, Question};
use crate::store::{ErrorKind, Read, StoreError};

/// User metadata that carries a source's time which lies after the upload's own.
pub(super) const ORIGIN_LAST_MODIFIED: &str = "s3sync_origin_last_modified";

/// Why the object is to be transferred; `None` if it is unchanged.
pub(super) async fn answer(
    via: &Transferrer,
    examine: &Examine,
) -> Result<Option<Cause>, StoreError> {
    match examine.question {
        Question::SameSecond => match same_second(via, examine).await {
            // no longer what was listed: the transfer looks again, and has its retries
            Err(error) if error.kind == ErrorKind::Changed => Ok(Some(Cause::Undecided)),
            answer => answer,
        },
        Question::FutureTime => future_time(via, examine).await,
    }
}

/// The target keeps the source's time as metadata, if this program wrote it.
async fn future_time(via: &Transferrer, examine: &Examine) -> Result<Option<Cause>, StoreError> {
    let head = match via.target.head(&examine.target.key, false).await {
        Ok(head) => head,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Some(Cause::Missing)),
        Err(error) => return Err(error),
    };
    let kept = head.metadata.get(ORIGIN_LAST_MODIFIED);
    let same = kept == Some(&examine.source.modified.rfc3339_offset());
    Ok((!same).then_some(Cause::Newer))
}

/// Compares the file's digest with the target's ETag.
async fn same_second(via: &Transferrer, examine: &Examine) -> Result<Option<Cause>, StoreError> {
    let size = examine.source.size;
    let layouts = match &examine.target.etag {
        Some(ETag::Md5Shaped(_)) => vec![None],
        Some(ETag::MultipartShaped { parts, .. }) => {
            let wanted = via.pair.multipart_chunksize;
            candidates(size, *parts, wanted)
                .into_iter()
                .map(Some)
                .collect()
        }
        Some(ETag::Opaque(_)) | None => Vec::new(),
    };
    let stored = examine.target.etag.as_ref().and_then(Checksum::of_etag);
    // the first two guesses: reading a large file more often costs more than sending it
    for layout in layouts.into_iter().take(2) {
        let digests = digests(via, examine, layout.map(|layout| layout.part_size)).await?;
        let computed = match layout {
            None => digests.first().copied().map(Checksum::Whole),
            Some(_) => composite(&digests),
        };
        if computed == stored {
            return Ok(None);
        }
        if layout.is_none() {
            return Ok(Some(Cause::ETagDiffers));
        }
    }
    Ok(Some(Cause::Undecided))
}

/// The MD5s of the source's parts; one of the whole without a part size.
async fn digests(
    via: &Transferrer,
    examine: &Examine,
    part_size: Option<u64>,
) -> Result<Vec<Digest>, StoreError> {
    let size = examine.source.size;
    let piece = via
        .pair
        .multipart_chunksize
        .min(part_size.unwrap_or(u64::MAX));
    let mut digests = Vec::new();
    let mut hasher = crate::digest::Hasher::new(Algorithm::Md5);
    let mut in_part = 0;
    let mut at = 0;
    while at < size {
        if via.stop.is_cancelled() {
            return Err(cancelled(examine.source.key.as_str()));
        }
        let left_in_part = part_size.map_or(u64::MAX, |part_size| part_size - in_part);
        let end = (at + piece.min(left_in_part)).min(size);
        let _reserved = via.budget.reserve(end - at).await;
        let read = Read {
            key: examine.source.key.clone(),
            range: Some(at..end),
            if_match: examine.source.etag.clone(),
            hash: Vec::new(),
        };
        let content = via.source.read(&read).await?;
        hasher = tokio::task::spawn_blocking(move || {
            hasher.update(&content.bytes);
            hasher
        })
        .await
        .expect("hashing does not panic");
        in_part += end - at;
        at = end;
        if part_size == Some(in_part) && at < size {
            digests.push(
                std::mem::replace(&mut hasher, crate::digest::Hasher::new(Algorithm::Md5)).finish(),
            );
            in_part = 0;
        }
    }
    digests.push(hasher.finish());
    debug_assert!(NonZeroU16::new(digests.len().try_into().unwrap_or(0)).is_some());
    Ok(digests)
}
