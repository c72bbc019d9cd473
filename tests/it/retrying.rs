//! What failed for a reason that may pass is begun once more when everything else is done.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{Ran, Run, World, content, same};

const MIB: usize = 1 << 20;

/// A tree of two files, the same in the bucket `first`, and an empty bucket `second`.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("small", 50_000).file("large", 12 * MIB);
    world.put("first", "small", &content("small", 50_000));
    let large = content("large", 12 * MIB);
    world.put_in_parts("first", "large", &large, &[8 * MIB, 4 * MIB]);
    world.faults().forget_calls();
    world
}

/// A run whose requests are made twice at most, and whose objects are begun twice.
fn impatient(world: &World) -> Run<'_> {
    world
        .job()
        .set("retry.aws_max_attempts", "2")
        .set("retry.force_retry_count", "1")
        // so that it is one part that is refused twice, and not two that are once
        .set("performance.max_parallel_uploads", "1")
}

fn up(world: &World) -> Run<'_> {
    impatient(world).pair("pair", "tree", "s3://second/")
}

fn across(world: &World) -> Run<'_> {
    impatient(world).pair("pair", "s3://first/", "s3://second/")
}

fn inside(world: &World) -> Run<'_> {
    across(world).set("server_side_copy", "true")
}

fn down(world: &World) -> Run<'_> {
    impatient(world).pair("pair", "s3://first/", "down")
}

type Way = fn(&World) -> Run<'_>;

/// An operation, and the key it is about.
type Request = (&'static str, &'static str);

/// Each way with the requests without which an object of it does not arrive.
const WAYS: [(&str, Way, &[Request]); 4] = [
    (
        "up",
        up,
        &[
            ("PutObject", "small"),
            ("CreateMultipartUpload", "large"),
            ("UploadPart", "large"),
            ("CompleteMultipartUpload", "large"),
        ],
    ),
    (
        "across",
        across,
        &[
            ("GetObject", "small"),
            ("PutObject", "small"),
            ("GetObjectTagging", "small"),
            ("UploadPart", "large"),
        ],
    ),
    (
        "inside",
        inside,
        &[("CopyObject", "small"), ("UploadPartCopy", "large")],
    ),
    (
        "down",
        down,
        &[("GetObject", "small"), ("GetObject", "large")],
    ),
];

fn target(world: &World, way: &str) -> BTreeMap<String, Vec<u8>> {
    if way == "down" {
        world.tree("down").files()
    } else {
        world.objects("second", "")
    }
}

fn attempts(ran: &Ran, key: &str) -> u64 {
    ran.pair("pair").line(key)["attempts"]
        .as_u64()
        .expect("a number")
}

#[test]
fn the_failed_are_begun_once_more_and_counted_once() {
    for (way, run, requests) in WAYS {
        for (operation, key) in requests {
            case(format_args!("{way} {operation} {key}"));
            let world = world();
            let rule = Rule::slow_down().operation(operation).key(key);
            world.faults().add(rule.when(When::First(2)));
            let ran = run(&world).run();
            ran.exit(0).transferred(2).all_proved();
            same(&world.tree("tree").files(), &target(&world, way));
            assert_eq!(world.uploads("second"), [""; 0]);
            assert_eq!(attempts(&ran, key), 2, "{}", ran.told());
            let pair = ran.pair("pair");
            assert_eq!(pair.number("/retries/objects_retried"), 1);
            assert_eq!(pair.number("/retries/by_code/object"), 1);
            run(&world).run().exit(0).transferred(0);
        }
    }
}

#[test]
fn what_fails_again_has_failed_once() {
    for (way, run, requests) in WAYS {
        let (operation, key) = requests[0];
        for (again, rounds) in [("1", 2), ("0", 1)] {
            case(format_args!("{way} {operation} {key}, {again}"));
            let world = world();
            let rule = Rule::slow_down().operation(operation).key(key);
            world.faults().add(rule);
            let ran = run(&world).set("retry.force_retry_count", again).run();
            ran.exit(1).transferred(1);
            let pair = ran.pair("pair");
            assert_eq!(pair.count("failed"), 1, "{}", ran.told());
            assert_eq!(pair.count("errors"), 1, "{}", ran.told());
            let line = pair.line(key);
            assert_eq!(line["outcome"], "failed", "{line}");
            assert_eq!(line["reason"], "retries_exhausted", "{line}");
            assert_eq!(line["attempts"], rounds, "{line}");
            // each round makes as many requests as it may
            let refused = pair.number("/retries/by_code/SlowDown");
            assert_eq!(refused, rounds, "{}", ran.told());
        }
    }
}

#[test]
fn damage_is_taken_back_and_sent_once_more_without_a_word() {
    for (way, run, operation) in [
        ("up", up as Way, "PutObject"),
        ("across", across, "PutObject"),
    ] {
        for is_versioned in [false, true] {
            case(format_args!("{way} {is_versioned}"));
            let world = world();
            if is_versioned {
                world.keep_versions("second");
            }
            let rule = Rule::new(Action::FlipStored).operation(operation);
            world.faults().add(rule.when(When::First(2)));
            let ran = run(&world).run();
            ran.exit(0).transferred(2).all_proved();
            assert_eq!(attempts(&ran, "small"), 3, "{}", ran.told());
            same(&world.tree("tree").files(), &target(&world, way));
            if is_versioned {
                let versions = world.versions("second").len();
                assert_eq!(versions, 2, "nothing damaged stays below");
            }
            let ledger = world.path("reports/job/distrusted.ndjson");
            let left = std::fs::read_to_string(ledger).unwrap_or_default();
            assert_eq!(left, "", "nothing is distrusted any more");
        }
    }
}

#[test]
fn damage_of_what_only_may_replace_the_listed_object_is_sent_once_more() {
    for is_versioned in [false, true] {
        case(format_args!("{is_versioned}"));
        let world = world();
        if is_versioned {
            world.keep_versions("second");
        }
        world.put("second", "small", b"older");
        let rule = Rule::new(Action::FlipStored).operation("PutObject");
        world.faults().add(rule.when(When::First(2)));
        let ran = up(&world).set("conditional.if_match", "true").run();
        ran.exit(0).transferred(2).all_proved();
        same(&world.tree("tree").files(), &world.objects("second", ""));
    }
}

#[test]
fn the_versions_behind_one_that_failed_come_after_it() {
    for (operation, refused) in [("PutObject", 2), ("HeadObject", 2), ("DeleteObject", 2)] {
        case(format_args!("{operation}"));
        let world = World::new();
        for bucket in ["first", "second"] {
            world.bucket(bucket);
            world.keep_versions(bucket);
        }
        for content in ["one", "two", "three"] {
            world.put("first", "k", content.as_bytes());
        }
        world.put("first", "other", b"other");
        let run = || across(&world).set("versioning.enabled", "true");
        if operation == "HeadObject" {
            // what is there is asked about
            run().run().exit(0);
            world.put("first", "k", b"four");
        }
        if operation == "DeleteObject" {
            world.remove("first", "k");
        }
        let rule = Rule::slow_down().operation(operation).key("k");
        world.faults().add(rule.when(When::First(refused)));
        let ran = run().run();
        world.faults().clear();
        ran.exit(0);
        assert_eq!(ran.pair("pair").count("not_attempted"), 0);
        let contents = |bucket| -> Vec<Vec<u8>> {
            let history = world.history(bucket);
            let of_key = history.iter().filter(|version| version.key == "k");
            of_key
                .filter(|version| version.etag.is_some())
                .map(|version| world.content_of(bucket, version))
                .collect()
        };
        assert_eq!(contents("second"), contents("first"));
        let again = run().run();
        again.exit(0).transferred(0);
    }
}

#[test]
fn a_version_that_fails_for_good_keeps_back_those_behind_it() {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    for content in ["one", "two", "three"] {
        world.put("first", "k", content.as_bytes());
    }
    let run = || across(&world).set("versioning.enabled", "true");
    world
        .faults()
        .add(Rule::slow_down().operation("PutObject").when(When::From(2)));
    let ran = run().run();
    world.faults().clear();
    ran.exit(1).transferred(1);
    let pair = ran.pair("pair");
    assert_eq!((pair.count("failed"), pair.count("not_attempted")), (1, 1));
    run().run().exit(0).transferred(2);
}

#[test]
fn an_outage_does_not_cost_twice_the_time() {
    let world = World::new();
    world.bucket("second");
    let tree = world.tree("tree");
    for n in 0..400 {
        tree.file(&format!("f{n:03}"), 10);
    }
    world.faults().add(Rule::slow_down().operation("PutObject"));
    let ran = impatient(&world)
        .pair("pair", "tree", "s3://second/")
        .set("retry.aws_max_attempts", "1")
        .run();
    ran.exit(1).transferred(0);
    assert_eq!(ran.pair("pair").count("failed"), 400);
    let calls = world.faults().calls("PutObject");
    // a hundred in a row, and those that were under way
    assert!((500..=532).contains(&calls), "{calls}");
    let once = |line: &serde_json::Value| line["attempts"] == 1;
    let lines = ran.pair("pair").evidence();
    assert!(lines.iter().filter(|line| once(line)).count() >= 268);
}

#[test]
fn a_pair_that_ends_early_begins_nothing_again() {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for n in 0..20 {
        world.put("first", &format!("k{n:02}"), b"content");
    }
    world.faults().forget_calls();
    let refused = Rule::slow_down().operation("GetObject").key("k00");
    world.faults().add(refused);
    let denied = Rule::new(Action::Refuse {
        status: 403,
        code: "AccessDenied".to_owned(),
        retry_after: None,
    });
    // a page of the source's listing
    world.faults().add(
        denied
            .operation("ListObjectsV2")
            .carrying("continuation-token"),
    );
    let ran = across(&world)
        .set("performance.max_keys", "10")
        .set("performance.max_parallel_listings", "1")
        .run();
    ran.exit(1);
    let pair = ran.pair("pair");
    assert_eq!(pair.count("failed"), 1, "{}", ran.told());
    assert_eq!(pair.line("k00")["attempts"], 1);
    assert_eq!(pair.number("/retries/by_code/SlowDown"), 1);
}

#[test]
fn hooks_are_asked_once_about_an_object_that_is_begun_once_more() {
    let world = world();
    let script = "function preprocess_callback(object, metadata)\n  print('asked about ' .. object.key)\n  return true, metadata\nend\n";
    std::fs::write(world.path("hook.lua"), script).expect("a script");
    let rule = Rule::slow_down().operation("PutObject").key("small");
    world.faults().add(rule.when(When::First(2)));
    let ran = up(&world)
        .set("lua.preprocess_script", "\"hook.lua\"")
        .arguments(&["-v"])
        .run();
    ran.exit(0).transferred(2);
    let asked = ran.stderr.matches("asked about small").count();
    assert_eq!(asked, 1, "{}", ran.told());
}
