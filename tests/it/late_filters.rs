/*! Filters on content types, metadata and tags: they are asked about what would be transferred, in
every direction and way of writing, in their order, with no request more than they need.
*/

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::case;
use crate::world::{Headers, Ran, Run, Wire, World, content};

const MIB: usize = 1 << 20;

/// Every way out of a bucket: its target, and whether S3 copies.
const WAYS: [(&str, &str); 3] = [
    ("down", "false"),
    ("s3://second/q/", "false"),
    ("s3://second/q/", "true"),
];

/// Objects by what they have beside their bytes; one of them in parts.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (key, headers) in [
        (
            "page",
            Headers {
                content_type: Some("text/html; charset=utf-8"),
                user: &[("team", "a,b"), ("Lang", "de")],
                tags: "project=apollo&a%20b=x%26y",
                ..Headers::NONE
            },
        ),
        (
            "photo",
            Headers {
                content_type: Some("image/jpeg"),
                user: &[("team", "red")],
                tags: "project=zeus",
                ..Headers::NONE
            },
        ),
        ("plain", Headers::NONE),
    ] {
        let bytes = key.as_bytes();
        world.put_with("first", &format!("p/{key}"), bytes, &headers);
    }
    let large = [
        ("content-type", "video/mp4"),
        ("meta-team", "red"),
        ("meta-size", "1 2"),
    ];
    let large = large.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let bytes = content("large", 11 * MIB);
    world.put_parts_dressed("first", "p/large", &bytes, 5 * MIB, &large.into());
    world.tag("first", "p/large", &[("project", "apollo")]);
    world.faults().forget_calls();
    world
}

/// A run of the pair `pair` that goes this way with these options.
fn run<'w>(world: &'w World, (target, inside): (&str, &str), options: &[(&str, &str)]) -> Run<'w> {
    let mut run = world
        .job_in_small_parts()
        .pair("pair", "s3://first/p/", target);
    if target.starts_with("s3://") {
        run = run.set("server_side_copy", inside);
    }
    for (option, value) in options {
        run = run.set(option, value);
    }
    run
}

/// What has arrived, and is removed.
fn arrived(world: &World, target: &str) -> Vec<String> {
    if target.starts_with("s3://") {
        let keys: Vec<String> = world.objects("second", "q/").into_keys().collect();
        for key in &keys {
            world.remove("second", &format!("q/{key}"));
        }
        return keys;
    }
    let tree = world.tree(target);
    let keys: Vec<String> = tree.files().into_keys().collect();
    for key in &keys {
        std::fs::remove_file(tree.join(key)).expect("a file");
    }
    keys
}

/// What rejected how many: the filter without `filter.`, its value and the number.
fn filtered_by(ran: &Ran) -> Vec<(String, String, u64)> {
    let by = ran.pair("pair").report["counts"]["filtered"]["by"].as_array();
    let text = |it: &Value| it.as_str().expect("text").to_owned();
    let each = by.into_iter().flatten().map(|by| {
        let origin = text(&by["origin"]);
        assert!(origin.contains("job.toml:"), "{origin}");
        let filter = text(&by["filter"]).replace("filter.", "");
        let count = by["count"].as_u64().expect("a count");
        (filter, text(&by["value"]), count)
    });
    each.collect()
}

/// Asserts what a run has brought over and what rejected the rest.
#[track_caller]
fn is(ran: &Ran, goes: &[&str], by: &[(&str, &str, u64)]) {
    let pair = ran.pair("pair");
    ran.transferred(goes.len()).all_proved();
    let owned =
        |&(filter, value, count): &(&str, &str, u64)| (filter.to_owned(), value.to_owned(), count);
    let expected: Vec<_> = by.iter().map(owned).collect();
    assert_eq!(filtered_by(ran), expected, "{}", ran.told());
    let total: u64 = by.iter().map(|by| by.2).sum();
    assert_eq!(pair.count("filtered/total"), total, "{}", ran.told());
    assert_eq!(pair.count("unchanged"), 0, "{}", ran.told());
}

type Options = &'static [(&'static str, &'static str)];
type By = &'static [(&'static str, &'static str, u64)];

/// Options, what goes, and what rejects the rest.
const CASES: &[(&str, Options, &[&str], By)] = &[
    (
        "types that start like this",
        &[(
            "filter.include_content_type_regex",
            "['^image/', '^video/']",
        )],
        &["large", "photo"],
        &[("include_content_type_regex", "^image/, ^video/", 2)],
    ),
    (
        "types anywhere, each for itself",
        &[(
            "filter.exclude_content_type_regex",
            "['html', 'mp4$', 'nothing']",
        )],
        &["photo", "plain"],
        &[
            ("exclude_content_type_regex", "html", 1),
            ("exclude_content_type_regex", "mp4$", 1),
        ],
    ),
    (
        "what nobody gave a type has S3's",
        &[(
            "filter.include_content_type_regex",
            "['^(application|binary)/octet-stream$']",
        )],
        &["plain"],
        &[(
            "include_content_type_regex",
            "^(application|binary)/octet-stream$",
            3,
        )],
    ),
    (
        "what has no metadata is not included",
        &[("filter.include_metadata_regex", "['^', '.*']")],
        &["large", "page", "photo"],
        &[("include_metadata_regex", "^, .*", 1)],
    ),
    (
        "nor excluded",
        &[("filter.exclude_metadata_regex", "['.*']")],
        &["plain"],
        &[("exclude_metadata_regex", ".*", 3)],
    ),
    (
        "keys of metadata in lower case and sorted, values encoded",
        &[(
            "filter.include_metadata_regex",
            "['^lang=de,team=a%2Cb$', '^size=1%202,team=red$']",
        )],
        &["large", "page"],
        &[(
            "include_metadata_regex",
            "^lang=de,team=a%2Cb$, ^size=1%202,team=red$",
            2,
        )],
    ),
    (
        "nothing of metadata is plain",
        &[("filter.include_metadata_regex", "['a,b', '1 2', 'Lang']")],
        &[],
        &[("include_metadata_regex", "a,b, 1 2, Lang", 4)],
    ),
    (
        "what has no tags is not included",
        &[("filter.include_tag_regex", "['^', '.*']")],
        &["large", "page", "photo"],
        &[("include_tag_regex", "^, .*", 1)],
    ),
    (
        "nor excluded by tags",
        &[("filter.exclude_tag_regex", "['.*']")],
        &["plain"],
        &[("exclude_tag_regex", ".*", 3)],
    ),
    (
        "tags sorted, keys and values encoded",
        &[(
            "filter.include_tag_regex",
            "['^a%20b=x%26y&project=apollo$', '^project=zeus$']",
        )],
        &["page", "photo"],
        &[(
            "include_tag_regex",
            "^a%20b=x%26y&project=apollo$, ^project=zeus$",
            2,
        )],
    ),
    (
        "patterns that look around",
        &[
            ("filter.include_content_type_regex", r"['^(?!image)']"),
            ("filter.exclude_metadata_regex", r"['(?<=team=)red']"),
            ("filter.exclude_tag_regex", r"['^(?=.*apollo)(?=.*a%20b)']"),
        ],
        &["plain"],
        &[
            ("exclude_metadata_regex", "(?<=team=)red", 1),
            ("exclude_tag_regex", "^(?=.*apollo)(?=.*a%20b)", 1),
            ("include_content_type_regex", "^(?!image)", 1),
        ],
    ),
];

#[test]
fn each_filter_in_every_way() {
    let world = world();
    for way in WAYS {
        for (name, options, goes, by) in CASES {
            case(format_args!("{name}, {way:?}"));
            let ran = run(&world, way, options).run();
            ran.exit(0);
            is(&ran, goes, by);
            assert_eq!(arrived(&world, way.0), *goes, "{}", ran.told());
        }
    }
}

/// All six, each of which rejects what the one before lets pass, and an early one before them.
#[test]
fn the_first_that_rejects_is_the_one_that_counts() {
    const ORDER: [(&str, &str); 7] = [
        ("filter.exclude_regex", "['0']"),
        ("filter.include_content_type_regex", "['2']"),
        ("filter.exclude_content_type_regex", "['1']"),
        ("filter.include_metadata_regex", "['4']"),
        ("filter.exclude_metadata_regex", "['3']"),
        ("filter.include_tag_regex", "['6']"),
        ("filter.exclude_tag_regex", "['5']"),
    ];
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    // the n-th object is rejected by the n-th filter and all after it
    for (n, letter) in ('a'..='h').enumerate() {
        let bad = |at: usize| n <= at;
        let text = |include: usize, good: char, evil: char| {
            let mut text = String::from("x/y");
            if !bad(include) {
                text.push(good);
            }
            if bad(include + 1) {
                text.push(evil);
            }
            text
        };
        let key = format!("p/{}{letter}", if bad(0) { "0" } else { "k" });
        let dress = [
            ("content-type", text(1, '2', '1')),
            ("meta-m", text(3, '4', '3')),
        ];
        let dress = dress.map(|(name, value)| (name.to_owned(), value));
        world.put_dressed("first", &key, b"x", &dress.into());
        world.tag("first", &key, &[("t", &text(5, '6', '5'))]);
    }
    for way in WAYS {
        case(format_args!("{way:?}"));
        let ran = run(&world, way, &ORDER).run();
        ran.exit(0);
        let mut expected: Vec<(&str, &str, u64)> = (ORDER.iter())
            .map(|(filter, value)| {
                (
                    &filter["filter.".len()..],
                    value.trim_matches(['[', '\'', ']']),
                    1,
                )
            })
            .collect();
        expected.sort_unstable();
        let [goes] = &arrived(&world, way.0)[..] else {
            panic!("one goes: {}", ran.told());
        };
        is(&ran, &[goes], &expected);
    }
}

#[test]
fn files_have_the_type_that_their_name_says() {
    let world = World::new();
    world.bucket("second");
    let tree = world.tree("tree");
    for name in ["a.html", "b.JPG", "c", "d.tar.gz", "e/large.mp4"] {
        tree.file(name, 10);
    }
    tree.file("e/large.mp4", 6 * MIB);
    for (name, options, goes, by) in [
        (
            "included",
            &[("filter.include_content_type_regex", "['^(text|video)/']")][..],
            &["a.html", "e/large.mp4"][..],
            &[("include_content_type_regex", "^(text|video)/", 3)][..],
        ),
        (
            "excluded",
            &[(
                "filter.exclude_content_type_regex",
                "['^image/jpeg$', 'gzip|octet-stream$']",
            )],
            &["a.html", "e/large.mp4"],
            &[
                ("exclude_content_type_regex", "^image/jpeg$", 1),
                ("exclude_content_type_regex", "gzip|octet-stream$", 2),
            ],
        ),
        (
            "its own, and not the one it is given",
            &[
                ("filter.include_content_type_regex", "['^text/html$']"),
                ("metadata.content_type", "'image/png'"),
            ],
            &["a.html"],
            &[("include_content_type_regex", "^text/html$", 4)],
        ),
        (
            "none, where nobody guesses",
            &[
                ("filter.include_content_type_regex", "['.*']"),
                ("metadata.guess_mime_type", "false"),
            ],
            &[],
            &[("include_content_type_regex", ".*", 5)],
        ),
        (
            "none to exclude",
            &[
                ("filter.exclude_content_type_regex", "['.*']"),
                ("metadata.guess_mime_type", "false"),
            ],
            &["a.html", "b.JPG", "c", "d.tar.gz", "e/large.mp4"],
            &[],
        ),
    ] {
        case(format_args!("{name}"));
        let job = || {
            let job = world.job_in_small_parts();
            let mut job = job.pair("pair", "tree", "s3://second/q/");
            for (option, value) in options {
                job = job.set(option, value);
            }
            job
        };
        let plan = job().called("plan").run();
        plan.exit(0);
        let planned = (plan.stdout.lines()).filter(|line| line.starts_with("transfer "));
        assert_eq!(planned.count(), goes.len(), "{}", plan.told());
        let ran = job().run();
        ran.exit(0);
        is(&ran, goes, by);
        assert_eq!(arrived(&world, "s3://second/q/"), goes);
    }
}

/// The source's own values decide, whatever is written in their place.
#[test]
fn what_is_set_at_the_target_decides_nothing() {
    let world = world();
    let set = [
        ("metadata.content_type", "'text/plain'"),
        ("metadata.user", "{ team = 'blue' }"),
        ("tagging.set", "{ project = 'hermes' }"),
        ("filter.include_content_type_regex", "['^image/']"),
        ("filter.include_metadata_regex", "['team=red']"),
        ("filter.include_tag_regex", "['project=zeus']"),
    ];
    for way in &WAYS[1..] {
        case(format_args!("{way:?}"));
        let ran = run(&world, *way, &set).run();
        ran.exit(0).transferred(1);
        let head = world.head("second", "q/photo");
        assert_eq!(head.content_type(), Some("text/plain"));
        let expected = BTreeMap::from([("project".to_owned(), "hermes".to_owned())]);
        assert_eq!(world.tags("second", "q/photo"), expected);
        assert_eq!(arrived(&world, way.0), ["photo"]);
    }
}

/// Text that is encoded for HTTP is matched as it is stored, as 1.x does.
#[test]
fn encoded_words_are_matched_as_they_are_stored() {
    let world = World::new();
    world.bucket("first");
    let dress = [(
        "meta-title".to_owned(),
        "=?UTF-8?B?Z3LDtsOfZQ==?=".to_owned(),
    )];
    world.put_dressed("first", "p/k", b"x", &dress.into());
    let stored = "['^title=%3D%3FUTF-8%3FB%3FZ3LDtsOfZQ%3D%3D%3F%3D$']";
    let job = run(
        &world,
        WAYS[0],
        &[("filter.exclude_metadata_regex", stored)],
    );
    let ran = job.run();
    ran.exit(0).transferred(0);
    assert_eq!(ran.pair("pair").count("filtered/total"), 1);
    let decoded = [("filter.exclude_metadata_regex", "['größe', 'gr%C3%B6']")];
    run(&world, WAYS[0], &decoded).run().exit(0).transferred(1);
}

/// What was asked of the source for a key before anything was written under it: HEADs, and
/// questions for tags.
fn asked(heads: &[String], key: &str) -> (usize, usize) {
    let mut asked = (0, 0);
    for head in heads {
        let line = head.lines().next().unwrap_or_default();
        let mut words = line.split([' ', '?']);
        let (method, path) = (words.next(), words.next().unwrap_or_default());
        if path == format!("/second/q/{key}") && matches!(method, Some("PUT" | "POST")) {
            break;
        }
        if path != format!("/first/p/{key}") {
            continue;
        }
        match method {
            // how large a part is, is another question
            Some("HEAD") if !line.contains("partNumber") => asked.0 += 1,
            Some("GET") if line.contains("?tagging") => asked.1 += 1,
            _ => {}
        }
    }
    asked
}

#[test]
fn each_object_is_asked_about_once() {
    let types = ("filter.exclude_content_type_regex", "['^image/']");
    let metadata = ("filter.exclude_metadata_regex", "['Lang|blue']");
    let tags = ("filter.exclude_tag_regex", "['a%20b']");
    for way in WAYS {
        for (name, options, page, photo, large) in [
            ("by type", &[types][..], (1, 0), (1, 0), (1, 0)),
            ("by metadata", &[metadata], (1, 0), (1, 0), (1, 0)),
            ("by both", &[types, metadata], (1, 0), (1, 0), (1, 0)),
            ("by tags", &[tags], (0, 1), (0, 1), (0, 1)),
            ("by all", &[types, metadata, tags], (1, 1), (1, 0), (1, 1)),
        ] {
            case(format_args!("{name}, {way:?}"));
            let mut world = world();
            let wire = Wire::between(&mut world);
            let plan = run(&world, way, options).called("plan").run();
            plan.exit(0);
            let heads = wire.heads();
            for (key, expected) in [("page", page), ("photo", photo), ("large", large)] {
                assert_eq!(asked(&heads, key), expected, "planning {key}");
            }
            let ran = run(&world, way, options).run();
            ran.exit(0).all_proved();
            let heads = &wire.heads()[heads.len()..];
            let goes = arrived(&world, way.0);
            for (key, expected) in [("page", page), ("photo", photo), ("large", large)] {
                let (mut head, mut tagging) = expected;
                if goes.iter().any(|it| it == key) && way.0 != "down" {
                    // the transfer itself wants them: what a copy is dressed with, and the tags of
                    // what passes through here or goes in parts
                    let inside = way.1 == "true";
                    head = head.max(usize::from(inside || key == "large"));
                    tagging = tagging.max(usize::from(!inside || key == "large"));
                }
                assert_eq!(asked(heads, key), (head, tagging), "{key}: {heads:#?}");
            }
            if way.0 == "down" {
                let requests = &ran.pair("pair").report["requests"]["by_operation"];
                let count = |name: &str| requests[name].as_u64().unwrap_or_default();
                let wants_head = u64::from(options != [tags]);
                let of_a_part = 1;
                let heads = 4 * wants_head + of_a_part;
                assert_eq!(count("HeadObject"), heads, "{requests}");
                let asks_tags = options.contains(&tags);
                assert_eq!(count("GetObjectTagging") > 0, asks_tags, "{requests}");
            }
        }
    }
}

#[test]
fn nothing_is_asked_about_what_is_unchanged_or_without_such_filters() {
    let all = [
        ("filter.exclude_content_type_regex", "['^image/']"),
        ("filter.exclude_metadata_regex", "['team=red']"),
        ("filter.exclude_tag_regex", "['apollo']"),
    ];
    let world = world();
    // and one about the large one's parts
    let questions = [("HeadObject", 1), ("GetObjectTagging", 0)];
    let ran = run(&world, WAYS[0], &[("filter.exclude_regex", "['nothing']")]).run();
    ran.exit(0).transferred(4);
    for (question, count) in questions {
        assert_eq!(world.faults().calls(question), count, "{question}");
    }
    for (name, options) in [("a run", &[][..]), ("of all", &[("check.mode", "'size'")])] {
        case(format_args!("{name}"));
        let options = [options, &all[..]].concat();
        let again = run(&world, WAYS[0], &options).run();
        again.exit(0).transferred(0);
        let pair = again.pair("pair");
        assert_eq!(
            (pair.count("unchanged"), pair.count("filtered/total")),
            (4, 0)
        );
        for (question, count) in questions {
            assert_eq!(world.faults().calls(question), count, "{question}");
        }
    }
    // tags of unchanged objects are brought up to date, whatever filters say of them
    run(&world, WAYS[1], &[]).run().exit(0).transferred(4);
    world.tag("first", "p/photo", &[("project", "apollo")]);
    let sync = [&all[..], &[("tagging.sync_latest", "true")]].concat();
    let ran = run(&world, WAYS[1], &sync).run();
    ran.exit(0).transferred(0);
    assert_eq!(
        ran.pair("pair").count("filtered/total"),
        0,
        "{}",
        ran.told()
    );
    let expected = BTreeMap::from([("project".to_owned(), "apollo".to_owned())]);
    assert_eq!(world.tags("second", "q/photo"), expected);
}

/// A dry run and a plan tell the same as the run, and each target that is asked for is no other.
#[test]
fn dry_runs_and_targets_asked_one_by_one_are_the_same() {
    let world = world();
    let filters = [
        ("filter.include_content_type_regex", "['^image/', '^text/']"),
        ("filter.exclude_metadata_regex", "['team=red']"),
    ];
    let by = [
        ("exclude_metadata_regex", "team=red", 1),
        ("include_content_type_regex", "^image/, ^text/", 2),
    ];
    for way in WAYS {
        for more in [
            &[][..],
            &[("check.head_each_target", "true")],
            &[("check.mode", "'always'")],
            &[("check.mode", "'etag'")],
        ] {
            case(format_args!("{more:?}, {way:?}"));
            let options = [&filters[..], more].concat();
            let dry = [&options[..], &[("dry_run", "true")]].concat();
            let planned = run(&world, way, &dry).run();
            planned.exit(0).transferred(1);
            assert!(arrived(&world, way.0).is_empty());
            let ran = run(&world, way, &options).run();
            ran.exit(0);
            is(&ran, &["page"], &by);
            assert_eq!(
                filtered_by(&planned),
                filtered_by(&ran),
                "{}",
                planned.told()
            );
            assert_eq!(arrived(&world, way.0), ["page"]);
        }
    }
}

#[test]
fn what_a_run_would_not_bring_is_not_missed_by_a_check() {
    let world = world();
    for way in &WAYS[..2] {
        // compared in all, the same, different, missing; filtered
        for (name, options, exit, counts) in [
            ("without", &[][..], 3, [4, 1, 1, 2, 0]),
            (
                "by type",
                &[("filter.exclude_content_type_regex", "['^(video|text)/']")],
                3,
                [2, 1, 1, 0, 2],
            ),
            (
                "by tags",
                &[("filter.exclude_tag_regex", "['apollo']")],
                3,
                [2, 1, 1, 0, 2],
            ),
            (
                "all that is not the same",
                &[("filter.exclude_metadata_regex", "['team=']")],
                0,
                [1, 1, 0, 0, 3],
            ),
            (
                "and not what is",
                &[("filter.include_metadata_regex", "['nothing']")],
                0,
                [1, 1, 0, 0, 3],
            ),
        ] {
            case(format_args!("{name}, {way:?}"));
            // page and large are missing, photo differs
            if way.0 == "down" {
                let down = world.tree("down");
                down.write("plain", b"plain").write("photo", b"other");
            } else {
                world.put("second", "q/plain", b"plain");
                world.put("second", "q/photo", b"other, and longer");
            }
            let ran = run(&world, (way.0, "false"), options).called("check").run();
            ran.exit(exit);
            let pair = ran.pair("pair");
            let seen = [
                "compared/total",
                "compared/matches",
                "compared/mismatch",
                "compared/not_found",
                "filtered/total",
            ];
            assert_eq!(seen.map(|it| pair.count(it)), counts, "{}", ran.told());
            arrived(&world, way.0);
        }
    }
}
