/*! What scripts and hooks change of what objects carry: the same whichever way they are written, and
what becomes of an object when they fail.
*/

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use s3sync::engine::run_between;
use s3sync::event::{Event, FailReason, SkipReason};
use s3sync::hook::{HookError, PreprocessHook, Preprocessed, SourceObject, UploadMetadata};
use s3sync::object::{Attributes, Timestamp};
use s3sync::plan::Direction;
use s3sync::sandbox::{Action, Rule, When};
use s3sync::store::memory::MemoryStore;

use crate::engine_room::{Told, context, ends, pair};
use crate::support::{case, key};
use crate::world::{Dress, Ran, Run, Wire, World, content};

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
    for (option, value) in options {
        run = run.set(option, value);
    }
    for (name, source) in [
        ("up", "tree"),
        ("client", "s3://source/"),
        ("server", "s3://source/"),
    ] {
        run = run.pair(name, source, &format!("s3://target/{below}{name}/"));
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

/// What became of a key of a pair, and why.
fn fate(ran: &Ran, pair: &str, key: &str) -> [String; 2] {
    let line = ran.pair(pair).line(key);
    ["outcome", "reason"].map(|name| line[name].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_predecessors_script_that_skips_leaves_everything_out_without_a_warning() {
    let world = world();
    let skip = predecessors("preprocess_callback_skip");
    let ran = all_ways(&world, "", &[(SCRIPT, &skip)]).run();
    ran.exit(0).transferred(0);
    assert!(world.list("target", "").is_empty());
    for (way, key) in WAYS {
        case(format_args!("{way} {key}"));
        assert_eq!(fate(&ran, way, key), ["ok", "lua_cancelled"]);
        assert_eq!(ran.pair(way).count("warnings"), 0);
        assert_eq!(ran.pair(way).count("skipped/total"), 2);
    }
}

/// A failing script, what it is told of, and the file and line of it.
const FAILING: [(&str, &str); 5] = [
    (
        "preprocess_callback_error",
        "preprocess_callback_error.lua:3: This is a test error",
    ),
    ("preprocess_callback_invalid_acl", "`xyz` is no canned ACL"),
    (
        "preprocess_callback_invalid_expire",
        "ABC2029-02-19T12:00:00Z",
    ),
    (
        "preprocess_callback_invalid_request_payer",
        "request_payer must be",
    ),
    (
        "preprocess_callback_invalid_storage_class",
        "`INVALID` is no storage class",
    ),
];

#[test]
fn the_predecessors_failing_scripts_fail_what_the_policy_says_and_nothing_else() {
    for (name, words) in FAILING {
        for policy in ["fail_pair", "fail_object"] {
            case(format_args!("{name}, {policy}"));
            let world = world();
            let ran = world
                .job_in_small_parts()
                .pair("pair", "s3://source/", "s3://target/")
                .set(SCRIPT, &predecessors(name))
                .set("lua.on_error", &format!("'{policy}'"))
                .set("performance.worker_size", "1")
                .pair("other", "tree", "s3://target/other/")
                .run();
            ran.exit(1)
                .transferred(2)
                .says(words)
                .says(&format!("{name}.lua"));
            assert_eq!(ran.pair("other").report["status"], "success");
            assert_eq!(world.uploads("target"), [""; 0]);
            let pair = ran.pair("pair");
            assert_eq!(pair.report["status"], "failed");
            let ended = pair.report["status_reason"].as_str();
            let ended = ended.is_some_and(|reason| reason.contains(words));
            assert_eq!(ended, policy == "fail_pair", "{}", ran.told());
            assert_eq!(pair.count("transferred/total"), 0);
            assert_eq!(fate(&ran, "pair", "large"), ["failed", "lua_error"]);
        }
    }
}

/// Says everything it is told in the user metadata of the object.
const TELL: &str = r#"
local function told(object)
    local names = {}
    for name, value in pairs(object) do
        if name == "metadata" then
            value = ""
            for key, text in pairs(object.metadata) do value = value .. key .. ":" .. text end
        end
        names[#names + 1] = name .. "=" .. tostring(value)
    end
    table.sort(names)
    return table.concat(names, ";")
end

function preprocess_callback(source_object, upload_metadata)
    local before = told(upload_metadata)
    upload_metadata.metadata = { source = told(source_object), upload = before }
    return true, upload_metadata
end
"#;

fn told_of(dress: &Dress, name: &str) -> BTreeMap<String, String> {
    let fields = dress[name].split(';').filter_map(|it| it.split_once('='));
    fields.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[test]
fn a_script_is_told_what_the_source_says_and_what_would_be_written() {
    let world = world();
    let tell = script(&world, "tell", TELL);
    let mut options = SET[8..].to_vec();
    options.push((SCRIPT, &tell));
    let ran = all_ways(&world, "", &options).run();
    ran.exit(0).transferred(6).all_proved();
    for (way, key) in WAYS {
        case(format_args!("{way} {key}"));
        let whole = format!("{way}/{key}");
        let seen = world.dress("target", &whole);
        let size = if key == "large" { LARGE } else { 1000 }.to_string();
        let mut expected = vec![
            ("key", &*whole),
            ("relative_key", key),
            ("pair", way),
            ("size", &size),
            ("content_length", &size),
        ];
        let head = (way != "up").then(|| world.head("source", key));
        let etag = head.as_ref().and_then(|head| head.e_tag());
        let guess = if key == "large" {
            "application/octet-stream"
        } else {
            "application/json"
        };
        match etag {
            None => expected.extend([
                ("content_type", guess),
                ("metadata", ""),
                ("last_modified", "2020-09-13T12:26:40Z"),
            ]),
            Some(etag) => expected.extend([
                ("e_tag", etag),
                ("accept_ranges", "bytes"),
                ("cache_control", "no-store"),
                ("content_type", "text/x-odd"),
                ("expires_string", "Wed, 01 Dec 2055 16:00:00 GMT"),
                ("metadata", "plain:of the source"),
                ("server_side_encryption", "AES256"),
                ("storage_class", "STANDARD_IA"),
                ("tag_count", "1"),
            ]),
        }
        let mut source = told_of(&seen, "meta-source");
        if etag.is_some() {
            assert!(source.remove("last_modified").is_some());
        }
        assert!(source.remove("run_id").is_some());
        // where it was asked for
        source.retain(|name, _| !name.starts_with("checksum_"));
        assert_eq!(source, texts(&expected), "{way} {key}");

        let mut expected = vec![
            ("acl", "public-read"),
            ("content_type", guess),
            ("metadata", ""),
            ("storage_class", "STANDARD_IA"),
            ("tagging", "team=us"),
        ];
        if etag.is_some() {
            expected.extend([
                ("cache_control", "no-store"),
                ("content_type", "text/x-odd"),
                ("expires_string", "2055-12-01T16:00:00Z"),
                ("metadata", "plain:of the source"),
            ]);
        }
        let upload = told_of(&seen, "meta-upload");
        assert_eq!(upload, texts(&expected), "{way} {key}");
    }
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[test]
fn tags_and_acls_can_be_changed_in_every_way() {
    let world = world();
    for (below, change, expected) in [
        ("kept/", "", "of=the source"),
        (
            "more/",
            "upload_metadata.tagging = upload_metadata.tagging .. '&url=https://a.b/c d'",
            "of=the source url=https://a.b/c d",
        ),
        (
            "public/",
            "upload_metadata.acl = 'public-read'",
            "of=the source",
        ),
        ("none/", "upload_metadata.tagging = nil", ""),
        ("empty/", "upload_metadata.tagging = ''", ""),
    ] {
        let text = format!(
            "function preprocess_callback(_, upload_metadata) {change} return true, upload_metadata end"
        );
        let path = script(&world, "tags", &text);
        let mut run = world.job_in_small_parts();
        for way in ["client", "server"] {
            let target = format!("s3://target/{below}{way}/");
            run = run.pair(way, "s3://source/", &target).set(SCRIPT, &path);
        }
        run.set("server_side_copy", "true")
            .run()
            .exit(0)
            .all_proved();
        for (way, key) in &WAYS[2..] {
            case(format_args!("{below} {way} {key}"));
            let tags = world.tags("target", &format!("{below}{way}/{key}"));
            let tags: Vec<_> = tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!(tags.join(" "), expected);
            let dress = world.dress("target", &format!("{below}{way}/{key}"));
            let acl = dress.get("acl").map(String::as_str);
            assert_eq!(acl, (below == "public/").then_some("AllUsers READ"));
        }
    }
}

/// What a script leaves that cannot be written, and what is said of it.
const WRONG: [(&str, &str); 13] = [
    ("u.acl = 'log-delivery'", "`log-delivery` is no canned ACL"),
    (
        "u.content_type = 'a\\nb'",
        "content_type has control characters",
    ),
    (
        "u.website_redirect_location = 'there'",
        "website_redirect_location must be",
    ),
    ("u.metadata['a b'] = 'c'", "has a key `a b`"),
    ("u.metadata.a = 'b\\0c'", "control characters"),
    ("u.metadata = 'a=b'", "metadata must be a table"),
    ("u.metadata.a = {}", "metadata: "),
    ("u.cache_control = {}", "cache_control must be a string"),
    ("u.tagging = 'a=1&a=2'", "says `a` twice"),
    (
        "u.tagging = 'a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1'",
        "11 tags",
    ),
    ("u.expires_string = 'tomorrow'", "`tomorrow` is not a time"),
    ("return true", "must return a boolean and the table"),
    ("u.content_type = '\\xff'", "string of UTF-8"),
];

#[test]
fn what_cannot_be_written_fails_its_object_by_the_name_of_the_script() {
    let world = World::new();
    world.bucket("target");
    let tree = world.tree("tree");
    tree.file("good", 10);
    for (number, _) in WRONG.iter().enumerate() {
        tree.file(&format!("wrong/{number:02}"), 10);
    }
    let mut text =
        "function preprocess_callback(source_object, u) local key = source_object.key ".to_owned();
    for (number, (change, _)) in WRONG.iter().enumerate() {
        let _ = write!(
            text,
            "if key == 'copy/wrong/{number:02}' then {change} end "
        );
    }
    text.push_str("return true, u end");
    let ran = world
        .job()
        .pair("pair", "tree", "s3://target/copy/")
        .set(SCRIPT, &script(&world, "wrong", &text))
        .set("lua.on_error", "'fail_object'")
        .run();
    ran.exit(1).transferred(1);
    for (number, (change, words)) in WRONG.iter().enumerate() {
        case(format_args!("{change}"));
        let line = ran.pair("pair").line(&format!("wrong/{number:02}"));
        assert_eq!(line["reason"], "lua_error", "{line}");
        let message = line["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{line}");
    }
    // nothing was asked of S3 for them
    assert_eq!(world.faults().calls("PutObject"), 1);
}

#[test]
fn each_object_is_asked_about_once_whatever_befalls_its_attempts() {
    let world = world();
    // one object is damaged on its way, and then the class of its source is refused
    let damage = Rule::new(Action::FlipStored).operation("PutObject");
    world.faults().add(damage.when(When::Nth(1)));
    let class = Rule::new(Action::Refuse {
        status: 400,
        code: "InvalidStorageClass".to_owned(),
        retry_after: None,
    });
    let class = class.operation("PutObject").when(When::Nth(2));
    world.faults().add(class);
    let count = r"
local calls = 0
function preprocess_callback(source_object, upload_metadata)
    calls = calls + 1
    upload_metadata.metadata.call = tostring(calls)
    return true, upload_metadata
end
";
    let ran = world
        .job_in_small_parts()
        .pair("pair", "s3://source/", "s3://target/")
        .set(SCRIPT, &script(&world, "count", count))
        .set("performance.worker_size", "1")
        .run();
    ran.transferred(2);
    let calls = |key: &str| world.dress("target", key)["meta-call"].clone();
    assert_eq!([calls("large"), calls("small.json")], ["1", "2"]);
    let small = world.dress("target", "small.json");
    assert_eq!(small.get("storage-class"), None, "{}", ran.told());
}

#[test]
fn a_preprocess_script_is_not_asked_where_nothing_is_written_to_s3() {
    let world = world();
    let fails = predecessors("preprocess_callback_error");
    let dry = all_ways(&world, "", &[(SCRIPT, &fails), ("dry_run", "true")]).run();
    dry.exit(0);
    // a default that does not fit a pair is none of it, and said of the pair itself it is wrong
    let down = world
        .job()
        .set(SCRIPT, &fails)
        .pair("down", "s3://source/", "down")
        .run();
    down.exit(0).transferred(2);
    let said = world
        .job()
        .pair("down", "s3://source/", "down")
        .set(SCRIPT, &fails)
        .run();
    said.exit(2)
        .says("`lua.preprocess_script` means nothing for `down`");
}

#[test]
fn a_pair_that_a_script_fails_ends_at_once() {
    let world = World::new();
    world.bucket("target");
    let tree = world.tree("tree");
    for n in 0..300 {
        tree.file(&format!("{n:03}"), 10);
    }
    let ran = world
        .job()
        .pair("pair", "tree", "s3://target/")
        .set(SCRIPT, &predecessors("preprocess_callback_error"))
        .set("performance.worker_size", "2")
        .run();
    ran.exit(1).transferred(0);
    assert!(ran.pair("pair").count("failed") < 30, "{}", ran.told());
}

#[test]
fn versions_know_where_they_come_from_whatever_a_script_does() {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    for n in 0..3 {
        world.put("first", "a", &content(&format!("a {n}"), 1000 + n));
    }
    let text = r"
function preprocess_callback(source_object, upload_metadata)
    upload_metadata.metadata = { id = source_object.version_id }
    return source_object.size ~= 1001, upload_metadata
end
";
    let path = script(&world, "clear", text);
    let run = |server: &str| {
        let run = world.job().pair("pair", "s3://first/", "s3://second/");
        let run = run.set("versioning.enabled", "true");
        run.set("server_side_copy", server).set(SCRIPT, &path).run()
    };
    let ran = run("false");
    ran.exit(0).transferred(2);
    let ids: Vec<String> = world.history("first").into_iter().map(|it| it.id).collect();
    let copies = world.history("second");
    for (copy, id) in copies.iter().zip([&ids[0], &ids[2]]) {
        for name in ["id", "s3sync_origin_version_id"] {
            let seen = world.metadata_of("second", copy, name);
            assert_eq!(seen.as_ref(), Some(id), "{name}");
        }
        let time = world.metadata_of("second", copy, "s3sync_origin_last_modified");
        assert!(time.is_some());
    }
    // what was left out is left out again, and is nothing to warn of
    for server in ["false", "true"] {
        let ran = run(server);
        ran.exit(0).transferred(0);
        assert_eq!(ran.pair("pair").count("unchanged"), 2);
        assert_eq!(ran.pair("pair").count("skipped/total"), 1);
    }
}

#[test]
fn a_directory_bucket_takes_no_tags_classes_acls_and_redirects() {
    const BUCKET: &str = "fast--use1-az4--x-s3";
    let world = World::new();
    world.bucket(BUCKET);
    let tree = world.tree("tree");
    let changes = [
        ("tagging", "a=b"),
        ("acl", "private"),
        ("storage_class", "STANDARD_IA"),
        ("website_redirect_location", "/there"),
        ("request_payer", "requester"),
    ];
    let mut text = "function preprocess_callback(source_object, u) ".to_owned();
    for (name, value) in changes {
        tree.file(name, 10);
        let _ = write!(
            text,
            "if source_object.key == '{name}' then u.{name} = '{value}' end "
        );
    }
    tree.file("good", 10);
    text.push_str("u.content_type = 'text/x-own' return true, u end");
    let ran = world
        .job()
        .pair("pair", "tree", &format!("s3://{BUCKET}/"))
        .set(SCRIPT, &script(&world, "express", &text))
        .set("lua.on_error", "'fail_object'")
        .run();
    ran.exit(1).transferred(1);
    for (name, _) in changes {
        case(format_args!("{name}"));
        let line = ran.pair("pair").line(name);
        assert_eq!(line["reason"], "lua_error", "{line}");
        let words = format!("express.lua: it sets {name}, which directory buckets do not take");
        let message = line["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(&words), "{line}");
    }
    let head = world.head(BUCKET, "good");
    assert_eq!(head.content_type(), Some("text/x-own"));
}

#[test]
fn who_pays_is_said_of_each_object() {
    let mut world = world();
    let wire = Wire::between(&mut world);
    let text = r#"
function preprocess_callback(source_object, upload_metadata)
    upload_metadata.request_payer = upload_metadata.request_payer == nil and "requester" or nil
    return true, upload_metadata
end
"#;
    let path = script(&world, "payer", text);
    for (pays, options) in [
        (true, vec![(SCRIPT, path.as_str())]),
        (
            false,
            vec![(SCRIPT, path.as_str()), ("target.request_payer", "true")],
        ),
    ] {
        let before = wire.heads().len();
        let below = format!("{pays}/");
        all_ways(&world, &below, &options)
            .run()
            .exit(0)
            .transferred(6);
        let mut writes = 0;
        for head in &wire.heads()[before..] {
            let line = head.lines().next().unwrap_or_default();
            let starts = line.starts_with("POST ") && line.contains("uploads");
            let puts = line.starts_with("PUT ");
            let is_part = line.contains("partNumber=");
            if !(starts || puts) || (is_part && !pays) {
                continue;
            }
            writes += 1;
            let said = head.contains("x-amz-request-payer: requester");
            assert_eq!(said, pays, "{head}");
        }
        assert!(writes >= 6, "{writes}");
    }
}

/// What a hook in Rust may do, by the key it is asked about.
#[derive(Debug, Default)]
struct Own {
    asked: AtomicUsize,
}

#[async_trait]
impl PreprocessHook for Own {
    async fn preprocess(
        &self,
        source: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match source.key.as_str() {
            "skip" => return Ok(Preprocessed::Skip),
            "fail" => return Err(HookError::new("no idea")),
            "wrong" => upload.acl = Some("nobody".to_owned()),
            _ => {}
        }
        upload.content_type = None;
        upload.cache_control = Some(String::new());
        upload.tagging = [("size".to_owned(), source.size.to_string())].into();
        let name = "Size".to_owned();
        upload.metadata.insert(name, "größe".to_owned());
        Ok(Preprocessed::Proceed)
    }
}

/// Says what it is handed by the one before.
#[derive(Debug)]
struct Second;

#[async_trait]
impl PreprocessHook for Second {
    async fn preprocess(
        &self,
        _: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        upload.content_language = upload.tagging.get("size").cloned();
        Ok(Preprocessed::Proceed)
    }

    fn name(&self) -> String {
        "the second".to_owned()
    }
}

#[tokio::test]
async fn hooks_in_rust_are_asked_one_after_the_other() {
    let (source, target) = (MemoryStore::new(), MemoryStore::new());
    let keys = ["fail", "good", "large", "skip", "wrong"];
    for name in keys {
        let bytes = if name == "large" { 20_000 } else { 10 };
        source.insert(&key(name), content(name, bytes), Timestamp::new(1, 0));
    }
    let own = Arc::new(Own::default());
    let told = Arc::new(Told::default());
    let mut context = context(&told);
    context.hooks.preprocess = vec![
        Arc::clone(&own) as Arc<dyn PreprocessHook>,
        Arc::new(Second),
    ];
    let ends_of = ends(&source, &target, Direction::LocalToS3);
    run_between(ends_of, &pair(), &context)
        .await
        .expect("a run");

    assert_eq!(own.asked.load(Ordering::Relaxed), keys.len());
    assert_eq!(told.transferred(), [key("good"), key("large")]);
    let skipped = [("skip".to_owned(), SkipReason::HookCancelled)];
    assert_eq!(told.skipped(), skipped);
    let failed = [
        ("fail", FailReason::HookError),
        ("wrong", FailReason::HookError),
    ];
    assert_eq!(told.failed(), failed.map(|(name, why)| (key(name), why)));
    let words: Vec<String> = told
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Failed { error, .. } => Some(error.to_string()),
            _ => None,
        })
        .collect();
    for expected in [
        "preprocess `fail`: no idea",
        "Own: `nobody` is no canned ACL",
    ] {
        assert!(words.iter().any(|it| it.contains(expected)), "{words:?}");
    }
    for (name, size) in [("good", "10"), ("large", "20000")] {
        let seen = target.get(&key(name)).expect("it arrived");
        assert_eq!(seen.tags, texts(&[("size", size)]));
        let expected = Attributes {
            content_language: Some(size.to_owned()),
            user: texts(&[("size", "=?UTF-8?B?Z3LDtsOfZQ==?=")]),
            ..Attributes::default()
        };
        assert_eq!(seen.attributes, expected, "{name}");
    }

    // never where the target is a directory, and not in a dry run
    for (direction, dry_run) in [(Direction::S3ToLocal, false), (Direction::LocalToS3, true)] {
        let target = MemoryStore::new();
        let mut context = context.clone();
        context.dry_run = dry_run;
        let ends_of = ends(&source, &target, direction);
        run_between(ends_of, &pair(), &context)
            .await
            .expect("a run");
        assert_eq!(own.asked.load(Ordering::Relaxed), keys.len());
    }
}

/// A hook that cannot be trusted any more ends its pair.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl PreprocessHook for Broken {
    async fn preprocess(
        &self,
        _: &SourceObject,
        _: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        Err(HookError::new("broken").for_the_pair())
    }
}

#[tokio::test]
async fn a_hook_in_rust_may_end_the_pair() {
    let (source, target) = (MemoryStore::new(), MemoryStore::new());
    source.insert(&key("a"), content("a", 10), Timestamp::new(1, 0));
    let told = Arc::new(Told::default());
    let mut context = context(&told);
    context.hooks.preprocess = vec![Arc::new(Broken)];
    let ends = ends(&source, &target, Direction::LocalToS3);
    let ended = run_between(ends, &pair(), &context).await;
    let ended = ended.expect_err("the pair ended").to_string();
    assert!(ended.contains("broken"), "{ended}");
    assert_eq!(told.failed(), [(key("a"), FailReason::HookError)]);
    assert!(target.objects().is_empty());
}
