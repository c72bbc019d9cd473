use std::path::Path;
use std::sync::{Arc, LazyLock};

use tokio::sync::Barrier;

use super::*;
use crate::config::{
    Annotations, Check, Conditional, Job, Limits, Log, Metadata, OnUnverifiable, Origin,
    Performance, ReportLevel, SourceSpec, Tagging, TargetSpec, Verify, Warnings,
};
use crate::event::{Event, FailReason, Listed, Side, SkipReason};
use crate::object::{ObjectKey, Timestamp};
use crate::report::Archive;
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
        deletion: None,
        lua: Arc::default(),
        digest: "00".to_owned(),
    }
}

pub(super) fn job(dir: &Path, pairs: &[&str]) -> Job {
    Job {
        name: "nightly".to_owned(),
        origin: Origin::File("nightly.toml".into()),
        pairs: pairs.iter().map(|name| pair(name)).collect(),
        pair_names: pairs.iter().map(|name| (*name).to_owned()).collect(),
        execution: config::Execution::default(),
        hooks: config::ProgramHooks::default(),
        limits: Limits {
            memory: 1 << 20,
            workers: None,
            rate: config::Rate::default(),
        },
        report: config::Report {
            dir: dir.to_owned(),
            level: ReportLevel::Acts,
            keep: None,
        },
        lock: config::OnConflict::default(),
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

static MEETING: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
static JOINING: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

async fn meet(barrier: &Barrier, context: &Context) {
    barrier.wait().await;
    context.sinks.emit(&Event::UnchangedMany { count: 1 });
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
            odd: 0,
            bytes: 1,
        });
        match pair.name.split('_').next().unwrap_or_default() {
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
            // only two of them at once come to their end; each test has its own
            "meets" => meet(&MEETING, &context).await,
            "joins" => meet(&JOINING, &context).await,
            "waits" => {
                context.stop.cancelled().await;
                context.sinks.emit(&Event::NotAttempted { key, source });
                return Ok(done(true));
            }
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
            "failsinterrupted" => {
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
    run_job(dir, job(dir, pairs)).await
}

async fn run_job(dir: &Path, job: Job) -> (ExitCode, serde_json::Value) {
    let outcome = run_with(
        job,
        PairHooks::default(),
        RunOptions::default(),
        &Signals::listen(),
        scripted,
    )
    .await;
    // `latest` is not its own to move where it is stopped before it has the job's lock
    let mut runs = Archive::at(dir).runs().expect("a directory");
    let report = std::fs::read(runs.remove(0).report()).expect("a report");
    (
        outcome.exit,
        serde_json::from_slice(&report).expect("a JSON report"),
    )
}

/// What a report says under a key of each pair.
fn said(report: &serde_json::Value, key: &str) -> String {
    let pairs = report["pairs"].as_array().expect("pairs").iter();
    let words = pairs.map(|pair| pair[key].as_str().unwrap_or("-").to_owned());
    words.collect::<Vec<_>>().join(" ")
}

/// Statement 51: of several pairs one fails, the others run, and the worst decides.
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
            &["failsinterrupted", "nothing"],
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
        assert_eq!(said(&report, "status"), statuses, "{pairs:?}");
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

/// Statement 51: what stops after a failure says of each pair why it was not attempted.
#[tokio::test]
async fn after_a_failed_pair_the_others_run_or_are_not_begun() {
    use config::OnPairFailure::{Continue, Stop};
    for (on_pair_failure, most, pairs, exit, statuses) in [
        (
            Continue,
            1,
            &["fails", "nothing"][..],
            ExitCode::Failed,
            "failed success",
        ),
        (
            Stop,
            1,
            &["skips", "fails", "nothing", "nothing_again"],
            ExitCode::Failed,
            "warning failed not_attempted not_attempted",
        ),
        (
            Stop,
            1,
            &["panics", "nothing"],
            ExitCode::Crashed,
            "crashed not_attempted",
        ),
        // what has begun is not ended for it
        (
            Stop,
            3,
            &["meets", "ends", "meets_again", "nothing"],
            ExitCode::Failed,
            "success failed success not_attempted",
        ),
        (
            Stop,
            1,
            &["nothing", "skips"],
            ExitCode::Warning,
            "success warning",
        ),
    ] {
        let dir = tempfile::tempdir().expect("tempdir");
        let mut job = job(dir.path(), pairs);
        job.execution.on_pair_failure = on_pair_failure;
        job.execution.max_parallel_pairs = most;
        if let Some(failing) = pairs.iter().position(|name| *name == "ends") {
            // it may begin as soon as another has ended, and is to begin after this one
            let last = job.pairs.len() - 1;
            job.pairs[last].after = vec![job.pairs[failing].name.clone()];
        }
        let (seen, report) = run_job(dir.path(), job).await;
        assert_eq!(
            (seen, &*said(&report, "status")),
            (exit, statuses),
            "{pairs:?}"
        );
        let reasons = said(&report, "status_reason");
        let told = reasons.matches("not attempted: `").count();
        assert_eq!(told, statuses.matches("not_attempted").count(), "{reasons}");
    }
}

#[tokio::test]
async fn pairs_run_side_by_side_and_after_those_they_come_after() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut job = job(dir.path(), &["nothing", "panics", "joins", "joins_again"]);
    job.execution.max_parallel_pairs = 2;
    job.pairs[0].after = vec!["joins_again".to_owned(), "panics".to_owned()];
    let (exit, report) = run_job(dir.path(), job).await;
    assert_eq!(exit, ExitCode::Crashed);
    assert_eq!(said(&report, "name"), "nothing panics joins joins_again");
    assert_eq!(said(&report, "status"), "success crashed success success");
    let time = |at: usize, key: &str| {
        report["pairs"][at][key]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    assert!(time(0, "started_at") >= time(3, "finished_at"), "{report}");
}

#[tokio::test]
async fn a_job_has_its_time_and_no_more() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut job = job(dir.path(), &["nothing", "waits", "nothing_again"]);
    job.execution.timeout = Some(std::time::Duration::from_millis(1));
    job.pairs[0].after = vec!["waits".to_owned()];
    let (exit, report) = run_job(dir.path(), job).await;
    assert_eq!(exit, ExitCode::Timeout);
    assert_eq!(report["run"]["status"], "timeout");
    assert_eq!(report["run"]["interrupted_by"], serde_json::Value::Null);
    assert_eq!(said(&report, "status"), "timeout timeout timeout");
    let reasons = said(&report, "status_reason");
    assert_eq!(reasons.matches("job.timeout").count(), 3, "{reasons}");
}
