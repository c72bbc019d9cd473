use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::digest::{Algorithm, Checksum, Integrity, Why, digest};
use crate::event::{Cause, Conduct, FailReason, Unverifiable, locked};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::store::{ErrorKind, SourceFacts, Stored};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Each record as its level, message and fields.
fn records(unverifiable: Unverifiable, level: Level, event: &Event) -> Vec<String> {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_max_level(level)
        .with_writer(captured.clone())
        .finish();
    let sink = LogSink::new("photos", "copy/", unverifiable.into());
    tracing::subscriber::with_default(subscriber, || sink.event(event));
    let text = String::from_utf8(locked(&captured.0).clone()).expect("text");
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn key() -> ObjectKey {
    ObjectKey::new("a/b").expect("short")
}

fn listed() -> Listed {
    Listed {
        size: 3,
        modified: Timestamp::new(0, 0),
        etag: None,
        version: None,
    }
}

fn transferred(etag: Option<Proof>, checksum: Option<Proof>) -> Event {
    let stored = Stored {
        size: 3,
        etag: Some(ETag::parse("e")),
        etag_is_digest: true,
        version: None,
        checksums: Vec::new(),
        request_id: None,
    };
    let source = SourceFacts {
        key: key(),
        size: 3,
        modified: Timestamp::new(0, 0),
        etag: None,
        version: None,
        checksum: None,
    };
    let integrity = Integrity { etag, checksum };
    Event::Transferred {
        settled: Box::new(stored.settle(source, integrity).expect("no mismatch")),
        conduct: Conduct {
            because: Cause::Missing,
            replaced: false,
            server_side: false,
            parts: None,
            resumed: 0,
            attempts: 1,
            elapsed: Duration::ZERO,
            is_untagged: false,
        },
    }
}

fn proof(algorithm: Algorithm) -> Proof {
    let checksum = Checksum::Whole(digest(algorithm, b"abc"));
    Proof::compare(checksum, checksum, crate::digest::Method::Recomputed)
}

const COMPLETED: &str = r#"INFO sync completed. key="a/b" source_version_id="" source_last_modified=1970-01-01T00:00:00Z target_key="copy/a/b" size=3"#;

#[test]
fn records_are_those_the_predecessors_users_search_for() {
    let event = transferred(Some(proof(Algorithm::Md5)), Some(proof(Algorithm::Crc32)));
    assert_eq!(
        records(Unverifiable::Warns, Level::INFO, &event),
        [COMPLETED]
    );
    assert_eq!(
        records(Unverifiable::Warns, Level::DEBUG, &event),
        [
            COMPLETED,
            r#"DEBUG e_tag verified. key="a/b" source_e_tag="\"e\"" target_e_tag="\"e\"""#,
            r#"DEBUG additional checksum verified. key="a/b" additional_checksum_algorithm="CRC32" target_checksum=NSRBwg== source_checksum=NSRBwg=="#,
        ]
    );
}

#[test]
fn warnings_and_errors_name_pair_key_and_reason_in_one_line() {
    let unproved = transferred(Some(Proof::impossible(Why::OpaqueETag)), None);
    let error = || {
        Box::new(StoreError::new(
            "PutObject",
            "a/b",
            ErrorKind::Other,
            "refused",
        ))
    };
    let cases = [
        (
            unproved.clone(),
            r#"WARN transferred, but nothing could be proved pair="photos" key="a/b" reason="opaque_etag""#,
        ),
        (
            Event::Skipped {
                key: "a/b".to_owned(),
                source: None,
                reason: SkipReason::Archived,
                message: None,
            },
            r#"WARN skipped pair="photos" key="a/b" reason="archived""#,
        ),
        (
            Event::Failed {
                key: key(),
                source: Some(listed()),
                reason: FailReason::Other,
                error: error(),
                attempts: 1,
            },
            r#"ERROR failed pair="photos" key="a/b" reason="other" error=PutObject `a/b`: refused"#,
        ),
        (
            Event::PairFailed {
                phase: "list the source",
                error: error(),
            },
            r#"ERROR PutObject `a/b`: refused pair="photos" phase="list the source""#,
        ),
    ];
    for (event, record) in cases {
        let seen = records(Unverifiable::Warns, Level::WARN, &event);
        assert_eq!(seen, [record], "{event:?}");
    }
    let accepted = records(Unverifiable::IsAccepted, Level::WARN, &unproved);
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn a_dry_run_says_so() {
    let event = Event::Planned {
        key: key(),
        source: listed(),
        because: Cause::Missing,
        replaces: None,
    };
    assert_eq!(
        records(Unverifiable::Warns, Level::INFO, &event),
        [
            COMPLETED.replace("sync completed", "[dry-run] sync completed")
                + r#" reason="missing_in_target""#
        ]
    );
}
