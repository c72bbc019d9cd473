//! Who hears what happens.

use std::fmt;
use std::num::NonZeroU16;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;

use super::HookError;
use crate::digest::Algorithm;
use crate::object::Timestamp;

/// Hears what happens in a pair, in order and one event at a time. It changes nothing; what it
/// fails on is a warning. While it is slow nothing new is begun, so that what waits for it stays
/// bounded.
#[async_trait]
pub trait EventHook: Send + Sync + fmt::Debug {
    /// What warnings call it.
    fn name(&self) -> String;

    /// Whether it wants events of this kind.
    fn wants(&self, _kind: EventKind) -> bool {
        true
    }

    /// Hears one event.
    async fn on_event(&self, event: &HookEvent) -> Result<(), HookError>;

    /// Hears several, all of which it wants: the same as one after the other. Gives the errors; a
    /// panic is one of them.
    async fn on_events(&self, events: Arc<[HookEvent]>) -> Vec<HookError> {
        let mut errors = Vec::new();
        for event in events.iter().filter(|event| self.wants(event.kind)) {
            let heard = AssertUnwindSafe(self.on_event(event)).catch_unwind().await;
            let heard = heard.unwrap_or_else(|_| Err(HookError::new("it panicked")));
            errors.extend(heard.err());
        }
        errors
    }

    /// How many events were not told to it because it was given up.
    #[doc(hidden)]
    fn unheard(&self) -> u64 {
        0
    }
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EventKind {
    /// The pair begins.
    PipelineStart,
    /// The pair has ended; only the figures come after it.
    PipelineEnd,
    /// An object is begun, or begun again.
    SyncStart,
    /// An object is at the target; in a dry run it would be.
    SyncComplete,
    /// A key was deleted from the target.
    SyncDelete,
    /// The ETag proves that an object arrived.
    SyncETagVerified,
    /// The additional checksum proves that an object arrived.
    SyncChecksumVerified,
    /// The ETag proves that an object was damaged; it may be sent again.
    SyncETagMismatch,
    /// The additional checksum proves that an object was damaged; it may be sent again.
    SyncChecksumMismatch,
    /// Something the report warns of, or an object that failed.
    SyncWarning,
    /// The pair has failed.
    PipelineError,
    /// A preprocess hook left an object out.
    SyncCancel,
    /// The target has taken an object, a part of one, or an annotation.
    SyncWrite,
    /// An object need not or must not go; the message says why.
    SyncFiltered,
    /// The figures of the pair, after its end.
    StatsReport,
    /// Its ETag proves that an annotation arrived.
    SyncAnnotationETagVerified,
    /// Its ETag proves that an annotation was damaged.
    SyncAnnotationETagMismatch,
    /// An annotation was removed from the target.
    SyncAnnotationDeleted,
}

/// One thing that happened. What does not apply to its kind is `None`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HookEvent {
    /// What kind of thing.
    pub kind: EventKind,
    /// In which pair.
    pub pair: Arc<str>,
    /// In which run.
    pub run_id: Arc<str>,
    /// Whether nothing was done: it is what would happen.
    pub dry_run: bool,
    /// The key of the object, relative to the roots of both sides.
    pub key: Option<String>,
    /// The whole key in the target's bucket, once the target is written to.
    pub target_key: Option<String>,
    /// What the source has.
    pub source: AtEnd,
    /// What the target has.
    pub target: AtEnd,
    /// The algorithm of both checksums.
    pub checksum_algorithm: Option<Algorithm>,
    /// The source's content type, of what a filter looked at it for.
    pub source_content_type: Option<String>,
    /// The source's user metadata, likewise, as `name=value,name=value`.
    pub source_user_metadata: Option<String>,
    /// The source's tags, likewise, as `name=value&name=value`.
    pub source_tagging: Option<String>,
    /// The annotation it is about.
    pub annotation: Option<String>,
    /// What the target has taken.
    pub written: Option<WrittenBytes>,
    /// In words.
    pub message: Option<String>,
    /// The figures of the pair.
    pub stats: Option<Box<EventStats>>,
}

/// An object at one end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AtEnd {
    /// Its version.
    pub version: Option<Arc<str>>,
    /// Its time.
    pub modified: Option<Timestamp>,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// Its ETag, without quotes.
    pub etag: Option<String>,
    /// Its additional checksum, as S3 writes it.
    pub checksum: Option<String>,
}

/// Content that the target has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenBytes {
    /// How much.
    pub bytes: u64,
    /// S3's id of the multipart upload.
    pub upload_id: Option<String>,
    /// Which part.
    pub part_number: Option<NonZeroU16>,
}

/// What a pair came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EventStats {
    /// Bytes of the objects that arrived.
    pub transferred_bytes: u64,
    /// Objects that arrived.
    pub transferred: u64,
    /// Of these, proved by the ETag.
    pub etag_verified: u64,
    /// Objects that failed because their ETag proves damage.
    pub etag_mismatch: u64,
    /// Objects proved by the additional checksum.
    pub checksum_verified: u64,
    /// Objects that failed because their checksum proves damage.
    pub checksum_mismatch: u64,
    /// Keys deleted.
    pub deleted: u64,
    /// Objects of which [`EventKind::SyncFiltered`] tells.
    pub skipped: u64,
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
    /// How long it took.
    pub duration: Duration,
    /// Bytes in a second; of what took no longer, all.
    pub bytes_per_second: u64,
    /// Objects in a second, likewise.
    pub objects_per_second: u64,
}

impl HookEvent {
    /// That something of a kind happened, of which nothing more is known.
    pub(crate) fn new(kind: EventKind, pair: Arc<str>, run_id: Arc<str>) -> Self {
        Self {
            kind,
            pair,
            run_id,
            dry_run: false,
            key: None,
            target_key: None,
            source: AtEnd::default(),
            target: AtEnd::default(),
            checksum_algorithm: None,
            source_content_type: None,
            source_user_metadata: None,
            source_tagging: None,
            annotation: None,
            written: None,
            message: None,
            stats: None,
        }
    }
}

impl EventKind {
    /// Every kind, in the order of their bits.
    pub const ALL: [Self; 18] = [
        Self::PipelineStart,
        Self::PipelineEnd,
        Self::SyncStart,
        Self::SyncComplete,
        Self::SyncDelete,
        Self::SyncETagVerified,
        Self::SyncChecksumVerified,
        Self::SyncETagMismatch,
        Self::SyncChecksumMismatch,
        Self::SyncWarning,
        Self::PipelineError,
        Self::SyncCancel,
        Self::SyncWrite,
        Self::SyncFiltered,
        Self::StatsReport,
        Self::SyncAnnotationETagVerified,
        Self::SyncAnnotationETagMismatch,
        Self::SyncAnnotationDeleted,
    ];

    /// The bit s3sync 1.x has for it: `1 << 1` for the first.
    pub fn bit(self) -> u64 {
        2 << (self as u64)
    }

    /// The name s3sync 1.x has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PipelineStart => "PIPELINE_START",
            Self::PipelineEnd => "PIPELINE_END",
            Self::SyncStart => "SYNC_START",
            Self::SyncComplete => "SYNC_COMPLETE",
            Self::SyncDelete => "SYNC_DELETE",
            Self::SyncETagVerified => "SYNC_ETAG_VERIFIED",
            Self::SyncChecksumVerified => "SYNC_CHECKSUM_VERIFIED",
            Self::SyncETagMismatch => "SYNC_ETAG_MISMATCH",
            Self::SyncChecksumMismatch => "SYNC_CHECKSUM_MISMATCH",
            Self::SyncWarning => "SYNC_WARNING",
            Self::PipelineError => "PIPELINE_ERROR",
            Self::SyncCancel => "SYNC_CANCEL",
            Self::SyncWrite => "SYNC_WRITE",
            Self::SyncFiltered => "SYNC_FILTERED",
            Self::StatsReport => "STATS_REPORT",
            Self::SyncAnnotationETagVerified => "SYNC_ANNOTATION_ETAG_VERIFIED",
            Self::SyncAnnotationETagMismatch => "SYNC_ANNOTATION_ETAG_MISMATCH",
            Self::SyncAnnotationDeleted => "SYNC_ANNOTATION_DELETED",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_of_scripts() {
        for (kind, bit) in [
            (EventKind::PipelineStart, 1 << 1),
            (EventKind::SyncComplete, 1 << 4),
            (EventKind::SyncFiltered, 1 << 14),
            (EventKind::SyncAnnotationDeleted, 1 << 18),
        ] {
            assert_eq!(kind.bit(), bit, "{kind}");
        }
        for (place, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.bit(), 2 << place, "{kind}");
        }
    }
}
