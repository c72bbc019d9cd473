//! `--report-sync-status`: the records of the predecessor, letter for letter.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::case;
use crate::world::{Ran, Tree, World};

const RECORDED: &str = include_str!("../fixtures/predecessor/sync_status.txt");

/// What the predecessor was run on.
fn world() -> World {
    let world = World::new();
    world.bucket("fixture");
    let zeros = vec![0; 12_000_000];
    let mut flipped = zeros.clone();
    flipped[9_000_000] = 1;
    for tree in ["tree", "other"] {
        let tree = world.tree(tree);
        tree.write("same", &zeros[..1000])
            .write("empty", b"")
            .write("parts", &zeros)
            .write("nosum", b"none");
    }
    world
        .tree("tree")
        .write("flipparts", &zeros)
        .write("flipped", b"hello")
        .write("size", b"hello")
        .write("sub/missing", b"only");
    world
        .tree("other")
        .write("flipparts", &flipped)
        .write("flipped", b"hellO")
        .write("size", b"hell")
        .write("extra", b"extra");
    for tree in ["tree", "other"] {
        touch(&world.tree(tree));
        upload(&world, tree, &format!("s3://fixture/{tree}/"), "CRC64NVME");
        // one that has another checksum
        fs::copy(world.tree(tree).join("nosum"), world.path("nosum")).expect("a copy");
        upload(&world, "nosum", &format!("s3://fixture/{tree}/"), "SHA256");
    }
    world
}

/// To the half second of the recording.
fn touch(tree: &Tree) {
    let find = [
        "-type",
        "f",
        "-exec",
        "touch",
        "-d",
        "2024-05-06T07:08:09.5Z",
        "{}",
        "+",
    ];
    let status = Command::new("find").arg(tree.path()).args(find).status();
    assert!(status.expect("find").success());
}

fn upload(world: &World, source: &str, target: &str, algorithm: &str) {
    let run = world.sync(source, target);
    let run = run.arguments(&[
        "--additional-checksum-algorithm",
        algorithm,
        "--remove-modified-filter",
    ]);
    run.run().exit(0);
}

/// Each block of the recording: the direction and its flags, the exit code, the records.
fn blocks() -> impl Iterator<Item = (&'static str, i32, Vec<&'static str>)> {
    let blocks = RECORDED.split("\n== ").skip(1);
    blocks.map(|block| {
        let mut lines = block.lines();
        let head = lines.next().expect("a head");
        let (flags, exit) = head.rsplit_once(" | exit ").expect("an exit code");
        let exit = exit.parse().expect("a number");
        (flags, exit, lines.filter(|line| !line.is_empty()).collect())
    })
}

fn run(world: &World, flags: &str) -> Ran {
    let (way, flags) = flags.split_once(' ').unwrap_or((flags, ""));
    let (source, target) = match way {
        "up" => ("tree", "s3://fixture/other/"),
        "down" => ("s3://fixture/tree/", "other"),
        _ => ("s3://fixture/tree/", "s3://fixture/other/"),
    };
    let flags: Vec<_> = flags.split_whitespace().collect();
    world
        .sync(source, target)
        .without("sync")
        .arguments(&["--report-sync-status"])
        .arguments(&flags)
        .run()
}

/// A record as the recording has it: without the times of this run.
fn timeless(record: &str) -> String {
    let record = match record.strip_prefix("{\"timestamp\":\"") {
        Some(rest) => {
            let rest = rest.split_once('"').expect("a time").1;
            format!("{{\"timestamp\":\"TIME\"{rest}")
        }
        None => format!("TIME {}", record.split_once(' ').expect("a time").1),
    };
    let mut shown = String::new();
    let mut rest = &*record;
    while let Some(at) = rest.find("last_modified") {
        let (before, after) = rest.split_at(at + "last_modified".len());
        let quote = after.find("=\"").or(after.find(":\"")).expect("a value") + 2;
        let (sign, value) = after.split_at(quote);
        let (time, behind) = value.split_once('"').expect("an end");
        let time = if time.starts_with("2024-05-06T07:08:09") {
            time
        } else {
            "S3TIME"
        };
        shown.extend([before, sign, time, "\""]);
        rest = behind;
    }
    shown + rest
}

#[test]
fn the_records_are_those_of_the_predecessor() {
    let world = world();
    let before = world.faults().mutations().len();
    for (flags, exit, records) in blocks() {
        case(format_args!("{flags}"));
        let ran = run(&world, flags);
        ran.exit(exit);
        let mut lines: Vec<_> = ran.stdout.lines().map(timeless).collect();
        let last = lines.last().expect("a summary");
        assert!(last.contains("REPORT_SUMMARY"), "{}", ran.told());
        lines.sort();
        assert_eq!(lines, records, "{}", ran.told());
        assert_eq!(ran.stderr, "", "{}", ran.told());
        assert_eq!(ran.report["run"]["command"], "check");
    }
    assert_eq!(world.faults().mutations().len(), before);
}

#[test]
fn the_last_two_records_are_json_also_for_one_who_wants_silence() {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10);
    let run = |flags: &[&str]| {
        let run = world.sync("tree", "s3://first/p/").without("sync");
        run.arguments(flags).run()
    };
    run(&[]).exit(0);
    for quiet in [&[][..], &["-q"], &["-qq"], &["--show-no-progress"]] {
        case(format_args!("{quiet:?}"));
        let flags = [&["--json-tracing", "--report-sync-status"], quiet].concat();
        let ran = run(&flags);
        ran.exit(0);
        let records: Vec<serde_json::Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let [status, summary] = &records[..] else {
            panic!("two records: {}", ran.told());
        };
        assert_eq!(status["fields"]["status"], "MATCHES", "{status}");
        assert_eq!(summary["fields"]["etag_matches"], 1, "{summary}");
    }
    // what only the target has does not count
    world.put("first", "p/extra", b"x");
    let ran = run(&["--report-sync-status"]);
    ran.exit(0);
    assert!(!ran.stdout.contains("extra"), "{}", ran.told());
    // logs may go elsewhere
    let ran = run(&["--report-sync-status", "--tracing-stderr"]);
    ran.exit(0);
    assert_eq!(ran.stdout, "", "{}", ran.told());
    ran.says("REPORT_SUMMARY");
}

#[test]
fn it_goes_with_nothing_that_would_change_something() {
    let world = World::new();
    world.tree("tree").file("a", 1);
    for other in [
        &["--dry-run"][..],
        &["--delete"],
        &["--head-each-target"],
        &["--enable-versioning"],
        &["--point-in-time", "2024-01-01T00:00:00Z"],
    ] {
        case(format_args!("{other:?}"));
        let run = world.sync("tree", "s3://first/p/").without("sync");
        let ran = run
            .arguments(&["--report-sync-status"])
            .arguments(other)
            .run();
        ran.exit(2).says("cannot be used with");
        assert!(ran.report.is_null());
    }
    // a job file has no such thing, and must not become one that copies
    for words in [
        &[
            "init",
            "--from-cli",
            "--",
            "tree",
            "s3://b/",
            "--report-sync-status",
        ][..],
        &[
            "sync",
            "tree",
            "s3://b/",
            "--report-sync-status",
            "--emit-job",
        ],
    ] {
        case(format_args!("{words:?}"));
        let ran = world.command(words).run();
        ran.exit(2).says("s3sync check");
        assert_eq!(ran.stdout, "", "{}", ran.told());
    }
    assert!(Path::new(&world.path("tree/a")).exists());
}
