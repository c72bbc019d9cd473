//! A line: what it says of one object, and which level wants it.

mod acts;
mod ends;
mod error;
mod of_event;
mod proof;
mod words;

use std::borrow::Cow;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::Serialize;

use self::ends::{SourceEnd, TargetEnd};
use self::error::Error;
use self::proof::Verify;
use self::words::{Action, KeyEncoding, Outcome, Reason, Subject, UNCHANGED};
use super::Scope;
use crate::config::ReportLevel;
use crate::object::Timestamp;
use crate::report::schema::Time;

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

impl<'a> Line<'a> {
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

    fn is_unproved(&self) -> bool {
        self.verify.as_ref().is_some_and(|verify| {
            // a check may have looked at what lies beside the content only
            let is_of_content = self.action != Action::Check || verify.is_of_content();
            is_of_content && !verify.is_proved()
        })
    }
}
