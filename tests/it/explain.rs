//! What `explain`, `--emit-job` and `init` print can be run, and is the same job.

use serde_json::Value;
use std::fs;
use std::path::Path;

use crate::support::{case, run_unread};
use crate::world::{Run, World};

/// A file of `jobs/`.
fn given(name: &str) -> String {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    jobs.join(name).display().to_string()
}

/// What it answers.
#[track_caller]
fn answer(run: Run<'_>) -> String {
    let ran = run.run();
    ran.exit(0);
    ran.stdout
}

#[track_caller]
fn json(run: Run<'_>) -> Value {
    serde_json::from_str(&answer(run)).expect("JSON")
}

/// The digest of a job file.
#[track_caller]
fn digest(world: &World, file: &str) -> String {
    let explained = json(world.command(&["explain", file, "--format", "json"]));
    let digest = explained["digest"].as_str().expect("a digest");
    assert_eq!(digest.len(), 64, "{digest}");
    digest.to_owned()
}

/// A run with the variables of `jobs/container.env`.
fn contained<'w>(world: &'w World, arguments: &[&str]) -> Run<'w> {
    let variables = fs::read_to_string(given("container.env")).expect("the env file");
    let lines = variables.lines().filter(|line| !line.starts_with('#'));
    let said = lines.filter_map(|line| line.split_once('='));
    let run = world.command(arguments);
    said.fold(run, |run, (name, value)| run.environment(name, value))
}

#[test]
fn the_container_and_its_file_are_one_job() {
    let world = World::new();
    let of_file = digest(&world, &given("container.toml"));
    let of_variables = json(contained(&world, &["explain", "--format", "json"]));
    assert_eq!(of_variables["digest"], of_file.as_str());
    for changed in [&[][..], &["--changed"]] {
        case(format_args!("{changed:?}"));
        let arguments = [&["explain", "--format", "toml"], changed].concat();
        let text = answer(contained(&world, &arguments));
        fs::write(world.path("saved.toml"), &text).expect("a file");
        assert_eq!(digest(&world, "saved.toml"), of_file, "{text}");
        let ran = world.command(&["validate", "saved.toml"]).run();
        ran.exit(0).says("job container, 2 pairs: no problems");
    }
}

#[test]
fn what_is_explained_and_saved_elsewhere_is_the_same_job() {
    let world = World::new();
    for file in ["quickstart.toml", "nightly.toml", "container.toml"] {
        let file = given(file);
        let whole = ["explain", &file, "--format", "toml"];
        let changed = ["explain", &file, "--format", "toml", "--changed"];
        let emitted = ["run", &file, "--emit-job"];
        let digest_of_it = digest(&world, &file);
        for arguments in [&whole[..], &changed, &emitted] {
            case(format_args!("{arguments:?}"));
            let text = answer(world.command(arguments));
            fs::write(world.path("saved.toml"), &text).expect("a file");
            assert_eq!(digest(&world, "saved.toml"), digest_of_it, "{text}");
            // and once more it is what it was, but for where it was said
            let again = ["explain", "saved.toml", "--format", "toml"];
            fs::write(world.path("again.toml"), answer(world.command(&again))).expect("a file");
            assert_eq!(digest(&world, "again.toml"), digest_of_it);
        }
        // a digest that never changed would prove nothing
        let other = world
            .command(&["explain", &file, "--format", "json"])
            .arguments(&["--set", "performance.worker_size=3"]);
        assert_ne!(json(other)["digest"], digest_of_it.as_str());
    }
}

#[test]
fn an_emitted_job_transfers_what_the_command_line_would() {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10).file("b/c", 3000);
    let sync = || {
        let sync = world.sync("tree", "s3://first/p/");
        sync.arguments(&["--worker-size", "3", "--set", "checksum.algorithm=SHA256"])
    };
    // the job names the variables of what was said literally
    let text = answer(sync().arguments(&["--emit-job"]));
    assert!(!world.path("reports").exists(), "nothing ran");
    fs::write(world.path("emitted.toml"), &text).expect("a file");
    let run = |arguments: &[&str]| {
        let run = world.command(arguments);
        let keys = [
            ("ACCESS_KEY", &world.endpoint.access_key),
            ("SECRET_ACCESS_KEY", &world.endpoint.secret_key),
        ];
        let name = |key| format!("S3SYNC_PAIRS__ADHOC__TARGET__{key}");
        keys.iter()
            .fold(run, |run, (key, value)| run.environment(&name(key), value))
    };
    run(&["validate", "emitted.toml"]).run().exit(0);
    let ran = run(&["run", "emitted.toml"]).run();
    ran.exit(0).transferred(2).all_proved();
    let keys: Vec<_> = world.list("first", "").into_keys().collect();
    assert_eq!(keys, ["p/a", "p/b/c"]);
    assert!(world.head("first", "p/a").checksum_sha256().is_some());
    sync().run().exit(0).transferred(0);
    run(&["run", "emitted.toml"]).run().exit(0).transferred(0);
    world.tree("tree").write("a", b"other").touch_now("a");
    sync().run().exit(0).transferred(1);
    // without the keys the file says what it misses
    let ran = world.command(&["run", "emitted.toml"]).run();
    ran.exit(2)
        .says("S3SYNC_PAIRS__ADHOC__TARGET__ACCESS_KEY")
        .says("emitted.toml:");
}

#[test]
fn what_init_prints_is_a_job() {
    let world = World::new();
    fs::write(world.path("new.toml"), answer(world.command(&["init"]))).expect("a file");
    let ran = world.command(&["validate", "new.toml"]).run();
    ran.exit(0).says("no problems");
    for words in [
        &["init", "job.toml"][..],
        &["init", "--from-cli"],
        &["init", "--no-such"],
    ] {
        case(format_args!("{words:?}"));
        world.command(words).run().exit(2);
    }
}

/// Examples of the predecessor that say what is no longer said in this way, and the words that
/// tell it.
const NO_LONGER: &[(&str, &str)] = &[
    ("--delete s3://bucket-name1/prefix", "does not end in `/`"),
    ("--report-sync-status", "--report-sync-status"),
    // neither region nor account can be told from it
    (
        "arn:aws:s3:000000000000:accesspoint",
        "ARN of an access point",
    ),
];

#[test]
fn the_predecessors_examples_become_jobs() {
    let world = World::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/predecessor");
    let examples = fs::read_to_string(examples.join("examples.txt")).expect("the examples");
    let mut converted = 0;
    let lines = examples.lines().filter(|line| line.starts_with("s3sync "));
    // behind the first column stands what is no longer as it was
    for line in lines.filter_map(|line| line.split('|').next()) {
        if line.contains("--help") || line.contains(" -h") || line.contains("--auto-complete") {
            continue;
        }
        case(format_args!("{line}"));
        let words: Vec<_> = line.split_whitespace().collect();
        let ran = world
            .command(&[&["init", "--from-cli", "--"], &words[..]].concat())
            .run();
        if let Some((_, told)) = NO_LONGER.iter().find(|(part, _)| line.contains(part)) {
            ran.exit(2).says(told);
            assert_eq!(ran.stdout, "", "{}", ran.told());
            continue;
        }
        ran.exit(0);
        assert_eq!(ran.stderr, "", "{}", ran.told());
        fs::write(world.path("converted.toml"), &ran.stdout).expect("a file");
        converted += 1;
        let mut validate = world.command(&["validate", "converted.toml"]);
        // what was said literally is to be put into variables
        if line.contains("--source-access-key") {
            for key in ["ACCESS_KEY", "SECRET_ACCESS_KEY"] {
                validate = validate.environment(&format!("S3SYNC_PAIRS__MAIN__SOURCE__{key}"), "x");
            }
        }
        let ran = validate.run();
        ran.exit(0);
    }
    assert!(converted > 20, "{converted}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let world = World::new();
    let pair = "[pairs.up]\nsource = 'tree'\ntarget = 's3://first/'\n";
    let tree = world.tree("");
    tree.write("good.toml", pair.as_bytes());
    tree.write(
        "typo.toml",
        format!("chek.mode = 'mtime'\n{pair}").as_bytes(),
    );
    tree.write("broken.toml", format!("x = [\n{pair}").as_bytes());
    for (arguments, words) in [
        (
            &["good.toml", "upp"][..],
            "error: no pair is called `upp`: did you mean `up`?",
        ),
        (
            &["good.toml", "nobody"],
            "error: no pair is called `nobody`: there is up",
        ),
        (
            &["good.toml", "chek.mode"],
            "error: no option is called `chek.mode`: did you mean `check.mode`?",
        ),
        (
            &["good.toml", "up", "check.mod"],
            "error: no option is called `check.mod`: did you mean `check.mode`?",
        ),
        (
            &["good.toml", "up", "job.name"],
            "error: `job.name` belongs to the whole job",
        ),
        (
            &["good.toml", "up", "report"],
            "error: `report` belongs to the whole job",
        ),
        (&["typo.toml"], "typo.toml:1:1"),
        (&["typo.toml", "up", "source.url"], "typo.toml:1:1"),
        (&["broken.toml"], "broken.toml:"),
        (&["nowhere.toml"], "`nowhere.toml`: no such file"),
        (&[], "S3SYNC_JOB_FILE"),
        (&["good.toml", "--format", "yaml"], "yaml"),
        (&["good.toml", "up", "check", "mode"], "mode"),
    ] {
        case(format_args!("{arguments:?}"));
        let ran = world.command(&[&["explain"], arguments].concat()).run();
        ran.exit(2);
        assert!(ran.stderr.contains(words), "`{words}`: {}", ran.told());
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.told());
    }
    // of a file in which something is wrong, the rest is shown all the same
    let ran = world
        .command(&["explain", "typo.toml", "up", "source.url"])
        .run();
    assert!(
        ran.stdout.contains("typo.toml:3:1 pairs.up.source"),
        "{}",
        ran.told()
    );
    // one word may be a pair, an option or a table of them
    for (arguments, shown, hidden) in [
        (&["up"][..], "source.url", "job.name"),
        (&["job.name"], "job.name = \"good\"", "source.url"),
        (&["report"], "report.level", "job.name"),
        (&["up", "check"], "check.mode", "source.url"),
        (&["up", "source"], "source.url", "target.url"),
        (&["delete"], "delete.max_percent", "source.url"),
    ] {
        case(format_args!("{arguments:?}"));
        let shown_of_it = answer(world.command(&[&["explain", "good.toml"], arguments].concat()));
        assert!(shown_of_it.contains(shown), "{shown_of_it}");
        assert!(!shown_of_it.contains(hidden), "{shown_of_it}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for words in [
        &["explain", "jobs/nightly.toml"][..],
        &["explain", "jobs/nightly.toml", "--format", "json"],
        &["explain", "jobs/nightly.toml", "--format", "toml"],
        &["run", "jobs/nightly.toml", "--emit-job"],
        &["init"],
        &["schema", "job"],
        &["validate", "jobs/nightly.toml"],
        &["validate", "jobs/nightly.toml", "--format", "json"],
    ] {
        run_unread(words);
    }
}

#[test]
fn one_pair_alone_is_a_job_too() {
    let world = World::new();
    let text = "version = 1\n[limits]\nmemory = '64MiB'\n[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\n\
                [pairs.b]\nsource = '/c'\ntarget = 's3://d/'\nafter = ['a']\n";
    fs::write(world.path("two.toml"), text).expect("a file");
    for changed in [&[][..], &["--changed"]] {
        let words = [&["explain", "two.toml", "b", "--format", "toml"], changed].concat();
        let one = answer(world.command(&words));
        assert!(one.contains("64MiB") && !one.contains("[pairs.a]"), "{one}");
        fs::write(world.path("one.toml"), &one).expect("a file");
        world
            .command(&["validate", "one.toml"])
            .run()
            .exit(0)
            .says("1 pair");
    }
    for words in [&["c"][..], &["b", "check.mode"], &["check.mode"]] {
        case(format_args!("{words:?}"));
        let words = [&["explain", "two.toml", "--format", "toml"], words].concat();
        world
            .command(&words)
            .run()
            .exit(2)
            .says("a job file is of whole pairs");
    }
}
