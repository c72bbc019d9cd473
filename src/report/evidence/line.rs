//! The shape of a line, and which event makes which.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Scope, encode};
use crate::config::ReportLevel;
use crate::digest::{Checksum, Integrity, Proof, Verdict};
use crate::event::{Conduct, Event, Listed, SkipReason, is_warning};
use crate::object::{ETag, Timestamp};
use crate::store::{Settled, StoreError};

/// One line of evidence, version 1.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Line<'a> {
    v: u32,
    r#type: &'static str,
    pair: &'a str,
    seq: u64,
    ts: String,
    action: Action,
    outcome: Outcome,
    reason: &'static str,
    key: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_encoding: Option<&'static str>,
    source: Option<SourceEnd>,
    target: Option<TargetEnd>,
    verify: Option<Verify>,
    parts: Option<Parts>,
    bytes: u64,
    attempts: u32,
    duration_ms: Option<u64>,
    request_id: Option<&'a str>,
    error: Option<Error<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Transfer,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Failed,
    Planned,
    NotAttempted,
}

#[derive(Debug, Clone, Serialize)]
struct SourceEnd {
    key: String,
    version_id: Option<String>,
    size: u64,
    etag: Option<String>,
    last_modified: String,
    checksum: Option<Checksums>,
}

#[derive(Debug, Clone, Serialize)]
struct TargetEnd {
    key: String,
    version_id: Option<String>,
    size: u64,
    etag: Option<String>,
    /// Only of what was listed: what was just written has the time of its writing.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    checksum: Option<Checksums>,
}

/// S3's name of the algorithm → the value as S3 reports it.
type Checksums = BTreeMap<&'static str, String>;

#[derive(Debug, Clone, Serialize)]
struct Verify {
    etag: Option<Compared>,
    checksum: Option<Compared>,
}

#[derive(Debug, Clone, Serialize)]
struct Compared {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<&'static str>,
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Parts {
    count: u16,
    size: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Error<'a> {
    operation: Option<&'static str>,
    code: Option<&'a str>,
    message: &'a str,
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
                    because.as_str(),
                )
            }),
            Event::Failed {
                key,
                source,
                reason,
                error,
                attempts,
            } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                attempts: *attempts,
                request_id: error.request_id.as_deref(),
                error: Some(Error::of(error)),
                ..about(
                    key.as_str(),
                    Action::Transfer,
                    Outcome::Failed,
                    reason.as_str(),
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
                r#type: "subtree",
                ..about(name, Action::Skip, Outcome::Warning, "unreadable_directory")
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
            Event::NotAttempted { key, source } => Some(Self {
                source: Some(listed(scope, key.as_str(), source)),
                ..about(
                    key.as_str(),
                    Action::Skip,
                    Outcome::NotAttempted,
                    "not_attempted",
                )
            }),
            Event::Listed { .. }
            | Event::ListingDone { .. }
            | Event::UnchangedMany { .. }
            | Event::PairFailed { .. }
            | Event::Warning { .. }
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
            ReportLevel::Acts => self.reason != UNCHANGED && self.outcome != Outcome::NotAttempted,
            ReportLevel::ErrorsOnly => {
                matches!(self.outcome, Outcome::Failed | Outcome::Warning) || self.is_unproved()
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
        reason: &'static str,
    ) -> Self {
        Self {
            v: 1,
            r#type: "object",
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
            Verdict::Unverifiable(why) if is_warning(why, scope.unverifiable) => Outcome::Warning,
            Verdict::Unverifiable(_) | Verdict::Verified(_) | Verdict::Mismatch { .. } => {
                Outcome::Ok
            }
        };
        let because = conduct.because.as_str();
        Self {
            source: Some(SourceEnd {
                key: format!("{}{key}", scope.source_prefix),
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
            parts: conduct.parts.map(|(count, size)| Parts { count, size }),
            bytes: source.size,
            attempts: conduct.attempts,
            duration_ms: u64::try_from(conduct.elapsed.as_millis()).ok(),
            request_id: stored.request_id.as_deref(),
            ..Self::about(scope, key, Action::Transfer, outcome, because)
        }
    }

    fn skipped(
        scope: &'a Scope,
        key: &'a str,
        source: Option<&Listed>,
        reason: SkipReason,
        message: Option<&'a str>,
    ) -> Self {
        let outcome = if reason.is_warning() {
            Outcome::Warning
        } else {
            Outcome::Ok
        };
        let (shown, key_encoding) = if reason == SkipReason::NotUtf8Name {
            (encode::percent(key), Some("percent"))
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
            ..Self::about(scope, key, Action::Skip, outcome, reason.as_str())
        }
    }

    fn is_unproved(&self) -> bool {
        self.verify.as_ref().is_some_and(|verify| {
            let results = [&verify.etag, &verify.checksum];
            !results.iter().any(|compared| {
                compared
                    .as_ref()
                    .is_some_and(|compared| compared.result == MATCHED)
            })
        })
    }
}

const UNCHANGED: &str = "unchanged";
const MATCHED: &str = "matched";

impl Verify {
    fn of(integrity: &Integrity) -> Self {
        let compared = |proof: &Proof| {
            let (result, algorithm, why) = match &proof.verdict {
                Verdict::Verified(checksum) => (MATCHED, Some(checksum.algorithm()), None),
                Verdict::Mismatch { stored, .. } => ("mismatched", Some(stored.algorithm()), None),
                Verdict::Unverifiable(why) => ("not_verifiable", None, Some(why.as_str())),
            };
            Compared {
                result,
                algorithm: algorithm.map(|name| name.as_str()),
                method: proof.method.as_str(),
                why,
            }
        };
        Self {
            // an ETag's algorithm is always MD5 and not worth a word
            etag: integrity.etag.as_ref().map(|proof| Compared {
                algorithm: None,
                ..compared(proof)
            }),
            checksum: integrity.checksum.as_ref().map(compared),
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
        key: format!("{}{key}", scope.source_prefix),
        version_id: None,
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
        version_id: None,
        size: target.size,
        etag: target.etag.as_ref().map(ETag::quoted),
        last_modified: Some(target.modified.to_string()),
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
