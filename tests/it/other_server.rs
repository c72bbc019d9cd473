//! The same against somebody else's S3: the server `S3SYNC_TEST_ENDPOINT` names, with the keys of
//! `S3SYNC_TEST_KEYS` (`ID:SECRET`, otherwise `test:test`). Without it, these tests say that they
//! were skipped.

use s3sync::digest::{Algorithm, digest};

use crate::support::{case, skipped};
use crate::world::{Endpoint, Run, World, content, same};

const MIB: usize = 1 << 20;

/// The server, if there is one.
fn world(test: &str) -> Option<World> {
    let Some(url) = std::env::var("S3SYNC_TEST_ENDPOINT")
        .ok()
        .filter(|url| !url.is_empty())
    else {
        skipped(test, "S3SYNC_TEST_ENDPOINT names no server");
        return None;
    };
    let keys = std::env::var("S3SYNC_TEST_KEYS").unwrap_or_else(|_| "test:test".to_owned());
    let (access_key, secret_key) = keys.split_once(':').expect("ID:SECRET");
    Some(World::at(Endpoint {
        url,
        access_key: access_key.to_owned(),
        secret_key: secret_key.to_owned(),
        region: "us-east-1".to_owned(),
    }))
}

/// Two buckets that are nobody else's.
fn buckets(world: &World) -> [String; 2] {
    let name = format!("s3sync-{:016x}", fastrand::u64(..));
    ["a", "b"].map(|end| {
        let bucket = format!("{name}-{end}");
        world.bucket(&bucket);
        bucket
    })
}

fn round_trip<'w>(world: &'w World, [first, second]: &[String; 2]) -> Run<'w> {
    world
        .job()
        .pair("up", "tree", &format!("s3://{first}/up/"))
        .pair(
            "client",
            &format!("s3://{first}/up/"),
            &format!("s3://{second}/client/"),
        )
        .pair(
            "server",
            &format!("s3://{first}/up/"),
            &format!("s3://{second}/server/"),
        )
        .set("server_side_copy", "true")
        .pair(
            "down_client",
            &format!("s3://{second}/client/"),
            "down_client",
        )
        .pair(
            "down_server",
            &format!("s3://{second}/server/"),
            "down_server",
        )
}

/// MD5, or MD5 of the parts' MD5s.
fn etag(bytes: &[u8]) -> String {
    if bytes.len() < 8 * MIB {
        return format!("\"{}\"", digest(Algorithm::Md5, bytes).hex());
    }
    let parts: Vec<_> = bytes
        .chunks(8 * MIB)
        .map(|part| digest(Algorithm::Md5, part))
        .collect();
    let all: Vec<u8> = parts
        .iter()
        .flat_map(|part| part.as_bytes().to_vec())
        .collect();
    format!("\"{}-{}\"", digest(Algorithm::Md5, &all).hex(), parts.len())
}

#[test]
fn all_directions_arrive_proved_and_stay() {
    for (algorithm, options) in [
        ("", &[][..]),
        (
            "SHA256",
            &[
                ("checksum.algorithm", "\"SHA256\""),
                ("checksum.download", "true"),
            ],
        ),
        ("CRC64NVME", &[("checksum.algorithm", "\"CRC64NVME\"")]),
    ] {
        let Some(world) = world("all_directions") else {
            return;
        };
        let buckets = buckets(&world);
        let tree = world.tree("tree");
        for (name, size) in [
            ("empty", 0),
            ("small", 1000),
            ("dir/with space+plus%25", 10),
            ("dir/\u{e9}\u{1f980}", 10),
            ("below", 8 * MIB - 1),
            ("at", 8 * MIB),
            ("above", 8 * MIB + 1),
            ("large", 20 * MIB + 7),
        ] {
            tree.file(name, size);
        }
        let run = || {
            let mut environment = round_trip(&world, &buckets);
            for (option, value) in options {
                let name = format!("S3SYNC_{}", option.to_uppercase().replace('.', "__"));
                environment = environment.environment(&name, value.trim_matches('"'));
            }
            environment.run()
        };
        let ran = run();
        case(format_args!("{algorithm}"));
        ran.transferred(40);
        assert_eq!(
            ran.report["totals"]["counts"]["failed"],
            0,
            "{}",
            ran.told()
        );
        assert_eq!(
            ran.report["totals"]["counts"]["verified"]["etag"]["matched"],
            40,
            "{}",
            ran.told()
        );
        let files = tree.files();
        for (bucket, prefix) in [
            (&buckets[0], "up/"),
            (&buckets[1], "client/"),
            (&buckets[1], "server/"),
        ] {
            same(&files, &world.objects(bucket, prefix));
            for (key, seen) in world.list(bucket, prefix) {
                let expected = etag(&files[&key[prefix.len()..]]);
                assert_eq!(seen.etag, expected, "{algorithm}: {key}");
            }
        }
        same(&files, &world.tree("down_client").files());
        same(&files, &world.tree("down_server").files());
        run().transferred(0);
    }
}

#[test]
fn a_change_moves_once_in_each_direction() {
    let Some(world) = world("a_change") else {
        return;
    };
    let buckets = buckets(&world);
    let tree = world.tree("tree");
    tree.file("a", 1000).file("b", 9 * MIB);
    round_trip(&world, &buckets)
        .run()
        .exit(0)
        .transferred(10)
        .all_proved();
    tree.write("a", &content("other", 500));
    let ran = round_trip(&world, &buckets).run();
    ran.exit(0).transferred(5).all_proved();
    same(&tree.files(), &world.tree("down_server").files());
}

#[test]
fn what_is_not_there_is_said() {
    let Some(world) = world("what_is_not_there") else {
        return;
    };
    world.tree("tree").file("a", 10);
    let ran = world
        .job()
        .pair("up", "tree", "s3://no-such-bucket-of-ours/")
        .run();
    ran.exit(1).says("there is no such bucket");
}

/// What the endpoint cannot do is told with a reason, and fails nothing; nothing is called
/// different that is the same.
#[test]
fn every_checksum_is_proved_or_lost_and_told() {
    for algorithm in Algorithm::ALL {
        let Some(world) = world("every_checksum") else {
            return;
        };
        case(format_args!("{algorithm}"));
        let [first, second] = buckets(&world);
        let tree = world.tree("tree");
        tree.file("empty", 0)
            .file("small", 1000)
            .file("large", 9 * MIB);
        let sum = format!("{:?}", algorithm.as_str());
        let up = format!("s3://{first}/up/");
        let run = || {
            world
                .job()
                .set("checksum.download", "true")
                .pair("up", "tree", &up)
                .set("checksum.algorithm", &sum)
                .pair("client", &up, &format!("s3://{second}/client/"))
                .set("checksum.algorithm", &sum)
                .set("after", "[\"up\"]")
                .pair("down", &up, "down")
                .set("after", "[\"up\"]")
        };
        let ran = run().run();
        ran.exit(0).transferred(9).all_proved();
        for pair in ["up", "client"] {
            let pair = ran.pair(pair);
            let unproved = pair.count("verified/checksum/not_verifiable") > 0;
            let lost = pair.report["guarantees_lost"].as_array().expect("a list");
            let told = lost.iter().any(|lost| {
                let what = lost["what"].as_str().unwrap_or_default();
                what.contains(algorithm.as_str())
            });
            assert_eq!(told, unproved, "{lost:?}: {}", ran.told());
        }
        same(&tree.files(), &world.tree("down").files());
        run().run().exit(0).transferred(0);
        let check = world
            .job()
            .set("check.mode", "\"checksum\"")
            .set("check.checksum_algorithm", &sum)
            .pair("up", "tree", &up)
            .pair("down", &up, "tree")
            .called("check")
            .run();
        for pair in ["up", "down"] {
            let pair = check.pair(pair);
            assert_eq!(pair.count("compared/mismatch"), 0, "{}", check.told());
            assert_eq!(pair.count("failed"), 0, "{}", check.told());
        }
    }
}
