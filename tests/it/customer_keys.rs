//! Objects under keys of the user's (SSE-C): the right key, another one, none, and one too many; and
//! ETags that are no digests, which nothing may be sent again for.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3sync::digest::{Algorithm, digest};

use crate::support::case;
use crate::world::{Run, World, content};

const MIB: usize = 1 << 20;

/// Two keys of 32 bytes.
const ONE: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

const OBJECTS: [(&str, usize); 3] = [("empty", 0), ("large", 6 * MIB + 7), ("small", 1000)];

/// Ways from the bucket `first`: their target, and whether S3 copies.
const WAYS: [(&str, bool); 3] = [
    ("down", false),
    ("s3://second/", false),
    ("s3://second/", true),
];

fn md5(key: &str) -> String {
    let bytes = STANDARD.decode(key).expect("base64");
    digest(Algorithm::Md5, &bytes).base64()
}

/// A world whose bucket `first` has objects under this key, written as a user of ours would.
fn world(key: Option<&str>) -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (name, size) in OBJECTS {
        world.tree("tree").file(name, size);
    }
    let up = pair(world.job_in_small_parts(), "tree", "s3://first/");
    with_key(up, "target", key).run().exit(0).transferred(3);
    world.faults().forget_calls();
    world
}

fn pair<'w>(run: Run<'w>, source: &str, target: &str) -> Run<'w> {
    run.text(&format!(
        "\n[pairs.pair]\nsource.url = {source:?}\ntarget.url = {target:?}\n"
    ))
}

fn with_key<'w>(run: Run<'w>, side: &str, key: Option<&str>) -> Run<'w> {
    match key {
        None => run,
        Some(key) => run
            .set(&format!("{side}.sse_c"), "\"AES256\"")
            .set(&format!("{side}.sse_c_key"), &format!("{key:?}"))
            .set(
                &format!("{side}.sse_c_key_md5"),
                &format!("\"{}\"", md5(key)),
            ),
    }
}

/// A run from the bucket `first` under one key to a target under another.
fn run<'w>(
    world: &'w World,
    (target, server_side): (&str, bool),
    from: Option<&str>,
    to: Option<&str>,
) -> Run<'w> {
    let mut job = world.job_in_small_parts();
    if server_side {
        job = job.set("server_side_copy", "true");
    }
    let job = with_key(pair(job, "s3://first/", target), "source", from);
    with_key(job, "target", to)
}

/// Reads what stands at the target, presenting a key.
fn read(world: &World, name: &str, key: Option<&str>) -> GetObjectOutput {
    let request = world.client().get_object().bucket("second").key(name);
    let request = match key {
        None => request,
        Some(key) => request
            .sse_customer_algorithm("AES256")
            .sse_customer_key(key)
            .sse_customer_key_md5(md5(key)),
    };
    world.block_on(request.send()).expect("an object")
}

/// Statement 9: SSE-C: the second run of a content mode sends nothing again.
#[test]
fn any_key_goes_to_any_other_in_every_way() {
    for way in WAYS {
        for (from, to) in [
            (Some(ONE), Some(OTHER)),
            (Some(ONE), Some(ONE)),
            (Some(ONE), None),
            (None, Some(OTHER)),
        ] {
            if way.0 == "down" && to.is_some() {
                continue;
            }
            case(format_args!("{way:?} {from:?} {to:?}"));
            let world = world(from);
            let ran = run(&world, way, from, to).run();
            ran.exit(0).transferred(3).all_proved();
            for (name, size) in OBJECTS {
                let expected = content(name, size);
                let seen = if way.0 == "down" {
                    world.tree("down").files()[name].clone()
                } else {
                    let answer = read(&world, name, to);
                    let is_ours = answer.sse_customer_algorithm().is_some();
                    assert_eq!(is_ours, to.is_some(), "{name}");
                    let body = world.block_on(answer.body.collect()).expect("a body");
                    body.to_vec()
                };
                assert!(seen == expected, "{name}");
            }
            let again = run(&world, way, from, to)
                .set("check.mode", "\"checksum\"")
                .set("check.checksum_algorithm", "\"CRC64NVME\"");
            again.run().exit(0).transferred(0);
        }
    }
}

#[test]
fn the_wrong_key_is_told_of_each_object_and_what_to_set() {
    for way in WAYS {
        for (name, has, given, exit, reason, words) in [
            (
                "wrong",
                Some(ONE),
                Some(OTHER),
                3,
                "access_denied",
                "sse_c_key",
            ),
            ("missing", Some(ONE), None, 1, "other", "sse_c_key"),
            ("needless", None, Some(ONE), 1, "other", "sse_c"),
        ] {
            case(format_args!("{way:?} {name}"));
            let world = world(has);
            let ran = run(&world, way, given, None).run();
            ran.exit(exit).transferred(0);
            let pair = ran.pair("pair");
            for (name, _) in OBJECTS {
                let line = pair.line(name);
                assert_eq!(line["reason"], reason, "{line}");
                let message = line["error"]["message"].as_str().unwrap_or_default();
                assert!(message.contains(words), "{line}");
            }
            assert_eq!(world.list("second", "").len(), 0);
            assert_eq!(world.uploads("second"), [""; 0]);
            if way.0 == "down" {
                assert_eq!(world.tree("down").files().len(), 0);
            }
        }
    }
}

#[test]
fn a_target_under_another_key_is_written_under_the_one_that_is_set() {
    for way in &WAYS[1..] {
        case(format_args!("{way:?}"));
        let world = world(None);
        run(&world, *way, None, Some(ONE)).run().exit(0);
        let again = run(&world, *way, None, Some(OTHER)).set("check.mode", "\"always\"");
        again.run().exit(0).transferred(3).all_proved();
        for (name, _) in OBJECTS {
            read(&world, name, Some(OTHER));
        }
    }
}

#[test]
fn what_cannot_be_looked_at_under_its_key_is_told() {
    let world = world(None);
    let way = WAYS[1];
    run(&world, way, None, Some(ONE)).run().exit(0);
    let look = run(&world, way, None, Some(OTHER))
        .set("check.mode", "\"checksum\"")
        .set("check.checksum_algorithm", "\"CRC64NVME\"");
    let ran = look.run();
    // of nothing the listing tells
    ran.exit(3).transferred(0).says("sse_c_key");
    assert_eq!(ran.pair("pair").count("skipped/total"), 2, "{}", ran.told());
}

/// Statement 9: SSE-KMS, DSSE: no re-upload loop in any mode and direction.
#[test]
fn no_etag_that_is_no_digest_is_sent_again_for() {
    let modes = [
        ("mtime", ""),
        ("size", ""),
        ("etag", ""),
        ("checksum", "CRC64NVME"),
        ("mtime_and_etag", ""),
        ("mtime_and_checksum", "CRC64NVME"),
    ];
    let kinds = ["aws:kms", "aws:kms:dsse"];
    for (source, target, server_side) in [
        ("tree", "s3://hidden/", false),
        ("s3://hidden/", "down", false),
        ("s3://hidden/", "s3://second/", false),
        ("s3://hidden/", "s3://second/", true),
        ("s3://second/", "s3://hidden/", false),
        ("s3://second/", "s3://hidden/", true),
    ] {
        for kind in kinds {
            let world = World::new();
            world.bucket("second");
            world.bucket("hidden");
            world.encrypt_by_default("hidden", kind);
            for (name, size) in OBJECTS {
                world.tree("tree").file(name, size);
            }
            if source.starts_with("s3://") {
                let up = world.job_in_small_parts();
                up.pair("up", "tree", source).run().exit(0).transferred(3);
            }
            for (round, (mode, algorithm)) in modes.into_iter().enumerate() {
                case(format_args!(
                    "{source} {target} {server_side} {kind} {mode}"
                ));
                let mut job = world.job_in_small_parts();
                if server_side {
                    job = job.set("server_side_copy", "true");
                }
                let mut job = job
                    .pair("pair", source, target)
                    .set("check.mode", &format!("{mode:?}"));
                if !algorithm.is_empty() {
                    job = job.set("check.checksum_algorithm", &format!("{algorithm:?}"));
                }
                let ran = job.run();
                let expected = if round == 0 { 3 } else { 0 };
                ran.transferred(expected);
                assert!(ran.has_ended(0) || ran.has_ended(3), "{}", ran.told());
            }
        }
    }
}

#[test]
fn what_others_wrote_under_kms_is_not_taken_for_damaged() {
    let world = World::new();
    world.bucket("first");
    let bytes = content("theirs", 1000);
    let request = world.client().put_object().bucket("first").key("theirs");
    let request = request
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .body(ByteStream::from(bytes.clone()));
    world.block_on(request.send()).expect("a put");
    let ran = world.job().pair("pair", "s3://first/", "down").run();
    ran.exit(0).transferred(1).all_proved();
    assert!(world.tree("down").files()["theirs"] == bytes);
}
