/*! Filters on content types, metadata and tags, where it is not as simple: what may not be read,
what changes after it was judged, versions, archives.
*/

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::StorageClass;
use s3sync::sandbox::{Action, Rule, When};
use serde_json::json;

use crate::support::case;
use crate::world::{Dress, NEVER, Ran, Run, World, content, until};

const MIB: usize = 1 << 20;

/// In parts.
const LARGE: usize = 5 * MIB + 1;

/// Every way out of a bucket: its target, and whether S3 copies.
const WAYS: [(&str, &str); 3] = [
    ("down", "false"),
    ("s3://second/", "false"),
    ("s3://second/", "true"),
];

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world
}

/// Writes an object of this type, tagged like it too.
fn put(world: &World, key: &str, bytes: &[u8], kind: &str) {
    let dress = Dress::from([
        ("content-type".to_owned(), format!("x/{kind}")),
        ("meta-kind".to_owned(), kind.to_owned()),
    ]);
    if bytes.len() < LARGE {
        world.put_dressed("first", key, bytes, &dress);
    } else {
        world.put_parts_dressed("first", key, bytes, 5 * MIB, &dress);
    }
    world.tag("first", key, &[("kind", kind)]);
}

fn run<'w>(world: &'w World, (target, inside): (&str, &str), filter: (&str, &str)) -> Run<'w> {
    let run = world
        .job_in_small_parts()
        .pair("pair", "s3://first/", target)
        .set(filter.0, filter.1);
    if target == "down" {
        run
    } else {
        run.set("server_side_copy", inside)
    }
}

fn there(world: &World, target: &str) -> Vec<String> {
    if target == "down" {
        world.tree("down").files().into_keys().collect()
    } else {
        world.objects("second", "").into_keys().collect()
    }
}

fn counted(ran: &Ran, of: &str) -> u64 {
    ran.pair("pair").count(of)
}

/// It cannot be told whether such an object goes: it must not go, and must not stay out in silence.
#[test]
fn tags_that_may_not_be_read_fail_their_object() {
    let world = world();
    for key in ["closed", "open"] {
        put(&world, key, b"x", "good");
    }
    world.deny("first", &["s3:GetObjectTagging"], "closed");
    for way in WAYS {
        for filter in [
            ("filter.include_tag_regex", "['good']"),
            ("filter.exclude_tag_regex", "['bad']"),
        ] {
            case(format_args!("{filter:?}, {way:?}"));
            for command in ["run", "plan", "check"] {
                let mut job = run(&world, way, filter);
                if way.0 != "down" {
                    // what is not copied is another matter
                    job = job.set("tagging.on_denied", "'skip'");
                }
                let ran = job.called(command).run();
                if command == "check" {
                    ran.exit(1).says("closed");
                    continue;
                }
                ran.exit(1).says("cannot tell whether it goes");
                if command == "run" {
                    ran.transferred(1);
                    assert_eq!(ran.pair("pair").line("closed")["reason"], "tags_denied");
                    assert_eq!(counted(&ran, "failed"), 1, "{}", ran.told());
                    assert_eq!(there(&world, way.0), ["open"], "{}", ran.told());
                }
            }
            world.remove("second", "open");
            let _ = std::fs::remove_file(world.path("down/open"));
        }
    }
    // a filter that needs no tags does not miss them
    let ran = run(
        &world,
        WAYS[0],
        ("filter.include_metadata_regex", "['good']"),
    )
    .run();
    ran.exit(0).transferred(2);
}

/// Where an object itself may not be looked at, it is passed over as one that may not be read.
#[test]
fn what_may_not_be_looked_at_is_skipped() {
    let world = world();
    for key in ["closed", "open"] {
        put(&world, key, b"x", "good");
    }
    world.deny("first", &["s3:GetObject"], "closed");
    for way in WAYS {
        case(format_args!("{way:?}"));
        let ran = run(
            &world,
            way,
            ("filter.exclude_content_type_regex", "['bad']"),
        )
        .run();
        ran.exit(3).transferred(1);
        let by = &ran.pair("pair").report["counts"]["skipped"]["by"];
        assert_eq!(*by, json!([{"reason": "access_denied", "count": 1}]));
        world.remove("second", "open");
    }
}

/// Nothing there has tags: that is told, once.
#[test]
fn an_endpoint_without_tags_has_objects_without() {
    for (filter, goes) in [
        (("filter.include_tag_regex", "['.*']"), 0),
        (("filter.exclude_tag_regex", "['.*']"), 3),
    ] {
        case(format_args!("{filter:?}"));
        let world = world();
        for key in ["a", "b", "c"] {
            put(&world, key, b"x", "good");
        }
        let unheard_of = Action::Refuse {
            status: 501,
            code: "NotImplemented".to_owned(),
            retry_after: None,
        };
        let rule = Rule::new(unheard_of).operation("GetObjectTagging");
        world.faults().add(rule);
        let ran = run(&world, WAYS[0], filter).run();
        ran.exit(0).transferred(goes);
        assert_eq!(counted(&ran, "filtered/total"), 3 - goes as u64);
        let lost = ran.report["pairs"][0]["guarantees_lost"].to_string();
        assert_eq!(lost.matches("filtering by tags").count(), 1, "{lost}");
    }
}

/// What is read after an object was judged is the object that was judged, or it is judged again.
#[test]
fn what_changes_after_it_was_judged_is_judged_again() {
    let large = content("old", LARGE);
    for (way, operation, old, new) in [
        // another content
        (WAYS[0], "GetObject", &b"old"[..], &b"new!"[..]),
        (WAYS[1], "GetObject", b"old", b"new!"),
        (WAYS[2], "CopyObject", b"old", b"new!"),
        (WAYS[0], "GetObject", &large, b"new!"),
        (WAYS[1], "CreateMultipartUpload", &large, b"new!"),
        (WAYS[2], "CreateMultipartUpload", &large, b"new!"),
        // the same content and ETag, other metadata
        (WAYS[0], "GetObject", b"same", b"same"),
        (WAYS[1], "GetObject", b"same", b"same"),
    ] {
        for (kind, filtered) in [("bad", 1), ("good", 0)] {
            case(format_args!(
                "{way:?}, {} to {} bytes, {kind}, at {operation}",
                old.len(),
                new.len()
            ));
            let world = world();
            put(&world, "k", old, "good");
            let filter = ("filter.include_metadata_regex", "['good']");
            let pause = Rule::new(Action::Delay(NEVER)).operation(operation);
            world.faults().add(pause.key("k").when(When::First(1)));
            let running = run(&world, way, filter).start();
            until("it was judged", || world.faults().calls(operation) > 0);
            put(&world, "k", new, kind);
            world.faults().let_go();
            let ran = running.wait();
            ran.exit(0).transferred(1 - filtered);
            let seen = counted(&ran, "filtered/total");
            assert_eq!(seen, filtered as u64, "{}", ran.told());
            let goes = there(&world, way.0);
            assert_eq!(goes.len(), 1 - filtered, "{}", ran.told());
        }
    }
}

/// Tags that change later leave no trace: those that were judged are those that are written.
#[test]
fn the_tags_that_were_judged_are_written() {
    for bytes in [&b"small"[..], &content("large", LARGE)] {
        let world = world();
        put(&world, "k", bytes, "good");
        let pause = Rule::new(Action::Delay(NEVER)).operation("GetObject");
        world.faults().add(pause.key("k").when(When::First(1)));
        let filter = ("filter.exclude_tag_regex", "['bad']");
        let running = run(&world, WAYS[1], filter).start();
        until("it was judged", || world.faults().calls("GetObject") > 0);
        world.tag("first", "k", &[("kind", "bad")]);
        world.faults().let_go();
        running.wait().exit(0).transferred(1);
        assert_eq!(world.tags("second", "k")["kind"], "good");
    }
}

#[test]
fn a_version_that_is_rejected_holds_no_other_back() {
    for inside in ["false", "true"] {
        for (filter, more) in [
            ("filter.exclude_metadata_regex", 0),
            ("filter.exclude_tag_regex", 0),
            ("filter.exclude_content_type_regex", 0),
            // the newest too
            ("filter.exclude_metadata_regex", 1),
        ] {
            case(format_args!("{filter} and {more}, server side: {inside}"));
            let world = world();
            for bucket in ["first", "second"] {
                world.keep_versions(bucket);
            }
            let mut kinds = vec!["good", "bad", "good", "bad", "good"];
            kinds.extend(vec!["bad"; more]);
            for (n, kind) in kinds.iter().enumerate() {
                put(&world, "k", format!("{n}").as_bytes(), kind);
            }
            put(&world, "only-bad", b"x", "bad");
            world.remove("first", "only-bad");
            let rejected = 3 + more;
            let job = || {
                run(&world, ("s3://second/", inside), (filter, "['bad']"))
                    .set("versioning.enabled", "true")
            };
            let dry = job().set("dry_run", "true").run();
            dry.exit(0).transferred(3);
            assert_eq!(
                counted(&dry, "filtered/total"),
                rejected as u64,
                "{}",
                dry.told()
            );
            assert!(world.history("second").is_empty());
            let first = job().run();
            first.exit(0).transferred(3).all_proved();
            assert_eq!(counted(&first, "filtered/total"), rejected as u64);
            let contents = || -> Vec<Vec<u8>> {
                let history = world.history("second").into_iter();
                let versions = history.filter(|it| it.etag.is_some());
                versions.map(|it| world.content_of("second", &it)).collect()
            };
            assert_eq!(contents(), [b"0", b"2", b"4"], "{}", first.told());
            // those that were rejected are not missed: nothing is out of order
            let again = job().run();
            again.exit(0).transferred(0).all_proved();
            assert_eq!(
                counted(&again, "filtered/total"),
                rejected as u64,
                "{}",
                again.told()
            );
            // without the filter they can only be told of
            let without = run(
                &world,
                ("s3://second/", inside),
                ("filter.exclude_regex", "['^only']"),
            )
            .set("versioning.enabled", "true")
            .run();
            without.exit(3);
            assert_eq!(counted(&without, "skipped/total"), 2, "{}", without.told());
        }
    }
}

#[test]
fn the_past_is_judged_by_what_it_was() {
    let world = world();
    world.keep_versions("first");
    put(&world, "k", b"past", "good");
    let then = world.head("first", "k").last_modified.expect("a time");
    let then = s3sync::object::Timestamp::new(then.secs() + 1, 0);
    until("a second later", || {
        s3sync::object::Timestamp::now() > s3sync::object::Timestamp::new(then.seconds() + 1, 0)
    });
    put(&world, "k", b"present", "bad");
    let time = format!("{:?}", then.rfc3339_millis());
    for way in WAYS {
        for (filter, goes) in [
            (("filter.exclude_tag_regex", "['bad']"), 1),
            (("filter.exclude_metadata_regex", "['bad']"), 1),
            (("filter.exclude_tag_regex", "['good']"), 0),
            (("filter.exclude_content_type_regex", "['good']"), 0),
        ] {
            case(format_args!("{filter:?}, {way:?}"));
            let ran = run(&world, way, filter)
                .set("versioning.point_in_time", &time)
                .run();
            ran.exit(0).transferred(goes);
            assert_eq!(there(&world, way.0).len(), goes, "{}", ran.told());
            let _ = std::fs::remove_file(world.path("down/k"));
            world.remove("second", "k");
        }
    }
}

/// What a filter rejects is not told of as archived, and is asked about no more than once.
#[test]
fn archived_objects_are_judged_before_anything_is_made_of_them() {
    let world = world();
    for (key, kind) in [("a", "bad"), ("b", "good")] {
        let request = world.client().put_object().bucket("first").key(key);
        let request = request.storage_class(StorageClass::Glacier);
        let request = request.metadata("kind", kind);
        let request = request.body(ByteStream::from_static(b"x"));
        world.block_on(request.send()).expect("a put");
    }
    world.faults().forget_calls();
    for (runs, way) in (1..).zip(WAYS) {
        case(format_args!("{way:?}"));
        let ran = run(&world, way, ("filter.exclude_metadata_regex", "['bad']")).run();
        ran.exit(3).transferred(0);
        assert_eq!(counted(&ran, "filtered/total"), 1, "{}", ran.told());
        let by = &ran.pair("pair").report["counts"]["skipped"]["by"];
        assert_eq!(*by, json!([{"reason": "archived", "count": 1}]));
        assert_eq!(world.faults().calls("HeadObject"), 2 * runs);
    }
}

/// Markers of directories are objects like others.
#[test]
fn a_rejected_marker_makes_no_directory() {
    let world = world();
    put(&world, "bad/", b"", "bad");
    put(&world, "good/", b"", "good");
    for (way, count) in [(WAYS[0], 1), (WAYS[1], 1), (WAYS[2], 1)] {
        case(format_args!("{way:?}"));
        let ran = run(&world, way, ("filter.exclude_metadata_regex", "['bad']")).run();
        ran.exit(0);
        assert_eq!(counted(&ran, "filtered/total"), count, "{}", ran.told());
        if way.0 == "down" {
            assert!(world.path("down/good").is_dir() && !world.path("down/bad").exists());
        } else {
            assert_eq!(there(&world, way.0), ["good/"]);
            world.remove("second", "good/");
        }
    }
}

/// A pattern that would search for ever fails its object, and no other.
#[test]
fn a_pattern_that_takes_too_long_fails_the_object() {
    let world = world();
    put(&world, "fast", b"x", "good");
    put(&world, "slow", b"x", &"x".repeat(60));
    let filter = ("filter.exclude_metadata_regex", r"['(?=x)(x+x+)+\1y']");
    for way in WAYS {
        case(format_args!("{way:?}"));
        let ran = run(&world, way, filter).run();
        ran.exit(1)
            .transferred(1)
            .says("filter.exclude_metadata_regex");
        assert_eq!(counted(&ran, "failed"), 1, "{}", ran.told());
        world.remove("second", "fast");
    }
}

/// What a late filter keeps out takes nobody's path.
#[test]
fn the_path_of_a_key_belongs_to_the_first_that_goes() {
    for (name, bad, transferred, files, shadowed) in [
        (
            "the file is kept out",
            &["a"][..],
            3,
            &["a/b", "a/c/d", "c"][..],
            &[][..],
        ),
        (
            "what is below it is",
            &["a/b", "a/c/d"],
            2,
            &["a", "c"],
            &[],
        ),
        ("nothing is", &[], 2, &["a", "c"], &["a/b", "a/c/d"]),
    ] {
        for tagged in [false, true] {
            case(format_args!("{name}, by tags {tagged}"));
            let world = world();
            for key in ["a", "a/b", "a/c/d", "c"] {
                let kind = if bad.contains(&key) { "bad" } else { "good" };
                put(&world, key, b"x", kind);
            }
            let filter = if tagged {
                ("filter.exclude_tag_regex", "['bad']")
            } else {
                ("filter.exclude_content_type_regex", "['bad']")
            };
            let exit = if shadowed.is_empty() { 0 } else { 3 };
            let plan = run(&world, WAYS[0], filter).called("plan").run();
            plan.exit(exit).says(&format!("{transferred} to transfer"));
            // the second run finds what the first has left
            for transferred in [transferred, 0] {
                let ran = run(&world, WAYS[0], filter).run();
                ran.exit(exit).transferred(transferred);
                assert_eq!(there(&world, "down"), files, "{}", ran.told());
                let skipped = shadowed.len() as u64;
                assert_eq!(counted(&ran, "skipped/total"), skipped, "{}", ran.told());
                assert_eq!(counted(&ran, "filtered/total"), bad.len() as u64);
                for key in shadowed {
                    let line = ran.pair("pair").line(key);
                    assert_eq!(line["reason"], "shadowed_key", "{line}");
                }
            }
            let check = run(&world, WAYS[0], filter).called("check").run();
            check.exit(exit);
            assert_eq!(counted(&check, "compared/matches"), files.len() as u64);
            assert_eq!(counted(&check, "compared/not_found"), 0, "{}", check.told());
        }
    }
}
