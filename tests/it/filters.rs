//! Filters on what listings tell: in every direction, counted under the one that rejects first.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use s3sync::object::Timestamp;
use serde_json::Value;

use crate::support::case;
use crate::world::{Ran, Run, World, content};

const OLD: i64 = 1_500_000_000;
const MID: i64 = 1_600_000_000;
const NEW: i64 = 1_700_000_000;

/// Keys, sizes, times. Those with `bad` are rejected by several filters, of which the first counts.
const OBJECTS: [(&str, usize, i64); 10] = [
    ("k-bad", 10, MID),
    ("k-large-bad", 5000, MID),
    ("k-new-bad", 5000, NEW),
    ("k-ok", 10, MID),
    ("k-old-bad", 5000, OLD),
    ("k-other-bad", 10, MID),
    ("k-script", 10, MID),
    ("k-small-bad", 1, MID),
    ("k-x-bad", 10, MID),
    ("zz-bad", 10, MID),
];

/// In the documented order: the option, what a job file says, what the report says, and how many
/// objects are rejected where it is the only one. Of all together, each rejects one.
/// Filters on content types, metadata and tags come after these.
const FILTERS: [(&str, &str, &str, u64); 9] = [
    ("filter.include", "['k-*', 'a']", "k-*, a", 1),
    ("filter.exclude", "['k-x*']", "k-x*", 1),
    (
        "filter.mtime_before",
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20Z",
        1,
    ),
    (
        "filter.mtime_after",
        "2020-09-13T12:26:40Z",
        "2020-09-13T12:26:40Z",
        1,
    ),
    ("filter.smaller_size", "5000", "5000", 3),
    ("filter.larger_size", "10", "10", 1),
    (
        "filter.include_regex",
        "['^k-[^o]', 'ok$', 'old']",
        "^k-[^o], ok$, old",
        2,
    ),
    ("filter.exclude_regex", "['bad']", "bad", 8),
    ("lua.filter_script", "'reject.lua'", "", 9),
];

const SCRIPT: &str = "function filter(object)\n  return not (object.key:find('bad') or object.key:find('script'))\nend\n";

const WAYS: [&str; 5] = ["up", "down", "client", "server", "versions"];

/// The objects in a directory and in a bucket that keeps versions, and the script.
fn world() -> World {
    let mut world = World::new();
    for bucket in ["source", "out"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    let tree = world.tree("tree");
    for (key, size, seconds) in OBJECTS {
        tree.file(key, size).touch(key, seconds);
        world.put("source", key, &content(key, size));
    }
    world.date("source", |n| Timestamp::new(OBJECTS[n].2, 0));
    std::fs::write(world.path("reject.lua"), SCRIPT).expect("a script");
    world
}

/// A pair for each filter, and one for all of them.
fn job<'w>(world: &'w World, way: &str, is_filtered: bool) -> Run<'w> {
    let mut job = world.job();
    for at in 0..=FILTERS.len() {
        let target = match way {
            "down" => format!("out/{at}"),
            _ => format!("s3://out/{at}/"),
        };
        let source = if way == "up" { "tree" } else { "s3://source/" };
        job = job.pair(&format!("f{at}"), source, &target);
        match way {
            "server" => job = job.set("server_side_copy", "true"),
            "versions" => job = job.set("versioning.enabled", "true"),
            _ => {}
        }
        for (n, (option, value, ..)) in FILTERS.iter().enumerate() {
            if is_filtered && (n == at || at == FILTERS.len()) {
                job = job.set(option, value);
            }
        }
    }
    job
}

/// What the report says of one filter in one pair: its value and how many it rejected.
fn rejected<'r>(ran: &'r Ran, pair: &str, filter: &str) -> Vec<(&'r str, u64)> {
    let pair = ran.pair(pair);
    let by = pair.report["counts"]["filtered"]["by"].as_array();
    let of = by.into_iter().flatten().filter(|by| by["filter"] == filter);
    of.map(|by| {
        let origin = by["origin"].as_str().expect("an origin");
        assert!(origin.contains(".toml:"), "{by}");
        (
            by["value"].as_str().expect("a value"),
            by["count"].as_u64().expect("a number"),
        )
    })
    .collect()
}

#[track_caller]
fn filtered_as_documented(ran: &Ran, way: &str) {
    let all = format!("f{}", FILTERS.len());
    for (at, (filter, _, value, alone)) in FILTERS.iter().enumerate() {
        let pair = format!("f{at}");
        for (pair, expected) in [(&pair, *alone), (&all, 1)] {
            let said = rejected(ran, pair, filter);
            let [(said, count)] = said[..] else {
                panic!("{way}, {pair}, {filter}: {said:?}{}", ran.told());
            };
            assert_eq!(count, expected, "{way}, {pair}, {filter}: {}", ran.told());
            assert!(
                said == *value || value.is_empty(),
                "{way}, {filter}: {said}"
            );
        }
        assert_eq!(
            ran.pair(&pair).count("filtered/total"),
            *alone,
            "{way}, {filter}"
        );
    }
    assert_eq!(ran.pair(&all).count("filtered/total"), 9, "{way}");
    let sum: u64 = FILTERS.iter().map(|(.., alone)| alone).sum();
    let totals = &ran.report["totals"]["counts"];
    assert_eq!(
        totals["filtered"]["total"],
        sum + 9,
        "{way}: {}",
        ran.told()
    );
    assert_eq!(totals["reconciled"], true, "{way}: {}", ran.told());
}

#[test]
fn each_filter_alone_and_all_in_order_in_every_direction() {
    let world = world();
    for way in WAYS {
        case(format_args!("{way}"));
        for key in world.list("out", "").keys() {
            world.remove("out", key);
        }
        for version in world.history("out") {
            world.remove_version("out", &version);
        }
        let first = job(&world, way, true).run();
        first.exit(0).all_proved();
        filtered_as_documented(&first, way);
        // everything, and then the same filters: what they reject is not what is unchanged
        let rest: u64 = FILTERS.iter().map(|(.., alone)| alone).sum::<u64>() + 9;
        job(&world, way, false)
            .run()
            .exit(0)
            .transferred(rest as usize);
        let again = job(&world, way, true).run();
        again.exit(0).transferred(0);
        filtered_as_documented(&again, way);
        for at in 0..=FILTERS.len() {
            let name = format!("f{at}");
            let (was, is) = (first.pair(&name), again.pair(&name));
            let passed = was.count("transferred/total");
            assert_eq!(passed + was.count("filtered/total"), 10, "{way}, {name}");
            assert_eq!(
                is.count("unchanged"),
                passed,
                "{way}, {name}: {}",
                again.told()
            );
        }
    }
}

#[test]
fn versions_are_filtered_one_by_one() {
    let world = World::new();
    for bucket in ["source", "out"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    for (key, size) in [("a", 10), ("a", 5000), ("a", 12), ("b", 10), ("b", 5000)] {
        world.put("source", key, &content(key, size));
    }
    world.remove("source", "a");
    for (name, text) in [
        ("latest.lua", "return object.is_latest"),
        ("objects.lua", "return not object.is_delete_marker"),
        ("nothing.lua", "return false"),
    ] {
        let script = format!("function filter(object) {text} end\n");
        std::fs::write(world.path(name), script).expect("a script");
    }
    // how many are filtered, transferred, hidden by a marker; the versions of `a` and `b` there
    let cases = [
        ("filter.smaller_size", "5000", (2, 3, 1), (2, 1)),
        // a marker has no size
        ("filter.larger_size", "11", (2, 3, 1), (2, 1)),
        ("filter.exclude_regex", "['a']", (4, 2, 0), (0, 2)),
        ("lua.filter_script", "'latest.lua'", (4, 1, 0), (0, 1)),
        ("lua.filter_script", "'objects.lua'", (1, 5, 0), (3, 2)),
        ("lua.filter_script", "'nothing.lua'", (6, 0, 0), (0, 0)),
    ];
    let job = |dry: bool| {
        let mut job = world.job();
        for (at, (option, value, ..)) in cases.iter().enumerate() {
            job = job
                .pair(
                    &format!("p{at}"),
                    "s3://source/",
                    &format!("s3://out/{at}/"),
                )
                .set("versioning.enabled", "true")
                .set(option, value);
        }
        job.arguments(if dry { &["--dry-run"] } else { &[] }).run()
    };
    for (round, ran) in [job(true), job(false), job(false)].iter().enumerate() {
        ran.exit(0);
        for (at, (option, value, (filtered, moved, marked), there)) in cases.iter().enumerate() {
            let name = format!("{option} = {value}, round {round}: {}", ran.told());
            let pair = ran.pair(&format!("p{at}"));
            assert_eq!(pair.count("listed/source"), 6, "{name}");
            assert_eq!(pair.count("filtered/total"), *filtered, "{name}");
            let is_new = u64::from(round < 2);
            assert_eq!(pair.count("transferred/total"), moved * is_new, "{name}");
            assert_eq!(
                pair.count("deleted/copied_markers"),
                marked * is_new,
                "{name}"
            );
            if round == 0 {
                continue;
            }
            let copies = |key: &str| {
                let key = format!("{at}/{key}");
                let versions = world.history("out").into_iter();
                versions
                    .filter(|it| it.key == key && it.etag.is_some())
                    .count()
            };
            assert_eq!((copies("a"), copies("b")), *there, "{name}");
        }
    }
}

/// A directory that is left out whole, and beside it what no listing likes.
fn odd(world: &World) {
    let tree = world.tree("tree");
    tree.file("keep", 10).file("b.tmp", 10);
    tree.file("cache/a", 10)
        .file("cache/sub/b", 10)
        .file("cache2/c", 10);
    tree.write(OsStr::from_bytes(b"\xff.tmp"), b"x");
    tree.write(OsStr::from_bytes(b"cache/\xff"), b"x");
    let pipe = Command::new("mkfifo").arg(tree.join("pipe.tmp")).status();
    assert!(pipe.expect("mkfifo").success());
}

fn left_out<'w>(world: &'w World, more: &[&str]) -> Run<'w> {
    (world.job())
        .pair("pair", "tree", "s3://out/")
        .set("filter.exclude", "['cache/**']")
        .set("filter.exclude_regex", r"['\.tmp$']")
        .arguments(more)
}

#[test]
fn excluded_directories_are_not_looked_into_and_oddities_are_filtered_by_name() {
    let world = World::new();
    world.bucket("out");
    odd(&world);
    let ran = left_out(&world, &["-vv", "--set", "report.level=all"]).run();
    ran.exit(0).transferred(2);
    let pair = ran.pair("pair");
    assert_eq!(pair.count("listed/source"), 5, "{}", ran.told());
    assert_eq!(pair.count("warnings"), 0, "{}", ran.told());
    assert_eq!(pair.count("filtered/total"), 3, "{}", ran.told());
    assert_eq!(pair.count("filtered/subtrees"), 1, "{}", ran.told());
    assert_eq!(rejected(&ran, "pair", "filter.exclude"), [("cache/**", 0)]);
    assert_eq!(
        rejected(&ran, "pair", "filter.exclude_regex"),
        [(r"\.tmp$", 3)]
    );
    let line = pair.line("cache/");
    for (field, value) in [
        ("type", "subtree"),
        ("action", "filter"),
        ("outcome", "ok"),
        ("reason", "filter.exclude"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    let by_action = |ran: &Ran| {
        let lines = ran.pair("pair").evidence();
        lines
            .iter()
            .filter(|line| line["action"] == "filter")
            .count()
    };
    assert_eq!(by_action(&ran), 4, "{}", ran.told());
    ran.says("object filtered.").says("not looked into");
    let quiet = left_out(&world, &[]).run();
    quiet.exit(0).transferred(0);
    assert_eq!(by_action(&quiet), 0, "{}", quiet.told());
    assert_eq!(
        quiet.pair("pair").count("filtered/total"),
        3,
        "{}",
        quiet.told()
    );
    assert_eq!(quiet.pair("pair").count("unchanged"), 2, "{}", quiet.told());
}

#[test]
fn a_plan_tells_what_is_filtered_and_by_what() {
    let world = World::new();
    world.bucket("out");
    odd(&world);
    let plan = left_out(&world, &[]).called("plan").run();
    plan.exit(0)
        .says("2 to transfer")
        .says("3 filtered (3 filter.exclude_regex); 1 directory left out whole")
        .says(r"b.tmp  (\.tmp$, ")
        .says("; nothing below it is looked at)");
    let json = left_out(&world, &["--format", "json"]).called("plan").run();
    let lines: Vec<Value> = (json.exit(0).stdout.lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let filtered = lines.iter().filter(|line| line["action"] == "filter");
    assert_eq!(filtered.count(), 4, "{}", json.told());
    let total = lines
        .iter()
        .find(|line| line["type"] == "total")
        .expect("a total");
    assert_eq!(total["counts"]["filtered"]["total"], 3, "{}", json.told());
    assert_eq!(
        total["counts"]["filtered"]["subtrees"],
        1,
        "{}",
        json.told()
    );
}

#[test]
fn a_check_does_not_ask_after_what_is_excluded_on_either_side() {
    let world = World::new();
    world.bucket("source");
    for key in ["dir/keep", "dir/cache/x", "dir/cache/y"] {
        world.put("source", key, b"1");
    }
    let tree = world.tree("tree");
    for key in ["keep", "cache/x", "cache/only", "more"] {
        tree.write(key, b"1");
    }
    // a prefix without its slash leaves one before each key, which is what filters see
    for (source, target, pattern) in [
        ("s3://source/dir", "tree", "^/cache/"),
        ("s3://source/dir/", "tree", "^cache/"),
    ] {
        let check = (world.job())
            .pair("pair", source, target)
            .set("filter.exclude_regex", &format!("['{pattern}']"))
            .called("check")
            .run();
        check.exit(3);
        let pair = check.pair("pair");
        for (name, count) in [
            ("filtered/total", 2),
            ("compared/matches", 1),
            ("compared/only_in_target", 1),
        ] {
            assert_eq!(
                pair.count(name),
                count,
                "{pattern}, {name}: {}",
                check.told()
            );
        }
    }
    let check = (world.job())
        .pair("pair", "tree", "s3://source/dir/")
        .set("filter.exclude", "['cache/**', 'more']")
        .called("check")
        .run();
    check.exit(0);
    let pair = check.pair("pair");
    assert_eq!(pair.count("filtered/total"), 1, "{}", check.told());
    assert_eq!(pair.count("filtered/subtrees"), 1, "{}", check.told());
    assert_eq!(pair.count("compared/matches"), 1, "{}", check.told());
}

#[test]
fn filters_come_before_every_other_look_at_a_key() {
    let world = World::new();
    world.bucket("source");
    // a file where a directory has to be, a way out, a marker, a marker with content
    for key in ["a", "a/b", "x/../y", "dir/", "full/"] {
        let bytes: &[u8] = if key == "dir/" { b"" } else { b"1" };
        world.put("source", key, bytes);
    }
    let ran = (world.job())
        .pair("pair", "s3://source/", "out")
        .set("filter.exclude_regex", r"['^a$', '\.\.', '/$']")
        .run();
    ran.exit(0).transferred(1);
    assert_eq!(
        ran.pair("pair").count("filtered/total"),
        4,
        "{}",
        ran.told()
    );
    assert_eq!(ran.pair("pair").count("skipped/total"), 0, "{}", ran.told());
    assert!(world.tree("out").join("a/b").is_file(), "{}", ran.told());
}

#[test]
fn an_object_on_which_a_pattern_takes_too_long_fails_alone() {
    let world = World::new();
    world.bucket("out");
    let slow = format!("{}c", "a".repeat(60));
    world
        .tree("tree")
        .file(&slow, 10)
        .file("aa", 10)
        .file("b", 10);
    let ran = (world.job())
        .pair("pair", "tree", "s3://out/")
        .set("filter.exclude_regex", r"['^(a|aa)+(?<!b)\1$']")
        .run();
    ran.exit(1).transferred(1).says("filter.exclude_regex");
    let pair = ran.pair("pair");
    assert_eq!(pair.count("filtered/total"), 1, "{}", ran.told());
    assert_eq!(pair.count("failed"), 1, "{}", ran.told());
    assert_eq!(pair.line(&slow)["outcome"], "failed");
}

/// What is written for a byte that is no text is not in the name.
#[test]
fn names_that_are_not_utf_8_are_not_found_by_how_they_are_written() {
    for (option, value, exit) in [
        ("filter.exclude_regex", "['xe9']", 3),
        ("filter.exclude_regex", "['^[a-z0-9.]+$']", 3),
        ("filter.include", "['caf?.jpg', 'd?/*']", 3),
        ("filter.exclude", "['caf?.jpg', 'd?/**']", 0),
        ("filter.exclude_regex", r"['\.jpg$']", 3),
    ] {
        case(format_args!("{option} = {value}"));
        let world = World::new();
        world.bucket("out");
        let tree = world.tree("tree");
        tree.write(OsStr::from_bytes(b"caf\xe9.jpg"), b"1");
        tree.write(OsStr::from_bytes(b"d\xe9/x"), b"1");
        let run = (world.job())
            .pair("pair", "tree", "s3://out/")
            .set(option, value)
            .run();
        run.exit(exit);
    }
}
