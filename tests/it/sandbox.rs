//! What a sandbox keeps from one process to the next.

use s3sync::sandbox::{Sandbox, SandboxConfig};
use s3sync::store::s3::{ListingSettings, S3Store};
use s3sync::store::{Source as _, Target as _};

use crate::listing::store;
use crate::support::{key, put, read, write};

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
