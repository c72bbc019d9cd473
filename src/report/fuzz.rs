//! Reports and evidence that were torn, grew old, or were written by somebody else: they are told
//! as what they are, and harm neither the program nor the terminal.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::schema::EvidenceFile;
use super::table::tests::{counts, pair, report};
use super::*;
use crate::chance::{damaged, holds};
use crate::config::ReportLevel;
use crate::digest::{Algorithm, digest};
use crate::object::Timestamp;

const ID: &str = "0198f3b2-b0e3-7202-8bab-b75105596c47";

/// A report in which nothing is absent.
fn whole() -> Value {
    let pairs = ["one", "two"].map(|name| pair(name, Status::Warning, &counts(9, 3, 2, 1)));
    let mut whole = serde_json::to_value(report(pairs.to_vec())).expect("JSON");
    let sample = json!({ "key": "a/b", "reason": "etag_mismatch", "message": "no" });
    for pair in whole["pairs"].as_array_mut().expect("a list") {
        pair["evidence"] = json!({
            "path": "pairs/one.evidence.ndjson", "level": "all", "lines": 9, "sha256": "00"
        });
        pair["status_reason"] = "why".into();
        pair["warnings_sample"] = json!([sample]);
        pair["errors_sample"] = json!([sample]);
    }
    whole
}

/// What stands where something else should.
fn hostile() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec![
            json!(0), json!(1), json!(u64::MAX), json!(u64::MAX - 1), json!(i64::MIN), json!(-1),
            json!(1e308), json!(0.5), json!("18446744073709551615"),
        ]),
        3 => prop::sample::select(vec![
            "", "\u{1b}[2J", "a\nb", "\u{202e}", "/etc/passwd", "../../x", "é💥", "2026-02-30T00:00:00Z",
            "-9999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "check", "running", "success", "x".repeat(300).leak(),
        ]).prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!([]), json!({}), json!(true), json!([[]])]),
    ]
}

/// Puts a value where one of the leaves was.
fn replace(value: &mut Value, leaf: Index, with: &Value) {
    fn leaves<'v>(value: &'v mut Value, found: &mut Vec<&'v mut Value>) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| leaves(value, found)),
            Value::Object(values) => values.values_mut().for_each(|value| leaves(value, found)),
            leaf => found.push(leaf),
        }
    }
    let mut found = Vec::new();
    leaves(value, &mut found);
    if !found.is_empty() {
        let at = leaf.index(found.len());
        *found.swap_remove(at) = with.clone();
    }
}

/// No terminal does anything but show it.
fn is_harmless(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\n')
}

fn past(directory: &Path) -> PastRun {
    PastRun {
        id: ID.to_owned(),
        job: "nightly".to_owned(),
        directory: directory.to_owned(),
    }
}

#[test]
fn a_report_of_any_words_and_numbers_is_shown_without_harm() {
    let blows = prop::collection::vec((any::<Index>(), hostile()), 0..6);
    let dir = tempfile::tempdir().expect("a directory");
    let times = (any::<i32>(), blows);
    holds(1, times, |(now, blows)| {
        let mut value = whole();
        for (leaf, with) in &blows {
            replace(&mut value, *leaf, with);
        }
        let now = Timestamp::new(i64::from(now), 0);
        fs::write(dir.path().join("report.json"), value.to_string()).expect("written");
        let listed = Listed::of(past(dir.path()));
        let text = list(std::slice::from_ref(&listed), now);
        assert!(is_harmless(&text), "{text:?}");
        drop(listed.to_json(now));
        let Ok(mut record) = serde_json::from_value::<schema::Report>(value) else {
            return;
        };
        for command in ["run", "check"] {
            command.clone_into(&mut record.run.command);
            let text = show(&record, "reports/r/report.json", false);
            assert!(is_harmless(&text), "{text:?}");
        }
    });
}

#[test]
fn a_report_that_is_torn_is_listed_as_broken_or_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let bytes = serde_json::to_vec_pretty(&whole()).expect("JSON");
    let words = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\u0000",
        "\\ud800",
        "1e999",
        "null",
        "99999999999999999999",
    ];
    holds(1, damaged(vec![bytes], words), |bytes| {
        fs::write(dir.path().join("report.json"), bytes).expect("written");
        let listed = Listed::of(past(dir.path()));
        let now = Timestamp::new(0, 0);
        let told = listed.to_json(now);
        assert!(
            ["read", "broken"]
                .iter()
                .any(|word| told["report"] == *word),
            "{told}"
        );
        let text = list(&[listed], now);
        assert!(is_harmless(&text), "{text:?}");
    });
}

fn evidence() -> Vec<u8> {
    let line = |seq: u64, key: &str| {
        json!({
            "type": "object", "pair": "one", "seq": seq, "action": "transfer", "outcome": "ok",
            "reason": "created", "key": key,
            "source": { "key": key, "version_id": null, "size": 7, "etag": "\"x\"", "checksum": {} },
            "target": null, "verify": null, "parts": null, "error": null,
        })
    };
    let lines = [
        line(1, "a"),
        line(2, "b/\u{3000}"),
        line(3, "a"),
        json!({ "type": "trailer", "lines": 3, "complete": true }),
    ];
    lines
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}

/// What is done to a file of evidence is found, whatever it is; and what is not done is not.
#[test]
fn evidence_is_found_whole_only_where_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let written = evidence();
    let sha256 = Some(digest(Algorithm::Sha256, &written).hex());
    let words = &[
        "\n",
        "{",
        "}",
        "{\"type\":\"trailer\",\"lines\":18446744073709551615,\"complete\":true}\n",
        "\"seq\":18446744073709551615",
        "null",
        "[]",
        "\"",
        "\\u001b[2J",
        "\u{0}",
        "\u{feff}",
    ];
    let expected = (any::<u64>(), prop::bool::weighted(0.8));
    holds(
        1,
        (damaged(vec![written.clone()], words), expected),
        |(bytes, (lines, is_right))| {
            fs::write(dir.path().join("e"), &bytes).expect("written");
            let file = EvidenceFile {
                path: "e".to_owned(),
                level: ReportLevel::All,
                lines: if is_right { 3 } else { lines },
                sha256: sha256.clone(),
            };
            let audit = audit_evidence(dir.path(), "one", &file);
            let is_whole = bytes == written && file.lines == 3;
            assert_eq!(audit.faults.is_empty(), is_whole, "{:?}", audit.faults);
            let mut reader = EvidenceReader::open(&dir.path().join("e")).expect("it is there");
            let mut before = 0;
            while let Some((number, line)) = reader.next_line().expect("readable") {
                assert_eq!(number, before + 1);
                before = number;
                if let ReadLine::Claim(claim) = line {
                    let text = object_line(&claim);
                    assert!(is_harmless(&text) && text.ends_with('\n'), "{text:?}");
                }
            }
        },
    );
}

/// No file but those of the run is taken for its evidence.
#[test]
fn evidence_is_looked_for_in_its_run_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = dir.path().join("job/run");
    fs::create_dir_all(&run).expect("a directory");
    fs::write(dir.path().join("job/e"), evidence()).expect("written");
    let piece = prop::sample::select(vec![
        "..",
        ".",
        "/",
        "//",
        "e",
        "job",
        "run",
        "x",
        "/etc/passwd",
        "\0",
        "",
    ]);
    let path = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join("/"));
    holds(1, path, |path| {
        let file = EvidenceFile {
            path,
            level: ReportLevel::All,
            lines: 3,
            sha256: None,
        };
        let audit = audit_evidence(&run, "one", &file);
        assert!(!audit.faults.is_empty());
        assert_eq!(audit.lines, 0, "{}", file.path);
    });
}

#[test]
fn a_word_names_one_run_or_none() {
    let dir = tempfile::tempdir().expect("a directory");
    for (job, id) in [
        ("nightly", ID),
        ("other", "0198f3b2-b0e3-7202-8bab-b75105596c48"),
    ] {
        fs::create_dir_all(dir.path().join(job).join(id)).expect("a directory");
    }
    let archive = Archive::at(dir.path());
    let piece = prop_oneof![
        prop::sample::select(vec![
            "latest",
            "nightly",
            "other",
            "/",
            "..",
            "0198f3b2-b0e3-7202-8bab-b75105596c4",
            "7",
            "8",
            "0198F",
            ID,
            "\0",
            "é",
            "",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    let word = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    holds(1, word, |word| match archive.find(&word) {
        Ok(run) => assert!(run.directory.is_dir()),
        Err(why) => assert!(!why.to_string().is_empty()),
    });
}
