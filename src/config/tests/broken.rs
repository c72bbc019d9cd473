//! Broken job files and what is said of them, letter for letter: `tests/fixtures/broken`.
//! `S3SYNC_TEST_BLESS=1` writes what is said now; read it before it is kept.

use super::*;

/// Statement 52: unknown key or wrong type → file:line:col and a suggestion.
#[test]
fn every_broken_file_is_told_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/broken");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter_map(|name| {
            name.into_string()
                .ok()?
                .strip_suffix(".toml")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() >= 35, "{names:?}");
    let variables = [("HOME", "/home/me"), ("HOST", "h"), ("EMPTY", "")];
    for name in names {
        let file = format!("tests/fixtures/broken/{name}.toml");
        let problems = load_file(
            Path::new(&file),
            &environment(&variables),
            &FlagValues::default(),
        )
        .expect_err(&name);
        let said = format!("{problems}\n").replace(env!("CARGO_MANIFEST_DIR"), ".");
        assert!(!said.contains("canary"), "{name} shows a secret:\n{said}");
        let golden = folder.join(format!("{name}.txt"));
        if std::env::var_os("S3SYNC_TEST_BLESS").is_some() {
            std::fs::write(&golden, &said).expect("written");
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(said, wanted, "{name}");
    }
}

#[test]
fn environment_and_flags_are_told_too() {
    let text = "[pairs.photos]\nsource = '/a'\ntarget = 's3://b/'\n";
    for (variable, value, said) in [
        (
            "S3SYNC_PERFORMANCE__WORKER_SIZ",
            "8",
            "error: unknown variable `S3SYNC_PERFORMANCE__WORKER_SIZ`\n --> environment variable S3SYNC_PERFORMANCE__WORKER_SIZ\n  = did you mean S3SYNC_PERFORMANCE__WORKER_SIZE?",
        ),
        (
            "S3SYNC_PERFORMANCE__WORKER_SIZE",
            "many",
            "error: `performance.worker_size` must be a whole number from 1 to 65535, not `many`\n --> environment variable S3SYNC_PERFORMANCE__WORKER_SIZE",
        ),
        (
            "S3SYNC_PAIRS__PHOTO__DRY_RUN",
            "true",
            "error: no pair is called `photo`\n --> environment variable S3SYNC_PAIRS__PHOTO__DRY_RUN\n  = did you mean `photos`?",
        ),
        (
            "S3SYNC_PAIRS__PHOTOS__REPORT__DIR",
            "/x",
            "error: `report.dir` belongs to the whole job\n --> environment variable S3SYNC_PAIRS__PHOTOS__REPORT__DIR\n  = say it as S3SYNC_REPORT__DIR",
        ),
        (
            "S3SYNC_AFTER",
            "photos",
            "error: `after` belongs to a single pair\n --> environment variable S3SYNC_AFTER\n  = say it as S3SYNC_PAIRS__<NAME>__…",
        ),
        (
            "S3SYNC_REPORT__DIRR",
            "/x",
            "error: unknown variable `S3SYNC_REPORT__DIRR`\n --> environment variable S3SYNC_REPORT__DIRR\n  = did you mean S3SYNC_REPORT__DIR?",
        ),
    ] {
        let problems = job(
            text,
            &environment(&[(variable, value)]),
            &FlagValues::default(),
        )
        .expect_err(variable);
        assert_eq!(problems.to_string(), said, "{variable}={value}");
    }
    for (assignment, said) in [
        (
            "performance.worker_sizes=8",
            "error: unknown option `performance.worker_sizes`\n --> flag --set performance.worker_sizes\n  = did you mean `performance.worker_size`?",
        ),
        (
            "performance.worker_size",
            "error: `--set` without `=`\n --> flag --set\n  = write --set PATH=VALUE, such as --set performance.worker_size=8",
        ),
    ] {
        let mut flags = FlagValues::default();
        flags.set(assignment);
        let problems = job(text, &environment(&[]), &flags).expect_err(assignment);
        assert_eq!(problems.to_string(), said, "--set {assignment}");
    }
}

#[test]
fn a_missing_side_is_asked_for_where_the_other_was_said() {
    for (variable, remedy) in [
        ("S3SYNC_SOURCE", "set S3SYNC_TARGET"),
        (
            "S3SYNC_PAIRS__PHOTOS__SOURCE",
            "set S3SYNC_PAIRS__PHOTOS__TARGET",
        ),
    ] {
        let problems = from_environment(&environment(&[(variable, "/a")]), &FlagValues::default())
            .expect_err(variable)
            .to_string();
        assert!(problems.ends_with(&format!("  = {remedy}")), "{problems}");
    }
}

#[test]
fn one_url_for_several_pairs_is_one_problem() {
    let text = "[pairs.up]\nsource = '/a'\ntarget = 's3://b/'\n
        [pairs.down]\nsource = 's3://b/'\ntarget = '/c'\n";
    let problems = job(
        text,
        &environment(&[("S3SYNC_SOURCE", "/elsewhere")]),
        &FlagValues::default(),
    )
    .expect_err("which pair?");
    assert_eq!(
        problems.to_string(),
        "error: `source.url` is said for 2 pairs at once\n --> environment variable S3SYNC_SOURCE\n  = say which pair is meant: pairs.up.source.url"
    );
}

#[test]
fn a_flag_does_not_hide_a_broken_file() {
    let text = "[pairs.photos]\nsource = '/a'\ntarget = 's3://b/'\nperformance.worker_size = 0\n";
    let mut flags = FlagValues::default();
    flags.set("performance.worker_size=8");
    let problems = job(text, &environment(&[]), &flags).expect_err("0 workers");
    assert_eq!(problems.len(), 1);
    assert!(
        problems.to_string().contains("jobs/test.toml:4:27"),
        "{problems}"
    );
}

#[test]
fn what_says_a_default_is_accepted() {
    let text = "include = []\nhooks = []\n[vars]\n[job]\non_pair_failure = 'continue'
        [defaults]\ndelete = false\nfilter.include_regex = []\nlua.vms = 1\ntagging.on_denied = 'fail'
        delete.max_percent = 50\nmetadata.user = {}
        [pairs.photos]\nsource = '/a'\ntarget = 's3://b/'\n";
    let text = text.replace("delete = false\n", "delete.enabled = false\n");
    if let Err(problems) = job(
        &text,
        &environment(&[("S3SYNC_DELETE", "no")]),
        &FlagValues::default(),
    ) {
        panic!("{problems}");
    }
}
