//! A plan for programs: decisions as lines of evidence, a line for each pair, one for the job.

use serde::Serialize;

use super::Reasons;
use super::judged::Says;
use crate::event::Rule;
use crate::report::evidence::{Line, Scope};
use crate::report::schema::{Bytes, Counts, Report};
use crate::report::{PairReport, Status, figures};

/// A decision.
pub(super) fn line(line: &Line<'_>) -> String {
    one(line)
}

/// What each filter said of the only key that is shown.
pub(super) fn filters(scope: &Scope, key: &str, judged: &[(&Rule, Says)]) -> String {
    let lines = judged.iter().map(|(rule, says)| {
        one(&FilterLine {
            v: 1,
            r#type: "filter",
            pair: &scope.pair,
            key,
            filter: rule.filter,
            value: &rule.value,
            origin: &rule.origin,
            says: says.as_str(),
        })
    });
    lines.collect()
}

#[derive(Debug, Serialize)]
struct FilterLine<'a> {
    v: u32,
    r#type: &'static str,
    pair: &'a str,
    key: &'a str,
    filter: &'static str,
    value: &'a str,
    origin: &'a str,
    says: &'static str,
}

/// What was decided in a pair.
pub(super) fn pair(job: &str, part: &PairReport, reasons: &Reasons) -> String {
    let counts = part.tally().counts;
    let (source, target) = part.urls();
    one(&PairLine {
        v: 1,
        r#type: "pair",
        job,
        pair: part.name(),
        source: &source,
        target: &target,
        status: part.status(),
        status_reason: part.reason(),
        bytes: figures::bytes(&counts),
        counts: figures::counts(&counts),
        transfer_by: each(reasons),
    })
}

/// All pairs together.
pub(super) fn total(report: &Report, reasons: &Reasons) -> String {
    one(&TotalLine {
        v: 1,
        r#type: "total",
        job: &report.run.job,
        status: report.run.status,
        status_reason: report.run.status_reason.as_deref(),
        exit_code: report.run.exit_code,
        pairs: report.pairs.len(),
        bytes: &report.totals.bytes,
        counts: &report.totals.counts,
        transfer_by: each(reasons),
    })
}

#[derive(Debug, Serialize)]
struct PairLine<'a> {
    v: u32,
    r#type: &'static str,
    job: &'a str,
    pair: &'a str,
    source: &'a str,
    target: &'a str,
    status: Status,
    status_reason: Option<&'a str>,
    bytes: Bytes,
    counts: Counts,
    transfer_by: Vec<Share>,
}

#[derive(Debug, Serialize)]
struct TotalLine<'a> {
    v: u32,
    r#type: &'static str,
    job: &'a str,
    status: Status,
    status_reason: Option<&'a str>,
    exit_code: Option<u8>,
    pairs: usize,
    bytes: &'a Bytes,
    counts: &'a Counts,
    transfer_by: Vec<Share>,
}

/// How much is to be transferred for one reason.
#[derive(Debug, Serialize)]
struct Share {
    reason: &'static str,
    count: u64,
    bytes: u64,
}

fn each(reasons: &Reasons) -> Vec<Share> {
    let each = reasons.iter();
    each.map(|(cause, (count, bytes))| Share {
        reason: cause.as_str(),
        count: *count,
        bytes: *bytes,
    })
    .collect()
}

fn one(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("words and numbers are JSON") + "\n"
}
