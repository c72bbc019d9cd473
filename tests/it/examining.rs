//! What comparing two objects tells of them, value by value.

use std::num::NonZeroU16;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use s3sync::config::{By, Check, Compared};
use s3sync::digest::{Algorithm, Checksum, Digest, Likeness, Verdict, composite, digest};
use s3sync::examine::Depth::{Asked, Inferred};
use s3sync::examine::{Depth, Examiner};
use s3sync::object::{Entry, ObjectVersion};
use s3sync::plan::Direction;
use s3sync::store::memory::MemoryStore;
use s3sync::store::{
    Content, Description, ErrorKind, Head, Listing, Part, Put, Read, Source, StoreError,
    Target as _,
};

use crate::engine_room::{Told, context, ends, pair};
use crate::support::{key, put};

const KEY: &str = "k";

/// An object of one part, or of parts of these lengths.
async fn object(bytes: &[u8], lengths: &[usize], checksum: Option<Algorithm>) -> MemoryStore {
    let store = MemoryStore::new();
    fill(&store, bytes, lengths, checksum).await;
    store
}

/// Writes such an object.
async fn fill(store: &MemoryStore, bytes: &[u8], lengths: &[usize], checksum: Option<Algorithm>) {
    let bytes = Bytes::copy_from_slice(bytes);
    let put = Put {
        checksum,
        ..put(KEY, bytes.len())
    };
    let md5 = |bytes: &Bytes| digest(Algorithm::Md5, bytes);
    if lengths.is_empty() {
        let digests = [md5(&bytes)];
        let stored = store.put(&put, bytes, &digests).await;
        stored.map(drop).expect("a put");
        return;
    }
    let upload = store.begin(&put).await.expect("an upload");
    let mut parts = Vec::new();
    let mut at = 0;
    for (number, length) in (1..).zip(lengths) {
        let bytes = bytes.slice(at..at + length);
        let part = Part {
            number: NonZeroU16::new(number).expect("counted from one"),
            offset: at as u64,
            digests: vec![md5(&bytes)],
            bytes,
        };
        parts.push(upload.put_part(&part).await.expect("a part"));
        at += length;
    }
    let stored = upload.complete(parts, None).await;
    stored.map(drop).expect("completion");
}

/// What a store says of its object by name, as a listing would.
async fn entry(store: &MemoryStore) -> Entry {
    let head = store
        .head((&key(KEY)).into(), false)
        .await
        .expect("an object");
    Entry {
        key: key(KEY),
        size: head.size,
        modified: head.modified,
        etag: head.etag,
        version: None,
        storage_class: None,
        checksum: None,
    }
}

async fn compare(
    (source, target): (&MemoryStore, &MemoryStore),
    direction: Direction,
    by: By,
    depth: Depth,
) -> Likeness {
    let mut pair = pair();
    pair.check = Check {
        compared: Compared::Content(by),
        ..Check::default()
    };
    let told = Arc::new(Told::default());
    let examiner = Examiner::new(
        ends(source, target, direction),
        &pair,
        &context(&told),
        depth,
    );
    let (source, target) = (entry(source).await, entry(target).await);
    examiner.compare(&source, &target).await.expect("an answer")
}

fn word(likeness: &Likeness) -> &'static str {
    likeness
        .verdict()
        .as_ref()
        .map_or("nothing", Verdict::as_str)
}

fn parts_of(bytes: &[u8], lengths: &[usize], algorithm: Algorithm) -> Checksum {
    let mut rest = bytes;
    let digests: Vec<Digest> = lengths
        .iter()
        .map(|length| {
            let (part, behind) = rest.split_at(*length);
            rest = behind;
            digest(algorithm, part)
        })
        .collect();
    composite(&digests).expect("some parts")
}

#[tokio::test]
async fn what_is_known_of_the_parts_decides_what_a_difference_is_worth() {
    let bytes: Vec<u8> = (0..20_000_u32).map(|at| (at % 251) as u8).collect();
    let mut other = bytes.clone();
    other[19_999] ^= 1;
    let (equal, unequal): (&[usize], &[usize]) = (&[8192, 8192, 3616], &[7000, 12_000, 1000]);
    let md5 = By::ETag;
    let sha = By::Checksum(Algorithm::Sha256);
    // what the object in S3 is cut into, compared how, how deep; the same content, and another
    for (lengths, by, depth, same, differs) in [
        (&[][..], md5, Inferred, "verified", "mismatch"),
        (&[][..], sha, Inferred, "verified", "mismatch"),
        (equal, md5, Inferred, "verified", "unverifiable"),
        (equal, sha, Inferred, "verified", "unverifiable"),
        (equal, md5, Asked, "verified", "mismatch"),
        (equal, sha, Asked, "verified", "mismatch"),
        (unequal, md5, Inferred, "unverifiable", "unverifiable"),
        (unequal, sha, Inferred, "unverifiable", "unverifiable"),
        (unequal, md5, Asked, "verified", "mismatch"),
        (unequal, sha, Asked, "verified", "mismatch"),
        (&[20_000], md5, Inferred, "verified", "mismatch"),
    ] {
        let name = format!("{lengths:?} {by:?} {depth:?}");
        let stored = object(&bytes, lengths, Some(Algorithm::Sha256)).await;
        for (content, expected) in [(&bytes, same), (&other, differs)] {
            let file = object(content, &[], None).await;
            let up = compare((&file, &stored), Direction::LocalToS3, by, depth).await;
            assert_eq!(word(&up), expected, "up {name}");
            let down = compare((&stored, &file), Direction::S3ToLocal, by, depth).await;
            assert_eq!(word(&down), expected, "down {name}");
        }
    }
}

#[tokio::test]
async fn both_values_are_told_as_s3_writes_them() {
    let bytes = vec![7_u8; 20_000];
    let mut other = bytes.clone();
    other[0] ^= 1;
    let lengths = [7000, 12_000, 1000];
    let stored = object(&bytes, &lengths, Some(Algorithm::Sha256)).await;
    let file = object(&other, &[], None).await;
    let stores = (&file, &stored);
    let etag = |bytes: &[u8]| {
        let made = parts_of(bytes, &lengths, Algorithm::Md5);
        Some(format!("{}-3", made.digest().hex()))
    };
    let seen = compare(stores, Direction::LocalToS3, By::ETag, Depth::Asked).await;
    let seen = seen.etag.expect("what was asked for");
    assert_eq!((seen.source, seen.target), (etag(&other), etag(&bytes)));

    let sha = |bytes: &[u8]| Some(parts_of(bytes, &lengths, Algorithm::Sha256).to_string());
    let by = By::Checksum(Algorithm::Sha256);
    let seen = compare(stores, Direction::LocalToS3, by, Depth::Asked).await;
    assert_eq!(seen.etag, None);
    let seen = seen.checksum.expect("what was asked for");
    assert_eq!((seen.source, seen.target), (sha(&other), sha(&bytes)));
    assert_eq!(seen.algorithm, Algorithm::Sha256);

    // an object of another size is another, and has values all the same
    let shorter = object(&bytes[1..], &[], None).await;
    for direction in [Direction::LocalToS3, Direction::S3ToS3] {
        let seen = compare((&shorter, &stored), direction, By::ETag, Depth::Asked).await;
        assert_eq!(word(&seen), "mismatch");
        let seen = seen.etag.expect("what was asked for");
        assert!(seen.source.is_some_and(|source| !source.is_empty()));
        assert_eq!(seen.target, etag(&bytes));
    }
}

#[tokio::test]
async fn copies_in_other_parts_are_told_by_a_checksum_of_the_whole() {
    let bytes = vec![7_u8; 20_000];
    let crc = Some(Algorithm::Crc64Nvme);
    let by = By::Checksum(Algorithm::Crc64Nvme);
    let source = object(&bytes, &[10_000, 10_000], crc).await;
    for (checksum, expected) in [(crc, "verified"), (None, "unverifiable")] {
        let target = object(&bytes, &[15_000, 5000], checksum).await;
        for by in [By::ETag, by] {
            let stores = (&source, &target);
            let seen = compare(stores, Direction::S3ToS3, by, Depth::Asked).await;
            assert_eq!(word(&seen), expected, "{by:?} {seen:?}");
        }
    }
    // cut alike and different is different
    let mut other = bytes.clone();
    other[5] ^= 1;
    let target = object(&other, &[10_000, 10_000], None).await;
    let stores = (&source, &target);
    let seen = compare(stores, Direction::S3ToS3, By::ETag, Depth::Asked).await;
    assert_eq!(word(&seen), "mismatch");
    let seen = compare(stores, Direction::S3ToS3, By::ETag, Depth::Inferred).await;
    assert_eq!(word(&seen), "unverifiable");
}

/// An object that is overwritten with its own content, cut elsewhere, after its part 1 was asked
/// for.
#[derive(Debug, Clone)]
struct Recut(MemoryStore);

#[async_trait]
impl Source for Recut {
    fn describe(&self) -> Description {
        Source::describe(&self.0)
    }

    fn list(&self) -> Listing {
        self.0.list()
    }

    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError> {
        self.0.head(of, checksums).await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        self.0.read(read).await
    }

    async fn part_size(
        &self,
        of: ObjectVersion<'_>,
        number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        if number.get() == 2 {
            fill(&self.0, &[7].repeat(20_000), &[7000, 9000, 4000], None).await;
        }
        self.0.part_size(of, number).await
    }
}

#[tokio::test]
async fn an_object_that_is_overwritten_while_its_parts_are_asked_for_does_not_differ() {
    let bytes = vec![7; 20_000];
    let stored = object(&bytes, &[7000, 12_000, 1000], None).await;
    let file = object(&bytes, &[], None).await;
    let mut pair = pair();
    pair.check.compared = Compared::Content(By::ETag);
    let told = Arc::new(Told::default());
    let recut = Recut(stored.clone());
    let ends = ends(&recut, &file, Direction::S3ToLocal);
    let examiner = Examiner::new(ends, &pair, &context(&told), Asked);
    let (source, target) = (entry(&stored).await, entry(&file).await);
    let error = examiner.compare(&source, &target).await;
    let error = error.expect_err("it is not what it was");
    assert_eq!(error.kind, ErrorKind::Changed, "{error}");
}
