//! What every store promises: the same cases against each of them.

use std::any::Any;
use std::future::Future;
use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use s3sync::digest::{Algorithm, Checksum, composite, digest};
use s3sync::object::{Attributes, ETag, Timestamp};
use s3sync::sandbox::{Sandbox, SandboxConfig};
use s3sync::store::local::{LocalSource, LocalSourceSettings, LocalTarget, LocalTargetSettings};
use s3sync::store::memory::MemoryStore;
use s3sync::store::s3::{Keys, S3Location, S3Settings, S3Store};
use s3sync::store::{
    Condition, ErrorKind, Incomplete, Part, Put, Read, Removal, Secret, Source, StoreKind, Target,
    Unmetered,
};
use tokio::task::JoinSet;

use crate::support::{Listed, key, put, read, removals, write};

/// An empty place to write to, and the same place to read from.
pub(crate) struct Place {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) target: Arc<dyn Target>,
    /// What must live as long as the place: a temporary directory, a server.
    #[allow(dead_code, reason = "it is dropped with the place")]
    pub(crate) kept: Box<dyn Any + Send + Sync>,
}

/// Runs every case in a new place.
pub(crate) async fn contract(make: impl AsyncFn() -> Place) {
    for (name, case) in CASES {
        let place = make().await;
        let store = place.target.describe().kind;
        let outcome = tokio::spawn(case(place)).await;
        assert!(outcome.is_ok(), "{store:?}: {name}");
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract(async || {
        let store = MemoryStore::new();
        Place {
            source: Arc::new(store.clone()),
            target: Arc::new(store),
            kept: Box::new(()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    contract(async || {
        let dir = tempfile::tempdir().expect("a directory");
        Place {
            source: Arc::new(LocalSource::new(LocalSourceSettings {
                root: dir.path().to_owned(),
                ignore_symlinks: false,
                never_list: Vec::new(),
            })),
            target: Arc::new(LocalTarget::new(LocalTargetSettings {
                root: dir.path().to_owned(),
                never_list: Vec::new(),
            })),
            kept: Box::new(dir),
        }
    })
    .await;
}

#[tokio::test]
async fn a_bucket_keeps_the_contract() {
    contract(async || {
        let dir = tempfile::tempdir().expect("a directory");
        let config = SandboxConfig {
            dir: dir.path().to_owned(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        sandbox.create_bucket("bucket").expect("a bucket");
        let location = S3Location::parse("s3://bucket").expect("a location");
        let settings = S3Settings {
            endpoint_url: Some(sandbox.endpoint_url()),
            region: Some(sandbox.region().to_owned()),
            force_path_style: true,
            keys: Some(Keys {
                access_key: Secret::new(sandbox.access_key()),
                secret_access_key: Secret::new(sandbox.secret_key()),
                session_token: None,
            }),
            ..S3Settings::new(location)
        };
        let store = S3Store::open(settings, Arc::new(Unmetered)).await;
        let store = store.expect("a store");
        Place {
            source: Arc::new(store.clone()),
            target: Arc::new(store),
            kept: Box::new((sandbox, dir)),
        }
    })
    .await;
}

type Case = fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), |place| Box::pin($name(place)))),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    an_empty_place_lists_nothing,
    keys_come_in_byte_order,
    a_thousand_keys_are_not_all,
    what_is_put_is_listed_and_read,
    attributes_come_back,
    ranges_are_read_and_hashed,
    a_range_beyond_the_end_is_a_change,
    what_is_not_there_is_not_found,
    a_put_replaces,
    a_condition_decides_what_is_replaced,
    parts_come_in_any_order,
    a_part_may_be_sent_again,
    missing_parts_publish_nothing,
    an_aborted_upload_leaves_nothing,
    deleting_is_idempotent,
    what_was_listed_is_removed_and_nothing_else,
    odd_keys_stay_as_they_are,
];

/// S3 takes no smaller part, but for the last.
const PART: usize = 5 << 20;

fn is_local(place: &Place) -> bool {
    place.target.describe().kind == StoreKind::Local
}

fn content(length: usize) -> Bytes {
    (0..length).map(|i| (i % 251) as u8).collect()
}

async fn an_empty_place_lists_nothing(place: Place) {
    for store in [&*place.source, &*place.target as &dyn Source] {
        let listed = Listed::of(store).await;
        assert!(listed.error.is_none(), "{:?}", listed.error);
        assert!(listed.entries.is_empty());
    }
}

async fn keys_come_in_byte_order(place: Place) {
    let mut keys = [
        "b/c", "a-b", "a.b", "a/b", "a/b.c/d", "a/b-c", "a/bc", "a0", "ab", "A/z", "\u{e9}/x",
        "e\u{301}", "z", "a!/x", "a!", "~",
    ];
    // a file and a directory of one name are two keys only in a bucket
    if is_local(&place) {
        keys[15] = "a!b";
        keys[14] = "a!c";
    }
    for text in keys {
        write(&*place.target, text, "x").await.expect(text);
    }
    keys.sort_unstable();
    assert_eq!(Listed::of(&*place.source).await.keys(), keys);
    assert_eq!(Listed::of(&*place.target).await.keys(), keys);
}

async fn a_thousand_keys_are_not_all(place: Place) {
    let mut keys: Vec<String> = (0..1101).map(|i| format!("{}/{i}", i % 7)).collect();
    let mut writes = JoinSet::new();
    for text in keys.clone() {
        let target = Arc::clone(&place.target);
        writes.spawn(async move { write(&*target, &text, "x").await });
    }
    for written in writes.join_all().await {
        written.expect("all are written");
    }
    keys.sort_unstable();
    let listed = Listed::of(&*place.source).await;
    assert_eq!(listed.keys(), keys);
    assert!(listed.longest_page <= 1000, "{}", listed.longest_page);
}

async fn what_is_put_is_listed_and_read(place: Place) {
    let before = Timestamp::now().seconds();
    for (text, bytes) in [("empty", content(0)), ("dir/small", content(1000))] {
        let md5 = digest(Algorithm::Md5, &bytes);
        let what = put(text, bytes.len());
        let stored = place.target.put(&what, bytes.clone(), &[md5]).await;
        let stored = stored.expect(text);
        assert_eq!(stored.size, bytes.len() as u64, "{text}");

        let head = place
            .source
            .head((&key(text)).into(), false)
            .await
            .expect(text);
        let seen = read(&*place.source, text).await.expect(text);
        assert_eq!(seen.bytes, bytes, "{text}");
        assert_eq!(seen.head.size, bytes.len() as u64, "{text}");
        assert!(head.same_content(&seen.head), "{text}: {head:?}");

        let listed = Listed::of(&*place.source).await;
        let entry = listed.entries.iter().find(|entry| entry.key == key(text));
        let entry = entry.expect(text);
        assert_eq!(entry.size, bytes.len() as u64, "{text}");
        assert_eq!(entry.modified.seconds(), head.modified.seconds(), "{text}");
        if place.target.keeps_no_digests() {
            assert_eq!(entry.modified, what.modified, "{text}");
            assert_eq!(head.etag, None, "{text}");
        } else {
            let etag = head.etag.expect(text);
            assert_eq!(
                Checksum::of_etag(&etag),
                Some(Checksum::Whole(md5)),
                "{text}"
            );
            assert_eq!(entry.etag, Some(etag), "{text}");
            // a bucket's own clock is not ours to the second
            assert!(entry.modified.seconds() >= before - 60, "{text}");
        }
    }
}

async fn attributes_come_back(place: Place) {
    // a directory keeps none
    if is_local(&place) {
        return;
    }
    let text = |text: &str| Some(text.to_owned());
    let attributes = Attributes {
        content_type: text("text/x-odd; charset=utf-8"),
        cache_control: text("no-store"),
        content_disposition: text("attachment; filename=\"a b\""),
        content_encoding: text("gzip"),
        content_language: text("de, en"),
        expires: text("Sun, 02 Jan 2050 03:04:05 GMT"),
        website_redirect: text("/elsewhere"),
        user: [("empty", ""), ("plain", "a, b=c")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let dressed = |text: &str| Put {
        attributes: attributes.clone(),
        ..put(text, 3)
    };
    let bytes = content(3);
    let digests = vec![digest(Algorithm::Md5, &bytes)];
    let whole = dressed("whole");
    let stored = place.target.put(&whole, bytes.clone(), &digests).await;
    stored.map(drop).expect("a put");
    let upload = place
        .target
        .begin(&dressed("parts"))
        .await
        .expect("an upload");
    let part = Part {
        number: NonZeroU16::MIN,
        offset: 0,
        bytes,
        digests,
    };
    let part = upload.put_part(&part).await.expect("a part");
    let done = upload.complete(vec![part], None).await;
    done.map(drop).expect("completion");
    for text in ["whole", "parts"] {
        let head = place.source.head((&key(text)).into(), false).await;
        let seen = read(&*place.source, text).await.expect(text);
        for head in [head.expect(text), seen.head] {
            assert_eq!(head.attributes, attributes, "{text}");
        }
    }
}

async fn ranges_are_read_and_hashed(place: Place) {
    let bytes = content(100_000);
    write(&*place.target, "k", bytes.clone())
        .await
        .expect("a put");
    let hash = [Algorithm::Sha256, Algorithm::Md5];
    for range in [None, Some(0..1), Some(99_999..100_000), Some(10..20_000)] {
        let slice = match &range {
            Some(range) => bytes.slice(range.start as usize..range.end as usize),
            None => bytes.clone(),
        };
        for store in [&*place.source, &*place.target as &dyn Source] {
            let read = Read {
                key: key("k"),
                version: None,
                range: range.clone(),
                expected: slice.len() as u64,
                if_match: None,
                hash: hash.into(),
            };
            let seen = store.read(&read).await.expect("a read");
            assert_eq!(seen.bytes, slice, "{range:?}");
            assert_eq!(
                seen.digests,
                hash.map(|one| digest(one, &slice)),
                "{range:?}"
            );
            assert_eq!(seen.head.size, 100_000, "{range:?}");
        }
    }
}

async fn a_range_beyond_the_end_is_a_change(place: Place) {
    write(&*place.target, "k", content(10))
        .await
        .expect("a put");
    for range in [5..11, 10..11, 20..30] {
        let read = Read {
            key: key("k"),
            version: None,
            range: Some(range.clone()),
            expected: range.end - range.start,
            if_match: None,
            hash: Vec::new(),
        };
        let error = place.source.read(&read).await.expect_err("too short");
        assert_eq!(error.kind, ErrorKind::Changed, "{range:?}: {error}");
    }
}

async fn what_is_not_there_is_not_found(place: Place) {
    write(&*place.target, "a/b", "x").await.expect("a put");
    for text in ["missing", "missing/deep", "a", "a/b/c"] {
        for store in [&*place.source, &*place.target as &dyn Source] {
            let error = read(store, text).await.expect_err(text);
            let is_local_file_on_the_way =
                error.kind == ErrorKind::Occupied && is_local(&place) && text == "a/b/c";
            assert!(
                error.kind == ErrorKind::NotFound || is_local_file_on_the_way,
                "{text}: {error}"
            );
            assert!(
                store.head((&key(text)).into(), false).await.is_err(),
                "{text}"
            );
        }
    }
}

async fn a_put_replaces(place: Place) {
    for bytes in ["first", "a second one", "", "third"] {
        write(&*place.target, "d/k", bytes).await.expect("a put");
        let seen = read(&*place.source, "d/k").await.expect("a read");
        assert_eq!(seen.bytes, bytes);
    }
    assert_eq!(Listed::of(&*place.source).await.keys(), ["d/k"]);
}

async fn a_condition_decides_what_is_replaced(place: Place) {
    if is_local(&place) {
        // it is never given any
        return;
    }
    let older = digest(Algorithm::Md5, b"older").hex();
    let other = digest(Algorithm::Md5, b"other").hex();
    let has = |md5: &str| Condition::Has(ETag::parse(md5));
    for (there, condition, is_taken) in [
        (false, Condition::None, true),
        (false, Condition::Absent, true),
        (false, has(&other), false),
        (true, Condition::None, true),
        (true, Condition::Absent, false),
        (true, has(&other), false),
        (true, has(&older), true),
    ] {
        for in_parts in [false, true] {
            let removed = place.target.delete(&[(&key("k")).into()]).await;
            removed.expect("a deletion");
            if there {
                write(&*place.target, "k", "older").await.expect("a put");
            }
            let bytes = Bytes::from("newer");
            let what = Put {
                condition: condition.clone(),
                ..put("k", bytes.len())
            };
            let done = if in_parts {
                let upload = place.target.begin(&what).await.expect("an upload");
                let part = upload.put_part(&parts_of(&bytes)[0]).await.expect("a part");
                let done = upload.complete(vec![part], None).await;
                done.map(drop).map_err(|error| match error {
                    Incomplete::Undone(error) => error,
                    Incomplete::Unproved { .. } => panic!("nothing is in doubt: {error}"),
                })
            } else {
                let md5 = digest(Algorithm::Md5, &bytes);
                place.target.put(&what, bytes, &[md5]).await.map(drop)
            };
            let case = format!("{there} {condition:?} {in_parts}: {done:?}");
            let refused = Err(ErrorKind::PreconditionFailed);
            let expected = if is_taken { Ok(()) } else { refused };
            assert_eq!(done.map_err(|error| error.kind), expected, "{case}");
            let seen = place.source.head((&key("k")).into(), false).await;
            assert_eq!(seen.is_ok(), there || is_taken, "{case}");
            if seen.is_ok() {
                let seen = read(&*place.source, "k").await.expect("a read");
                let expected = if is_taken { "newer" } else { "older" };
                assert_eq!(seen.bytes, expected, "{case}");
            }
        }
    }
}

/// The parts of some content, with their MD5s.
fn parts_of(bytes: &Bytes) -> Vec<Part> {
    (0..bytes.len().div_ceil(PART))
        .map(|i| {
            let bytes = bytes.slice(i * PART..bytes.len().min((i + 1) * PART));
            Part {
                number: NonZeroU16::new(i as u16 + 1).expect("not zero"),
                offset: (i * PART) as u64,
                digests: vec![digest(Algorithm::Md5, &bytes)],
                bytes,
            }
        })
        .collect()
}

async fn parts_come_in_any_order(place: Place) {
    let bytes = content(2 * PART + 17);
    let parts = parts_of(&bytes);
    let upload = place.target.begin(&put("d/big", bytes.len())).await;
    let upload = upload.expect("an upload");
    assert!(
        Listed::of(&*place.source).await.entries.is_empty(),
        "nothing is visible before it is complete"
    );
    let (third, second, first) = tokio::join!(
        upload.put_part(&parts[2]),
        upload.put_part(&parts[1]),
        upload.put_part(&parts[0]),
    );
    let stored = [first, second, third]
        .map(|part| part.expect("a part"))
        .to_vec();
    for (stored, part) in stored.iter().zip(&parts) {
        assert_eq!(stored.number, part.number);
        assert_eq!(stored.size, part.bytes.len() as u64);
        assert_eq!(stored.etag.is_none(), place.target.keeps_no_digests());
    }
    let stored = upload.complete(stored, None).await.expect("completion");
    assert_eq!(stored.size, bytes.len() as u64);
    if !place.target.keeps_no_digests() {
        let md5s: Vec<_> = parts.iter().map(|part| part.digests[0]).collect();
        let etag = stored.etag.expect("an ETag");
        assert_eq!(Checksum::of_etag(&etag), composite(&md5s));
        for (number, size) in [(1, PART), (2, PART), (3, 17)] {
            let number = NonZeroU16::new(number).expect("not zero");
            let seen = place.source.part_size((&key("d/big")).into(), number).await;
            assert_eq!(seen.expect("a part"), Some(size as u64), "{number}");
        }
    }
    let seen = read(&*place.source, "d/big").await.expect("a read");
    assert!(seen.bytes == bytes, "the content is another");
    assert_eq!(Listed::of(&*place.source).await.keys(), ["d/big"]);
}

async fn a_part_may_be_sent_again(place: Place) {
    let bytes = content(PART + 1);
    let parts = parts_of(&bytes);
    let upload = place.target.begin(&put("k", bytes.len())).await;
    let upload = upload.expect("an upload");
    let mut stored = Vec::new();
    for part in &parts {
        upload.put_part(part).await.expect("a part");
        stored.push(upload.put_part(part).await.expect("the same part"));
    }
    let stored = upload.complete(stored, None).await.expect("completion");
    assert_eq!(stored.size, bytes.len() as u64);
    let seen = read(&*place.source, "k").await.expect("a read");
    assert!(seen.bytes == bytes, "the content is another");
}

async fn missing_parts_publish_nothing(place: Place) {
    let bytes = content(PART + 1);
    let what: Put = put("k", bytes.len());
    let upload = place.target.begin(&what).await.expect("an upload");
    let mut stored = vec![upload.put_part(&parts_of(&bytes)[0]).await.expect("a part")];
    let mut never_sent = stored[0].clone();
    never_sent.number = NonZeroU16::new(2).expect("not zero");
    stored.push(never_sent);
    assert!(upload.complete(stored, None).await.is_err());
    assert!(Listed::of(&*place.source).await.entries.is_empty());
}

async fn an_aborted_upload_leaves_nothing(place: Place) {
    write(&*place.target, "k", "old").await.expect("a put");
    let bytes = content(PART + 1);
    let upload = place.target.begin(&put("k", bytes.len())).await;
    let upload = upload.expect("an upload");
    upload.put_part(&parts_of(&bytes)[0]).await.expect("a part");
    upload.abort().await.expect("the end of it");
    assert_eq!(Listed::of(&*place.source).await.keys(), ["k"]);
    let seen = read(&*place.source, "k").await.expect("a read");
    assert_eq!(seen.bytes, "old");
}

async fn deleting_is_idempotent(place: Place) {
    for text in ["a", "d/e/f", "d/e/g", "kept"] {
        write(&*place.target, text, "x").await.expect(text);
    }
    let keys = ["a", "never/was", "d/e/f", "d/e/g"].map(key);
    for _ in 0..2 {
        let results = place
            .target
            .delete(&removals(&keys))
            .await
            .expect("a delete");
        assert_eq!(results.len(), keys.len());
        for (result, key) in results.iter().zip(&keys) {
            assert!(result.is_ok(), "{key}: {result:?}");
        }
        assert_eq!(Listed::of(&*place.source).await.keys(), ["kept"]);
    }
    write(&*place.target, "d/e/f", "again")
        .await
        .expect("a put");
    assert_eq!(Listed::of(&*place.source).await.keys(), ["d/e/f", "kept"]);
}

async fn what_was_listed_is_removed_and_nothing_else(place: Place) {
    for text in ["a", "b", "d/gone", "d/same"] {
        write(&*place.target, text, text.to_owned())
            .await
            .expect(text);
    }
    let listed = Listed::of(&*place.target).await.entries;
    let asked: Vec<Removal> = listed.iter().map(Into::into).collect();
    write(&*place.target, "b", "longer").await.expect("a put");
    place
        .target
        .delete(&removals(&[key("d/gone")]))
        .await
        .expect("a delete");
    let results = place.target.delete(&asked).await.expect("results");
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind))
        .collect();
    let replaced = Some(ErrorKind::PreconditionFailed);
    assert_eq!(kinds, [None, replaced, None, None]);
    assert_eq!(Listed::of(&*place.source).await.keys(), ["b"]);
}

/// Odd keys are written, listed, read and deleted byte for byte (statement 36).
async fn odd_keys_stay_as_they_are(place: Place) {
    let longest = [&*"k".repeat(204); 5].join("/");
    assert_eq!(longest.len(), 1024);
    let mut keys = vec![
        "with space",
        " leading",
        "trailing ",
        "plus+plus",
        "per%cent",
        "%2F",
        "hash#",
        "what?",
        "and&and",
        "star*",
        "[bracket",
        "dollar$",
        "at@",
        "\"double\"",
        "'single'",
        "back\\slash",
        "left\u{200e}right",
        "wide\u{3000}",
        "\u{1f980}/\u{1f9ff}",
        "tab\tand\nline",
        "..a/b..",
        "...",
        ".hidden",
        "\u{e9}",
        "e\u{301}",
        "a=b;c,d:e|f<g>h^i`j{k}",
        &longest,
    ];
    keys.sort_unstable();
    for text in &keys {
        write(&*place.target, text, text.to_string())
            .await
            .expect(text);
    }
    assert_eq!(Listed::of(&*place.source).await.keys(), keys);
    for text in &keys {
        let seen = read(&*place.source, text).await.expect(text);
        assert_eq!(seen.bytes, text.as_bytes(), "{text:?}");
        assert!(
            place.source.head((&key(text)).into(), true).await.is_ok(),
            "{text:?}"
        );
    }
    let all: Vec<_> = keys.iter().map(|text| key(text)).collect();
    for result in place
        .target
        .delete(&removals(&all))
        .await
        .expect("a delete")
    {
        result.expect("each is deleted");
    }
    assert!(Listed::of(&*place.source).await.entries.is_empty());
}
