//! What counts as a warning, where that is the user's to say.

use super::SkipReason;
use crate::digest::Why;

/// What counts as a warning, where that is the user's to say; nothing was said by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warned {
    /// Objects about which nothing could be proved.
    pub unverifiable: Unverifiable,
    /// Objects that are archived.
    pub archived: Archived,
}

/// Whether an object about which nothing could be proved is a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unverifiable {
    /// It is.
    #[default]
    Warns,
    /// The user accepts it, or has it fail before it gets here.
    IsAccepted,
}

/// Whether an archived object is a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Archived {
    /// It is.
    #[default]
    Warns,
    /// The user knows that there are some.
    IsKnown,
}

impl Warned {
    /// Whether an unproved object is a warning: not where the user accepts it, nor where they
    /// switched the verification off.
    pub fn of_unproved(self, why: Why) -> bool {
        match why {
            Why::SwitchedOff => false,
            Why::LayoutUnknown
            | Why::OpaqueETag
            | Why::AlgorithmUnknown
            | Why::EndpointCannot
            | Why::NoChecksum
            | Why::Denied => self.unverifiable == Unverifiable::Warns,
        }
    }

    /// Whether an object that was left out is a warning.
    pub fn of_skipped(self, reason: SkipReason) -> bool {
        match reason {
            SkipReason::Archived => self.archived == Archived::Warns,
            reason => reason.is_warning(),
        }
    }
}

impl From<Unverifiable> for Warned {
    fn from(unverifiable: Unverifiable) -> Self {
        Self {
            unverifiable,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_archived_objects_are_no_warning_where_they_are_known() {
        let known = Warned {
            archived: Archived::IsKnown,
            ..Warned::default()
        };
        for (reason, by_default, where_known) in [
            (SkipReason::Archived, true, false),
            (SkipReason::AccessDenied, true, true),
            (SkipReason::PreconditionFailed, true, true),
            (SkipReason::SpecialFile, false, false),
        ] {
            assert_eq!(
                Warned::default().of_skipped(reason),
                by_default,
                "{reason:?}"
            );
            assert_eq!(known.of_skipped(reason), where_known, "{reason:?}");
        }
    }
}
