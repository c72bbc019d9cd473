//! What may go wrong on the way, and what must not come of it.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Moment, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Ran, Run, World, content, same, until};

const MIB: usize = 1 << 20;
const SMALL: usize = 50_000;
const LARGE: usize = 20 * MIB + 7;

/// A world with a tree, the same tree in the bucket `first`, and an empty bucket `second`.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("small", SMALL).file("large", LARGE);
    world.put("first", "small", &content("small", SMALL));
    let large = content("large", LARGE);
    let sizes = [8 * MIB, 8 * MIB, 4 * MIB + 7];
    world.put_in_parts("first", "large", &large, &sizes);
    world.faults().forget_calls();
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("pair", "tree", "s3://second/")
}

fn across(world: &World) -> Run<'_> {
    world.job().pair("pair", "s3://first/", "s3://second/")
}

fn server_side(world: &World) -> Run<'_> {
    across(world).set("server_side_copy", "true")
}

fn down(world: &World) -> Run<'_> {
    world.job().pair("pair", "s3://first/", "down")
}

type Way = fn(&World) -> Run<'_>;

const WAYS: [(&str, Way); 4] = [
    ("up", up),
    ("across", across),
    ("server side", server_side),
    ("down", down),
];

/// What stands at the target of a way.
fn target(world: &World, way: &str) -> BTreeMap<String, Vec<u8>> {
    if way == "down" {
        world.tree("down").files()
    } else {
        world.objects("second", "")
    }
}

/// Everything is there, whole, proved, and nothing else is.
fn all_arrived(world: &World, way: &str, ran: &Ran) {
    ran.exit(0).transferred(2).all_proved();
    same(&world.tree("tree").files(), &target(world, way));
    assert_eq!(world.uploads("second"), [""; 0], "{way}");
}

/// One key failed; its target holds nothing, or what it held before, and the other one arrived.
fn failed_alone(world: &World, way: &str, ran: &Ran, key: &str) {
    ran.exit(1).transferred(1);
    assert_eq!(ran.pair("pair").count("failed"), 1, "{way}: {}", ran.told());
    assert_eq!(ran.pair("pair").line(key)["outcome"], "failed", "{way}");
    let mut expected = world.tree("tree").files();
    expected.remove(key);
    same(&expected, &target(world, way));
    assert_eq!(world.uploads("second"), [""; 0], "{way}");
}

#[test]
fn a_503_on_every_third_request_changes_nothing_but_the_counters() {
    for (way, run) in WAYS {
        let world = world();
        world.faults().add(Rule::slow_down().when(When::Every(3)));
        let ran = run(&world).run();
        world.faults().clear();
        all_arrived(&world, way, &ran);
        let pair = ran.pair("pair");
        assert!(pair.number("/retries/count") > 0, "{way}: {}", ran.told());
        assert!(pair.number("/retries/by_code/SlowDown") > 0, "{way}");
        assert!(pair.number("/throttled") > 0, "{way}: {}", ran.told());
        run(&world).run().exit(0).transferred(0);
    }
}

/// Statement 46: 503 SlowDown on 30 % of requests → completes, exit 0, retries counted.
#[test]
fn thirty_percent_of_503s_and_of_lost_connections_are_survived() {
    for (way, run) in WAYS {
        for (name, rule) in [
            ("503", Rule::slow_down()),
            ("lost before", Rule::new(Action::Close(Moment::Before))),
            ("lost after", Rule::new(Action::Close(Moment::After))),
        ] {
            let world = world();
            let chance = When::Chance {
                probability: 0.3,
                seed: 42,
            };
            world.faults().add(rule.when(chance));
            let ran = run(&world).run();
            world.faults().clear();
            case(format_args!("{way}, {name}"));
            ran.exit(0).transferred(2).all_proved();
            same(&world.tree("tree").files(), &target(&world, way));
        }
    }
}

#[test]
fn a_bit_flipped_in_an_upload_is_refused_and_sent_again() {
    for (way, run, operation) in [
        ("up", up as Way, "PutObject"),
        ("up", up, "UploadPart"),
        ("across", across, "PutObject"),
        ("across", across, "UploadPart"),
    ] {
        for checksum in ["", "CRC64NVME", "SHA256"] {
            let world = world();
            world.faults().add(
                Rule::new(Action::FlipRequest(1000))
                    .operation(operation)
                    .when(When::First(1)),
            );
            let mut job = run(&world);
            if !checksum.is_empty() {
                job = job.set("checksum.algorithm", &format!("{checksum:?}"));
            }
            let ran = job.run();
            all_arrived(&world, way, &ran);
            let retries = ran.pair("pair").number("/retries/count");
            assert_eq!(retries, 1, "{way} {operation} {checksum}: {}", ran.told());
        }
    }
}

#[test]
fn an_upload_that_is_damaged_every_time_fails_alone() {
    for (way, run, operation, key) in [
        ("up", up as Way, "PutObject", "small"),
        ("up", up, "UploadPart", "large"),
        ("across", across, "PutObject", "small"),
        ("across", across, "UploadPart", "large"),
    ] {
        let world = world();
        world
            .faults()
            .add(Rule::new(Action::FlipRequest(1000)).operation(operation));
        let ran = run(&world).set("retry.aws_max_attempts", "3").run();
        failed_alone(&world, way, &ran, key);
        // it does not count as synced later either
        world.faults().clear();
        run(&world).run().exit(0).transferred(1).all_proved();
        same(&world.tree("tree").files(), &target(&world, way));
    }
}

#[test]
fn what_is_stored_wrong_is_found_by_its_etag_and_sent_again() {
    for (way, run, operation) in [
        ("up", up as Way, "PutObject"),
        ("up", up, "UploadPart"),
        ("across", across, "PutObject"),
        ("across", across, "UploadPart"),
    ] {
        let world = world();
        world.faults().add(
            Rule::new(Action::FlipStored)
                .operation(operation)
                .when(When::First(1)),
        );
        let ran = run(&world).run();
        case(format_args!("{way}, {operation}"));
        all_arrived(&world, way, &ran);
    }
}

#[test]
fn what_is_stored_wrong_every_time_fails_and_is_taken_away() {
    for (way, run, operation, key) in [
        ("up", up as Way, "PutObject", "small"),
        ("up", up, "UploadPart", "large"),
        ("across", across, "PutObject", "small"),
        ("across", across, "UploadPart", "large"),
    ] {
        for checksum in ["", "CRC64NVME", "SHA256"] {
            let world = world();
            world
                .faults()
                .add(Rule::new(Action::FlipStored).operation(operation));
            let mut job = run(&world).set("retry.force_retry_count", "1");
            if !checksum.is_empty() {
                job = job.set("checksum.algorithm", &format!("{checksum:?}"));
            }
            let ran = job.run();
            case(format_args!("{way}, {operation}, {checksum}"));
            failed_alone(&world, way, &ran, key);
            let line = ran.pair("pair").line(key);
            assert!(
                line["reason"] == "etag_mismatch" || line["reason"] == "checksum_mismatch",
                "{line}"
            );
        }
    }
}

#[test]
fn what_is_stored_wrong_does_not_stay_when_it_cannot_be_sent_again() {
    for (way, run) in [("up", up as Way), ("across", across)] {
        let world = world();
        let put = |action| Rule::new(action).operation("PutObject").key("small");
        world
            .faults()
            .add(put(Action::FlipStored).when(When::Nth(1)));
        let denied = Action::Refuse {
            status: 403,
            code: "AccessDenied".to_owned(),
            retry_after: None,
        };
        world.faults().add(put(denied).when(When::Nth(2)));
        let ran = run(&world).run();
        ran.exit(3).transferred(1).says("removed");
        let arrived = target(&world, way);
        assert!(!arrived.contains_key("small"), "{way}: {}", ran.told());
        world.faults().clear();
        run(&world).run().exit(0).transferred(1).all_proved();
    }
}

#[test]
fn a_bit_flipped_in_a_download_is_fetched_again() {
    for (way, run) in [("down", down as Way), ("across", across)] {
        for key in ["small", "large"] {
            let world = world();
            world.faults().add(
                Rule::new(Action::FlipResponse(40_000))
                    .operation("GetObject")
                    .key(key)
                    .when(When::First(1)),
            );
            let ran = run(&world).run();
            case(format_args!("{way}, {key}"));
            all_arrived(&world, way, &ran);
        }
    }
}

/// Statement 28: a byte flips in a download → the destination path is never replaced.
#[test]
fn a_download_that_is_damaged_every_time_never_replaces_what_is_there() {
    for (way, run) in [("down", down as Way), ("across", across)] {
        for key in ["small", "large"] {
            for older in [false, true] {
                let world = world();
                if older {
                    world.tree("down").write(key, b"old");
                    world.put("second", key, b"old");
                }
                world.faults().add(
                    Rule::new(Action::FlipResponse(40_000))
                        .operation("GetObject")
                        .key(key),
                );
                let ran = run(&world).set("retry.force_retry_count", "2").run();
                case(format_args!("{way}, {key}, {older}"));
                world.faults().clear();
                ran.exit(1).transferred(1);
                let mut expected = world.tree("tree").files();
                expected.remove(key);
                if older {
                    expected.insert(key.to_owned(), b"old".to_vec());
                }
                same(&expected, &target(&world, way));
                assert_eq!(world.uploads("second"), [""; 0]);
                run(&world).run().exit(0).transferred(1).all_proved();
            }
        }
    }
}

#[test]
fn a_body_cut_short_is_fetched_again() {
    for (way, run) in [("down", down as Way), ("across", across)] {
        for at in [0, 1, 40_000] {
            let world = world();
            for key in ["small", "large"] {
                world.faults().add(
                    Rule::new(Action::CutResponse(at))
                        .operation("GetObject")
                        .key(key)
                        .when(When::Nth(1)),
                );
            }
            let ran = run(&world).run();
            all_arrived(&world, way, &ran);
            let retries = ran.pair("pair").number("/retries/count");
            assert_eq!(retries, 2, "{way} {at}: {}", ran.told());
        }
    }
}

#[test]
fn a_body_that_is_always_cut_short_fails_alone_and_leaves_nothing() {
    for (way, run) in [("down", down as Way), ("across", across)] {
        for key in ["small", "large"] {
            let world = world();
            world.faults().add(
                Rule::new(Action::CutResponse(40_000))
                    .operation("GetObject")
                    .key(key),
            );
            let ran = run(&world).set("retry.aws_max_attempts", "3").run();
            world.faults().clear();
            failed_alone(&world, way, &ran, key);
        }
    }
}

#[test]
fn a_failed_multipart_leaves_no_upload() {
    let refused = |status, code: &str| {
        Rule::new(Action::Refuse {
            status,
            code: code.to_owned(),
            retry_after: None,
        })
    };
    for (way, run, operation) in [
        ("up", up as Way, "UploadPart"),
        ("up", up, "CompleteMultipartUpload"),
        ("across", across, "UploadPart"),
        ("server side", server_side, "UploadPartCopy"),
        ("server side", server_side, "CompleteMultipartUpload"),
    ] {
        for (status, code) in [(400, "InvalidRequest"), (500, "InternalError")] {
            let world = world();
            let rule = refused(status, code)
                .operation(operation)
                .when(When::Every(1));
            world.faults().add(rule);
            let ran = run(&world).set("retry.aws_max_attempts", "3").run();
            world.faults().clear();
            case(format_args!("{way}, {operation}, {code}"));
            failed_alone(&world, way, &ran, "large");
            // what may pass is begun once more; of an upload that could not be completed it is made
            // sure at the end of the pair
            let begun = if status == 500 { 2 } else { 1 };
            let aborted = world.faults().calls("AbortMultipartUpload");
            assert!((begun..=2 * begun).contains(&aborted), "{way}: {aborted}");
        }
    }
}

#[test]
fn what_is_gone_at_the_target_is_a_failure_and_no_vanished_source() {
    for (way, run, operation, key) in [
        ("up", up as Way, "PutObject", "small"),
        ("up", up, "UploadPart", "large"),
        ("across", across, "UploadPart", "large"),
        (
            "server side",
            server_side,
            "CompleteMultipartUpload",
            "large",
        ),
    ] {
        let world = world();
        let gone = Rule::new(Action::Refuse {
            status: 404,
            code: "NoSuchUpload".to_owned(),
            retry_after: None,
        });
        world.faults().add(gone.operation(operation));
        let ran = run(&world).run();
        failed_alone(&world, way, &ran, key);
    }
}

/// Statement 30: CompleteMultipartUpload answers 200 with an `<Error>` body, or after success →
/// settled, neither lost nor doubled.
#[test]
fn an_error_inside_a_200_is_an_error() {
    for (way, run, operation) in [
        ("up", up as Way, "CompleteMultipartUpload"),
        ("across", across, "CompleteMultipartUpload"),
        ("server side", server_side, "CompleteMultipartUpload"),
        ("server side", server_side, "CopyObject"),
    ] {
        for moment in [Moment::Before, Moment::After] {
            let world = world();
            let rule = Rule::new(Action::ErrorInOk(moment)).operation(operation);
            world.faults().add(rule.when(When::First(1)));
            let ran = run(&world).run();
            case(format_args!("{way}, {operation}, {moment:?}"));
            all_arrived(&world, way, &ran);
        }
    }
}

/// Statement 30: … or times out after success → neither lost nor doubled.
#[test]
fn a_lost_answer_of_any_writing_operation_neither_loses_nor_doubles() {
    for (way, run, operation) in [
        ("up", up as Way, "PutObject"),
        ("up", up, "CreateMultipartUpload"),
        ("up", up, "UploadPart"),
        ("up", up, "CompleteMultipartUpload"),
        ("server side", server_side, "CopyObject"),
        ("server side", server_side, "UploadPartCopy"),
        ("server side", server_side, "CompleteMultipartUpload"),
    ] {
        let world = world();
        let rule = Rule::new(Action::Close(Moment::After)).operation(operation);
        world.faults().add(rule.when(When::First(1)));
        let ran = run(&world).run();
        case(format_args!("{way}, {operation}"));
        ran.exit(0).transferred(2).all_proved();
        same(&world.tree("tree").files(), &target(&world, way));
        assert_eq!(world.uploads("second"), [""; 0], "{way} {operation}");
    }
}

/// Statement 13: a LIST that fails on either side ends the pair.
#[test]
fn a_listing_that_fails_for_good_ends_the_pair_and_only_the_pair() {
    for (bucket, status, code) in [
        ("first", 503, "SlowDown"),
        ("second", 503, "SlowDown"),
        ("first", 403, "AccessDenied"),
        ("second", 500, "InternalError"),
    ] {
        let world = world();
        for n in 0..30 {
            world.put(bucket, &format!("k{n}"), b"x");
        }
        let rule = Rule::new(Action::Refuse {
            status,
            code: code.to_owned(),
            retry_after: None,
        });
        // the third page, and every attempt at it
        for attempt in 3..30 {
            world.faults().add(
                rule.clone()
                    .operation("ListObjectsV2")
                    .when(When::Nth(attempt)),
            );
        }
        let ran = across(&world)
            .set("performance.max_keys", "10")
            .set("performance.max_parallel_listings", "1")
            .set("retry.aws_max_attempts", "3")
            .run();
        case(format_args!("{bucket}, {code}"));
        ran.exit(1).says(code);
        assert_eq!(ran.pair("pair").report["status"], "failed");
        assert_eq!(ran.pair("pair").count("failed"), 0, "{}", ran.told());
    }
}

/// Statement 51: of three pairs the second fails → the third runs, the exit code is the worst.
#[test]
fn of_three_pairs_a_broken_one_does_not_stop_the_others() {
    let world = world();
    world.bucket("third");
    let ran = world
        .job()
        .pair("one", "tree", "s3://second/")
        .pair("two", "tree", "s3://no-such-bucket/")
        .pair("three", "tree", "s3://third/")
        .run();
    ran.exit(1).transferred(4);
    for (pair, status) in [("one", "success"), ("two", "failed"), ("three", "success")] {
        assert_eq!(ran.pair(pair).report["status"], status, "{}", ran.told());
    }
}

/// Statement 23: an S3 object overwritten during a ranged download → entirely old, entirely new, or
/// absent; never spliced.
#[test]
fn an_object_replaced_midway_is_entirely_the_old_or_the_new() {
    for (way, run, operation) in [
        ("down", down as Way, "GetObject"),
        ("across", across, "GetObject"),
        ("server side", server_side, "UploadPartCopy"),
    ] {
        let world = world();
        // the second range starts when the object has been replaced
        world.faults().add(
            Rule::new(Action::Delay(NEVER))
                .operation(operation)
                .key("large")
                .when(When::Nth(2)),
        );
        let running = run(&world)
            .set("performance.max_parallel_uploads", "1")
            .start();
        until("the first range is read", || {
            world.faults().calls(operation) >= 2
        });
        let new = content("another", LARGE + 5);
        world.put_in_parts("first", "large", &new, &[8 * MIB, 8 * MIB, 4 * MIB + 12]);
        world.faults().let_go();
        let ran = running.wait();
        ran.exit(0).transferred(2).all_proved();
        let arrived = target(&world, way).remove("large").expect("it is there");
        assert!(
            arrived == new,
            "{way}: {} bytes, not the new object",
            arrived.len()
        );
        assert_eq!(world.uploads("second"), [""; 0], "{way}");
    }
}

/// Statement 47: a connection that accepts and then goes silent → cut within the stall timeout and
/// retried.
#[test]
fn a_server_that_falls_silent_is_cut_off_and_asked_again() {
    for (way, run, operation) in [
        ("up", up as Way, "PutObject"),
        ("down", down, "GetObject"),
        ("across", across, "ListObjectsV2"),
    ] {
        let world = world();
        let rule = Rule::new(Action::Delay(NEVER)).operation(operation);
        world.faults().add(rule.when(When::First(1)));
        let ran = run(&world).set("timeout.read", "\"2s\"").run();
        case(format_args!("{way}, {operation}"));
        all_arrived(&world, way, &ran);
        let retries = ran.pair("pair").number("/retries/count");
        assert!(retries >= 1, "{}", ran.told());
    }
}

#[test]
fn what_the_server_asks_to_wait_is_waited() {
    let world = world();
    let rule = Rule::new(Action::Refuse {
        status: 503,
        code: "SlowDown".to_owned(),
        retry_after: Some(1),
    });
    world
        .faults()
        .add(rule.operation("PutObject").when(When::First(1)));
    let ran = up(&world).run();
    all_arrived(&world, "up", &ran);
    assert!(
        ran.pair("pair").number("/retries/wait_ms") >= 1000,
        "{}",
        ran.told()
    );
}

#[test]
fn an_object_that_may_not_be_read_is_skipped_with_a_warning() {
    for (way, run) in [("down", down as Way), ("across", across)] {
        for (status, code, reason) in [
            (403, "AccessDenied", "access_denied"),
            (404, "NoSuchKey", "source_vanished"),
            (403, "InvalidObjectState", "archived"),
        ] {
            for key in ["small", "large"] {
                let world = world();
                let rule = Rule::new(Action::Refuse {
                    status,
                    code: code.to_owned(),
                    retry_after: None,
                });
                world.faults().add(rule.operation("GetObject").key(key));
                let ran = run(&world).run();
                world.faults().clear();
                case(format_args!("{way}, {code}, {key}"));
                ran.exit(3).transferred(1);
                assert_eq!(
                    ran.pair("pair").line(key)["reason"],
                    reason,
                    "{}",
                    ran.told()
                );
                assert_eq!(world.uploads("second"), [""; 0], "{way}");
                assert_eq!(target(&world, way).len(), 1, "{way}");
            }
        }
    }
}

#[test]
fn credentials_that_expire_on_the_way_end_the_pair_at_once() {
    let world = world();
    for n in 0..200 {
        world.tree("tree").file(&format!("many/{n}"), 100);
    }
    world.faults().forget_calls();
    world.faults().add(
        Rule::new(Action::Refuse {
            status: 403,
            code: "ExpiredToken".to_owned(),
            retry_after: None,
        })
        .operation("PutObject"),
    );
    let ran = up(&world).run();
    ran.exit(1).says("the credentials have expired");
    let calls = world.faults().calls("PutObject");
    assert!(calls <= 32, "{calls} calls: {}", ran.told());
    assert!(
        ran.pair("pair").count("not_attempted") > 100,
        "{}",
        ran.told()
    );
    world.faults().clear();
    assert_eq!(world.uploads("second"), [""; 0]);
}
