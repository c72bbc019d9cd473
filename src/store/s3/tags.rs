//! GetObjectTagging, PutObjectTagging and DeleteObjectTagging:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>.

use std::time::Duration;

use aws_sdk_s3::types::{Tag, Tagging};

use super::S3Store;
use crate::object::{ObjectVersion, Tags};
use crate::store::{ErrorKind, StoreError};

/// The tags of an object.
pub(super) async fn get(store: &S3Store, of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
    const OPERATION: &str = "GetObjectTagging";
    let full_key = store.full_key(of.key);
    let output = store
        .retrying(OPERATION, || {
            let request = store
                .client()
                .get_object_tagging()
                .bucket(store.bucket())
                .key(&full_key)
                .set_version_id(of.version.map(str::to_owned));
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await?;
    let tags = output.tag_set().iter();
    Ok(tags
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect())
}

/// Replaces them. An object cannot be given an empty set: then they are removed.
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
}
