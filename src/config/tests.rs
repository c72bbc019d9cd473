//! The way from words to a job, as tables.

mod broken;
mod checks;
mod explain;
mod files;
mod flags;
mod fuzz;
mod interpolation;
mod layers;
mod many;
mod overlaps;
mod secrets;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use super::file::JobFile;
use super::setting::from_text;
use super::ways::load;
use super::*;

/// An environment with these variables, in the repository's root.
fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Environment::new(variables, env!("CARGO_MANIFEST_DIR"))
}

/// A value that an option of this kind takes, and that is no default.
fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true",
        Kind::Number { .. } => "17",
        Kind::Size { .. } => "65MiB",
        Kind::Duration { .. } => "7s",
        Kind::Time => "2026-01-31T23:59:59.5Z",
        Kind::Text | Kind::Name | Kind::Pairs | Kind::Header | Kind::Globs | Kind::Program => "x",
        Kind::Regexes => r"\.tmp$",
        Kind::Files | Kind::Path | Kind::Redirect => "/x",
        Kind::Location => "s3://x/",
        Kind::Endpoint => "http://x",
        Kind::Word(words) => words[words.len() - 1],
        Kind::Words(words) => words[0],
        Kind::Secret => "canary",
        Kind::SecretKey => "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        Kind::Metadata | Kind::Tags => "team=photos",
        Kind::Variables | Kind::Hooks => "{}",
    }
}

/// A job of this text.
fn job(text: &str, environment: &Environment, flags: &FlagValues) -> Result<Job, Problems> {
    read_text(text, environment, flags)?.into_job()
}

/// What a job of this text says.
fn settings(text: &str, environment: &Environment, flags: &FlagValues) -> Settings {
    read_text(text, environment, flags).unwrap_or_else(|problems| panic!("{problems}"))
}

fn read_text(
    text: &str,
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Settings, Problems> {
    let file = JobFile {
        origin: Origin::File("jobs/test.toml".into()),
        name: Path::new("jobs/test.toml"),
        content: text,
        base: Path::new("/srv/jobs"),
        job: "test",
    };
    load(&file, environment, flags, &BTreeSet::new())
}

/// A file that only its owner may read.
fn private_file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), content).expect("written");
    file
}

#[test]
fn the_quickstart_resolves() {
    let job = load_file(
        Path::new("jobs/quickstart.toml"),
        &environment(&[]),
        &FlagValues::default(),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .canonicalize()
        .expect("the repository");
    let names: Vec<_> = job.pairs.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["upload", "mirror", "restore"]);
    assert_eq!(job.name, "quickstart");
    assert_eq!(job.report.dir, root.join("target/quickstart/reports"));
    let sandbox = job.sandbox.expect("a sandbox");
    assert_eq!(sandbox.dir, root.join("target/quickstart/sandbox"));
    let SourceSpec::Local(source) = &job.pairs[0].source else {
        panic!("a local source");
    };
    assert_eq!(source.root, root.join("src"));
    assert_eq!(source.never_list, [job.report.dir, sandbox.dir]);
    assert!(job.pairs[1].server_side_copy);
    assert!(!job.pairs[2].server_side_copy);
    // a default for targets on S3 does not reach the pair that writes a directory
    assert!(job.pairs[0].checksum.is_some());
    assert!(job.pairs[2].checksum.is_none());
}

#[test]
fn one_pair_of_the_command_line() {
    let job = adhoc(
        "src",
        "s3://bucket/p",
        &environment(&[("HOME", "/home/me"), ("S3SYNC_SOURCE__REGION", "eu-west-1")]),
        &FlagValues::default(),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        (job.name.as_str(), &job.origin),
        ("adhoc", &Origin::CommandLine)
    );
    assert_eq!(job.report.dir, Path::new("/home/me/.local/state/s3sync"));
    assert_eq!(job.pairs.len(), 1);
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    assert_eq!(target.location.url(), "s3://bucket/p");
    assert_eq!(job.non_file_origins, ["argument SOURCE", "argument TARGET"]);

    let mut flags = FlagValues::default();
    flags.set("source.region=eu-west-1");
    let problems = adhoc("src", "s3://bucket/p", &environment(&[]), &flags)
        .expect_err("flags count as said for the pair");
    assert_eq!(
        problems.to_string(),
        "error: `source.region` means nothing for `adhoc`\n --> flag --set source.region\n  = it wants a source on S3"
    );
}

#[test]
fn the_environment_alone_is_a_job() {
    let job = from_environment(
        &environment(&[
            ("S3SYNC_SOURCE", "src"),
            ("S3SYNC_TARGET", "s3://bucket/p"),
            ("S3SYNC_PAIRS__MORE__SOURCE", "s3://more/"),
            ("S3SYNC_PAIRS__MORE__TARGET", "/more"),
            ("S3SYNC_PERFORMANCE__WORKER_SIZE", "7"),
            ("S3SYNC_RUN_ID", "x"),
            ("S3SYNC_SERVICE_HOST", "10.0.0.1"),
            ("S3SYNC_PORT_9000_TCP", "tcp://10.0.0.1:9000"),
            ("S3SYNC_TARGET__PROFILE", ""),
        ]),
        &FlagValues::default(),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<_> = job.pairs.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["default", "more"]);
    assert!(
        job.pairs
            .iter()
            .all(|pair| pair.performance.worker_size == 7)
    );

    let toml = "[pairs.a]\nsource = 'src'\ntarget = 's3://b/'\n";
    let job = from_environment(
        &environment(&[("S3SYNC_JOB_TOML", toml)]),
        &FlagValues::default(),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(job.pairs[0].name, "a");

    let problems =
        from_environment(&environment(&[]), &FlagValues::default()).expect_err("nothing is said");
    assert!(
        problems.to_string().contains("S3SYNC_JOB_FILE"),
        "{problems}"
    );
}

#[test]
fn pairs_run_after_those_they_wait_for() {
    let text = "
        [pairs.last]\nsource = '/a'\ntarget = 's3://b/a/'\nafter = ['first']
        [pairs.first]\nsource = '/b'\ntarget = 's3://b/b/'\n";
    let job = job(text, &environment(&[]), &FlagValues::default()).expect("a job");
    let names: Vec<_> = job.pairs.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["last", "first"], "as they are named");
    assert_eq!(job.order(), [1, 0]);
    // a pair that is not part of the run holds up nobody
    let mut alone = job;
    alone.pairs.truncate(1);
    assert_eq!(
        (alone.order(), alone.predecessors()),
        (vec![0], vec![vec![]])
    );
}

#[test]
fn a_page_above_a_thousand_keys_is_a_thousand() {
    let mut flags = FlagValues::default();
    flags.set("performance.max_keys=32767");
    let job = adhoc("s3://b/", "/a", &environment(&[]), &flags).expect("a job");
    let SourceSpec::S3(source) = &job.pairs[0].source else {
        panic!("a bucket");
    };
    assert_eq!(source.listing.max_keys, 1000);
    assert!(job.resolved.notes()[0].contains("32767"));
}

#[test]
fn a_job_file_that_is_not_there_is_one_clear_message() {
    for (file, message) in [
        (
            "jobs/missing.toml",
            "error: cannot read the job file `jobs/missing.toml`: no such file or directory",
        ),
        (
            "jobs",
            "error: cannot read the job file `jobs`: it is a directory\n  = name the files in it",
        ),
    ] {
        let problems =
            load_file(Path::new(file), &environment(&[]), &FlagValues::default()).expect_err(file);
        assert_eq!(problems.to_string(), message);
    }
}

#[test]
fn every_row_of_the_table_holds_together() {
    for row in OPTIONS {
        let twins = OPTIONS
            .iter()
            .filter(|other| other.path == row.path)
            .count();
        assert_eq!(twins, 1, "{} stands twice", row.path);
        if let Some(default) = row.default {
            let read = from_text(row, default, Path::new("/"));
            assert!(read.is_ok(), "the default of {}: {read:?}", row.path);
        }
        assert!(!row.is_secret() || row.default.is_none(), "{}", row.path);
        let is_own_parent = OPTIONS
            .iter()
            .any(|other| other.path.starts_with(&format!("{}.", row.path)));
        let has_keys = row.kind == Kind::Hooks;
        assert_eq!(
            is_own_parent, has_keys,
            "{} is an option or a table",
            row.path
        );
    }
}
