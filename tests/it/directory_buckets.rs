//! Directory buckets: listings in no order, prefixes that end in a slash, ETags that are no digests.

use std::collections::BTreeSet;
use std::sync::Arc;

use s3sync::sandbox::{Action, Rule, Sandbox, SandboxConfig, When};
use s3sync::store::s3::{KeyOrder, Keys, ListingSettings, S3Location, S3Settings, S3Store};
use s3sync::store::{OddityKind, Secret, Unmetered};

use crate::support::{Listed, key, write};
use crate::world::{World, content};

const BUCKET: &str = "fast--use1-az4--x-s3";

async fn store(
    sandbox: &Sandbox,
    prefix: &str,
    listing: ListingSettings,
    order: KeyOrder,
) -> S3Store {
    let location = S3Location {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
    };
    let settings = S3Settings {
        endpoint_url: Some(sandbox.endpoint_url()),
        force_path_style: true,
        region: Some(sandbox.region().to_owned()),
        keys: Some(Keys {
            access_key: Secret::new(sandbox.access_key()),
            secret_access_key: Secret::new(sandbox.secret_key()),
            session_token: None,
        }),
        listing,
        order,
        ..S3Settings::new(location)
    };
    S3Store::open_source(settings, Arc::new(Unmetered))
        .await
        .expect("a store")
}

async fn sandbox(dir: &std::path::Path) -> Sandbox {
    let config = SandboxConfig {
        dir: dir.to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    sandbox.create_bucket(BUCKET).expect("a bucket");
    sandbox
}

fn listing(max_keys: u16, parallel: u16, max_depth: u16) -> ListingSettings {
    ListingSettings {
        max_keys,
        parallel,
        max_depth,
        ..ListingSettings::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_listed_once_and_in_order_whatever_the_prefix() {
    let dir = tempfile::tempdir().expect("a directory");
    let sandbox = sandbox(dir.path()).await;
    let writer = store(&sandbox, "", ListingSettings::default(), KeyOrder::Bytes).await;
    let mut keys: BTreeSet<String> = ["p", "p/", "p/x", "p/x/y", "p//z", "p0", "q", "é/ü +%"]
        .map(str::to_owned)
        .into();
    for n in 0..150 {
        keys.insert(format!("p/{}/{}/{n}", n % 4, n % 7));
        keys.insert(format!("px{}/{n}", n % 3));
    }
    for key in &keys {
        write(&writer, key, "x").await.expect("an object");
    }
    for prefix in [
        "", "p", "p/", "p/1", "p/1/", "p/1/1/", "p//", "é/ü", "none", "none/",
    ] {
        for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
            for listing in [
                listing(1000, 1, 2),
                listing(7, 1, 0),
                listing(7, 5, 1),
                listing(3, 4, 9),
            ] {
                let case = format!("{prefix:?} {order:?} {listing:?}");
                let listed = Listed::of(&store(&sandbox, prefix, listing, order).await).await;
                assert!(listed.error.is_none(), "{case}: {:?}", listed.error);
                let mut expected: Vec<_> = keys
                    .iter()
                    .filter_map(|key| key.strip_prefix(prefix))
                    .filter(|relative| !relative.is_empty())
                    .map(key)
                    .collect();
                expected.sort_by(|a, b| order.compare(a, b));
                let seen: Vec<_> = listed.entries.iter().map(|it| it.key.clone()).collect();
                assert_eq!(seen, expected, "{case}");
                assert!(
                    listed.longest_page <= usize::from(listing.max_keys),
                    "{case}"
                );
                let own = keys.contains(prefix);
                let odd = own.then_some((prefix, OddityKind::KeyIsPrefix));
                assert_eq!(listed.odd(), Vec::from_iter(odd), "{case}");
            }
        }
    }
    let one = store(&sandbox, "q", ListingSettings::default(), KeyOrder::Bytes).await;
    let listed = Listed::of(&one).await;
    assert_eq!((listed.keys(), listed.odd()), (vec!["q"], vec![]));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_request_that_fails_ends_the_listing_before_its_first_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = sandbox(dir.path()).await;
    let writer = store(&first, "", ListingSettings::default(), KeyOrder::Bytes).await;
    for n in 0..20 {
        let key = format!("{}/{n}", n % 3);
        write(&writer, &key, "x").await.expect("an object");
    }
    first.shutdown().await;
    for parallel in [1, 4] {
        for nth in 1.. {
            let refuse = Rule::new(Action::Refuse {
                status: 403,
                code: "AccessDenied".to_owned(),
                retry_after: None,
            });
            // a new one each time: what a listing that failed had still on its way must not count
            let sandbox = sandbox(dir.path()).await;
            let refuse = refuse.operation("ListObjectsV2").when(When::Nth(nth));
            sandbox.faults().add(refuse);
            let reader = store(&sandbox, "", listing(6, parallel, 2), KeyOrder::Bytes).await;
            let listed = Listed::of(&reader).await;
            let calls = sandbox.faults().calls("ListObjectsV2");
            sandbox.shutdown().await;
            if calls < nth {
                assert_eq!(listed.entries.len(), 20);
                assert!(nth > 3, "{nth} requests");
                break;
            }
            let error = listed.error.expect("an error");
            assert!(error.kind.is_fatal(), "{error}");
            assert!(listed.entries.is_empty(), "request {nth}");
        }
    }
}

#[test]
fn all_directions_arrive_proved_and_stay() {
    let world = World::new();
    world.bucket(BUCKET);
    world.bucket("plain");
    world.bucket("other--use1-az4--x-s3");
    let tree = world.tree("tree");
    for n in 0..60 {
        tree.file(&format!("{}/{n}", n % 7), 10 + n);
    }
    tree.file("large", 6 << 20);
    let run = || {
        let fast = format!("s3://{BUCKET}/up/");
        world
            .job_in_small_parts()
            .set("performance.max_keys", "9")
            // written and copied in one second, without ETags to tell them apart
            .set("check.mode", "\"size\"")
            .pair("up", "tree", &fast)
            .pair("to_plain", &fast, "s3://plain/copy/")
            .text("after = ['up']\n")
            .pair("between", &fast, "s3://other--use1-az4--x-s3/client/")
            .text("after = ['up']\n")
            .pair("inside", &fast, "s3://other--use1-az4--x-s3/server/")
            .text("after = ['up']\nserver_side_copy = true\n")
            .pair(
                "back",
                "s3://plain/copy/",
                "s3://other--use1-az4--x-s3/back/",
            )
            .text("after = ['to_plain']\n")
            .pair("down", "s3://other--use1-az4--x-s3/back/", "down")
            .text("after = ['back']\n")
    };
    let first = run().run();
    first.exit(0).all_proved().transferred(61 * 6);
    let second = run().run();
    second.exit(0).transferred(0);
    assert_eq!(second.pair("down").count("listed/source"), 61);
    assert_eq!(second.pair("down").count("unchanged"), 61);
    for (key, bytes) in world.tree("down").files() {
        assert_eq!(bytes, content(&key, bytes.len()), "{key}");
    }
}
