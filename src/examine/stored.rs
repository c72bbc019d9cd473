//! Two objects in S3: what both stores keep is compared, and nothing is read.

use super::found::{Found, Values, weigh};
use super::side::{Kept, Obstacle, Side};
use super::{Depth, Examiner, asked};
use crate::config::By;
use crate::digest::{Algorithm, Checksum, Comparison, Method, Proof, Verdict, Why};
use crate::object::ETag;

/// Compares two objects of equal size. Equal ETags of the listings prove sameness without a
/// request; otherwise both are asked for.
pub(super) async fn compare(
    via: &Examiner,
    by: By,
    (source, target): (Side<'_>, Side<'_>),
    known: Option<Kept>,
) -> Result<Found, Obstacle> {
    if by == By::ETag
        && let Some(found) = listed(source, target)
    {
        return Ok(found);
    }
    let kept_target = match known {
        Some(kept) => kept,
        None => target.kept().await?,
    };
    let both = Both {
        sides: (source, target),
        kept: (source.kept().await?, kept_target),
    };
    let mut found = Found::default();
    match by {
        By::ETag => {
            let (etag, checksum) = (both.etag(), both.whole());
            let same = checksum.as_ref().is_some_and(is_same);
            found.likeness.etag = Some(both.with_layouts(via, etag, same).await?);
            let decided = found.verdict().is_some_and(|verdict| verdict.is_decided());
            found.likeness.checksum = checksum.filter(|_| !decided);
        }
        By::Checksum(algorithm) => {
            let checksum = both.under(algorithm);
            let etag = Some(both.etag()).filter(is_decided);
            let aside = both.whole().filter(|whole| whole.algorithm != algorithm);
            let same = etag.iter().chain(&aside).any(is_same);
            let checksum = both.with_layouts(via, checksum, same).await?;
            if !is_decided(&checksum) {
                found.likeness.etag = etag;
                found.aside = aside;
            }
            found.likeness.checksum = Some(checksum);
        }
    }
    Ok(found)
}

/// What the ETags of the listings prove, if they are the same.
fn listed(source: Side<'_>, target: Side<'_>) -> Option<Found> {
    let etag = source.entry.etag.as_ref()?;
    if target.entry.etag.as_ref() != Some(etag) {
        return None;
    }
    let checksum = Checksum::of_etag(etag)?;
    let text = || Some(etag.to_string());
    let values = Values {
        source: text(),
        target: text(),
    };
    let proof = Proof::compare(checksum, checksum, Method::ComparedStored);
    let mut found = Found::default();
    found.likeness.etag = Some(values.with(Algorithm::Md5, proof));
    Some(found)
}

/// Two objects of different sizes: whatever their values are worth, what they are of differs.
pub(super) async fn resized(
    by: By,
    (source, target): (Side<'_>, Side<'_>),
) -> Result<Found, Obstacle> {
    let mut found = Found::default();
    if let By::Checksum(algorithm) = by {
        let (from, to) = (source.kept().await?, target.kept().await?);
        let values = (from.under(algorithm), to.under(algorithm));
        let text = |kept: Result<Checksum, Why>| kept.ok().map(|kept| kept.to_string());
        let texts = Values {
            source: text(values.0),
            target: text(values.1),
        };
        let checksum = texts.with(algorithm, apart(values));
        let decided = is_decided(&checksum);
        found.likeness.checksum = Some(checksum);
        if decided {
            return Ok(found);
        }
    }
    let (from, to) = (source.entry.etag.as_ref(), target.entry.etag.as_ref());
    let digest = |etag: Option<&ETag>| etag.and_then(Checksum::of_etag).ok_or(Why::OpaqueETag);
    let texts = Values {
        source: from.map(ETag::to_string),
        target: to.map(ETag::to_string),
    };
    found.likeness.etag = Some(texts.with(Algorithm::Md5, apart((digest(from), digest(to)))));
    Ok(found)
}

/// Two values that cannot be of the same content.
fn apart(values: (Result<Checksum, Why>, Result<Checksum, Why>)) -> Proof {
    match values {
        (Ok(sent), Ok(stored)) => Proof {
            verdict: Verdict::Mismatch { sent, stored },
            method: Method::ComparedStored,
        },
        (Err(why), _) | (_, Err(why)) => Proof::impossible(why),
    }
}

fn is_same(comparison: &Comparison) -> bool {
    matches!(comparison.proof.verdict, Verdict::Verified(_))
}

fn is_decided(comparison: &Comparison) -> bool {
    comparison.proof.verdict.is_decided()
}

/// Both ends, and what their stores keep.
struct Both<'a> {
    sides: (Side<'a>, Side<'a>),
    kept: (Kept, Kept),
}

impl Both<'_> {
    fn etag(&self) -> Comparison {
        let (source, target) = &self.kept;
        let values = Values {
            source: source.etag_text(),
            target: target.etag_text(),
        };
        values.with(Algorithm::Md5, weigh(source.etag(), target.etag()))
    }

    fn under(&self, algorithm: Algorithm) -> Comparison {
        let (source, target) = (&self.kept.0.under(algorithm), &self.kept.1.under(algorithm));
        let text = |kept: &Result<Checksum, Why>| kept.ok().map(|kept| kept.to_string());
        let values = Values {
            source: text(source),
            target: text(target),
        };
        values.with(algorithm, weigh(*source, *target))
    }

    /// By a checksum of the whole that both keep, if there is one.
    fn whole(&self) -> Option<Comparison> {
        let (source, target) = &self.kept;
        let algorithm = source.wholes().map(|whole| whole.algorithm()).find(|one| {
            let kept = target.under(*one);
            matches!(kept, Ok(Checksum::Whole(_)))
        })?;
        Some(self.under(algorithm))
    }

    /// Different composites of as many parts: a mismatch where both are cut alike, which is asked
    /// for where nothing else shows that the content is the same.
    async fn with_layouts(
        &self,
        via: &Examiner,
        comparison: Comparison,
        same: bool,
    ) -> Result<Comparison, Obstacle> {
        let algorithm = comparison.algorithm;
        let (source, target) = &self.kept;
        let values = match algorithm {
            // an ETag, or an additional MD5: whichever these texts are
            Algorithm::Md5 if comparison.source == source.etag_text() => {
                (source.etag(), target.etag())
            }
            _ => (source.under(algorithm), target.under(algorithm)),
        };
        let (Ok(sent @ Checksum::Composite { parts, .. }), Ok(stored)) = values else {
            return Ok(comparison);
        };
        let alike = matches!(stored, Checksum::Composite { parts: others, .. } if others == parts);
        if is_decided(&comparison) || same || !alike || via.depth == Depth::Inferred {
            return Ok(comparison);
        }
        let Some(of_source) = asked::parts(via, self.sides.0, parts).await? else {
            return Ok(comparison);
        };
        if asked::parts(via, self.sides.1, parts).await? != Some(of_source) {
            return Ok(comparison);
        }
        let proof = Proof::compare(sent, stored, Method::ComparedStored);
        Ok(Comparison {
            proof,
            ..comparison
        })
    }
}
