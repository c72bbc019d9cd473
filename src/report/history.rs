//! One line for each run, in the job's history.

use serde::Serialize;

use super::Status;
use super::schema::Report;

/// The summary of one run.
#[derive(Debug, Serialize)]
struct Line<'a> {
    v: u32,
    run: &'a str,
    command: &'a str,
    dry_run: bool,
    started_at: &'a str,
    finished_at: Option<&'a str>,
    duration_ms: u64,
    status: Status,
    status_reason: Option<&'a str>,
    exit_code: Option<u8>,
    pairs: usize,
    listed: u64,
    unchanged: u64,
    transferred: u64,
    bytes: u64,
    verified: u64,
    not_verifiable: u64,
    deleted: u64,
    skipped: u64,
    failed: u64,
    warnings: u64,
    errors: u64,
}

/// The line for a finished run, without a newline.
pub(super) fn line(report: &Report) -> String {
    let run = &report.run;
    let counts = &report.totals.counts;
    let line = Line {
        v: 1,
        run: &run.id,
        command: &run.command,
        dry_run: run.dry_run,
        started_at: &run.started_at,
        finished_at: run.finished_at.as_deref(),
        duration_ms: run.duration_ms,
        status: run.status,
        status_reason: run.status_reason.as_deref(),
        exit_code: run.exit_code,
        pairs: report.pairs.len(),
        listed: counts.listed.source,
        unchanged: counts.unchanged,
        transferred: counts.transferred.total,
        bytes: report.totals.bytes.transferred,
        verified: counts.verified.objects.verified,
        not_verifiable: counts.verified.objects.not_verifiable,
        deleted: counts.deleted.total,
        skipped: counts.skipped.total,
        failed: counts.failed,
        warnings: counts.warnings,
        errors: counts.errors,
    };
    serde_json::to_string(&line).expect("words and numbers are JSON")
}
