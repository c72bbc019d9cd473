//! The engine against ten plain lines: random trees, random settings, one truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use s3sync::config::{By, Check, CheckMode};
use s3sync::digest::Algorithm;
use s3sync::engine::run_between;
use s3sync::event::Side;
use s3sync::object::{ObjectKey, Timestamp};
use s3sync::plan::Direction;
use s3sync::store::memory::MemoryStore;

use crate::engine_room::{Told, context, ends, pair};
use crate::support::key;

/// Content and time of every object, by key.
pub(crate) type Tree = BTreeMap<ObjectKey, (Bytes, Timestamp)>;

const NAMES: [&str; 12] = [
    "a",
    "a-b",
    "a.b",
    "a/b",
    "a/b/c",
    "ab",
    "b",
    "b/",
    "c d+e%2Fü",
    "\u{3000}",
    "z//y",
    "é/é",
];

/// Sizes around the threshold and the part size used here.
const SIZES: [usize; 9] = [0, 1, 17, 4095, 4096, 4097, 8192, 8193, 12_295];

pub(crate) fn random_tree(random: &mut fastrand::Rng) -> Tree {
    NAMES
        .iter()
        .filter_map(|name| {
            let keep = random.u8(0..3) > 0;
            let size = SIZES[random.usize(0..SIZES.len())];
            let fill = random.u8(..);
            let bytes = Bytes::from((0..size).map(|at| fill ^ at as u8).collect::<Vec<u8>>());
            let time = Timestamp::new(random.i64(1000..1004), random.u32(0..1_000_000_000));
            keep.then(|| (key(name), (bytes, time)))
        })
        .collect()
}

pub(crate) fn store(tree: &Tree) -> MemoryStore {
    let store = MemoryStore::new();
    for (key, (bytes, modified)) in tree {
        store.insert(key, bytes.clone(), *modified);
    }
    store
}

/// By what changes may be found; a store that keeps no checksums is compared by ETags all the same.
const MODES: [CheckMode; 7] = [
    CheckMode::Mtime,
    CheckMode::Size,
    CheckMode::Always,
    CheckMode::Content(By::ETag),
    CheckMode::MtimeAndContent(By::ETag),
    CheckMode::Content(By::Checksum(Algorithm::Crc64Nvme)),
    CheckMode::MtimeAndContent(By::Checksum(Algorithm::Sha256)),
];

/// The ten plain lines: what the target must hold afterwards, and which keys were brought over.
fn model(
    mode: CheckMode,
    source: &Tree,
    target: &Tree,
) -> (BTreeMap<ObjectKey, Bytes>, Vec<ObjectKey>) {
    let mut result: BTreeMap<_, _> = target
        .iter()
        .map(|(key, (bytes, _))| (key.clone(), bytes.clone()))
        .collect();
    let mut moved = Vec::new();
    for (key, (bytes, time)) in source {
        let same = target.get(key).is_some_and(|(other, there)| {
            let older = time.seconds() < there.seconds();
            let tie = time.seconds() == there.seconds();
            let enough = match mode {
                CheckMode::Mtime => older || tie && other == bytes,
                CheckMode::Size => true,
                CheckMode::Content(_) => other == bytes,
                CheckMode::MtimeAndContent(_) => older || other == bytes,
                CheckMode::Always => false,
            };
            other.len() == bytes.len() && enough
        });
        if !same {
            result.insert(key.clone(), bytes.clone());
            moved.push(key.clone());
        }
    }
    (result, moved)
}

#[tokio::test]
async fn the_engine_does_what_the_model_does_and_a_second_run_does_nothing() {
    for seed in 0..700 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (from, to) = (random_tree(&mut random), random_tree(&mut random));
        let mode = MODES[random.usize(0..MODES.len())];
        let (expected, moved) = model(mode, &from, &to);
        let (source, target) = (store(&from), store(&to));
        target.set_now(Timestamp::new(2000, 0));
        let mut pair = pair();
        pair.check = Check {
            mode,
            head_each_target: random.bool(),
            ..Check::default()
        };
        pair.auto_chunksize = random.bool();
        pair.multipart_threshold = [4096, 8192][random.usize(0..2)];
        pair.multipart_chunksize = [1024, 4096, 5000][random.usize(0..3)];
        pair.performance.worker_size = random.u16(1..5);
        pair.performance.max_parallel_uploads = random.u16(1..5);
        pair.checksum =
            [None, Some(Algorithm::Crc64Nvme), Some(Algorithm::Sha256)][random.usize(0..3)];
        // a directory has no ETags to compare: its content is read
        let up = random.bool();
        let direction = if up {
            Direction::LocalToS3
        } else {
            Direction::S3ToS3
        };
        let stores = ends(&source, &target, direction);

        let told = Arc::new(Told::default());
        run_between(stores.clone(), &pair, &context(&told))
            .await
            .expect("a run");
        let seen: BTreeMap<_, _> = target
            .objects()
            .into_iter()
            .map(|(key, object)| (key, object.bytes))
            .collect();
        assert_eq!(seen, expected, "seed {seed}");
        assert_eq!(told.transferred(), moved, "seed {seed} {mode:?} {pair:?}");
        assert_eq!(told.listed(Side::Source), from.len() as u64, "seed {seed}");
        let listed = if pair.check.head_each_target {
            0
        } else {
            to.len() as u64
        };
        assert_eq!(told.listed(Side::Target), listed, "seed {seed}");
        assert_eq!(told.verified(), moved.len(), "seed {seed}");
        assert_eq!(told.failed(), [], "seed {seed}");
        assert_eq!(told.skipped(), [], "seed {seed}");
        assert_eq!(target.open_uploads(), 0, "seed {seed}");

        let again = Arc::new(Told::default());
        run_between(stores, &pair, &context(&again))
            .await
            .expect("a second run");
        if mode != CheckMode::Always {
            assert_eq!(again.transferred(), [], "seed {seed} {mode:?}");
        }
    }
}
