//! What other people write: job files, environments, command lines, places. Whatever it is, it is a
//! job or it is told what is wrong with it, and where.

use std::cell::Cell;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::*;
use crate::chance::{Blow, blows, damaged, holds, strike};
use crate::config::units::{read_duration, write_duration, write_size};

/// Pieces of TOML, of names and of values, most of them where they do not belong.
const WORDS: &[&str] = &[
    "\n",
    "=",
    ".",
    ",",
    "#",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\\",
    "\\u0000",
    "\0",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "é",
    "💥",
    "[pairs.a]\n",
    "[pairs.\"a b\"]\n",
    "[defaults]\n",
    "[[hooks]]\n",
    "[vars]\n",
    "[pairs]\n",
    "version = 1\n",
    "version = 2\n",
    "include = [\"jobs/common.toml\"]\n",
    "include = [\"x.toml\"]\n",
    "source = ",
    "target = ",
    "source.url = ",
    "${HOME}",
    "${vars.a}",
    "${",
    "$${",
    "${NOBODY:?says}",
    "${NOBODY:-x}",
    "${s3sync.pair}",
    "${s3sync.date}",
    "true",
    "0",
    "-1",
    "0x7f",
    "1_000",
    "9223372036854775807",
    "99999999999999999999",
    "1e400",
    "nan",
    "2026-01-31T23:59:59Z",
    "07:32:00",
    "[]",
    "{}",
    "{ env = \"HOME\" }",
    "{ file = \"nowhere\" }",
    "\"s3://\"",
    "\"s3://b\"",
    "\"s3://b/p/\"",
    "\"/srv\"",
    "\"1MiB\"",
    "\"90s\"",
    "\"mtime\"",
    "delete = true\n",
    "after = [\"a\"]\n",
    "(a{100}){100}",
    "((",
    "[a",
    "{a,b",
];

/// Values that an option may not like.
const VALUES: &[&str] = &[
    "true",
    "false",
    "0",
    "1",
    "-1",
    "17",
    "9223372036854775807",
    "99999999999999999999",
    "1.5",
    "nan",
    "inf",
    "\"\"",
    "\" \"",
    "\"a\"",
    "'''\na\n'''",
    "\"\\u0000\"",
    "\"\\u001b[2J\"",
    "\"${HOME}\"",
    "\"${vars.a}\"",
    "\"${NOBODY}\"",
    "\"$${x}\"",
    "[]",
    "[\"a\", \"b\"]",
    "[1]",
    "[[]]",
    "{}",
    "{ a = 1 }",
    "{ a = \"b\" }",
    "{ env = \"HOME\" }",
    "{ env = \"NOBODY\" }",
    "{ file = \"/nonexistent\" }",
    "{ env = \"HOME\", file = \"x\" }",
    "2026-01-31T23:59:59Z",
    "2026-01-31",
    "07:32:00",
    "\"s3://b\"",
    "\"s3://b/../p\"",
    "\"s3://\"",
    "\"http://x:99999\"",
    "\"http://u:p@x\"",
    "\"arn:aws:s3:us-east-1:123456789012:accesspoint/a\"",
    "\"1EiB\"",
    "\"16EiB\"",
    "\"0s\"",
    "\"100000d\"",
    "\"1.5s\"",
    "\"(\"",
    "\"[\"",
    "\"(?=a)\"",
    "\"((a{100}){100}){100}\"",
    "\"{a,b\"",
    "\"**/\"",
    "\"../..\"",
    "\"~/x\"",
    "\"a=b,c\"",
];

/// Where an option is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    Top,
    Defaults,
    First,
    Second,
    Hook,
}

/// An option, said somewhere.
#[derive(Debug, Clone)]
struct Line {
    table: Table,
    text: String,
}

fn said() -> impl Strategy<Value = Line> {
    let wild = prop::sample::select(VALUES);
    let table = prop::sample::select(vec![
        Table::Top,
        Table::Defaults,
        Table::First,
        Table::Second,
        Table::Hook,
    ]);
    let parts = (
        any::<Index>(),
        prop::option::weighted(0.15, wild),
        prop::option::weighted(0.05, table),
        any::<bool>(),
    );
    parts.prop_map(|(row, wild, table, own)| {
        let row = &OPTIONS[row.index(OPTIONS.len())];
        let value = wild.map_or_else(|| fitting(row), str::to_owned);
        let home = match row.scope {
            Scope::File | Scope::Job => Table::Top,
            Scope::Hook => Table::Hook,
            Scope::PairOnly => Table::Second,
            Scope::Pair if own => Table::First,
            Scope::Pair => Table::Defaults,
        };
        let path = row.path.strip_prefix("hooks.").unwrap_or(row.path);
        Line {
            table: table.unwrap_or(home),
            text: format!("{path} = {value}"),
        }
    })
}

/// A value of the option's kind, as TOML.
fn fitting(row: &OptionRow) -> String {
    if let Some(default) = row.default {
        return match row.kind {
            Kind::Bool | Kind::Number { .. } => default.to_owned(),
            _ if row.kind.is_list() || row.kind.is_table() => "[]".to_owned(),
            _ => format!("{default:?}"),
        };
    }
    let text = example(row.kind);
    match row.kind {
        Kind::Bool | Kind::Number { .. } | Kind::Hooks | Kind::Variables => text.to_owned(),
        Kind::Metadata | Kind::Tags => "{ team = \"photos\" }".to_owned(),
        Kind::Secret => "{ env = \"SECRET\" }".to_owned(),
        Kind::SecretKey => "{ env = \"KEY\" }".to_owned(),
        _ if row.kind.is_list() => format!("[{text:?}]"),
        _ => format!("{text:?}"),
    }
}

/// A job file by the grammar, more or less.
fn grammar() -> impl Strategy<Value = Bytes> {
    let sides = prop::sample::select(vec![
        ("/srv/photos", "s3://acme/photos/"),
        ("s3://acme/photos/", "/srv/copy"),
        ("s3://acme/a/", "s3://other/b/"),
    ]);
    let damage = prop_oneof![3 => Just(Vec::new()), 1 => blows(WORDS)];
    let parts = (
        prop::collection::vec(said(), 0..6),
        sides,
        any::<bool>(),
        damage,
    );
    parts.prop_map(
        |(mut lines, (source, target), two, damage): (Vec<Line>, _, _, Vec<Blow>)| {
            lines.sort_by_key(|line| line.table);
            let mut text = "version = 1\n".to_owned();
            for (table, head) in [
                (Table::Top, String::new()),
                (Table::Defaults, "[defaults]\n".to_owned()),
                (
                    Table::First,
                    format!("[pairs.first]\nsource.url = {source:?}\ntarget.url = {target:?}\n"),
                ),
                (
                    Table::Second,
                    "[pairs.second]\nsource.url = \"s3://x/\"\ntarget.url = \"/y\"\n".to_owned(),
                ),
                (
                    Table::Hook,
                    "[[hooks]]\nat = \"after\"\nrun = [\"/bin/true\"]\n".to_owned(),
                ),
            ] {
                let lines: Vec<_> = lines.iter().filter(|line| line.table == table).collect();
                let is_there = match table {
                    Table::Top | Table::First => true,
                    Table::Second => two || !lines.is_empty(),
                    Table::Defaults | Table::Hook => !lines.is_empty(),
                };
                if is_there {
                    text += &head;
                }
                for line in lines {
                    let _ = writeln!(text, "{}", line.text);
                }
            }
            strike(text.into_bytes(), damage)
        },
    )
}

/// The examples, and the one with every option.
fn examples() -> Vec<Vec<u8>> {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let files = fs::read_dir(jobs)
        .expect("the examples")
        .flatten()
        .map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let mut texts: Vec<Vec<u8>> = files
        .map(|path| fs::read(path).expect("an example"))
        .collect();
    texts.sort();
    texts.push(template().into_bytes());
    texts
}

const VARIABLES: [(&str, &str); 4] = [
    ("HOME", "/home/me"),
    ("SECRET", "canary"),
    ("KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
    ("BACKUP_BUCKET", "acme"),
];

fn read(bytes: &[u8]) -> Result<Settings, Problems> {
    let environment = environment(&VARIABLES).standard_input(bytes);
    read_file(Path::new("-"), &environment, &FlagValues::default())
}

/// Each error says where it is in the file, in it, and keeps to its line; warnings too where they
/// say a place.
fn are_placed(problems: &Problems, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let told = problems.to_json();
    for problem in told.as_array().expect("a list") {
        let message = problem["message"].as_str().expect("words");
        let is_shown = |c: char| c == '\t' || !c.is_control();
        assert!(
            !message.is_empty() && message.chars().all(is_shown),
            "{problem}"
        );
        let number = |name: &str| problem[name].as_u64().map(|number| number as usize);
        match (number("line"), number("column")) {
            (Some(line), Some(column)) if problem["file"] == "<stdin>" => {
                let line = lines.get(line.wrapping_sub(1));
                let length = line.expect("a line of the file").chars().count();
                assert!((1..=length + 1).contains(&column), "{problem}\n{text}");
            }
            (Some(_), Some(_)) => {}
            _ => {
                let is_of_all = problem["file"] == "<stdin>"
                    || message.ends_with("more problems are not shown")
                    || problem["severity"] == "warning";
                assert!(is_of_all, "no place: {problem}\n{text}");
            }
        }
    }
    let shown = problems.to_string();
    assert!(
        !shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
        "{shown:?}"
    );
}

/// What is held of a job file, whatever is in it. Whether it is one.
fn is_job(bytes: &[u8]) -> bool {
    let settings = match read(bytes) {
        Ok(settings) => settings,
        Err(problems) => {
            are_placed(&problems, bytes);
            return false;
        }
    };
    if let Some(problems) = settings.problems() {
        are_placed(&problems, bytes);
    }
    let explanation = settings.explain(&Question::default()).expect("everything");
    let changed = Question {
        changed: true,
        ..Question::default()
    };
    let changed = settings.explain(&changed).expect("everything");
    let toml = |explanation: &Explanation| explanation.to_toml(&TomlStyle::default());
    let texts = [toml(&explanation), toml(&changed)];
    for shown in [
        &explanation.to_text(),
        &explanation.to_json().to_string(),
        &texts[0],
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    let digest = settings.digest.clone();
    let job = match settings.into_job() {
        Ok(job) => job,
        Err(problems) => {
            are_placed(&problems, bytes);
            return false;
        }
    };
    assert_eq!(job.digest, digest);
    let again = read(bytes)
        .expect("as before")
        .into_job()
        .expect("as before");
    assert_eq!(again.digest, digest, "read twice");
    let has_literal_secrets = texts[0].contains("was said literally");
    for text in texts.iter().filter(|_| !has_literal_secrets) {
        let again = match read(text.as_bytes()).and_then(Settings::into_job) {
            Ok(job) => job,
            Err(problems) => panic!("{problems}\n{text}\nof\n{}", String::from_utf8_lossy(bytes)),
        };
        assert_eq!(
            again.digest,
            digest,
            "{text}\nof\n{}",
            String::from_utf8_lossy(bytes)
        );
        let names =
            |job: &Job| -> Vec<String> { job.pairs.iter().map(|pair| pair.name.clone()).collect() };
        assert_eq!(names(&again), names(&job));
    }
    true
}

/// What is wrong in a job file has its place in it.
/// And what `explain` says of one is that job.
#[test]
fn a_job_file_by_the_grammar_is_a_job_or_told_where_it_is_wrong() {
    let (jobs, all) = (Cell::new(0_u32), Cell::new(0_u32));
    holds(1, grammar(), |bytes| {
        all.set(all.get() + 1);
        jobs.set(jobs.get() + u32::from(is_job(&bytes)));
    });
    // of nothing but refusals the half of this would be empty
    assert!(
        jobs.get() * 5 > all.get(),
        "{} jobs of {}",
        jobs.get(),
        all.get()
    );
}

#[test]
fn an_example_that_is_damaged_is_a_job_or_told_where_it_is_wrong() {
    holds(2, damaged(examples(), WORDS), |bytes| {
        is_job(&bytes);
    });
}

#[test]
fn any_bytes_at_all_are_told_what_they_are() {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100),
        prop::collection::vec(prop::sample::select(WORDS), 0..12)
            .prop_map(|words| words.concat().into_bytes()),
    ];
    holds(1, bytes, |bytes| {
        is_job(&bytes);
    });
}

/// Names as they are set, nearly so, or not at all.
fn variable() -> impl Strategy<Value = OsString> {
    let row = any::<Index>().prop_map(|at| {
        OPTIONS[at.index(OPTIONS.len())]
            .path
            .replace('.', "__")
            .to_uppercase()
    });
    let of_pair = row.clone().prop_map(|path| format!("PAIRS__FIRST__{path}"));
    let option = prop_oneof![4 => row, 2 => of_pair];
    prop_oneof![
        6 => option.prop_map(|path| format!("S3SYNC_{path}").into_bytes()),
        1 => prop::sample::select(vec![
            "S3SYNC_", "S3SYNC___", "S3SYNC_PAIRS__", "S3SYNC_PAIRS____SOURCE", "S3SYNC_VARS__A", "S3SYNC_JOB_TOML",
            "S3SYNC_RUN_ID", "S3SYNC_SOURCE", "S3SYNC_TARGET", "S3SYNC_METADATA__USER__A", "s3sync_source", "HOME",
            "XDG_STATE_HOME", "AWS_REGION", "AWS_MAX_ATTEMPTS", "AWS_ENDPOINT_URL", "=", "",
        ]).prop_map(|name| name.as_bytes().to_vec()),
        1 => damaged(vec![b"S3SYNC_PERFORMANCE__WORKER_SIZE".to_vec()], &["__", "_", "É", "\u{0}", "="]).prop_map(|it| it.to_vec()),
    ]
    .prop_map(OsString::from_vec)
}

fn value() -> impl Strategy<Value = OsString> {
    let plain =
        prop::sample::select(VALUES).prop_map(|text| text.trim_matches('"').as_bytes().to_vec());
    let row = any::<Index>().prop_map(|at| {
        let row = &OPTIONS[at.index(OPTIONS.len())];
        row.default
            .unwrap_or_else(|| example(row.kind))
            .as_bytes()
            .to_vec()
    });
    let any_bytes = prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![4 => row, 2 => plain, 1 => any_bytes].prop_map(OsString::from_vec)
}

/// Of a variable that is wrong its name is told.
#[test]
fn an_environment_is_a_job_or_told_which_variable_is_wrong() {
    let base = prop::option::weighted(0.8, Just(()));
    holds(
        1,
        (base, prop::collection::vec((variable(), value()), 0..6)),
        |(base, mut variables)| {
            if base.is_some() {
                variables.insert(0, ("S3SYNC_SOURCE".into(), "/srv".into()));
                variables.insert(1, ("S3SYNC_TARGET".into(), "s3://b/".into()));
            }
            let environment = Environment::new(variables.clone(), "/work");
            let read = || from_environment(&environment, &FlagValues::default());
            let problems = match (read(), read()) {
                (Ok(one), Ok(two)) => return assert_eq!(one.digest, two.digest),
                (Err(one), Err(two)) => {
                    assert_eq!(one.to_string(), two.to_string());
                    one
                }
                _ => panic!("once a job and once none"),
            };
            for problem in problems.to_json().as_array().expect("a list") {
                if problem["source"] == "environment" {
                    let name = problem["name"].as_str().expect("a name");
                    let is_set = variables
                        .iter()
                        .any(|(set, _)| set.to_string_lossy() == name);
                    assert!(is_set, "{problem}");
                } else {
                    let is_other = problem["source"] == Value::Null || problem["source"] == "file";
                    assert!(is_other, "{problem}");
                }
            }
        },
    );
}

#[test]
fn an_assignment_is_a_setting_or_told_as_the_flag_it_is() {
    let path = any::<Index>().prop_map(|at| OPTIONS[at.index(OPTIONS.len())].path.to_owned());
    let text = value().prop_map(|value| value.to_string_lossy().into_owned());
    let plain = (path, text).prop_map(|(path, text)| format!("{path}={text}"));
    let torn = damaged(
        vec![b"pairs.adhoc.performance.worker_size=8".to_vec()],
        &["=", ".", "..", "\"", "\0", "é"],
    )
    .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let assignments = prop::collection::vec(prop_oneof![plain, torn], 1..4);
    holds(1, assignments, |assignments| {
        let mut flags = FlagValues::default();
        for assignment in &assignments {
            flags.set(assignment);
        }
        if let Err(problems) = adhoc("/srv", "s3://b/", &environment(&[]), &flags) {
            assert!(problems.len() > 0);
            for problem in problems.to_json().as_array().expect("a list") {
                let is_placed = problem["source"] == "flag" || problem["source"] == Value::Null;
                assert!(is_placed, "{problem}");
            }
        }
    });
}

#[test]
fn a_place_is_the_same_after_it_was_written_down() {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "s3://", "S3://", "s3:", "//", "/", "b", "acme-backup", "p/", "..", ".", "%2F", "?", "#", "@", ":", " ", "\n",
            "arn:aws:s3:us-east-1:123456789012:accesspoint/a", "arn:aws:s3-outposts:eu-west-1:1:outpost/op-1/accesspoint/a",
            "arn:aws:s3::123456789012:accesspoint/a.mrap", "arn:", "b--use1-az4--x-s3", "é", "\0", "~", "file://", "-",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let place = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    let begun = prop_oneof![place.clone().prop_map(|rest| format!("s3://{rest}")), place];
    holds(1, begun, |text| {
        let Ok(job) = adhoc(&text, "/x", &environment(&[]), &FlagValues::default()) else {
            return;
        };
        let written = match &job.pairs[0].source {
            SourceSpec::S3(source) => source.location.url(),
            SourceSpec::Local(source) => source.root.to_str().expect("it was text").to_owned(),
        };
        let again = adhoc(&written, "/x", &environment(&[]), &FlagValues::default());
        let again = again.unwrap_or_else(|problems| panic!("{text:?}: {written:?}: {problems}"));
        match (&job.pairs[0].source, &again.pairs[0].source) {
            (SourceSpec::S3(one), SourceSpec::S3(two)) => assert_eq!(one.location, two.location),
            (SourceSpec::Local(one), SourceSpec::Local(two)) => assert_eq!(one.root, two.root),
            _ => panic!("{text:?} is another kind of place as {written:?}"),
        }
    });
}

#[test]
fn sizes_and_durations_are_the_same_after_they_were_written_down() {
    holds(1, any::<u64>(), |number| {
        for bytes in [number, number >> 20 << 20, number % 5000] {
            assert_eq!(read_size(&write_size(bytes)), Some(bytes));
        }
        let millis = std::time::Duration::from_millis(number);
        assert_eq!(read_duration(&write_duration(millis)), Some(millis));
    });
    let text = "[ ]?[-+]?[0-9]{0,21}([.][0-9]{0,20})?[ ]?([KMGTPEkmgtpe]?[iI]?[Bb]?|ms|[smhd])";
    holds(1, text, |text| {
        if let Some(bytes) = read_size(&text) {
            assert_eq!(read_size(&write_size(bytes)), Some(bytes));
        }
        if let Some(duration) = read_duration(&text) {
            assert_eq!(read_duration(&write_duration(duration)), Some(duration));
        }
    });
}

/// A record of an older or a damaged run is a job or told.
#[test]
fn a_recorded_job_is_a_job_or_told() {
    let whole = job(
        "[pairs.a]\nsource = '/srv'\ntarget = 's3://b/'\nfilter.exclude = ['x']\nmetadata.user = { a = 'b' }\n",
        &environment(&[]),
        &FlagValues::default(),
    );
    let record = serde_json::to_vec(&whole.expect("a job").resolved.to_json()).expect("JSON");
    let words = &[
        "\"",
        "{",
        "}",
        "null",
        "[]",
        ",",
        ":",
        "\"job\":",
        "\"origin\":\"x\"",
        "-1",
        "1.5",
        "${HOME}",
        "a.b",
    ];
    holds(1, damaged(vec![record], words), |bytes| {
        if let Ok(record) = serde_json::from_slice::<Value>(&bytes) {
            let _ = from_record(&record, &environment(&[]), &FlagValues::default());
        }
    });
}
