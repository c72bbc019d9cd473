//! Tags: the same in every way of copying, and what becomes of those that may not be read.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Rule};
use serde_json::Value;

use crate::support::case;
use crate::world::{Ran, Run, World, content};

const MIB: usize = 1 << 20;

/// Every way from a bucket to a bucket: whether S3 copies, and the key of an object that goes so.
const WAYS: [(&str, bool, &str); 4] = [
    ("PutObject", false, "small"),
    ("parts through the client", false, "large"),
    ("CopyObject", true, "small"),
    ("copies of parts", true, "large"),
];

/// A small object and one in parts below each of these prefixes.
fn world(prefixes: &[&str]) -> World {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    let large = content("large", 11 * MIB);
    for prefix in prefixes {
        world.put("source", &format!("{prefix}small"), b"small");
        let sizes = [5 * MIB, 6 * MIB];
        world.put_in_parts("source", &format!("{prefix}large"), &large, &sizes);
    }
    world
}

/// Both ways of moving, each to a prefix of its own.
fn both_ways<'w>(world: &'w World, options: &[(&str, &str)]) -> Run<'w> {
    let mut run = world.job_in_small_parts();
    for (option, value) in options {
        run = run.set(option, value);
    }
    run.pair("client", "s3://source/", "s3://target/client/")
        .pair("server", "s3://source/", "s3://target/server/")
        .set("server_side_copy", "true")
}

/// What a key has at the target after it went this way.
fn arrived(world: &World, server: bool, key: &str) -> BTreeMap<String, String> {
    world.tags("target", &format!("{}/{key}", name(server)))
}

fn name(server: bool) -> &'static str {
    if server { "server" } else { "client" }
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// Ten, with everything that has to be encoded somewhere.
const TEN: [(&str, &str); 10] = [
    ("plain", "value"),
    ("two words", "a b  c"),
    ("a+b", "1+1=2"),
    ("url", "https://example.com/?q=a&b=c#d"),
    ("per%cent", "100 %"),
    ("größe", "übergröße"),
    ("キー", "値"),
    ("empty", ""),
    ("under_score.dot-dash", "_.:/=+-@"),
    ("quote\"s", "<&>'\""),
];

/// Statement 35: a server-side copy in parts, as all above 5 GiB are, keeps tags.
#[test]
fn tags_are_the_same_whichever_way_an_object_goes() {
    let world = world(&[""]);
    for key in ["small", "large"] {
        world.tag("source", key, &TEN);
    }
    let set = r#"{ "team a" = "x&y=z", e = "" }"#;
    for (what, options, expected) in [
        ("copied", &[][..], tags(&TEN)),
        (
            "set",
            &[("tagging.set", set)],
            tags(&[("team a", "x&y=z"), ("e", "")]),
        ),
        ("dropped", &[("tagging.copy", "false")], tags(&[])),
    ] {
        let options = [options, &[("check.mode", "\"always\"")]].concat();
        let ran = both_ways(&world, &options).run();
        ran.exit(0).transferred(4).all_proved();
        for (way, server, key) in WAYS {
            case(format_args!("{what} by {way}"));
            assert_eq!(arrived(&world, server, key), expected, "{}", ran.told());
        }
    }
    // up from a directory there is nothing to copy
    world.tree("tree").file("small", 10).file("large", 6 * MIB);
    for (option, expected) in [
        (set, tags(&[("team a", "x&y=z"), ("e", "")])),
        ("{}", tags(&[])),
    ] {
        let run = world.job_in_small_parts();
        let run = run.pair("up", "tree", "s3://target/up/");
        let run = run
            .set("tagging.set", option)
            .set("check.mode", "\"always\"");
        run.run().exit(0).transferred(2);
        for key in ["up/small", "up/large"] {
            case(format_args!("{key} up with {option}"));
            assert_eq!(world.tags("target", key), expected);
        }
    }
}

/// S3 tells how many there are only to those who may read them: where it tells nothing, there may be
/// some of that very object.
#[test]
fn tags_are_asked_for_where_there_may_be_any() {
    let world = world(&["", "tagged/"]);
    world.tag("source", "tagged/small", &[("a", "1")]);
    world.tag("source", "tagged/large", &[("a", "1")]);
    world.faults().forget_calls();
    let ran = both_ways(&world, &[]).run();
    ran.exit(0).transferred(8);
    // S3 takes them along where it copies at once
    assert_eq!(world.faults().calls("GetObjectTagging"), 2 * 4 - 2);
    world.faults().forget_calls();
    both_ways(&world, &[]).run().exit(0).transferred(0);
    assert_eq!(world.faults().calls("GetObjectTagging"), 0);
}

/// The lines of evidence of a pair by key.
fn lines(ran: &Ran, pair: &str) -> BTreeMap<String, Value> {
    let lines = ran.pair(pair).evidence().into_iter();
    lines
        .map(|line| (line["key"].as_str().expect("a key").to_owned(), line))
        .collect()
}

#[test]
fn what_may_not_be_read_fails_or_goes_without_in_every_way_alike() {
    let world = world(&["open/", "denied/", "bare/denied/"]);
    for prefix in ["open/", "denied/"] {
        for key in ["small", "large"] {
            world.tag("source", &format!("{prefix}{key}"), &[("a", "1")]);
        }
    }
    let actions = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"];
    world.deny("source", &actions, "*denied/*");

    let ran = both_ways(&world, &[]).run();
    // S3 does not tell those who may not read them whether there are any; only CopyObject goes
    // through where there are none
    ran.exit(1).transferred(5).says("GetObjectTagging");
    assert_eq!(arrived(&world, true, "bare/denied/small"), tags(&[]));
    for (way, server, key) in WAYS {
        case(format_args!("fail: {way}"));
        assert_eq!(
            arrived(&world, server, &format!("open/{key}")),
            tags(&[("a", "1")])
        );
        let denied = format!("denied/{key}");
        let there = world.get("target", &format!("{}/{denied}", name(server)));
        assert_eq!(there, None, "{}", ran.told());
        let line = &lines(&ran, name(server))[&denied];
        assert_eq!(line["outcome"], "failed", "{line}");
        assert_eq!(line["reason"], "tags_denied", "{line}");
        assert_eq!(line["error"]["operation"], "GetObjectTagging", "{line}");
        assert_eq!(line["error"]["code"], "AccessDenied", "{line}");
    }
    assert!(world.uploads("target").is_empty(), "{}", ran.told());

    let skip = [("tagging.on_denied", "\"skip\"")];
    let ran = both_ways(&world, &skip).run();
    ran.exit(3)
        .transferred(7)
        .says("transferred without its tags");
    for (way, server, key) in WAYS {
        case(format_args!("skip: {way}"));
        let denied = format!("denied/{key}");
        assert_eq!(arrived(&world, server, &denied), tags(&[]));
        let line = &lines(&ran, name(server))[&denied];
        assert_eq!(line["outcome"], "warning", "{line}");
        assert_eq!(line["error"]["operation"], "GetObjectTagging", "{line}");
        let sample = &ran.pair(name(server)).report["warnings_sample"];
        assert_eq!(sample[0]["code"], "tags_denied", "{sample}");
        let warned = if server { 3 } else { 4 };
        assert_eq!(ran.pair(name(server)).count("warnings"), warned);
    }

    // nobody has to read what is set, or left behind
    for (option, value, expected) in [
        ("tagging.set", "{ b = \"2\" }", tags(&[("b", "2")])),
        ("tagging.copy", "false", tags(&[])),
    ] {
        let always = ("check.mode", "\"always\"");
        let ran = both_ways(&world, &[(option, value), always]).run();
        ran.exit(0).transferred(12);
        for (way, server, key) in WAYS {
            case(format_args!("{option}: {way}"));
            assert_eq!(arrived(&world, server, &format!("denied/{key}")), expected);
        }
    }
}

#[test]
fn a_copy_that_is_denied_for_another_reason_says_so() {
    let world = world(&[""]);
    world.tag("source", "small", &[("a", "1")]);
    world.deny("target", &["s3:PutObject"], "*small");
    for policy in ["fail", "skip"] {
        case(format_args!("{policy}"));
        let policy = format!("{policy:?}");
        let ran = both_ways(&world, &[("tagging.on_denied", &policy)]).run();
        ran.exit(3);
        for pair in ["client", "server"] {
            let line = &lines(&ran, pair)["small"];
            assert_eq!(line["reason"], "access_denied", "{line}");
        }
    }
}

/// An operation that the endpoint does not know.
fn unknown(operation: &str) -> Rule {
    let refusal = Action::Refuse {
        status: 501,
        code: "NotImplemented".to_owned(),
        retry_after: None,
    };
    Rule::new(refusal).operation(operation)
}

#[test]
fn a_copy_that_is_denied_says_so_where_tags_cannot_be_asked_for() {
    let world = world(&[""]);
    world.deny("target", &["s3:PutObject"], "*small");
    world.faults().add(unknown("GetObjectTagging"));
    for policy in ["fail", "skip"] {
        case(format_args!("{policy}"));
        let policy = format!("{policy:?}");
        let ran = both_ways(&world, &[("tagging.on_denied", &policy)]).run();
        ran.exit(3);
        for pair in ["client", "server"] {
            let line = &lines(&ran, pair)["small"];
            assert_eq!(line["reason"], "access_denied", "{line}");
        }
    }
}

#[test]
fn where_no_tags_are_known_unchanged_objects_stay_as_they_are() {
    let world = World::new();
    for bucket in ["source", "target"] {
        world.bucket(bucket);
        for key in ["a", "b", "c"] {
            world.put(bucket, key, b"x");
        }
    }
    world.tag("source", "a", &[("a", "1")]);
    for operation in ["GetObjectTagging", "PutObjectTagging"] {
        case(format_args!("{operation}"));
        world.faults().add(unknown(operation));
        let run = world.job().pair("one", "s3://source/", "s3://target/");
        let run = run.set("tagging.sync_latest", "true");
        let ran = run.set("check.mode", "\"size\"").run();
        world.faults().clear();
        ran.transferred(0);
        let seen = ran.pair("one");
        assert_eq!(seen.count("unchanged"), 3, "{}", ran.told());
        assert_eq!(seen.count("failed"), 0, "{}", ran.told());
        let lost = &seen.report["guarantees_lost"];
        assert_eq!(lost.as_array().map(Vec::len), Some(1), "{lost}");
        assert!(lost.to_string().contains("tags of unchanged"), "{lost}");
        assert_eq!(world.tags("target", "a"), tags(&[]));
    }
}

#[test]
fn the_tags_of_the_version_that_is_copied_are_taken() {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    for bucket in ["source", "target"] {
        world.keep_versions(bucket);
    }
    world.put("source", "k", b"old");
    world.tag("source", "k", &[("of", "old")]);
    both_ways(&world, &[]).run().exit(0).transferred(2);
    world.put("source", "k", b"newer");
    world.tag("source", "k", &[("of", "new")]);
    both_ways(&world, &[]).run().exit(0).transferred(2);
    for server in [false, true] {
        assert_eq!(arrived(&world, server, "k"), tags(&[("of", "new")]));
    }
}

#[test]
fn tags_of_unchanged_objects_are_brought_up_to_date() {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    let keys = ["changed", "removed", "same", "untagged"];
    for key in keys {
        world.put("source", key, b"x");
        world.tag("source", key, &[("a", "1")]);
    }
    let latest = |flags: &[&str]| {
        let run = world.job().pair("one", "s3://source/", "s3://target/");
        let run = run.set("tagging.sync_latest", "true");
        run.arguments(flags).run()
    };
    latest(&[]).exit(0).transferred(4);
    world.tag("source", "changed", &[("a", "2"), ("b", "1")]);
    world.tag("source", "removed", &[]);
    world.tag("target", "untagged", &[]);
    let before = world.faults().mutations().len();

    let ran = latest(&["--dry-run", "-v"]);
    ran.exit(0)
        .transferred(0)
        .says("[dry-run] sync object tags completed.");
    assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());
    let seen = ran.pair("one");
    assert_eq!((seen.count("unchanged"), seen.count("tagged")), (4, 3));
    assert_eq!(seen.line("changed")["outcome"], "planned");

    let ran = latest(&[]);
    ran.exit(0).transferred(0);
    let seen = ran.pair("one");
    assert_eq!((seen.count("unchanged"), seen.count("tagged")), (4, 3));
    let line = seen.line("changed");
    assert_eq!(line["action"], "tag", "{line}");
    assert_eq!(line["outcome"], "ok", "{line}");
    assert_eq!(line["reason"], "tags_differ", "{line}");
    assert_eq!(line["bytes"], 0, "{line}");
    assert_eq!(
        seen.evidence().len(),
        3,
        "the one that is the same has no line"
    );
    for (key, expected) in [
        ("changed", tags(&[("a", "2"), ("b", "1")])),
        ("removed", tags(&[])),
        ("same", tags(&[("a", "1")])),
        ("untagged", tags(&[("a", "1")])),
    ] {
        assert_eq!(world.tags("target", key), expected, "{key}");
    }
    assert_eq!(
        world.faults().calls("PutObject"),
        8,
        "nothing is sent again"
    );
    assert_eq!(world.faults().calls("DeleteObjectTagging"), 1);

    let before = world.faults().mutations().len();
    let ran = latest(&[]);
    ran.exit(0).transferred(0);
    assert_eq!(ran.pair("one").count("tagged"), 0);
    assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());
}

#[test]
fn tags_that_may_not_be_read_are_left_or_fail_unchanged_objects() {
    let world = World::new();
    for bucket in ["source", "target"] {
        world.bucket(bucket);
    }
    for key in ["denied", "open"] {
        world.put("source", key, b"x");
        world.put("target", key, b"x");
        world.tag("source", key, &[("a", "1")]);
    }
    world.deny("source", &["s3:GetObjectTagging"], "denied");
    for (policy, exit, unchanged, reason) in
        [("fail", 1, 1, "tags_denied"), ("skip", 3, 2, "tags_denied")]
    {
        case(format_args!("{policy}"));
        world.tag("target", "open", &[]);
        let run = world.job().pair("one", "s3://source/", "s3://target/");
        let run = run.set("tagging.sync_latest", "true");
        let run = run.set("tagging.on_denied", &format!("{policy:?}"));
        let ran = run.set("check.mode", "\"size\"").run();
        ran.exit(exit).transferred(0);
        let seen = ran.pair("one");
        assert_eq!(seen.count("unchanged"), unchanged, "{}", ran.told());
        assert_eq!(seen.count("tagged"), 1, "{}", ran.told());
        assert_eq!(seen.line("denied")["reason"], reason);
        assert_eq!(world.tags("target", "open"), tags(&[("a", "1")]));
    }
}
