//! Every algorithm in every direction at every size that matters, against values made by
//! implementations that are not ours (`fixtures/checksums.py` says how).

use std::collections::BTreeMap;

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumType;
use s3sync::digest::Algorithm;

use crate::support::case;
use crate::world::{Ran, Run, Tree, World, same};

/// From this size on objects go in parts …
const THRESHOLD: usize = 5 << 20;
/// … of this one.
const CHUNK: usize = 6 << 20;

/// How a multipart object's checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Composite,
    FullObject,
}

/// The expected values: by size, algorithm and word (`whole`, `composite`).
type Table<'a> = BTreeMap<(usize, &'a str, &'a str), &'a str>;

fn table() -> Table<'static> {
    include_str!("../fixtures/checksums.txt")
        .lines()
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            let [size, algorithm, kind, value] = words[..] else {
                panic!("four words in `{line}`");
            };
            let size = size.parse().expect("a size");
            ((size, algorithm, kind), value)
        })
        .collect()
}

/// The content the table was made of.
fn content(size: usize) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at * 7 + at / 251 + at / 65536) % 256).expect("a byte");
    (0..size).map(byte).collect()
}

/// The legal kinds of an algorithm:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>.
fn kinds(algorithm: Algorithm) -> &'static [Kind] {
    match algorithm {
        Algorithm::Crc64Nvme => &[Kind::FullObject],
        Algorithm::Crc32 | Algorithm::Crc32c => &[Kind::Composite, Kind::FullObject],
        _ => &[Kind::Composite],
    }
}

/// What HEAD with checksum mode says of it.
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

/// One algorithm and kind up, across by both ways, and down again.
fn pairs(run: Run<'_>, algorithm: Algorithm, kind: Kind) -> Run<'_> {
    let name = name(algorithm, kind);
    let bucket = |side: &str| format!("s3://bucket-{side}/{name}/");
    let directions = [
        ("up", "tree".to_owned(), bucket("up")),
        ("client", bucket("up"), bucket("client")),
        ("server", bucket("up"), bucket("server")),
        ("down", bucket("client"), format!("down/{name}")),
    ];
    directions
        .into_iter()
        .fold(run, |run, (way, source, target)| {
            let run = run.pair(&format!("{way}_{name}"), &source, &target);
            if way == "down" {
                return run.set("checksum.download", "true");
            }
            let run = run.set("checksum.algorithm", &format!("\"{algorithm}\""));
            let run = match (way, kind, algorithm) {
                (_, Kind::FullObject, Algorithm::Crc32 | Algorithm::Crc32c) => {
                    run.set("checksum.full_object", "true")
                }
                _ => run,
            };
            match way {
                "server" => run
                    .set("server_side_copy", "true")
                    .set("checksum.download", "true"),
                _ => run,
            }
        })
}

fn name(algorithm: Algorithm, kind: Kind) -> String {
    format!("{algorithm}_{kind:?}").to_lowercase()
}

fn holds(algorithms: &[Algorithm]) {
    let table = table();
    let sizes: Vec<usize> = {
        let mut sizes: Vec<_> = table.keys().map(|(size, _, _)| *size).collect();
        sizes.dedup();
        sizes
    };
    let world = World::new();
    for bucket in ["up", "client", "server"] {
        world.bucket(&format!("bucket-{bucket}"));
    }
    let tree = world.tree("tree");
    for size in &sizes {
        tree.write(format!("f{size}"), &content(*size));
    }
    let mut run = world
        .job()
        .set("multipart.threshold", &THRESHOLD.to_string())
        .set("multipart.chunksize", &CHUNK.to_string());
    let combinations = || {
        let each = algorithms.iter();
        each.flat_map(|algorithm| kinds(*algorithm).iter().map(|kind| (*algorithm, *kind)))
    };
    for (algorithm, kind) in combinations() {
        run = pairs(run, algorithm, kind);
    }
    let ran = run.run();
    ran.exit(0).all_proved();
    for (algorithm, kind) in combinations() {
        seen(&world, &ran, &table, &sizes, (algorithm, kind));
        down(&world, &tree, &name(algorithm, kind));
    }
}

/// What HEAD and the evidence say of every object.
fn seen(
    world: &World,
    ran: &Ran,
    table: &Table<'_>,
    sizes: &[usize],
    (algorithm, kind): (Algorithm, Kind),
) {
    let name = name(algorithm, kind);
    for size in sizes {
        let in_parts = *size >= THRESHOLD;
        let word = match kind {
            Kind::Composite if in_parts => "composite",
            Kind::Composite | Kind::FullObject => "whole",
        };
        let expected = table[&(*size, algorithm.as_str(), word)];
        for way in ["up", "client", "server"] {
            let what = format!("{way} {name} {size}");
            case(format_args!("{what}"));
            let head = world.head(&format!("bucket-{way}"), &format!("{name}/f{size}"));
            assert_eq!(stored(&head, algorithm), Some(expected), "HEAD of {what}");
            let kind_seen = match word {
                "composite" => ChecksumType::Composite,
                _ => ChecksumType::FullObject,
            };
            assert_eq!(head.checksum_type(), Some(&kind_seen), "type of {what}");
        }
        for way in ["up", "client", "server", "down"] {
            let what = format!("{way} {name} {size}");
            let pair = format!("{way}_{name}");
            let line = ran.pair(&pair).line(&format!("f{size}"));
            let checksum = &line["verify"]["checksum"];
            assert_eq!(checksum["result"], "matched", "{what}: {line}");
            assert_eq!(checksum["algorithm"], algorithm.as_str(), "{what}: {line}");
            let end = if way == "down" { "source" } else { "target" };
            let kept = &line[end]["checksum"][algorithm.as_str()];
            assert_eq!(*kept, expected, "evidence of {what}: {line}");
        }
    }
}

fn down(world: &World, tree: &Tree, name: &str) {
    same(&tree.files(), &world.tree(&format!("down/{name}")).files());
}

/// Statement 32: each algorithm at the sizes that matter is an independent implementation's value.
#[test]
fn shas_are_what_others_compute() {
    holds(&[Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
}

/// Statement 32: each algorithm at the sizes that matter is an independent implementation's value.
#[test]
fn crcs_are_what_others_compute_composite_and_full_object() {
    holds(&[Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme]);
}

/// Statement 32: each algorithm at the sizes that matter is an independent implementation's value.
#[test]
fn md5_and_xxhashes_are_what_others_compute() {
    holds(&[
        Algorithm::Md5,
        Algorithm::XxHash64,
        Algorithm::XxHash3,
        Algorithm::XxHash128,
    ]);
}
