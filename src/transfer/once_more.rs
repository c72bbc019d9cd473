/*! What failed for a reason that may pass, and what it is begun with once more.

Beginning again at once helps against damage on the way. It does not help against a server that is
unwell for a minute, or a file that is being written: those want a later moment. So whoever carries
the decisions of a pair out may keep such an object back, untold, and begin it once more when
everything else is done. It is the same object then, in one line of evidence: its attempts go on
being counted, what the first ones left at the target is known, and hooks are not asked twice of what
they were asked.
*/

use std::sync::{Arc, OnceLock};

use super::preprocess::Said;
use crate::event::{Event, FailReason};
use crate::plan::Decision;
use crate::store::{Condition, StoreError, Stored};

/// Why a decision was not carried out to its end.
#[derive(Debug)]
pub enum Ended {
    /// The object failed for a reason that may pass, and nobody was told.
    Failed(Box<Failure>),
    /// The run was stopped, and nobody was told of the object.
    Stopped(Box<Event>),
    /// The pair ends here; its object was told of.
    Pair(StoreError),
}

/// An object that failed for a reason that may pass. Whoever drops it without telling loses the
/// object from the books.
#[derive(Debug)]
pub struct Failure {
    /// That it failed.
    pub(super) event: Event,
    /// What else is to be told then.
    pub(super) warnings: Vec<String>,
    /// What it is begun with.
    pub(super) again: Option<(Decision, Past)>,
}

/// What the attempts at an object have left behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// How many there were.
    pub(super) attempts: u32,
    /// What the target has of them, and is damaged.
    pub(super) published: Vec<Stored>,
    /// Whether the target may have something that cannot be told, and so not be withdrawn.
    pub(super) in_doubt: bool,
    /// What has to hold of the key now, where they have changed it.
    pub(super) condition: Option<Condition>,
    /// What hooks have said of the object, if they were asked.
    pub(super) said: Arc<OnceLock<Said>>,
}

impl Ended {
    /// A failure with what it is begun with, where that is not known yet.
    pub(super) fn begun_with(self, again: impl FnOnce() -> (Decision, Past)) -> Self {
        match self {
            Self::Failed(mut failure) => {
                failure.again.get_or_insert_with(again);
                Self::Failed(failure)
            }
            other @ (Self::Stopped(_) | Self::Pair(_)) => other,
        }
    }

    /// A failure with what else is to be told; for the others it is told by `now`.
    pub(super) fn warning(self, warnings: Vec<String>, now: impl Fn(Event)) -> Self {
        match self {
            Self::Failed(mut failure) => {
                failure.warnings.extend(warnings);
                Self::Failed(failure)
            }
            other @ (Self::Stopped(_) | Self::Pair(_)) => {
                for message in warnings {
                    now(Event::Warning { message });
                }
                other
            }
        }
    }
}

impl Failure {
    /// Everything there is to tell of it.
    pub(super) fn told(self) -> impl Iterator<Item = Event> {
        let warnings = self.warnings.into_iter();
        let warnings = warnings.map(|message| Event::Warning { message });
        warnings.chain([self.event])
    }
}

impl Past {
    /// The same after one more attempt that has left nothing.
    pub(super) fn one_more(&self) -> Self {
        Self {
            attempts: self.attempts + 1,
            ..self.clone()
        }
    }

    /// Whether what the target has under the key may be damaged.
    pub(super) fn left_something(&self) -> bool {
        self.in_doubt || !self.published.is_empty()
    }
}

/// Whether another moment may help against what an object failed for.
pub(super) fn may_pass(reason: FailReason, error: &StoreError) -> bool {
    match reason {
        FailReason::SourceChanged
        | FailReason::ChecksumMismatch
        | FailReason::ETagMismatch
        | FailReason::RetriesExhausted => true,
        // of what it failed for, this tells only where
        FailReason::Annotations => {
            let reason = FailReason::of(error.kind);
            reason != FailReason::Annotations && may_pass(reason, error)
        }
        FailReason::NoSpace
        | FailReason::Unverifiable
        | FailReason::LuaError
        | FailReason::HookError
        | FailReason::TagsDenied
        | FailReason::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ErrorKind;

    #[test]
    fn another_moment_helps_against_what_may_pass() {
        for (reason, kind, passes) in [
            (FailReason::SourceChanged, ErrorKind::Changed, true),
            (FailReason::ChecksumMismatch, ErrorKind::Corrupted, true),
            (FailReason::ETagMismatch, ErrorKind::Corrupted, true),
            (FailReason::RetriesExhausted, ErrorKind::Transient, true),
            (FailReason::Annotations, ErrorKind::Transient, true),
            (FailReason::Annotations, ErrorKind::AccessDenied, false),
            (FailReason::TagsDenied, ErrorKind::AccessDenied, false),
            (FailReason::NoSpace, ErrorKind::NoSpace, false),
            (FailReason::Unverifiable, ErrorKind::Other, false),
            (FailReason::LuaError, ErrorKind::Other, false),
            (FailReason::Other, ErrorKind::Other, false),
        ] {
            let error = StoreError::new("PutObject", "k", kind, "no");
            assert_eq!(may_pass(reason, &error), passes, "{reason:?} {kind:?}");
        }
    }
}
