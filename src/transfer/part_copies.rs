/*! An object copied inside S3 part by part, cut as its source is: so it keeps its ETag and its
checksum, and both are compared before it is published.
*/

use std::num::NonZeroU16;
use std::ops::Range;

use futures::{StreamExt as _, TryStreamExt as _};

use super::attempt::{Trouble, of_target};
use super::parts::tell_leftover;
use super::server_side::MAX_COPY;
use super::{Transferrer, Work, source_proof};
use crate::context::cancelled;
use crate::digest::{Algorithm, Checksum, Digest, Verdict, combine_crc, composite};
use crate::event::Event;
use crate::examine::Layout;
use crate::object::ETag;
use crate::store::{CopySource, Head, Put, StoreError, Stored, StoredPart, Upload};

/// What was made of the parts.
pub(super) struct Made {
    pub(super) stored: Stored,
    /// How many there were, and the size of the first.
    pub(super) parts: (u16, u64),
}

/// Copies the object as its source is cut. `None` where that is not known, and the object can be
/// copied whole.
pub(super) async fn copy(
    via: &Transferrer,
    work: &Work,
    from: &CopySource,
    head: &Head,
) -> Result<Option<Made>, Trouble> {
    let Some(mut cut) = first_cut(via, work, head).await? else {
        return Ok(None);
    };
    let plain = via.put_of(&work.entry, Some(head), work.entry.modified);
    let mut put = with_checksum_of(head, &plain);
    loop {
        let upload = via.target.begin(&put).await.map_err(of_target)?;
        let parts = match copy_parts(via, &*upload, from, &cut.ranges).await {
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
        if let Some((ours, theirs)) = difference(via, head, &put, &parts) {
            // of the whole it is no matter how it is cut
            let is_clear = cut.is_real || matches!(ours, Checksum::Whole(_));
            let real = match is_clear {
                true => Some(cut.clone()),
                false => real_cut(via, work, head).await?,
            };
            // nobody tells how it is cut: then the difference proves nothing
            if let Some(real) = real {
                give_up(upload).await;
                if real == cut {
                    return Err(Trouble::Damaged(Verdict::Mismatch {
                        sent: ours,
                        stored: theirs,
                    }));
                }
                cut = real;
                continue;
            }
        }
        let whole = whole_of(head, &put).filter(|_| via.pair.verify.checksum);
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        let size = cut.ranges.first().map_or(0, |part| part.end - part.start);
        let stored = upload.complete(parts, whole).await.map_err(of_target)?;
        return Ok(Some(Made {
            stored,
            parts: (count, size),
        }));
    }
}

/// Where an object is cut.
#[derive(Debug, Clone)]
struct Cut {
    ranges: Vec<Range<u64>>,
    /// Whether the store told of every part, so that a difference is none of the cut.
    is_real: bool,
}

impl PartialEq for Cut {
    fn eq(&self, other: &Self) -> bool {
        self.ranges == other.ranges
    }
}

/// The parts the object was uploaded in, as far as that can be guessed or asked; for one that is
/// too large for one copy, parts of the user's size.
async fn first_cut(via: &Transferrer, work: &Work, head: &Head) -> Result<Option<Cut>, StoreError> {
    let of_layout = |layout: Layout| Cut {
        ranges: layout.parts().map(|(_, range)| range).collect(),
        is_real: layout.count() == 1,
    };
    if let Some(known) = source_proof::layout_of(via, &work.entry.key, head).await? {
        return Ok(Some(of_layout(known.layout)).filter(|_| head.size > 0));
    }
    if let Some(real) = real_cut(via, work, head).await? {
        return Ok(Some(real));
    }
    let layout = Layout::for_upload(head.size, via.pair.multipart_chunksize);
    Ok((head.size > MAX_COPY).then(|| of_layout(layout)))
}

/// The parts as the store tells them.
async fn real_cut(via: &Transferrer, work: &Work, head: &Head) -> Result<Option<Cut>, StoreError> {
    let sizes = source_proof::sizes(via, &work.entry.key, head).await?;
    Ok(sizes.map(|sizes| Cut {
        ranges: sizes
            .iter()
            .scan(0, |at, size| {
                let start = *at;
                *at += size;
                Some(start..*at)
            })
            .collect(),
        is_real: true,
    }))
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
    upload: &dyn Upload,
    from: &CopySource,
    ranges: &[Range<u64>],
) -> Result<Vec<StoredPart>, StoreError> {
    let at_once = usize::from(via.pair.performance.max_parallel_uploads);
    let numbered = (1..=u16::MAX)
        .filter_map(NonZeroU16::new)
        .zip(ranges.to_vec());
    futures::stream::iter(numbered)
        .map(|(number, range)| async move {
            let _place = via.parts.acquire().await.expect("never closed");
            if via.stop.is_cancelled() {
                return Err(cancelled(&from.key));
            }
            let copied = upload.copy_part(number, from, range).await?;
            via.sinks.emit(&Event::Moved { bytes: copied.size });
            Ok(copied)
        })
        .buffered(at_once)
        .try_collect()
        .await
}

/// What the copied parts make and what the source has, where both can be told and differ.
fn difference(
    via: &Transferrer,
    head: &Head,
    put: &Put,
    parts: &[StoredPart],
) -> Option<(Checksum, Checksum)> {
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
        match put.keeps_whole(of) {
            true => combine_crc(&sums?).map(Checksum::Whole),
            false => composite(&sums?.into_iter().map(|(sum, _)| sum).collect::<Vec<_>>()),
        }
    });
    let by_checksum = head.checksums.iter().find_map(|kept| {
        Some((
            made.filter(|made| made.algorithm() == kept.algorithm())?,
            *kept,
        ))
    });
    by_etag
        .into_iter()
        .chain(by_checksum)
        .find(|(ours, theirs)| matches!(Verdict::compare(*ours, *theirs), Verdict::Mismatch { .. }))
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

async fn give_up(upload: Box<dyn Upload>) {
    if let Err(error) = upload.abort().await {
        tell_leftover(&error);
    }
}
