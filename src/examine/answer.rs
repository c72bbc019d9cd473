//! Is the object to be transferred?

use std::num::NonZeroU16;

use super::Examiner;
use super::layout::candidates;
use crate::context::cancelled;
use crate::digest::{Algorithm, Checksum, Digest, Why, composite};
use crate::event::{Cause, Listed};
use crate::object::{ETag, Entry};
use crate::plan::{Examine, Question};
use crate::store::{ErrorKind, Read, StoreError};

/// User metadata that carries a source's time which lies after the upload's own.
pub const ORIGIN_LAST_MODIFIED: &str = "s3sync_origin_last_modified";

/// What an examination found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The target has it already.
    Unchanged(Listed),
    /// It is to be brought over.
    Transfer {
        /// Why.
        because: Cause,
        /// What the target has under the key, if it has it.
        replaces: Option<Listed>,
    },
    /// Of equal size, and nothing tells whether the content is the same.
    Undecided {
        /// What the target has.
        target: Listed,
        /// Why it cannot be told.
        why: Why,
    },
}

/// Finds out what the question asks.
pub(super) async fn answer(via: &Examiner, examine: &Examine) -> Result<Answer, StoreError> {
    let (Some(target), source) = (&examine.target, &examine.source) else {
        return Err(not_yet());
    };
    let cause = match examine.question {
        Question::SameSecond => match same_second(via, source, target).await {
            // no longer what was listed: the transfer looks again, and has its retries
            Err(error) if error.kind == ErrorKind::Changed => Some(Cause::Undecided),
            answer => answer?,
        },
        Question::FutureTime => match future_time(via, source, target).await? {
            Some(Cause::Missing) => {
                return Ok(Answer::Transfer {
                    because: Cause::Missing,
                    replaces: None,
                });
            }
            cause => cause,
        },
        Question::Content(_) | Question::Target => return Err(not_yet()),
    };
    Ok(match cause {
        None => Answer::Unchanged(target.into()),
        Some(because) => Answer::Transfer {
            because,
            replaces: Some(target.into()),
        },
    })
}

fn not_yet() -> StoreError {
    StoreError::unsupported("examine", "contents cannot be compared yet")
}

/// The target keeps the source's time as metadata, if this program wrote it.
async fn future_time(
    via: &Examiner,
    source: &Entry,
    target: &Entry,
) -> Result<Option<Cause>, StoreError> {
    let head = match via.ends.target.head(&target.key, false).await {
        Ok(head) => head,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Some(Cause::Missing)),
        Err(error) => return Err(error),
    };
    let kept = head.metadata.get(ORIGIN_LAST_MODIFIED);
    let same = kept == Some(&source.modified.rfc3339_offset());
    Ok((!same).then_some(Cause::Newer))
}

/// Compares the file's digest with the target's ETag.
async fn same_second(
    via: &Examiner,
    source: &Entry,
    target: &Entry,
) -> Result<Option<Cause>, StoreError> {
    let size = source.size;
    let layouts = match &target.etag {
        Some(ETag::Md5Shaped(_)) => vec![None],
        Some(ETag::MultipartShaped { parts, .. }) => {
            let wanted = via.chunksize;
            candidates(size, *parts, wanted)
                .into_iter()
                .map(Some)
                .collect()
        }
        Some(ETag::Opaque(_)) | None => Vec::new(),
    };
    let stored = target.etag.as_ref().and_then(Checksum::of_etag);
    // the first two guesses: reading a large file more often costs more than sending it
    for layout in layouts.into_iter().take(2) {
        let digests = digests(via, source, layout.map(|layout| layout.part_size)).await?;
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
    via: &Examiner,
    source: &Entry,
    part_size: Option<u64>,
) -> Result<Vec<Digest>, StoreError> {
    let size = source.size;
    let piece = via.chunksize.min(part_size.unwrap_or(u64::MAX));
    let mut digests = Vec::new();
    let mut hasher = crate::digest::Hasher::new(Algorithm::Md5);
    let mut in_part = 0;
    let mut at = 0;
    while at < size {
        if via.context.stop.is_cancelled() {
            return Err(cancelled(source.key.as_str()));
        }
        let left_in_part = part_size.map_or(u64::MAX, |part_size| part_size - in_part);
        let end = (at + piece.min(left_in_part)).min(size);
        let _reserved = via.context.budget.reserve(end - at).await;
        let read = Read {
            key: source.key.clone(),
            range: Some(at..end),
            if_match: source.etag.clone(),
            hash: Vec::new(),
        };
        let content = via.ends.source.read(&read).await?;
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
