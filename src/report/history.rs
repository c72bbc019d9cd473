//! One line for each run, in the job's history.

use schemars::JsonSchema;
use serde::Serialize;

use super::Status;
use super::schema::{Report, Time, document, exit_codes};

/// The version of a line's form; it changes when a reader would have to.
const VERSION: u32 = 1;

/// The JSON Schema of each line of a job's history.
pub fn history_schema() -> serde_json::Value {
    document::<Line<'_>>("history", VERSION)
}

/// The summary of one run: a line of `history.ndjson` in the job's directory.
#[derive(Debug, Serialize, JsonSchema)]
struct Line<'a> {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    v: u32,
    /// The run's id.
    #[schemars(extend("format" = "uuid"))]
    run: &'a str,
    /// The command: `run`, `sync`, …
    command: &'a str,
    /// Whether it only decided.
    dry_run: bool,
    /// When it began.
    #[schemars(with = "Time")]
    started_at: &'a str,
    /// When it ended.
    #[schemars(with = "Option<Time>")]
    finished_at: Option<&'a str>,
    /// How long it took.
    duration_ms: u64,
    /// How it ended.
    status: Status,
    /// Why, where the state alone does not say it.
    status_reason: Option<&'a str>,
    /// What the process ended with.
    #[schemars(schema_with = "exit_codes")]
    exit_code: Option<u8>,
    /// How many pairs the job has.
    pairs: usize,
    /// Entries the sources listed.
    listed: u64,
    /// Objects the targets had.
    unchanged: u64,
    /// Objects moved; in a dry run, planned.
    transferred: u64,
    /// Bytes moved; in a dry run, planned.
    bytes: u64,
    /// Transferred objects with at least one proof.
    verified: u64,
    /// Transferred objects without any.
    not_verifiable: u64,
    /// Objects removed from the targets.
    deleted: u64,
    /// Objects left out because of their state.
    skipped: u64,
    /// Objects that could not be transferred.
    failed: u64,
    /// What makes the status a warning.
    warnings: u64,
    /// What makes the status a failure.
    errors: u64,
}

/// The line for a finished run, without a newline.
pub(super) fn line(report: &Report) -> String {
    let run = &report.run;
    let counts = &report.totals.counts;
    let line = Line {
        v: VERSION,
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
