//! A run of the past in full: its table again, and what an auditor asks beyond it.

use std::fmt::Write as _;
use std::time::Duration;

use super::Status;
use super::check::check_table;
use super::evidence::Claim;
use super::human::{self, printable};
use super::schema::{AgreementCounts, AxisCounts, Compared, End, Hook, Pair, Report, Sample};
use super::table::table;
use crate::config::HookTime;

/// How wide the names of facts are.
const NAMES: usize = 16;

/// Which lines of evidence are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Objects {
    /// Only what failed.
    pub failed: bool,
    /// Only what arrived without a proof.
    pub unproved: bool,
}

impl Objects {
    /// Whether a line is one of those. Two conditions ask for either.
    pub fn wants(self, claim: &Claim) -> bool {
        match (self.failed, self.unproved) {
            (false, false) => true,
            (failed, unproved) => failed && claim.is_failure() || unproved && claim.is_unproved(),
        }
    }
}

/// The table of a run, and everything else its report says to people.
pub fn show(report: &Report, report_path: &str, colour: bool) -> String {
    let mut text = if is_check(report) {
        check_table(report, report_path, colour)
    } else {
        table(report, report_path, colour)
    };
    text.push('\n');
    of_run(report, &mut text);
    for pair in &report.pairs {
        let _ = writeln!(text, "\n{}: {}", printable(&pair.name), ended(pair));
        of_pair(pair, is_check(report), &mut text);
    }
    text
}

/// How a pair ended, and why.
fn ended(pair: &Pair) -> String {
    match (pair.status, &pair.status_reason) {
        // it says that itself
        (Status::NotAttempted, Some(reason)) => printable(reason),
        (status, Some(reason)) => format!("{}: {}", status.as_str(), printable(reason)),
        (status, None) => status.as_str().to_owned(),
    }
}

fn is_check(report: &Report) -> bool {
    report.run.command == "check"
}

/// One line of evidence for people: what became of the object, why, its size, its key, what
/// proves it.
pub fn object_line(claim: &Claim) -> String {
    let end = claim.source.as_ref().or(claim.target.as_ref());
    let size = end.map_or_else(|| "-".to_owned(), |end| human::bytes(end.size));
    let mut line = format!(
        "{:<8}  {:<8}  {:<20}  {size:>10}  {}",
        printable(&claim.action),
        printable(&claim.outcome),
        printable(&claim.reason),
        printable(&claim.key)
    );
    let proofs: Vec<String> = claim
        .comparisons()
        .map(|(axis, compared)| {
            let what = compared.algorithm.as_deref().unwrap_or(axis);
            let how = compared.why.as_deref().unwrap_or(&compared.method);
            printable(&format!("{what} {}: {how}", compared.result))
        })
        .collect();
    if !proofs.is_empty() {
        let _ = write!(line, "  [{}]", proofs.join(", "));
    }
    if let Some(error) = &claim.error {
        let _ = write!(line, "  ({})", printable(&error.message));
    }
    line.push('\n');
    line
}

/// Whether what a line of evidence says still holds, as a line for people.
pub fn standing_line(standing: &str, pair: &str, key: &str, why: Option<&str>) -> String {
    let why = why.map_or_else(String::new, |why| format!("  ({})", printable(why)));
    format!("{standing:<8}  {pair}  {}{why}\n", printable(key))
}

fn of_run(report: &Report, text: &mut String) {
    let (run, host, tool, config) = (&report.run, &report.host, &report.tool, &report.config);
    let mut fact = |name: &str, value: &str| fact(text, "", name, value);
    fact("run", &run.id);
    let dry = if run.dry_run { ", dry run" } else { "" };
    fact("command", &format!("{}{dry}", run.command));
    if let Some(earlier) = &run.retries_of {
        fact("attempts", &format!("the failed objects of run {earlier}"));
    }
    if let Some(reason) = &run.status_reason {
        fact("reason", reason);
    }
    if let Some(signal) = &run.interrupted_by {
        fact("interrupted by", signal);
    }
    fact("started", &run.started_at);
    match &run.finished_at {
        Some(finished) => fact("finished", finished),
        None => fact("last heard of", &run.heartbeat_at),
    }
    fact(
        "on",
        &format!("{} ({}, {})", host.hostname, host.os, host.arch),
    );
    let commit = tool.commit.as_deref();
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    fact("by", &format!("{} {}{commit}", tool.name, tool.version));
    if let Some(origin) = &config.origin {
        fact("job file", origin);
    }
    fact("settings", &format!("sha256 {}", config.digest));
    if !config.non_file_origins.is_empty() {
        fact("also said by", &config.non_file_origins.join(", "));
    }
    for hook in &report.hooks {
        fact("hook", &ran(hook));
    }
}

fn of_pair(pair: &Pair, is_check: bool, text: &mut String) {
    let mut fact = |name: &str, value: &str| fact(text, "  ", name, value);
    fact("source", &end(&pair.source));
    fact("target", &end(&pair.target));
    fact("settings", &format!("sha256 {}", pair.settings_digest));
    for script in &pair.scripts {
        let path = printable(&script.path);
        fact(
            "script",
            &format!("{} {path}, sha256 {}", script.kind, script.sha256),
        );
    }
    let counts = &pair.counts;
    if is_check {
        compared(&counts.compared, &mut fact);
    } else {
        moved(pair, &mut fact);
        deleted(pair, &mut fact);
    }
    for by in &counts.filtered.by {
        let directories = match by.subtrees {
            0 => String::new(),
            1 => ", and a directory whole".to_owned(),
            more => format!(", and {} directories whole", human::count(more)),
        };
        let rule = printable(&format!("{} = {} ({})", by.filter, by.value, by.origin));
        fact(
            "filtered",
            &format!("{}{directories} by {rule}", human::count(by.count)),
        );
    }
    for skipped in &counts.skipped.by {
        fact(
            "skipped",
            &format!(
                "{} {}",
                skipped.reason.as_str(),
                human::count(skipped.count)
            ),
        );
    }
    for (name, number) in [
        ("failed", counts.failed),
        ("not attempted", counts.not_attempted),
    ] {
        if number > 0 {
            fact(name, &human::count(number));
        }
    }
    if !counts.reconciled {
        fact("books", "do not balance: this is a bug of s3sync");
    }
    for lost in &pair.guarantees_lost {
        fact("guarantee lost", &format!("{}: {}", lost.what, lost.why));
    }
    for (name, samples, total) in [
        ("warning", &pair.warnings_sample, counts.warnings),
        ("error", &pair.errors_sample, counts.errors),
    ] {
        for one in samples {
            fact(name, &sample(one));
        }
        let more = total.saturating_sub(samples.len() as u64);
        if more > 0 {
            fact("", &format!("and {} more", human::count(more)));
        }
    }
    match &pair.evidence {
        None => fact("evidence", "none"),
        Some(evidence) => {
            let lines = human::count(evidence.lines);
            fact("evidence", &format!("{}, {lines} lines", evidence.path));
            let digest = evidence.sha256.as_deref();
            let digest = digest.map_or_else(
                || "not completed".to_owned(),
                |digest| format!("sha256 {digest}"),
            );
            fact("", &digest);
        }
    }
}

/// A program that was run before or after, and how it ended.
fn ran(hook: &Hook) -> String {
    let of = hook.pair.as_deref().unwrap_or("the job");
    let took = human::duration(Duration::from_millis(hook.duration_ms));
    let ended = hook.error.as_deref().unwrap_or("fine");
    let at = match hook.at {
        HookTime::Before => "before",
        HookTime::After => "after",
    };
    format!("{}, {at} {of}, {took}: {ended}", hook.run.join(" "))
}

/// What a run deleted, and what it left where it was.
fn deleted(pair: &Pair, fact: &mut impl FnMut(&str, &str)) {
    let (counts, Some(deletion)) = (&pair.counts.deleted, &pair.deletion) else {
        return;
    };
    let mut text = format!(
        "{} of {} candidates",
        human::count(counts.objects + counts.delete_markers),
        human::count(counts.candidates)
    );
    for (number, what) in [
        (counts.delete_markers, "by a delete marker"),
        (counts.withheld, "withheld"),
        (counts.changed, "changed since they were listed"),
        (counts.failed, "failed"),
        (counts.not_attempted, "not attempted"),
    ] {
        if number > 0 {
            let _ = write!(text, ", {} {what}", human::count(number));
        }
    }
    fact("deleted", &text);
    if let Some(plan) = &deletion.plan {
        fact("delete plan", plan);
    }
}

/// What a run brought over, and how it was proved.
fn moved(pair: &Pair, fact: &mut impl FnMut(&str, &str)) {
    let counts = &pair.counts;
    let moved = &counts.transferred;
    fact(
        "transferred",
        &format!(
            "{} ({} new, {} replaced, {} copied inside S3), {}",
            human::count(moved.total),
            human::count(moved.created),
            human::count(moved.updated),
            human::count(moved.server_side_copied),
            human::bytes(pair.bytes.transferred),
        ),
    );
    let proved = &counts.verified.objects;
    fact(
        "verified",
        &format!(
            "{} by at least one proof, {} by none",
            human::count(proved.verified),
            human::count(proved.not_verifiable)
        ),
    );
    fact("by ETag", &axis(&counts.verified.etag));
    let checksum = &counts.verified.checksum;
    let name = checksum
        .algorithm
        .map_or_else(|| "by checksum".to_owned(), |name| format!("by {name}"));
    fact(&name, &axis(&checksum.results));
    for because in &counts.verified.not_verifiable_by {
        fact(
            "not verifiable",
            &format!(
                "{} {}",
                because.reason.as_str(),
                human::count(because.count)
            ),
        );
    }
}

/// What a check found, by each kind of evidence.
fn compared(counts: &Compared, fact: &mut impl FnMut(&str, &str)) {
    fact(
        "compared",
        &format!(
            "{}: {} the same, {} different ({} by size), {} missing, {} unknown; {} extra",
            human::count(counts.total),
            human::count(counts.matches),
            human::count(counts.mismatch),
            human::count(counts.size_differs),
            human::count(counts.not_found),
            human::count(counts.unknown),
            human::count(counts.only_in_target)
        ),
    );
    fact("by ETag", &agreement(&counts.etag));
    let checksum = &counts.checksum;
    let name = checksum
        .algorithm
        .map_or_else(|| "by checksum".to_owned(), |name| format!("by {name}"));
    fact(&name, &agreement(&checksum.results));
    for because in &counts.unknown_by {
        let many = human::count(because.count);
        fact("unknown", &format!("{} {many}", because.reason.as_str()));
    }
}

fn agreement(counts: &AgreementCounts) -> String {
    format!(
        "{} the same, {} different, {} unknown",
        human::count(counts.matches),
        human::count(counts.mismatch),
        human::count(counts.unknown)
    )
}

/// A name and a value, which may be anybody's text.
fn fact(text: &mut String, indent: &str, name: &str, value: &str) {
    let _ = writeln!(text, "{indent}{name:<NAMES$}{}", printable(value));
}

fn end(end: &End) -> String {
    let about: Vec<&str> = [&end.region, &end.endpoint]
        .into_iter()
        .filter_map(|value| value.as_deref())
        .collect();
    if about.is_empty() {
        end.url.clone()
    } else {
        format!("{} ({})", end.url, about.join(", "))
    }
}

fn axis(counts: &AxisCounts) -> String {
    format!(
        "{} matched, {} mismatched, {} not verifiable",
        human::count(counts.matched),
        human::count(counts.mismatched),
        human::count(counts.not_verifiable)
    )
}

fn sample(sample: &Sample) -> String {
    let key = sample.key.as_deref();
    let key = key.map_or_else(String::new, |key| format!("{key}: "));
    let id = sample.request_id.as_deref();
    let id = id.map_or_else(String::new, |id| format!(" (request {id})"));
    format!("{key}{}{id}", sample.message)
}
