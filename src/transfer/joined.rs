//! What the digests of all parts come to: what the object should be told to have.

use super::parts::Moved;
use super::scheme::Scheme;
use crate::digest::{Algorithm, Checksum, Digest, combine_crc, composite};
use crate::store::{Put, Stored};

/// The digests of an object that was written in parts.
pub(super) struct Joined {
    /// What its ETag should be made of.
    pub(super) etag: Option<Checksum>,
    /// The additional checksum it was to be given.
    additional: Option<Checksum>,
    /// Of each part, with its length, what the target may have computed unasked.
    unasked: Option<Vec<(Digest, u64)>>,
}

impl Joined {
    /// Of these parts, all of them and in order.
    pub(super) fn of(parts: &[Moved], plan: &Scheme, put: &Put) -> Self {
        let additional = put.checksum.and_then(|algorithm| {
            let digests = under(algorithm, parts)?;
            if put.keeps_whole(algorithm) {
                combine_crc(&digests).map(Checksum::Whole)
            } else {
                of_all(&digests)
            }
        });
        Self {
            etag: under(Algorithm::Md5, parts).and_then(|digests| of_all(&digests)),
            additional,
            unasked: plan.unasked.and_then(|algorithm| under(algorithm, parts)),
        }
    }

    /// The additional checksum, where it is one of the whole.
    pub(super) fn whole(&self) -> Option<Digest> {
        match self.additional {
            Some(Checksum::Whole(digest)) => Some(digest),
            _ => None,
        }
    }

    /// The additional checksum to compare with what the target has: one that nobody asked for is
    /// used where it is there.
    pub(super) fn told(&self, stored: &Stored) -> Option<Checksum> {
        self.additional.or_else(|| {
            let whole = Checksum::Whole(combine_crc(self.unasked.as_ref()?)?);
            let mut kept = stored.checksums.iter();
            kept.any(|kept| kept.algorithm() == whole.algorithm())
                .then_some(whole)
        })
    }
}

/// The digests of all parts under an algorithm, each with the part's length; `None` where one has
/// none.
fn under(algorithm: Algorithm, parts: &[Moved]) -> Option<Vec<(Digest, u64)>> {
    let of_part = |part: &Moved| {
        let digest = part.digests.iter().find(|d| d.algorithm() == algorithm)?;
        Some((*digest, part.stored.size))
    };
    parts.iter().map(of_part).collect()
}

fn of_all(digests: &[(Digest, u64)]) -> Option<Checksum> {
    let digests: Vec<_> = digests.iter().map(|(digest, _)| *digest).collect();
    composite(&digests)
}
