//! Runs of the past: listed, shown, and verified again.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Ran, Run, World, content};

const MIB: usize = 1 << 20;

/// A world with a tree and two buckets.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("a", 100)
        .file("b/c", 2000)
        .file("large", 9 * MIB + 7);
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("up", "tree", "s3://first/pre/")
}

/// Up, across and down again.
fn around(world: &World) -> Run<'_> {
    up(world)
        .pair("across", "s3://first/pre/", "s3://second/")
        .pair("down", "s3://second/", "down")
}

/// `s3sync report …`, with what the job needs of the environment.
fn report<'w>(world: &'w World, words: &[&str]) -> Run<'w> {
    let endpoint = &world.endpoint;
    world
        .command(&["report"])
        .arguments(words)
        .arguments(&["--report-dir", "reports"])
        .environment("WORLD_ACCESS_KEY", &endpoint.access_key)
        .environment("WORLD_SECRET_KEY", &endpoint.secret_key)
}

fn verify<'w>(world: &'w World, words: &[&str]) -> Run<'w> {
    report(world, &[&["verify", "job/latest"], words].concat())
}

fn id(ran: &Ran) -> &str {
    ran.report["run"]["id"].as_str().expect("an id")
}

fn directory(world: &World, ran: &Ran) -> PathBuf {
    world.path("reports/job").join(id(ran))
}

/// What it printed, as lines of JSON.
fn lines(ran: &Ran) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    ran.stdout.lines().map(parse).collect()
}

#[test]
fn runs_are_listed_newest_first_as_what_they_are() {
    let world = world();
    let first = up(&world).run();
    let second = up(&world).run();
    world.sync("tree", "s3://second/").run().exit(0);
    let crashed = "01000000-0000-7000-8000-000000000000";
    fs::create_dir_all(world.path("reports/job").join(crashed)).expect("a directory");

    let all = report(&world, &["list"]).run();
    all.exit(0);
    let jobs: Vec<&str> = all
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(
        jobs,
        ["job", "adhoc", "job", "job", "job"],
        "{}",
        all.told()
    );
    assert!(all.stdout.contains("no report.json"), "{}", all.told());

    let of_job = report(&world, &["list", "job", "--format", "json"]).run();
    let seen = lines(of_job.exit(0));
    let told: Vec<_> = seen
        .iter()
        .map(|run| {
            json!([
                run["run"],
                run["report"],
                run["transferred"],
                run["exit_code"]
            ])
        })
        .collect();
    let expected = [
        json!([id(&second), "read", 0, 0]),
        json!([id(&first), "read", 3, 0]),
        json!([crashed, "missing", null, null]),
    ];
    assert_eq!(told, expected, "{}", of_job.told());

    report(&world, &["list", "nobody"])
        .run()
        .exit(0)
        .says("no runs of the job `nobody`");
}

#[test]
fn a_run_is_shown_with_all_an_auditor_asks() {
    let world = world();
    let ran = around(&world).run();
    ran.exit(0);
    let shown = report(&world, &["show", "latest"]).run();
    shown.exit(0).says(id(&ran));
    for pair in ["up", "across", "down"] {
        let evidence = &ran.pair(pair).report["evidence"];
        shown.says(evidence["sha256"].as_str().expect("a digest"));
        shown.says(evidence["path"].as_str().expect("a path"));
    }
    for words in [
        "SUCCESS",
        "job.toml",
        ran.report["config"]["digest"].as_str().expect("a digest"),
        "s3://first/pre/",
        "3 (3 new, 0 replaced, 0 copied inside S3)",
        "3 by at least one proof, 0 by none",
    ] {
        shown.says(words);
    }
    let path = directory(&world, &ran).join("report.json");
    let by_path = report(&world, &["show", &path.display().to_string()]).run();
    assert_eq!(by_path.exit(0).stdout, shown.stdout);

    let json = report(&world, &["show", id(&ran), "--format", "json"]).run();
    let json: Value = serde_json::from_str(&json.exit(0).stdout).expect("JSON");
    assert_eq!(json, ran.report);
}

#[test]
fn lines_of_evidence_are_shown_as_asked() {
    let world = world();
    world.encrypt_by_default("second", "aws:kms");
    let ran = up(&world)
        .pair("sealed", "tree", "s3://second/")
        .set("verify.checksum", "false")
        .run();
    let all = report(&world, &["show", "latest", "--objects"]).run();
    all.exit(0);
    let lines = |ran: &Ran| ran.stdout.lines().count();
    let expected = ran.pair("up").evidence().len() + ran.pair("sealed").evidence().len();
    assert_eq!(lines(&all), expected, "{}", all.told());
    let unproved = report(&world, &["show", "latest", "--objects", "--unverified"]).run();
    unproved.exit(0).says("opaque_etag");
    assert!(
        lines(&unproved) < expected && lines(&unproved) > 0,
        "{}",
        unproved.told()
    );
    let failed = report(&world, &["show", "latest", "--objects", "--failed"]).run();
    assert_eq!(failed.exit(0).stdout, "", "{}", failed.told());
}

#[test]
fn what_holds_is_said_to_hold() {
    let world = world();
    around(&world).run().exit(0).all_proved();
    let verified = verify(&world, &[]).run();
    verified.exit(0).says("9 objects: 9 hold");
    assert_eq!(verified.stdout.lines().count(), 1, "{}", verified.told());
    assert_eq!(verified.stderr, "", "{}", verified.told());
    let told = verify(&world, &["-v"]).run();
    assert_eq!(told.exit(0).stdout.lines().count(), 10, "{}", told.told());
}

/// What happens to a world, and what is then said.
type Harm = (&'static str, fn(&World), &'static [&'static str], i32);

#[test]
fn what_no_longer_holds_is_named_with_what_differs() {
    let harms: &[Harm] = &[
        (
            "deleted",
            |world| world.remove("first", "pre/a"),
            &["missing   up  a"],
            3,
        ),
        (
            "another content of the same size",
            |world| world.put("first", "pre/a", &content("other", 100)),
            &["changed   up  a  (ETag "],
            3,
        ),
        (
            "another size",
            |world| world.put("second", "b/c", b"short"),
            &["changed   across  b/c  (2000 bytes then, 5 now)"],
            3,
        ),
        (
            "a file in which one byte differs",
            |world| {
                let path = world.path("down/large");
                let mut bytes = fs::read(&path).expect("a file");
                bytes[8 * MIB + 3] ^= 1;
                fs::write(&path, bytes).expect("written");
            },
            &["changed   down  large  ("],
            3,
        ),
        (
            "a small file in which one byte differs",
            |world| {
                let mut bytes = content("a", 100);
                bytes[50] ^= 1;
                fs::write(world.path("down/a"), bytes).expect("written");
            },
            &["changed   down  a  (MD5 "],
            3,
        ),
        (
            "a file and a directory gone",
            |world| {
                fs::remove_file(world.path("down/a")).expect("removed");
                fs::remove_dir_all(world.path("down/b")).expect("removed");
            },
            &["missing   down  a", "missing   down  b/c"],
            3,
        ),
        (
            "nothing may be asked",
            |world| {
                let policy = json!({"Statement": [{
                    "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
                    "Resource": ["arn:aws:s3:::first/*"],
                }]});
                world.policy("first", &policy.to_string());
                world.remove("second", "a");
            },
            &["unknown   up  a  (", "missing   across  a", "3 unknown"],
            1,
        ),
    ];
    let world = world();
    around(&world).run().exit(0);
    for (name, harm, words, exit) in harms {
        case(format_args!("{name}"));
        harm(&world);
        let ran = verify(&world, &[]).run();
        ran.exit(*exit);
        for words in *words {
            ran.says(words);
        }
        // as it was
        world.policy("first", &json!({"Statement": []}).to_string());
        world.put("first", "pre/a", &content("a", 100));
        world.put("second", "a", &content("a", 100));
        world.put("second", "b/c", &content("b/c", 2000));
        world
            .tree("down")
            .file("a", 100)
            .file("b/c", 2000)
            .file("large", 9 * MIB + 7);
        fs::write(world.path("down/large"), content("large", 9 * MIB + 7)).expect("written");
        verify(&world, &[]).run().exit(0);
    }
}

#[test]
fn a_version_that_was_replaced_is_no_longer_the_one() {
    let world = world();
    world.keep_versions("first");
    up(&world).run().exit(0);
    verify(&world, &[]).run().exit(0);
    world.put("first", "pre/a", &content("a", 100));
    verify(&world, &[])
        .run()
        .exit(3)
        .says("changed   up  a  (version ");
}

#[test]
fn evidence_that_is_not_what_was_written_proves_nothing() {
    type Tamper = (&'static str, fn(Vec<u8>) -> Option<Vec<u8>>, &'static str);
    let tampers: [Tamper; 7] = [
        (
            "one letter of a key",
            |bytes| {
                let text = String::from_utf8(bytes).expect("text");
                Some(
                    text.replacen("\"key\":\"a\"", "\"key\":\"z\"", 1)
                        .into_bytes(),
                )
            },
            "so the place cannot be told",
        ),
        (
            "one brace",
            |mut bytes| {
                let second = bytes
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .expect("a line")
                    + 1;
                bytes[second] = b'[';
                Some(bytes)
            },
            "line 2 cannot be read",
        ),
        (
            "cut within a line",
            |mut bytes| {
                bytes.truncate(bytes.len() / 2);
                Some(bytes)
            },
            "it ends without a trailer after line",
        ),
        (
            "without its trailer",
            |bytes| {
                let text = String::from_utf8(bytes).expect("text");
                let end = text.rfind("{\"type\":\"trailer\"").expect("a trailer");
                Some(text.as_bytes()[..end].to_vec())
            },
            "it ends without a trailer after line 3 of 4",
        ),
        (
            "without its first line",
            |bytes| {
                let first = bytes
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .expect("a line")
                    + 1;
                Some(bytes[first..].to_vec())
            },
            "line 1 says that it is line 2",
        ),
        (
            "with a line too many",
            |mut bytes| {
                bytes.extend_from_slice(b"{}\n");
                Some(bytes)
            },
            "line 5 stands behind the trailer on line 4",
        ),
        ("gone", |_| None, "it is missing"),
    ];
    let world = world();
    let ran = up(&world).run();
    let path = directory(&world, &ran).join("pairs/up.objects.ndjson");
    let whole = fs::read(&path).expect("evidence");
    verify(&world, &["--offline"])
        .run()
        .exit(0)
        .says("evidence of 3 lines as it was written");
    for (name, tamper, words) in tampers {
        case(format_args!("{name}"));
        match tamper(whole.clone()) {
            Some(bytes) => fs::write(&path, bytes).expect("written"),
            None => fs::remove_file(&path).expect("removed"),
        }
        for how in [&["--offline"][..], &[]] {
            let ran = verify(&world, how).run();
            ran.exit(1).says(words).says("up.objects.ndjson");
            let places = ran.told().matches("says that it is line").count();
            assert!(places <= 1, "one fault is told once: {}", ran.told());
            assert!(!ran.told().contains("more lines"), "{}", ran.told());
        }
        fs::write(&path, &whole).expect("mended");
    }
}

#[test]
fn what_has_no_line_cannot_be_verified() {
    let world = world();
    let job = world.sync("tree", "s3://first/");
    job.arguments(&["--set", "report.level=errors_only"])
        .run()
        .exit(0);
    let endpoint = &world.endpoint;
    report(&world, &["verify", "adhoc/latest"])
        .environment("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .environment("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
        .run()
        .exit(1)
        .says("of 3 transferred objects 3 have no line of evidence");
}

#[test]
fn a_run_without_a_job_file_is_verified_by_what_it_recorded() {
    let world = world();
    world.sync("tree", "s3://first/x/").run().exit(0);
    let endpoint = &world.endpoint;
    let with_keys = |key: &str| {
        report(&world, &["verify", "adhoc/latest"])
            .environment("AWS_ACCESS_KEY_ID", key)
            .environment("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key)
            .run()
    };
    with_keys(&endpoint.access_key)
        .exit(0)
        .says("3 objects: 3 hold");
    // secrets are in no record
    with_keys("somebody else's").exit(1);
}

#[test]
fn a_rehearsal_is_verified_in_its_sandbox() {
    let world = world();
    let rehearsed = || up(&world).arguments(&["--sandbox", "rehearsal"]);
    rehearsed().run().exit(0).transferred(3);
    let verified = verify(&world, &[]).run();
    verified.exit(0).says("3 objects: 3 hold");
    assert_eq!(verified.stderr, "", "{}", verified.told());
    fs::rename(world.path("rehearsal"), world.path("elsewhere")).expect("moved");
    verify(&world, &[]).run().exit(1).says("which is not there");
    let moved = verify(&world, &["--sandbox", "elsewhere"]).run();
    moved.exit(0).says("3 objects: 3 hold");
}

#[test]
fn a_job_that_has_changed_since_is_told() {
    let world = world();
    up(&world).run().exit(0);
    let path = world.path("job.toml");
    let job = fs::read_to_string(&path).expect("the job file");
    for (change, exit, words) in [
        (
            job.clone() + "metadata.guess_mime_type = false\n",
            0,
            "the settings are no longer those of the run",
        ),
        (
            job.replace("s3://first/pre/", "s3://first/other/"),
            1,
            "the run wrote to s3://first/pre/, and the job's target is now s3://first/other/",
        ),
        (
            job.replace("pairs.up", "pairs.upwards"),
            1,
            "the job no longer has a pair of this name",
        ),
        (job.replace("version = 1", "version = one"), 2, "job.toml"),
    ] {
        fs::write(&path, change).expect("written");
        case(format_args!("{words}"));
        verify(&world, &[]).run().exit(exit).says(words);
    }
    fs::rename(&path, world.path("moved.toml")).expect("moved");
    verify(&world, &[])
        .run()
        .says("is not there: the settings are those the run recorded");
    fs::write(world.path("moved.toml"), job).expect("written");
    verify(&world, &["--job", "moved.toml"])
        .run()
        .exit(0)
        .says("3 objects: 3 hold");
}

#[test]
fn what_names_no_run_is_a_usage_error() {
    let world = world();
    up(&world).run().exit(0);
    world.sync("tree", "s3://second/").run().exit(0);
    for command in ["show", "verify"] {
        for (asked, words) in [
            ("nothing", "no run `nothing`"),
            ("latest", "name one: adhoc/latest job/latest"),
            ("0", "runs begin with `0`"),
            ("./tree", "is no run"),
        ] {
            case(format_args!("{command} {asked}"));
            report(&world, &[command, asked]).run().exit(2).says(words);
        }
    }
    // a job file says which
    for command in ["show", "verify"] {
        let ran = report(&world, &[command, "latest", "--job", "job.toml"]).run();
        ran.exit(0).says("job  run ");
    }
    for report_json in ["{", "{}"] {
        let latest = world.path("reports/job/latest/report.json");
        fs::write(latest, report_json).expect("written");
        for command in ["show", "verify"] {
            let ran = report(&world, &[command, "job/latest"]).run();
            ran.exit(1).says("is broken").says("report.json:1:");
        }
        report(&world, &["list"])
            .run()
            .exit(0)
            .says("broken report.json");
    }
}

#[test]
fn a_dry_run_has_nothing_to_verify() {
    let world = world();
    up(&world).arguments(&["--dry-run"]).run().exit(0);
    verify(&world, &[])
        .run()
        .exit(0)
        .says("a dry run: it moved nothing")
        .says("0 objects");
}

#[test]
fn one_object_has_its_own_key_in_the_evidence() {
    let world = world();
    world.put("first", "some/dir/one.txt", b"one");
    let ran = world.sync("s3://first/some/dir/one.txt", "down").run();
    ran.exit(0).transferred(1);
    let line = ran.pair("adhoc").line("one.txt");
    assert_eq!(line["source"]["key"], "some/dir/one.txt", "{line}");
    assert_eq!(line["target"]["key"], "one.txt", "{line}");
}

#[test]
fn what_was_never_proved_is_not_said_to_hold() {
    let world = world();
    let unproved = |run: Run<'_>| {
        let run = run.set("verify.etag", "false");
        run.set("verify.checksum", "false").run().transferred(3);
    };
    unproved(up(&world));
    let verified = verify(&world, &[]).run();
    verified
        .exit(3)
        .says("unproved  up  a  (")
        .says("3 objects: 0 hold, 3 unproved, 0 changed");
    let told = lines(verify(&world, &["--format", "json"]).run().exit(3));
    let summary = told.last().expect("a summary");
    assert_eq!(summary["target"]["unproved"], 3, "{summary}");
    assert_eq!(summary["target"]["holds"], 0, "{summary}");
    // what is gone is gone, proved or not
    world.remove("first", "pre/a");
    let verified = verify(&world, &[]).run();
    verified.exit(3).says("2 unproved, 0 changed, 1 missing");
}
