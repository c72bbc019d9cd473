use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::digest::{Algorithm, Checksum, Integrity, Method, Proof, Why, digest};
use crate::event::{Cause, Conduct, FailReason, Listed, Side, SkipReason, Unverifiable};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::plan::Aim;
use crate::store::{ErrorKind, Settled, SourceFacts, StoreError, Stored};

const ETAG: &str = "d41d8cd98f00b204e9800998ecf8427e-117";

fn key() -> ObjectKey {
    ObjectKey::new("raw/0812.tif").expect("short")
}

fn listed() -> Listed {
    Listed {
        size: 5,
        modified: modified(),
        etag: Some(ETag::parse(ETAG)),
        version: None,
    }
}

fn modified() -> Timestamp {
    Timestamp::parse("2026-08-21T17:02:11Z").expect("a time")
}

fn crc() -> Checksum {
    Checksum::Whole(digest(Algorithm::Crc64Nvme, b"x"))
}

fn settled(integrity: Integrity) -> Box<Settled> {
    let etag = ETag::parse(ETAG);
    let stored = Stored {
        size: 981_200_331,
        etag: Some(etag.clone()),
        etag_is_digest: true,
        version: None,
        checksums: vec![crc()],
        request_id: Some("7B4A".to_owned()),
    };
    let source = SourceFacts {
        key: key(),
        size: 981_200_331,
        modified: modified(),
        etag: Some(etag),
        version: None,
        checksum: Some(crc()),
    };
    Box::new(stored.settle(source, integrity).expect("no mismatch"))
}

fn transferred(integrity: Integrity) -> Event {
    Event::Transferred {
        settled: settled(integrity),
        conduct: Conduct {
            because: Cause::SizeDiffers,
            replaced: true,
            server_side: false,
            parts: Some((117, Some(8_388_608))),
            resumed: 0,
            attempts: 2,
            elapsed: Duration::from_millis(15_230),
            is_untagged: false,
        },
    }
}

fn verified() -> Event {
    let etag = Checksum::of_etag(&ETag::parse(ETAG)).expect("a digest");
    transferred(Integrity {
        etag: Some(Proof::compare(etag, etag, Method::ComparedStored)),
        checksum: Some(Proof::compare(crc(), crc(), Method::FullObject)),
    })
}

fn unproved() -> Event {
    transferred(Integrity {
        etag: Some(Proof::impossible(Why::OpaqueETag)),
        checksum: None,
    })
}

fn failed() -> Event {
    let mut error = StoreError::new("PutObject", "k", ErrorKind::Other, "refused");
    error.code = Some("BadRequest".to_owned());
    error.request_id = Some("R1".to_owned());
    Event::Failed {
        key: key(),
        source: Some(listed()),
        reason: FailReason::Other,
        error: Box::new(error),
        attempts: 5,
    }
}

fn skipped(key: &str, reason: SkipReason) -> Event {
    Event::Skipped {
        key: key.to_owned(),
        source: None,
        reason,
        message: None,
    }
}

fn unchanged() -> Event {
    Event::Unchanged {
        key: key(),
        source: listed(),
        target: listed(),
    }
}

struct Written {
    text: String,
    described: EvidenceFile,
}

fn write(level: ReportLevel, unverifiable: Unverifiable, events: &[Event]) -> Written {
    let dir = tempfile::tempdir().expect("tempdir");
    let path = dir.path().join("photos.objects.ndjson");
    let scope = Scope {
        aim: Aim::Sync,
        pair: "photos".to_owned(),
        level,
        source_prefix: "originals/".to_owned(),
        is_one_object: Arc::default(),
        target_prefix: "photos/".to_owned(),
        warned: unverifiable.into(),
    };
    let evidence = Evidence::create(&path, scope).expect("a writable directory");
    for event in events {
        evidence.event(event);
    }
    evidence.finish();
    evidence.event(&verified());
    Written {
        text: std::fs::read_to_string(&path).expect("evidence"),
        described: evidence.describe("pairs/photos.objects.ndjson".to_owned()),
    }
}

fn lines(written: &Written) -> Vec<Value> {
    written
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_transfer_is_written_as_documented() {
    let written = write(ReportLevel::Acts, Unverifiable::Warns, &[verified()]);
    let mut line = lines(&written).remove(0);
    let time = line["ts"].take();
    assert!(Timestamp::parse(time.as_str().expect("text")).is_ok());
    let crc = crc().to_string();
    let etag = format!("\"{ETAG}\"");
    assert_eq!(
        line,
        json!({
            "v": 1, "type": "object", "pair": "photos", "seq": 1, "ts": null,
            "action": "transfer", "outcome": "ok", "reason": "size_differs",
            "key": "raw/0812.tif",
            "source": {
                "key": "originals/raw/0812.tif", "version_id": null, "size": 981_200_331,
                "etag": etag, "last_modified": "2026-08-21T17:02:11Z",
                "checksum": {"CRC64NVME": crc},
            },
            "target": {
                "key": "photos/raw/0812.tif", "version_id": null, "size": 981_200_331,
                "etag": etag, "checksum": {"CRC64NVME": crc},
            },
            "verify": {
                "etag": {"result": "matched", "method": "compared_stored"},
                "checksum": {"result": "matched", "algorithm": "CRC64NVME", "method": "full_object"},
            },
            "parts": {"count": 117, "size": 8_388_608},
            "bytes": 981_200_331, "attempts": 2, "duration_ms": 15_230,
            "request_id": "7B4A", "error": null,
        })
    );
    let keys = [
        "\"v\"",
        "\"type\"",
        "\"pair\"",
        "\"seq\"",
        "\"ts\"",
        "\"action\"",
        "\"outcome\"",
        "\"reason\"",
        "\"key\"",
        "\"source\"",
        "\"target\"",
        "\"verify\"",
        "\"parts\"",
        "\"bytes\"",
        "\"attempts\"",
        "\"duration_ms\"",
        "\"request_id\"",
        "\"error\"",
    ];
    let at: Vec<_> = keys.map(|key| written.text.find(key)).into();
    assert!(at.is_sorted(), "in the documented order: {}", written.text);
}

#[test]
fn a_file_ends_with_its_trailer_and_its_digest_is_known() {
    let written = write(
        ReportLevel::Acts,
        Unverifiable::Warns,
        &[verified(), failed()],
    );
    let trailer = lines(&written).pop().expect("a trailer");
    assert_eq!(
        trailer,
        json!({"type": "trailer", "lines": 2, "complete": true})
    );
    assert_eq!(written.described.lines, 2);
    let sha256 = digest(Algorithm::Sha256, written.text.as_bytes()).hex();
    assert_eq!(written.described.sha256, Some(sha256));
    assert_eq!(written.described.level, ReportLevel::Acts);
}

#[test]
fn levels_choose_the_lines() {
    let cases = [
        (verified(), false, true, "transfer ok size_differs"),
        (unproved(), true, true, "transfer warning size_differs"),
        (failed(), true, true, "transfer failed other"),
        (
            skipped("k", SkipReason::Archived),
            true,
            true,
            "skip warning archived",
        ),
        (
            skipped("k", SkipReason::SpecialFile),
            false,
            true,
            "skip ok special_file",
        ),
        (
            Event::Planned {
                key: key(),
                source: listed(),
                because: Cause::Missing,
                replaces: None,
            },
            false,
            true,
            "transfer planned missing_in_target",
        ),
        (
            Event::SubtreeUnreadable {
                name: "d/".to_owned(),
                side: Side::Source,
            },
            true,
            true,
            "skip warning unreadable_directory",
        ),
        (unchanged(), false, false, "skip ok unchanged"),
        (
            Event::NotAttempted {
                key: key(),
                source: listed(),
            },
            false,
            false,
            "skip not_attempted not_attempted",
        ),
    ];
    for (event, in_errors, in_acts, words) in cases {
        for (level, wanted) in [
            (ReportLevel::ErrorsOnly, in_errors),
            (ReportLevel::Acts, in_acts),
            (ReportLevel::All, true),
        ] {
            let written = write(level, Unverifiable::Warns, std::slice::from_ref(&event));
            assert_eq!(written.described.lines == 1, wanted, "{level:?} {event:?}");
            if wanted {
                let line = &lines(&written)[0];
                let word = |name: &str| line[name].as_str().expect("a word").to_owned();
                let seen = ["action", "outcome", "reason"].map(word).join(" ");
                assert_eq!(seen, words);
            }
        }
    }
}

#[test]
fn an_accepted_object_without_proof_is_no_warning_but_is_written() {
    let written = write(
        ReportLevel::ErrorsOnly,
        Unverifiable::IsAccepted,
        &[unproved()],
    );
    let line = &lines(&written)[0];
    assert_eq!(line["outcome"], "ok");
    assert_eq!(
        line["verify"]["etag"],
        json!({"result": "not_verifiable", "method": "none", "why": "opaque_etag"})
    );
    assert_eq!(line["verify"]["checksum"], Value::Null);
}

#[test]
fn a_failure_says_what_failed() {
    let written = write(ReportLevel::Acts, Unverifiable::Warns, &[failed()]);
    let line = &lines(&written)[0];
    assert_eq!(
        line["error"],
        json!({"operation": "PutObject", "code": "BadRequest", "message": "refused", "request_id": "R1"})
    );
    assert_eq!((&line["attempts"], &line["bytes"]), (&json!(5), &json!(0)));
    assert_eq!(line["source"]["key"], "originals/raw/0812.tif");
    assert_eq!(line["target"], Value::Null);
}

#[test]
fn names_that_are_not_utf8_are_percent_encoded() {
    let event = skipped(r"d/caf\xe9", SkipReason::NotUtf8Name);
    let written = write(ReportLevel::Acts, Unverifiable::Warns, &[event]);
    let line = &lines(&written)[0];
    assert_eq!(line["key"], "d/caf%E9");
    assert_eq!(line["key_encoding"], "percent");
}

#[test]
fn only_level_all_wants_every_unchanged_object() {
    for (level, wants) in [
        (ReportLevel::ErrorsOnly, false),
        (ReportLevel::Acts, false),
        (ReportLevel::All, true),
    ] {
        let dir = tempfile::tempdir().expect("tempdir");
        let scope = Scope {
            aim: Aim::Sync,
            pair: "p".to_owned(),
            level,
            source_prefix: String::new(),
            is_one_object: Arc::default(),
            target_prefix: String::new(),
            warned: Warned::default(),
        };
        let evidence = Evidence::create(&dir.path().join("e"), scope).expect("writable");
        assert_eq!(evidence.wants_unchanged(), wants, "{level:?}");
    }
}
