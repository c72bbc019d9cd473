use std::time::Duration;

use super::*;
use crate::digest::{Algorithm, Checksum, Integrity, Method, Proof, digest};
use crate::event::{Cause, Listed, Side, Unverifiable};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::store::{ErrorKind, SourceFacts, Stored};

fn key() -> ObjectKey {
    ObjectKey::new("k").expect("short")
}

fn listed() -> Listed {
    Listed {
        size: 10,
        modified: Timestamp::new(0, 0),
        etag: None,
        version: None,
    }
}

fn seen(entries: u64) -> Event {
    Event::Listed {
        side: Side::Source,
        entries,
        odd: 0,
        bytes: entries * 10,
    }
}

fn proved(algorithm: Algorithm) -> Proof {
    let checksum = Checksum::Whole(digest(algorithm, b"x"));
    Proof::compare(checksum, checksum, Method::Recomputed)
}

fn transferred(integrity: Integrity, replaced: bool, attempts: u32) -> Event {
    let stored = Stored {
        size: 10,
        etag: Some(ETag::parse("abc")),
        etag_is_digest: true,
        version: None,
        checksums: Vec::new(),
        request_id: None,
    };
    let source = SourceFacts {
        key: key(),
        size: 10,
        modified: Timestamp::new(0, 0),
        etag: None,
        version: None,
        checksum: None,
    };
    Event::Transferred {
        settled: Box::new(stored.settle(source, integrity).expect("no mismatch")),
        conduct: Conduct {
            because: Cause::Missing,
            replaced,
            server_side: replaced,
            parts: None,
            attempts,
            elapsed: Duration::from_millis(20),
            is_untagged: false,
            resumed: 0,
        },
    }
}

fn error() -> Box<StoreError> {
    Box::new(StoreError::new(
        "PutObject",
        "k",
        ErrorKind::Other,
        "refused",
    ))
}

fn failed(reason: FailReason) -> Event {
    Event::Failed {
        key: key(),
        source: Some(listed()),
        reason,
        error: error(),
        attempts: 3,
    }
}

fn skipped(reason: SkipReason) -> Event {
    Event::Skipped {
        key: "k".to_owned(),
        source: Some(listed()),
        reason,
        message: None,
    }
}

fn fold(unverifiable: Unverifiable, events: impl IntoIterator<Item = Event>) -> Tally {
    let mut tally = Tally::new(unverifiable.into());
    for event in events {
        tally.fold(&event, Duration::from_millis(1500));
    }
    tally
}

#[test]
fn every_listed_object_is_accounted_for_once() {
    let etag = Some(proved(Algorithm::Md5));
    let outcomes = vec![
        Event::Unchanged {
            key: key(),
            source: listed(),
            target: listed(),
        },
        Event::UnchangedMany { count: 2 },
        transferred(
            Integrity {
                etag,
                checksum: None,
            },
            false,
            1,
        ),
        transferred(Integrity::default(), true, 2),
        Event::Planned {
            key: key(),
            source: listed(),
            because: Cause::Newer,
            replaces: Some(listed()),
        },
        skipped(SkipReason::Archived),
        skipped(SkipReason::SpecialFile),
        failed(FailReason::Other),
        Event::NotAttempted {
            key: key(),
            source: listed(),
        },
    ];
    for one_more in [0, 1] {
        let events = [seen(10 + one_more)].into_iter().chain(outcomes.clone());
        let tally = fold(Unverifiable::Warns, events);
        let counts = &tally.counts;
        assert_eq!(counts.accounted(), 10);
        assert_eq!(counts.reconciled(), one_more == 0);
        assert_eq!((counts.created, counts.updated), (1, 2));
        assert_eq!(counts.transferred_bytes, 30);
        assert_eq!(counts.server_side_copied, 1);
        assert_eq!((counts.skipped_total(), counts.failed), (2, 1));
        assert_eq!((counts.warnings, counts.errors), (1, 1));
        assert_eq!(tally.traffic.objects_retried, 2);
        assert_eq!(tally.traffic.object_latency.count(), 2);
        assert_eq!(tally.traffic.series.objects, [0, 2]);
    }
}

#[test]
fn proofs_are_counted_by_axis_and_by_object() {
    let impossible = |why| Some(Proof::impossible(why));
    let of = |etag, checksum| transferred(Integrity { etag, checksum }, false, 1);
    let md5 = || Some(proved(Algorithm::Md5));
    let crc = || Some(proved(Algorithm::Crc64Nvme));
    let events = || {
        [
            of(md5(), None),
            of(impossible(Why::OpaqueETag), crc()),
            of(impossible(Why::OpaqueETag), None),
            of(impossible(Why::SwitchedOff), None),
            failed(FailReason::ETagMismatch),
            failed(FailReason::ChecksumMismatch),
        ]
    };
    for (unverifiable, warnings) in [(Unverifiable::Warns, 1), (Unverifiable::IsAccepted, 0)] {
        let tally = fold(unverifiable, events());
        let verified = &tally.counts.verified;
        let axis = |axis: super::super::Axis| (axis.matched, axis.mismatched, axis.not_verifiable);
        assert_eq!(axis(verified.etag), (1, 1, 2));
        assert_eq!(axis(verified.checksum), (1, 1, 0));
        assert_eq!((verified.objects, verified.not_verifiable()), (2, 2));
        assert_eq!(verified.algorithm, Some(Algorithm::Crc64Nvme));
        assert_eq!(tally.counts.warnings, warnings, "{unverifiable:?}");
        assert_eq!(tally.counts.errors, 2);
    }
}

#[test]
fn traffic_is_counted() {
    let request = |status| Event::Request {
        operation: "PutObject",
        status,
        elapsed: Duration::from_millis(7),
    };
    let retried = |code: &str| Event::Retried {
        operation: "PutObject",
        code: code.into(),
        wait: Duration::from_millis(100),
    };
    let tally = fold(
        Unverifiable::Warns,
        [
            request(Some(200)),
            request(Some(503)),
            request(None),
            retried("SlowDown"),
            retried("unanswered"),
            Event::Moved { bytes: 5 },
            Event::ListingDone {
                side: Side::Target,
                elapsed: Duration::from_secs(1),
            },
        ],
    );
    let traffic = &tally.traffic;
    assert_eq!(traffic.by_operation["PutObject"], 3);
    assert_eq!(traffic.by_status[&None], 1);
    assert_eq!(traffic.by_status[&Some(503)], 1);
    assert_eq!(traffic.latency["PutObject"].count(), 3);
    assert_eq!(traffic.retries.values().sum::<u64>(), 2);
    assert_eq!(traffic.retry_wait, Duration::from_millis(200));
    assert_eq!(traffic.throttled, 1);
    assert_eq!(traffic.moved, 5);
    assert_eq!(traffic.series.bytes, [0, 5]);
    assert_eq!(tally.listing.target, Some(Duration::from_secs(1)));
    assert_eq!(tally.counts.warnings + tally.counts.errors, 0);
}

#[test]
fn what_is_not_about_one_object_is_a_warning_an_error_or_a_note() {
    let lost = || Event::GuaranteeLost {
        what: "checksum headers".to_owned(),
        why: "501".to_owned(),
    };
    let cases = [
        (
            Event::Warning {
                message: "clock".to_owned(),
            },
            (1, 0, 0),
        ),
        (
            Event::SubtreeUnreadable {
                name: "d/".to_owned(),
                side: Side::Source,
            },
            (1, 0, 0),
        ),
        (
            Event::PairFailed {
                phase: "list",
                error: error(),
            },
            (0, 1, 0),
        ),
        (lost(), (0, 0, 1)),
    ];
    for (event, expected) in cases {
        let tally = fold(Unverifiable::Warns, [event.clone(), event.clone()]);
        let counts = &tally.counts;
        // the same guarantee is lost once
        let seen = (
            counts.warnings / 2,
            counts.errors / 2,
            tally.guarantees_lost.len(),
        );
        assert_eq!(seen, expected, "{event:?}");
        assert_eq!(tally.warnings.as_slice().len() as u64, counts.warnings);
        assert_eq!(tally.errors.as_slice().len() as u64, counts.errors);
    }
}

#[test]
fn samples_are_few() {
    let tally = fold(
        Unverifiable::Warns,
        (0..50).flat_map(|_| [failed(FailReason::Other), skipped(SkipReason::Archived)]),
    );
    assert_eq!(tally.errors.as_slice().len(), 10);
    assert_eq!(tally.warnings.as_slice().len(), 10);
    let sample = &tally.errors.as_slice()[0];
    assert_eq!(sample.key.as_deref(), Some("k"));
    assert_eq!(sample.operation, Some("PutObject"));
    assert_eq!(sample.code.as_deref(), Some("other"));
}

#[test]
fn pairs_add_up() {
    let tally = fold(
        Unverifiable::Warns,
        [
            seen(3),
            Event::UnchangedMany { count: 1 },
            skipped(SkipReason::Archived),
            transferred(Integrity::default(), false, 1),
        ],
    );
    let mut sum = Counts::default();
    let mut traffic = Traffic::default();
    for _ in 0..2 {
        sum.add(&tally.counts);
        traffic.add(&tally.traffic);
    }
    assert_eq!(sum.listed.source, 6);
    assert_eq!(sum.accounted(), 6);
    assert_eq!(sum.skipped[&SkipReason::Archived], 2);
    assert_eq!(sum.verified.not_verifiable(), 2);
    assert_eq!(traffic.object_latency.count(), 2);
}
