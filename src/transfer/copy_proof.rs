//! Is the copy S3 made the same as the version it copied? Both ends tell, nothing is read.

use super::{Transferrer, Work};
use crate::digest::{Checksum, Integrity, Method, Proof, Verdict, Why};
use crate::object::{ETag, ObjectVersion};
use crate::store::{Copied, Head, StoreError, Stored};

/// What was found out about a copy.
pub(super) struct Proved {
    pub(super) integrity: Integrity,
    /// The checksum the source keeps, where it was asked.
    pub(super) source_checksum: Option<Checksum>,
}

/// Compares ETags, which cost nothing; and checksums where the user wants them compared, or where
/// the ETags cannot tell. `source` is what the source said of what was copied; `cut_alike` says that
/// the copy has the source's parts.
pub(super) async fn prove(
    via: &Transferrer,
    work: &Work,
    copied: &Copied,
    source: &Head,
    cut_alike: bool,
) -> Result<Proved, StoreError> {
    let stored = &copied.stored;
    let verify = via.pair.verify;
    let listed = work.entry.etag.as_ref();
    let in_parts = listed.is_some_and(|etag| etag.parts().is_some());
    let wants_etag = verify.etag && (verify.multipart || !in_parts);
    let etag = wants_etag.then(|| by_etag(listed, stored));
    let is_proved = etag
        .as_ref()
        .is_none_or(|proof| matches!(proof.verdict, Verdict::Verified(_)));
    let wants_checksum = verify.checksum && (via.pair.checksum_download || !is_proved);
    let etag = etag.map(|proof| weighed(proof, source, stored));
    let checksum = if wants_checksum {
        let kept = kept(via, work, stored).await?;
        let proof = by_checksum(source, &kept, cut_alike);
        let tells = !matches!(proof.verdict, Verdict::Unverifiable(_));
        (tells || via.pair.checksum_download).then_some(proof)
    } else {
        None
    };
    Ok(Proved {
        integrity: Integrity { etag, checksum },
        source_checksum: source.checksums.first().copied(),
    })
}

/// The checksums the target keeps: as it answered, or as it says when asked.
async fn kept(
    via: &Transferrer,
    work: &Work,
    stored: &Stored,
) -> Result<Vec<Checksum>, StoreError> {
    if !stored.checksums.is_empty() {
        return Ok(stored.checksums.clone());
    }
    let of = ObjectVersion {
        key: &work.entry.key,
        version: stored.version.as_deref(),
    };
    match via.target.head(of, true).await {
        Ok(head) if head.etag == stored.etag => Ok(head.checksums),
        Err(error) if error.kind.is_fatal() => Err(error),
        Ok(_) | Err(_) => Ok(Vec::new()),
    }
}

fn by_etag(source: Option<&ETag>, stored: &Stored) -> Proof {
    let (Some(source), Some(target)) = (source, &stored.etag) else {
        return Proof::impossible(Why::EndpointCannot);
    };
    match (Checksum::of_etag(source), Checksum::of_etag(target)) {
        (Some(ours), Some(theirs)) => Proof::compare(ours, theirs, Method::ComparedStored),
        _ => Proof::impossible(Why::OpaqueETag),
    }
}

/// A difference of ETags counts only between digests, and of multipart objects not even then: it
/// was settled before the copy was published, or nobody knows how the source is cut.
fn weighed(proof: Proof, source: &Head, stored: &Stored) -> Proof {
    let Verdict::Mismatch { sent, .. } = &proof.verdict else {
        return proof;
    };
    if !stored.etag_is_digest || !source.etag_is_digest {
        Proof::impossible(Why::OpaqueETag)
    } else if matches!(sent, Checksum::Composite { .. }) {
        Proof::impossible(Why::LayoutUnknown)
    } else {
        proof
    }
}

fn by_checksum(source: &Head, kept: &[Checksum], cut_alike: bool) -> Proof {
    let of_same = |ours: &Checksum| {
        let mut kept = kept.iter();
        kept.find(|theirs| theirs.algorithm() == ours.algorithm())
            .map(|theirs| (*ours, *theirs))
    };
    match source.checksums.iter().find_map(of_same) {
        None if source.checksums.is_empty() && source.unknown_checksum.is_some() => {
            Proof::impossible(Why::AlgorithmUnknown)
        }
        None => Proof::impossible(Why::EndpointCannot),
        Some((Checksum::Composite { .. }, Checksum::Composite { .. })) if !cut_alike => {
            Proof::impossible(Why::LayoutUnknown)
        }
        Some((ours, theirs)) => Proof::compare(ours, theirs, Method::ComparedStored),
    }
}
