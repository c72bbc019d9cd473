//! Every kind of option through every layer: the right one wins, says where it was said, and what
//! it overrode.

use super::*;

/// An option and seven values for it, lowest layer first: as they are said, and as they are shown.
struct Case {
    path: &'static str,
    /// As TOML: `[defaults]` of an included file, `[defaults]`, the pair.
    file: [&'static str; 3],
    /// As text: environment for all and for one, a flag, `--set` for one.
    text: [&'static str; 4],
    /// As JSON; `CWD` and `JOBS` are the working directory and that of the file.
    shown: [&'static str; 7],
    /// Its default, as JSON.
    default: Option<&'static str>,
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case {
        path: "verify.etag",
        file: ["false", "true", "false"],
        text: ["yes", "off", "", "1"],
        shown: ["false", "true", "false", "true", "false", "false", "true"],
        default: Some("true"),
    },
    Case {
        path: "performance.worker_size",
        file: ["1", "2", "3"],
        text: ["4", "00005", "6", "7"],
        shown: ["1", "2", "3", "4", "5", "6", "7"],
        default: Some("16"),
    },
    Case {
        path: "multipart.chunksize",
        file: ["'5MiB'", "6291456", "'7 MiB'"],
        text: ["8MiB", "9 MiB", "10M", "11.5MiB"],
        shown: [r#""5MiB""#, r#""6MiB""#, r#""7MiB""#, r#""8MiB""#, r#""9MiB""#, r#""10000000""#, r#""11776KiB""#],
        default: Some(r#""8MiB""#),
    },
    Case {
        path: "retry.initial_backoff",
        file: ["'1s'", "'2s'", "'0.5s'"],
        text: ["3s", "250ms", "5", "1h"],
        shown: [r#""1s""#, r#""2s""#, r#""500ms""#, r#""3s""#, r#""250ms""#, r#""5ms""#, r#""1h""#],
        default: Some(r#""100ms""#),
    },
    Case {
        path: "filter.mtime_after",
        file: ["2026-01-01T00:00:00Z", "'2026-01-02T00:00:00+02:00'", "2026-01-03T00:00:00.5Z"],
        text: ["2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "1950-01-07T00:00:00Z"],
        shown: [
            r#""2026-01-01T00:00:00Z""#, r#""2026-01-01T22:00:00Z""#, r#""2026-01-03T00:00:00.5Z""#,
            r#""2026-01-04T00:00:00Z""#, r#""2026-01-05T00:00:00Z""#, r#""2026-01-06T00:00:00Z""#, r#""1950-01-07T00:00:00Z""#,
        ],
        default: None,
    },
    Case {
        path: "filter.exclude_regex",
        file: ["['a', 'b']", "['a,b']", "[]"],
        text: ["a,b", "['a', 'b']", "x{1,2}", "[abc]"],
        shown: [r#"["a","b"]"#, r#"["a,b"]"#, "[]", r#"["a,b"]"#, r#"["a","b"]"#, r#"["x{1,2}"]"#, r#"["[abc]"]"#],
        default: Some("[]"),
    },
    Case {
        path: "target.storage_class",
        file: ["'STANDARD'", "'GLACIER'", "'STANDARD_IA'"],
        text: ["GLACIER_IR", "ONEZONE_IA", "STANDARD", "DEEP_ARCHIVE"],
        shown: [
            r#""STANDARD""#, r#""GLACIER""#, r#""STANDARD_IA""#, r#""GLACIER_IR""#, r#""ONEZONE_IA""#,
            r#""STANDARD""#, r#""DEEP_ARCHIVE""#,
        ],
        default: None,
    },
    Case {
        path: "target.region",
        file: ["'a'", "'00123'", "'true'"],
        text: ["1", "00123", "x=y", "g"],
        shown: [r#""a""#, r#""00123""#, r#""true""#, r#""1""#, r#""00123""#, r#""x=y""#, r#""g""#],
        default: None,
    },
    Case {
        path: "target.endpoint_url",
        file: ["'http://a'", "'http://b'", "'http://c'"],
        text: ["http://d", "https://e", "http://f", "http://g"],
        shown: [
            r#""http://a""#, r#""http://b""#, r#""http://c""#, r#""http://d""#, r#""https://e""#,
            r#""http://f""#, r#""http://g""#,
        ],
        default: None,
    },
    Case {
        path: "aws.config_file",
        file: ["'a'", "'/b'", "'./c'"],
        text: ["d", "/e", "f", "g"],
        shown: [r#""JOBS/a""#, r#""/b""#, r#""JOBS/c""#, r#""CWD/d""#, r#""/e""#, r#""CWD/f""#, r#""CWD/g""#],
        default: None,
    },
    Case {
        path: "target.access_key",
        file: ["'a'", "'b'", "{ env = 'MY_KEY' }"],
        text: ["d", "e", "f", "g"],
        shown: [
            r#""[redacted]""#, r#""[redacted]""#, r#""[redacted]""#, r#""[redacted]""#, r#""[redacted]""#,
            r#""[redacted]""#, r#""[redacted]""#,
        ],
        default: None,
    },
    Case {
        path: "metadata.user",
        file: ["{ k = 'a' }", "{ k = 'b' }", "{ k = 'c' }"],
        text: ["k=d", "k=e", "k=f", "k=g"],
        shown: [r#""a""#, r#""b""#, r#""c""#, r#""d""#, r#""e""#, r#""f""#, r#""g""#],
        default: None,
    },
];

/// Statement 53: the same option in file, env and flag → flag.
#[test]
fn each_layer_wins_exactly_when_it_should() {
    for case in CASES {
        for top in 0..7 {
            let folder = tempfile::tempdir().expect("a folder");
            let (settings, origins) = said_up_to(case, top, folder.path());
            let explanation = settings
                .explain(&Question::default())
                .expect("all")
                .to_json();
            let is_table = case.path == "metadata.user";
            let path = format!("{}{}", case.path, if is_table { ".k" } else { "" });
            let seen = &explanation["pairs"]["photos"]["settings"][path.as_str()];
            let jobs = folder.path().canonicalize().expect("a folder");
            let shown = |text: &str| {
                text.replace("JOBS", &jobs.to_string_lossy())
                    .replace("CWD", env!("CARGO_MANIFEST_DIR"))
            };
            let wanted = (0..=top)
                .rev()
                .map(|at| (shown(case.shown[at]), origins[at].clone()));
            let built_in = case
                .default
                .map(|text| (text.to_owned(), "built-in".to_owned()));
            let wanted: Vec<_> = wanted.chain(built_in).collect();
            let voice = |value: &serde_json::Value| {
                let origin = value["origin"].as_str().unwrap_or_default();
                (value["value"].to_string(), origin.to_owned())
            };
            let overrode = seen["overrode"]
                .as_array()
                .expect("a list")
                .iter()
                .map(voice);
            let chain: Vec<_> = std::iter::once(voice(seen)).chain(overrode).collect();
            assert_eq!(chain, wanted, "{} up to layer {top}", case.path);
        }
    }
}

#[test]
fn a_secret_is_the_highest_layers() {
    let case = CASES.iter().find(|case| case.path == "target.access_key");
    for (top, key) in ["a", "b", "from MY_KEY", "d", "e", "f", "g"]
        .iter()
        .enumerate()
    {
        let folder = tempfile::tempdir().expect("a folder");
        let (settings, _) = said_up_to(case.expect("the case"), top, folder.path());
        let job = settings
            .into_job()
            .unwrap_or_else(|problems| panic!("{problems}"));
        let TargetSpec::S3(target) = &job.pairs[0].target else {
            panic!("a bucket");
        };
        let keys = target.keys.as_ref().expect("keys");
        assert_eq!(keys.access_key.expose(), *key);
    }
}

#[test]
fn tables_merge_key_by_key_and_lists_replace() {
    let text = "[defaults]\nmetadata.user = { a = '1', b = '1' }\nfilter.exclude = ['a', 'b']
        [pairs.photos]\nsource = '/a'\ntarget.url = 's3://b/'\nmetadata.user.b = '2'\nfilter.exclude = ['c']\n";
    let variables = [
        ("S3SYNC_METADATA__USER__C", "3"),
        ("S3SYNC_PAIRS__PHOTOS__METADATA__USER", "d=4"),
    ];
    let mut flags = FlagValues::default();
    flags.set("metadata.user.a=5");
    let settings = settings(text, &environment(&variables), &flags);
    let shown = settings
        .explain(&Question::default())
        .expect("all")
        .to_json();
    let shown = &shown["pairs"]["photos"]["settings"];
    let user = ["a", "b", "c", "d"].map(|key| {
        let seen = &shown[format!("metadata.user.{key}")];
        format!(
            "{} {}",
            seen["value"].as_str().unwrap_or_default(),
            seen["origin"].as_str().unwrap_or_default()
        )
    });
    assert_eq!(
        user,
        [
            "5 flag --set metadata.user.a",
            "2 jobs/test.toml:7:1 pairs.photos.metadata.user.b",
            "3 env S3SYNC_METADATA__USER__C",
            "4 env S3SYNC_PAIRS__PHOTOS__METADATA__USER",
        ]
    );
    assert_eq!(shown["filter.exclude"]["value"].to_string(), r#"["c"]"#);
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

/// What is said with everything up to a layer, and what each layer is called.
fn said_up_to(case: &Case, top: usize, folder: &Path) -> (Settings, [String; 7]) {
    let path = case.path;
    let line = |at: usize| {
        let said = format!("{path} = {}\n", case.file[at]);
        if top >= at { said } else { String::new() }
    };
    // a key comes with its other half
    let other = "target.secret_access_key = 'k'\n";
    let common = format!("[defaults]\n{}{other}", line(0));
    let job = format!(
        "include = ['common.toml']\n[defaults]\n{}[pairs.photos]\n{}source = '/a'\ntarget.url = 's3://b/'\n",
        line(1),
        line(2)
    );
    for (name, text) in [("common.toml", &common), ("job.toml", &job)] {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let name = path.replace('.', "__").to_uppercase();
    let shared = format!("S3SYNC_{name}");
    let own = format!("S3SYNC_PAIRS__PHOTOS__{name}");
    let mut variables = vec![("MY_KEY", "from MY_KEY")];
    variables.extend((top >= 3).then_some((shared.as_str(), case.text[0])));
    variables.extend((top >= 4).then_some((own.as_str(), case.text[1])));
    let row = options::find(path).expect("a row");
    let flag = row.flags.first().expect("a flag");
    let mut flags = FlagValues::default();
    if top >= 5 {
        flags.say(row, flag, case.text[2]);
    }
    if top >= 6 {
        flags.set(format!("pairs.photos.{path}={}", case.text[3]));
    }
    let environment = environment(&variables);
    let file = folder.join("job.toml");
    let settings =
        read_file(&file, &environment, &flags).unwrap_or_else(|problems| panic!("{problems}"));
    let in_pair = 4 + usize::from(top >= 1);
    let shown = folder.display();
    // each key of a table stands somewhere itself
    let (key, column) = if row.kind.is_table() {
        (".k", path.len() + 6)
    } else {
        ("", 1)
    };
    let origins = [
        format!("{shown}/common.toml:2:{column} defaults.{path}{key}"),
        format!("{shown}/job.toml:3:{column} defaults.{path}{key}"),
        format!("{shown}/job.toml:{in_pair}:{column} pairs.photos.{path}{key}"),
        format!("env {shared}"),
        format!("env {own}"),
        format!("flag --{}", flag.name()),
        format!("flag --set pairs.photos.{path}"),
    ];
    (settings, origins)
}
