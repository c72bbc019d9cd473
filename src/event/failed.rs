//! Why an object failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::ErrorKind;

/// Why an object failed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// It changed while it was read, every time.
    SourceChanged,
    /// The additional checksum proves that the bytes were damaged, every time.
    ChecksumMismatch,
    /// The ETag proves that the bytes were damaged, every time.
    #[serde(rename = "etag_mismatch")]
    ETagMismatch,
    /// The disk is full.
    NoSpace,
    /// It was tried as often as it may be.
    RetriesExhausted,
    /// Nothing could be proved, or compared, and the user wants that to fail.
    Unverifiable,
    /// A script failed on it.
    LuaError,
    /// Code of the program that embeds this library failed on it.
    HookError,
    /// Its tags may not be read, and the user wants that to fail.
    TagsDenied,
    /// Not all of its annotations could be brought along; it may be at the target without them.
    Annotations,
    /// Anything else.
    Other,
}

impl FailReason {
    /// What an error of this kind is for the object it is about.
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NoSpace => Self::NoSpace,
            ErrorKind::Changed => Self::SourceChanged,
            ErrorKind::Transient | ErrorKind::Corrupted => Self::RetriesExhausted,
            ErrorKind::NotFound
            | ErrorKind::AccessDenied
            | ErrorKind::PreconditionFailed
            | ErrorKind::Archived
            | ErrorKind::Occupied
            | ErrorKind::UnsafeKey
            | ErrorKind::Fatal
            | ErrorKind::TooManyOpenFiles
            | ErrorKind::Unsupported
            | ErrorKind::Cancelled
            | ErrorKind::Other => Self::Other,
        }
    }

    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceChanged => "source_changed",
            Self::ChecksumMismatch => "checksum_mismatch",
            Self::ETagMismatch => "etag_mismatch",
            Self::NoSpace => "no_space",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Unverifiable => "unverifiable",
            Self::LuaError => "lua_error",
            Self::HookError => "hook_error",
            Self::TagsDenied => "tags_denied",
            Self::Annotations => "annotations",
            Self::Other => "other",
        }
    }
}
