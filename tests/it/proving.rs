//! What proves an object that was moved, where its ETag alone does not.

use std::fs;
use std::num::NonZeroU16;
use std::sync::Arc;

use bytes::Bytes;
use s3sync::digest::{Algorithm, digest};
use s3sync::event::{Cause, Event};
use s3sync::object::Entry;
use s3sync::plan::{Decision, Direction, Transfer};
use s3sync::sandbox::{Action, Rule, When};
use s3sync::store::memory::MemoryStore;
use s3sync::store::{Part, Source as _, Target as _};
use s3sync::transfer::Transferrer;
use serde_json::json;

use crate::engine_room::{Told, context, ends, pair};
use crate::support::{case, key, put};
use crate::world::{World, content};

const MIB: usize = 1 << 20;
/// The smallest part S3 takes.
const PART: usize = 5 * MIB;

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world
}

fn refusing(operation: &str, when: When) -> Rule {
    let refuse = Action::Refuse {
        status: 501,
        code: "NotImplemented".to_owned(),
        retry_after: None,
    };
    Rule::new(refuse).operation(operation).when(when)
}

/// Cuts that are not those of any tool: the first is guessed by nothing, the second by its first
/// part, the third by its size, and the last is that of a small object.
const CUTS: [(&str, &[usize]); 4] = [
    ("odd", &[PART + 3, PART, 9]),
    ("odd_behind", &[PART, PART + 1, PART + 2, 7]),
    ("odd_last", &[PART + 1, PART - 1]),
    ("small", &[PART + 3, 1000]),
];

#[test]
fn what_was_uploaded_in_unequal_parts_is_proved_wherever_it_goes() {
    for (threshold, again) in [("\"5MiB\"", 3), ("\"8MiB\"", 0)] {
        case(format_args!("from {threshold}, begun again {again} times"));
        let world = world();
        for (name, sizes) in CUTS {
            let bytes = content(name, sizes.iter().sum());
            world.put_in_parts("first", name, &bytes, sizes);
        }
        let ran = world
            .job()
            .set("multipart.threshold", threshold)
            .set("multipart.chunksize", "\"5MiB\"")
            .set("retry.force_retry_count", &again.to_string())
            .pair("down", "s3://first/", "down")
            .pair("across", "s3://first/", "s3://second/")
            .run();
        ran.exit(0).transferred(2 * CUTS.len()).all_proved();
        for (name, sizes) in CUTS {
            let bytes = content(name, sizes.iter().sum());
            assert!(fs::read(world.path("down").join(name)).expect("a file") == bytes);
            assert!(world.get("second", name) == Some(bytes), "{name}");
            let is_whole = name == "small" && threshold == "\"8MiB\"";
            for pair in ["down", "across"] {
                let line = ran.pair(pair).line(name);
                assert_eq!(
                    line["verify"]["etag"]["result"], "matched",
                    "{pair}: {line}"
                );
            }
            if !is_whole {
                let list = |bucket| world.list(bucket, "")[name].clone();
                assert_eq!(list("first"), list("second"), "cut alike: {name}");
            }
        }
        assert_eq!(world.uploads("second"), [""; 0]);
    }
}

#[test]
fn where_nobody_tells_the_parts_nothing_is_said_to_be_damaged() {
    let world = world();
    let (name, sizes) = CUTS[1];
    let bytes = content(name, sizes.iter().sum());
    world.put_in_parts("first", name, &bytes, sizes);
    for operation in ["HeadObject", "GetObjectAttributes"] {
        world.faults().add(refusing(operation, When::Always));
    }
    let ran = world
        .job_in_small_parts()
        .pair("down", "s3://first/", "down")
        .run();
    ran.transferred(1);
    let line = ran.pair("down").line(name);
    assert_eq!(line["verify"]["etag"]["why"], "layout_unknown", "{line}");
    assert_eq!(line["attempts"], 1, "{line}");
}

#[test]
fn damage_in_unequal_parts_is_damage() {
    for (name, sizes) in CUTS {
        case(format_args!("{name}"));
        let world = world();
        let bytes = content(name, sizes.iter().sum());
        world.put_in_parts("first", name, &bytes, sizes);
        let rotten = Rule::new(Action::FlipResponse(700)).operation("GetObject");
        world.faults().add(rotten);
        let ran = world
            .job_in_small_parts()
            .set("retry.force_retry_count", "1")
            .pair("down", "s3://first/", "down")
            .run();
        ran.exit(1).transferred(0);
        let line = ran.pair("down").line(name);
        assert_eq!(line["reason"], "etag_mismatch", "{line}");
    }
}

/// An object in parts of these lengths.
async fn cut(bytes: &[u8], lengths: &[usize]) -> (MemoryStore, Entry) {
    let store = MemoryStore::new();
    let bytes = Bytes::copy_from_slice(bytes);
    let upload = store.begin(&put("k", bytes.len())).await;
    let upload = upload.expect("an upload");
    let (mut parts, mut at) = (Vec::new(), 0);
    for (number, length) in (1..).zip(lengths) {
        let bytes = bytes.slice(at..at + length);
        let part = Part {
            number: NonZeroU16::new(number).expect("counted from one"),
            offset: at as u64,
            digests: vec![digest(Algorithm::Md5, &bytes)],
            bytes,
        };
        parts.push(upload.put_part(&part).await.expect("a part"));
        at += length;
    }
    let stored = upload.complete(parts, None).await;
    stored.map(drop).expect("completion");
    let head = store
        .head((&key("k")).into(), false)
        .await
        .expect("an object");
    let entry = Entry {
        key: key("k"),
        size: head.size,
        modified: head.modified,
        etag: head.etag,
        version: None,
        storage_class: None,
        checksum: None,
    };
    (store, entry)
}

#[tokio::test]
async fn parts_that_cannot_be_followed_are_proved_all_the_same() {
    for (name, direction, lengths, followed) in [
        ("held", Direction::S3ToLocal, [300_000, 400_000, 9], true),
        // half the budget is 512 KiB
        (
            "too large to be held",
            Direction::S3ToLocal,
            [300_000, 800_000, 9],
            false,
        ),
        (
            "too small for S3",
            Direction::S3ToS3,
            [300_000, 400_000, 9],
            false,
        ),
    ] {
        let bytes = content(name, lengths.iter().sum());
        let (source, entry) = cut(&bytes, &lengths).await;
        let target = MemoryStore::new();
        let mut pair = pair();
        pair.multipart_chunksize = 100_000;
        let told = Arc::new(Told::default());
        let ends = ends(&source, &target, direction);
        let transferrer = Transferrer::new(ends, &pair, &context(&told));
        let transfer = Decision::Transfer(Transfer {
            source: entry.clone(),
            replaces: None,
            because: Cause::Missing,
        });
        transferrer.run(transfer).await.expect("no end of the pair");
        assert_eq!(told.verified(), 1, "{name}: {:?}", told.events());
        let object = target.get(&key("k")).expect("it arrived");
        assert!(object.bytes == bytes, "{name}");
        assert_eq!(Some(object.etag) == entry.etag, followed, "{name}");
        let parts = told.events().into_iter().find_map(|event| match event {
            Event::Transferred { conduct, .. } => conduct.parts,
            _ => None,
        });
        let own = (
            u16::try_from(bytes.len().div_ceil(100_000)).expect("few"),
            Some(100_000),
        );
        let expected = if followed { (3, None) } else { own };
        assert_eq!(parts, Some(expected), "{name}");
    }
}

#[test]
fn a_download_without_a_digest_is_proved_by_the_checksum_s3_keeps() {
    for sums in ["", "CRC32", "SHA256"] {
        for is_default in [true, false] {
            case(format_args!("checksum `{sums}`, by default: {is_default}"));
            let world = world();
            world.encrypt_by_default("first", "aws:kms");
            world
                .tree("tree")
                .file("small", 1000)
                .file("large", 3 * PART + 7);
            let mut seeding = world.job_in_small_parts();
            if !sums.is_empty() {
                seeding = seeding.set("checksum.algorithm", &format!("{sums:?}"));
            }
            seeding.pair("up", "tree", "s3://first/").run().exit(0);
            world.faults().forget_calls();
            let default = is_default.to_string();
            let ran = world
                .job_in_small_parts()
                .set("checksum.express_one_zone_default", &default)
                .pair("down", "s3://first/", "down")
                .run();
            ran.transferred(2);
            for key in ["small", "large"] {
                let verify = &ran.pair("down").line(key)["verify"];
                assert_eq!(verify["etag"]["why"], "opaque_etag", "{verify}");
                let expected = is_default.then_some("matched");
                assert_eq!(verify["checksum"]["result"].as_str(), expected, "{verify}");
            }
            if is_default {
                ran.exit(0).all_proved();
                if sums.is_empty() {
                    // one for its checksum, and one as always: is it cut into parts of 5 MiB or 4?
                    assert_eq!(world.faults().calls("HeadObject"), 2);
                    assert_eq!(world.faults().calls("GetObject"), 1 + 4);
                }
            } else {
                assert_eq!(world.faults().calls("HeadObject"), 1);
            }
        }
    }
}

#[test]
fn a_download_with_a_digest_costs_no_request_more() {
    let mut calls = Vec::new();
    for is_default in ["true", "false"] {
        let world = world();
        world
            .tree("tree")
            .file("small", 1000)
            .file("large", 3 * PART + 7);
        world
            .job_in_small_parts()
            .pair("up", "tree", "s3://first/")
            .run()
            .exit(0);
        world.faults().forget_calls();
        let ran = world
            .job_in_small_parts()
            .set("checksum.express_one_zone_default", is_default)
            .pair("down", "s3://first/", "down")
            .run();
        ran.exit(0).transferred(2).all_proved();
        calls.push(["HeadObject", "GetObject"].map(|operation| world.faults().calls(operation)));
        let line = ran.pair("down").line("small");
        assert_eq!(line["verify"]["checksum"], json!(null), "{line}");
    }
    assert_eq!(calls[0], calls[1]);
}

#[test]
fn a_large_download_that_does_not_fit_its_checksum_lets_nothing_through() {
    let world = world();
    world.encrypt_by_default("first", "aws:kms");
    world
        .tree("tree")
        .file("small", 1000)
        .file("large", 3 * PART + 7);
    world
        .job_in_small_parts()
        .pair("up", "tree", "s3://first/")
        .run()
        .exit(0);
    let rotten = Rule::new(Action::FlipResponse(700)).operation("GetObject");
    world.faults().add(rotten);
    let ran = world
        .job_in_small_parts()
        .set("retry.force_retry_count", "1")
        .pair("down", "s3://first/", "down")
        .run();
    ran.exit(1).transferred(0);
    for key in ["small", "large"] {
        let line = ran.pair("down").line(key);
        assert_eq!(line["reason"], "checksum_mismatch", "{line}");
    }
    assert!(world.tree("down").files().is_empty());
}

#[test]
fn a_damaged_md5_checksum_is_no_damaged_etag() {
    for (operation, name, size) in [
        ("PutObject", "small", 1000),
        ("UploadPart", "large", PART + 7),
    ] {
        case(format_args!("{operation}"));
        let world = world();
        world.tree("tree").file(name, size);
        let wrong = Rule::new(Action::WrongChecksum).operation(operation);
        world.faults().add(wrong);
        let ran = world
            .job_in_small_parts()
            .set("retry.force_retry_count", "1")
            .set("checksum.algorithm", "\"MD5\"")
            .pair("up", "tree", "s3://first/")
            .run();
        ran.exit(1).transferred(0);
        let line = ran.pair("up").line(name);
        assert_eq!(line["reason"], "checksum_mismatch", "{line}");
    }
}

#[test]
fn of_a_server_whose_etags_are_none_the_user_is_told_what_to_do() {
    let world = world();
    world
        .tree("tree")
        .file("small", 1000)
        .file("large", PART + 7);
    for operation in ["PutObject", "CompleteMultipartUpload"] {
        world
            .faults()
            .add(Rule::new(Action::WrongETag).operation(operation));
    }
    let up = || {
        world
            .job_in_small_parts()
            .set("retry.force_retry_count", "1")
            .pair("up", "tree", "s3://first/")
    };
    let ran = up().run();
    ran.exit(1).transferred(0).says("verify.etag");
    // it cannot be removed by an ETag that it does not have
    ran.says("was not removed");
    assert!(!ran.stderr.contains("was removed"), "{}", ran.told());
    assert!(world.list("first", "").contains_key("small"));
    let ledger = fs::read_to_string(world.path("reports/job/distrusted.ndjson"));
    let ledger = ledger.expect("what stayed is distrusted");
    assert!(ledger.contains("s3://first/small"), "{ledger}");
    // told so, all goes well, and a checksum is the proof
    let ran = up()
        .set("verify.etag", "false")
        .set("checksum.algorithm", "\"CRC64NVME\"")
        .run();
    ran.exit(0).transferred(2).all_proved();
    assert!(!world.path("reports/job/distrusted.ndjson").exists());
}
