/*! What happens during a run, as values: the only truth that logs, evidence, progress and the
report are made from.

The engine emits; [`Sink`]s listen. Statistics are a fold over these events ([`Stats`]), with one
writer, so that no two places can count differently.
*/

mod beside;
mod cause;
mod compared;
mod conduct;
mod deleted;
mod failed;
mod filtered;
mod listed;
mod refreshed;
mod sinks;
mod skipped;
mod stats;
mod steps;
mod warned;

pub use self::beside::{Beside, Facet, Headers};
pub use self::cause::Cause;
pub use self::compared::{Compared, Sameness};
pub use self::conduct::Conduct;
pub use self::deleted::{Deletion, Extraneous, Guard, Judged, Outcome};
pub use self::failed::FailReason;
pub use self::filtered::Rule;
pub use self::listed::Listed;
pub use self::refreshed::{Annotated, Fate, Refresh, Refreshed, Refreshing, Tagged};
pub use self::sinks::{Sink, Sinks};
pub use self::skipped::SkipReason;
pub use self::stats::{
    Agreement, Axis, Comparisons, Counts, Deletions, Latency, Lost, PerSide, Progress, Sample,
    Samples, Series, Stats, Tally, Traffic, Verified,
};
pub use self::steps::{Damaged, Wrote};
pub use self::warned::{Archived, Unverifiable, Warned};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::digest::Why;
use crate::object::{ETag, ObjectKey};
use crate::store::{Settled, StoreError};

/// One end of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Target,
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

/// Takes a lock that guards plain records: they stay usable after a panic elsewhere, and a report
/// of that panic needs them.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
