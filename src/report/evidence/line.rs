//! The shape of a line, and which event makes which.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Scope, encode};
use crate::config::ReportLevel;
use crate::digest::{
    Algorithm, Checksum, Comparison, Integrity, Likeness, Method, Proof, Verdict, Why,
};
use crate::event::{
    self, Cause, Conduct, Event, Extraneous, FailReason, Guard, Listed, Refresh, Refreshed,
    Refreshing, Sameness, SkipReason,
};
use crate::object::{ETag, Timestamp};
use crate::plan::Aim;
use crate::report::schema::Time;
use crate::store::{Removed, Settled, StoreError};

/// The version of a line's form; it changes when a reader would have to.
pub(super) const VERSION: u32 = 1;

/// What became of one object.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::report) struct Line<'a> {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    v: u32,
    /// What it is about.
    r#type: Subject,
    /// The pair's name.
    pair: &'a str,
    /// Counted from 1, in the order written.
    #[schemars(range(min = 1))]
    seq: u64,
    /// When it was written.
    #[schemars(with = "Time")]
    ts: String,
    /// What was done.
    action: Action,
    /// How that ended.
    outcome: Outcome,
    /// Why it was done, or why not.
    reason: Reason,
    /// The key relative to the source's prefix.
    key: Cow<'a, str>,
    /// How the key is encoded, where JSON cannot carry it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "KeyEncoding")]
    key_encoding: Option<KeyEncoding>,
    /// The object at the source; `null` where nothing is known of it.
    source: Option<SourceEnd>,
    /// The object at the target, once it is there; `null` where it is not.
    target: Option<TargetEnd>,
    /// Where a delete marker hides it now in place of its removal: the marker's version, which is
    /// `null` where it was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    #[allow(
        clippy::option_option,
        reason = "a marker may have no id, and no marker no field"
    )]
    marker_version_id: Option<Option<&'a str>>,
    /// What was proved; `null` where no content was transferred or looked at.
    verify: Option<Verify>,
    /// How it was cut, where it went in parts.
    parts: Option<Parts>,
    /// The size of what was transferred, or in a dry run would be; 0 for everything else.
    bytes: u64,
    /// How often it was begun; 0 where it was not.
    attempts: u32,
    /// From the first attempt to the proof.
    duration_ms: Option<u64>,
    /// S3's id of the request that decided it.
    request_id: Option<&'a str>,
    /// What went wrong.
    error: Option<Error<'a>>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Subject {
    /// One object.
    Object,
    /// Everything below a directory that could not be read, or that a filter keeps out whole.
    Subtree,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// It was brought to the target, or was to be.
    Transfer,
    /// It was deleted at the target, or was to be.
    Delete,
    /// It was left alone.
    Skip,
    /// A filter kept it out.
    Filter,
    /// Both sides were compared.
    Check,
    /// It was left alone, and its tags were brought up to date.
    Tag,
    /// It was left alone, and its annotations were brought up to date.
    Annotate,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// As it should.
    Ok,
    /// In a way somebody should look at.
    Warning,
    /// It is not at the target as it should be.
    Failed,
    /// A dry run would have done it.
    Planned,
    /// A guard kept it from being deleted.
    Withheld,
    /// The pair ended before its turn.
    NotAttempted,
}

/// Why something was done, or was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Reason {
    /// Why it was transferred.
    Transferred(Cause),
    /// Why it was deleted, or was to be.
    Deleted(Deletion),
    /// Why it was a candidate for deletion, and was or would be deleted.
    Extraneous(Extraneous),
    /// Why it was not deleted.
    Withheld(Guard),
    /// Why it was skipped.
    Skipped(SkipReason),
    /// Which option kept it out.
    Filtered(
        #[schemars(regex(pattern = r"^(filter\.[a-z_]+|lua\.filter_script|hook)$"))] &'static str,
    ),
    /// Why it failed.
    Failed(FailReason),
    /// What comparing both sides showed.
    Compared(Sameness),
    /// Why there was nothing to do.
    Untouched(Untouched),
    /// Why something beside its content was written, or was not.
    Beside(Beside),
}

/// What lies beside the content of an unchanged object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Beside {
    /// Its tags are not the source's.
    TagsDiffer,
    /// Its annotations are not the source's.
    AnnotationsDiffer,
    /// Its tags may not be read.
    TagsDenied,
}

/// Why an object was deleted at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Deletion {
    /// The source's latest is a delete marker, and so is the target's now.
    DeleteMarker,
}

/// Why there was nothing to do with an object, or no way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Untouched {
    /// The target has it.
    Unchanged,
    /// The target has one of equal size, and nothing tells whether its content is the same.
    Undecided,
    /// The pair ended before its turn.
    NotAttempted,
    /// The directory it is in could not be read.
    UnreadableDirectory,
}

/// How a key is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KeyEncoding {
    /// As in URLs: `%` and two hexadecimal digits for a byte.
    Percent,
}

/// An object at the source.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct SourceEnd {
    /// The whole key, the prefix included.
    key: String,
    /// Its version.
    version_id: Option<String>,
    /// Its length in bytes.
    size: u64,
    /// Its ETag with its quotes.
    etag: Option<String>,
    /// When it was written.
    #[schemars(with = "Time")]
    last_modified: String,
    /// Its additional checksums, each by its algorithm and as S3 reports it.
    #[schemars(extend("propertyNames" = { "$ref": "#/definitions/Algorithm" }))]
    checksum: Option<Checksums>,
}

/// An object at the target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct TargetEnd {
    /// The whole key, the prefix included.
    key: String,
    /// Its version.
    version_id: Option<String>,
    /// Its length in bytes.
    size: u64,
    /// Its ETag with its quotes.
    etag: Option<String>,
    /// Only of what was listed: what was just written has the time of its writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    last_modified: Option<String>,
    /// Its additional checksums, each by its algorithm and as S3 reports it.
    #[schemars(extend("propertyNames" = { "$ref": "#/definitions/Algorithm" }))]
    checksum: Option<Checksums>,
}

/// S3's name of the algorithm → the value as S3 reports it; in the order of the names.
type Checksums = BTreeMap<&'static str, String>;

/// What was proved of an object that was transferred, or is compared.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
struct Verify {
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

/// What lies beside the content of both.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Facet {
    /// What comparing it showed.
    result: Shown,
    /// The names under which they differ.
    differs: Vec<String>,
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

/// How an object was cut.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Parts {
    /// Into how many parts.
    count: u16,
    /// The length of each but the last, in bytes; null where they are of different lengths.
    size: Option<u64>,
    /// How many of them an interrupted run had sent, and were confirmed and not sent again; left
    /// out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<NonZeroU16>,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Error<'a> {
    /// What was tried.
    operation: Option<&'static str>,
    /// S3's or the system's code.
    code: Option<&'a str>,
    /// In words.
    message: &'a str,
    /// S3's id of the request.
    request_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// The line an event makes, whatever the level; not every event is about an object.
    pub(in crate::report) fn of(event: &'a Event, scope: &'a Scope) -> Option<Self> {
        let about = |key: &'a str, action, outcome, reason| {
            Self::about(scope, key, action, outcome, reason)
        };
        match event {
            Event::Transferred { settled, conduct } => {
                Some(Self::transferred(scope, settled, conduct))
            }
            Event::Planned {
                key,
                source,
                because,
                replaces,
            } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                target: replaces
                    .as_ref()
                    .map(|target| there(scope, key.as_str(), target)),
                bytes: source.size,
                ..about(
                    key.as_str(),
                    Action::Transfer,
                    Outcome::Planned,
                    Reason::Transferred(*because),
                )
            }),
            Event::MarkerCopied {
                key,
                source,
                hides,
                marker,
                is_planned,
            } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                target: Some(if *is_planned {
                    there(scope, key.as_str(), hides)
                } else {
                    marked(scope, key.as_str(), marker.as_deref())
                }),
                ..about(
                    key.as_str(),
                    Action::Delete,
                    if *is_planned {
                        Outcome::Planned
                    } else {
                        Outcome::Ok
                    },
                    Reason::Deleted(Deletion::DeleteMarker),
                )
            }),
            Event::Deletion(deletion) => Some(Self::deletion(scope, deletion)),
            Event::Failed {
                key,
                source,
                reason,
                error,
                attempts,
            } => Some(Self {
                source: (source.as_ref()).map(|source| listed(scope, key.as_str(), source)),
                attempts: *attempts,
                request_id: error.request_id.as_deref(),
                error: Some(Error::of(error)),
                ..about(
                    key.as_str(),
                    match scope.aim {
                        Aim::Sync => Action::Transfer,
                        Aim::Compare => Action::Check,
                    },
                    Outcome::Failed,
                    Reason::Failed(*reason),
                )
            }),
            Event::Filtered {
                key, source, by, ..
            } => Some(Self {
                source: (source.as_ref()).map(|source| listed(scope, key, source)),
                ..about(
                    key,
                    Action::Filter,
                    Outcome::Ok,
                    Reason::Filtered(by.filter),
                )
            }),
            Event::NotWalked { name, by } => Some(Self {
                r#type: Subject::Subtree,
                ..about(
                    name,
                    Action::Filter,
                    Outcome::Ok,
                    Reason::Filtered(by.filter),
                )
            }),
            Event::Skipped {
                key,
                source,
                reason,
                message,
            } => Some(Self::skipped(
                scope,
                key,
                source.as_ref(),
                *reason,
                message.as_deref(),
            )),
            Event::SubtreeUnreadable { name, .. } => Some(Self {
                r#type: Subject::Subtree,
                ..about(
                    name,
                    Action::Skip,
                    Outcome::Warning,
                    Reason::Untouched(Untouched::UnreadableDirectory),
                )
            }),
            Event::Unchanged {
                key,
                source,
                target,
            } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                target: Some(there(scope, key.as_str(), target)),
                ..about(key.as_str(), Action::Skip, Outcome::Ok, UNCHANGED)
            }),
            Event::Undecided {
                key,
                source,
                target,
                ..
            } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                target: Some(there(scope, key.as_str(), target)),
                ..about(
                    key.as_str(),
                    Action::Skip,
                    Outcome::Warning,
                    Reason::Untouched(Untouched::Undecided),
                )
            }),
            Event::Refreshed(refreshed) => Some(Self::refreshed(scope, refreshed)),
            Event::Compared(compared) => Some(Self::compared(scope, compared)),
            Event::NotAttempted { key, source } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                ..about(
                    key.as_str(),
                    Action::Skip,
                    Outcome::NotAttempted,
                    Reason::Untouched(Untouched::NotAttempted),
                )
            }),
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
            | Event::GuaranteeLost { .. } => None,
        }
    }

    /// Whether a level has this line.
    pub(super) fn is_wanted(&self, level: ReportLevel) -> bool {
        match level {
            ReportLevel::All => true,
            ReportLevel::Acts => {
                self.reason != UNCHANGED
                    && self.action != Action::Filter
                    && self.outcome != Outcome::NotAttempted
            }
            ReportLevel::ErrorsOnly => {
                let is_wrong = matches!(
                    self.outcome,
                    Outcome::Failed | Outcome::Warning | Outcome::Withheld
                );
                let is_gone = self.action == Action::Delete && self.outcome == Outcome::Ok;
                is_wrong || is_gone || self.is_unproved()
            }
        }
    }

    /// The line at its place in the file, counted from 1.
    pub(in crate::report) fn numbered(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    fn about(
        scope: &'a Scope,
        key: &'a str,
        action: Action,
        outcome: Outcome,
        reason: Reason,
    ) -> Self {
        Self {
            v: VERSION,
            r#type: Subject::Object,
            pair: &scope.pair,
            seq: 0,
            ts: Timestamp::now().rfc3339_millis(),
            action,
            outcome,
            reason,
            key: key.into(),
            key_encoding: None,
            source: None,
            target: None,
            marker_version_id: None,
            verify: None,
            parts: None,
            bytes: 0,
            attempts: 0,
            duration_ms: None,
            request_id: None,
            error: None,
        }
    }

    fn transferred(scope: &'a Scope, settled: &'a Settled, conduct: &Conduct) -> Self {
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
            source: Some(SourceEnd {
                key: scope.source_key(key),
                version_id: source.version.as_deref().map(str::to_owned),
                size: source.size,
                etag: source.etag.as_ref().map(ETag::quoted),
                last_modified: source.modified.to_string(),
                checksum: checksums(&source.checksum),
            }),
            target: Some(TargetEnd {
                key: format!("{}{key}", scope.target_prefix),
                version_id: stored.version.as_deref().map(str::to_owned),
                size: stored.size,
                etag: stored.etag.as_ref().map(ETag::quoted),
                last_modified: None,
                checksum: checksums(&stored.checksums),
            }),
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
            error: conduct.is_untagged.then_some(Error {
                operation: Some("GetObjectTagging"),
                code: None,
                message: "it went without its tags, which may not be read",
                request_id: None,
            }),
            ..Self::about(scope, key, Action::Transfer, outcome, because)
        }
    }

    fn refreshed(scope: &'a Scope, refreshed: &'a Refreshed) -> Self {
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
            source: Some(listed(scope, key, &refreshed.source)),
            target: Some(there(scope, key, &refreshed.target)),
            duration_ms: u64::try_from(refreshed.elapsed.as_millis()).ok(),
            ..Self::about(scope, key, action, outcome, Reason::Beside(reason))
        }
    }

    fn deletion(scope: &'a Scope, deletion: &'a event::Deletion) -> Self {
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
            target: Some(there(scope, key, &deletion.target)),
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

    fn compared(scope: &'a Scope, compared: &'a crate::event::Compared) -> Self {
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
            source: source.map(|source| listed(scope, key, source)),
            target: target.map(|target| there(scope, key, target)),
            verify: Verify::of_compared(compared),
            attempts: u32::from(compared.likeness.is_some()),
            duration_ms: u64::try_from(compared.elapsed.as_millis()).ok(),
            ..Self::about(scope, key, Action::Check, outcome, reason)
        }
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
            source: source.map(|source| listed(scope, key, source)),
            error: message.map(|message| Error {
                operation: None,
                code: None,
                message,
                request_id: None,
            }),
            ..Self::about(scope, key, Action::Skip, outcome, Reason::Skipped(reason))
        }
    }

    fn is_unproved(&self) -> bool {
        self.verify.as_ref().is_some_and(|verify| {
            let results = [&verify.etag, &verify.checksum, &verify.aside];
            // a check may have looked at what lies beside the content only
            let is_of_content =
                self.action != Action::Check || results.iter().any(|compared| compared.is_some());
            is_of_content
                && !results.iter().any(|compared| {
                    compared
                        .as_ref()
                        .is_some_and(|compared| compared.result == Shown::Matched)
                })
        })
    }
}

const UNCHANGED: Reason = Reason::Untouched(Untouched::Unchanged);

impl Verify {
    fn of(integrity: &Integrity) -> Self {
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

    fn of_compared(compared: &crate::event::Compared) -> Option<Self> {
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

impl<'a> Error<'a> {
    fn of(error: &'a StoreError) -> Self {
        Self {
            operation: Some(error.operation),
            code: error.code.as_deref(),
            message: &error.message,
            request_id: error.request_id.as_deref(),
        }
    }
}

fn listed(scope: &Scope, key: &str, source: &Listed) -> SourceEnd {
    SourceEnd {
        key: scope.source_key(key),
        version_id: source.version.as_deref().map(str::to_owned),
        size: source.size,
        etag: source.etag.as_ref().map(ETag::quoted),
        last_modified: source.modified.to_string(),
        checksum: None,
    }
}

/// What the target has before anything is done.
fn there(scope: &Scope, key: &str, target: &Listed) -> TargetEnd {
    TargetEnd {
        key: format!("{}{key}", scope.target_prefix),
        version_id: target.version.as_deref().map(str::to_owned),
        size: target.size,
        etag: target.etag.as_ref().map(ETag::quoted),
        last_modified: Some(target.modified.to_string()),
        checksum: None,
    }
}

/// A delete marker of the target.
fn marked(scope: &Scope, key: &str, id: Option<&str>) -> TargetEnd {
    TargetEnd {
        key: format!("{}{key}", scope.target_prefix),
        version_id: id.map(str::to_owned),
        size: 0,
        etag: None,
        last_modified: None,
        checksum: None,
    }
}

fn checksums<'c>(checksums: impl IntoIterator<Item = &'c Checksum>) -> Option<Checksums> {
    let by_name: Checksums = checksums
        .into_iter()
        .map(|checksum| (checksum.algorithm().as_str(), checksum.to_string()))
        .collect();
    (!by_name.is_empty()).then_some(by_name)
}
