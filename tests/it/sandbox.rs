//! What a sandbox keeps from one process to the next.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use s3sync::sandbox::{Sandbox, SandboxConfig};
use s3sync::store::s3::{ListingSettings, S3Store};
use s3sync::store::{Source as _, Target as _};

use crate::listing::store;
use crate::support::{case, key, put, read, write};
use crate::world::World;

const BUCKETS: [&str; 4] = ["first", "second", "third", "fourth"];

async fn open(dir: &std::path::Path) -> (Sandbox, Vec<S3Store>) {
    let config = SandboxConfig {
        dir: dir.to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    let mut stores = Vec::new();
    for bucket in BUCKETS {
        sandbox.create_bucket(bucket).expect("a bucket");
        stores.push(store(&sandbox, bucket, "", ListingSettings::default()).await);
    }
    (sandbox, stores)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_outlives_what_it_was_copied_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, stores) = open(dir.path()).await;
    for store in &stores {
        write(store, "k", "old").await.expect("a put");
    }
    // a copy shares its content with its source; buckets are loaded in no order one could name
    for (from, to) in stores.iter().zip(stores.iter().cycle().skip(1)) {
        let from = from.copy_source((&key("k")).into()).expect("it is in S3");
        let copied = to.copy(&put("copy", 3), &from).await;
        assert!(copied.is_ok(), "{copied:?}");
    }
    for store in &stores {
        write(store, "k", "new").await.expect("a put");
    }
    sandbox.shutdown().await;

    let (sandbox, stores) = open(dir.path()).await;
    for store in &stores {
        for (name, content) in [("k", "new"), ("copy", "old")] {
            let seen = read(store, name).await.expect(name);
            assert_eq!(seen.bytes, content, "{name}");
        }
    }
    sandbox.shutdown().await;
}

/// The oldest region takes it as done, every other one refuses it.
#[test]
fn a_bucket_of_ones_own_is_made_again_only_in_the_oldest_region() {
    let world = World::new();
    for (bucket, region, refused) in [
        ("old", None, None),
        ("young", Some("eu-west-1"), Some("BucketAlreadyOwnedByYou")),
    ] {
        case(format_args!("{bucket}"));
        let make = || {
            let place = region.map(|region| {
                CreateBucketConfiguration::builder()
                    .location_constraint(BucketLocationConstraint::from(region))
                    .build()
            });
            let request = world.client().create_bucket().bucket(bucket);
            let request = request.set_create_bucket_configuration(place);
            world.block_on(request.send())
        };
        make().expect("a new bucket");
        let again = make();
        let seen = again.as_ref().err().map(|error| {
            let status = error.raw_response().map(|answer| answer.status().as_u16());
            assert_eq!(status, Some(409));
            error.code().unwrap_or_default().to_owned()
        });
        assert_eq!(seen.as_deref(), refused, "{again:?}");
    }
}

/// Whoever refuses it, the sandbox or the library below it.
#[test]
fn every_error_has_words() {
    let world = World::new();
    world.bucket("bucket");
    let long = "k".repeat(1025);
    for (key, code, words) in [
        (long.as_str(), "KeyTooLongError", "Your key is too long"),
        ("k", "NoSuchKey", "The specified key does not exist."),
    ] {
        let request = world.client().get_object().bucket("bucket").key(key);
        let error = world.block_on(request.send()).expect_err(code);
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.message(), Some(words), "{code}");
    }
}
