//! What a comparison found out, evidence by evidence.

use crate::digest::{Algorithm, Checksum, Comparison, Method, Proof, Verdict, Why, composite};

/// Whether evidence is worth telling beside what was asked for: where that decided nothing, and
/// where it proves a difference that the other did not show.
pub(super) fn is_worth_telling(other: &Proof, asked: &Proof) -> bool {
    match (&asked.verdict, &other.verdict) {
        (Verdict::Unverifiable(_), Verdict::Verified(_) | Verdict::Mismatch { .. })
        | (Verdict::Verified(_), Verdict::Mismatch { .. }) => true,
        (Verdict::Unverifiable(_) | Verdict::Verified(_) | Verdict::Mismatch { .. }, _) => false,
    }
}

/// The same evidence of both ends.
#[derive(Debug, Clone)]
pub(super) struct Values {
    /// As S3 writes it.
    pub(super) source: Option<String>,
    /// As S3 writes it.
    pub(super) target: Option<String>,
}

impl Values {
    /// A comparison of these.
    pub(super) fn with(self, algorithm: Algorithm, proof: Proof) -> Comparison {
        Comparison {
            source: self.source,
            target: self.target,
            algorithm,
            proof,
        }
    }
}

/// What two values that stores keep say of each other, as far as that does not depend on parts
/// nobody knows: equal composites are of equal content, different ones need not be of different.
pub(super) fn weigh(source: Result<Checksum, Why>, target: Result<Checksum, Why>) -> Proof {
    let (source, target) = match (source, target) {
        (Ok(source), Ok(target)) => (source, target),
        (Err(why), _) | (_, Err(why)) => return Proof::impossible(why),
    };
    let unknown = |parts: u16| source != target && parts > 1;
    match (source, target) {
        (Checksum::Composite { parts, .. }, Checksum::Composite { .. }) if unknown(parts.get()) => {
            Proof::impossible(Why::LayoutUnknown)
        }
        // the only part is the whole
        (Checksum::Whole(whole), Checksum::Composite { parts, .. }) if parts.get() == 1 => {
            let source = composite(&[whole]).expect("one part");
            Proof::compare(source, target, Method::ComparedStored)
        }
        (Checksum::Composite { parts, .. }, Checksum::Whole(whole)) if parts.get() == 1 => {
            let target = composite(&[whole]).expect("one part");
            Proof::compare(source, target, Method::ComparedStored)
        }
        _ => decided_or_nothing(Proof::compare(source, target, Method::ComparedStored)),
    }
}

/// A proof that decided nothing rests on nothing.
fn decided_or_nothing(proof: Proof) -> Proof {
    match proof.verdict {
        Verdict::Unverifiable(why) => Proof::impossible(why),
        Verdict::Verified(_) | Verdict::Mismatch { .. } => proof,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::digest;

    #[test]
    fn a_difference_counts_only_where_the_parts_are_known() {
        let md5 = |bytes: &[u8]| digest(Algorithm::Md5, bytes);
        let whole = |bytes: &[u8]| Ok(Checksum::Whole(md5(bytes)));
        let parts = |parts: &[&[u8]]| {
            let digests: Vec<_> = parts.iter().map(|part| md5(part)).collect();
            Ok(composite(&digests).expect("some parts"))
        };
        let opaque = Err(Why::OpaqueETag);
        for (name, source, target, word) in [
            ("same", whole(b"ab"), whole(b"ab"), "verified"),
            ("other", whole(b"ab"), whole(b"ac"), "mismatch"),
            (
                "same parts",
                parts(&[b"a", b"b"]),
                parts(&[b"a", b"b"]),
                "verified",
            ),
            (
                "other parts",
                parts(&[b"a", b"b"]),
                parts(&[b"a", b"c"]),
                "unverifiable",
            ),
            (
                "other count",
                parts(&[b"a", b"b"]),
                parts(&[b"ab"]),
                "unverifiable",
            ),
            ("one part", parts(&[b"ab"]), parts(&[b"ac"]), "mismatch"),
            (
                "whole and its part",
                whole(b"ab"),
                parts(&[b"ab"]),
                "verified",
            ),
            (
                "whole and another part",
                parts(&[b"ab"]),
                whole(b"ac"),
                "mismatch",
            ),
            (
                "whole and parts",
                whole(b"ab"),
                parts(&[b"a", b"b"]),
                "unverifiable",
            ),
            ("no digest", opaque, whole(b"ab"), "unverifiable"),
        ] {
            let proof = weigh(source, target);
            assert_eq!(proof.verdict.as_str(), word, "{name}");
            let rests_on_something = proof.method != Method::None;
            assert_eq!(rests_on_something, word != "unverifiable", "{name}");
        }
    }
}
