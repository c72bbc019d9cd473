//! Objects that have to be restored before they can be read: restored ones arrive, the others are
//! left with a reason, and nothing is begun for them.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{RestoreRequest, StorageClass};
use s3sync::sandbox::{Action, Rule};
use serde_json::json;

use crate::support::case;
use crate::world::{Ran, Run, World, content};

const MIB: usize = 1 << 20;
const SMALL: usize = 50_000;
const LARGE: usize = 12 * MIB + 7;

/// Objects of every class, small and large ones, of which some are restored.
const OBJECTS: [(&str, &str, usize, bool); 8] = [
    ("deep", "DEEP_ARCHIVE", SMALL, false),
    ("deep-large", "DEEP_ARCHIVE", LARGE, false),
    ("glacier", "GLACIER", SMALL, false),
    ("glacier-large", "GLACIER", LARGE, false),
    ("instant", "GLACIER_IR", SMALL, true),
    ("plain", "STANDARD", SMALL, true),
    ("restored", "GLACIER", SMALL, true),
    ("restored-large", "DEEP_ARCHIVE", LARGE, true),
];

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (key, class, size, readable) in OBJECTS {
        put(&world, key, class, size);
        if readable && ["GLACIER", "DEEP_ARCHIVE"].contains(&class) {
            restore(&world, key);
        }
    }
    world.faults().forget_calls();
    world
}

fn put(world: &World, key: &str, class: &str, size: usize) {
    let request = world.client().put_object().bucket("first").key(key);
    let request = request.storage_class(StorageClass::from(class));
    let request = request.body(ByteStream::from(content(key, size)));
    world.block_on(request.send()).expect("a put");
}

fn restore(world: &World, key: &str) {
    let request = world.client().restore_object().bucket("first").key(key);
    let request = request.restore_request(RestoreRequest::builder().days(1).build());
    world.block_on(request.send()).expect("a restore");
}

/// A way from the bucket `first`: its target, and whether S3 copies.
const WAYS: [(&str, &str); 3] = [
    ("down", "false"),
    ("s3://second/", "false"),
    ("s3://second/", "true"),
];

fn run<'w>(world: &'w World, (target, server_side): (&str, &str)) -> Run<'w> {
    let job = world.job_in_small_parts();
    let job = if target == "down" {
        job
    } else {
        job.set("server_side_copy", server_side)
    };
    job.pair("pair", "s3://first/", target)
}

fn skipped(count: u64) -> serde_json::Value {
    json!([{"reason": "archived", "count": count}])
}

/// Exactly the readable objects have arrived; the others are told of one by one.
fn only_readable_arrived(world: &World, target: &str, ran: &Ran) {
    ran.transferred(4);
    let pair = ran.pair("pair");
    assert_eq!(
        pair.report["counts"]["skipped"]["by"],
        skipped(4),
        "{}",
        ran.told()
    );
    let files = if target == "down" {
        world.tree("down").files()
    } else {
        Default::default()
    };
    for (key, _, size, readable) in OBJECTS {
        if target == "down" {
            let expected = readable.then(|| content(key, size));
            assert!(files.get(key) == expected.as_ref(), "{key}");
        } else {
            let there = world.list("second", "").contains_key(key);
            assert_eq!(there, readable, "{key}");
        }
        if !readable {
            let line = pair.line(key);
            assert_eq!(line["reason"], "archived", "{line}");
            let message = line["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("restored"), "{line}");
        }
    }
    assert_eq!(world.uploads("second"), [""; 0]);
}

/// Statement 49: archived source objects → restored ones transfer, others are skipped as archived.
#[test]
fn restored_objects_arrive_and_the_others_are_left_before_anything_is_begun() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let ran = run(&world, way).run();
        ran.exit(3);
        only_readable_arrived(&world, way.0, &ran);
        assert_eq!(ran.pair("pair").count("warnings"), 4);
        // one request each has told
        let faults = world.faults();
        let reads = faults.calls("GetObject");
        let expected = match way {
            (_, "true") => 0,
            // three small ones at once and a large one in three parts
            _ => 3 + 3,
        };
        assert_eq!(reads, expected, "{:?}", faults.all_calls());
        let begun = faults.calls("CreateMultipartUpload");
        assert!(begun <= 1, "{:?}", faults.all_calls());
        // once they are restored, the next run brings them
        for (key, _, _, readable) in OBJECTS {
            if !readable {
                restore(&world, key);
            }
        }
        let again = run(&world, way).set("check.mode", "\"size\"");
        again.run().exit(0).transferred(4);
    }
}

#[test]
fn archived_objects_are_a_warning_an_error_or_nothing() {
    for (settings, exit, warnings) in [
        (&[][..], 3, 4),
        (&["warnings.as_error"], 1, 4),
        (&["warnings.ignore_glacier"], 0, 0),
        (&["warnings.ignore_glacier", "warnings.as_error"], 0, 0),
    ] {
        case(format_args!("{settings:?}"));
        let world = world();
        let mut job = run(&world, WAYS[0]);
        for setting in settings {
            job = job.set(setting, "true");
        }
        let ran = job.run();
        ran.exit(exit);
        only_readable_arrived(&world, "down", &ran);
        let pair = ran.pair("pair");
        assert_eq!(pair.count("warnings"), warnings);
        let outcome = if warnings == 0 { "ok" } else { "warning" };
        assert_eq!(pair.line("glacier")["outcome"], outcome);
        assert_eq!(
            ran.stderr.contains("archived"),
            warnings > 0,
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_dry_run_decides_the_same() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let ran = run(&world, way).arguments(&["--dry-run"]).run();
        ran.exit(3).transferred(4);
        let by = &ran.pair("pair").report["counts"]["skipped"]["by"];
        assert_eq!(*by, skipped(4), "{}", ran.told());
        assert_eq!(world.faults().mutations(), []);
        assert_eq!(world.faults().calls("GetObject"), 0);
    }
}

#[test]
fn what_only_the_refusal_tells_is_archived_too() {
    // a tier of INTELLIGENT_TIERING shows in no listing
    for (way, operation, code) in [
        (WAYS[0], "GetObject", "InvalidObjectState"),
        (WAYS[1], "GetObject", "InvalidObjectState"),
        (WAYS[2], "CopyObject", "InvalidObjectState"),
        (WAYS[2], "CopyObject", "ObjectNotInActiveTierError"),
    ] {
        case(format_args!("{way:?} {code}"));
        let world = World::new();
        world.bucket("first");
        world.bucket("second");
        put(&world, "tiered", "INTELLIGENT_TIERING", SMALL);
        put(&world, "tiered-large", "INTELLIGENT_TIERING", LARGE);
        put(&world, "here", "INTELLIGENT_TIERING", SMALL);
        let refuse = Action::Refuse {
            status: 403,
            code: code.to_owned(),
            retry_after: None,
        };
        let rule = Rule::new(refuse).operation(operation).key("tiered");
        // a copy's key is the target's, which is the same
        world.faults().add(rule);
        let ran = run(&world, way).run();
        ran.exit(3).transferred(1);
        let by = &ran.pair("pair").report["counts"]["skipped"]["by"];
        assert_eq!(*by, skipped(2), "{}", ran.told());
        assert_eq!(world.uploads("second"), [""; 0]);
    }
}
