//! Lines of what was done to an object, or found by comparing it.

use std::num::NonZeroU16;

use super::ends::{SourceEnd, TargetEnd};
use super::error::Error;
use super::proof::Verify;
use super::words::{Action, Beside, Outcome, Reason, Untouched};
use super::{Line, Parts};
use crate::digest::Verdict;
use crate::event::{self, Conduct, Refresh, Refreshed, Refreshing, SkipReason};
use crate::report::evidence::Scope;
use crate::store::{Removed, Settled};

impl<'a> Line<'a> {
    pub(super) fn transferred(scope: &'a Scope, settled: &'a Settled, conduct: &Conduct) -> Self {
        let source = settled.source();
        let stored = settled.stored();
        let integrity = settled.integrity();
        let key = source.key.as_str();
        let outcome = match integrity.verdict() {
            _ if conduct.is_untagged => Outcome::Warning,
            Verdict::Unverifiable(why) if scope.warned.of_unproved(why) => Outcome::Warning,
            Verdict::Unverifiable(_) | Verdict::Verified(_) | Verdict::Mismatch { .. } => {
                Outcome::Ok
            }
        };
        let because = Reason::Transferred(conduct.because);
        Self {
            source: Some(SourceEnd::sent(scope, source)),
            target: Some(TargetEnd::stored(scope, key, stored)),
            verify: Some(Verify::of(integrity)),
            parts: conduct.parts.map(|(count, size)| Parts {
                count,
                size,
                resumed: NonZeroU16::new(conduct.resumed),
            }),
            bytes: source.size,
            attempts: conduct.attempts,
            duration_ms: u64::try_from(conduct.elapsed.as_millis()).ok(),
            request_id: stored.request_id.as_deref(),
            error: conduct.is_untagged.then(|| {
                let message = "it went without its tags, which may not be read";
                Error::in_words(Some("GetObjectTagging"), message)
            }),
            ..Self::about(scope, key, Action::Transfer, outcome, because)
        }
    }

    pub(super) fn refreshed(scope: &'a Scope, refreshed: &'a Refreshed) -> Self {
        let key = refreshed.key.as_str();
        let (action, differ) = match refreshed.what {
            Refresh::Tags => (Action::Tag, Beside::TagsDiffer),
            Refresh::Annotations { .. } => (Action::Annotate, Beside::AnnotationsDiffer),
        };
        let (outcome, reason) = match refreshed.outcome {
            Refreshing::Done => (Outcome::Ok, differ),
            Refreshing::Planned => (Outcome::Planned, differ),
            Refreshing::Denied => (Outcome::Warning, Beside::TagsDenied),
        };
        Self {
            source: Some(SourceEnd::listed(scope, key, &refreshed.source)),
            target: Some(TargetEnd::listed(scope, key, &refreshed.target)),
            duration_ms: u64::try_from(refreshed.elapsed.as_millis()).ok(),
            ..Self::about(scope, key, action, outcome, Reason::Beside(reason))
        }
    }

    pub(super) fn deletion(scope: &'a Scope, deletion: &'a event::Deletion) -> Self {
        use event::Outcome as Became;

        let key = deletion.key.as_str();
        let because = Reason::Extraneous(deletion.because);
        let (outcome, reason, error) = match &deletion.outcome {
            Became::Planned => (Outcome::Planned, because, None),
            Became::Removed(_) => (Outcome::Ok, because, None),
            Became::Withheld(guard) => (Outcome::Withheld, Reason::Withheld(*guard), None),
            Became::Changed(error) => (
                Outcome::Warning,
                Reason::Skipped(SkipReason::PreconditionFailed),
                Some(error),
            ),
            Became::Failed(reason, error) => {
                (Outcome::Failed, Reason::Failed(*reason), Some(error))
            }
            Became::NotAttempted => (
                Outcome::NotAttempted,
                Reason::Untouched(Untouched::NotAttempted),
                None,
            ),
        };
        let marker = match &deletion.outcome {
            Became::Removed(Removed::Marked(version)) => Some(version.as_deref()),
            _ => None,
        };
        Self {
            target: Some(TargetEnd::listed(scope, key, &deletion.target)),
            marker_version_id: marker,
            attempts: u32::from(!matches!(
                outcome,
                Outcome::Planned | Outcome::Withheld | Outcome::NotAttempted
            )),
            request_id: error.and_then(|error| error.request_id.as_deref()),
            error: error.map(|error| Error::of(error)),
            ..Self::about(scope, key, Action::Delete, outcome, reason)
        }
    }

    pub(super) fn compared(scope: &'a Scope, compared: &'a event::Compared) -> Self {
        let key = compared.key.as_str();
        let sameness = compared.sameness();
        let outcome = if sameness.is_warning(scope.warned.unverifiable) {
            Outcome::Warning
        } else {
            Outcome::Ok
        };
        let (source, target) = (compared.source.as_ref(), compared.target.as_ref());
        let reason = Reason::Compared(sameness);
        Self {
            source: source.map(|source| SourceEnd::listed(scope, key, source)),
            target: target.map(|target| TargetEnd::listed(scope, key, target)),
            verify: Verify::of_compared(compared),
            attempts: u32::from(compared.likeness.is_some()),
            duration_ms: u64::try_from(compared.elapsed.as_millis()).ok(),
            ..Self::about(scope, key, Action::Check, outcome, reason)
        }
    }
}
