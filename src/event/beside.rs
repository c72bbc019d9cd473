//! What lies beside the content of an object on both sides: metadata, tags, annotations.

use std::sync::Arc;

use super::Sameness;
use crate::object::{Attributes, Tags};
use crate::store::Annotations;

/// What a run that only compares looked at beside the content; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Headers and user metadata.
    pub metadata: Option<Facet<Headers>>,
    /// Tags.
    pub tagging: Option<Facet<Tags>>,
    /// Annotations.
    pub annotations: Option<Facet<Annotations>>,
}

/// One kind of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facet<T> {
    /// Both sides told it.
    Told {
        /// What the source has.
        source: T,
        /// What the target has.
        target: T,
        /// The names under which they differ, in order.
        differs: Vec<String>,
    },
    /// It may not be read.
    Denied,
}

/// Headers and user metadata of one version of an object, without what s3sync itself adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// The headers.
    pub attributes: Attributes,
    /// The version.
    pub version: Option<Arc<str>>,
}

impl<T> Facet<T> {
    /// Whether both sides have the same.
    pub fn sameness(&self) -> Sameness {
        match self {
            Self::Told { differs, .. } if differs.is_empty() => Sameness::Matches,
            Self::Told { .. } => Sameness::Mismatch,
            Self::Denied => Sameness::Unknown,
        }
    }

    /// The names under which they differ.
    pub fn differs(&self) -> &[String] {
        match self {
            Self::Told { differs, .. } => differs,
            Self::Denied => &[],
        }
    }
}

impl Beside {
    /// Every kind that was looked at: its name, what it showed, and where they differ.
    pub fn facets(&self) -> impl Iterator<Item = (&'static str, Sameness, &[String])> {
        let metadata = self.metadata.as_ref();
        let tagging = self.tagging.as_ref();
        let annotations = self.annotations.as_ref();
        [
            metadata.map(|it| ("metadata", it.sameness(), it.differs())),
            tagging.map(|it| ("tags", it.sameness(), it.differs())),
            annotations.map(|it| ("annotations", it.sameness(), it.differs())),
        ]
        .into_iter()
        .flatten()
    }
}
