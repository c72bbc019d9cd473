/*! What scripts and hooks change of what objects carry: the same whichever way they are written, and
what becomes of an object when they fail.
*/

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::case;
use crate::world::{Dress, Run, World, content};

const MIB: usize = 1 << 20;

/// From five MiB on objects are written in parts.
const LARGE: usize = 5 * MIB + 1;

/// Every way of writing: the pair, and the key of an object that goes so.
const WAYS: [(&str, &str); 6] = [
    ("up", "small.json"),
    ("up", "large"),
    ("client", "small.json"),
    ("client", "large"),
    ("server", "small.json"),
    ("server", "large"),
];

/// What the source's objects have in S3.
const SOURCE: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-type", "text/x-odd"),
    ("expires", "Wed, 01 Dec 2055 16:00:00 GMT"),
    ("meta-plain", "of the source"),
    ("storage-class", "STANDARD_IA"),
];

/// A small and a large object in a directory and in a bucket.
fn world() -> World {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    let tree = world.tree("tree");
    for (name, size) in [("small.json", 1000), ("large", LARGE)] {
        tree.file(name, size);
        let (bytes, dress) = (content(name, size), dress(&SOURCE));
        if size == LARGE {
            world.put_parts_dressed("source", name, &bytes, 5 * MIB, &dress);
        } else {
            world.put_dressed("source", name, &bytes, &dress);
        }
        world.tag("source", name, &[("of", "the source")]);
    }
    world
}

/// All ways of writing below a prefix, with these options.
fn all_ways<'w>(world: &'w World, below: &str, options: &[(&str, &str)]) -> Run<'w> {
    let mut run = world.job_in_small_parts();
    for (name, source) in [
        ("up", "tree"),
        ("client", "s3://source/"),
        ("server", "s3://source/"),
    ] {
        run = run.pair(name, source, &format!("s3://target/{below}{name}/"));
        for (option, value) in options {
            run = run.set(option, value);
        }
    }
    run.set("server_side_copy", "true")
}

fn dress(pairs: &[(&str, &str)]) -> Dress {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// One of the predecessor's own scripts, as an option's value.
fn predecessors(name: &str) -> String {
    let dir = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/predecessor/scripts"
    );
    format!("'{dir}/{name}.lua'")
}

/// A script of this text, as an option's value.
fn script(world: &World, name: &str, text: &str) -> String {
    let path = world.path(format!("{name}.lua"));
    std::fs::write(&path, text).expect("a script");
    format!("'{}'", path.display())
}

const SCRIPT: &str = "lua.preprocess_script";

#[test]
fn the_predecessors_script_changes_what_it_names_however_an_object_is_written() {
    let world = world();
    let set = predecessors("preprocess_callback");
    let ran = all_ways(&world, "", &[(SCRIPT, &set)]).run();
    ran.exit(0).transferred(6).all_proved();
    for (way, key) in WAYS {
        case(format_args!("{way} {key}"));
        let key = format!("{way}/{key}");
        let mut expected = dress(&[
            ("cache-control", "s-maxage=1604800"),
            (
                "content-disposition",
                "attachment; filename=\"filename.jpg\"",
            ),
            ("content-encoding", "deflate"),
            ("content-language", "en-US,en-CA"),
            ("content-type", "application/vnd.ms-excel"),
            ("expires", "Thu, 20 May 2055 00:00:00 GMT"),
            ("meta-key1", "value1"),
            ("meta-key2", "value2"),
            ("website-redirect", "/redirect"),
        ]);
        if way != "up" {
            // what it does not name stays
            expected.extend(dress(&[
                ("meta-plain", "of the source"),
                ("storage-class", "STANDARD_IA"),
            ]));
        }
        assert_eq!(world.dress("target", &key), expected);
        let tags = world.tags("target", &key);
        let tags: Vec<_> = tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(tags, ["tag1=tag_value1", "tag2=tag_value2"]);
    }
    // and the second run has nothing to do
    all_ways(&world, "", &[(SCRIPT, &set)])
        .run()
        .exit(0)
        .transferred(0);
}

/// Everything that a job can set.
const SET: [(&str, &str); 11] = [
    ("metadata.cache_control", "'public'"),
    ("metadata.content_disposition", "'inline'"),
    ("metadata.content_encoding", "'br'"),
    ("metadata.content_language", "'fr'"),
    ("metadata.content_type", "'image/x-own'"),
    ("metadata.expires", "2050-01-02T03:04:05Z"),
    ("metadata.website_redirect", "'/elsewhere'"),
    ("metadata.user", "{ owner = 'me' }"),
    ("tagging.set", "{ team = 'us' }"),
    ("target.storage_class", "'STANDARD_IA'"),
    ("target.acl", "'public-read'"),
];

#[test]
fn the_predecessors_script_that_clears_everything_leaves_nothing() {
    let world = world();
    let nil = predecessors("preprocess_callback_to_nil");
    let mut options = SET.to_vec();
    options.push((SCRIPT, &nil));
    options.push(("target.request_payer", "true"));
    let ran = all_ways(&world, "", &options).run();
    ran.exit(0).transferred(6).all_proved();
    for (way, key) in WAYS {
        case(format_args!("{way} {key}"));
        let key = format!("{way}/{key}");
        let untyped = dress(&[("content-type", "binary/octet-stream")]);
        assert_eq!(world.dress("target", &key), untyped);
        assert_eq!(world.tags("target", &key), BTreeMap::new());
    }
}

#[test]
fn the_predecessors_example_runs_and_sets_class_acl_and_payer() {
    let world = world();
    let example = predecessors("preprocess_callback_example");
    let ran = all_ways(&world, "", &[(SCRIPT, &example)]).run();
    ran.exit(0).transferred(6).all_proved();
    for (way, key) in WAYS {
        case(format_args!("{way} {key}"));
        let key = format!("{way}/{key}");
        let seen = world.dress("target", &key);
        for (name, value) in [
            ("cache-control", "s-maxage=1604800"),
            ("content-disposition", "inline"),
            ("content-encoding", "gzip"),
            ("content-language", "en-US"),
            ("content-type", "video/mpeg"),
            ("expires", "Mon, 19 Feb 2029 12:00:00 GMT"),
            ("meta-my_custom_key", "new_value3"),
            ("storage-class", "INTELLIGENT_TIERING"),
            ("website-redirect", "https://example.com/redirect"),
        ] {
            assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(world.tags("target", &key)["tag777"], "value777");
    }
}

/// What became of the keys of a pair, by their lines of evidence.
fn fates(ran: &crate::world::Ran, pair: &str) -> BTreeMap<String, (String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = ran.pair(pair).evidence().into_iter();
    lines
        .filter(|line| line["key"].is_string())
        .map(|line| {
            let fate = (word(&line["outcome"]), word(&line["reason"]));
            (word(&line["key"]), fate)
        })
        .collect()
}

#[test]
fn the_predecessors_script_that_skips_leaves_everything_out_without_a_warning() {
    let world = world();
    let skip = predecessors("preprocess_callback_skip");
    let ran = all_ways(&world, "", &[(SCRIPT, &skip)]).run();
    ran.exit(0).transferred(0);
    assert!(world.list("target", "").is_empty());
    for way in ["up", "client", "server"] {
        let fates = fates(&ran, way);
        assert_eq!(fates.len(), 2, "{way}");
        for (key, (outcome, reason)) in fates {
            assert_eq!(outcome, "skipped", "{way} {key}: {}", ran.told());
            assert_eq!(reason, "lua_cancelled", "{way} {key}");
        }
    }
}
