//! Bucket listings, many requests at once: the same keys in the same order as one plain list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use s3sync::sandbox::{Action, Rule, Sandbox, SandboxConfig, When};
use s3sync::store::s3::{KeyOrder, Keys, ListingSettings, S3Location, S3Settings, S3Store};
use s3sync::store::{OddityKind, Secret, Target as _, Unmetered};

use crate::support::{Listed, key, put, write};

/// A store on the sandbox.
pub(crate) async fn store(
    sandbox: &Sandbox,
    bucket: &str,
    prefix: &str,
    listing: ListingSettings,
) -> S3Store {
    ordered(sandbox, (bucket, prefix), listing, KeyOrder::Bytes).await
}

/// A store on the sandbox that lists in this order.
async fn ordered(
    sandbox: &Sandbox,
    (bucket, prefix): (&str, &str),
    listing: ListingSettings,
    order: KeyOrder,
) -> S3Store {
    let location = S3Location {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    };
    let mut settings = S3Settings::new(location);
    settings.endpoint_url = Some(sandbox.endpoint_url());
    settings.force_path_style = true;
    settings.region = Some(sandbox.region().to_owned());
    settings.keys = Some(Keys {
        access_key: Secret::new(sandbox.access_key()),
        secret_access_key: Secret::new(sandbox.secret_key()),
        session_token: None,
    });
    settings.listing = listing;
    settings.order = order;
    S3Store::open_source(settings, Arc::new(Unmetered))
        .await
        .expect("a store")
}

/// Keys of up to three levels, some levels crowded and some nearly empty.
fn random_keys(random: &mut fastrand::Rng) -> BTreeSet<String> {
    let segment = |random: &mut fastrand::Rng, width: u8| {
        let name = ["a", "b", "b-", "b.", "b0", "c c", "d+", "é", "z"][random.usize(0..9)];
        format!("{name}{}", random.u8(0..width))
    };
    let width = [1, 3, 30][random.usize(0..3)];
    (0..random.usize(0..120))
        .map(|_| {
            let depth = random.usize(0..4);
            let mut parts: Vec<String> = (0..depth).map(|_| segment(random, width)).collect();
            // sometimes a directory marker
            parts.push(if random.u8(0..5) == 0 {
                String::new()
            } else {
                segment(random, 40)
            });
            parts.join("/")
        })
        .filter(|key| !key.is_empty())
        .collect()
}

fn random_listing(random: &mut fastrand::Rng) -> ListingSettings {
    ListingSettings {
        max_keys: random.u16(1..9),
        parallel: random.u16(1..6),
        max_depth: random.u16(0..4),
        queue: random.u32(0..100),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_split_lists_every_key_once_and_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = SandboxConfig {
        dir: dir.path().to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    for seed in 0..25 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bucket = format!("bucket-{seed}");
        sandbox.create_bucket(&bucket).expect("a bucket");
        let keys = random_keys(&mut random);
        let writer = store(&sandbox, &bucket, "p/", ListingSettings::default()).await;
        for name in &keys {
            let stored = writer.put(&put(name, 1), "x".into(), &[]).await;
            stored.map(drop).expect("an object");
        }
        for _ in 0..4 {
            let listing = random_listing(&mut random);
            let reader = store(&sandbox, &bucket, "p/", listing).await;
            let listed = Listed::of(&reader).await;
            assert!(
                listed.error.is_none(),
                "seed {seed} {listing:?}: {:?}",
                listed.error
            );
            let seen: Vec<_> = listed
                .entries
                .iter()
                .map(|entry| entry.key.clone())
                .collect();
            let expected: Vec<_> = keys.iter().map(|name| key(name)).collect();
            assert_eq!(seen, expected, "seed {seed} {listing:?}");
        }
    }
    sandbox.shutdown().await;
}

/// The keys below a prefix by their place in a directory.
fn by_name<'a>(keys: &'a BTreeSet<String>, prefix: &str) -> Vec<&'a str> {
    let relative = keys.iter().filter_map(|key| key.strip_prefix(prefix));
    let named: BTreeMap<_, _> = relative
        .filter(|key| !key.is_empty())
        .map(|key| match key.strip_prefix('/') {
            Some(name) => ((name, true), key),
            None => ((key, false), key),
        })
        .collect();
    named.into_values().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_directory_every_key_is_listed_once_and_in_order_of_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = SandboxConfig {
        dir: dir.path().to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bucket = format!("bucket-{seed}");
        sandbox.create_bucket(&bucket).expect("a bucket");
        let mut keys = BTreeSet::new();
        for key in random_keys(&mut random) {
            // keys below all of the prefixes, with no slash before their names or more
            let begin = ["", "/", "p", "p/", "p//", "p///", "p0"][random.usize(0..7)];
            keys.insert(format!("{begin}{key}"));
            if random.u8(0..4) == 0 {
                keys.insert(format!("p{key}"));
                keys.insert(format!("p/{key}"));
            }
        }
        for key in ["p", "p/", "p//", "p/\u{10ffff}", "p/\u{10ffff}x", "p0"] {
            if random.bool() {
                keys.insert(key.to_owned());
            }
        }
        let writer = store(&sandbox, &bucket, "", ListingSettings::default()).await;
        for name in &keys {
            let stored = writer.put(&put(name, 1), "x".into(), &[]).await;
            stored.map(drop).expect("an object");
        }
        for prefix in ["", "p", "p/", "p//"] {
            let expected = by_name(&keys, prefix);
            if expected.is_empty() {
                // a prefix that is the key of one object, which has a test of its own
                continue;
            }
            let whole = ListingSettings::default();
            for listing in [
                whole,
                random_listing(&mut random),
                random_listing(&mut random),
            ] {
                let case = format!("seed {seed} {prefix:?} {listing:?}");
                let place = (&*bucket, prefix);
                let reader = ordered(&sandbox, place, listing, KeyOrder::AsInADirectory).await;
                sandbox.faults().forget_calls();
                let listed = Listed::of(&reader).await;
                assert!(listed.error.is_none(), "{case}: {:?}", listed.error);
                assert_eq!(listed.keys(), expected, "{case}");
                assert!(
                    listed.longest_page <= usize::from(listing.max_keys),
                    "{case}"
                );
                let odd = keys.contains(prefix);
                let odd = odd.then_some((prefix, OddityKind::KeyIsPrefix));
                assert_eq!(listed.odd(), odd.into_iter().collect::<Vec<_>>(), "{case}");
                if listing == whole {
                    let calls = sandbox.faults().calls("ListObjectsV2");
                    assert_eq!(calls, 1, "{case}: one page is one request");
                }
            }
        }
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_that_is_one_object_is_listed_by_its_name_in_any_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = SandboxConfig {
        dir: dir.path().to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    sandbox.create_bucket("bucket").expect("a bucket");
    let writer = store(&sandbox, "bucket", "", ListingSettings::default()).await;
    write(&writer, "a/b", "x").await.expect("an object");
    for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
        let listing = ListingSettings {
            max_keys: 1,
            ..ListingSettings::default()
        };
        let reader = ordered(&sandbox, ("bucket", "a/b"), listing, order).await;
        let listed = Listed::of(&reader).await;
        assert_eq!((listed.keys(), listed.odd()), (vec!["b"], vec![]));
    }
    write(&writer, "a/b/c", "x").await.expect("an object");
    for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
        for max_keys in [1, 2, 3] {
            let listing = ListingSettings {
                max_keys,
                ..ListingSettings::default()
            };
            let reader = ordered(&sandbox, ("bucket", "a/b"), listing, order).await;
            let listed = Listed::of(&reader).await;
            assert_eq!(listed.keys(), ["/c"], "{order:?} {max_keys}");
            let odd = [("a/b", OddityKind::KeyIsPrefix)];
            assert_eq!(listed.odd(), odd, "{order:?} {max_keys}");
        }
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_a_directory_any_request_that_fails_ends_the_listing() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = || {
        Sandbox::start(SandboxConfig {
            dir: dir.path().to_owned(),
            ..SandboxConfig::default()
        })
    };
    let sandbox = start().await.expect("a sandbox");
    sandbox.create_bucket("bucket").expect("a bucket");
    let writer = store(&sandbox, "bucket", "", ListingSettings::default()).await;
    let mut keys = BTreeSet::new();
    for n in 0..24 {
        let key = format!("p{}{n:02}/x", ["-", "/", "0", "/-"][n % 4]);
        write(&writer, &key, "x").await.expect("an object");
        keys.insert(key);
    }
    sandbox.shutdown().await;
    let expected = by_name(&keys, "p");
    let listing = ListingSettings {
        max_keys: 3,
        ..ListingSettings::default()
    };
    let mut nth = 0;
    loop {
        nth += 1;
        let refuse = Rule::new(Action::Refuse {
            status: 403,
            code: "AccessDenied".to_owned(),
            retry_after: None,
        });
        let refuse = refuse.operation("ListObjectsV2").when(When::Nth(nth));
        // a new one each time: what a listing that failed had still on its way must not count
        let sandbox = start().await.expect("a sandbox");
        sandbox.faults().add(refuse);
        let place = ("bucket", "p");
        let reader = ordered(&sandbox, place, listing, KeyOrder::AsInADirectory).await;
        let listed = Listed::of(&reader).await;
        let calls = sandbox.faults().calls("ListObjectsV2");
        sandbox.shutdown().await;
        if calls < nth {
            assert_eq!(listed.keys(), expected);
            assert!(listed.error.is_none(), "{:?}", listed.error);
            break;
        }
        assert!(listed.error.is_some(), "request {nth}");
        assert!(expected.starts_with(&listed.keys()), "request {nth}");
    }
    assert!(nth > 10, "{nth} requests");
}
