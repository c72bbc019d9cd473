//! The JSON Schemas: that the files are the code's, that every real run keeps to them, and that
//! they let nothing else through.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use rustix::process::Signal;
use s3sync::config::{self, Environment, FlagValues};
use s3sync::sandbox::{Action, Rule, When};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{NEVER, Ran, Run, World, until};

const MIB: usize = 1 << 20;

/// What the program prints under each name.
static SCHEMAS: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
    BTreeMap::from([
        ("job", config::job_schema()),
        ("report", s3sync::report::report_schema()),
        ("evidence", s3sync::report::evidence_schema()),
        ("deletions", s3sync::report::deletions_schema()),
        ("history", s3sync::report::history_schema()),
    ])
});

static VALIDATORS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let compile = |schema| jsonschema::draft7::new(schema).expect("a schema of draft 7");
    let each = SCHEMAS.iter();
    each.map(|(name, schema)| (*name, compile(schema)))
        .collect()
});

/// Asserts that a document is as its schema says.
#[track_caller]
pub(crate) fn holds(name: &str, document: &Value) {
    let complaints = complaints(name, document);
    assert!(complaints.is_empty(), "{name}: {complaints:#?}\n{document}");
}

/// Asserts that a job file is as its schema says.
#[track_caller]
pub(crate) fn holds_of_job(text: &str) {
    holds("job", &job(text));
}

/// What a schema has against a document, each with where.
fn complaints(name: &str, document: &Value) -> Vec<String> {
    let errors = VALIDATORS[name].iter_errors(document);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

fn file(name: &str) -> PathBuf {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    schemas.join(format!("{name}.v1.schema.json"))
}

fn printed(name: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_s3sync"))
        .args(["schema", name])
        .output()
        .expect("the built binary");
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_files_are_what_the_program_prints() {
    for (name, schema) in &*SCHEMAS {
        let text = printed(name);
        let parsed: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(parsed, *schema, "{name}");
        if std::env::var_os("S3SYNC_TEST_BLESS").is_some() {
            fs::write(file(name), &text).expect("schemas/ is there");
        }
        let file = fs::read_to_string(file(name)).unwrap_or_default();
        assert!(
            file == text,
            "schemas/ does not have what `s3sync schema {name}` prints; S3SYNC_TEST_BLESS=1 rewrites it"
        );
    }
}

#[test]
fn only_schemas_that_there_are_can_be_asked_for() {
    for (arguments, words) in [(&["schema", "jobs"][..], "job"), (&["schema"], "<NAME>")] {
        let world = World::new();
        world.command(arguments).run().exit(2).says(words);
    }
}

#[test]
fn every_schema_is_one_with_a_name_and_words_for_people() {
    for (name, schema) in &*SCHEMAS {
        jsonschema::draft7::meta::validate(schema)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema["$id"], format!("urn:s3sync:schema:{name}:v1"));
        let title = schema["title"].as_str().expect("a title");
        assert!(title.ends_with("version 1"), "{title}");
        every_description(schema, &mut |text| {
            assert!(!text.contains("[`") && !text.contains('\n'), "{text:?}");
        });
    }
}

fn every_description(schema: &Value, check: &mut impl FnMut(&str)) {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        check(text);
    }
    let inside: Vec<&Value> = match schema {
        Value::Object(keys) => keys.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    for inner in inside {
        every_description(inner, check);
    }
}

/// Files small and large, up, across, copied by S3, and down again.
fn everywhere(world: &World) -> Run<'_> {
    world
        .job()
        .set("checksum.algorithm", "\"CRC64NVME\"")
        .set("checksum.download", "true")
        .pair("up", "tree", "s3://first/p/")
        .pair("across", "s3://first/p/", "s3://second/")
        .set("after", "[\"up\"]")
        .pair("copied", "s3://first/p/", "s3://second/copied/")
        .set("after", "[\"across\"]")
        .set("server_side_copy", "true")
        .pair("down", "s3://first/p/", "down")
        .set("after", "[\"up\"]")
}

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world
        .tree("tree")
        .file("small", 10)
        .file("empty", 0)
        .file("large", 9 * MIB)
        .file("ü/%/\u{1f600} x", 10);
    world
}

/// The words that stand at a pointer of any line of evidence of a run.
fn words(ran: &Ran, pairs: &[&str], pointer: &str) -> BTreeSet<String> {
    let lines = pairs.iter().flat_map(|pair| ran.pair(pair).evidence());
    lines
        .filter_map(|line| line.pointer(pointer)?.as_str().map(str::to_owned))
        .collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

// Every run of every test is held to the schemas when it has ended (`Ran`); the tests below see to
// it that each kind of run is among them.

#[test]
fn successes_dry_runs_and_runs_with_nothing_to_do_keep_to_the_schemas() {
    let world = world();
    let pairs = ["up", "across", "copied", "down"];
    let all = ["--set", "report.level=all"];
    let ran = everywhere(&world).arguments(&["--dry-run"]).run();
    assert_eq!(words(&ran, &["up"], "/outcome"), set(&["planned"]));
    let ran = everywhere(&world).arguments(&all).run();
    ran.exit(0).all_proved();
    assert!(
        words(&ran, &pairs, "/verify/checksum/method").contains("full_object"),
        "{}",
        ran.told()
    );
    let ran = everywhere(&world).arguments(&all).run();
    ran.exit(0).transferred(0);
    assert_eq!(words(&ran, &pairs, "/reason"), set(&["unchanged"]));
    let errors_only = ["--set", "report.level=errors_only"];
    everywhere(&world).arguments(&errors_only).run().exit(0);

    let history = fs::read_to_string(world.path("reports/job/history.ndjson"));
    let history = history.expect("a history");
    assert_eq!(history.lines().count(), 4);
    for line in history.lines() {
        holds("history", &serde_json::from_str(line).expect("JSON"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn warnings_and_names_that_are_not_text_keep_to_the_schemas() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let world = world();
    let tree = world.tree("tree");
    tree.write(OsStr::from_bytes(b"caf\xe9"), b"latin-1");
    let made = Command::new("mkfifo").arg(tree.join("fifo")).status();
    assert!(made.expect("mkfifo").success());
    world.put("first", "dir/", b"");
    world.put("first", "a", b"1");
    world.put("first", "a/b", b"2");
    world.put("first", "../up", b"3");
    let ran = world
        .job()
        .pair("up", "tree", "s3://second/")
        .pair("down", "s3://first/", "down")
        .run();
    ran.exit(3);
    assert_eq!(ran.pair("up").line("caf%E9")["key_encoding"], "percent");
    let reasons = words(&ran, &["up", "down"], "/reason");
    for reason in [
        "special_file",
        "not_utf8_name",
        "unsafe_key",
        "shadowed_key",
    ] {
        assert!(reasons.contains(reason), "{reason}: {reasons:?}");
    }
}

#[test]
fn failures_keep_to_the_schemas() {
    let world = world();
    let refused = Rule::new(Action::Refuse {
        status: 400,
        code: "BadRequest".to_owned(),
        retry_after: None,
    });
    world
        .faults()
        .add(refused.operation("PutObject").key("p/small"));
    world
        .faults()
        .add(Rule::slow_down().operation("UploadPart").when(When::Nth(1)));
    let ran = everywhere(&world).run();
    ran.exit(1);
    assert_eq!(ran.pair("up").line("small")["outcome"], "failed");
    // a pair that does not begin at all
    let ran = world.job().pair("nowhere", "s3://no-bucket/", "down").run();
    ran.exit(1);
    assert_eq!(ran.pair("nowhere").report["status"], "failed");
}

#[test]
fn a_run_under_way_and_one_that_is_interrupted_keep_to_the_schemas() {
    let world = world();
    let late = Rule::new(Action::Delay(NEVER));
    world
        .faults()
        .add(late.operation("UploadPart").when(When::Nth(1)));
    let running = everywhere(&world)
        .arguments(&["--set", "report.level=all"])
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 1
    });
    let runs = fs::read_dir(world.path("reports/job")).expect("the job's directory");
    let mut reports = runs.map(|run| run.expect("an entry").path().join("report.json"));
    let report = reports.find(|path| path.exists()).expect("a report");
    let report = fs::read(report).expect("a report from the first second");
    let report: Value = serde_json::from_slice(&report).expect("never half a report");
    assert_eq!(report["run"]["status"], "running");
    holds("report", &report);
    running.signal(Signal::INT);
    let ran = running.wait();
    ran.exit(130);
    assert_eq!(ran.report["run"]["interrupted_by"], "SIGINT");
    assert_eq!(ran.pair("down").report["status"], "interrupted");
}

#[test]
fn what_the_program_never_writes_is_refused() {
    let world = world();
    let ran = everywhere(&world).run();
    let no_word = || json!("made_up");
    for (pointer, value) in [
        ("/run/status", no_word()),
        ("/run/trigger", no_word()),
        ("/run/exit_code", json!(7)),
        ("/run/interrupted_by", json!("SIGKILL")),
        ("/run/started_at", json!("yesterday")),
        ("/run/finished_at", json!("2026-01-01T00:00:00+01:00")),
        ("/run/duration_ms", json!(-1)),
        ("/run/heartbeat_at", Value::Null),
        ("/schema_version", json!(2)),
        ("/pairs/0/status", no_word()),
        ("/pairs/0/source/kind", no_word()),
        ("/pairs/0/evidence/level", no_word()),
        ("/pairs/0/evidence/sha256", no_word()),
        (
            "/pairs/0/counts/skipped/by",
            json!([{"reason": "made_up", "count": 1}]),
        ),
        (
            "/pairs/0/counts/verified/not_verifiable_by",
            json!([{"reason": "made_up", "count": 1}]),
        ),
        (
            "/pairs/0/counts/verified/checksum/algorithm",
            json!("CRC128"),
        ),
        ("/totals/requests/by_status", json!({"OK": 1})),
    ] {
        changed("report", &ran.report, pointer, &value);
    }
    for pointer in [
        "",
        "/run",
        "/pairs/0",
        "/pairs/0/counts",
        "/pairs/0/counts/verified/checksum",
        "/totals",
    ] {
        with_a_key("report", &ran.report, pointer);
    }
    let line = ran.pair("up").line("small");
    for (pointer, value) in [
        ("/v", json!(2)),
        ("/type", json!("trailer")),
        ("/action", no_word()),
        ("/outcome", no_word()),
        ("/reason", no_word()),
        ("/verify/etag/result", no_word()),
        ("/verify/etag/method", no_word()),
        ("/verify/etag/why", no_word()),
        ("/key_encoding", no_word()),
        ("/source/checksum", json!({"CRC128": "x"})),
        ("/seq", json!(0)),
        ("/key", Value::Null),
    ] {
        changed("evidence", &line, pointer, &value);
    }
    for pointer in ["", "/source", "/verify", "/verify/etag"] {
        with_a_key("evidence", &line, pointer);
    }
    let trailer = json!({"type": "trailer", "lines": 3, "complete": true});
    holds("evidence", &trailer);
    changed("evidence", &trailer, "/complete", &json!(false));
    with_a_key("evidence", &trailer, "");
}

/// A document that holds does no longer with another value somewhere, or without one there.
#[track_caller]
fn changed(name: &str, document: &Value, pointer: &str, value: &Value) {
    holds(name, document);
    case(format_args!("{name} {pointer} = {value}"));
    let mut wrong = document.clone();
    let (outer, key) = pointer.rsplit_once('/').expect("a pointer");
    wrong.pointer_mut(outer).expect(outer)[key] = value.clone();
    assert!(!complaints(name, &wrong).is_empty());
    // what may be left out altogether
    if matches!(key, "why" | "key_encoding") {
        return;
    }
    let outer = wrong.pointer_mut(outer).and_then(Value::as_object_mut);
    outer.expect("an object").remove(key);
    assert!(!complaints(name, &wrong).is_empty(), "without it");
}

/// A document that holds does no longer with a key more somewhere.
#[track_caller]
fn with_a_key(name: &str, document: &Value, pointer: &str) {
    holds(name, document);
    case(format_args!("{name} {pointer} with a key"));
    let mut wrong = document.clone();
    wrong.pointer_mut(pointer).expect(pointer)["made_up"] = json!(1);
    assert!(!complaints(name, &wrong).is_empty());
}

#[test]
fn every_job_file_of_the_repository_is_one() {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let paths = fs::read_dir(jobs).expect("jobs/");
    let paths = paths.map(|entry| entry.expect("an entry").path());
    let files: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    assert!(!files.is_empty());
    for path in files {
        case(format_args!("{}", path.display()));
        holds_of_job(&fs::read_to_string(path).expect("a job file"));
    }
}

fn job(text: &str) -> Value {
    let table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    as_json(toml::Value::Table(table))
}

/// TOML as tools show it to a JSON Schema: its times as text.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(keys) => {
            let each = keys.into_iter();
            each.map(|(key, value)| (key, as_json(value))).collect()
        }
        other => serde_json::to_value(other).expect("JSON has these too"),
    }
}

/// Whether the program takes a job file, or what it says against it.
fn loads(text: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("job.toml");
    fs::write(&path, text).expect("a job file");
    let environment = Environment::new([], directory.path().to_owned());
    config::load_file(&path, &environment, &FlagValues::default())
        .map(drop)
        .map_err(|problems| problems.to_string())
}

#[test]
fn a_job_file_is_what_the_options_say() {
    for text in [
        "",
        "version = 1\nreport.level = 'all'",
        "pairs.x.source = 's3://b/p'\npairs.x.target.url = '../y'",
        "pairs.x = { source = { url = 'a', region = 'eu-west-1' }, target = 's3://b' }",
        "pairs.x_2.after = ['a', 'b_c']",
        "defaults.delete = true",
        "defaults.delete = { enabled = true, max_percent = 10 }",
        "defaults.multipart.chunksize = '8 MiB'\ndefaults.multipart.threshold = 9000000",
        "defaults.timeout = { connect = '1.5s', read = '${READ:-60s}' }",
        "defaults.check.mode = '${MODE}'",
        "defaults.source.secret_access_key = { env = 'KEY' }",
        "defaults.source.secret_access_key = { file = '/run/secrets/key' }",
        "defaults.target.endpoint_url = 'http://127.0.0.1:9000'",
        "defaults.source.url = '${ANY}://x'",
        "include = ['common.toml']\nvars.bucket = 'b'",
        "defaults.filter.exclude_regex = ['\\.tmp$']",
        "defaults.filter.mtime_after = '2026-01-31T00:00:00Z'",
        "defaults.filter.mtime_after = 2026-01-31 00:00:00.5+02:00",
        "defaults.metadata.user = { a = 'b' }",
        "[[hooks]]\nat = 'after'\non = ['failed']\nrun = ['notify', 'x']\ntimeout = '1m'",
    ] {
        case(format_args!("{text}"));
        holds_of_job(text);
    }
    let whole = "pairs.whole.source = 'a'\npairs.whole.target = 's3://b'\n";
    assert_eq!(loads(whole), Ok(()));
    for (text, place) in [
        ("verison = 1", ""),
        ("version = 2", "/version"),
        ("report.levle = 'all'", "/report"),
        ("report.level = 'everything'", "/report/level"),
        ("pairs.x.sorce = 'a'", "/pairs/x"),
        ("pairs.x.source.ur = 'a'", "/pairs/x/source"),
        ("pairs.x.source = 1", "/pairs/x/source"),
        ("pairs.x.source = 'http://b'", "/pairs/x/source"),
        ("pairs.x.delete = 'yes'", "/pairs/x/delete"),
        (
            "pairs.x.delete.max_percent = 101",
            "/pairs/x/delete/max_percent",
        ),
        ("pairs.x.after = 'a'", "/pairs/x/after"),
        ("pairs.x.after = ['A']", "/pairs/x/after/0"),
        ("pairs.X.source = 'a'", "/pairs"),
        ("pairs.a__b.source = 'a'", "/pairs"),
        ("defaults.after = ['x']", "/defaults"),
        ("defaults.job.name = 'x'", "/defaults"),
        ("pairs.x.report.dir = 'x'", "/pairs/x"),
        ("performance.worker_size = 1", ""),
        (
            "defaults.performance.worker_size = 0",
            "/defaults/performance/worker_size",
        ),
        (
            "defaults.performance.worker_size = '8'",
            "/defaults/performance/worker_size",
        ),
        (
            "defaults.multipart.chunksize = 1",
            "/defaults/multipart/chunksize",
        ),
        (
            "defaults.multipart.chunksize = '8 megs'",
            "/defaults/multipart/chunksize",
        ),
        ("defaults.timeout.read = '60'", "/defaults/timeout/read"),
        ("defaults.timeout.read = 60", "/defaults/timeout/read"),
        ("defaults.verify.etag = 'no'", "/defaults/verify/etag"),
        ("defaults.source.region = ''", "/defaults/source/region"),
        (
            "defaults.source.access_key = { path = 'x' }",
            "/defaults/source/access_key",
        ),
        (
            "defaults.source.access_key = { env = 'A', file = 'b' }",
            "/defaults/source/access_key",
        ),
        (
            "defaults.target.endpoint_url = 'example.org'",
            "/defaults/target/endpoint_url",
        ),
        ("job.name = '../x'", "/job/name"),
        ("include = 'common.toml'", "/include"),
        ("vars.bucket = 1", "/vars/bucket"),
        ("defaults.include = ['x']", "/defaults"),
        (
            "defaults.filter.exclude_regex = 'x'",
            "/defaults/filter/exclude_regex",
        ),
        (
            "defaults.filter.mtime_after = 'yesterday'",
            "/defaults/filter/mtime_after",
        ),
        (
            "defaults.metadata.user = { a = 1 }",
            "/defaults/metadata/user/a",
        ),
        ("hooks = [{ at = 'during' }]", "/hooks/0/at"),
        ("hooks = [{ on = ['fail'] }]", "/hooks/0/on/0"),
        ("hooks = [{ when = 'after' }]", "/hooks/0"),
    ] {
        let complaints = complaints("job", &job(text));
        assert!(
            complaints
                .iter()
                .any(|one| one.starts_with(&format!("{place}: "))),
            "{text}: {complaints:?}"
        );
        // nor does the program take it: an editor must not forbid what runs
        assert!(loads(&format!("{text}\n{whole}")).is_err(), "{text}");
    }
}

#[test]
fn job_files_that_the_program_makes_are_some() {
    let world = World::new();
    for arguments in [
        &["init"][..],
        &[
            "init",
            "--from-cli",
            "--",
            "--worker-size",
            "8",
            "--delete",
            "a/",
            "s3://b/c/",
        ],
        &["explain", "job.toml", "--format", "toml"],
    ] {
        fs::write(
            world.path("job.toml"),
            "pairs.x.source = 'a'\npairs.x.target = 's3://b'\npairs.x.verify.etag = false\n",
        )
        .expect("a job file");
        let ran = world.command(arguments).run();
        ran.exit(0);
        case(format_args!("{arguments:?}: {}", ran.stdout));
        holds_of_job(&ran.stdout);
        holds_of_job(&without_comment_signs(&ran.stdout));
    }
}

/// A job file in which everything is said that comments show how to say.
fn without_comment_signs(text: &str) -> String {
    let says = |line: &str| {
        let is_key = |key: &str| !key.contains(|c: char| c == ' ' || c.is_uppercase());
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| is_key(key))
    };
    let lines = text.lines();
    let said = lines.map(|line| match line.strip_prefix("# ") {
        Some(behind) if says(behind) => behind,
        Some(_) | None => line,
    });
    said.collect::<Vec<_>>().join("\n")
}
