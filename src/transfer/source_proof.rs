//! Did what was read equal what the source stores?

use std::num::NonZeroU16;

use futures::{StreamExt as _, stream};

use super::Transferrer;
use crate::digest::{
    Algorithm, Checksum, Digest, Integrity, Method, Proof, Why, combine_crc, composite, digest,
};
use crate::examine::{Layout, candidates};
use crate::object::{ETag, ObjectKey};
use crate::store::{Head, StoreError};

/// What the source says its content hashes to.
pub(super) enum Expected<'a> {
    /// It says nothing, or the user does not want to know.
    Nothing,
    /// It says something that proves nothing.
    Unusable(Why),
    /// Its ETag.
    ETag(&'a ETag),
}

/// What an object's ETag promises.
pub(super) fn expected<'a>(via: &Transferrer, head: &'a Head) -> Expected<'a> {
    match &head.etag {
        None => Expected::Nothing,
        Some(_) if !via.pair.verify.etag => Expected::Nothing,
        Some(etag) if etag.parts().is_some() && !via.pair.verify.multipart => Expected::Nothing,
        Some(ETag::Opaque(_)) => Expected::Unusable(Why::OpaqueETag),
        Some(_) if !head.etag_is_digest => Expected::Unusable(Why::OpaqueETag),
        Some(etag) => Expected::ETag(etag),
    }
}

/// The additional checksum to verify a download with, as the source stores it.
pub(super) fn expected_checksum(via: &Transferrer, head: Option<&Head>) -> Option<Checksum> {
    let wanted = via.pair.checksum_download && via.pair.verify.checksum;
    head.filter(|_| wanted)?.checksums.first().copied()
}

/// What there is to say where the source stores a checksum, and none that is known here.
pub(super) fn unknown_checksum(via: &Transferrer, head: &Head) -> Option<Proof> {
    let wanted = via.pair.checksum_download && via.pair.verify.checksum;
    let unknown = head.checksums.is_empty() && head.unknown_checksum.is_some();
    (wanted && unknown).then(|| Proof::impossible(Why::AlgorithmUnknown))
}

/// Proof of a small object from its bytes. A layout that reproduces the stored value is a proof;
/// that none does proves nothing.
pub(super) fn of_bytes(
    via: &Transferrer,
    head: &Head,
    stored_checksum: Option<Checksum>,
    bytes: &[u8],
    digests: &[Digest],
) -> Integrity {
    let wanted = via.pair.multipart_chunksize;
    let prove = |stored| of_small(stored, wanted, bytes, digests);
    Integrity {
        etag: match expected(via, head) {
            Expected::Nothing => None,
            Expected::Unusable(why) => Some(Proof::impossible(why)),
            Expected::ETag(etag) => {
                Some(Checksum::of_etag(etag).map_or(Proof::impossible(Why::OpaqueETag), prove))
            }
        },
        checksum: stored_checksum
            .map(prove)
            .or_else(|| unknown_checksum(via, head)),
    }
}

fn of_small(stored: Checksum, wanted: u64, bytes: &[u8], digests: &[Digest]) -> Proof {
    let algorithm = stored.algorithm();
    match stored {
        Checksum::Whole(_) => {
            let made = digests
                .iter()
                .find(|digest| digest.algorithm() == algorithm)
                .copied();
            let computed = made.unwrap_or_else(|| digest(algorithm, bytes));
            Proof::compare(Checksum::Whole(computed), stored, Method::Recomputed)
        }
        Checksum::Composite { parts, .. } => {
            let layouts = candidates(bytes.len() as u64, parts, wanted);
            let mut computed = layouts
                .iter()
                .filter_map(|layout| composite(&digests_of(*layout, algorithm, bytes)));
            let proved = computed.clone().find(|computed| *computed == stored);
            match proved.or_else(|| computed.next().filter(|_| parts.get() == 1)) {
                // one part is the whole: there is no other layout to blame
                Some(computed) => Proof::compare(computed, stored, Method::Composite),
                None => Proof::impossible(Why::LayoutUnknown),
            }
        }
    }
}

fn digests_of(layout: Layout, algorithm: Algorithm, bytes: &[u8]) -> Vec<Digest> {
    let slice =
        |start: u64, end: u64| bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?);
    layout
        .parts()
        .filter_map(|(_, range)| Some(digest(algorithm, slice(range.start, range.end)?)))
        .collect()
}

/// What is known of a large object's parts before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownLayout {
    pub(super) layout: Layout,
    /// Whether the store confirmed it, as far as its first part tells.
    pub(super) confirmed: bool,
}

/// The parts of a multipart object: by inference over common part sizes where only one fits, by
/// HEAD of part 1 otherwise, by the likeliest guess where the store does not tell.
pub(super) async fn layout_of(
    via: &Transferrer,
    key: &ObjectKey,
    head: &Head,
) -> Result<Option<KnownLayout>, StoreError> {
    let Some(ETag::MultipartShaped { parts, .. }) = &head.etag else {
        return Ok(None);
    };
    let guesses = candidates(head.size, *parts, via.pair.multipart_chunksize);
    if let [only] = guesses[..] {
        return Ok(Some(KnownLayout {
            layout: only,
            confirmed: parts.get() == 1,
        }));
    }
    if let Some(layout) = ask(via, key, head).await? {
        return Ok(Some(KnownLayout {
            layout,
            confirmed: true,
        }));
    }
    Ok(guesses.first().map(|&layout| KnownLayout {
        layout,
        confirmed: false,
    }))
}

/// The parts as the store tells them, if it does and they are of one size.
pub(super) async fn ask(
    via: &Transferrer,
    key: &ObjectKey,
    head: &Head,
) -> Result<Option<Layout>, StoreError> {
    let Some(ETag::MultipartShaped { parts, .. }) = &head.etag else {
        return Ok(None);
    };
    match via.source.part_size(key, NonZeroU16::MIN).await {
        Ok(Some(part_size)) if part_size > 0 => {
            let layout = Layout {
                size: head.size,
                part_size,
            };
            Ok(layout.fits(*parts).then_some(layout))
        }
        Err(error) if error.kind.is_fatal() => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The size of every part, where the store tells them: all at once, or one by one.
pub(super) async fn sizes(
    via: &Transferrer,
    key: &ObjectKey,
    head: &Head,
) -> Result<Option<Vec<u64>>, StoreError> {
    let Some(count) = head.etag.as_ref().and_then(ETag::parts) else {
        return Ok(None);
    };
    let fit = |sizes: &Vec<u64>| {
        sizes.len() == usize::from(count.get()) && sizes.iter().sum::<u64>() == head.size
    };
    match via.source.parts(key).await {
        Ok(Some(told)) if told.etag == head.etag => {
            let sizes = told.parts.iter().map(|part| part.size).collect();
            return Ok(Some(sizes).filter(fit));
        }
        Err(error) if error.kind.is_fatal() => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let numbers = (1..=count.get()).filter_map(NonZeroU16::new);
    let at_once = usize::from(via.pair.performance.max_parallel_uploads);
    let mut told = stream::iter(numbers)
        .map(|number| async move { via.source.part_size(key, number).await })
        .buffered(at_once);
    let mut sizes = Vec::with_capacity(usize::from(count.get()));
    while let Some(size) = told.next().await {
        match size {
            Ok(Some(size)) => sizes.push(size),
            Err(error) if error.kind.is_fatal() => return Err(error),
            Ok(None) | Err(_) => return Ok(None),
        }
    }
    Ok(Some(sizes).filter(fit))
}

/// Whether the object's parts are known to be cut like this, every one of them: equal counts and an
/// equal first part do not make equal parts.
pub(super) async fn is_cut_so(
    via: &Transferrer,
    key: &ObjectKey,
    layout: Layout,
) -> Result<bool, StoreError> {
    if layout.count() == 1 {
        return Ok(true);
    }
    for (number, range) in layout.parts() {
        match via.source.part_size(key, number).await {
            Ok(Some(size)) if size == range.end - range.start => {}
            Err(error) if error.kind.is_fatal() => return Err(error),
            Ok(_) | Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// The checksum that stored parts make, of the kind the store keeps.
pub(super) fn of_parts(stored: Checksum, parts: &[(Digest, u64)]) -> Option<(Checksum, Method)> {
    match stored {
        Checksum::Whole(_) => Some((Checksum::Whole(combine_crc(parts)?), Method::FullObject)),
        Checksum::Composite { parts: count, .. } if usize::from(count.get()) == parts.len() => {
            let digests: Vec<Digest> = parts.iter().map(|(digest, _)| *digest).collect();
            Some((composite(&digests)?, Method::Composite))
        }
        Checksum::Composite { .. } => None,
    }
}
