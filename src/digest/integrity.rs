//! The evidence of one object: what was compared, how, and what it is worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Checksum, Verdict, Why};

/// What a proof rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The bytes were hashed here and compared with the value the store keeps.
    Recomputed,
    /// Two values that stores keep were compared; the bytes did not pass through here.
    ComparedStored,
    /// The composite was made here from the parts' digests and compared with the stored one.
    Composite,
    /// The digest of the whole object was combined here from its parts and compared.
    FullObject,
    /// Nothing was compared.
    None,
}

impl Method {
    /// The word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recomputed => "recomputed",
            Self::ComparedStored => "compared_stored",
            Self::Composite => "composite",
            Self::FullObject => "full_object",
            Self::None => "none",
        }
    }
}

/// A verdict and how it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was found.
    pub verdict: Verdict,
    /// What it rests on.
    pub method: Method,
}

impl Proof {
    /// Compares what was computed with what is stored.
    pub fn compare(computed: Checksum, stored: Checksum, method: Method) -> Self {
        Self {
            verdict: Verdict::compare(computed, stored),
            method,
        }
    }

    /// Nothing could be compared.
    pub fn impossible(why: Why) -> Self {
        Self {
            verdict: Verdict::Unverifiable(why),
            method: Method::None,
        }
    }

    /// Both must hold: the worse of the two, this one where they are equally good.
    pub fn and(self, other: Self) -> Self {
        if other.verdict.rank() > self.verdict.rank() {
            other
        } else {
            self
        }
    }
}

/// All that is known of one transferred object's content: its ETag and its additional checksum,
/// each `None` where it did not apply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Integrity {
    /// By the ETag.
    pub etag: Option<Proof>,
    /// By the additional checksum.
    pub checksum: Option<Proof>,
}

/// Which evidence: the ETag and an additional checksum may be of one algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// The ETag.
    ETag,
    /// The additional checksum.
    Checksum,
}

/// Proved damage: two values that were to be the same, and are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// What showed it.
    pub axis: Axis,
    /// What was computed from the bytes that moved.
    pub sent: Checksum,
    /// What the store says it has.
    pub stored: Checksum,
}

impl Integrity {
    /// The damage that is proved, if any is.
    pub fn mismatch(&self) -> Option<Mismatch> {
        let of = |axis: Axis, proof: &Option<Proof>| match proof.as_ref()?.verdict {
            Verdict::Mismatch { sent, stored } => Some(Mismatch { axis, sent, stored }),
            Verdict::Verified(_) | Verdict::Unverifiable(_) => None,
        };
        of(Axis::ETag, &self.etag).or_else(|| of(Axis::Checksum, &self.checksum))
    }

    /// What all evidence together says: one mismatch is a mismatch; one proof is enough otherwise.
    pub fn verdict(&self) -> Verdict {
        let proofs = || {
            self.etag
                .iter()
                .chain(&self.checksum)
                .map(|proof| &proof.verdict)
        };
        proofs()
            .find(|verdict| matches!(verdict, Verdict::Mismatch { .. }))
            .or_else(|| proofs().find(|verdict| matches!(verdict, Verdict::Verified(_))))
            .or_else(|| proofs().next())
            .cloned()
            .unwrap_or(Verdict::Unverifiable(Why::SwitchedOff))
    }

    /// Adds evidence from the other end of the transfer: on each axis both must hold, and where
    /// one end could prove nothing at all, what the other proved is not worth the whole way.
    pub fn and(self, other: Self) -> Self {
        let unproved = [&self, &other].into_iter().find_map(Self::unproved);
        let both = |a: Option<Proof>, b: Option<Proof>| match (a, b) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or(b),
        };
        let worth = |proof: Proof| match (&proof.verdict, unproved) {
            (Verdict::Verified(_), Some(why)) => Proof::impossible(why),
            _ => proof,
        };
        Self {
            etag: both(self.etag, other.etag).map(worth),
            checksum: both(self.checksum, other.checksum).map(worth),
        }
    }

    /// Why this end, where it was asked, could prove nothing.
    fn unproved(&self) -> Option<Why> {
        match self.verdict() {
            Verdict::Unverifiable(why) => Some(why).filter(|_| *self != Self::default()),
            Verdict::Verified(_) | Verdict::Mismatch { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, digest};
    use super::*;

    #[test]
    fn the_whole_is_as_good_as_its_evidence() {
        let a = Checksum::Whole(digest(Algorithm::Md5, b"a"));
        let b = Checksum::Whole(digest(Algorithm::Md5, b"b"));
        let good = Proof::compare(a, a, Method::Recomputed);
        let bad = Proof::compare(a, b, Method::Recomputed);
        let none = Proof::impossible(Why::OpaqueETag);
        for (etag, checksum, word) in [
            (Some(good.clone()), None, "verified"),
            (Some(none.clone()), Some(good.clone()), "verified"),
            (Some(good.clone()), Some(bad.clone()), "mismatch"),
            (Some(bad.clone()), Some(none.clone()), "mismatch"),
            (Some(none.clone()), None, "unverifiable"),
            (None, None, "unverifiable"),
        ] {
            let integrity = Integrity { etag, checksum };
            assert_eq!(integrity.verdict().as_str(), word, "{integrity:?}");
        }
        let damage = |etag, checksum| Integrity { etag, checksum }.mismatch();
        for (axis, found) in [
            (
                Some(Axis::ETag),
                damage(Some(bad.clone()), Some(good.clone())),
            ),
            (
                Some(Axis::Checksum),
                damage(Some(good.clone()), Some(bad.clone())),
            ),
            (None, damage(Some(good.clone()), Some(none.clone()))),
        ] {
            assert_eq!(found.map(|found| found.axis), axis);
        }
        assert_eq!(good.clone().and(bad.clone()), bad);
        assert_eq!(none.clone().and(good), none);
    }

    #[test]
    fn both_ends_must_be_proved_on_whatever_axis() {
        let a = Checksum::Whole(digest(Algorithm::Md5, b"a"));
        let b = Checksum::Whole(digest(Algorithm::Md5, b"b"));
        let good = || Some(Proof::compare(a, a, Method::Recomputed));
        let bad = || Some(Proof::compare(a, b, Method::Recomputed));
        let none = || Some(Proof::impossible(Why::OpaqueETag));
        for (source, target, word) in [
            ((None, None), (good(), None), "verified"),
            ((good(), None), (None, None), "verified"),
            ((good(), None), (none(), good()), "verified"),
            ((none(), good()), (good(), None), "verified"),
            // each end has an axis of its own, and one end has none
            ((none(), None), (good(), good()), "unverifiable"),
            ((none(), good()), (none(), None), "unverifiable"),
            ((none(), None), (good(), bad()), "mismatch"),
        ] {
            let of = |(etag, checksum)| Integrity { etag, checksum };
            let whole = of(source).and(of(target));
            assert_eq!(whole.verdict().as_str(), word, "{whole:?}");
        }
    }
}
