use std::path::Path;

use super::*;
use crate::config::{
    Annotations, Check, Conditional, Job, Limits, Log, Metadata, OnUnverifiable, Origin,
    Performance, ReportLevel, SourceSpec, Tagging, TargetSpec, Verify, Warnings,
};
use crate::event::{Event, FailReason, Listed, Side, SkipReason};
use crate::object::{ObjectKey, Timestamp};
use crate::store::local::{LocalSourceSettings, LocalTargetSettings};
use crate::store::{Description, ErrorKind, StoreError, StoreKind};

/// A pair of two directories.
pub(super) fn pair(name: &str) -> Pair {
    Pair {
        name: name.to_owned(),
        after: Vec::new(),
        source: SourceSpec::Local(LocalSourceSettings {
            root: "/source".into(),
            ignore_symlinks: false,
            never_list: Vec::new(),
        }),
        target: TargetSpec::Local(LocalTargetSettings {
            root: "/target".into(),
            never_list: Vec::new(),
        }),
        server_side_copy: false,
        versions: config::Versions::default(),
        check: Check::default(),
        checksum: None,
        checksum_full_object: false,
        checksum_download: false,
        checksum_of_opaque: true,
        verify: Verify {
            etag: true,
            multipart: true,
            checksum: true,
            unverifiable: OnUnverifiable::Warn,
        },
        conditional: Conditional::default(),
        warnings: Warnings::default(),
        performance: Performance {
            worker_size: 1,
            max_parallel_uploads: 1,
            max_parallel_listings: 1,
            rate: config::Rate::default(),
        },
        multipart_threshold: 8 << 20,
        multipart_chunksize: 8 << 20,
        multipart_resume: true,
        force_retry: (5, std::time::Duration::from_secs(1)),
        auto_chunksize: false,
        metadata: Metadata::default(),
        storage_class: None,
        acl: None,
        tagging: Tagging::default(),
        annotations: Annotations::default(),
        filters: Arc::default(),
        lua: Arc::default(),
        digest: "00".to_owned(),
    }
}

fn job(dir: &Path, pairs: &[&str]) -> Job {
    Job {
        name: "nightly".to_owned(),
        origin: Origin::File("nightly.toml".into()),
        pairs: pairs.iter().map(|name| pair(name)).collect(),
        limits: Limits {
            memory: 1 << 20,
            workers: None,
            rate: config::Rate::default(),
        },
        report: config::Report {
            dir: dir.to_owned(),
            level: ReportLevel::Acts,
        },
        sandbox: None,
        shutdown_grace: std::time::Duration::ZERO,
        log: Log {
            level: 0,
            // no last words in the output of the tests
            json: true,
            color: false,
            stderr: true,
            progress: false,
            aws_sdk: false,
            span_events: false,
        },
        dry_run: false,
        digest: "11".to_owned(),
        non_file_origins: Vec::new(),
        secrets: vec![("source.access_key".to_owned(), "env X".to_owned())],
        resolved: config::Resolved::default(),
    }
}

fn done(stopped: bool) -> PairDone {
    let description = Description {
        url: "/seen".to_owned(),
        kind: StoreKind::Local,
        prefix: String::new(),
        region: None,
        endpoint: None,
        versioning: None,
    };
    PairDone {
        source: description.clone(),
        target: description,
        stopped,
    }
}

/// Stands for the engine: the pair's name says what happens.
fn scripted(pair: Pair, context: Context) -> BoxFuture<'static, Result<PairDone, PairError>> {
    Box::pin(async move {
        let key = ObjectKey::new("k").expect("short");
        let source = Listed {
            size: 1,
            modified: Timestamp::new(0, 0),
            etag: None,
            version: None,
        };
        let error = || {
            StoreError::new(
                "ListObjectsV2",
                "b",
                ErrorKind::Fatal,
                "there is no such bucket",
            )
        };
        context.sinks.emit(&Event::Listed {
            side: Side::Source,
            entries: 1,
            bytes: 1,
        });
        match pair.name.trim_end_matches("_again") {
            "nothing" => context.sinks.emit(&Event::UnchangedMany { count: 1 }),
            "skips" => context.sinks.emit(&Event::Skipped {
                key: "k".to_owned(),
                source: Some(source),
                reason: SkipReason::SourceVanished,
                message: None,
            }),
            "fails" => context.sinks.emit(&Event::Failed {
                key,
                source: Some(source),
                reason: FailReason::Other,
                error: Box::new(error()),
                attempts: 1,
            }),
            "forgets" => {}
            "ends" => {
                return Err(PairError {
                    error: error(),
                    phase: "list the source",
                });
            }
            "panics" => panic!("a bug"),
            "interrupts" => {
                context.stop.cancel();
                context.sinks.emit(&Event::NotAttempted { key, source });
                return Ok(done(true));
            }
            "fails_interrupted" => {
                context.stop.cancel();
                context.sinks.emit(&Event::Failed {
                    key,
                    source: Some(source),
                    reason: FailReason::Other,
                    error: Box::new(error()),
                    attempts: 1,
                });
                return Ok(done(true));
            }
            other => unreachable!("{other}"),
        }
        Ok(done(false))
    })
}

async fn run_scripted(dir: &Path, pairs: &[&str]) -> (ExitCode, serde_json::Value) {
    let outcome = run_with(
        job(dir, pairs),
        PairHooks::default(),
        RunOptions::default(),
        &Signals::listen(),
        scripted,
    )
    .await;
    let latest = dir.join("nightly/latest/report.json");
    let report = std::fs::read(latest).expect("a report");
    (
        outcome.exit,
        serde_json::from_slice(&report).expect("a JSON report"),
    )
}

#[tokio::test]
async fn the_worst_pair_decides_and_the_others_run() {
    for (pairs, exit, status, statuses) in [
        (&["nothing"][..], ExitCode::Success, "success", "success"),
        (
            &["skips", "nothing"],
            ExitCode::Warning,
            "warning",
            "warning success",
        ),
        (&["forgets"], ExitCode::Warning, "warning", "warning"),
        (
            &["nothing", "fails", "skips"],
            ExitCode::Failed,
            "failed",
            "success failed warning",
        ),
        (
            &["nothing", "ends", "nothing_again"],
            ExitCode::Failed,
            "failed",
            "success failed success",
        ),
        (
            &["fails", "panics", "nothing"],
            ExitCode::Crashed,
            "crashed",
            "failed crashed success",
        ),
        (
            &["nothing", "interrupts", "nothing_again"],
            ExitCode::Interrupted,
            "interrupted",
            "success interrupted interrupted",
        ),
        (
            &["fails_interrupted", "nothing"],
            ExitCode::Failed,
            "failed",
            "failed interrupted",
        ),
        (&[], ExitCode::Success, "success", ""),
    ] {
        let dir = tempfile::tempdir().expect("tempdir");
        let (seen, report) = run_scripted(dir.path(), pairs).await;
        assert_eq!(seen, exit, "{pairs:?}");
        assert_eq!(report["run"]["exit_code"], exit.code(), "{pairs:?}");
        assert_eq!(report["run"]["status"], status, "{pairs:?}");
        let each: Vec<_> = report["pairs"]
            .as_array()
            .expect("pairs")
            .iter()
            .map(|pair| pair["status"].as_str().expect("a word"))
            .collect();
        assert_eq!(each.join(" "), statuses, "{pairs:?}");
    }
}

#[tokio::test]
async fn what_ended_a_pair_is_told_where_one_looks_for_it() {
    let dir = tempfile::tempdir().expect("tempdir");
    let (_, report) = run_scripted(dir.path(), &["ends", "panics"]).await;
    let ended = &report["pairs"][0];
    let reason = ended["status_reason"].as_str().expect("a reason");
    assert!(reason.contains("there is no such bucket"), "{reason}");
    assert_eq!(ended["counts"]["errors"], 1);
    assert_eq!(ended["errors_sample"][0]["operation"], "ListObjectsV2");
    let panicked = &report["pairs"][1];
    assert_eq!(panicked["status_reason"], "panic: a bug");
    assert_eq!(report["run"]["status_reason"], "panics: panic: a bug");
    let trailer = std::fs::read_to_string(
        dir.path()
            .join("nightly/latest/pairs/panics.objects.ndjson"),
    );
    assert!(trailer.expect("evidence").contains("trailer"));
}

#[tokio::test]
async fn a_run_that_cannot_report_does_not_start() {
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("write");
    let job = job(&file, &["panics"]);
    let outcome = run_with(
        job,
        PairHooks::default(),
        RunOptions::default(),
        &Signals::listen(),
        scripted,
    )
    .await;
    assert_eq!(outcome.exit, ExitCode::Failed);
}
