/*! An object copied inside S3 part by part, cut as its source is: so it keeps its ETag and its
checksum, and both are compared before it is published.
*/

use futures::{StreamExt as _, TryStreamExt as _};

use super::parts::give_up;
use super::resume::{self, Filling};
use super::scheme::own_parts;
use super::server_side::MAX_COPY;
use super::trouble::{Trouble, of_completion, of_target};
use super::{Transferrer, Work, Written, annotations, tags};
use crate::context::cancelled;
use crate::digest::{Algorithm, Axis, Checksum, Digest, Mismatch, Verdict, combine_crc, composite};
use crate::examine::{Cut, Parts};
use crate::object::ETag;
use crate::store::{Annotations, CopySource, Head, Put, StoreError, Stored, StoredPart, Upload};

/// What was made of the parts.
pub(super) struct Made {
    pub(super) stored: Stored,
    /// How many there were, and the length of each but the last, if they are of one.
    pub(super) parts: (u16, Option<u64>),
    /// What the source has, and this does not have yet.
    pub(super) annotations: Annotations,
}

/// Copies the object as its source is cut, to be written like `plain` and with its tags. `None`
/// where that is not known, and the object can be copied whole.
pub(super) async fn copy(
    via: &Transferrer,
    work: &Work,
    plain: &Put,
    from: &CopySource,
    head: &Head,
) -> Result<Option<Made>, Trouble> {
    let Some(mut cut) = first_cut(via, work, head).await? else {
        return Ok(None);
    };
    let plain = if via.preprocess.is_empty() {
        tags::with_tags(via, work, head, plain.clone()).await?
    } else {
        plain.clone()
    };
    let mut put = with_checksum_of(head, &plain);
    loop {
        let upload = resume::begin(via, work, &put, Filling::Copied).await;
        let upload = upload.map_err(of_target)?;
        let parts = match copy_parts(via, (work, head), &*upload, from, &cut.parts).await {
            Ok(parts) => parts,
            Err(error) => {
                give_up(upload).await;
                return Err(error.into());
            }
        };
        let untold = put.checksum.is_some() && parts.iter().any(|part| part.checksum.is_none());
        if untold && put != plain {
            // an endpoint that keeps no checksums of copied parts
            give_up(upload).await;
            put = plain.clone();
            continue;
        }
        if let Some(mismatch) = difference(via, head, &put, &parts) {
            let told = match mismatch.sent {
                Checksum::Composite { parts: count, .. } if !cut.is_told => {
                    via.examiner.told_parts(&work.entry, count).await
                }
                // of the whole it is no matter how it is cut
                Checksum::Composite { .. } | Checksum::Whole(_) => Ok(Some(cut.parts.clone())),
            };
            let told = match told {
                Ok(told) => told,
                Err(error) => {
                    give_up(upload).await;
                    return Err(error.into());
                }
            };
            // nobody tells how it is cut: then the difference proves nothing
            if let Some(told) = told {
                give_up(upload).await;
                if told == cut.parts {
                    return Err(Trouble::Damaged(mismatch));
                }
                cut = Cut {
                    parts: told,
                    is_told: true,
                };
                continue;
            }
        }
        let annotations = match annotations::ahead(via, work, head).await {
            Ok(annotations) => annotations,
            Err(error) => {
                give_up(upload).await;
                return Err(error.into());
            }
        };
        let whole = whole_of(head, &put).filter(|_| via.pair.verify.checksum);
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        let size = cut.parts.size();
        let completed = upload.complete(parts, whole).await;
        let stored = completed.map_err(of_completion)?;
        return Ok(Some(Made {
            stored,
            parts: (count, size),
            annotations,
        }));
    }
}

/// The parts the object was uploaded in, as far as that can be guessed or asked; for one that is
/// too large for one copy, parts of the user's size.
async fn first_cut(via: &Transferrer, work: &Work, head: &Head) -> Result<Option<Cut>, StoreError> {
    let cut = match head.etag.as_ref().and_then(ETag::parts) {
        Some(count) => via.examiner.likely_parts(&work.entry, count).await?,
        None => None,
    };
    if cut.is_some() {
        return Ok(cut.filter(|_| head.size > 0));
    }
    let own = || Cut {
        parts: own_parts(via, work.entry.key.as_str(), head.size),
        is_told: false,
    };
    Ok((head.size > MAX_COPY).then(own))
}

/// What is written, with the checksum the source has where the user names no other.
fn with_checksum_of(head: &Head, plain: &Put) -> Put {
    let carried = match head.checksums.first() {
        _ if plain.checksum.is_some() => None,
        Some(Checksum::Whole(whole)) if whole.algorithm().is_crc() => Some((whole, true)),
        Some(Checksum::Composite { digest, .. }) => Some((digest, false)),
        Some(Checksum::Whole(_)) | None => None,
    };
    match carried {
        Some((digest, full_object)) => Put {
            checksum: Some(digest.algorithm()),
            full_object,
            ..plain.clone()
        },
        None => plain.clone(),
    }
}

/// The checksum of the whole, where the source has the one that the copy is to have: S3 itself
/// refuses what it does not fit.
fn whole_of(head: &Head, put: &Put) -> Option<Digest> {
    let algorithm = put.checksum.filter(|of| put.keeps_whole(*of))?;
    head.checksums.iter().find_map(|kept| match kept {
        Checksum::Whole(digest) if digest.algorithm() == algorithm => Some(*digest),
        _ => None,
    })
}

async fn copy_parts(
    via: &Transferrer,
    (work, head): (&Work, &Head),
    upload: &dyn Upload,
    from: &CopySource,
    cut: &Parts,
) -> Result<Vec<StoredPart>, StoreError> {
    let at_once = usize::from(via.pair.performance.max_parallel_uploads);
    let ranges: Vec<_> = cut.ranges().collect();
    let copies = futures::stream::iter(ranges)
        .map(|(number, range)| async move {
            via.backlog.room().await;
            let _place = via.parts.to_write().await;
            if via.stop.is_cancelled() {
                return Err(cancelled(&from.key));
            }
            let copied = upload.copy_part(number, from, range).await?;
            let written = Written {
                head,
                bytes: copied.size,
                part: Some((number, upload)),
            };
            via.wrote(work, written);
            Ok(copied)
        })
        .buffered(at_once)
        .try_collect();
    tokio::select! {
        biased;
        // also when all are on their way: nobody waits for what is given up anyway
        () = via.stop.cancelled() => Err(cancelled(&from.key)),
        copied = copies => copied,
    }
}

/// What the copied parts make and what the source has, where both can be told and differ.
fn difference(via: &Transferrer, head: &Head, put: &Put, parts: &[StoredPart]) -> Option<Mismatch> {
    let verify = via.pair.verify;
    let source = head.etag.as_ref().and_then(Checksum::of_etag);
    let by_etag = source
        .filter(|_| verify.etag && verify.multipart && head.etag_is_digest)
        .and_then(|kept| Some((of_etags(parts)?, kept)));
    let made = put.checksum.filter(|_| verify.checksum).and_then(|of| {
        let sums: Option<Vec<(Digest, u64)>> = parts
            .iter()
            .map(|part| Some((part.checksum?, part.size)))
            .collect();
        if put.keeps_whole(of) {
            return combine_crc(&sums?).map(Checksum::Whole);
        }
        let sums: Vec<Digest> = sums?.into_iter().map(|(sum, _)| sum).collect();
        composite(&sums)
    });
    let by_checksum = head.checksums.iter().find_map(|kept| {
        Some((
            made.filter(|made| made.algorithm() == kept.algorithm())?,
            *kept,
        ))
    });
    let differs = |axis: Axis, pair: Option<(Checksum, Checksum)>| {
        let (sent, stored) = pair?;
        let verdict = Verdict::compare(sent, stored);
        matches!(verdict, Verdict::Mismatch { .. }).then_some(Mismatch { axis, sent, stored })
    };
    differs(Axis::ETag, by_etag).or_else(|| differs(Axis::Checksum, by_checksum))
}

/// The ETag that parts make, where theirs are digests.
fn of_etags(parts: &[StoredPart]) -> Option<Checksum> {
    let md5s: Option<Vec<Digest>> = parts
        .iter()
        .map(|part| match &part.etag {
            Some(ETag::Md5Shaped(md5)) if part.etag_is_digest => {
                Digest::from_bytes(Algorithm::Md5, md5)
            }
            _ => None,
        })
        .collect();
    composite(&md5s?)
}
