//! GetObjectTagging, PutObjectTagging and DeleteObjectTagging:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use std::time::Duration;

use aws_sdk_s3::types::{Tag, Tagging};
use futures::TryFutureExt as _;

use super::S3Store;
use super::attributes::{NoObject, no_answer};
use super::learnt::is_refusal;
use crate::object::{ObjectVersion, Tags};
use crate::store::{ErrorKind, StoreError};

/// The tags of an object; [`ErrorKind::Unsupported`] where the endpoint knows none at all.
pub(super) async fn get(store: &S3Store, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
    const OPERATION: &str = "GetObjectTagging";
    let full_key = store.full_key(of.key);
    if store.0.settings.location.is_directory_bucket() {
        let message = "directory buckets have no tags";
        let kind = ErrorKind::Unsupported;
        return Err(StoreError::new(OPERATION, full_key, kind, message));
    }
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .get_object_tagging()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned));
            let request = request.customize().interceptor(NoObject).send();
            let answer = store.send(OPERATION, &full_key, Duration::ZERO, request);
            answer.map_err(no_answer)
        })
        .await;
    let output = match output {
        Ok(output) => output,
        // some servers have no empty set
        Err(error) if error.code.as_deref() == Some("NoSuchTagSet") => return Ok(Tags::new()),
        Err(error) => return Err(unsupported(error)),
    };
    let tags = output.tag_set().iter();
    Ok(tags
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect())
}

/// Replaces them. An object cannot be given an empty set: then they are removed.
/// [`ErrorKind::Unsupported`] as for [`get`].
pub(super) async fn set(
    store: &S3Store,
    of: ObjectVersion<'_>,
    tags: &Tags,
) -> Result<(), StoreError> {
    if tags.is_empty() {
        remove(store, of).await
    } else {
        put(store, of, tags).await
    }
}

async fn put(store: &S3Store, of: ObjectVersion<'_>, tags: &Tags) -> Result<(), StoreError> {
    const OPERATION: &str = "PutObjectTagging";
    let full_key = store.full_key(of.key);
    let invalid = |error: aws_sdk_s3::error::BuildError| {
        StoreError::new(OPERATION, &full_key, ErrorKind::Other, error.to_string())
    };
    let tags = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(invalid)?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build();
    let tagging = tagging.map_err(invalid)?;
    store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .put_object_tagging()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned))
                .tagging(tagging.clone());
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await
        .map(drop)
        .map_err(unsupported)
}

async fn remove(store: &S3Store, of: ObjectVersion<'_>) -> Result<(), StoreError> {
    const OPERATION: &str = "DeleteObjectTagging";
    let full_key = store.full_key(of.key);
    store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .delete_object_tagging()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned));
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await
        .map(drop)
        .map_err(unsupported)
}

/// What is refused as unknown is not supported, in whatever words.
fn unsupported(error: StoreError) -> StoreError {
    if is_refusal(&error) {
        let kind = ErrorKind::Unsupported;
        return StoreError { kind, ..error };
    }
    error
}
