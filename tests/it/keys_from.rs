//! `filter.keys_from`: exactly the keys of a file are looked at, and nothing is listed.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Rule};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Ran, Run, World};

/// What is at the source in every direction.
const KEYS: [&str; 6] = ["a", "a b+c", "d/e,f", "d/\"q\"", "ü/x", "unnamed"];

/// Both buckets and a tree with the same in each, and something at the targets that nobody names.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for key in KEYS {
        world.tree("tree").file(key, 10);
        world.put("first", &format!("p/{key}"), &[7; 10]);
    }
    world.put("first", "q/other", b"1");
    world.put("second", "t/a", b"other");
    world.put("second", "t/stays", b"1");
    world.tree("down").write("stays", b"1");
    world.faults().forget_calls();
    world
}

/// Every direction, and whether S3 copies.
const WAYS: [(&str, &str, bool); 4] = [
    ("tree", "s3://second/t/", false),
    ("s3://first/p/", "down", false),
    ("s3://first/p/", "s3://second/t/", false),
    ("s3://first/p/", "s3://second/t/", true),
];

fn job<'w>(world: &'w World, (source, target, copies): (&str, &str, bool), file: &str) -> Run<'w> {
    let job = world.job().pair("pair", source, target);
    let job = job.set("filter.keys_from", &format!("{file:?}"));
    if copies {
        job.set("server_side_copy", "true")
    } else {
        job
    }
}

fn keys(world: &World, name: &str, bytes: &[u8]) {
    std::fs::write(world.path(name), bytes).expect("written");
}

/// What became of each key: its action and its reason.
fn fates(ran: &Ran) -> BTreeMap<String, Value> {
    let lines = ran.pair("pair").evidence();
    let fate = |line: &Value| {
        let key = line["key"].as_str().expect("a key").to_owned();
        (key, json!([line["action"], line["reason"]]))
    };
    lines.iter().map(fate).collect()
}

#[track_caller]
fn listed_nothing(world: &World, ran: &Ran) {
    for listing in ["ListObjectsV2", "ListObjects", "ListObjectVersions"] {
        assert_eq!(world.faults().calls(listing), 0, "{}", ran.told());
    }
}

#[test]
fn exactly_the_named_keys_go_in_every_direction() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        keys(
            &world,
            "keys.txt",
            "ü/x\na\nd/e,f\na\n\na b+c\nd/\"q\"\n".as_bytes(),
        );
        let ran = job(&world, way, "keys.txt").run();
        ran.exit(0).transferred(5);
        ran.all_proved();
        listed_nothing(&world, &ran);
        let pair = ran.pair("pair");
        assert_eq!(pair.number("/counts/listed/source"), 5, "{}", ran.told());
        let there = |key: &str| match way.1 {
            "down" => world.tree("down").files().contains_key(key),
            _ => world.get("second", &format!("t/{key}")).is_some(),
        };
        for key in KEYS {
            assert_eq!(there(key), key != "unnamed", "{key}: {}", ran.told());
        }
        assert!(there("stays"));

        let again = job(&world, way, "keys.txt").run();
        again.exit(0).transferred(0);
        assert_eq!(again.pair("pair").count("unchanged"), 5, "{}", again.told());
        listed_nothing(&world, &again);
    }
}

#[test]
fn a_file_may_have_any_form_that_names_keys() {
    let inventory = b"\"first\",\"p/a\",\"10\",\"2026-01-01T00:00:00.000Z\"\n\
        \"first\",\"p/a+b%2Bc\",\"10\"\n\"first\",\"p/d/e%2Cf\",\"10\"\n\"first\",\"p/%C3%BC/x\",\"10\"\n";
    for (name, file, bytes) in [
        ("LF", "k", "a\na b+c\nd/e,f\nü/x\n".as_bytes()),
        ("without the last", "k", "a\na b+c\nd/e,f\nü/x".as_bytes()),
        ("CRLF", "k", "a\r\na b+c\r\nd/e,f\r\nü/x\r\n".as_bytes()),
        ("BOM", "k", "\u{feff}a\r\na b+c\r\nd/e,f\r\nü/x".as_bytes()),
        ("NUL", "k", "a\0a b+c\0d/e,f\0ü/x\0".as_bytes()),
        ("inventory", "k", inventory),
        ("named so", "k.csv", inventory),
        (
            "batch",
            "k.csv",
            b"first,p/a\nfirst,p/a%20b%2Bc,v1\r\nfirst,\"p/d/e,f\"\nfirst,p/%c3%bc/x\nfirst,p/a,v2\n",
        ),
        (
            "with a header",
            "k.csv",
            b"Bucket,Key\nfirst,p/a\nfirst,p/a+b%2Bc\nfirst,p/d/e%2Cf\nfirst,p/%C3%BC/x\n",
        ),
    ] {
        case(format_args!("{name}"));
        let world = world();
        keys(&world, file, bytes);
        let ran = job(&world, WAYS[1], file).run();
        ran.exit(0).transferred(4);
        let seen: Vec<_> = world.tree("down").files().into_keys().collect();
        assert_eq!(seen, ["a", "a b+c", "d/e,f", "stays", "ü/x"], "{}", ran.told());
    }
}

#[test]
fn what_names_no_object_is_told_by_its_line() {
    let long = "l".repeat(1025);
    let text = |more: &str| format!("gone\na\n{long}\nd\n{more}").into_bytes();
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        keys(
            &world,
            "k",
            &[text("b/../c\n"), b"caf\xe9\n".to_vec()].concat(),
        );
        let ran = job(&world, way, "k").run();
        ran.exit(3).transferred(1);
        let pair = ran.pair("pair");
        assert_eq!(pair.number("/counts/listed/source"), 6, "{}", ran.told());
        let fates = fates(&ran);
        for (key, reason) in [
            ("gone", "not_found"),
            ("d", "not_found"),
            (&long, "unsafe_key"),
        ] {
            assert_eq!(fates[key], json!(["skip", reason]), "{}", ran.told());
        }
        assert_eq!(pair.number("/counts/skipped/total"), 5, "{}", ran.told());
        // where both sides are buckets it is a key like any other, and not there
        let unsafe_key = if way.0 == "tree" {
            "unsafe_key"
        } else {
            "not_found"
        };
        assert_eq!(
            fates["b/../c"],
            json!(["skip", unsafe_key]),
            "{}",
            ran.told()
        );
        let gone = pair.line("gone");
        let message = gone["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("line 1"), "{gone}");
    }
}

#[test]
fn rows_of_other_places_are_told_once() {
    let world = world();
    keys(
        &world,
        "k.csv",
        b"first,p/a\nother,p/a\nfirst,q/other\nother,p/b\n",
    );
    let ran = job(&world, WAYS[1], "k.csv").run();
    ran.exit(3).transferred(1);
    let said = "3 rows of `";
    assert_eq!(ran.stderr.matches(said).count(), 1, "{}", ran.told());
    ran.says("the first, line 2, is of the bucket `other`");
}

#[test]
fn a_file_that_may_be_misunderstood_is_refused_with_what_to_do() {
    for (file, bytes, words) in [
        ("k.csv.gz", &b"\x1f\x8b\x08\0\0\0"[..], "gunzip it first"),
        ("k.csv", b"other,p/a\n", "no row is about the source"),
        (
            "k.csv",
            b"first,p/a\nfirst\n",
            "line 2 is no row of a CSV: it has one column",
        ),
        ("k.csv", b"first,100%\n", "`%` is no escape"),
        ("k", b"first,p/a\nplain\n", "separate them by NUL"),
        ("k", b"first,p/a\nother,b\n", "line 2 is of `other`"),
        ("k", b"\"other\",\"p/a\"\n", "of the bucket `other`"),
        ("k", b"a\nb\r\n", "line 2 ends in a carriage return"),
        ("manifest.json", b"{\"fileSchema\": 1}", "manifest"),
    ] {
        case(format_args!("{file} {}", bytes.escape_ascii()));
        let world = world();
        keys(&world, file, bytes);
        let ran = job(&world, WAYS[1], file).run();
        ran.exit(1).says(words);
        assert_eq!(world.tree("down").files().len(), 1, "{}", ran.told());
    }
    let world = world();
    keys(&world, "k.csv", b"first,p/a\n");
    let ran = job(&world, WAYS[0], "k.csv").run();
    ran.exit(1).says("the source is a directory");
}

#[test]
fn a_job_that_cannot_name_keys_does_not_start() {
    let world = world();
    keys(&world, "k", b"a\n");
    for (file, option, words) in [
        ("nowhere", "", "is not there"),
        ("-", "", "standard input is not read"),
        ("tree", "", "which is no file"),
        ("k", "versioning.enabled", "excludes `versioning.enabled`"),
        (
            "k",
            "versioning.point_in_time",
            "excludes `versioning.point_in_time`",
        ),
    ] {
        case(format_args!("{file} {option}"));
        let job = job(&world, WAYS[2], file);
        let job = match option {
            "" => job,
            "versioning.point_in_time" => job.set(option, "\"2026-01-01T00:00:00Z\""),
            _ => job.set(option, "true"),
        };
        job.run().exit(2).says(words);
    }
}

#[test]
fn filters_apply_and_a_check_compares_these_keys_only() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        keys(&world, "k", "a\nd/e,f\nunnamed\nstays\n".as_bytes());
        let filtered = job(&world, way, "k").set("filter.exclude", "[\"un*\"]");
        let ran = filtered.run();
        ran.exit(3).transferred(2);
        let pair = ran.pair("pair");
        assert_eq!(pair.number("/counts/filtered/total"), 1, "{}", ran.told());

        let check = job(&world, way, "k").called("check").run();
        check.exit(3);
        let pair = check.pair("pair");
        let listed = pair.number("/counts/listed/source");
        assert_eq!(listed, 4, "{}", check.told());
        let compared: Vec<_> = pair
            .evidence()
            .iter()
            .map(|line| line["key"].clone())
            .collect();
        assert!(compared.contains(&json!("a")), "{}", check.told());
        assert!(!compared.contains(&json!("ü/x")), "{}", check.told());
        listed_nothing(&world, &check);
    }
}

#[test]
fn a_plan_is_what_the_run_does() {
    let world = world();
    keys(&world, "k", b"a\nd/e,f\ngone\n");
    let ran = job(&world, WAYS[2], "k").called("plan").run();
    ran.exit(3)
        .says("transfer  missing_in_target           10 B  d/e,f\n")
        .says("transfer  size_differs                10 B  a\n")
        .says("skip      not_found                      -  gone")
        .says("2 to transfer");
    listed_nothing(&world, &ran);
}

#[test]
fn a_key_of_which_the_server_cannot_tell_fails_alone() {
    for way in &WAYS[1..] {
        for command in ["run", "plan", "check"] {
            case(format_args!("{way:?}, {command}"));
            let world = world();
            keys(&world, "k", b"a\nd/e,f\nunnamed\n");
            let refused = Action::Refuse {
                status: 500,
                code: "InternalError".to_owned(),
                retry_after: None,
            };
            world.put("second", "t/d/e,f", b"other");
            world.tree("down").write("d/e,f", b"other");
            let poison = Rule::new(refused).operation("HeadObject").key("p/d/e,f");
            world.faults().add(poison);
            let job = job(&world, *way, "k").set("retry.aws_max_attempts", "2");
            let ran = job.called(command).run();
            ran.exit(1).says("d/e,f");
            if command == "plan" {
                ran.says("2 to transfer");
                continue;
            }
            let pair = ran.pair("pair");
            assert_eq!(pair.number("/counts/listed/source"), 3, "{}", ran.told());
            assert_eq!(pair.count("failed"), 1, "{}", ran.told());
            let line = pair.line("d/e,f");
            assert_eq!(line["outcome"], "failed", "{line}");
            assert_eq!(line["reason"], "retries_exhausted", "{line}");
            if command == "run" {
                ran.transferred(2);
            } else {
                // of what could not be seen at the source, nothing says that it is too much
                let extra = pair.count("compared/only_in_target");
                assert_eq!(extra, 0, "{}", ran.told());
                assert_eq!(pair.count("compared/unreadable"), 0, "{}", ran.told());
            }
        }
    }
}
