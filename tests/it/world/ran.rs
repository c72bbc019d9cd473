//! What a run left: its end, its words, its report and its evidence.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use s3sync::digest::{Algorithm, digest};
use serde_json::Value;

/// A run that ended. Its books were audited: whoever has one knows that they balance.
#[derive(Debug)]
pub(crate) struct Ran {
    shown: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    /// `report.json`; null when the run left none.
    pub(crate) report: Value,
    directory: PathBuf,
}

/// A pair of a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PairSeen<'r> {
    pub(crate) report: &'r Value,
    ran: &'r Ran,
}

impl Ran {
    pub(super) fn new(
        shown: String,
        (status, stdout, stderr): (ExitStatus, String, String),
        elapsed: Duration,
        directory: PathBuf,
    ) -> Self {
        let report = match fs::read(directory.join("report.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).expect("report.json is JSON"),
            Err(_) => Value::Null,
        };
        let ran = Self {
            shown,
            status,
            stdout,
            stderr,
            elapsed,
            report,
            directory,
        };
        ran.audit();
        ran
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exit(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.told());
        self
    }

    /// Whether it ended with this exit code.
    pub(crate) fn has_ended(&self, code: i32) -> bool {
        self.status.code() == Some(code)
    }

    /// Asserts that some words were said on stdout or stderr.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(said, "`{words}` was not said by {}", self.told());
        self
    }

    /// Asserts how many objects were transferred, over all pairs.
    #[track_caller]
    pub(crate) fn transferred(&self, count: usize) -> &Self {
        let seen = &self.report["totals"]["counts"]["transferred"]["total"];
        assert_eq!(*seen, count, "transferred by {}", self.told());
        self
    }

    /// Asserts that everything transferred is proved, and that nothing was left out.
    #[track_caller]
    pub(crate) fn all_proved(&self) -> &Self {
        let counts = &self.report["totals"]["counts"];
        let expected = serde_json::json!({
            "verified": counts["transferred"]["total"], "not_verifiable": 0
        });
        assert_eq!(counts["verified"]["objects"], expected, "{}", self.told());
        for none in [
            "/failed",
            "/not_attempted",
            "/skipped/total",
            "/errors",
            "/warnings",
        ] {
            let seen = counts.pointer(none);
            assert_eq!(seen, Some(&Value::from(0)), "{none} of {}", self.told());
        }
        self
    }

    /// A pair of the report.
    #[track_caller]
    pub(crate) fn pair(&self, name: &str) -> PairSeen<'_> {
        let pairs = self.report["pairs"].as_array().into_iter().flatten();
        let report = pairs.into_iter().find(|pair| pair["name"] == name);
        let report = report.unwrap_or_else(|| panic!("no pair `{name}` of {}", self.told()));
        PairSeen { report, ran: self }
    }

    /// The run as a failed test shows it.
    pub(crate) fn told(&self) -> String {
        let mut text = format!(
            "{}\n--- {} after {:?}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.shown, self.status, self.elapsed, self.stdout, self.stderr
        );
        for pair in self.report["pairs"].as_array().into_iter().flatten() {
            for part in [
                "name",
                "status_reason",
                "counts",
                "retries",
                "errors_sample",
                "warnings_sample",
            ] {
                let _ = writeln!(text, "{part}: {}", pair[part]);
            }
        }
        text
    }

    /// Every run is held to this: the accounting identity, evidence as the report says it is, and
    /// files as their schemas say they are.
    fn audit(&self) {
        if !self.report.is_null() {
            crate::schemas::holds("report", &self.report);
        }
        // objects on their way are nowhere in the books of who was made to leave at once
        if self.report["run"]["status_reason"] == "ended by a second signal" {
            return;
        }
        for report in self.report["pairs"].as_array().into_iter().flatten() {
            PairSeen { report, ran: self }.audit();
        }
    }
}

impl PairSeen<'_> {
    /// A number of its report, by JSON pointer.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> u64 {
        let number = self.report.pointer(pointer).and_then(Value::as_u64);
        number.unwrap_or_else(|| panic!("no number at {pointer} of {}", self.ran.told()))
    }

    /// A number of its counts.
    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.number(&format!("/counts/{name}"))
    }

    /// How many of its objects were begun anew.
    pub(crate) fn begun_anew(&self) -> u64 {
        let by_code = &self.report["retries"]["by_code"];
        by_code["object"].as_u64().unwrap_or_default()
    }

    /// Its lines of evidence, without the trailer.
    pub(crate) fn evidence(&self) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["type"] != "trailer");
        lines
    }

    /// The line of a key.
    #[track_caller]
    pub(crate) fn line(&self, key: &str) -> Value {
        let mut lines = self.evidence();
        lines.retain(|line| line["key"] == key);
        let [line] = &lines[..] else {
            panic!("{} lines of `{key}` by {}", lines.len(), self.ran.told());
        };
        line.clone()
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.file()).expect("evidence is text");
        let parse = |line| serde_json::from_str(line).expect("a line of JSON");
        text.lines().map(parse).collect()
    }

    fn file(&self) -> Vec<u8> {
        let path = self.report["evidence"]["path"].as_str().expect("a path");
        fs::read(self.ran.directory.join(path)).expect("the evidence")
    }

    fn audit(&self) {
        let told = || self.ran.told();
        let parts = [
            "filtered/total",
            "unchanged",
            "transferred/total",
            "compared/total",
            "skipped/total",
            "failed",
            "not_attempted",
            "deleted/copied_markers",
        ];
        let sum: u64 = parts.iter().map(|part| self.count(part)).sum();
        assert_eq!(self.count("listed/source"), sum, "the sum of {}", told());
        assert_eq!(self.report["counts"]["reconciled"], true, "{}", told());
        let proofs =
            self.count("verified/objects/verified") + self.count("verified/objects/not_verifiable");
        let dry = self.ran.report["run"]["dry_run"] == true;
        if !dry {
            assert_eq!(self.count("transferred/total"), proofs, "{}", told());
        }
        if self.report["evidence"].is_null() {
            return;
        }
        let lines = self.lines();
        for line in &lines {
            crate::schemas::holds("evidence", line);
        }
        let (trailer, lines) = lines.split_last().expect("a trailer at least");
        let expected = serde_json::json!({
            "type": "trailer", "lines": lines.len(), "complete": true
        });
        assert_eq!(*trailer, expected, "{}", told());
        assert_eq!(self.report["evidence"]["lines"], lines.len(), "{}", told());
        let sha256 = digest(Algorithm::Sha256, &self.file()).hex();
        assert_eq!(self.report["evidence"]["sha256"], sha256, "{}", told());
        let arrived = |line: &&Value| {
            line["action"] == "transfer"
                && ["ok", "warning", "planned"]
                    .iter()
                    .any(|word| line["outcome"] == *word)
        };
        if self.report["evidence"]["level"] != "errors_only" {
            let arrived: Vec<_> = lines.iter().filter(arrived).collect();
            assert_eq!(
                arrived.len() as u64,
                self.count("transferred/total"),
                "{}",
                told()
            );
            let bytes: u64 = arrived
                .iter()
                .filter_map(|line| line["bytes"].as_u64())
                .sum();
            assert_eq!(bytes, self.number("/bytes/transferred"), "{}", told());
            for found in [
                "matches",
                "mismatch",
                "not_found",
                "unknown",
                "only_in_target",
            ] {
                let of = |line: &&Value| line["action"] == "check" && line["reason"] == found;
                let count = self.count(&format!("compared/{found}"));
                assert_eq!(lines.iter().filter(of).count() as u64, count, "{}", told());
            }
        }
    }
}

/// The directories of all runs below a report directory.
pub(super) fn runs(reports: &Path) -> BTreeSet<PathBuf> {
    let below = |directory: &Path| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let jobs = below(reports).into_iter();
    let runs = jobs.flat_map(|job| below(&job));
    runs.filter(|run| run.is_dir() && !run.is_symlink())
        .collect()
}
