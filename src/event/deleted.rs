//! What becomes of objects that only the target has.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FailReason, Listed};
use crate::object::ObjectKey;
use crate::store::{Removed, StoreError};

/// One object of the target that was a candidate for deletion, and what became of it.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// Its key, as the target has it.
    pub key: ObjectKey,
    /// What the target listed.
    pub target: Listed,
    /// Why it was a candidate.
    pub because: Extraneous,
    /// What became of it.
    pub outcome: Outcome,
}

/// Why an object of the target is to be deleted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Extraneous {
    /// The source does not have it.
    #[serde(rename = "missing_in_source")]
    Missing,
    /// The source has it, filters reject it, and the user wants those deleted.
    Excluded,
}

/// What became of a candidate.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A dry run would delete it.
    Planned,
    /// It is gone, or hidden.
    Removed(Removed),
    /// A guard keeps it.
    Withheld(Guard),
    /// It is not what was listed any more, and stays.
    Changed(Box<StoreError>),
    /// It could not be deleted.
    Failed(FailReason, Box<StoreError>),
    /// Its turn never came.
    NotAttempted,
}

/// What withholds all deletions of a pair.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// A side was not listed to its end, so that what is missing is not known to be.
    ListingFailed,
    /// The source has fewer objects than it must.
    MinSourceObjects,
    /// The source does not list the key that says it is what it should be.
    MarkerMissing,
    /// Objects of the pair failed, or what ended it.
    Errors,
    /// More candidates than there may be.
    MaxObjects,
    /// A larger share of the target than it may be.
    MaxPercent,
    /// The run was stopped before everything was looked at.
    Interrupted,
}

/// Whether the candidates of a pair are deleted, decided over all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// How many there are; as far as they are known, where a listing failed.
    pub candidates: u64,
    /// How many objects of the target the pair is about.
    pub in_scope: u64,
    /// What keeps all of them, if anything does.
    pub withheld: Option<Guard>,
    /// That in words, with its numbers; empty where nothing keeps them.
    pub message: String,
}

impl Extraneous {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing_in_source",
            Self::Excluded => "excluded",
        }
    }
}

impl Guard {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListingFailed => "listing_failed",
            Self::MinSourceObjects => "min_source_objects",
            Self::MarkerMissing => "marker_missing",
            Self::Errors => "errors",
            Self::MaxObjects => "max_objects",
            Self::MaxPercent => "max_percent",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
