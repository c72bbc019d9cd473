//! What the kind of a pair, and of a run, means for a plan.

use super::{Decision, compare};
use crate::config::Check;
use crate::hook::Candidate;
use crate::object::{Entry, ObjectKey, Timestamp};

/// What the kind of a pair means for its plan.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What the run is for.
    pub aim: Aim,
    /// How changes are found.
    pub check: Check,
    /// Which kinds of store stand at both ends.
    pub direction: Direction,
    /// Times later than this lie in the future.
    pub now: Timestamp,
    /// How filters know what only the target has.
    pub names: Names,
    /// Whether late filters may yet keep out what is decided to go.
    pub is_provisional: bool,
}

impl Rules {
    /// The decision on a key that both sides have.
    pub fn decide(&self, source: Entry, target: Entry) -> Decision {
        compare::decide(self, source, target)
    }
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aim {
    /// To make the target like the source.
    #[default]
    Sync,
    /// To say where they differ: every key of both sides is a [`Decision::Compare`].
    Compare,
}

/// Which kinds of store stand at both ends of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A directory to a bucket: the target's times are those of the upload.
    LocalToS3,
    /// A bucket to a directory: files carry the source's time.
    S3ToLocal,
    /// A bucket to a bucket: the target's times are those of the copy.
    S3ToS3,
}

/// By which key of the source an object would be called that only the target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// By that of the target.
    #[default]
    Same,
    /// By that and a slash before it: the source's prefix is a directory's name without its slash,
    /// and the target is a directory.
    Slashed,
}

impl Names {
    pub(super) fn candidate(self, target: &Entry) -> Candidate {
        let mut candidate = Candidate::from(target);
        if self == Self::Slashed
            && let Ok(key) = ObjectKey::new(format!("/{}", target.key))
        {
            candidate.entry.key = key;
        }
        candidate
    }

    /// The same under another name that the source may have had for it: without a slash of its own
    /// the prefix is where other names begin as well.
    pub(super) fn other_candidate(self, target: &Entry) -> Option<Candidate> {
        (self == Self::Slashed).then(|| Candidate::from(target))
    }
}
