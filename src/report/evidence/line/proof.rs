//! What was proved of an object.

use schemars::JsonSchema;
use serde::Serialize;

use crate::digest::{Algorithm, Comparison, Integrity, Likeness, Method, Proof, Verdict, Why};
use crate::event::{self, Sameness};

/// What was proved of an object that was transferred, or is compared.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(super) struct Verify {
    /// By its ETag; `null` where that did not apply.
    etag: Option<Compared>,
    /// By its additional checksum; `null` where there is none.
    checksum: Option<Compared>,
    /// By an additional checksum of another algorithm than the one asked for, where both sides were
    /// compared by it because the other decided nothing, or where it shows that they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Compared")]
    aside: Option<Compared>,
    /// By metadata, where a check was to look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Facet")]
    metadata: Option<Facet>,
    /// By tags, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Facet")]
    tagging: Option<Facet>,
    /// By annotations, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Facet")]
    annotations: Option<Facet>,
}

impl Verify {
    /// Of what was transferred.
    pub(super) fn of(integrity: &Integrity) -> Self {
        Self {
            // an ETag's algorithm is always MD5 and not worth a word
            etag: integrity.etag.as_ref().map(|proof| Compared {
                algorithm: None,
                ..Compared::of(proof)
            }),
            checksum: integrity.checksum.as_ref().map(Compared::of),
            ..Self::default()
        }
    }

    /// Of what was compared; `None` where nothing was.
    pub(super) fn of_compared(compared: &event::Compared) -> Option<Self> {
        let beside = &compared.beside;
        let is_nothing = compared.likeness.is_none() && *beside == event::Beside::default();
        let content = compared.likeness.as_ref().map(Self::of_likeness);
        (!is_nothing).then(|| Self {
            metadata: beside.metadata.as_ref().map(Facet::of),
            tagging: beside.tagging.as_ref().map(Facet::of),
            annotations: beside.annotations.as_ref().map(Facet::of),
            ..content.unwrap_or_default()
        })
    }

    /// Whether the content was looked at.
    pub(super) fn is_of_content(&self) -> bool {
        self.of_content().any(|compared| compared.is_some())
    }

    /// Whether anything showed that the content is the same.
    pub(super) fn is_proved(&self) -> bool {
        let mut shown = self.of_content().flatten();
        shown.any(|compared| compared.result == Shown::Matched)
    }

    fn of_content(&self) -> impl Iterator<Item = Option<&Compared>> {
        [&self.etag, &self.checksum, &self.aside]
            .into_iter()
            .map(Option::as_ref)
    }

    fn of_likeness(likeness: &Likeness) -> Self {
        let compared = |comparison: &Comparison, algorithm| Compared {
            algorithm,
            source: comparison.source.clone(),
            target: comparison.target.clone(),
            ..Compared::of(&comparison.proof)
        };
        let named = |one: &Comparison| compared(one, Some(one.algorithm));
        Self {
            etag: likeness.etag.as_ref().map(|one| compared(one, None)),
            checksum: likeness.checksum.as_ref().map(named),
            aside: likeness.aside.as_ref().map(named),
            ..Self::default()
        }
    }
}

/// One comparison.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Compared {
    /// What it showed.
    result: Shown,
    /// The algorithm of a checksum; an ETag's is MD5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Algorithm")]
    algorithm: Option<Algorithm>,
    /// What it rests on.
    method: Method,
    /// Why nothing could be proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Why")]
    why: Option<Why>,
    /// The source's value, where it was compared without being transferred; what a file would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    source: Option<String>,
    /// The target's value, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    target: Option<String>,
}

impl Compared {
    fn of(proof: &Proof) -> Self {
        let (result, algorithm, why) = match &proof.verdict {
            Verdict::Verified(checksum) => (Shown::Matched, Some(checksum.algorithm()), None),
            Verdict::Mismatch { stored, .. } => (Shown::Mismatched, Some(stored.algorithm()), None),
            Verdict::Unverifiable(why) => (Shown::NotVerifiable, None, Some(*why)),
        };
        Self {
            result,
            algorithm,
            method: proof.method,
            why,
            source: None,
            target: None,
        }
    }
}

/// What lies beside the content of both.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Facet {
    /// What comparing it showed.
    result: Shown,
    /// The names under which they differ.
    differs: Vec<String>,
}

impl Facet {
    fn of<T>(facet: &event::Facet<T>) -> Self {
        Self {
            result: match facet.sameness() {
                Sameness::Matches => Shown::Matched,
                Sameness::Unknown => Shown::NotVerifiable,
                _ => Shown::Mismatched,
            },
            differs: facet.differs().to_vec(),
        }
    }
}

/// What a comparison showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Shown {
    /// Both are the same.
    Matched,
    /// They differ.
    Mismatched,
    /// They could not be compared.
    NotVerifiable,
}
