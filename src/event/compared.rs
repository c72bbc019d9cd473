//! One key of a run that only compares, and what it shows.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Beside, Listed, Unverifiable};
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
    /// Whether the source may have the key all the same: the directory it would be in cannot be
    /// read.
    pub is_source_unreadable: bool,
    /// What their contents showed, where both have it and content was looked at: sizes that differ
    /// say enough.
    pub likeness: Option<Likeness>,
    /// What lies beside their contents, as far as that was looked at.
    pub beside: Beside,
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
    /// The target has the key, and the source's directory it would be in cannot be read.
    UnreadableDirectory,
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
            Self::UnreadableDirectory => "unreadable_directory",
            Self::Unknown => "unknown",
        }
    }

    /// The symbol rclone's `check --combined` has for it; what cannot be told is `?`, and
    /// `!` what cannot be looked at.
    pub fn symbol(self) -> char {
        match self {
            Self::Matches => '=',
            Self::Mismatch => '*',
            Self::NotFound => '+',
            Self::OnlyInTarget => '-',
            Self::UnreadableDirectory => '!',
            Self::Unknown => '?',
        }
    }

    /// Whether it makes the pair end with warnings.
    pub fn is_warning(self, unverifiable: Unverifiable) -> bool {
        match self {
            Self::Matches => false,
            Self::Mismatch | Self::NotFound | Self::OnlyInTarget | Self::UnreadableDirectory => {
                true
            }
            Self::Unknown => unverifiable == Unverifiable::Warns,
        }
    }
}

impl Compared {
    /// What it shows.
    pub fn sameness(&self) -> Sameness {
        let (source, target) = match (&self.source, &self.target) {
            (None, _) if self.is_source_unreadable => return Sameness::UnreadableDirectory,
            (None, _) => return Sameness::OnlyInTarget,
            (Some(_), None) => return Sameness::NotFound,
            (Some(source), Some(target)) => (source, target),
        };
        if source.size != target.size {
            return Sameness::Mismatch;
        }
        let content = match self.likeness.as_ref().and_then(Likeness::verdict) {
            None | Some(Verdict::Verified(_)) => Sameness::Matches,
            Some(Verdict::Mismatch { .. }) => Sameness::Mismatch,
            Some(Verdict::Unverifiable(_)) => Sameness::Unknown,
        };
        // one difference is one, whatever else cannot be told
        let beside = self.beside.facets().map(|(_, sameness, _)| sameness);
        beside.fold(content, |sum, one| match (sum, one) {
            (Sameness::Mismatch, _) | (_, Sameness::Mismatch) => Sameness::Mismatch,
            (Sameness::Unknown, _) | (_, Sameness::Unknown) => Sameness::Unknown,
            _ => sum,
        })
    }

    /// Why nothing tells, where nothing does.
    pub fn why_unknown(&self) -> Option<Why> {
        if self.sameness() != Sameness::Unknown {
            return None;
        }
        match self.likeness.as_ref().and_then(Likeness::verdict) {
            Some(Verdict::Unverifiable(why)) => Some(why),
            // the content is the same, and what lies beside it may not be read
            Some(Verdict::Verified(_) | Verdict::Mismatch { .. }) | None => Some(Why::Denied),
        }
    }

    /// The evidence that tells them apart, if their contents do.
    fn difference(&self) -> Option<&Comparison> {
        let mut evidence = self.likeness.as_ref()?.evidence();
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
            Sameness::UnreadableDirectory => {
                f.write_str("below a directory of the source that cannot be read")
            }
            Sameness::Unknown => match self.why_unknown() {
                Some(why) => write!(f, "cannot be told: {}", why.as_str()),
                None => f.write_str("cannot be told"),
            },
            Sameness::Mismatch => {
                if let (Some(source), Some(target)) = (&self.source, &self.target)
                    && source.size != target.size
                {
                    return write!(f, "size {}, in the target {}", source.size, target.size);
                }
                let Some(difference) = self.difference() else {
                    return self.fmt_beside(f);
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
    /// Under which names they differ where their contents do not.
    fn fmt_beside(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facets = self.beside.facets();
        let differ = facets.filter(|(_, sameness, _)| *sameness == Sameness::Mismatch);
        for (place, (what, _, names)) in differ.enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(f, "{separator}{what} differ: {}", names.join(", "))?;
        }
        Ok(())
    }

    fn is_by_etag(&self, comparison: &Comparison) -> bool {
        let etag = self.likeness.as_ref().and_then(|all| all.etag.as_ref());
        etag == Some(comparison)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Checksum, Method, Proof, digest};
    use crate::object::Timestamp;

    fn listed(size: u64) -> Listed {
        Listed {
            size,
            modified: Timestamp::new(0, 0),
            etag: None,
            version: None,
        }
    }

    fn by(algorithm: Algorithm, source: &str, target: Option<&str>) -> Comparison {
        let checksum = |text: &str| Checksum::Whole(digest(algorithm, text.as_bytes()));
        let proof = match target {
            Some(target) => Proof::compare(checksum(source), checksum(target), Method::Recomputed),
            None => Proof::impossible(Why::NoChecksum),
        };
        Comparison {
            source: Some(source.to_owned()),
            target: target.map(str::to_owned),
            algorithm,
            proof,
        }
    }

    #[test]
    fn what_both_sides_have_says_whether_they_are_the_same() {
        let etag = |source, target| by(Algorithm::Md5, source, target);
        let sha = |source, target| by(Algorithm::Sha256, source, target);
        for (source, target, etag, checksum, word, text) in [
            (Some(1), None, None, None, "not_found", "not in the target"),
            (
                None,
                Some(1),
                None,
                None,
                "only_in_target",
                "only in the target",
            ),
            (
                Some(1),
                Some(1),
                None,
                None,
                "matches",
                "the same on both sides",
            ),
            (
                Some(1),
                Some(2),
                None,
                None,
                "mismatch",
                "size 1, in the target 2",
            ),
            (
                Some(1),
                Some(1),
                Some(etag("a", Some("b"))),
                None,
                "mismatch",
                "ETag a, in the target b",
            ),
            // one counterproof is enough, whatever else says
            (
                Some(1),
                Some(1),
                Some(etag("a", Some("a"))),
                Some(sha("a", Some("b"))),
                "mismatch",
                "SHA256 a, in the target b",
            ),
            // and one proof where the other kind tells nothing
            (
                Some(1),
                Some(1),
                Some(etag("a", None)),
                Some(sha("a", Some("a"))),
                "matches",
                "the same on both sides",
            ),
            (
                Some(1),
                Some(1),
                None,
                Some(sha("a", None)),
                "unknown",
                "cannot be told: no_checksum",
            ),
            // sizes tell even where contents do not
            (
                Some(1),
                Some(2),
                None,
                Some(sha("a", None)),
                "mismatch",
                "size 1, in the target 2",
            ),
        ] {
            let compared = Compared {
                key: ObjectKey::new("k").expect("short"),
                source: source.map(listed),
                target: target.map(listed),
                is_source_unreadable: false,
                likeness: (etag.is_some() || checksum.is_some()).then_some(Likeness {
                    etag,
                    checksum,
                    aside: None,
                }),
                beside: Beside::default(),
                elapsed: Duration::ZERO,
            };
            assert_eq!(compared.sameness().as_str(), word, "{compared:?}");
            assert_eq!(compared.to_string(), text, "{compared:?}");
            assert_eq!(compared.why_unknown().is_some(), word == "unknown");
        }
    }
}
