//! Every checksum, every encryption, every direction: what is proved, and by what.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumType;
use s3sync::digest::{Algorithm, Checksum, Digest, composite, digest};
use s3sync::sandbox::{Action, Moment, Rule, When};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Ran, Run, World, content, same};

const MIB: usize = 1 << 20;
/// The smallest part S3 takes: threshold and part size of every run here.
const PART: usize = 5 * MIB;

/// 32 bytes for SSE-C, in base64.
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    world
}

fn job(world: &World) -> Run<'_> {
    world
        .job()
        .set("multipart.threshold", "\"5MiB\"")
        .set("multipart.chunksize", "\"5MiB\"")
}

/// What S3 says of a checksum.
fn stored(head: &HeadObjectOutput, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Md5 => head.checksum_md5(),
        Algorithm::Sha1 => head.checksum_sha1(),
        Algorithm::Sha256 => head.checksum_sha256(),
        Algorithm::Sha512 => head.checksum_sha512(),
        Algorithm::Crc32 => head.checksum_crc32(),
        Algorithm::Crc32c => head.checksum_crc32_c(),
        Algorithm::Crc64Nvme => head.checksum_crc64_nvme(),
        Algorithm::XxHash64 => head.checksum_xxhash64(),
        Algorithm::XxHash3 => head.checksum_xxhash3(),
        Algorithm::XxHash128 => head.checksum_xxhash128(),
    }
}

/// What the checksum of content has to be that is uploaded in parts of this size, or at once.
fn expected(algorithm: Algorithm, bytes: &[u8], whole: bool) -> Checksum {
    if whole || bytes.len() < PART {
        return Checksum::Whole(digest(algorithm, bytes));
    }
    let parts: Vec<Digest> = bytes
        .chunks(PART)
        .map(|part| digest(algorithm, part))
        .collect();
    composite(&parts).expect("some parts")
}

#[test]
fn every_algorithm_is_stored_as_it_has_to_be_and_verified_on_the_way_back() {
    let sizes = [0, 1, PART - 1, PART, PART + 1, 2 * PART + 7];
    for algorithm in Algorithm::ALL {
        for full_object in [false, true] {
            let always = algorithm.is_always_full_object();
            if (full_object && !algorithm.is_crc()) || (always && !full_object) {
                continue;
            }
            case(format_args!("{algorithm}, full object: {full_object}"));
            let world = world();
            let tree = world.tree("tree");
            for size in sizes {
                tree.file(&size.to_string(), size);
            }
            let ran = job(&world)
                .set("checksum.algorithm", &format!("\"{algorithm}\""))
                .set("checksum.full_object", &full_object.to_string())
                .set("checksum.download", "true")
                .pair("up", "tree", "s3://first/")
                .pair("across", "s3://first/", "s3://second/client/")
                .set("after", "[\"up\"]")
                .pair("copy", "s3://first/", "s3://second/server/")
                .set("server_side_copy", "true")
                .set("after", "[\"up\"]")
                .pair("down", "s3://first/", "down")
                .set("after", "[\"up\"]")
                .run();
            ran.exit(0).transferred(4 * sizes.len()).all_proved();
            same(&tree.files(), &world.tree("down").files());
            for size in sizes {
                let name = size.to_string();
                let bytes = content(&name, size);
                let sum = expected(algorithm, &bytes, full_object);
                for (bucket, prefix) in
                    [("first", ""), ("second", "client/"), ("second", "server/")]
                {
                    let head = world.head(bucket, &format!("{prefix}{name}"));
                    let seen = stored(&head, algorithm);
                    assert_eq!(seen, Some(&*sum.to_string()), "{prefix}{name}");
                    let kind = match sum {
                        Checksum::Whole(_) => ChecksumType::FullObject,
                        Checksum::Composite { .. } => ChecksumType::Composite,
                    };
                    assert_eq!(head.checksum_type(), Some(&kind), "{prefix}{name}");
                }
                for pair in ["up", "across", "copy", "down"] {
                    let line = ran.pair(pair).line(&name);
                    assert_eq!(line["verify"]["checksum"]["result"], "matched", "{line}");
                    assert_eq!(line["verify"]["etag"]["result"], "matched", "{line}");
                    let told = &line["source"]["checksum"];
                    let of_source = *told == json!({algorithm.as_str(): sum.to_string()});
                    assert!(of_source, "{pair}: {line}");
                }
            }
        }
    }
}

/// How a target is encrypted: a name, options of it, and whether its ETags are digests.
fn encryptions() -> Vec<(&'static str, Vec<(&'static str, String)>, bool)> {
    let sse = |word: &str| vec![("target.sse", format!("\"{word}\""))];
    let mut with_kms_key = sse("aws:kms");
    with_kms_key.push(("target.sse_kms_key_id", "\"alias/mine\"".to_owned()));
    let of_customer = vec![
        ("target.sse_c", "\"AES256\"".to_owned()),
        ("target.sse_c_key", format!("\"{KEY}\"")),
    ];
    vec![
        ("plain", vec![], true),
        ("SSE-S3", sse("AES256"), true),
        ("SSE-KMS", sse("aws:kms"), false),
        ("SSE-KMS with a key", with_kms_key, false),
        ("DSSE-KMS", sse("aws:kms:dsse"), false),
        ("SSE-C", of_customer, false),
    ]
}

fn with<'w>(run: Run<'w>, options: &[(impl AsRef<str>, String)]) -> Run<'w> {
    options
        .iter()
        .fold(run, |run, (option, value)| run.set(option.as_ref(), value))
}

/// A pair whose sides have keys beside their URLs.
fn pair<'w>(run: Run<'w>, name: &str, source: &str, target: &str) -> Run<'w> {
    run.text(&format!(
        "\n[pairs.{name}]\nsource.url = {source:?}\ntarget.url = {target:?}\n"
    ))
}

/// What of one end is said of the other: the key.
fn as_source(options: &[(&'static str, String)]) -> Vec<(String, String)> {
    options
        .iter()
        .filter(|(option, _)| option.contains("sse_c"))
        .map(|(option, value)| (option.replace("target", "source"), value.clone()))
        .collect()
}

#[test]
fn everything_is_proved_under_every_encryption_in_every_direction() {
    for (name, options, digests) in encryptions() {
        for algorithm in ["", "SHA256", "CRC32"] {
            case(format_args!("{name}, checksum `{algorithm}`"));
            let world = world();
            let tree = world.tree("tree");
            tree.file("small", 1000).file("large", 2 * PART + 7);
            let mut run = job(&world).set("checksum.download", &(!digests).to_string());
            if !algorithm.is_empty() {
                run = run.set("checksum.algorithm", &format!("\"{algorithm}\""));
            }
            let source = as_source(&options);
            run = with(pair(run, "up", "tree", "s3://first/"), &options);
            run = pair(run, "across", "s3://first/", "s3://second/client/");
            run = with(with(run, &source), &options).set("after", "[\"up\"]");
            run = pair(run, "copy", "s3://first/", "s3://second/server/");
            run = with(with(run, &source), &options).set("after", "[\"up\"]");
            run = run.set("server_side_copy", "true");
            run = pair(run, "down", "s3://first/", "down");
            run = with(run, &source).set("after", "[\"up\"]");
            let ran = run.run();
            ran.exit(0).transferred(8).all_proved();
            same(&tree.files(), &world.tree("down").files());
            for pair in ["up", "across", "copy", "down"] {
                for key in ["small", "large"] {
                    let line = ran.pair(pair).line(key);
                    let verify = &line["verify"];
                    if digests {
                        assert_eq!(verify["etag"]["result"], "matched", "{pair}: {line}");
                    } else {
                        assert_eq!(verify["etag"]["why"], "opaque_etag", "{pair}: {line}");
                        assert_eq!(verify["checksum"]["result"], "matched", "{pair}: {line}");
                    }
                }
            }
            assert_eq!(world.uploads("second"), [""; 0]);
        }
    }
}
