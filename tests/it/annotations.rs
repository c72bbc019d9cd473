//! Annotations: carried in every way of copying, kept up to date, and never lost in silence.

use std::collections::BTreeMap;

use std::time::Duration;

use s3sync::sandbox::{Action, Rule};

use crate::support::case;
use crate::world::{Run, World, content, until};

const MIB: usize = 1 << 20;

/// A bucket with a small object and one in parts, both annotated, and one without annotations.
fn world() -> World {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    world.put("source", "small", b"small");
    world.put("source", "bare", b"bare");
    let large = content("large", 11 * MIB);
    world.put_in_parts("source", "large", &large, &[5 * MIB, 6 * MIB]);
    for key in ["small", "large"] {
        for (name, payload) in three() {
            world.annotate("source", key, &name, &payload);
        }
    }
    world
}

/// One that is binary, one that is large, one with a name that has to be encoded.
fn three() -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("empty".to_owned(), Vec::new()),
        ("large".to_owned(), content("annotation", MIB)),
        ("a/b c+d=é".to_owned(), b"\0\xff{}".to_vec()),
    ])
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

const SYNC: (&str, &str) = ("annotations.sync", "true");
const LATEST: (&str, &str) = ("annotations.sync_latest", "true");

#[test]
fn annotations_come_along_in_every_way_where_they_are_wanted() {
    let world = world();
    for (option, expected) in [
        (("annotations.sync", "false"), BTreeMap::new()),
        (SYNC, three()),
    ] {
        let ran = both_ways(&world, &[option, ("check.mode", "\"always\"")]).run();
        ran.exit(0).transferred(6).all_proved();
        for pair in ["client", "server"] {
            for key in ["small", "large"] {
                case(format_args!("{option:?}: {key} through the {pair}"));
                let arrived = world.annotations("target", &format!("{pair}/{key}"));
                assert_eq!(arrived, expected, "{}", ran.told());
            }
            assert!(
                world
                    .annotations("target", &format!("{pair}/bare"))
                    .is_empty()
            );
        }
    }
    let ran = both_ways(&world, &[SYNC]).run();
    ran.exit(0).transferred(0);
}

#[test]
fn annotations_of_unchanged_objects_are_brought_up_to_date() {
    let world = world();
    both_ways(&world, &[LATEST]).run().exit(0).transferred(6);
    for pair in ["client", "server"] {
        assert_eq!(
            world.annotations("target", &format!("{pair}/small")),
            three()
        );
    }
    world.annotate("source", "small", "empty", b"no more");
    world.annotate("source", "small", "new", b"new");
    world.unannotate("source", "small", "large");
    world.annotate("target", "client/bare", "stray", b"stray");
    let expected = world.annotations("source", "small");
    let before = world.faults().mutations().len();

    let ran = both_ways(&world, &[LATEST]).arguments(&["--dry-run"]).run();
    ran.exit(0).transferred(0);
    assert_eq!(ran.pair("client").count("annotated"), 2);
    assert_eq!(ran.pair("server").count("annotated"), 1);
    assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());

    let ran = both_ways(&world, &[LATEST]).run();
    ran.exit(0).transferred(0);
    assert_eq!(ran.pair("client").count("annotated"), 2);
    assert_eq!(ran.pair("client").count("unchanged"), 3);
    let line = ran.pair("client").line("small");
    assert_eq!(line["action"], "annotate", "{line}");
    assert_eq!(line["reason"], "annotations_differ", "{line}");
    for pair in ["client", "server"] {
        assert_eq!(
            world.annotations("target", &format!("{pair}/small")),
            expected
        );
        assert!(
            world
                .annotations("target", &format!("{pair}/bare"))
                .is_empty()
        );
        assert_eq!(
            world.annotations("target", &format!("{pair}/large")),
            three()
        );
    }

    let before = world.faults().mutations().len();
    let ran = both_ways(&world, &[LATEST]).run();
    ran.exit(0).transferred(0);
    assert_eq!(ran.report["totals"]["counts"]["annotated"], 0);
    assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());
}

#[test]
fn under_kms_time_tells_where_etags_do_not() {
    let world = world();
    world.encrypt_by_default("target", "aws:kms");
    both_ways(&world, &[LATEST]).run().transferred(6);
    for pair in ["client", "server"] {
        assert_eq!(
            world.annotations("target", &format!("{pair}/small")),
            three()
        );
    }
    let before = world.faults().mutations().len();
    let size = ("check.mode", "\"size\"");
    for check_etag in ["true", "false"] {
        case(format_args!("check_etag = {check_etag}"));
        let ran = both_ways(
            &world,
            &[LATEST, size, ("annotations.check_etag", check_etag)],
        )
        .run();
        ran.exit(0).transferred(0);
        assert_eq!(
            ran.report["totals"]["counts"]["annotated"],
            0,
            "{}",
            ran.told()
        );
        assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());
    }
    // as long as the one before, so that only time can tell
    world.annotate("source", "small", "a/b c+d=é", b"\0\xff[]");
    let ran = both_ways(&world, &[LATEST, size]).run();
    ran.exit(0).transferred(0);
    assert_eq!(
        ran.report["totals"]["counts"]["annotated"],
        2,
        "{}",
        ran.told()
    );
}

#[test]
fn what_lacks_annotations_fails_and_is_sent_again() {
    for key in ["small", "large"] {
        for pair in ["client", "server"] {
            // S3 takes them along there
            if (pair, key) == ("server", "small") {
                continue;
            }
            case(format_args!("{key} through the {pair}"));
            let world = world();
            world.deny("target", &["s3:PutObjectAnnotation"], &format!("*{key}"));
            let run = |exit: i32| {
                let run = world.job_in_small_parts().set("annotations.sync", "true");
                let run = run.pair("one", "s3://source/", "s3://target/");
                let server = (pair == "server").to_string();
                let ran = run.set("server_side_copy", &server).run();
                ran.exit(exit);
                ran
            };
            let ran = run(1);
            let line = ran.pair("one").line(key);
            assert_eq!(line["outcome"], "failed", "{line}");
            assert_eq!(line["reason"], "annotations", "{line}");
            assert!(world.get("target", key).is_some(), "the object is there");
            // not unchanged, though its content is the source's
            run(1).transferred(0);
            world.deny("target", &[], "*");
            let ran = run(0);
            ran.transferred(1);
            assert_eq!(ran.pair("one").line(key)["reason"], "distrusted");
            assert_eq!(world.annotations("target", key), three());
            run(0).transferred(0);
        }
    }
}

/// Longer than any test waits: a call that is late by this never comes.
const NEVER: Duration = Duration::from_mins(10);

#[test]
fn whenever_a_run_dies_the_next_brings_the_annotations() {
    for (key, server) in [("small", false), ("large", false), ("large", true)] {
        for operation in [
            "ListObjectAnnotations",
            "GetObjectAnnotation",
            "PutObjectAnnotation",
        ] {
            case(format_args!("{key}, inside S3: {server}, at {operation}"));
            let world = world();
            let server = server.to_string();
            let job = || {
                let run = world.job_in_small_parts().set("annotations.sync", "true");
                let run = run.pair("one", "s3://source/", "s3://target/");
                run.set("server_side_copy", &server)
            };
            let late = Rule::new(Action::Delay(NEVER)).operation(operation);
            world.faults().add(late.key(key));
            let running = job().start();
            until("the call is on its way", || {
                world.faults().calls(operation) > 0
            });
            // killed, with nothing more to say
            drop(running);
            world.faults().clear();
            job().run().exit(0);
            assert_eq!(world.annotations("target", key), three());
            job().run().exit(0).transferred(0);
        }
    }
}

#[test]
fn what_nobody_may_list_the_annotations_of_fails_and_is_not_published() {
    for (key, server) in [("small", false), ("large", false), ("large", true)] {
        case(format_args!("{key}, inside S3: {server}"));
        let world = world();
        let refusal = Action::Refuse {
            status: 403,
            code: "AccessDenied".to_owned(),
            retry_after: None,
        };
        let refusal = Rule::new(refusal).operation("ListObjectAnnotations");
        world.faults().add(refusal.key(key));
        let run = world.job_in_small_parts().set("annotations.sync", "true");
        let run = run.pair("one", "s3://source/", "s3://target/");
        let ran = run.set("server_side_copy", &server.to_string()).run();
        ran.exit(1).transferred(2);
        let line = ran.pair("one").line(key);
        assert_eq!(line["reason"], "annotations", "{line}");
        assert_eq!(world.get("target", key), None, "{line}");
        assert!(world.uploads("target").is_empty(), "{}", ran.told());
        assert!(!world.path("reports/job/distrusted.ndjson").exists());
    }
}

#[test]
fn what_was_not_published_is_not_distrusted() {
    let world = world();
    world.deny("target", &["s3:PutObject"], "*");
    let run = world.job_in_small_parts().set("annotations.sync", "true");
    let ran = run.pair("one", "s3://source/", "s3://target/").run();
    ran.exit(3).transferred(0);
    assert!(
        !world.path("reports/job/distrusted.ndjson").exists(),
        "{}",
        ran.told()
    );
}

#[test]
fn annotations_and_parts_do_not_wait_for_each_other() {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    let payload = content("annotation", MIB);
    for n in 0..9 {
        let key = format!("annotated/{n}");
        world.put("source", &key, b"x");
        for name in ["a", "b", "c", "d"] {
            world.annotate("source", &key, name, &payload);
        }
    }
    for n in 0..3 {
        let key = format!("large/{n}");
        let large = content(&key, 24 * MIB);
        world.put_in_parts("source", &key, &large, &[8 * MIB; 3]);
        world.annotate("source", &key, "a", &payload);
    }
    // memory for two parts, and places for two
    let ran = world
        .job()
        .text("\n[limits]\nmemory = '16MiB'\n")
        .pair("one", "s3://source/", "s3://target/")
        .set("annotations.sync", "true")
        .set("performance.max_parallel_uploads", "2")
        .run();
    ran.exit(0).transferred(12).all_proved();
    for key in ["annotated/8", "large/2"] {
        let arrived = world.annotations("target", key);
        assert_eq!(arrived, world.annotations("source", key), "{key}");
    }
}

#[test]
fn annotations_are_refused_where_there_are_none() {
    let world = World::new();
    world.tree("tree").file("a", 1);
    for (source, target) in [
        ("tree", "s3://target/"),
        ("s3://source/", "tree"),
        ("s3://source/", "s3://target--use1-az4--x-s3/"),
    ] {
        for flag in [
            "--enable-sync-object-annotations",
            "--sync-latest-object-annotations",
        ] {
            case(format_args!("{source} {target} {flag}"));
            world.sync(source, target).arguments(&[flag]).run().exit(2);
        }
    }
}
