use std::path::Path;

use super::*;
use crate::config::{self, Limits, Log, ReportLevel};
use crate::plan::Aim;
use crate::report::Abandoned;

fn job(dir: &Path) -> Job {
    Job {
        name: "nightly".to_owned(),
        origin: Origin::CommandLine,
        pair_names: Vec::new(),
        pairs: Vec::new(),
        execution: crate::config::Execution::default(),
        hooks: crate::config::ProgramHooks::default(),
        limits: Limits {
            memory: 0,
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
            json: true,
            color: false,
            stderr: true,
            progress: false,
            aws_sdk: false,
            span_events: false,
        },
        dry_run: true,
        digest: "11".to_owned(),
        non_file_origins: vec!["flag --delete".to_owned()],
        secrets: vec![("source.access_key".to_owned(), "env X".to_owned())],
        resolved: config::Resolved::default(),
    }
}

fn read(report: &RunReport) -> Report {
    let text = std::fs::read(
        report
            .directory()
            .expect("it is kept")
            .path()
            .join("report.json"),
    )
    .expect("a report");
    serde_json::from_slice(&text).expect("a report reads back")
}

#[tokio::test]
async fn the_report_is_there_from_the_start_and_says_how_it_ended() {
    let dir = tempfile::tempdir().expect("tempdir");
    let report =
        RunReport::open(&job(dir.path()), "sync", Aim::Sync).expect("a writable directory");
    let running = read(&report);
    assert_eq!(running.schema_version, 1);
    assert_eq!(running.run.status, Status::Running);
    assert_eq!(running.run.exit_code, None);
    assert_eq!(running.run.finished_at, None);
    assert!(running.run.dry_run);
    assert_eq!(running.config.secrets[0].origin, "env X");
    assert!(
        report
            .directory()
            .expect("it is kept")
            .path()
            .join("resolved.json")
            .exists()
    );
    assert!(!dir.path().join("nightly/latest").exists());

    report.finish(RunEnd {
        exit: ExitCode::Terminated,
        reason: Some("why".to_owned()),
        interrupted_by: Some("SIGTERM"),
    });
    let ended = read(&report);
    assert_eq!(ended.run.status, Status::Interrupted);
    assert_eq!(ended.run.exit_code, Some(143));
    assert_eq!(ended.run.interrupted_by.as_deref(), Some("SIGTERM"));
    assert!(ended.run.finished_at.is_some());
    assert!(ended.totals.counts.reconciled);
    let history = std::fs::read_to_string(dir.path().join("nightly/history.ndjson"));
    let line: serde_json::Value =
        serde_json::from_str(history.expect("a history").trim()).expect("a line of JSON");
    assert_eq!(line["run"], ended.run.id);
    assert_eq!(line["exit_code"], 143);
    assert!(dir.path().join("nightly/latest/report.json").exists());
}

/// A machine may have slept, or have been cut off from the others.
#[tokio::test]
async fn a_run_that_another_machine_called_crashed_has_one_line_in_the_history_when_it_ends() {
    let dir = tempfile::tempdir().expect("tempdir");
    let report =
        RunReport::open(&job(dir.path()), "sync", Aim::Sync).expect("a writable directory");
    let directory = report.directory().expect("it is kept");
    // its lock is not seen elsewhere, and it comes from elsewhere
    drop(locked(&report.at_work).take());
    let mut seen = read(&report);
    seen.host.hostname = "elsewhere".to_owned();
    seen.run.heartbeat_at = "2020-01-01T00:00:00.000Z".to_owned();
    directory
        .write("report.json", &json(&seen))
        .expect("written");
    let [abandoned] = <[_; 1]>::try_from(Abandoned::of(directory.job())).expect("one run");
    abandoned.mark().expect("written");
    let running = directory.path().join(abandoned::RUNNING);
    assert!(running.exists(), "it may be at work");
    *locked(&report.at_work) = abandoned::hold(directory);

    report.finish(RunEnd {
        exit: ExitCode::Success,
        reason: None,
        interrupted_by: None,
    });
    assert_eq!(read(&report).run.status, Status::Success);
    assert!(!running.exists());
    let history = std::fs::read_to_string(directory.job().history()).expect("a history");
    assert_eq!(history.lines().count(), 1, "{history}");
}

#[tokio::test]
async fn the_heart_beats() {
    let dir = tempfile::tempdir().expect("tempdir");
    let report =
        RunReport::open(&job(dir.path()), "sync", Aim::Sync).expect("a writable directory");
    let path = report
        .directory()
        .expect("it is kept")
        .path()
        .join("report.json");
    std::fs::remove_file(&path).expect("remove");
    let heartbeat = report.beat(Duration::from_millis(1));
    while !path.exists() {
        tokio::task::yield_now().await;
    }
    heartbeat.abort();
    assert_eq!(read(&report).run.status, Status::Running);
}
