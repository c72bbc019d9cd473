//! The books of a run, added up by somebody else: the report against its evidence, and both against
//! what was there and what is there now.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Rule};
use serde_json::Value;

use crate::support::case;
use crate::world::{Run, World, content};

const MIB: usize = 1 << 20;

/// What comes with the second run, in bytes: objects that arrive, some that are left out, one that
/// fails, one that may not be read, and one whose key is no path.
const LATER: [(&str, usize); 8] = [
    ("a//b", 70),
    ("changed", 30),
    ("denied", 60),
    ("fails", 50),
    ("left/out.tmp", 40),
    ("new/empty", 0),
    ("new/large", 11 * MIB),
    ("new/small", 1000),
];

/// After a first run of three objects, of which two stay as they are.
fn world(target: &str) -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (key, size) in [("same/a", 10), ("same/b", 20), ("changed", 31)] {
        world.put("first", key, &content(key, size));
    }
    run(&world, target).run().exit(0).transferred(3);
    for (key, size) in LATER {
        let bytes = content(key, size);
        if size > 5 * MIB {
            world.put_in_parts("first", key, &bytes, &[5 * MIB, size - 5 * MIB]);
        } else {
            world.put("first", key, &bytes);
        }
    }
    for (key, status, code) in [
        ("fails", 400, "InvalidRequest"),
        ("denied", 403, "AccessDenied"),
    ] {
        let code = code.to_owned();
        let refuse = Rule::new(Action::Refuse {
            status,
            code,
            retry_after: None,
        });
        world.faults().add(refuse.operation("GetObject").key(key));
    }
    world
}

fn run<'w>(world: &'w World, target: &str) -> Run<'w> {
    let run = world
        .job_in_small_parts()
        .set("filter.exclude", "['**/*.tmp']");
    run.pair("pair", "s3://first/", target)
}

/// Statement 56: counters add up; bytes equal the evidence's sum (level `acts` or `all`).
#[test]
fn counters_add_up_and_bytes_are_those_of_the_evidence() {
    for (target, no_path) in [("down", 1), ("s3://second/", 0)] {
        for level in ["acts", "all"] {
            case(format_args!("{target}, {level}"));
            let world = world(target);
            let set = format!("report.level={level}");
            let ran = run(&world, target).arguments(&["--set", &set]).run();
            ran.exit(1);
            world.faults().clear();
            let pair = ran.pair("pair");
            let arrives = |key: &str| {
                let fails = ["denied", "fails", "left/out.tmp"].contains(&key);
                !fails && (no_path == 0 || key != "a//b")
            };
            let arrived = || LATER.iter().filter(|(key, _)| arrives(key));
            let bytes: u64 = arrived().map(|(_, size)| *size as u64).sum();
            for (count, expected) in [
                ("listed/source", 10),
                ("transferred/total", arrived().count() as u64),
                ("unchanged", 2),
                ("filtered/total", 1),
                ("skipped/total", 1 + no_path),
                ("failed", 1),
                ("not_attempted", 0),
            ] {
                assert_eq!(pair.count(count), expected, "{count}: {}", ran.told());
            }
            assert_eq!(pair.number("/bytes/transferred"), bytes, "{}", ran.told());
            assert_eq!(ran.report["totals"]["bytes"]["transferred"], bytes);
            // the same by the evidence, line by line
            let lines = pair.evidence();
            let mut of_key: BTreeMap<&str, &Value> = BTreeMap::new();
            for line in &lines {
                let key = line["key"].as_str().expect("a key");
                assert!(of_key.insert(key, line).is_none(), "two lines of `{key}`");
            }
            let sum: u64 = lines
                .iter()
                .filter(|line| line["action"] == "transfer" && line["outcome"] == "ok")
                .map(|line| line["bytes"].as_u64().expect("bytes"))
                .sum();
            assert_eq!(sum, bytes);
            for (key, size) in LATER {
                let line = of_key.get(key).map(|line| &line["outcome"]);
                match (key, line) {
                    ("left/out.tmp", None) => assert_eq!(level, "acts"),
                    (_, Some(outcome)) if arrives(key) => assert_eq!(outcome, "ok", "{key}"),
                    (_, Some(outcome)) => assert!(outcome != "ok" || level == "all", "{key}"),
                    (_, None) => panic!("no line of `{key}`: {}", ran.told()),
                }
                let there = match target {
                    "down" => world.tree("down").files().get(key).map(Vec::len),
                    _ => world.get("second", key).map(|bytes| bytes.len()),
                };
                assert_eq!(there, arrives(key).then_some(size), "{key}");
            }
            for key in ["same/a", "same/b"] {
                assert_eq!(of_key.contains_key(key), level == "all", "{key}");
            }
        }
    }
}
