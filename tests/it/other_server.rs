//! The same against somebody else's S3: the server `S3SYNC_TEST_ENDPOINT` names, with the keys of
//! `S3SYNC_TEST_KEYS` (`ID:SECRET`, otherwise `test:test`). Without it, these tests say that they
//! were skipped.

use std::path::Path;
use std::time::UNIX_EPOCH;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    BucketVersioningStatus, Object, ObjectVersion, ServerSideEncryption, StorageClass,
    VersioningConfiguration,
};
use s3sync::digest::{Algorithm, digest};

use crate::support::{case, skipped};
use crate::world::{Endpoint, Run, Tree, World, content, same};

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

/// What some servers give whatever was written in parts.
fn md5(bytes: &[u8]) -> String {
    digest(Algorithm::Md5, bytes).hex()
}

/// MD5, or MD5 of the parts' MD5s, as S3 has it.
fn etag(bytes: &[u8]) -> String {
    if bytes.len() < 8 * MIB {
        return md5(bytes);
    }
    let parts: Vec<_> = bytes
        .chunks(8 * MIB)
        .map(|part| digest(Algorithm::Md5, part))
        .collect();
    let all: Vec<u8> = parts
        .iter()
        .flat_map(|part| part.as_bytes().to_vec())
        .collect();
    format!("{}-{}", md5(&all), parts.len())
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
                let bytes = &files[&key[prefix.len()..]];
                let told = seen.etag.trim_matches('"');
                let is_right = told == etag(bytes) || told == md5(bytes);
                assert!(is_right, "{algorithm}: {key}: {told}");
            }
        }
        same(&files, &world.tree("down_client").files());
        same(&files, &world.tree("down_server").files());
        let moved = ["client", "server"].map(|way| {
            let down = world.tree(&format!("down_{way}"));
            moved_by_itself(&world, &buckets[1], &format!("{way}/"), &down)
        });
        run().transferred(moved.iter().sum());
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

/// How many objects a server has dated again since they were read into the files of the directory,
/// which have the time they had then. S3 dates an object once.
fn moved_by_itself(world: &World, bucket: &str, prefix: &str, tree: &Tree) -> usize {
    let request = world.client().list_objects_v2();
    let request = request.bucket(bucket).prefix(prefix);
    let answer = world.block_on(request.send()).expect("a listing");
    let objects = answer.contents.unwrap_or_default();
    let is_later = |object: &Object| {
        let key = object.key().expect("a key");
        let dated = object.last_modified().expect("a time").secs();
        dated > seconds_of(&tree.join(&key[prefix.len()..]))
    };
    objects.iter().filter(|object| is_later(object)).count()
}

fn seconds_of(file: &Path) -> i64 {
    let modified = file.metadata().and_then(|known| known.modified());
    let since = modified.expect("a time").duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_secs()).expect("not yet")
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
        let moved = moved_by_itself(&world, &first, "up/", &world.tree("down"));
        run().run().exit(0).transferred(moved);
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

/// Something of S3's that a server may do or not: how it is asked for, and how it is seen.
struct Feature {
    name: &'static str,
    /// Options of the pair.
    options: &'static [(&'static str, &'static str)],
    /// Below which prefix of the first bucket it is copied from; the directory where it is none.
    from: Option<&'static str>,
    /// What the report says where the server cannot.
    lost: &'static [&'static str],
    /// Whether an object has it.
    seen: Seen,
}

/// Where it is seen.
enum Seen {
    Head(fn(&HeadObjectOutput) -> bool),
    Tags,
}

const METADATA: (&str, &str) = ("metadata.user", "{ team = \"blue\" }");
const CACHE: (&str, &str) = ("metadata.cache_control", "\"max-age=7\"");

const FEATURES: [Feature; 9] = [
    Feature {
        name: "metadata",
        options: &[METADATA, CACHE],
        from: None,
        lost: &["user metadata"],
        seen: Seen::Head(has_metadata),
    },
    Feature {
        name: "metadata of a copy through here",
        options: &[],
        from: Some("metadata/"),
        lost: &["user metadata"],
        seen: Seen::Head(has_metadata),
    },
    Feature {
        name: "metadata of a copy inside",
        options: &[("server_side_copy", "true")],
        from: Some("metadata/"),
        lost: &["user metadata"],
        seen: Seen::Head(has_metadata),
    },
    Feature {
        name: "storage class",
        options: &[("target.storage_class", "\"STANDARD_IA\"")],
        from: None,
        lost: &["storage classes"],
        seen: Seen::Head(|head| {
            head.storage_class().map(StorageClass::as_str) == Some("STANDARD_IA")
        }),
    },
    Feature {
        name: "SSE-S3",
        options: &[("target.sse", "\"AES256\"")],
        from: None,
        // it ends the pair
        lost: &[],
        seen: Seen::Head(|head| {
            head.server_side_encryption() == Some(&ServerSideEncryption::Aes256)
        }),
    },
    Feature {
        name: "content type",
        options: &[("metadata.content_type", "\"text/x-blue\"")],
        from: None,
        lost: &[],
        seen: Seen::Head(|head| head.content_type() == Some("text/x-blue")),
    },
    Feature {
        name: "tags",
        options: &[("tagging.set", "{ team = \"blue\" }")],
        from: None,
        lost: &["tags of what is written"],
        seen: Seen::Tags,
    },
    Feature {
        name: "tags of a copy through here",
        options: &[],
        from: Some("tags/"),
        lost: &["tags of what is written"],
        seen: Seen::Tags,
    },
    Feature {
        name: "tags of a copy inside",
        options: &[("server_side_copy", "true")],
        from: Some("tags/"),
        lost: &["tags of what is written"],
        seen: Seen::Tags,
    },
];

fn has_metadata(head: &HeadObjectOutput) -> bool {
    let team = head.metadata().and_then(|metadata| metadata.get("team"));
    team.map(String::as_str) == Some("blue") && head.cache_control() == Some("max-age=7")
}

/// A tag of an object, where the server has tags.
fn team_of(world: &World, bucket: &str, key: &str) -> Option<String> {
    let request = world.client().get_object_tagging();
    let answer = world.block_on(request.bucket(bucket).key(key).send());
    let tags = answer.ok()?.tag_set;
    let team = tags.into_iter().find(|tag| tag.key == "team");
    team.map(|tag| tag.value)
}

/// Whatever is asked for is done, or refused, or told as lost: never is it dropped in silence. What
/// each server does is printed, a line for each feature.
#[test]
fn nothing_is_dropped_in_silence() {
    let Some(world) = world("nothing_is_dropped") else {
        return;
    };
    let [first, second] = buckets(&world);
    world
        .tree("tree")
        .file("small", 1000)
        .file("large", 9 * MIB);
    let mut seen_silent = Vec::new();
    for feature in FEATURES {
        let prefix = format!("{}/", feature.name.replace(' ', "-"));
        let (source, bucket) = match feature.from {
            None => ("tree".to_owned(), &first),
            Some(from) => (format!("s3://{first}/{from}"), &second),
        };
        let job = world
            .job()
            .pair("pair", &source, &format!("s3://{bucket}/{prefix}"));
        let job = feature.options.iter().fold(job, |job, (option, value)| {
            match option.strip_prefix("target.") {
                None => job.set(option, value),
                Some(option) => job.environment(
                    &format!("S3SYNC_TARGET__{}", option.to_uppercase()),
                    value.trim_matches('"'),
                ),
            }
        });
        let ran = job.run();
        let lost = ran.pair("pair").report["guarantees_lost"].to_string();
        let refused = ran.has_ended(1);
        let told = feature.lost.iter().any(|words| lost.contains(words));
        let keeps = |key: &str| {
            let key = format!("{prefix}{key}");
            !refused
                && match feature.seen {
                    Seen::Head(seen) => seen(&world.head(bucket, &key)),
                    Seen::Tags => team_of(&world, bucket, &key).as_deref() == Some("blue"),
                }
        };
        let (small, large) = (keeps("small"), keeps("large"));
        case(format_args!(
            "FEATURE {}: one piece {small}, parts {large}, refused {refused}, lost {lost}",
            feature.name
        ));
        // what the source lost cannot be lost again
        let had_none = matches!(feature.seen, Seen::Tags)
            && feature
                .from
                .is_some_and(|from| team_of(&world, &first, &format!("{from}small")).is_none());
        let inside = ran.pair("pair").count("transferred/server_side_copied");
        case(format_args!("  copied inside: {inside}"));
        let is_accounted_for = (small && large) || refused || told || had_none;
        if !is_accounted_for {
            seen_silent.push(feature.name);
        }
        if refused {
            let pair = ran.pair("pair");
            let not_done = pair.count("failed") + pair.count("not_attempted");
            assert!(not_done > 0, "{}", ran.told());
            let is_honest = told || pair.count("transferred/total") == 0;
            assert!(is_honest, "{}", ran.told());
        }
    }
    assert_eq!(seen_silent, [""; 0], "dropped without a word");
}

/// Where a server keeps versions, all of them arrive in their order, once; where it keeps none,
/// that is said.
#[test]
fn versions_arrive_in_order_or_are_refused() {
    let Some(world) = world("versions") else {
        return;
    };
    let [first, second] = buckets(&world);
    let keeps = [&first, &second]
        .iter()
        .all(|bucket| has_versions(&world, bucket));
    for round in ["one", "two", "three"] {
        world.put(&first, "v/key", round.as_bytes());
    }
    let run = |inside: &str| {
        world
            .job()
            .pair(
                "pair",
                &format!("s3://{first}/v/"),
                &format!("s3://{second}/{inside}/"),
            )
            .set("versioning.enabled", "true")
            .set("server_side_copy", inside)
            .run()
    };
    case(format_args!("FEATURE versions: {keeps}"));
    for inside in ["false", "true"] {
        let ran = run(inside);
        if !keeps {
            ran.exit(1).transferred(0).says("versioning");
            continue;
        }
        ran.exit(0).transferred(3).all_proved();
        let contents = contents_of_versions(&world, &second, &format!("{inside}/key"));
        assert_eq!(contents, ["three", "two", "one"], "{}", ran.told());
        run(inside).exit(0).transferred(0);
    }
}

/// Switches versions on, where the server can.
fn has_versions(world: &World, bucket: &str) -> bool {
    let enabled = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    let request = world.client().put_bucket_versioning().bucket(bucket);
    let set = world.block_on(request.versioning_configuration(enabled).send());
    let request = world.client().get_bucket_versioning().bucket(bucket);
    let told = world.block_on(request.send()).ok();
    let status = told.and_then(|told| told.status);
    set.is_ok() && status == Some(BucketVersioningStatus::Enabled)
}

/// The latest first.
fn contents_of_versions(world: &World, bucket: &str, key: &str) -> Vec<String> {
    let request = world.client().list_object_versions().bucket(bucket);
    let listed = world.block_on(request.prefix(key).send());
    let versions = listed.expect("a listing").versions.unwrap_or_default();
    let content = |version: ObjectVersion| {
        let request = world.client().get_object().bucket(bucket).key(key);
        let request = request.set_version_id(version.version_id);
        let bytes = world.block_on(async {
            let answer = request.send().await.expect("a version");
            answer.body.collect().await.expect("a body").into_bytes()
        });
        String::from_utf8(bytes.to_vec()).expect("text")
    };
    versions.into_iter().map(content).collect()
}

/// A condition holds, or is looked after before, or is refused; it never overwrites.
#[test]
fn a_condition_never_overwrites() {
    let Some(world) = world("a_condition") else {
        return;
    };
    let [first, _] = buckets(&world);
    world
        .tree("tree")
        .file("small", 1000)
        .file("large", 9 * MIB);
    world.put(&first, "up/small", b"before");
    world.put(&first, "up/large", b"before");
    let ran = world
        .job()
        .pair("pair", "tree", &format!("s3://{first}/up/"))
        .set("conditional.if_none_match", "true")
        .run();
    case(format_args!("FEATURE if-none-match: {}", ran.told()));
    for key in ["up/small", "up/large"] {
        assert_eq!(
            world.get(&first, key).as_deref(),
            Some(&b"before"[..]),
            "{key}"
        );
    }
}
