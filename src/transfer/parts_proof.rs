//! Do the parts that were read make what the source stores?

use super::parts::AllMoved;
use super::scheme::Scheme;
use super::source_proof::{self, Expected};
use super::trouble::Trouble;
use super::{Transferrer, Work};
use crate::digest::{Checksum, Digest, Integrity, Method, Proof, Why};

/// Proof of all parts. Nothing is published that differs from what the source stores.
pub(super) async fn prove(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    moved: &AllMoved,
) -> Result<Integrity, Trouble> {
    // the parts' own answers tell whether the ETag is a digest; the listing cannot
    let head = moved.parts.first().map_or(&plan.head, |part| &part.head);
    let etag = match source_proof::expected(via, head) {
        Expected::Nothing => None,
        Expected::Unusable(why) => Some(Proof::impossible(why)),
        Expected::ETag(etag) => match Checksum::of_etag(etag) {
            Some(stored) => Some(judge(via, work, plan, moved, stored).await?),
            None => Some(Proof::impossible(Why::OpaqueETag)),
        },
    };
    let checksum = match plan.checksum(via) {
        Some(stored) => Some(judge(via, work, plan, moved, stored).await?),
        None => plan
            .told()
            .and_then(|head| source_proof::unknown_checksum(via, head)),
    };
    let integrity = Integrity { etag, checksum };
    match integrity.mismatch() {
        Some(mismatch) => Err(Trouble::Damaged(mismatch)),
        None => Ok(integrity),
    }
}

/// Compares what was made with what is stored. Of parts a difference counts only if the object is
/// known to be cut into just these. A guess that did not come true asks for the real ones: the
/// same ones make the difference count, others begin the object again, and no answer proves
/// nothing.
async fn judge(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    moved: &AllMoved,
    stored: Checksum,
) -> Result<Proof, Trouble> {
    let Some((made, method)) = made(plan, moved, stored) else {
        return Ok(Proof::impossible(Why::LayoutUnknown));
    };
    let proof = Proof::compare(made, stored, method);
    let (Checksum::Composite { parts: count, .. }, Some(cut)) = (stored, &plan.cut) else {
        return Ok(proof);
    };
    if made == stored || cut.is_told {
        return Ok(proof);
    }
    let told = via.examiner.told_parts(&work.entry, count).await?;
    tracing::debug!(key = %work.entry.key, ?told, "the parts are not as they seemed");
    match told {
        Some(parts) if parts == cut.parts => Ok(proof),
        Some(parts) => Err(Trouble::Parts(parts)),
        None => Ok(Proof::impossible(Why::LayoutUnknown)),
    }
}

fn made(plan: &Scheme, moved: &AllMoved, stored: Checksum) -> Option<(Checksum, Method)> {
    let is_composite = matches!(stored, Checksum::Composite { .. });
    let along_the_front = moved.front.iter().find(|(wanted, _)| {
        wanted.algorithm == stored.algorithm() && wanted.parts.is_some() == is_composite
    });
    if let Some((_, made)) = along_the_front {
        let method = if is_composite {
            Method::Composite
        } else {
            Method::Recomputed
        };
        return Some((*made, method));
    }
    let of_part = |digests: &[Digest]| {
        let mut digests = digests.iter();
        digests
            .find(|digest| digest.algorithm() == stored.algorithm())
            .copied()
    };
    let parts = moved.parts.iter();
    let parts: Option<Vec<(Digest, u64)>> = parts
        .map(|part| Some((of_part(&part.digests)?, part.stored.size)))
        .collect();
    plan.made_of(stored, &parts?)
}
