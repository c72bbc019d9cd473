//! `check`: whether both sides are the same; and nothing changed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use aws_sdk_s3::types::ServerSideEncryption;
use s3sync::sandbox::{Action, Rule};
use serde_json::{Value, json};

use crate::bad_input::can_run;
use crate::plain::Plain;
use crate::support::{case, skipped};
use crate::world::{Ran, Run, World, content};

/// The ways to go, each with its source and its target.
const WAYS: [(&str, &str); 3] = [
    ("tree", "s3://second/q/"),
    ("s3://first/p/", "down"),
    ("s3://first/p/", "s3://second/q/"),
];

/// What both sides of every way have in common, and in what they differ.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let sources = [
        ("a/same", content("same", 1000)),
        ("empty", Vec::new()),
        ("flipped", content("flipped", 1000)),
        ("missing", content("missing", 10)),
        ("size", content("size", 1000)),
    ];
    let mut flipped = content("flipped", 1000);
    flipped[500] ^= 1;
    let targets = [
        ("a/same", content("same", 1000)),
        ("empty", Vec::new()),
        ("extra", content("extra", 10)),
        ("flipped", flipped),
        ("size", content("size", 999)),
    ];
    // same sizes and same times: only the content tells
    for (key, bytes) in &sources {
        world.tree("tree").write(key, bytes);
        world.put("first", &format!("p/{key}"), bytes);
    }
    for (key, bytes) in &targets {
        world.tree("down").write(key, bytes);
        world.put("second", &format!("q/{key}"), bytes);
    }
    world
}

fn check<'w>(world: &'w World, (source, target): (&str, &str)) -> Run<'w> {
    world.job().pair("pair", source, target).called("check")
}

/// Runs it, and asserts that nothing was sent that changes anything, and no file written.
#[track_caller]
fn unchanging(world: &World, run: Run<'_>) -> Ran {
    let before = (
        world.faults().mutations().len(),
        world.tree("down").files(),
        world.tree("tree").files(),
    );
    let ran = run.run();
    let after = (
        world.faults().mutations().len(),
        world.tree("down").files(),
        world.tree("tree").files(),
    );
    assert!(before == after, "something changed: {}", ran.told());
    ran
}

fn compared(ran: &Ran) -> Value {
    let counts = &ran.pair("pair").report["counts"]["compared"];
    let mut counts = counts.clone();
    for part in [
        "checksum",
        "etag",
        "metadata",
        "tagging",
        "annotations",
        "unknown_by",
    ] {
        counts.as_object_mut().expect("counts").remove(part);
    }
    counts
}

#[test]
fn every_difference_is_found_in_every_direction() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let ran = unchanging(&world, check(&world, way));
        ran.exit(3);
        assert_eq!(ran.report["run"]["command"], "check");
        assert_eq!(
            compared(&ran),
            json!({
                "total": 5, "matches": 2, "mismatch": 2, "not_found": 1, "unknown": 0,
                "only_in_target": 1, "size_differs": 1, "unreadable": 0,
            }),
            "{}",
            ran.told()
        );
        let pair = ran.pair("pair");
        let etag = &pair.report["counts"]["compared"]["etag"];
        let expected = json!({"matches": 2, "mismatch": 1, "unknown": 0});
        assert_eq!(*etag, expected, "{}", ran.told());
        assert_eq!(pair.count("warnings"), 4, "{}", ran.told());

        let lines: Vec<_> = pair
            .evidence()
            .iter()
            .map(|line| json!([line["key"], line["action"], line["outcome"], line["reason"]]))
            .collect();
        // in the order of the keys
        let expected = [
            json!(["a/same", "check", "ok", "matches"]),
            json!(["empty", "check", "ok", "matches"]),
            json!(["extra", "check", "warning", "only_in_target"]),
            json!(["flipped", "check", "warning", "mismatch"]),
            json!(["missing", "check", "warning", "not_found"]),
            json!(["size", "check", "warning", "mismatch"]),
        ];
        assert_eq!(lines, expected, "{}", ran.told());
        let flipped = &pair.line("flipped");
        let verdict = &flipped["verify"]["etag"];
        assert_eq!(verdict["result"], "mismatched", "{flipped}");
        assert!(verdict["source"].is_string(), "{flipped}");
        assert_ne!(verdict["source"], verdict["target"], "{flipped}");
        assert!(pair.line("extra")["source"].is_null());
        assert!(pair.line("missing")["target"].is_null());

        let table: Vec<_> = ran.stdout.lines().skip(1).collect();
        assert_eq!(
            table[..2],
            [
                "pair  status   source  target  same  differ  missing  extra  unknown  skipped  errors",
                "pair  warning  5       5       2     2       1        1      0        0        0",
            ],
            "{}",
            ran.told()
        );
        for words in [
            "extra    extra\n",
            "differs  flipped\n         ETag ",
            ", in the target ",
            "missing  missing\n",
            "differs  size\n         size 1000, in the target 999\n",
        ] {
            ran.says(words);
        }
        assert!(
            ran.stdout
                .lines()
                .all(|line| line.chars().count() <= 100 || line.starts_with("report: "))
        );
    }
}

#[test]
fn what_is_the_same_is_a_success() {
    for (source, target) in [
        ("tree", "s3://first/p/"),
        ("s3://first/p/", "tree"),
        ("s3://first/p/", "s3://first/copy/"),
        // nothing on both sides
        ("empty", "s3://second/none/"),
        ("s3://second/none/", "empty"),
        ("s3://second/none/", "s3://first/none/"),
        // as sync leaves them
        ("s3://second/none/", "not-there"),
    ] {
        case(format_args!("{source} {target}"));
        let world = world();
        fs::create_dir(world.path("empty")).expect("a directory");
        for (key, bytes) in world.tree("tree").files() {
            world.put("first", &format!("copy/{key}"), &bytes);
        }
        let ran = unchanging(&world, check(&world, (source, target)));
        ran.exit(0);
        let pair = ran.pair("pair");
        assert_eq!(pair.report["status"], "success");
        let listed = pair.count("listed/source");
        assert_eq!(pair.count("compared/matches"), listed, "{}", ran.told());
        assert!(!world.path("not-there").exists());
    }
}

#[test]
fn what_was_synchronized_is_the_same_in_parts_too() {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("parts", 9 << 20).file("small", 9);
    let job = world
        .job()
        .pair("up", "tree", "s3://first/p/")
        .pair("down", "s3://first/p/", "down")
        .pair("over", "s3://first/p/", "s3://first/q/");
    let job = || job.clone();
    job().run().exit(0);
    let ran = unchanging(&world, job().called("check"));
    ran.exit(0);
    assert_eq!(ran.report["totals"]["counts"]["compared"]["matches"], 6);
    // one bit, and neither size nor time tells
    let mut bytes = content("parts", 9 << 20);
    bytes[8 << 20] ^= 1;
    world.tree("tree").write("parts", &bytes);
    let ran = job().called("check").run();
    ran.exit(3);
    assert_eq!(ran.pair("up").line("parts")["reason"], "mismatch");
    assert_eq!(ran.pair("down").report["status"], "success");
}

#[test]
fn every_key_has_a_symbol_in_the_order_of_the_keys() {
    let expected = "= a/same\n= empty\n- extra\n* flipped\n+ missing\n* size\n";
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let ad_hoc = |list| {
            world
                .sync(way.0, way.1)
                .called("check")
                .arguments(&["--combined", list])
        };
        let ran = unchanging(&world, ad_hoc("-"));
        ran.exit(3);
        assert_eq!(ran.stdout, expected, "{}", ran.told());
        // the table makes way
        assert!(ran.stderr.contains("differ  missing"), "{}", ran.told());

        let ran = unchanging(&world, ad_hoc("list.txt"));
        ran.exit(3);
        assert!(ran.stdout.contains("differ  missing"), "{}", ran.told());
        let list = fs::read_to_string(world.path("list.txt")).expect("a list");
        assert_eq!(list, expected);
    }
}

#[test]
fn the_keys_of_a_job_stand_behind_the_names_of_their_pairs() {
    let world = world();
    let job = || {
        world
            .job()
            .pair("up", "tree", "s3://second/q/")
            .pair("same", "tree", "s3://first/p/")
            .called("check")
            .arguments(&["--combined", "-"])
    };
    let ran = unchanging(&world, job());
    ran.exit(3);
    assert!(ran.stdout.starts_with("= up: a/same\n"), "{}", ran.told());
    assert!(ran.stdout.contains("\n= same: a/same\n"), "{}", ran.told());
    assert_eq!(ran.stdout.lines().count(), 11, "{}", ran.told());
    ran.says("differs  up: flipped");
    // also where it is the only one, so that a list does not change its form
    let ran = unchanging(&world, job().arguments(&["--pair", "same"]));
    ran.exit(0);
    assert!(ran.stdout.starts_with("= same: a/same\n"), "{}", ran.told());
}

#[test]
fn a_list_that_cannot_be_written_is_told_before_anything_begins() {
    let world = world();
    let run = check(&world, WAYS[0]).arguments(&["--combined", "no/such/list"]);
    let ran = run.run();
    ran.exit(2).says("cannot write `no/such/list`");
    assert!(!world.path("reports").exists());
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_are_compared() {
    let world = world();
    let denied = json!({
        "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::first/p/flipped",
        }],
    });
    world.policy("first", &denied.to_string());
    for (source, target) in &WAYS[1..] {
        case(format_args!("{source} {target}"));
        let run = check(&world, (source, target)).arguments(&["--combined", "-"]);
        let ran = unchanging(&world, run);
        ran.exit(3);
        let pair = ran.pair("pair");
        assert_eq!(pair.count("compared/total"), 4, "{}", ran.told());
        assert_eq!(pair.line("flipped")["reason"], "access_denied");
        assert!(ran.stdout.contains("! pair: flipped\n"), "{}", ran.told());
        ran.says("skipped  flipped\n");
    }
}

#[test]
fn what_goes_away_meanwhile_is_missing_where_it_is_missing() {
    for (gone, reason, symbol) in [
        ("q/flipped", "not_found", "+"),
        ("p/flipped", "source_vanished", "!"),
    ] {
        case(format_args!("{gone}"));
        let world = world();
        let refuse = Action::Refuse {
            status: 404,
            code: "NoSuchKey".to_owned(),
            retry_after: None,
        };
        world.faults().add(Rule::new(refuse).key(gone));
        let run = check(&world, WAYS[2]).arguments(&["--combined", "-"]);
        let ran = unchanging(&world, run);
        ran.exit(3);
        let pair = ran.pair("pair");
        assert_eq!(pair.line("flipped")["reason"], reason, "{}", ran.told());
        let line = format!("{symbol} pair: flipped\n");
        assert!(ran.stdout.contains(&line), "{}", ran.told());
    }
}

#[test]
fn an_object_that_cannot_be_compared_fails_and_the_others_are_compared() {
    let world = world();
    let refuse = Action::Refuse {
        status: 501,
        code: "NotImplemented".to_owned(),
        retry_after: None,
    };
    world.faults().add(Rule::new(refuse).key("q/flipped"));
    let run = check(&world, WAYS[2]).arguments(&["--combined", "list"]);
    let ran = unchanging(&world, run);
    ran.exit(1).says("failed   flipped\n");
    let line = ran.pair("pair").line("flipped");
    assert_eq!(
        (&line["action"], &line["outcome"]),
        (&json!("check"), &json!("failed"))
    );
    assert_eq!(ran.pair("pair").count("compared/total"), 4);
}

#[test]
fn what_cannot_be_told_is_a_warning_unless_the_user_says_otherwise() {
    let world = World::new();
    world.bucket("first");
    // put in one, and in parts that nobody could guess: their ETags do not compare
    let bytes = content("k", (11 << 20) + 1);
    world.put("first", "p/k", &bytes);
    world.put_in_parts("first", "q/k", &bytes, &[5 << 20, (6 << 20) + 1]);
    for (unverifiable, exit, symbol, outcome) in [
        ("warn", 3, "?", "warning"),
        ("accept", 0, "?", "ok"),
        ("fail", 1, "!", "failed"),
    ] {
        case(format_args!("{unverifiable}"));
        let run = check(&world, ("s3://first/p/", "s3://first/q/"))
            .set("verify.unverifiable", &format!("{unverifiable:?}"))
            .arguments(&["--combined", "-"]);
        let ran = unchanging(&world, run);
        ran.exit(exit);
        assert_eq!(ran.stdout, format!("{symbol} pair: k\n"), "{}", ran.told());
        let line = ran.pair("pair").line("k");
        assert_eq!(line["outcome"], outcome, "{line}");
        if exit != 1 {
            assert_eq!(line["reason"], "unknown", "{line}");
            let unknown = &ran.pair("pair").report["counts"]["compared"]["unknown_by"];
            assert_eq!(*unknown, json!([{"reason": "layout_unknown", "count": 1}]));
        }
    }
    // and what may be done is told where it matters
    for (unverifiable, is_told) in [("warn", true), ("accept", false)] {
        case(format_args!("{unverifiable}: {is_told}"));
        let run = check(&world, ("s3://first/p/", "s3://first/q/"));
        let ran = run
            .set("verify.unverifiable", &format!("{unverifiable:?}"))
            .run();
        let told = ran.stdout.contains("--check-additional-checksum ALGORITHM");
        assert_eq!(told, is_told, "{}", ran.told());
    }
}

#[test]
fn a_check_of_the_past_is_shown_and_listed_as_a_check() {
    let world = world();
    let ran = check(&world, WAYS[0]).run();
    ran.exit(3);
    let past = |word: &str| {
        let run = world.command(&["report", word]);
        let run = run.arguments(if word == "show" { &["latest"] } else { &[] });
        run.arguments(&["--report-dir", "reports"]).run()
    };
    let shown = past("show");
    let table: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|l| !l.starts_with("report:"))
        .collect();
    let told: Vec<&str> = shown.exit(0).stdout.lines().take(table.len()).collect();
    assert_eq!(told, table);
    shown.says("5: 2 the same, 2 different (1 by size), 1 missing, 0 unknown; 1 extra");
    assert!(!shown.stdout.contains("transferred"), "{}", shown.stdout);
    past("list").exit(0).says("  check  ");
    let verified = world.command(&["report", "verify", "latest", "--offline"]);
    let verified = verified.arguments(&["--report-dir", "reports"]).run();
    verified.exit(0).says(" (a check: it moved nothing): ");
}

#[test]
fn sizes_alone_or_checksums_are_compared_where_that_is_asked_for() {
    let world = world();
    for (mode, algorithm, mismatch, etag, checksum) in [
        ("size", "", 1, 0, 0),
        ("etag", "", 2, 3, 0),
        ("mtime", "", 2, 3, 0),
        ("always", "", 2, 3, 0),
        ("mtime", "CRC32", 2, 0, 3),
        ("checksum", "CRC32", 2, 0, 3),
    ] {
        case(format_args!("{mode} {algorithm}"));
        let mut run = check(&world, WAYS[2]).set("check.mode", &format!("{mode:?}"));
        if !algorithm.is_empty() {
            run = run.set("check.checksum_algorithm", &format!("{algorithm:?}"));
        }
        let ran = unchanging(&world, run);
        ran.exit(3);
        let pair = ran.pair("pair");
        assert_eq!(pair.count("compared/mismatch"), mismatch, "{}", ran.told());
        let looked_at = |axis| {
            let parts = ["matches", "mismatch", "unknown"].into_iter();
            parts
                .map(|part| pair.count(&format!("compared/{axis}/{part}")))
                .sum::<u64>()
        };
        let seen = (looked_at("etag"), looked_at("checksum"));
        assert_eq!(seen, (etag, checksum), "{}", ran.told());
    }
}

#[test]
fn a_side_that_cannot_be_listed_fails_its_pair_alone() {
    let world = world();
    let job = world
        .job()
        .pair("no_tree", "nowhere", "s3://first/p/")
        .pair("no_bucket", "tree", "s3://no-such-bucket/")
        .pair("good", "tree", "s3://first/p/")
        .called("check");
    let ran = unchanging(&world, job);
    ran.exit(1);
    for (pair, status) in [
        ("no_tree", "failed"),
        ("no_bucket", "failed"),
        ("good", "success"),
    ] {
        assert_eq!(ran.pair(pair).report["status"], status, "{}", ran.told());
    }
    ran.says("failed ");
    assert!(!world.path("nowhere").exists());
}

#[test]
fn a_directory_has_no_keys_for_directories() {
    let world = World::new();
    world.bucket("first");
    world.put("first", "p/d/", b"");
    world.put("first", "p/d/a", b"a");
    world.tree("tree").write("d/a", b"a");
    for way in [("tree", "s3://first/p/"), ("s3://first/p/", "tree")] {
        case(format_args!("{way:?}"));
        let ran = check(&world, way).run();
        ran.exit(0);
        assert_eq!(ran.pair("pair").count("compared/matches"), 1);
    }
}

#[test]
fn a_dry_run_in_the_job_is_no_matter_and_the_job_of_the_environment_is_one() {
    let world = world();
    let run = check(&world, WAYS[0]).set("dry_run", "true");
    let ran = unchanging(&world, run);
    ran.exit(3);
    assert_eq!(ran.report["run"]["dry_run"], false);

    let job = "version = 1\n[report]\ndir = 'reports'\n[sandbox]\ndir = 'rehearsal'\n[pairs.a]\nsource = 'tree'\ntarget = 's3://bucket/'\n";
    let ran = world
        .command(&["check"])
        .environment("S3SYNC_JOB_TOML", job)
        .run();
    ran.exit(3);
    assert_eq!(ran.pair("a").count("compared/not_found"), 5);
    // one from stdin, and several
    let ran = world.command(&["check", "-"]).input(job).run();
    ran.exit(3);
    for words in [&["check", "tree"][..], &["check", "s3://first/"]] {
        case(format_args!("{words:?}"));
        world.command(words).run().exit(2);
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_check() {
    let world = world();
    let run = check(&world, ("tree", "s3://first/p/")).arguments(&["--combined", "-"]);
    // a reader that closes its end at once
    let run = run.through(&["sh", "-c", "\"$@\" | true", "sh"]);
    let ran = run.run();
    ran.exit(0);
    assert_eq!(ran.report["run"]["exit_code"], 0, "{}", ran.told());
    assert_eq!(ran.pair("pair").count("compared/matches"), 5);
}

#[test]
fn who_has_not_the_key_of_an_object_is_told_what_it_wants() {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").write("k", b"content");
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let pair = || world.job().pair("pair", "tree", "s3://first/p/");
    let with_key = ["--target-sse-c", "AES256", "--target-sse-c-key", key];
    pair().arguments(&with_key).run().exit(0);
    let ran = check(&world, ("tree", "s3://first/p/")).run();
    ran.exit(1)
        .says("an object encrypted with SSE-C wants its key");
    let run = check(&world, ("tree", "s3://first/p/"));
    run.arguments(&with_key).run().exit(0);
}

#[test]
fn what_another_checksum_proves_counts_where_the_one_asked_for_is_not_kept() {
    let world = World::new();
    let server = Plain::of(&world);
    let bytes = content("k", 5000);
    world.tree("tree").write("k", &bytes);
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        // its ETag is no digest, and S3 keeps a CRC64NVME
        server.put(bucket, "k", &bytes, Some(ServerSideEncryption::AwsKms));
    }
    for way in [
        ("tree", "s3://first/"),
        ("s3://first/", "tree"),
        ("s3://first/", "s3://second/"),
    ] {
        case(format_args!("{way:?}"));
        let run = check(&world, way).arguments(&["--check-additional-checksum", "SHA256"]);
        let ran = unchanging(&world, run);
        ran.exit(0);
        assert_eq!(ran.pair("pair").count("compared/matches"), 1);
        assert_eq!(ran.pair("pair").count("compared/checksum/unknown"), 1);
        let line = ran.pair("pair").line("k");
        assert_eq!(line["reason"], "matches", "{line}");
        assert_eq!(line["verify"]["checksum"]["why"], "no_checksum", "{line}");
        let aside = &line["verify"]["aside"];
        assert_eq!(aside["result"], "matched", "{line}");
        assert_eq!(aside["algorithm"], "CRC64NVME", "{line}");
    }
}

#[test]
fn nothing_is_said_to_be_extra_below_a_directory_that_cannot_be_read() {
    let world = World::new();
    world.bucket("first");
    let tree = world.tree("tree");
    for key in ["a", "closed/x", "closed/y/z", "d"] {
        tree.write(key, b"same");
        world.put("first", key, b"same");
    }
    world.put("first", "closed-too", b"extra");
    world.put("first", "closed/w", b"hidden");
    let lock = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(tree.join("closed"), permissions).expect("a mode");
    };
    lock(0o000);
    // permissions do not bind root, unless it gives that up
    let humble: &[&str] = match fs::read_dir(tree.join("closed")) {
        Err(_) => &[],
        Ok(_) => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
    };
    if !humble.is_empty() && !can_run(humble) {
        lock(0o755);
        return skipped("an_unreadable_directory", "root may read everything");
    }
    let run = check(&world, ("tree", "s3://first/")).arguments(&["--combined", "-"]);
    let ran = run.through(humble).run();
    let records = world.sync("tree", "s3://first/").without("sync");
    let records = records.arguments(&["--report-sync-status"]);
    let records = records.through(humble).run();
    lock(0o755);
    ran.exit(3);
    let expected = [
        "= pair: a",
        "- pair: closed-too",
        "! pair: closed/w",
        "! pair: closed/x",
        "! pair: closed/y/z",
        "= pair: d",
    ];
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines, expected, "{}", ran.told());
    let pair = ran.pair("pair");
    let line = pair.line("closed/x");
    assert_eq!(line["reason"], "unreadable_directory", "{line}");
    assert_eq!(line["outcome"], "warning", "{line}");
    assert_eq!(pair.count("compared/only_in_target"), 1);
    assert_eq!(pair.count("compared/unreadable"), 3);
    assert_eq!(pair.count("compared/total"), 2);
    ran.says("nothing below it was looked at");
    assert!(!ran.told().contains("synchronized"), "{}", ran.told());
    records.exit(3);
    assert!(!records.stdout.contains("closed/x"), "{}", records.told());
}
