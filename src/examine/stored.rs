//! Two objects in S3: what both stores keep is compared, and nothing is read.

use super::found::{Values, is_worth_telling, weigh};
use super::side::{Kept, Obstacle, Side};
use super::{Depth, Examiner, asked};
use crate::config::By;
use crate::digest::{Algorithm, Checksum, Comparison, Likeness, Method, Proof, Verdict, Why};
use crate::object::ETag;

/// Compares two objects of equal size. Equal ETags of the listings prove sameness without a
/// request; otherwise both are asked for.
pub(super) async fn compare(
    via: &Examiner,
    by: By,
    (source, target): (Side<'_>, Side<'_>),
    known: Option<Kept>,
) -> Result<Likeness, Obstacle> {
    if by == By::ETag
        && let Some(likeness) = listed(source, target)
    {
        return Ok(likeness);
    }
    let kept_target = match known {
        Some(kept) => kept,
        None => target.kept().await?,
    };
    let both = Both {
        sides: (source, target),
        kept: (source.kept().await?, kept_target),
    };
    match by {
        By::ETag => both.by_etag(via).await,
        By::Checksum(algorithm) => both.by_checksum(via, algorithm).await,
    }
}

/// What the ETags of the listings prove, if they are the same.
fn listed(source: Side<'_>, target: Side<'_>) -> Option<Likeness> {
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
    Some(Likeness {
        etag: Some(values.with(Algorithm::Md5, proof)),
        ..Likeness::default()
    })
}

/// Two objects of different sizes: whatever their values are worth, what they are of differs.
pub(super) async fn resized(
    by: By,
    (source, target): (Side<'_>, Side<'_>),
) -> Result<Likeness, Obstacle> {
    let mut likeness = Likeness::default();
    if let By::Checksum(algorithm) = by {
        let (from, to) = (source.kept().await?, target.kept().await?);
        let values = (from.under(algorithm), to.under(algorithm));
        let checksum = texts(values).with(algorithm, apart(values));
        let decided = is_decided(&checksum);
        likeness.checksum = Some(checksum);
        if decided {
            return Ok(likeness);
        }
    }
    let (from, to) = (source.entry.etag.as_ref(), target.entry.etag.as_ref());
    let digest = |etag: Option<&ETag>| etag.and_then(Checksum::of_etag).ok_or(Why::OpaqueETag);
    let etags = Values {
        source: from.map(ETag::to_string),
        target: to.map(ETag::to_string),
    };
    likeness.etag = Some(etags.with(Algorithm::Md5, apart((digest(from), digest(to)))));
    Ok(likeness)
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
    async fn by_etag(&self, via: &Examiner) -> Result<Likeness, Obstacle> {
        let other = self.other(None);
        let (etag, other) = self.through_parts(via, self.etag(), other).await?;
        Ok(Likeness {
            checksum: other.filter(|other| is_worth_telling(&other.proof, &etag.proof)),
            etag: Some(etag),
            aside: None,
        })
    }

    async fn by_checksum(
        &self,
        via: &Examiner,
        algorithm: Algorithm,
    ) -> Result<Likeness, Obstacle> {
        let (mut etag, mut aside) = (self.etag(), self.other(Some(algorithm)));
        let mut checksum = self.under(algorithm);
        let decides = |one: &Comparison| is_worth_telling(&one.proof, &checksum.proof);
        if !aside.iter().chain([&etag]).any(decides) {
            let values = self.each(|kept| kept.under(algorithm));
            if let (Ok(_), Ok(_)) = values {
                checksum = self.with_layouts(via, values, checksum).await?;
            } else {
                (etag, aside) = self.through_parts(via, etag, aside).await?;
            }
        }
        let told = |one: &Comparison| is_worth_telling(&one.proof, &checksum.proof);
        Ok(Likeness {
            etag: Some(etag).filter(told),
            aside: aside.filter(told),
            checksum: Some(checksum),
        })
    }

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

    /// By a checksum that both keep, of the whole if there is one, and of another algorithm than
    /// this.
    fn other(&self, than: Option<Algorithm>) -> Option<Comparison> {
        let (source, target) = &self.kept;
        let common: Vec<Checksum> = source
            .all()
            .filter(|one| Some(one.algorithm()) != than && target.under(one.algorithm()).is_ok())
            .collect();
        let is_whole = |one: &&Checksum| {
            let other = target.under(one.algorithm());
            matches!((one, other), (Checksum::Whole(_), Ok(Checksum::Whole(_))))
        };
        let whole = common.iter().find(is_whole).or(common.first())?;
        Some(self.under(whole.algorithm()))
    }

    /// The ETags, and where one of them is no digest the other checksum, decided by the parts they
    /// are of.
    async fn through_parts(
        &self,
        via: &Examiner,
        etag: Comparison,
        other: Option<Comparison>,
    ) -> Result<(Comparison, Option<Comparison>), Obstacle> {
        let etags = self.each(Kept::etag);
        let are_digests = etags.0.is_ok() && etags.1.is_ok();
        let etag = self.with_layouts(via, etags, etag).await?;
        let other = match other {
            Some(other) if !are_digests => {
                let values = self.each(|kept| kept.under(other.algorithm));
                Some(self.with_layouts(via, values, other).await?)
            }
            other => other,
        };
        Ok((etag, other))
    }

    /// Different composites of as many parts: a mismatch where both are cut alike, which is asked
    /// for.
    async fn with_layouts(
        &self,
        via: &Examiner,
        values: Two,
        comparison: Comparison,
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
        if is_decided(&comparison) || via.depth == Depth::Inferred {
            return Ok(comparison);
        }
        let Some(of_source) = asked::parts(via, self.sides.0, parts).await? else {
            return Ok(comparison);
        };
        if asked::parts(via, self.sides.1, parts).await? != Some(of_source) {
            return Ok(comparison);
        }
        self.sides.0.confirm(&self.kept.0).await?;
        self.sides.1.confirm(&self.kept.1).await?;
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
