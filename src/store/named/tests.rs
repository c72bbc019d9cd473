//! Any number of keys, in the memory of a few.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::object::{ObjectVersion, Timestamp};
use crate::store::{Content, Description, Head, Read, StoreKind};

/// Has every key that does not end in 7, and counts what it is asked.
#[derive(Debug, Default)]
pub(super) struct Many {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Source for Many {
    fn describe(&self) -> Description {
        Description {
            url: "s3://b/p/".to_owned(),
            kind: StoreKind::S3,
            prefix: "p/".to_owned(),
            region: None,
            endpoint: None,
            versioning: None,
        }
    }

    fn list(&self) -> Listing {
        unreachable!("nothing is listed")
    }

    async fn head(&self, of: ObjectVersion<'_>, _: bool) -> Result<Head, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(at_once, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let key = of.key.as_str();
        if key.ends_with('7') {
            return Err(StoreError::new("head", key, ErrorKind::NotFound, "gone"));
        }
        if key == "broken" {
            return Err(StoreError::new("head", key, ErrorKind::Transient, "late"));
        }
        if key == "forbidden" {
            return Err(StoreError::new("head", key, ErrorKind::Fatal, "no"));
        }
        Ok(Head {
            size: key.len() as u64,
            modified: Timestamp::new(0, 0),
            etag: None,
            etag_is_digest: false,
            version: Some("v".into()),
            checksums: Vec::new(),
            unknown_checksum: None,
            attributes: crate::object::Attributes::default(),
            storage_class: None,
            is_archived: false,
            tag_count: None,
            file_id: None,
            details: None,
        })
    }

    async fn read(&self, _: &Read) -> Result<Content, StoreError> {
        unreachable!("nothing is read")
    }
}

fn asking(keys: Keys, order: KeyOrder) -> Asking {
    Asking {
        keys,
        order,
        at_once: 8,
        warn: Arc::new(|message| panic!("{message}")),
    }
}

fn file(text: &str) -> (tempfile::TempDir, Keys) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys");
    std::fs::write(&path, text).expect("written");
    (dir, Keys::File { path, only: None })
}

#[tokio::test]
async fn a_hundred_thousand_keys_are_asked_for_no_faster_than_they_are_taken() {
    const COUNT: usize = 100_000;
    let mut numbers: Vec<usize> = (0..COUNT).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut numbers);
    let lines: Vec<String> = numbers.iter().map(|n| format!("d/{n:06}\n")).collect();
    // each twice
    let (_dir, keys) = file(&[lines.concat(), lines.concat()].concat());
    let source = Arc::new(Many::default());
    let mut pages = list(source.clone(), asking(keys, KeyOrder::Bytes));
    let (mut entries, mut absent) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        let asked = source.asked.load(Ordering::SeqCst);
        let ahead = asked - entries.len() - absent;
        assert!(ahead <= 5 * PAGE, "{ahead} ahead of the reader");
        absent += page.oddities.len();
        entries.extend(page.entries);
    }
    assert_eq!((entries.len(), absent), (COUNT * 9 / 10, COUNT / 10));
    assert!(entries.is_sorted_by(|a, b| a.key < b.key));
    assert!(entries.iter().all(|entry| entry.version.is_none()));
    assert_eq!(source.asked.load(Ordering::SeqCst), COUNT, "each once");
    let most = source.most.load(Ordering::SeqCst);
    assert!(most <= 8, "{most} at once");
}

#[tokio::test]
async fn keys_come_in_the_order_that_the_other_side_has() {
    for (order, expected) in [
        (KeyOrder::Bytes, ["/b", "a", "a-", "a/b", "b"]),
        (KeyOrder::AsInADirectory, ["a", "a-", "a/b", "b", "/b"]),
    ] {
        let (_dir, keys) = file("b\na/b\n/b\na-\na\n");
        let pages = list(Arc::new(Many::default()), asking(keys, order));
        let pages: Vec<Page> = pages.try_collect().await.expect("listed");
        let entries = pages.iter().flat_map(|page| &page.entries);
        let seen: Vec<_> = entries.map(|entry| entry.key.as_str()).collect();
        assert_eq!(seen, expected, "{order:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_told_of_one_key_fails_that_key_alone() {
    let (_dir, keys) = file("a\nbroken\nc\n");
    let pages = list(Arc::new(Many::default()), asking(keys, KeyOrder::Bytes));
    let pages: Vec<Page> = pages.try_collect().await.expect("listed");
    let entries = pages.iter().flat_map(|page| &page.entries);
    let seen: Vec<_> = entries.map(|entry| entry.key.as_str()).collect();
    assert_eq!(seen, ["a", "c"]);
    let failures = pages.iter().flat_map(|page| &page.failures);
    let failed: Vec<_> = failures
        .map(|(key, error)| (key.as_str(), error.kind))
        .collect();
    assert_eq!(failed, [("broken", ErrorKind::Transient)]);
}

#[tokio::test]
async fn what_nothing_would_come_of_ends_the_listing_after_those_before_it() {
    let (_dir, keys) = file("a\nforbidden\ng\n");
    let pages = list(Arc::new(Many::default()), asking(keys, KeyOrder::Bytes));
    let pages: Vec<_> = pages.collect().await;
    let entries = pages.iter().flatten().flat_map(|page| &page.entries);
    let seen: Vec<_> = entries.map(|entry| entry.key.as_str()).collect();
    assert_eq!(seen, ["a"]);
    let last = pages.last().expect("a page").as_ref();
    assert_eq!(
        last.map(|_| ()).map_err(|error| error.kind),
        Err(ErrorKind::Fatal)
    );
}

#[tokio::test]
async fn given_keys_that_are_not_there_are_passed_over() {
    let keys = ["b", "a7", "a"].map(|key| ObjectKey::new(key).expect("short"));
    let asking = asking(Keys::These(keys.into()), KeyOrder::Bytes);
    let pages = list(Arc::new(Many::default()), asking);
    let pages: Vec<Page> = pages.try_collect().await.expect("listed");
    let seen = pages.iter().flat_map(|page| &page.entries);
    assert_eq!(
        seen.map(|entry| entry.key.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert!(pages.iter().all(|page| page.oddities.is_empty()));
}
