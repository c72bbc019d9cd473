//! One key of a run that only compares, and what it shows.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Listed, Unverifiable};
use crate::digest::{Algorithm, Comparison, Likeness, Verdict, Why};
use crate::object::ObjectKey;

/// One key of a run that only compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The key.
    pub key: ObjectKey,
    /// What the source has; `None` where only the target has the key.
    pub source: Option<Listed>,
    /// What the target has; `None` where only the source has the key.
    pub target: Option<Listed>,
    /// What their contents showed, where both have it and content was looked at: sizes that differ
    /// say enough.
    pub likeness: Option<Likeness>,
    /// From the beginning of the comparison to its end.
    pub elapsed: Duration,
}

/// Whether both sides are the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// They are, by everything that was looked at.
    Matches,
    /// They are not.
    Mismatch,
    /// The target does not have the key.
    NotFound,
    /// The source does not have the key.
    OnlyInTarget,
    /// Nothing tells.
    Unknown,
}

impl Sameness {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Mismatch => "mismatch",
            Self::NotFound => "not_found",
            Self::OnlyInTarget => "only_in_target",
            Self::Unknown => "unknown",
        }
    }

    /// The symbol rclone's `check --combined` has for it; what cannot be told is `?`.
    pub fn symbol(self) -> char {
        match self {
            Self::Matches => '=',
            Self::Mismatch => '*',
            Self::NotFound => '+',
            Self::OnlyInTarget => '-',
            Self::Unknown => '?',
        }
    }

    /// Whether it makes the pair end with warnings.
    pub fn is_warning(self, unverifiable: Unverifiable) -> bool {
        match self {
            Self::Matches => false,
            Self::Mismatch | Self::NotFound | Self::OnlyInTarget => true,
            Self::Unknown => unverifiable == Unverifiable::Warns,
        }
    }
}

impl Compared {
    /// What it shows.
    pub fn sameness(&self) -> Sameness {
        let (source, target) = match (&self.source, &self.target) {
            (None, _) => return Sameness::OnlyInTarget,
            (Some(_), None) => return Sameness::NotFound,
            (Some(source), Some(target)) => (source, target),
        };
        if source.size != target.size {
            return Sameness::Mismatch;
        }
        match self.likeness.as_ref().and_then(Likeness::verdict) {
            None | Some(Verdict::Verified(_)) => Sameness::Matches,
            Some(Verdict::Mismatch { .. }) => Sameness::Mismatch,
            Some(Verdict::Unverifiable(_)) => Sameness::Unknown,
        }
    }

    /// Why nothing tells, where nothing does.
    pub fn why_unknown(&self) -> Option<Why> {
        match self.likeness.as_ref()?.verdict()? {
            Verdict::Unverifiable(why) if self.sameness() == Sameness::Unknown => Some(why),
            Verdict::Unverifiable(_) | Verdict::Verified(_) | Verdict::Mismatch { .. } => None,
        }
    }

    /// The evidence that tells them apart, if their contents do.
    fn difference(&self) -> Option<&Comparison> {
        let likeness = self.likeness.as_ref()?;
        let mut evidence = likeness.etag.iter().chain(&likeness.checksum);
        evidence.find(|one| matches!(one.proof.verdict, Verdict::Mismatch { .. }))
    }
}

/// In what they differ, or why nothing is known.
impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sameness() {
            Sameness::Matches => f.write_str("the same on both sides"),
            Sameness::NotFound => f.write_str("not in the target"),
            Sameness::OnlyInTarget => f.write_str("only in the target"),
            Sameness::Unknown => match self.why_unknown() {
                Some(why) => write!(f, "cannot be told: {}", why.as_str()),
                None => f.write_str("cannot be told"),
            },
            Sameness::Mismatch => {
                if let (Some(source), Some(target)) = (&self.source, &self.target)
                    && source.size != target.size
                {
                    return write!(f, "{} bytes, in the target {}", source.size, target.size);
                }
                let Some(difference) = self.difference() else {
                    return f.write_str("different");
                };
                let name = match difference.algorithm {
                    Algorithm::Md5 if self.is_by_etag(difference) => "ETag",
                    algorithm => algorithm.as_str(),
                };
                let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
                let (source, target) = (shown(&difference.source), shown(&difference.target));
                write!(f, "{name} {source}, in the target {target}")
            }
        }
    }
}

impl Compared {
    fn is_by_etag(&self, comparison: &Comparison) -> bool {
        let etag = self.likeness.as_ref().and_then(|all| all.etag.as_ref());
        etag == Some(comparison)
    }
}
