use std::sync::Arc;

use super::super::figures;
use super::super::schema::{self, SCHEMA_VERSION};
use super::*;
use crate::event::{Counts, PerSide, Rule, Tally, Verified};
use crate::report::Status;
use crate::report::grid::MAX_WIDTH;
use crate::store::StoreKind;

pub(in crate::report) fn counts(
    listed: u64,
    unchanged: u64,
    transferred: u64,
    unproved: u64,
) -> Counts {
    let by = Rule {
        filter: "filter.exclude",
        value: "*.tmp".to_owned(),
        origin: "nightly.toml:3:1".to_owned(),
    };
    Counts {
        listed: PerSide {
            source: listed,
            target: 0,
        },
        filtered: [(Arc::new(by), listed - unchanged - transferred)].into(),
        unchanged,
        created: transferred,
        transferred_bytes: 40_157_941_555,
        verified: Verified {
            objects: transferred - unproved,
            not_verifiable_by: [(crate::digest::Why::OpaqueETag, unproved)].into(),
            ..Verified::default()
        },
        ..Counts::default()
    }
}

pub(in crate::report) fn pair(name: &str, status: Status, counts: &Counts) -> Pair {
    let end = schema::End {
        url: String::new(),
        kind: StoreKind::Local,
        region: None,
        endpoint: None,
        versioning: None,
    };
    let tally = Tally::default();
    Pair {
        name: name.to_owned(),
        status,
        status_reason: None,
        settings_digest: String::new(),
        scripts: Vec::new(),
        source: end.clone(),
        target: end,
        started_at: None,
        finished_at: None,
        phases_ms: schema::Phases {
            list: None,
            transfer: None,
            delete: None,
        },
        counts: figures::counts(counts),
        bytes: figures::bytes(counts),
        throughput: figures::throughput(&tally, Duration::ZERO),
        latency_ms: figures::latency(&tally.traffic),
        requests: figures::requests(&tally.traffic),
        retries: figures::retries(&tally.traffic),
        throttled: 0,
        guarantees_lost: Vec::new(),
        warnings_sample: Vec::new(),
        errors_sample: Vec::new(),
        deletion: None,
        evidence: None,
    }
}

pub(in crate::report) fn report(pairs: Vec<Pair>) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: super::super::facts::tool(),
        host: super::super::facts::host(),
        process: super::super::facts::process(),
        run: schema::Run {
            id: "0198f3b2-0000-7000-8000-000000000000".to_owned(),
            job: "nightly".to_owned(),
            command: "run".to_owned(),
            trigger: schema::Trigger::Terminal,
            dry_run: false,
            retries_of: None,
            started_at: String::new(),
            finished_at: None,
            heartbeat_at: String::new(),
            duration_ms: 1_293_000,
            status: Status::Warning,
            status_reason: None,
            exit_code: Some(3),
            interrupted_by: None,
        },
        config: schema::Config {
            origin: None,
            digest: String::new(),
            non_file_origins: Vec::new(),
            secrets: Vec::new(),
        },
        totals: figures::totals(&[]),
        hooks: Vec::new(),
        pairs,
    }
}

#[test]
fn the_table_is_the_documented_one() {
    let seen = table(
        &report(vec![
            pair(
                "photos",
                Status::Success,
                &counts(1_204_511, 1_203_600, 598, 0),
            ),
            pair(
                "fileserver",
                Status::Warning,
                &counts(402_331, 402_101, 140, 2),
            ),
        ]),
        "/r/nightly/latest/report.json",
        false,
    );
    let expected = "\
nightly  run 0198f3b2-0000  WARNING  21m33s  exit 3
pair        status   listed     filtered  same       copied  bytes     deleted  verified     errors
photos      success  1,204,511  313       1,203,600  598     37.4 GiB  0        598/598      0
fileserver  warning  402,331    90        402,101    140     37.4 GiB  0        138/140 (2)  0
report: /r/nightly/latest/report.json
";
    assert_eq!(seen, expected);
}

#[test]
fn no_line_of_the_table_is_wider_than_a_hundred_columns() {
    let big = counts(9_999_999_999, 5_999_999_999, 3_999_999_999, 1_999_999_999);
    for name in ["p", "a_pair_name", &"n".repeat(63)] {
        let pairs = vec![
            pair(name, Status::Interrupted, &big),
            pair("other", Status::Success, &counts(1, 1, 0, 0)),
        ];
        let text = table(&report(pairs), "/r", false);
        for line in text.lines() {
            assert!(line.chars().count() <= MAX_WIDTH, "{line}");
        }
        assert!(text.contains(&name[..name.len().min(7)]), "{text}");
    }
}

#[test]
fn colour_does_not_move_the_columns() {
    let pairs = || vec![pair("p", Status::Failed, &counts(1, 1, 0, 0))];
    let plain = table(&report(pairs()), "/r", false);
    let painted = table(&report(pairs()), "/r", true);
    assert!(painted.contains("\x1b[31mfailed\x1b[0m"), "{painted}");
    let bare = ["\x1b[31m", "\x1b[33m", "\x1b[0m"]
        .iter()
        .fold(painted, |text, code| text.replace(code, ""));
    assert_eq!(bare, plain);
}

#[cfg(feature = "cli")]
#[test]
fn the_one_line_is_the_predecessors() {
    let mut counts = counts(1500, 1000, 500, 0);
    counts.transferred_bytes = 3 << 20;
    counts.verified.etag.matched = 500;
    counts.warnings = 2;
    let mut report = report(Vec::new());
    let mut tally = Tally::default();
    tally.counts = counts;
    report.totals = figures::totals([&tally]);
    for (duration_ms, dry_run, expected) in [
        (
            2000,
            false,
            "3.00 MiB | 1.50 MiB/sec,  transferred 500 objects | 250 objects/sec,  etag verified 500 objects,  checksum verified 0 objects,  deleted 0 objects,  skipped 1000 objects,  error 0 objects, warning 2 objects,  duration 2 seconds",
        ),
        (
            400,
            false,
            "3.00 MiB | 3.00 MiB/sec,  transferred 500 objects | 500 objects/sec,  etag verified 500 objects,  checksum verified 0 objects,  deleted 0 objects,  skipped 1000 objects,  error 0 objects, warning 2 objects,  duration 0 seconds",
        ),
        (
            90_000,
            true,
            "3.00 MiB | 0 B/sec,  transferred 500 objects | 0 objects/sec,  etag verified 500 objects,  checksum verified 0 objects,  deleted 0 objects,  skipped 1000 objects,  error 0 objects, warning 2 objects,  duration 2 minutes",
        ),
    ] {
        report.run.duration_ms = duration_ms;
        report.run.dry_run = dry_run;
        assert_eq!(super::super::one_line(&report), expected);
    }
}

#[test]
fn what_was_to_be_deleted_and_was_not_is_seen() {
    let deletions = |objects, withheld, failed| crate::event::Deletions {
        candidates: 12,
        objects,
        withheld,
        failed,
        ..crate::event::Deletions::default()
    };
    for (deletions, shown) in [
        (crate::event::Deletions::default(), "0"),
        (deletions(12, 0, 0), "12"),
        (deletions(0, 12, 0), "0 of 12"),
        (deletions(9, 0, 3), "9 of 12"),
    ] {
        let counts = Counts {
            deletions,
            ..Counts::default()
        };
        let row = row(&pair("p", Status::Success, &counts), human::count);
        assert_eq!(row[7], shown, "{counts:?}");
    }
}
