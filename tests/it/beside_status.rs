//! Metadata, tags and annotations compared: the predecessor's records of them, letter for letter,
//! and what the report and the evidence say.

use serde_json::json;

use crate::support::case;
use crate::world::{Headers, Ran, World};

const RECORDED: &str = include_str!("../fixtures/predecessor/beside_status.txt");

const ALL: Headers = Headers {
    cache_control: Some("no-cache"),
    content_disposition: Some("attachment; filename=\"a b.txt\""),
    content_encoding: Some("identity"),
    content_language: Some("de"),
    content_type: Some("text/plain"),
    expires: Some(1_792_567_680),
    website_redirect: Some("/elsewhere"),
    user: &[],
    tags: "",
};

const OTHER: Headers = Headers {
    cache_control: Some("max-age=1"),
    content_disposition: Some("inline"),
    content_encoding: Some("gzip"),
    content_language: Some("fr"),
    content_type: Some("text/html"),
    expires: Some(1_792_654_080),
    website_redirect: Some("/there"),
    user: &[],
    tags: "",
};

const NONE: Headers = Headers::NONE;

/// What the predecessor was run on.
fn world() -> World {
    let world = World::new();
    world.bucket("fixture");
    let same = Headers {
        user: &[("k", "v w,x=y")],
        tags: "a=1&b%20c=x%26y%2Bz",
        ..ALL
    };
    let user = |headers: &Headers, user: &'static [(&str, &str)]| Headers { user, ..*headers };
    let tagged = |tags: &'static str| Headers { tags, ..NONE };
    for (key, source, target) in [
        ("same", same, same),
        (
            "headers",
            user(&ALL, &[("a", "1"), ("b", "2")]),
            user(&OTHER, &[("a", "1"), ("c", "3")]),
        ),
        ("bare", ALL, NONE),
        (
            "origin",
            user(&NONE, &[("k", "v")]),
            user(
                &NONE,
                &[
                    ("k", "v"),
                    ("s3sync_origin_last_modified", "2024-05-06T07:08:09+00:00"),
                    ("s3sync_origin_version_id", "x"),
                ],
            ),
        ),
        ("tags", tagged("a=1&z%2F=%C3%BC%20b"), tagged("a=2&q=")),
        ("untagged", NONE, tagged("a=1")),
        ("notes", NONE, NONE),
    ] {
        world.put_with("fixture", &format!("tree/{key}"), b"x", &source);
        world.put_with("fixture", &format!("other/{key}"), b"x", &target);
    }
    world.put("fixture", "tree/missing", b"x");
    world.put("fixture", "other/extra", b"x");
    for (tree, name, payload) in [
        ("tree", "same", &b"same"[..]),
        ("other", "same", b"same"),
        ("tree", "changed", b"one"),
        ("other", "changed", b"three"),
        ("tree", "only in source", b"1"),
        ("other", "only/in+target", b"22"),
    ] {
        world.annotate("fixture", &format!("{tree}/notes"), name, payload);
    }
    world
}

/// Each block of the recording: the flags, the exit code, the records.
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

/// A record as the recording has it: without the time it was written at.
fn timeless(record: &str) -> String {
    match record.strip_prefix("{\"timestamp\":\"") {
        Some(rest) => {
            let rest = rest.split_once('"').expect("a time").1;
            format!("{{\"timestamp\":\"TIME\"{rest}")
        }
        None => format!("TIME {}", record.split_once(' ').expect("a time").1),
    }
}

#[test]
fn the_records_are_those_of_the_predecessor() {
    let world = world();
    let before = world.faults().mutations().len();
    for (flags, exit, records) in blocks() {
        case(format_args!("{flags}"));
        let flags: Vec<_> = flags.split_whitespace().collect();
        let run = world.sync("s3://fixture/tree/", "s3://fixture/other/");
        let run = run.without("sync").arguments(&["--report-sync-status"]);
        let ran = run.arguments(&flags).run();
        ran.exit(exit);
        let lines = ran.stdout.lines().map(timeless);
        // what is told of contents is held elsewhere
        let mut lines: Vec<_> = lines
            .filter(|line| !line.contains("\"SYNC_STATUS\""))
            .collect();
        lines.sort();
        assert_eq!(lines, records, "{}", ran.told());
    }
    assert_eq!(world.faults().mutations().len(), before);
}

fn check(world: &World, options: &[&str]) -> Ran {
    let mut run = world.job().called("check");
    run = run.pair("one", "s3://fixture/tree/", "s3://fixture/other/");
    for option in options {
        run = run.set(option, "true");
    }
    run.run()
}

#[test]
fn report_and_evidence_say_what_differs_beside_the_content() {
    let world = world();
    let ran = check(&world, &[]);
    ran.exit(3);
    let seen = ran.pair("one");
    assert_eq!(seen.count("compared/matches"), 7, "{}", ran.told());
    assert_eq!(seen.line("tags")["verify"].get("tagging"), None);

    let ran = check(
        &world,
        &["check.metadata", "check.tagging", "check.annotations"],
    );
    ran.exit(3).says("differs");
    let seen = ran.pair("one");
    for (axis, expected) in [
        (
            "metadata",
            json!({"matches": 5, "mismatch": 2, "unknown": 0}),
        ),
        (
            "tagging",
            json!({"matches": 5, "mismatch": 2, "unknown": 0}),
        ),
        (
            "annotations",
            json!({"matches": 6, "mismatch": 1, "unknown": 0}),
        ),
        ("etag", json!({"matches": 7, "mismatch": 0, "unknown": 0})),
    ] {
        assert_eq!(seen.report["counts"]["compared"][axis], expected, "{axis}");
    }
    assert_eq!(seen.count("compared/matches"), 2, "{}", ran.told());
    assert_eq!(seen.count("compared/mismatch"), 5, "{}", ran.told());
    for (key, axis, result, differs) in [
        ("same", "metadata", "matched", json!([])),
        ("same", "tagging", "matched", json!([])),
        ("origin", "metadata", "matched", json!([])),
        (
            "headers",
            "metadata",
            "mismatched",
            json!([
                "cache-control",
                "content-disposition",
                "content-encoding",
                "content-language",
                "content-type",
                "expires",
                "x-amz-meta-b",
                "x-amz-meta-c",
                "x-amz-website-redirect-location"
            ]),
        ),
        ("tags", "tagging", "mismatched", json!(["a", "q", "z/"])),
        ("untagged", "tagging", "mismatched", json!(["a"])),
        (
            "notes",
            "annotations",
            "mismatched",
            json!(["changed", "only in source", "only/in+target"]),
        ),
    ] {
        case(format_args!("{key}: {axis}"));
        let line = seen.line(key);
        let expected = json!({"result": result, "differs": differs});
        assert_eq!(line["verify"][axis], expected, "{line}");
    }
    ran.says("tags differ: a, q, z/");
    ran.says("annotations differ: changed, only in source, only/in+target");
}

#[test]
fn what_may_not_be_read_cannot_be_told() {
    let world = world();
    let denied = json!({"Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObjectTagging",
        "Resource": "arn:aws:s3:::fixture/other/same"
    }]});
    world.policy("fixture", &denied.to_string());
    let ran = check(&world, &["check.tagging"]);
    ran.exit(3);
    let seen = ran.pair("one");
    assert_eq!(seen.count("compared/tagging/unknown"), 1, "{}", ran.told());
    let line = seen.line("same");
    assert_eq!(line["reason"], "unknown", "{line}");
    assert_eq!(
        line["verify"]["tagging"]["result"], "not_verifiable",
        "{line}"
    );
    ran.says("s3:GetObjectTagging");
}
