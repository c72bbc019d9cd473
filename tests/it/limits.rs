//! How fast a run may go, and what it does when it is asked to be slower.

use std::time::Duration;

use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{Ran, World, content, same};

const MIB: u64 = 1 << 20;

/// A tree of so many files of a size, the same in the bucket `first`, and an empty bucket `second`.
fn world(files: usize, size: u64) -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for n in 0..files {
        let name = format!("f{n:04}");
        world.tree("tree").file(&name, size as usize);
        world.put("first", &name, &content(&name, size as usize));
    }
    world
}

/// From a run's first second to its last.
fn seconds(ran: &Ran) -> f64 {
    let millis = ran.report["run"]["duration_ms"].as_u64();
    millis.expect("a duration") as f64 / 1000.0
}

/// What was moved took as long as it must at this rate. That it takes no longer is for a machine with
/// nothing else to do; `store::pace` is held to it without a clock.
fn held(ran: &Ran, moved: u64, per_second: u64) {
    let took = seconds(ran);
    let must = moved as f64 / per_second as f64;
    // what was left unused for a quarter of a second is made up for
    assert!(
        took > must * 0.95 - 0.25,
        "{took} s, not {must} s: {}",
        ran.told()
    );
}

#[test]
fn objects_go_no_faster_than_they_may() {
    let world = world(150, 100);
    world.tree("down");
    for (way, source, target, server_side) in [
        ("up", "tree", "s3://second/up/", false),
        ("across", "s3://first/", "s3://second/across/", false),
        ("server side", "s3://first/", "s3://second/server/", true),
        ("down", "s3://first/", "down", false),
    ] {
        let mut run = world.job().pair("pair", source, target);
        if server_side {
            run = run.set("server_side_copy", "true");
        }
        let ran = run
            .set("performance.worker_size", "64")
            .set("performance.rate_limit_objects", "50")
            .run();
        case(format_args!("{way}"));
        ran.exit(0).transferred(150).all_proved();
        held(&ran, 150, 50);
    }
}

#[test]
fn bytes_go_no_faster_than_they_may_whole_and_in_parts() {
    for (files, size) in [(48, MIB / 4), (2, 6 * MIB)] {
        let world = world(files, size);
        for (way, source, target) in [
            ("up", "tree", "s3://second/up/"),
            ("across", "s3://first/", "s3://second/across/"),
            ("down", "s3://first/", "down"),
        ] {
            let ran = world
                .job_in_small_parts()
                .pair("pair", source, target)
                .set("performance.worker_size", "64")
                .set("performance.rate_limit_bandwidth", "\"4MiB\"")
                .run();
            case(format_args!("{way}, {files} files"));
            ran.exit(0).transferred(files).all_proved();
            held(&ran, 12 * MIB, 4 * MIB);
        }
    }
}

#[test]
fn copies_inside_s3_move_no_bytes_that_count() {
    let world = world(2, 6 * MIB);
    let ran = world
        .job_in_small_parts()
        .pair("pair", "s3://first/", "s3://second/")
        .set("server_side_copy", "true")
        .set("performance.rate_limit_bandwidth", "\"1MiB\"")
        .run();
    ran.exit(0).transferred(2);
    assert!(seconds(&ran) < 6.0, "{}", ran.told());
}

#[test]
fn the_limits_of_the_process_hold_over_all_pairs() {
    let world = world(60, MIB / 10);
    let pairs = |limits: &str| {
        world
            .job()
            .text(&format!("\n[limits]\n{limits}\n"))
            .pair("one", "tree", "s3://second/one/")
            .set("check.mode", "\"always\"")
            .pair("two", "s3://first/", "s3://second/two/")
            .set("check.mode", "\"always\"")
            .run()
    };
    let ran = pairs("objects = 40");
    ran.exit(0).transferred(120).all_proved();
    assert!(seconds(&ran) > 2.8);
    let ran = pairs("bandwidth = '4MiB'");
    ran.exit(0).transferred(120).all_proved();
    assert!(seconds(&ran) > 2.7);
    // one after the other: each takes half a second
    for n in 0..6 {
        let late = Rule::new(Action::DelayAnswer(Duration::from_millis(500)));
        let late = late.operation("PutObject").key(&format!("/f000{n}"));
        world.faults().add(late);
    }
    let ran = pairs("workers = 1");
    ran.exit(0).transferred(120).all_proved();
    assert!(seconds(&ran) > 3.0, "{}", ran.told());
}

#[test]
fn hundreds_of_objects_get_through_an_endpoint_that_refuses_a_third() {
    for (status, code, is_throttling) in [
        (503, "SlowDown", true),
        (429, "TooManyRequests", true),
        (500, "InternalError", false),
    ] {
        let world = world(300, 100);
        let refusal = Rule::new(Action::Refuse {
            status,
            code: code.to_owned(),
            retry_after: None,
        });
        world.faults().add(refusal.when(When::Chance {
            probability: 0.3,
            seed: 7,
        }));
        let run = world.job().pair("pair", "tree", "s3://second/");
        let ran = run.set("performance.worker_size", "64").run();
        world.faults().clear();
        case(format_args!("{status}"));
        ran.exit(0).transferred(300).all_proved();
        same(&world.tree("tree").files(), &world.objects("second", ""));
        let pair = ran.pair("pair");
        let retries = pair.number("/retries/count");
        assert!(retries > 60, "{}", ran.told());
        // of a thousand requests one may be refused as often as it is made, and its object begun anew
        let refused = pair.number(&format!("/retries/by_code/{code}"));
        assert_eq!(refused + pair.begun_anew(), retries, "{}", ran.told());
        let throttled = if is_throttling { refused } else { 0 };
        assert_eq!(pair.number("/throttled"), throttled, "{}", ran.told());
    }
}

#[test]
fn wrong_credentials_stop_a_run_of_many_within_seconds() {
    let world = world(300, 100);
    let ran = world
        .job()
        .set("performance.worker_size", "64")
        .pair("pair", "tree", "s3://second/")
        .environment("WORLD_SECRET_KEY", "wrong")
        .run();
    ran.exit(1).says("the secret access key does not fit");
    assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
}
