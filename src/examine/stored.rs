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
            let (etag, whole) = (both.etag(), both.whole());
            let backed = whole.as_ref().is_some_and(is_same);
            let values = both.each(Kept::etag);
            let etag = both.with_layouts(via, values, etag, backed).await?;
            found.likeness.checksum = whole.filter(|_| !is_decided(&etag));
            found.likeness.etag = Some(etag);
        }
        By::Checksum(algorithm) => {
            let etag = Some(both.etag()).filter(is_decided);
            let aside = both.whole().filter(|whole| whole.algorithm != algorithm);
            let backed = etag.iter().chain(&aside).any(is_same);
            let values = both.each(|kept| kept.under(algorithm));
            let checksum = both.under(algorithm);
            let checksum = both.with_layouts(via, values, checksum, backed).await?;
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
        let checksum = texts(values).with(algorithm, apart(values));
        let decided = is_decided(&checksum);
        found.likeness.checksum = Some(checksum);
        if decided {
            return Ok(found);
        }
    }
    let (from, to) = (source.entry.etag.as_ref(), target.entry.etag.as_ref());
    let digest = |etag: Option<&ETag>| etag.and_then(Checksum::of_etag).ok_or(Why::OpaqueETag);
    let etags = Values {
        source: from.map(ETag::to_string),
        target: to.map(ETag::to_string),
    };
    found.likeness.etag = Some(etags.with(Algorithm::Md5, apart((digest(from), digest(to)))));
    Ok(found)
}

/// Two values that cannot be of the same content.
fn apart(values: Two) -> Proof {
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

/// One value of each end, or why there is none.
type Two = (Result<Checksum, Why>, Result<Checksum, Why>);

impl Both<'_> {
    fn each(&self, value: impl Fn(&Kept) -> Result<Checksum, Why>) -> Two {
        (value(&self.kept.0), value(&self.kept.1))
    }

    fn etag(&self) -> Comparison {
        let values = Values {
            source: self.kept.0.etag_text(),
            target: self.kept.1.etag_text(),
        };
        let (source, target) = self.each(Kept::etag);
        values.with(Algorithm::Md5, weigh(source, target))
    }

    fn under(&self, algorithm: Algorithm) -> Comparison {
        let (source, target) = self.each(|kept| kept.under(algorithm));
        texts((source, target)).with(algorithm, weigh(source, target))
    }

    /// By a checksum of the whole that both keep, if there is one.
    fn whole(&self) -> Option<Comparison> {
        let (source, target) = &self.kept;
        let algorithm = source
            .wholes()
            .map(|whole| whole.algorithm())
            .find(|one| matches!(target.under(*one), Ok(Checksum::Whole(_))))?;
        Some(self.under(algorithm))
    }

    /// Different composites of as many parts: a mismatch where both are cut alike, which is asked
    /// for where nothing else shows that the content is the same.
    async fn with_layouts(
        &self,
        via: &Examiner,
        values: Two,
        comparison: Comparison,
        backed: bool,
    ) -> Result<Comparison, Obstacle> {
        let (Ok(sent), Ok(stored)) = values else {
            return Ok(comparison);
        };
        let parts = match (sent, stored) {
            (Checksum::Composite { parts, .. }, Checksum::Composite { parts: others, .. })
                if parts == others =>
            {
                parts
            }
            _ => return Ok(comparison),
        };
        if is_decided(&comparison) || backed || via.depth == Depth::Inferred {
            return Ok(comparison);
        }
        let Some(of_source) = asked::parts(via, self.sides.0, parts).await? else {
            return Ok(comparison);
        };
        if asked::parts(via, self.sides.1, parts).await? != Some(of_source) {
            return Ok(comparison);
        }
        Ok(Comparison {
            proof: Proof::compare(sent, stored, Method::ComparedStored),
            ..comparison
        })
    }
}

/// Checksums as S3 writes them.
fn texts((source, target): Two) -> Values {
    Values {
        source: source.ok().map(|kept| kept.to_string()),
        target: target.ok().map(|kept| kept.to_string()),
    }
}
