//! DeleteObject, key by key, where the endpoint takes no DeleteObjects, or XML cannot carry the key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};

use super::delete::{Condition, Wanted, granted_without, removed, settled};
use super::learnt::{Lack, is_refusal};
use super::look::{Seen, look};
use super::{S3Store, condition};
use crate::object::ETag;
use crate::store::{ErrorKind, Removed, StoreError};

const OPERATION: &str = "DeleteObject";

/// So many at the same time.
pub(super) const AT_ONCE: usize = 16;

/// Deletes each key, with its own result; an error is one that nothing else would be spared.
pub(super) async fn delete(
    store: &S3Store,
    wanted: &[Wanted],
    condition: Condition,
) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
    futures::stream::iter(wanted.to_vec())
        .map(|wanted| async move { one(store, &wanted, condition).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn one(
    store: &S3Store,
    wanted: &Wanted,
    condition: Condition,
) -> Result<Result<Removed, StoreError>, StoreError> {
    let deleted = match wanted
        .etag
        .as_ref()
        .filter(|_| condition == Condition::Listed)
    {
        None => send(store, wanted, None).await.0,
        Some(_) if store.lacks(Lack::DeleteConditions) => after_a_look(store, wanted).await,
        Some(etag) => match send(store, wanted, Some(etag)).await {
            (Err(refusal), _) if is_refusal(&refusal) => {
                let done = after_a_look(store, wanted).await;
                if done.is_ok() {
                    store.learn(Lack::DeleteConditions, &refusal.to_string());
                }
                done
            }
            // the condition needs the right to read the object as well
            (Err(denial), _) if denial.kind == ErrorKind::AccessDenied => {
                match after_a_look(store, wanted).await {
                    Ok(done) => {
                        store.learn(Lack::DeleteConditions, &granted_without(&denial));
                        Ok(done)
                    }
                    Err(_) => Err(denial),
                }
            }
            (deleted, in_doubt) => settled(store, wanted, deleted, in_doubt).await,
        },
    };
    match deleted {
        Err(error) if error.kind.is_fatal() || error.kind == ErrorKind::Cancelled => Err(error),
        // what was not there is not there
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Ok(Removed::Object)),
        other => Ok(other),
    }
}

/// Deletes a key unless it is seen to have another object than the one listed.
async fn after_a_look(store: &S3Store, wanted: &Wanted) -> Result<Removed, StoreError> {
    match look(store, wanted).await? {
        Seen::Gone => Ok(Removed::Object),
        Seen::Listed | Seen::Denied => send(store, wanted, None).await.0,
    }
}

/// One DeleteObject, and whether an attempt may have been carried out that was not answered.
pub(super) async fn send(
    store: &S3Store,
    wanted: &Wanted,
    etag: Option<&ETag>,
) -> (Result<Removed, StoreError>, bool) {
    let full_key = &*wanted.full_key;
    let in_doubt = &AtomicBool::new(false);
    let deleted = store
        .retrying(OPERATION, || async move {
            let request = store.client().delete_object();
            let request = request.bucket(store.bucket()).key(full_key);
            let request = request.set_if_match(etag.map(ETag::quoted)).send();
            let answer = store.send(OPERATION, full_key, Duration::ZERO, request);
            answer.await.inspect_err(|error| {
                in_doubt.fetch_or(condition::may_be_done(error), Ordering::Relaxed);
            })
        })
        .await;
    let deleted = deleted.map(|output| removed(output.delete_marker(), output.version_id()));
    (deleted, in_doubt.load(Ordering::Relaxed))
}
