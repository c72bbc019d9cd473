//! Bucket listings, many requests at once: the same keys in the same order as one plain list.

use std::collections::BTreeSet;
use std::sync::Arc;

use s3sync::sandbox::{Sandbox, SandboxConfig};
use s3sync::store::s3::{Keys, ListingSettings, S3Location, S3Settings, S3Store};
use s3sync::store::{Secret, Target as _, Unmetered};

use crate::support::{Listed, key, put};

/// A store on the sandbox.
pub(crate) async fn store(
    sandbox: &Sandbox,
    bucket: &str,
    prefix: &str,
    listing: ListingSettings,
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
    S3Store::open(settings, Arc::new(Unmetered))
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
            let listing = ListingSettings {
                max_keys: random.u16(1..9),
                parallel: random.u16(1..6),
                max_depth: random.u16(0..4),
                queue: random.u32(0..100),
            };
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
