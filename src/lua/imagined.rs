//! Events that did not happen: one of each kind, told as a run tells it.

use std::num::NonZeroU16;
use std::time::Duration;

use super::Sample;
use super::check::PAIR;
use crate::digest::Algorithm;
use crate::hook::{AtEnd, EventKind, EventStats, HookEvent, WrittenBytes};

const ETAG: &str = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER_ETAG: &str = "0cc175b9c0f1b6a831c399e269772661";

/// As S3 writes a CRC64NVME.
const CRC: &str = "rosUhgp5mIg=";
const OTHER_CRC: &str = "AAAAAAAAAAA=";

/// The events of these kinds, about each sample; without kinds one of each, about the first sample,
/// in the order in which a pair tells them.
pub(super) fn events(samples: &[Sample], kinds: &[EventKind]) -> Vec<HookEvent> {
    let mut all = EventKind::ALL;
    all.sort_by_key(|kind| rank(*kind));
    let (samples, kinds) = match kinds {
        [] => (&samples[..samples.len().min(1)], &all[..]),
        kinds => (samples, kinds),
    };
    let mut events = Vec::new();
    for kind in kinds {
        if is_of_a_pair(*kind) {
            events.push(of_a_pair(*kind));
        } else {
            events.extend(samples.iter().map(|sample| of_an_object(*kind, sample)));
        }
    }
    events
}

fn is_of_a_pair(kind: EventKind) -> bool {
    rank(kind) != 1
}

fn rank(kind: EventKind) -> u8 {
    match kind {
        EventKind::PipelineStart => 0,
        EventKind::PipelineError => 2,
        EventKind::PipelineEnd => 3,
        EventKind::StatsReport => 4,
        _ => 1,
    }
}

fn of_a_pair(kind: EventKind) -> HookEvent {
    let is_error = kind == EventKind::PipelineError;
    let stats = EventStats {
        transferred_bytes: 4096,
        transferred: 3,
        etag_verified: 3,
        checksum_verified: 3,
        skipped: 1,
        warnings: 1,
        duration: Duration::from_millis(1500),
        bytes_per_second: 2730,
        objects_per_second: 2,
        ..EventStats::default()
    };
    HookEvent {
        message: is_error.then(|| "list `s3://sample/`: access denied".to_owned()),
        stats: (kind == EventKind::StatsReport).then(|| Box::new(stats)),
        ..HookEvent::new(kind, PAIR.into(), PAIR.into())
    }
}

fn of_an_object(kind: EventKind, sample: &Sample) -> HookEvent {
    let entry = &sample.candidate.entry;
    let key = Some(entry.key.as_str().to_owned());
    let mut event = HookEvent {
        key: key.clone(),
        source: AtEnd {
            version: entry.version.clone(),
            modified: Some(entry.modified),
            size: Some(entry.size),
            etag: entry.etag.as_ref().map(ToString::to_string),
            checksum: None,
        },
        ..HookEvent::new(kind, PAIR.into(), PAIR.into())
    };
    let target = AtEnd {
        size: Some(entry.size),
        ..AtEnd::default()
    };
    match kind {
        EventKind::SyncStart | EventKind::SyncDelete | EventKind::SyncAnnotationDeleted => {
            event.source = AtEnd {
                version: entry.version.clone(),
                ..AtEnd::default()
            };
        }
        EventKind::SyncWrite => {
            event.written = Some(WrittenBytes {
                bytes: entry.size,
                upload_id: Some("an upload".to_owned()),
                part_number: Some(NonZeroU16::MIN),
            });
        }
        EventKind::SyncComplete => event.target = target,
        EventKind::SyncETagVerified
        | EventKind::SyncETagMismatch
        | EventKind::SyncAnnotationETagVerified
        | EventKind::SyncAnnotationETagMismatch => {
            let there = if is_mismatch(kind) { OTHER_ETAG } else { ETAG };
            event.target = target;
            event.source.etag = Some(ETAG.to_owned());
            event.target.etag = Some(there.to_owned());
        }
        EventKind::SyncChecksumVerified | EventKind::SyncChecksumMismatch => {
            let there = if is_mismatch(kind) { OTHER_CRC } else { CRC };
            event.target = target;
            event.checksum_algorithm = Some(Algorithm::Crc64Nvme);
            event.source.checksum = Some(CRC.to_owned());
            event.target.checksum = Some(there.to_owned());
        }
        EventKind::SyncWarning => {
            event.message = Some("failed (access_denied): a sample".to_owned());
        }
        EventKind::SyncFiltered => {
            event.message = Some("Filtered by --filter-exclude-regex".to_owned());
        }
        EventKind::SyncCancel
        | EventKind::PipelineStart
        | EventKind::PipelineEnd
        | EventKind::PipelineError
        | EventKind::StatsReport => {}
    }
    if is_of_the_target(kind) {
        event.target_key = key;
    }
    if is_of_an_annotation(kind) {
        event.annotation = Some("sample".to_owned());
    }
    event
}

fn is_mismatch(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::SyncETagMismatch
            | EventKind::SyncChecksumMismatch
            | EventKind::SyncAnnotationETagMismatch
    )
}

fn is_of_an_annotation(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::SyncAnnotationETagVerified
            | EventKind::SyncAnnotationETagMismatch
            | EventKind::SyncAnnotationDeleted
    )
}

fn is_of_the_target(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::SyncStart
            | EventKind::SyncDelete
            | EventKind::SyncWarning
            | EventKind::SyncCancel
            | EventKind::SyncFiltered
    )
}
