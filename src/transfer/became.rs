//! What became of an object.

use std::sync::Arc;

use crate::event::{Cause, Listed};
use crate::object::Entry;
use crate::plan::Transfer;

/// What became of an object, as far as it matters to what comes after it.
#[derive(Debug, Clone)]
pub enum Became {
    /// The target has it, as this version where it keeps versions; in a dry run it would have.
    Arrived(Option<Arc<str>>),
    /// The source does not have it any more, or has it where it cannot be read, or filters keep it
    /// out: nothing need wait for it.
    LeftOut,
    /// Filters that had to ask for more than the listing tells keep it out; the target has this
    /// under its key.
    Filtered(Option<Listed>),
    /// Something of another kind stands in its place in the directory, which deletions may clear:
    /// nothing was told of it yet.
    Blocked(Box<Transfer>),
    /// It was left where it is, or did not arrive.
    Stayed,
    /// It failed for a reason that may pass, more than once.
    Failed,
}

impl Became {
    /// An object that waits until it is known what may be deleted.
    pub(super) fn blocked(source: &Entry, because: Cause) -> Self {
        Self::Blocked(Box::new(Transfer {
            source: source.clone(),
            replaces: None,
            because,
        }))
    }
}
