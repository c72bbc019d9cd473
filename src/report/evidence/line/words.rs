//! The words of a line.

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::{Cause, Extraneous, FailReason, Guard, Sameness, SkipReason};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    /// One object.
    Object,
    /// Everything below a directory that could not be read, or that a filter keeps out whole.
    Subtree,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
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
pub(super) enum Outcome {
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
pub(super) enum Reason {
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

/// Why an object was deleted at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deletion {
    /// The source's latest is a delete marker, and so is the target's now.
    DeleteMarker,
}

/// Why there was nothing to do with an object, or no way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Untouched {
    /// The target has it.
    Unchanged,
    /// The target has one of equal size, and nothing tells whether its content is the same.
    Undecided,
    /// The pair ended before its turn.
    NotAttempted,
    /// The directory it is in could not be read.
    UnreadableDirectory,
}

/// What lies beside the content of an unchanged object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Beside {
    /// Its tags are not the source's.
    TagsDiffer,
    /// Its annotations are not the source's.
    AnnotationsDiffer,
    /// Its tags may not be read.
    TagsDenied,
}

/// How a key is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeyEncoding {
    /// As in URLs: `%` and two hexadecimal digits for a byte.
    Percent,
}

/// Nothing was to be done: of most lines the reason.
pub(super) const UNCHANGED: Reason = Reason::Untouched(Untouched::Unchanged);
