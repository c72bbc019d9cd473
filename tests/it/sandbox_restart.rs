//! The sandbox keeps what it has: a later process over the same directory sees all of it.

use std::path::Path;

use s3sync::sandbox::{Sandbox, SandboxConfig};
use s3sync::store::{Source as _, Target as _};

use crate::listing::store;
use crate::support::{key, put, read, write};

async fn sandbox(dir: &Path) -> Sandbox {
    let config = SandboxConfig {
        dir: dir.to_owned(),
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.expect("a sandbox")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_shared_by_two_buckets_survives_a_restart_when_one_lets_go() {
    // which bucket is loaded first is the file system's affair: both ways are tried
    for (from, to) in [("first", "second"), ("second", "first")] {
        let dir = tempfile::tempdir().expect("a directory");
        let running = sandbox(dir.path()).await;
        for bucket in [from, to] {
            running.create_bucket(bucket).expect("a bucket");
        }
        let source = store(&running, from, "", Default::default()).await;
        let target = store(&running, to, "", Default::default()).await;
        write(&source, "k", "old").await.expect("an object");
        let place = source.copy_source(&key("k")).expect("in S3");
        let copied = target.copy(&put("k", 3), &place).await;
        copied.map(drop).expect("a copy");
        write(&source, "k", "newer").await.expect("a newer object");
        running.shutdown().await;

        let again = sandbox(dir.path()).await;
        for (bucket, bytes) in [(from, "newer"), (to, "old")] {
            let store = store(&again, bucket, "", Default::default()).await;
            let content = read(&store, "k").await.expect(bucket);
            assert_eq!(content.bytes, bytes, "{bucket}");
        }
        again.shutdown().await;
    }
}
