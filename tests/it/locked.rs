//! Buckets with Object Lock, which take no body without a digest of it.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode,
    ObjectLockRule,
};

use crate::support::case;
use crate::world::{Wire, World, same};

const MIB: usize = 1 << 20;

/// A world whose bucket `locked` retains what is written to it for a day.
fn world() -> World {
    let world = World::new();
    world.tree("tree").file("small", 50_000);
    world.tree("tree").file("empty", 0);
    world.tree("tree").file("large", 12 * MIB + 7);
    let request = world.client().create_bucket().bucket("locked");
    let request = request.object_lock_enabled_for_bucket(true);
    world.block_on(request.send()).expect("a bucket");
    let retention = DefaultRetention::builder()
        .mode(ObjectLockRetentionMode::Governance)
        .days(1);
    let rule = ObjectLockRule::builder().default_retention(retention.build());
    let lock = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(rule.build());
    let request = world.client().put_object_lock_configuration();
    let request = request
        .bucket("locked")
        .object_lock_configuration(lock.build());
    world.block_on(request.send()).expect("a lock");
    world
}

#[test]
fn every_body_has_a_digest_whatever_the_user_switched_off() {
    for settings in [
        &[][..],
        &["protocol.content_md5_header"],
        &["protocol.content_md5_header", "verify.etag"],
    ] {
        for checksum in [None, Some("\"SHA256\"")] {
            case(format_args!("{settings:?} {checksum:?}"));
            let mut world = world();
            let wire = Wire::between(&mut world);
            let mut job = world.job_in_small_parts();
            for setting in settings {
                job = job.set(setting, "false");
            }
            if let Some(algorithm) = checksum {
                job = job.set("checksum.algorithm", algorithm);
            }
            let ran = job.pair("pair", "tree", "s3://locked/").run();
            let bodies = |with: bool| {
                let mut heads = wire.heads();
                heads.retain(|head| {
                    let has = head.contains("content-md5:") || head.contains("x-amz-checksum-sha");
                    head.starts_with("PUT") && has == with
                });
                heads.len()
            };
            ran.exit(0).transferred(3);
            same(&world.tree("tree").files(), &world.objects("locked", ""));
            // two objects at once and three parts
            assert_eq!(bodies(true), 5);
            let heard = !settings.is_empty() && checksum.is_none();
            // whatever was on its way before the first refusal was heard
            let bare = bodies(false);
            assert!(bare <= 5 && (bare > 0) == heard, "{bare}: {}", ran.told());
            assert!(ran.elapsed < Duration::from_secs(60));
        }
    }
}

#[test]
fn the_sandbox_takes_no_body_without_a_digest() {
    let world = world();
    for (name, md5, taken) in [
        ("with none", None, false),
        // of nothing
        ("with its MD5", Some("1B2M2Y8AsgTpgAmY7PhCfg=="), true),
    ] {
        case(format_args!("{name}"));
        let request = world.client().put_object().bucket("locked").key("k");
        let request = request
            .set_content_md5(md5.map(str::to_owned))
            .body(ByteStream::from(Vec::new()));
        // the SDK would say its CRC by itself
        let request = request.customize().mutate_request(|request| {
            request.headers_mut().remove("x-amz-checksum-crc32");
            request.headers_mut().remove("x-amz-sdk-checksum-algorithm");
        });
        let answer = world.block_on(request.send());
        assert_eq!(answer.is_ok(), taken, "{answer:?}");
    }
}
