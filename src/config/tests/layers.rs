//! Every kind of option through every layer: the right one wins, and is named.

use super::*;

/// An option, and seven values for it, lowest layer first, as they are said and as
/// `resolved.json` shows them.
struct Case {
    path: &'static str,
    /// As TOML.
    file: [&'static str; 2],
    /// As text: environment for all and for one, flags for all and for one.
    text: [&'static str; 4],
    shown: [&'static str; 6],
}

const CASES: &[Case] = &[
    Case {
        path: "performance.worker_size",
        file: ["1", "2"],
        text: ["3", "4", "5", "6"],
        shown: ["1", "2", "3", "4", "5", "6"],
    },
    Case {
        path: "multipart.chunksize",
        file: ["'5MiB'", "6291456"],
        text: ["7MiB", "8MiB", "9 MiB", "10M"],
        shown: [
            "\"5MiB\"",
            "\"6MiB\"",
            "\"7MiB\"",
            "\"8MiB\"",
            "\"9MiB\"",
            "\"10000000\"",
        ],
    },
    Case {
        path: "retry.initial_backoff",
        file: ["'1s'", "'2s'"],
        text: ["3s", "250ms", "5m", "1h"],
        shown: [
            "\"1s\"",
            "\"2s\"",
            "\"3s\"",
            "\"250ms\"",
            "\"5m\"",
            "\"1h\"",
        ],
    },
    Case {
        path: "verify.etag",
        file: ["false", "true"],
        text: ["0", "yes", "off", "ON"],
        shown: ["false", "true", "false", "true", "false", "true"],
    },
    Case {
        path: "target.region",
        file: ["'a'", "'b'"],
        text: ["c", "00123", "true", "f"],
        shown: ["\"a\"", "\"b\"", "\"c\"", "\"00123\"", "\"true\"", "\"f\""],
    },
    Case {
        path: "verify.unverifiable",
        file: ["'fail'", "'accept'"],
        text: ["warn", "fail", "accept", "warn"],
        shown: [
            "\"fail\"",
            "\"accept\"",
            "\"warn\"",
            "\"fail\"",
            "\"accept\"",
            "\"warn\"",
        ],
    },
    Case {
        path: "aws.config_file",
        file: ["'a'", "'../b'"],
        text: ["c", "/d", "../e", "f"],
        shown: [
            "\"/srv/jobs/a\"",
            "\"/srv/b\"",
            "\"CWD/c\"",
            "\"/d\"",
            "\"UP/e\"",
            "\"CWD/f\"",
        ],
    },
    Case {
        path: "target.access_key",
        file: ["'a'", "'b'"],
        text: ["c", "d", "e", "f"],
        shown: ["\"[redacted]\""; 6],
    },
    Case {
        path: "target.endpoint_url",
        file: ["'http://a'", "'http://b'"],
        text: ["http://c", "https://d", "http://e", "http://f"],
        shown: [
            "\"http://a\"",
            "\"http://b\"",
            "\"http://c\"",
            "\"https://d\"",
            "\"http://e\"",
            "\"http://f\"",
        ],
    },
];

#[test]
fn the_source_decides_first_and_the_scope_second() {
    for case in CASES {
        for top in 0..6 {
            let (job, origin) = job_up_to(case, top);
            let shown = &job.resolved["pairs"]["photos"]["settings"][case.path];
            let cwd = env!("CARGO_MANIFEST_DIR");
            let up = Path::new(cwd)
                .parent()
                .and_then(Path::to_str)
                .expect("a parent");
            let wanted = case.shown[top].replace("CWD", cwd).replace("UP", up);
            assert_eq!(
                shown["value"].to_string(),
                wanted,
                "{} up to layer {top}",
                case.path
            );
            let seen = shown["origin"].as_str().expect("an origin");
            assert!(
                seen.contains(&origin),
                "{}: {seen} and not {origin}",
                case.path
            );
        }
    }
}

#[test]
fn secrets_and_settings_arrive_where_they_are_used() {
    let (job, _) = job_up_to(&CASES[7], 4);
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    let keys = target.keys.as_ref().expect("keys");
    assert_eq!(keys.access_key.expose(), "e");
    let (job, _) = job_up_to(&CASES[2], 3);
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    assert_eq!(target.retry.initial_backoff.as_millis(), 250);
}

#[test]
fn the_whole_job_is_layered_too() {
    let text = "[report]\ndir = 'a'\n[pairs.photos]\nsource = '/a'\ntarget = 's3://b/'\n";
    let variables = [("S3SYNC_REPORT__DIR", "/b")];
    let mut flags = FlagValues::default();
    let of = |variables: &[(&str, &str)], flags: &FlagValues| {
        job(text, &environment(variables), flags)
            .expect("a job")
            .report
            .dir
    };
    assert_eq!(of(&[], &flags), Path::new("/srv/jobs/a"));
    assert_eq!(of(&variables, &flags), Path::new("/b"));
    flags.set("report.dir=/c");
    assert_eq!(of(&variables, &flags), Path::new("/c"));
}

#[test]
fn the_sdks_attempts_are_below_every_layer_of_ours() {
    let text = "[pairs.photos]\nsource = '/a'\ntarget = 's3://b/'\n";
    let attempts = |text: &str| {
        let job = job(
            text,
            &environment(&[("AWS_MAX_ATTEMPTS", "3")]),
            &FlagValues::default(),
        );
        let job = job.expect("a job");
        match &job.pairs[0].target {
            TargetSpec::S3(target) => target.retry.attempts,
            TargetSpec::Local(_) => 0,
        }
    };
    assert_eq!(attempts(text), 3);
    assert_eq!(attempts(&format!("{text}retry.aws_max_attempts = 4\n")), 4);
}

/// The job with everything up to a layer said, and the origin its value should have.
fn job_up_to(case: &Case, top: usize) -> (Job, String) {
    use std::fmt::Write as _;
    let path = case.path;
    let mut text = String::new();
    // keys come in twos, and a table that is said in two places is said once
    let other = "target.secret_access_key";
    writeln!(
        text,
        "[defaults]\n{path} = {}\n{other} = 'k'\ntarget.access_key = 'k'",
        case.file[0]
    )
    .expect("a string");
    if path == "target.access_key" {
        text = format!("[defaults]\n{path} = {}\n{other} = 'k'\n", case.file[0]);
    }
    writeln!(
        text,
        "[pairs.photos]\nsource = '/a'\ntarget.url = 's3://b/'"
    )
    .expect("a string");
    if top >= 1 {
        writeln!(text, "{path} = {}", case.file[1]).expect("a string");
    }
    let name = path.replace('.', "__").to_uppercase();
    let shared = format!("S3SYNC_{name}");
    let own = format!("S3SYNC_PAIRS__PHOTOS__{name}");
    let mut variables = Vec::new();
    if top >= 2 {
        variables.push((shared.as_str(), case.text[0]));
    }
    if top >= 3 {
        variables.push((own.as_str(), case.text[1]));
    }
    let mut flags = FlagValues::default();
    let row = OPTIONS.iter().find(|row| row.path == path).expect("a row");
    let flag = row.flags.iter().find(|flag| matches!(flag, Flag::Value(_)));
    if top >= 4 {
        match flag {
            Some(flag) => flags.say(row, flag, case.text[2]),
            None => flags.set(format!("{path}={}", case.text[2])),
        }
    }
    if top >= 5 {
        flags.set(format!("pairs.photos.{path}={}", case.text[3]));
    }
    let flag = flag.map_or(format!("flag --set {path}"), |flag| {
        format!("flag --{}", flag.name())
    });
    let origin = [
        format!("jobs/test.toml:2:{} defaults.{path}", path.len() + 4),
        format!(" pairs.photos.{path}"),
        format!("env {shared}"),
        format!("env {own}"),
        flag,
        format!("flag --set pairs.photos.{path}"),
    ];
    let job = job(&text, &environment(&variables), &flags)
        .unwrap_or_else(|problems| panic!("{problems}"));
    (job, origin[top].clone())
}
