//! `--report-sync-status`: the records of the predecessor, letter for letter.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::plain::Plain;
use crate::support::case;
use crate::world::{Ran, Tree, World, content};

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

const MIB: usize = 1 << 20;

/// The records of a run with these flags, and its exit code held.
fn records(world: &World, (source, target): (&str, &str), flags: &[&str], exit: i32) -> Ran {
    let run = world.sync(source, target).without("sync");
    let run = run.arguments(&["--report-sync-status"]).arguments(flags);
    let ran = run.run();
    ran.exit(exit);
    ran
}

#[test]
fn a_difference_that_is_proved_is_never_lost() {
    let world = World::new();
    let server = Plain::of(&world);
    let (bytes, small) = (content("k", 12 * MIB), content("small", 100));
    let mut other = bytes.clone();
    other[7] ^= 1;
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    // as many parts, cut elsewhere: the ETags tell nothing, the CRC64NVME of the whole does
    let kept = (None, None);
    server.upload("first", "p/k", &bytes, &[5 * MIB, 7 * MIB], kept.clone());
    server.upload("second", "p/k", &other, &[6 * MIB, 6 * MIB], kept);
    // no SHA256, and different ETags
    server.put("first", "q/k", &small, None);
    server.put("second", "q/k", &content("else", 100), None);
    for (prefix, flags, record) in [
        (
            "p",
            &["--check-etag"][..],
            "type=\"ETAG\" status=\"UNKNOWN\"",
        ),
        (
            "q",
            &["--check-additional-checksum", "SHA256"],
            "type=\"CHECKSUM\" status=\"UNKNOWN\"",
        ),
    ] {
        for accepted in [&[][..], &["--set", "verify.unverifiable=accept"]] {
            case(format_args!("{flags:?} {accepted:?}"));
            let ends = (
                &*format!("s3://first/{prefix}/"),
                &*format!("s3://second/{prefix}/"),
            );
            let ran = records(&world, ends, &[flags, accepted].concat(), 3);
            // what was asked for is recorded, and nothing else
            let status: Vec<_> = ran.stdout.lines().collect();
            assert_eq!(status.len(), 2, "{}", ran.told());
            assert!(status[0].contains(record), "{}", ran.told());
            assert!(status[1].contains("_mismatch=0 checksum_mismatch=0"));
            let counted = &ran.report["totals"]["counts"]["compared"]["mismatch"];
            assert_eq!(*counted, 1, "{}", ran.told());
        }
    }
}

#[test]
fn parts_are_asked_for_also_where_a_checksum_of_the_whole_shows_sameness() {
    let world = World::new();
    world.bucket("first");
    let server = Plain::of(&world);
    let tree = world.tree("tree");
    for (key, sizes) in [
        ("equal", [9 * MIB, 9 * MIB, 3]),
        ("unequal", [5 * MIB + 12_345, 6 * MIB, 77]),
        ("common", [17 * MIB, 17 * MIB, 1]),
    ] {
        let bytes = content(key, sizes.iter().sum());
        tree.write(key, &bytes);
        server.upload("first", key, &bytes, &sizes, (None, None));
    }
    for ends in [("s3://first/", "tree"), ("tree", "s3://first/")] {
        case(format_args!("{ends:?}"));
        let ran = records(&world, ends, &["--auto-chunksize", "--check-etag"], 0);
        let matches = ran.stdout.matches("type=\"ETAG\" status=\"MATCHES\"");
        assert_eq!(matches.count(), 3, "{}", ran.told());
    }
}

#[test]
fn a_missing_file_has_its_time_to_the_microsecond() {
    let world = World::new();
    world.bucket("first");
    for (nanoseconds, expected) in [
        ("123456789", "123456"),
        ("123456000", "123456"),
        ("120000999", "12"),
        ("000000999", ""),
    ] {
        let tree = world.tree("tree");
        tree.write("a", b"a");
        let time = format!("2024-05-06T07:08:09.{nanoseconds}Z");
        let touch = Command::new("touch")
            .args(["-d", &time])
            .arg(tree.join("a"))
            .status();
        assert!(touch.expect("touch").success());
        let ran = records(&world, ("tree", "s3://first/"), &[], 3);
        let fraction = match expected {
            "" => String::new(),
            digits => format!(".{digits}"),
        };
        let expected = format!("source_last_modified=\"2024-05-06T07:08:09{fraction}Z\"");
        assert!(ran.stdout.contains(&expected), "{}", ran.told());
    }
}
