/*! What happens during a run, as values: the only truth that logs, evidence, progress and the
report are made from.

The engine emits; [`Sink`]s listen. Statistics are a fold over these events ([`Stats`]), with one
writer, so that no two places can count differently.
*/

mod beside;
mod compared;
mod deleted;
mod filtered;
mod refreshed;
mod stats;
mod steps;
mod warned;

pub use beside::{Beside, Facet, Headers};
pub use compared::{Compared, Sameness};
pub use deleted::{Deletion, Extraneous, Guard, Judged, Outcome};
pub use filtered::Rule;
pub use refreshed::{Annotated, Fate, Refresh, Refreshed, Refreshing, Tagged};
pub use stats::{
    Agreement, Axis, Comparisons, Counts, Deletions, Latency, Lost, PerSide, Progress, Sample,
    Samples, Series, Stats, Tally, Traffic, Verified,
};
pub use steps::{Damaged, Wrote};
pub use warned::{Archived, Unverifiable, Warned};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Why;
use crate::object::{ETag, Entry, ObjectKey, Timestamp};
use crate::store::{ErrorKind, OddityKind, Settled, StoreError};

/// One end of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Target,
}

/// Why an object is transferred.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The target has no such key.
    #[serde(rename = "missing_in_target")]
    Missing,
    /// The source is newer, in whole seconds.
    Newer,
    /// The sizes differ.
    SizeDiffers,
    /// The ETags differ.
    #[serde(rename = "etag_differs")]
    ETagDiffers,
    /// The additional checksums differ.
    ChecksumDiffers,
    /// The content could not be compared.
    Undecided,
    /// The user wants everything transferred.
    Forced,
    /// An earlier run has left something there that is damaged or was not proved.
    Distrusted,
}

impl Cause {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing_in_target",
            Self::Newer => "newer",
            Self::SizeDiffers => "size_differs",
            Self::ETagDiffers => "etag_differs",
            Self::ChecksumDiffers => "checksum_differs",
            Self::Undecided => "undecided",
            Self::Forced => "forced",
            Self::Distrusted => "distrusted",
        }
    }
}

/// Why an object was left out although it would have been transferred. Not an error, and for most
/// reasons a warning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It went away between being listed and being read.
    SourceVanished,
    /// It was asked for by its name, and the source does not have it.
    NotFound,
    /// S3 says that it may not be read or written.
    AccessDenied,
    /// The file may not be read.
    UnreadableFile,
    /// Nothing is left of the key below the prefix.
    KeyIsPrefix,
    /// A key ending in `/` with content, which no directory can hold.
    IncompatibleKey,
    /// A fifo, socket or device.
    SpecialFile,
    /// A file name that is not UTF-8.
    NotUtf8Name,
    /// A key that would leave the target directory.
    UnsafeKey,
    /// Two keys map to one path, and this is the one that gives way.
    ShadowedKey,
    /// A directory marker: the directory was made (or is not made for S3).
    DirectoryMarker,
    /// Archived and not restored.
    Archived,
    /// A condition the user asked for did not hold.
    PreconditionFailed,
    /// The target has a later version of it, and a version can only be added as the newest.
    OutOfOrder,
    /// A script said not to transfer it.
    LuaCancelled,
    /// Code of the program that embeds this library said so.
    HookCancelled,
}

impl SkipReason {
    /// The word logs and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceVanished => "source_vanished",
            Self::NotFound => "not_found",
            Self::AccessDenied => "access_denied",
            Self::UnreadableFile => "unreadable_file",
            Self::KeyIsPrefix => "key_is_prefix",
            Self::IncompatibleKey => "incompatible_key",
            Self::SpecialFile => "special_file",
            Self::NotUtf8Name => "not_utf8_name",
            Self::UnsafeKey => "unsafe_key",
            Self::ShadowedKey => "shadowed_key",
            Self::DirectoryMarker => "directory_marker",
            Self::Archived => "archived",
            Self::PreconditionFailed => "precondition_failed",
            Self::OutOfOrder => "out_of_order",
            Self::LuaCancelled => "lua_cancelled",
            Self::HookCancelled => "hook_cancelled",
        }
    }

    /// Whether it makes the pair end with warnings.
    pub fn is_warning(self) -> bool {
        !matches!(
            self,
            Self::SpecialFile | Self::DirectoryMarker | Self::LuaCancelled | Self::HookCancelled
        )
    }

    /// For something a listing met that is no entry; `None` for what is not one object
    /// (a directory).
    pub fn of_oddity(kind: OddityKind) -> Option<Self> {
        match kind {
            OddityKind::SpecialFile => Some(Self::SpecialFile),
            OddityKind::NotUtf8 => Some(Self::NotUtf8Name),
            OddityKind::KeyTooLong => Some(Self::UnsafeKey),
            OddityKind::KeyIsPrefix => Some(Self::KeyIsPrefix),
            OddityKind::Vanished => Some(Self::SourceVanished),
            OddityKind::Absent => Some(Self::NotFound),
            OddityKind::Denied => Some(Self::AccessDenied),
            OddityKind::UnsafeName => Some(Self::UnsafeKey),
            OddityKind::UnreadableDirectory | OddityKind::LeftOut | OddityKind::NotFollowed => None,
        }
    }
}

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

/// What a source listed under a key, as evidence lines show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Length in bytes.
    pub size: u64,
    /// The source's time.
    pub modified: Timestamp,
    /// The ETag, if the source has any.
    pub etag: Option<ETag>,
    /// The version, where the listing names one.
    pub version: Option<Arc<str>>,
}

impl From<&Entry> for Listed {
    fn from(entry: &Entry) -> Self {
        Self {
            size: entry.size,
            modified: entry.modified,
            etag: entry.etag.clone(),
            version: entry.version.clone(),
        }
    }
}

/// How an object was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conduct {
    /// Why it was transferred.
    pub because: Cause,
    /// Whether the target had the key before.
    pub replaced: bool,
    /// Whether S3 copied it without the bytes passing through here.
    pub server_side: bool,
    /// Number of its parts, and the size of each but the last if they are of one, when it went in
    /// parts.
    pub parts: Option<(u16, Option<u64>)>,
    /// How many of the parts an earlier run had sent, and were found to be those of the object.
    pub resumed: u16,
    /// How often the object was begun: 1 when all went well.
    pub attempts: u32,
    /// From the start of the first attempt to the proof.
    pub elapsed: Duration,
    /// Whether it went without its tags, which may not be read.
    pub is_untagged: bool,
}

/// One thing that happened in a pair.
#[derive(Debug, Clone)]
pub enum Event {
    /// A page of a listing was taken in. `entries` counts oddities that are objects too.
    Listed {
        /// Of which side.
        side: Side,
        /// How many.
        entries: u64,
        /// How many of these are oddities, or could not be told of.
        odd: u64,
        /// The sum of their sizes.
        bytes: u64,
    },
    /// Both sides are listed once more, because one of them is not in order: these of the source's
    /// objects were listed and not decided on, and all of the target's; they come again.
    Relisted {
        /// How many objects of the source.
        entries: u64,
        /// The sum of their sizes.
        bytes: u64,
    },
    /// A side turned out to be one object: its prefix is the whole key.
    OneObject {
        /// Which side.
        side: Side,
    },
    /// A side is completely listed.
    ListingDone {
        /// Which.
        side: Side,
        /// Since the listing began.
        elapsed: Duration,
    },
    /// The target already has it.
    Unchanged {
        /// The key.
        key: ObjectKey,
        /// What the source listed.
        source: Listed,
        /// What the target listed.
        target: Listed,
    },
    /// Of equal size, and nothing told whether its content is the same: left as it is.
    Undecided {
        /// The key.
        key: ObjectKey,
        /// What the source listed.
        source: Listed,
        /// What the target has.
        target: Listed,
        /// Why it could not be told.
        why: Why,
    },
    /// The target has something that must not count as unchanged: it is damaged, or is not proved
    /// where it has to be. Told before it is taken back or sent again, so that nothing that happens
    /// in between makes it look sound. Of an object that will lack its annotations for a while it is
    /// told before it is published.
    Distrusted {
        /// The key.
        key: ObjectKey,
        /// What the target has.
        etag: Option<ETag>,
        /// Its version, in a versioned bucket.
        version: Option<Arc<str>>,
        /// Why.
        reason: FailReason,
    },
    /// What was distrusted is no longer there, or never came to be.
    Withdrawn {
        /// The key.
        key: ObjectKey,
    },
    /// It is unchanged, which its own event says, and what lies beside its content was not the
    /// source's.
    Refreshed(Box<Refreshed>),
    /// Something became of one annotation of an object.
    Annotated(Box<Annotated>),
    /// It was compared; nothing was to be transferred.
    Compared(Box<Compared>),
    /// The target already has these, and no sink asked for each of them
    /// ([`Sinks::wants_unchanged`]). An object is in this or in `Unchanged`, never in both.
    UnchangedMany {
        /// How many.
        count: u64,
    },
    /// It is begun, or begun again. Told where a sink wants every step ([`Sinks::wants_steps`]).
    Started {
        /// The key.
        key: ObjectKey,
        /// What the source has.
        source: Listed,
    },
    /// Its content, or a part of it, was taken by the target. Told where a sink wants every step.
    Wrote(Box<Wrote>),
    /// Its bytes are proved to be damaged. Whether it is sent again and what becomes of it in the
    /// end is told by other events.
    Damaged(Box<Damaged>),
    /// It is at the target, with its proof.
    Transferred {
        /// The object and what was proved.
        settled: Box<Settled>,
        /// How it went.
        conduct: Conduct,
    },
    /// The source's latest is a delete marker, and now the target's is one too; in a dry run it
    /// would be.
    MarkerCopied {
        /// The key.
        key: ObjectKey,
        /// The source's marker, as an object of no size.
        source: Listed,
        /// What the target had under the key.
        hides: Listed,
        /// The version id of the target's marker; `None` in a dry run.
        marker: Option<Arc<str>>,
        /// Whether nothing was done.
        is_planned: bool,
    },
    /// A dry run would transfer it.
    Planned {
        /// The key.
        key: ObjectKey,
        /// What the source listed.
        source: Listed,
        /// Why.
        because: Cause,
        /// What the target has under the key, if it has it.
        replaces: Option<Listed>,
    },
    /// Something became of an object that only the target has, or that is to be deleted as if it
    /// were so.
    Deletion(Box<Deletion>),
    /// What may be deleted is completely known, or will never be, and it is decided whether it is.
    /// Told once of a pair that deletes, before anything becomes of one of them.
    Judged(Box<Judged>),
    /// A filter keeps it out.
    Filtered {
        /// The key, or what stands for it where there is none (bytes escaped as `\xNN`).
        key: String,
        /// What the source listed, if it listed an entry.
        source: Option<Listed>,
        /// Which one.
        by: Arc<Rule>,
        /// What that looked at, where no listing tells it: the media type, the metadata, the tags.
        seen: Option<String>,
    },
    /// A filter keeps these out, and no sink asked for each of them ([`Sinks::wants_filtered`]). An
    /// object is in this or in `Filtered`, never in both.
    FilteredMany {
        /// How many.
        count: u64,
        /// Which one.
        by: Arc<Rule>,
    },
    /// A filter keeps out everything below a directory, so that nobody looked into it: what is
    /// there is not listed, and not in the books.
    NotWalked {
        /// Its name relative to the root, ending in `/`.
        name: String,
        /// Which one.
        by: Arc<Rule>,
    },
    /// It was left out, with a reason that is no failure.
    Skipped {
        /// The key, or what stands for it where there is none (bytes escaped as `\xNN`).
        key: String,
        /// What the source listed, if it listed an entry.
        source: Option<Listed>,
        /// Why.
        reason: SkipReason,
        /// In words, where there is more to say.
        message: Option<String>,
    },
    /// It could not be transferred.
    Failed {
        /// The key.
        key: ObjectKey,
        /// What the source listed; `None` where it could not tell.
        source: Option<Listed>,
        /// Why.
        reason: FailReason,
        /// The last error.
        error: Box<StoreError>,
        /// How often it was tried.
        attempts: u32,
    },
    /// Its turn never came: the pair ended, or an earlier version of its key could not be
    /// brought over.
    NotAttempted {
        /// The key.
        key: ObjectKey,
        /// What the source listed.
        source: Listed,
    },
    /// A directory could not be read: nothing is known of what is below it.
    SubtreeUnreadable {
        /// Its name relative to the root, ending in `/`.
        name: String,
        /// On which side.
        side: Side,
    },
    /// The pair ended here: nothing else of it would have worked.
    PairFailed {
        /// What it was doing.
        phase: &'static str,
        /// The error that ended it.
        error: Box<StoreError>,
    },
    /// Something a reader of the report must know that is not about one object.
    Warning {
        /// In words.
        message: String,
    },
    /// Bytes were taken by the target (progress; totals come from `Transferred`).
    Moved {
        /// How many.
        bytes: u64,
    },
    /// A request was answered, or failed without an answer.
    Request {
        /// S3's name of the operation.
        operation: &'static str,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// From sending to the answer.
        elapsed: Duration,
    },
    /// A request is tried again.
    Retried {
        /// S3's name of the operation.
        operation: &'static str,
        /// The error code that made it necessary.
        code: Arc<str>,
        /// How long it waits first.
        wait: Duration,
    },
    /// The endpoint could not do something, so that a guarantee is lost. Told once.
    GuaranteeLost {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
}

/// Somebody who listens to a pair's events. Called from many tasks; must be quick and not block.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Takes one event.
    fn event(&self, event: &Event);

    /// Whether it needs the key of every unchanged object. Where no sink does, the engine counts
    /// them by [`Event::UnchangedMany`] and need not make a million events.
    fn wants_unchanged(&self) -> bool {
        false
    }

    /// Whether it needs the steps on the way of each object: where no sink does, they are not told.
    fn wants_steps(&self) -> bool {
        false
    }

    /// Whether it needs the key of every object that a filter keeps out. Where no sink does, the
    /// engine counts them by [`Event::FilteredMany`].
    fn wants_filtered(&self) -> bool {
        false
    }
}

/// The events of one pair on their way to all its sinks.
#[derive(Debug, Clone, Default)]
pub struct Sinks(Arc<[Arc<dyn Sink>]>);

impl Sinks {
    /// Sends every event to each of these, in this order.
    pub fn new(sinks: Vec<Arc<dyn Sink>>) -> Self {
        Self(sinks.into())
    }

    /// The same, and one more behind them.
    #[must_use]
    pub fn and(&self, sink: Arc<dyn Sink>) -> Self {
        Self(self.0.iter().cloned().chain([sink]).collect())
    }

    /// Sends one event.
    pub fn emit(&self, event: &Event) {
        for sink in &*self.0 {
            sink.event(event);
        }
    }

    /// Whether any sink needs the key of every unchanged object.
    pub fn wants_unchanged(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_unchanged())
    }

    /// Whether any sink needs the steps on the way of each object.
    pub fn wants_steps(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_steps())
    }

    /// Whether any sink needs the key of every object that a filter keeps out.
    pub fn wants_filtered(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_filtered())
    }
}

/// Takes a lock that guards plain records: they stay usable after a panic elsewhere, and a report
/// of that panic needs them.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl crate::store::Meter for Sinks {
    fn request(&self, operation: &'static str, status: Option<u16>, elapsed: Duration) {
        self.emit(&Event::Request {
            operation,
            status,
            elapsed,
        });
    }

    fn retry(&self, operation: &'static str, code: &str, wait: Duration) {
        self.emit(&Event::Retried {
            operation,
            code: code.into(),
            wait,
        });
    }

    fn lost(&self, what: &str, why: &str) {
        self.emit(&Event::GuaranteeLost {
            what: what.to_owned(),
            why: why.to_owned(),
        });
    }
}
