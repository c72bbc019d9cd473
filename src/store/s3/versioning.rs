//! GetBucketVersioning, and the delete markers of a bucket that keeps versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::types::BucketVersioningStatus;

use super::once::{Written, marked_before};
use super::{S3Store, condition};
use crate::object::ObjectKey;
use crate::store::{ErrorKind, StoreError, Versioning};

/// GetBucketVersioning.
pub(super) const VERSIONING: &str = "GetBucketVersioning";

/// Asks whether the bucket keeps versions.
pub(super) async fn ask(store: &S3Store) -> Result<Versioning, StoreError> {
    let url = store.0.settings.location.url();
    let answer = store
        .retrying(VERSIONING, || {
            let request = store.client().get_bucket_versioning();
            let request = request.bucket(store.bucket()).send();
            store.send(VERSIONING, &url, Duration::ZERO, request)
        })
        .await?;
    let versioning = match answer.status() {
        Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
        Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
        Some(_) | None => Versioning::Off,
    };
    // a bucket is asked once or twice, and says the same
    let _ = store.0.versioning.set(versioning);
    Ok(versioning)
}

/// DeleteObject without a version: a delete marker hides the key, and nothing is lost.
pub(super) async fn mark_deleted(
    store: &S3Store,
    key: &ObjectKey,
) -> Result<Option<Arc<str>>, StoreError> {
    const OPERATION: &str = "DeleteObject";
    let full_key = &store.full_key(key);
    // an attempt that S3 may have carried out, whatever was heard of it
    let in_doubt = &AtomicBool::new(false);
    let written = store
        .retrying(OPERATION, || async move {
            if let Some(marker) = marked_before(store, key, in_doubt).await? {
                return Ok(Written::Found(marker));
            }
            let request = store.client().delete_object();
            let request = request.bucket(store.bucket()).key(full_key).send();
            let answer = store.send(OPERATION, full_key, Duration::ZERO, request);
            let answer = answer.await.inspect_err(|error| {
                in_doubt.fetch_or(condition::may_be_done(error), Ordering::Relaxed);
            })?;
            Ok(Written::Answered(answer))
        })
        .await?;
    let output = match written {
        Written::Answered(output) => output,
        Written::Found(marker) => return Ok(marker),
    };
    if output.delete_marker() == Some(true) {
        return Ok(output.version_id().map(Into::into));
    }
    Err(StoreError::new(
        OPERATION,
        full_key,
        ErrorKind::Other,
        "the bucket made no delete marker: it keeps no versions any more",
    ))
}
