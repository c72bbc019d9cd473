//! Which event makes which line.

use super::Line;
use super::ends::{SourceEnd, TargetEnd};
use super::error::Error;
use super::words::{Action, Deletion, KeyEncoding, Outcome, Reason, Subject, Untouched};
use crate::event::{Cause, Event, FailReason, Listed, SkipReason};
use crate::plan::Aim;
use crate::report::evidence::{Scope, encode};
use crate::store::StoreError;

impl<'a> Line<'a> {
    /// The line an event makes, whatever the level; not every event is about an object.
    pub(in crate::report) fn of(event: &'a Event, scope: &'a Scope) -> Option<Self> {
        Some(match event {
            Event::Transferred { settled, conduct } => Self::transferred(scope, settled, conduct),
            Event::Planned {
                key,
                source,
                because,
                replaces,
            } => Self::planned(scope, key.as_str(), source, *because, replaces.as_ref()),
            Event::MarkerCopied {
                key,
                source,
                hides,
                marker,
                is_planned,
            } => {
                let key = key.as_str();
                let (target, outcome) = if *is_planned {
                    (TargetEnd::listed(scope, key, hides), Outcome::Planned)
                } else {
                    let marker = TargetEnd::marker(scope, key, marker.as_deref());
                    (marker, Outcome::Ok)
                };
                Self::marker_copied(scope, key, source, target, outcome)
            }
            Event::Deletion(deletion) => Self::deletion(scope, deletion),
            Event::Failed {
                key,
                source,
                reason,
                error,
                attempts,
            } => Self {
                attempts: *attempts,
                ..Self::failed(scope, key.as_str(), source.as_ref(), *reason, error)
            },
            Event::Filtered {
                key, source, by, ..
            } => {
                let source = source.as_ref();
                Self {
                    source: source.map(|source| SourceEnd::listed(scope, key, source)),
                    ..Self::filtered(scope, key, by.filter)
                }
            }
            Event::NotWalked { name, by } => Self {
                r#type: Subject::Subtree,
                ..Self::filtered(scope, name, by.filter)
            },
            Event::Skipped {
                key,
                source,
                reason,
                message,
            } => Self::skipped(scope, key, source.as_ref(), *reason, message.as_deref()),
            Event::SubtreeUnreadable { name, .. } => Self {
                r#type: Subject::Subtree,
                ..Self::untouched(
                    scope,
                    name,
                    Outcome::Warning,
                    Untouched::UnreadableDirectory,
                )
            },
            Event::Unchanged {
                key,
                source,
                target,
            } => Self {
                source: Some(SourceEnd::listed(scope, key.as_str(), source)),
                target: Some(TargetEnd::listed(scope, key.as_str(), target)),
                ..Self::untouched(scope, key.as_str(), Outcome::Ok, Untouched::Unchanged)
            },
            Event::Undecided {
                key,
                source,
                target,
                ..
            } => Self {
                source: Some(SourceEnd::listed(scope, key.as_str(), source)),
                target: Some(TargetEnd::listed(scope, key.as_str(), target)),
                ..Self::untouched(scope, key.as_str(), Outcome::Warning, Untouched::Undecided)
            },
            Event::Refreshed(refreshed) => Self::refreshed(scope, refreshed),
            Event::Compared(compared) => Self::compared(scope, compared),
            Event::NotAttempted { key, source } => {
                let (key, outcome) = (key.as_str(), Outcome::NotAttempted);
                Self {
                    source: Some(SourceEnd::listed(scope, key, source)),
                    ..Self::untouched(scope, key, outcome, Untouched::NotAttempted)
                }
            }
            Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::OneObject { .. }
            | Event::UnchangedMany { .. }
            | Event::FilteredMany { .. }
            | Event::Annotated(_)
            | Event::Judged(_)
            | Event::PairFailed { .. }
            | Event::Warning { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. }
            | Event::GuaranteeLost { .. } => return None,
        })
    }

    fn planned(
        scope: &'a Scope,
        key: &'a str,
        source: &Listed,
        because: Cause,
        replaces: Option<&Listed>,
    ) -> Self {
        let reason = Reason::Transferred(because);
        Self {
            source: Some(SourceEnd::listed(scope, key, source)),
            target: replaces.map(|target| TargetEnd::listed(scope, key, target)),
            bytes: source.size,
            ..Self::about(scope, key, Action::Transfer, Outcome::Planned, reason)
        }
    }

    fn marker_copied(
        scope: &'a Scope,
        key: &'a str,
        source: &Listed,
        target: TargetEnd,
        outcome: Outcome,
    ) -> Self {
        let reason = Reason::Deleted(Deletion::DeleteMarker);
        Self {
            source: Some(SourceEnd::listed(scope, key, source)),
            target: Some(target),
            ..Self::about(scope, key, Action::Delete, outcome, reason)
        }
    }

    fn failed(
        scope: &'a Scope,
        key: &'a str,
        source: Option<&Listed>,
        reason: FailReason,
        error: &'a StoreError,
    ) -> Self {
        let action = match scope.aim {
            Aim::Sync => Action::Transfer,
            Aim::Compare => Action::Check,
        };
        let reason = Reason::Failed(reason);
        Self {
            source: source.map(|source| SourceEnd::listed(scope, key, source)),
            request_id: error.request_id.as_deref(),
            error: Some(Error::of(error)),
            ..Self::about(scope, key, action, Outcome::Failed, reason)
        }
    }

    fn filtered(scope: &'a Scope, key: &'a str, filter: &'static str) -> Self {
        let reason = Reason::Filtered(filter);
        Self::about(scope, key, Action::Filter, Outcome::Ok, reason)
    }

    fn untouched(scope: &'a Scope, key: &'a str, outcome: Outcome, why: Untouched) -> Self {
        Self::about(scope, key, Action::Skip, outcome, Reason::Untouched(why))
    }

    fn skipped(
        scope: &'a Scope,
        key: &'a str,
        source: Option<&Listed>,
        reason: SkipReason,
        message: Option<&'a str>,
    ) -> Self {
        let outcome = if scope.warned.of_skipped(reason) {
            Outcome::Warning
        } else {
            Outcome::Ok
        };
        let (shown, key_encoding) = if reason == SkipReason::NotUtf8Name {
            (encode::percent(key), Some(KeyEncoding::Percent))
        } else {
            (key.into(), None)
        };
        Self {
            key: shown,
            key_encoding,
            source: source.map(|source| SourceEnd::listed(scope, key, source)),
            error: message.map(|message| Error::in_words(None, message)),
            ..Self::about(scope, key, Action::Skip, outcome, Reason::Skipped(reason))
        }
    }
}
