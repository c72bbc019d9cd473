//! DeleteObject, key by key, where the endpoint takes no DeleteObjects.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};

use super::S3Store;
use crate::store::{ErrorKind, Removal, Removed, StoreError};

const OPERATION: &str = "DeleteObject";

/// So many at the same time.
const AT_ONCE: usize = 16;

/// Deletes each key, with its own result; an error is one that nothing else would be spared.
pub(super) async fn delete(
    store: &S3Store,
    removals: &[Removal],
) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
    let full_keys: Vec<_> = removals
        .iter()
        .map(|removal| store.full_key(&removal.key))
        .collect();
    futures::stream::iter(full_keys)
        .map(|full_key| one(store, full_key))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn one(store: &S3Store, full_key: String) -> Result<Result<Removed, StoreError>, StoreError> {
    let deleted = store
        .retrying(OPERATION, || {
            let request = store.client().delete_object();
            let request = request.bucket(store.bucket()).key(&full_key);
            store.send(OPERATION, &full_key, Duration::ZERO, request.send())
        })
        .await;
    match deleted {
        Ok(_) => Ok(Ok(Removed::Object)),
        // what was not there is not there
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Ok(Removed::Object)),
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(error) => Ok(Err(error)),
    }
}
