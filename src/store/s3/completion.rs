//! Was an upload completed whose answer was lost? The object itself tells.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use crate::digest::{Algorithm, Checksum, Digest, combine_crc, composite};
use crate::object::ETag;
use crate::store::{Head, Put, StoredPart};

/// What an object is, held against what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is that.
    Same,
    /// It is something else.
    Other,
    /// Nothing tells.
    Unknown,
}

/// What the object has to be that these parts make.
#[derive(Debug)]
pub(super) struct Expected {
    size: u64,
    parts: usize,
    etag: Option<Checksum>,
    checksum: Option<Checksum>,
}

impl Expected {
    /// `whole` is the additional checksum of the whole object, where that is the kind it keeps;
    /// `unasked` are the parts' digests under the algorithm S3 keeps one of unasked.
    pub(super) fn of(
        put: &Put,
        parts: &[StoredPart],
        whole: Option<Digest>,
        unasked: &BTreeMap<NonZeroU16, Digest>,
    ) -> Self {
        let md5 = |part: &StoredPart| match &part.etag {
            Some(ETag::Md5Shaped(md5)) if part.etag_is_digest => {
                Digest::from_bytes(Algorithm::Md5, md5)
            }
            _ => None,
        };
        let md5s: Option<Vec<Digest>> = parts.iter().map(md5).collect();
        let sums: Option<Vec<Digest>> = parts.iter().map(|part| part.checksum).collect();
        let unasked: Option<Vec<(Digest, u64)>> = parts
            .iter()
            .map(|part| Some((*unasked.get(&part.number)?, part.size)))
            .collect();
        let keeps_whole = put.checksum.is_some_and(|of| put.keeps_whole(of));
        Self {
            size: parts.iter().map(|part| part.size).sum(),
            parts: parts.len(),
            etag: md5s.and_then(|md5s| composite(&md5s)),
            checksum: match whole {
                Some(whole) => Some(Checksum::Whole(whole)),
                None if keeps_whole => None,
                None => sums.and_then(|sums| composite(&sums)).or_else(|| {
                    let unasked = unasked.filter(|_| put.checksum.is_none())?;
                    combine_crc(&unasked).map(Checksum::Whole)
                }),
            },
        }
    }

    /// What the object has to be that was written at once, with bytes of these digests.
    pub(super) fn of_whole(put: &Put, digests: &[Digest]) -> Self {
        let under = |algorithm| {
            let mut made = digests.iter();
            made.find(|digest| digest.algorithm() == algorithm)
                .copied()
                .map(Checksum::Whole)
        };
        Self {
            size: put.size,
            parts: 1,
            etag: under(Algorithm::Md5),
            checksum: under(put.checksum.unwrap_or(Algorithm::Crc64Nvme)),
        }
    }

    /// What the copy has to be of a source with this ETag, if that is a digest.
    pub(super) fn of_copy(put: &Put, source: Option<&ETag>) -> Self {
        let whole = source.and_then(Checksum::of_etag);
        Self {
            size: put.size,
            parts: 1,
            etag: whole.filter(|whole| matches!(whole, Checksum::Whole(_))),
            checksum: None,
        }
    }

    /// Whether this is it. To be the same, an ETag or a checksum must say so, and neither may say
    /// otherwise.
    pub(super) fn against(&self, head: &Head) -> Likeness {
        let etag = self
            .etag
            .filter(|_| head.etag_is_digest)
            .map(|expected| head.etag.as_ref().and_then(Checksum::of_etag) == Some(expected));
        let checksum = self.checksum.and_then(|expected| {
            let mut kept = head.checksums.iter();
            let kept = kept.find(|kept| kept.algorithm() == expected.algorithm())?;
            Some(*kept == expected)
        });
        let told = [etag, checksum].into_iter().flatten();
        match (
            head.size == self.size,
            told.reduce(|one, other| one && other),
        ) {
            (false, _) | (true, Some(false)) => Likeness::Other,
            (true, Some(true)) => Likeness::Same,
            (true, None) => Likeness::Unknown,
        }
    }

    /// Whether it was uploaded in as many parts, and is as long.
    pub(super) fn is_cut_like(&self, head: &Head) -> bool {
        let parts = head.etag.as_ref().and_then(ETag::parts);
        head.size == self.size && parts.is_some_and(|count| usize::from(count.get()) == self.parts)
    }
}
