//! What lies beside the content of an object that need not be transferred, brought up to date.

use std::sync::Arc;
use std::time::Duration;

use super::Listed;
use crate::object::{ETag, ObjectKey};

/// The tags or annotations of an unchanged object that were not those of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The key.
    pub key: ObjectKey,
    /// What the source listed.
    pub source: Listed,
    /// What the target has.
    pub target: Listed,
    /// What of it.
    pub what: Refresh,
    /// What came of it.
    pub outcome: Refreshing,
    /// From asking both sides to the last change.
    pub elapsed: Duration,
}

/// What is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The tags.
    Tags,
    /// The annotations.
    Annotations {
        /// How many were written.
        written: u64,
        /// How many were removed.
        removed: u64,
    },
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshing {
    /// They are the source's now.
    Done,
    /// A dry run would do it.
    Planned,
    /// They may not be read, and the user accepts that.
    Denied,
}

/// One annotation that was written, compared or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The object's key.
    pub key: ObjectKey,
    /// The object's version at the source.
    pub source_version: Option<Arc<str>>,
    /// Its version at the target.
    pub target_version: Option<Arc<str>>,
    /// The annotation's name.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was written.
    Written(Tagged),
    /// Its ETag proves that it arrived.
    Verified(Tagged),
    /// Its ETag proves that it was damaged.
    Mismatched(Tagged),
    /// It was removed: the source does not have it.
    Removed,
}

/// An annotation on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Length in bytes.
    pub size: u64,
    /// The source's ETag.
    pub source: Option<ETag>,
    /// The target's.
    pub target: Option<ETag>,
}
