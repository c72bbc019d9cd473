//! What the project exists for: bytes that are damaged on a real wire, in every direction, under
//! every protection, and never believed. The numbers are those of the statements held.

use std::collections::BTreeMap;

use s3sync::sandbox::{Action, Rule, When};
use serde_json::json;

use crate::support::case;
use crate::world::{Blow, Body, Damage, Ran, Run, Wire, World, content, same};

const MIB: usize = 1 << 20;
const PART: usize = 5 * MIB;
const SMALL: usize = 50_000;
const LARGE: usize = 2 * PART + 7;

/// A world whose runs go over a wire, with the same tree in a directory and in the bucket `first`.
fn world() -> (World, Wire) {
    let mut world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    let wire = Wire::between(&mut world);
    world.tree("tree").file("small", SMALL).file("large", LARGE);
    world.put("first", "small", &content("small", SMALL));
    let large = content("large", LARGE);
    world.put_in_parts("first", "large", &large, &[PART, PART, 7]);
    (world, wire)
}

fn job(world: &World) -> Run<'_> {
    world
        .job_in_small_parts()
        .set("retry.aws_max_attempts", "3")
        .set("retry.force_retry_count", "2")
}

const UP: (&str, &str, &str) = ("up", "tree", "s3://second/");
const ACROSS: (&str, &str, &str) = ("across", "s3://first/", "s3://second/");
const DOWN: (&str, &str, &str) = ("down", "s3://first/", "down");

type Options = &'static [(&'static str, &'static str)];

/// What may stand between a damaged upload and its belief: a name, its options, and whether
/// anything does at all.
const PROTECTIONS: [(&str, Options, bool); 6] = [
    ("as it comes", &[], true),
    (
        "an additional checksum",
        &[("checksum.algorithm", "\"CRC64NVME\"")],
        true,
    ),
    (
        "Content-MD5 alone",
        &[
            ("protocol.payload_signing", "\"never\""),
            ("verify.etag", "false"),
        ],
        true,
    ),
    (
        "the ETag alone",
        &[
            ("protocol.payload_signing", "\"never\""),
            ("protocol.content_md5_header", "false"),
        ],
        true,
    ),
    (
        "an additional checksum alone",
        &[
            ("protocol.payload_signing", "\"never\""),
            ("protocol.content_md5_header", "false"),
            ("verify.etag", "false"),
            ("checksum.algorithm", "\"SHA256\""),
        ],
        true,
    ),
    (
        "nothing",
        &[
            ("protocol.payload_signing", "\"never\""),
            ("protocol.content_md5_header", "false"),
            ("verify.etag", "false"),
            ("verify.checksum", "false"),
        ],
        false,
    ),
];

fn run(world: &World, (way, source, target): (&str, &str, &str), options: Options) -> Ran {
    let run = job(world).pair("pair", source, target);
    // some are of uploads only
    let of_uploads =
        |option: &str| option.starts_with("protocol.") || option == "checksum.algorithm";
    let run = options
        .iter()
        .filter(|(option, _)| way != "down" || !of_uploads(option))
        .fold(run, |run, (option, value)| run.set(option, value));
    run.run()
}

fn arrived(world: &World, (way, ..): (&str, &str, &str)) -> BTreeMap<String, Vec<u8>> {
    if way == "down" {
        world.tree("down").files()
    } else {
        world.objects("second", "")
    }
}

/// Everything is there, and nothing else: no upload and no temporary file.
fn whole(world: &World, way: (&str, &str, &str)) {
    same(&world.tree("tree").files(), &arrived(world, way));
    assert_eq!(world.uploads("second"), [""; 0]);
}

/// Two objects, one of which is damaged: the request that carries it, and in which of its bodies.
fn carriers(way: &str) -> &'static [(&'static str, Body, &'static str, &'static str)] {
    match way {
        "up" => &[
            ("small", Body::Request, "PUT", "/second/small"),
            ("large", Body::Request, "PUT", "partNumber=2"),
        ],
        "across" => &[
            ("small", Body::Request, "PUT", "/second/small"),
            ("large", Body::Request, "PUT", "partNumber=2"),
            ("small", Body::Answer, "GET", "/first/small"),
            ("large", Body::Answer, "GET", "/first/large"),
        ],
        _ => &[
            ("small", Body::Answer, "GET", "/first/small"),
            ("large", Body::Answer, "GET", "/first/large"),
        ],
    }
}

/// Statement 27: a byte flipped in an upload is refused or caught and sent again; if it persists, the object fails.
/// Statement 28: a byte flipped in a download never replaces what is there; it is fetched again, then failed.
#[test]
fn n27_and_n28_a_byte_flipped_once_is_found_and_sent_again() {
    for way in [UP, ACROSS, DOWN] {
        for (name, options, protects) in PROTECTIONS {
            for (key, of, method, path) in carriers(way.0) {
                // what protects an upload says nothing of what was read
                let protects = match of {
                    Body::Request => protects,
                    Body::Answer => !options.contains(&("verify.etag", "false")),
                };
                case(format_args!("{}, {name}: {of:?} of {method} {path}", way.0));
                let (world, wire) = world();
                wire.strike(&[Blow {
                    of: *of,
                    method,
                    path,
                    damage: Damage::Flip(40_000),
                    times: 1,
                }]);
                let ran = run(&world, way, options);
                assert_eq!(wire.left(), 0, "it was struck: {}", ran.told());
                if protects {
                    ran.exit(0).transferred(2);
                    whole(&world, way);
                    let line = ran.pair("pair").line(key);
                    assert_eq!(line["outcome"], "ok", "{line}");
                    continue;
                }
                // who wants no proof has none, and is told so of each object
                ran.transferred(2);
                let pair = ran.pair("pair");
                assert_eq!(pair.count("verified/objects/verified"), 0, "{}", ran.told());
                let by = &pair.report["counts"]["verified"]["not_verifiable_by"];
                assert_eq!(*by, json!([{"reason": "switched_off", "count": 2}]));
            }
        }
    }
}

/// Statement 27: a byte flipped in an upload is refused or caught and sent again; if it persists, the object fails.
/// Statement 28: a byte flipped in a download never replaces what is there; it is fetched again, then failed.
#[test]
fn n27_and_n28_a_byte_flipped_every_time_fails_its_object_alone() {
    for way in [UP, ACROSS, DOWN] {
        for (name, options, _) in [PROTECTIONS[0], PROTECTIONS[3]] {
            for (key, of, method, path) in carriers(way.0) {
                if *of == Body::Answer && !options.is_empty() {
                    continue;
                }
                let older = options.is_empty();
                {
                    case(format_args!(
                        "{}, {name}: {of:?} of {method} {path}, older {older}",
                        way.0
                    ));
                    let (world, wire) = world();
                    if older {
                        world.tree("down").write(key, b"old");
                        world.put("second", key, b"old");
                    }
                    wire.strike(&[Blow {
                        of: *of,
                        method,
                        path,
                        damage: Damage::Flip(3),
                        times: usize::MAX,
                    }]);
                    let ran = run(&world, way, options);
                    ran.exit(1).transferred(1);
                    let line = ran.pair("pair").line(key);
                    assert_eq!(line["outcome"], "failed", "{line}");
                    let expected = world.tree("tree").files();
                    let mut seen = arrived(&world, way);
                    // old, new or absent
                    match seen.remove(*key) {
                        Some(bytes) => assert!(older && bytes == b"old", "{key} is damaged"),
                        None => assert!(way.0 != "down" || !older, "{key} is gone"),
                    }
                    let mut others = expected.clone();
                    others.remove(*key);
                    same(&others, &seen);
                    assert_eq!(world.uploads("second"), [""; 0]);
                    // no later run takes it for synchronized
                    wire.strike(&[]);
                    run(&world, way, options).exit(0).transferred(1);
                    whole(&world, way);
                    run(&world, way, options).exit(0).transferred(0);
                }
            }
        }
    }
}

/// Statement 27: a byte flipped in an upload is refused or caught and sent again; if it persists, the object fails.
/// Statement 28: a byte flipped in a download never replaces what is there; it is fetched again, then failed.
#[test]
fn n27_and_n28_a_connection_cut_in_a_body_is_made_again() {
    for way in [UP, ACROSS, DOWN] {
        for (key, of, method, path) in carriers(way.0) {
            for (at, times) in [(0, 1), (40_000, 1), (40_000, usize::MAX)] {
                {
                    case(format_args!(
                        "{}: {of:?} of {method} {path} at {at}, {times} times",
                        way.0
                    ));
                    let (world, wire) = world();
                    let blow = Blow {
                        of: *of,
                        method,
                        path,
                        damage: Damage::Cut(at),
                        times,
                    };
                    wire.strike(&[blow]);
                    let ran = run(&world, way, &[]);
                    if times == 1 {
                        ran.exit(0).transferred(2).all_proved();
                    } else {
                        ran.exit(1).transferred(1);
                        assert!(!arrived(&world, way).contains_key(*key), "{}", ran.told());
                        assert_eq!(world.uploads("second"), [""; 0]);
                        wire.strike(&[]);
                        run(&world, way, &[]).exit(0).transferred(1).all_proved();
                    }
                    whole(&world, way);
                }
            }
        }
    }
}

/// Statement 27: a byte flipped in an upload is refused or caught and sent again; if it persists, the object fails.
#[test]
fn n27_a_final_etag_or_checksum_that_is_always_wrong_is_never_believed() {
    for way in [UP, ACROSS] {
        for (operation, key) in [("PutObject", "small"), ("CompleteMultipartUpload", "large")] {
            for action in [Action::WrongETag, Action::WrongChecksum] {
                case(format_args!("{}: {action:?} of {operation}", way.0));
                let (world, _) = world();
                let rule = Rule::new(action.clone()).operation(operation);
                world.faults().add(rule);
                let options: Options = &[("checksum.algorithm", "\"SHA256\"")];
                let ran = run(&world, way, options);
                world.faults().clear();
                ran.exit(1).transferred(1);
                let line = ran.pair("pair").line(key);
                assert_eq!(line["outcome"], "failed", "{line}");
                assert_eq!(world.uploads("second"), [""; 0]);
                // only the answer lied: what it spoke of may stand there, whole
                run(&world, way, options).exit(0);
                whole(&world, way);
                run(&world, way, options).exit(0).transferred(0);
            }
        }
    }
}

/// Statement 29: a local file corrupted later, with the right size and mtime → `check` finds it.
#[test]
fn n29_a_file_that_rots_later_is_found_by_check() {
    for (key, place) in [("small", 7), ("large", PART + 3)] {
        for mode in ["etag", "checksum"] {
            case(format_args!("{key}, by {mode}"));
            let (world, _) = world();
            let options: Options = &[("checksum.algorithm", "\"SHA256\"")];
            run(&world, UP, options).exit(0);
            let mut bytes = content(key, if key == "small" { SMALL } else { LARGE });
            bytes[place] ^= 0x80;
            world.tree("tree").write(key, &bytes);
            // a run by times does not look
            run(&world, UP, options).exit(0).transferred(0);
            for (source, target) in [("tree", "s3://second/"), ("s3://second/", "tree")] {
                let mut check = job(&world).set("check.mode", &format!("{mode:?}"));
                if mode == "checksum" {
                    check = check.set("check.checksum_algorithm", "\"SHA256\"");
                }
                let ran = check.pair("pair", source, target).called("check").run();
                ran.exit(3);
                let pair = ran.pair("pair");
                assert_eq!(pair.count("compared/mismatch"), 1, "{}", ran.told());
                assert_eq!(pair.line(key)["reason"], "mismatch");
            }
        }
    }
}

/// Statement 30: a completion that is answered with an error, or not at all, is neither lost nor doubled.
#[test]
fn n30_a_completion_whose_answer_is_cut_off_is_neither_lost_nor_doubled() {
    for (way, server_side) in [(UP, "false"), (ACROSS, "false"), (ACROSS, "true")] {
        for at in [0, 20] {
            for times in [1, usize::MAX] {
                case(format_args!(
                    "{way:?} {server_side}, at {at}, {times} times"
                ));
                let (world, wire) = world();
                world.keep_versions("second");
                wire.strike(&[Blow {
                    of: Body::Answer,
                    method: "POST",
                    path: "/second/large?uploadId",
                    damage: Damage::Cut(at),
                    times,
                }]);
                let run = job(&world).pair("pair", way.1, way.2);
                let run = if way.0 == "across" {
                    run.set("server_side_copy", server_side)
                } else {
                    run
                };
                let ran = run.run();
                ran.exit(0).transferred(2).all_proved();
                whole(&world, way);
                assert_eq!(world.versions("second").len(), 2, "{}", ran.told());
            }
        }
    }
}

/// Parts that nobody would guess.
const UNEQUAL: [usize; 4] = [PART, PART + 3, PART + 1, 9];

/// The ways to ask how an object is cut, from the one refused first on.
const TELLERS: [(&str, &[&str]); 3] = [
    ("both tell", &[]),
    ("HEAD tells", &["GetObjectAttributes"]),
    ("nobody tells", &["GetObjectAttributes", "HeadObject"]),
];

fn refuse(world: &World, operations: &[&str], heads_before: u64) {
    for operation in operations {
        let refuse = Action::Refuse {
            status: 501,
            code: "NotImplemented".to_owned(),
            retry_after: None,
        };
        let when = match *operation {
            "HeadObject" => When::From(heads_before + 1),
            _ => When::Always,
        };
        world.faults().forget_calls();
        let rule = Rule::new(refuse).operation(operation);
        world.faults().add(rule.when(when));
    }
}

/// Statement 31: unequal part sizes → verified with the real layout, or `not_verifiable` with the
/// reason.
#[test]
fn n31_unequal_parts_are_proved_by_their_real_layout_or_not_at_all() {
    let size = UNEQUAL.iter().sum();
    for (name, refused) in TELLERS {
        for (source, target) in [("s3://first/p/", "down"), ("s3://first/p/", "s3://second/")] {
            // without any HEAD of the object there is nothing to go by
            if refused.contains(&"HeadObject") {
                continue;
            }
            case(format_args!("{name}, to {target}"));
            let (world, _) = world();
            let bytes = content("odd", size);
            world.put_in_parts("first", "p/odd", &bytes, &UNEQUAL);
            refuse(&world, refused, 0);
            let ran = world
                .job()
                .set("multipart.auto_chunksize", "true")
                .set("checksum.download", "true")
                .pair("pair", source, target)
                .run();
            world.faults().clear();
            ran.transferred(1);
            assert_eq!(ran.pair("pair").count("failed"), 0, "{}", ran.told());
            let line = ran.pair("pair").line("odd");
            for axis in ["etag", "checksum"] {
                let result = &line["verify"][axis]["result"];
                assert_ne!(result, "mismatched", "{axis}: {line}");
                if result == "not_verifiable" {
                    assert!(line["verify"][axis]["why"].is_string(), "{line}");
                }
            }
            // the checksum of the whole is there however it is cut
            assert_eq!(
                ran.pair("pair").count("verified/objects/verified"),
                1,
                "{line}"
            );
        }
    }
}

/// Statement 7: in content modes another layout is `matched` or `not_verifiable`, never `mismatch`.
/// Statement 31: composite checksums of unequal parts are no `mismatch` either.
#[test]
fn n7_and_n31_the_same_content_cut_otherwise_is_never_called_different() {
    for (name, refused) in TELLERS {
        for mode in ["etag", "checksum"] {
            case(format_args!("{name}, by {mode}"));
            let (world, _) = world();
            let bytes = content("k", 3 * PART + 13);
            let cuts: [&[usize]; 3] = [
                &[PART, PART, PART, 13],
                &[PART + 1, PART + 2, PART + 10],
                &[3 * PART + 13],
            ];
            for (number, cut) in cuts.iter().enumerate() {
                world.put_in_parts("first", &format!("{number}/k"), &bytes, cut);
            }
            world.put("first", "3/k", &bytes);
            let mut other = bytes.clone();
            other[PART] ^= 1;
            world.put_in_parts("first", "4/k", &other, cuts[1]);
            refuse(&world, refused, 0);
            for (one, two) in [
                (0, 1),
                (0, 2),
                (1, 2),
                (1, 3),
                (2, 3),
                (0, 3),
                (0, 4),
                (3, 4),
            ] {
                let mut check = job(&world).set("check.mode", &format!("{mode:?}"));
                if mode == "checksum" {
                    check = check.set("check.checksum_algorithm", "\"CRC32\"");
                }
                let url = |number| format!("s3://first/{number}/");
                let ran = check
                    .pair("pair", &url(one), &url(two))
                    .called("check")
                    .run();
                let pair = ran.pair("pair");
                let of = |word: &str| pair.count(&format!("compared/{word}"));
                case(format_args!("{one} and {two}"));
                if two == 4 {
                    assert_eq!(of("matches"), 0, "{}", ran.told());
                } else {
                    assert_eq!(of("mismatch"), 0, "{}", ran.told());
                }
            }
        }
    }
}

/// Statement 45: what an endpoint refuses is done without, and named in `guarantees_lost`.
#[test]
fn n45_a_checksum_the_endpoint_refuses_is_a_guarantee_lost_and_no_failure() {
    for (operation, way, server_side) in [
        ("PutObject", UP, false),
        ("CreateMultipartUpload", UP, false),
        ("CopyObject", ACROSS, true),
        ("CreateMultipartUpload", ACROSS, false),
    ] {
        for (status, code) in [(400, "InvalidRequest"), (501, "NotImplemented")] {
            case(format_args!("{operation} {code}, {}", way.0));
            let (world, _) = world();
            let refuse = Action::Refuse {
                status,
                code: code.to_owned(),
                retry_after: None,
            };
            let header = match operation {
                "PutObject" => "x-amz-checksum-sha512",
                _ => "x-amz-checksum-algorithm",
            };
            let rule = Rule::new(refuse).operation(operation);
            world.faults().add(rule.carrying(header));
            let run = job(&world)
                .set("performance.worker_size", "1")
                .set("checksum.algorithm", "\"SHA512\"")
                .pair("pair", way.1, way.2);
            let run = if server_side {
                run.set("server_side_copy", "true")
            } else {
                run
            };
            let ran = run.run();
            ran.exit(0).transferred(2).all_proved();
            whole(&world, way);
            let lost = &ran.pair("pair").report["guarantees_lost"];
            let lost = lost.as_array().expect("a list");
            assert_eq!(lost.len(), 1, "{lost:?}");
            let what = lost[0]["what"].as_str().expect("words");
            assert!(what.contains("SHA512"), "{what}");
        }
    }
}
