//! Buckets with Object Lock take no body of which they are not told what it hashes to:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html>.

use std::sync::atomic::Ordering;

use super::S3Store;
use crate::store::{ErrorKind, StoreError};

impl S3Store {
    /// Whether Content-MD5 goes with every body: where the user wants it, and where the bucket was
    /// heard to demand it.
    pub(super) fn sends_content_md5(&self) -> bool {
        self.0.settings.content_md5 || self.0.wants_digests.load(Ordering::Relaxed)
    }
}

/// Makes a request with a body: once more with Content-MD5 where the bucket demands a digest and
/// was sent none, and with it at once from then on.
pub(super) async fn with_body<T, F>(
    store: &S3Store,
    request: impl Fn() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let sent = store.sends_content_md5();
    match request().await {
        Err(error) if !sent && demands_a_digest(&error) => {
            tracing::debug!(%error, "Content-MD5 is sent from now on");
            store.0.wants_digests.store(true, Ordering::Relaxed);
            request().await
        }
        other => other,
    }
}

/// S3 says `Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with
/// Object Lock parameters`, others much the same.
fn demands_a_digest(error: &StoreError) -> bool {
    error.kind == ErrorKind::Other && error.message.to_ascii_lowercase().contains("content-md5")
}
