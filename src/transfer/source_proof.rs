//! Did what was read equal what the source stores?

use std::num::NonZeroU16;

use super::trouble::Trouble;
use super::{Transferrer, Work};
use crate::digest::{Algorithm, Checksum, Integrity, Method, Proof, Why};
use crate::examine::{Parts, Wanted, candidates};
use crate::object::ETag;
use crate::store::{Content, Head, StoreError};

/// What the source says its content hashes to.
pub(super) enum Expected<'a> {
    /// It says nothing.
    Nothing,
    /// It says something that proves nothing, or that the user does not want to know.
    Unusable(Why),
    /// Its ETag.
    ETag(&'a ETag),
}

/// What an object's ETag promises.
pub(super) fn expected<'a>(via: &Transferrer, head: &'a Head) -> Expected<'a> {
    match &head.etag {
        None => Expected::Nothing,
        Some(_) if !via.pair.verify.etag => Expected::Unusable(Why::SwitchedOff),
        Some(etag) if etag.parts().is_some() && !via.pair.verify.multipart => {
            Expected::Unusable(Why::SwitchedOff)
        }
        Some(_) if is_opaque(head) => Expected::Unusable(Why::OpaqueETag),
        Some(etag) => Expected::ETag(etag),
    }
}

/// Whether the source has an ETag that is no digest of its content.
pub(super) fn is_opaque(head: &Head) -> bool {
    let is_none = |etag: &ETag| Checksum::of_etag(etag).is_none();
    head.etag.as_ref().is_some_and(is_none) || (head.etag.is_some() && !head.etag_is_digest)
}

/// Whether the additional checksum the source stores is to be verified: where the user says so,
/// and by default where its ETag is no proof.
pub(super) fn wants_checksum(via: &Transferrer, head: &Head) -> bool {
    let pair = &via.pair;
    pair.verify.checksum && (pair.checksum_download || pair.checksum_of_opaque && is_opaque(head))
}

/// The additional checksum to verify what is read with, as the source stores it.
pub(super) fn expected_checksum(via: &Transferrer, head: &Head) -> Option<Checksum> {
    let mut kept = head.checksums.iter().copied();
    kept.next().filter(|_| wants_checksum(via, head))
}

/// What there is to say where the source stores a checksum, and none that is known here.
pub(super) fn unknown_checksum(via: &Transferrer, head: &Head) -> Option<Proof> {
    let unknown = head.checksums.is_empty() && head.unknown_checksum.is_some();
    (unknown && wants_checksum(via, head)).then(|| Proof::impossible(Why::AlgorithmUnknown))
}

/// Proof of a small object from its bytes.
pub(super) async fn of_content(
    via: &Transferrer,
    work: &Work,
    content: &Content,
) -> Result<Integrity, Trouble> {
    let head = &content.head;
    let etag = match expected(via, head) {
        Expected::Nothing => None,
        Expected::Unusable(why) => Some(Proof::impossible(why)),
        Expected::ETag(etag) => match Checksum::of_etag(etag) {
            Some(stored) => Some(prove(via, work, content, stored).await?),
            None => Some(Proof::impossible(Why::OpaqueETag)),
        },
    };
    let checksum = match expected_checksum(via, head) {
        Some(stored) => Some(prove(via, work, content, stored).await?),
        None => unknown_checksum(via, head),
    };
    Ok(Integrity { etag, checksum })
}

/// Compares a stored value with what the bytes make. Parts that reproduce it are proof; where no
/// likely ones do, the source is asked for the real ones.
async fn prove(
    via: &Transferrer,
    work: &Work,
    content: &Content,
    stored: Checksum,
) -> Result<Proof, StoreError> {
    let algorithm = stored.algorithm();
    let Checksum::Composite { parts: count, .. } = stored else {
        let mut made = content.digests.iter();
        let made = match made.find(|digest| digest.algorithm() == algorithm) {
            Some(digest) => Checksum::Whole(*digest),
            None => of_whole(algorithm, content).await,
        };
        return Ok(Proof::compare(made, stored, Method::Recomputed));
    };
    if let Some(proof) = guess(via, content, stored, count).await {
        return Ok(proof);
    }
    let Some(parts) = via.examiner.told_parts(&work.entry, count).await? else {
        return Ok(Proof::impossible(Why::LayoutUnknown));
    };
    let made = of_parts(algorithm, parts, content).await;
    Ok(Proof::compare(made, stored, Method::Composite))
}

/// Proof from parts that are likely. One part is the whole: there is no other layout to blame.
async fn guess(
    via: &Transferrer,
    content: &Content,
    stored: Checksum,
    count: NonZeroU16,
) -> Option<Proof> {
    let size = content.bytes.len() as u64;
    for layout in candidates(size, count, via.pair.multipart_chunksize) {
        let made = of_parts(stored.algorithm(), layout.into(), content).await;
        if made == stored || count.get() == 1 {
            return Some(Proof::compare(made, stored, Method::Composite));
        }
    }
    None
}

async fn of_whole(algorithm: Algorithm, content: &Content) -> Checksum {
    let parts = None;
    off_the_async_threads(Wanted { algorithm, parts }, content).await
}

async fn of_parts(algorithm: Algorithm, parts: Parts, content: &Content) -> Checksum {
    let parts = Some(parts);
    off_the_async_threads(Wanted { algorithm, parts }, content).await
}

async fn off_the_async_threads(wanted: Wanted, content: &Content) -> Checksum {
    let bytes = content.bytes.clone();
    let made = tokio::task::spawn_blocking(move || wanted.of(&bytes));
    made.await.expect("hashing does not panic")
}
