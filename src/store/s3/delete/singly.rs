//! DeleteObject, key by key, where the endpoint takes no DeleteObjects, or XML cannot carry the key.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;

use super::conditional::{another, granted_without, settled, trial};
use super::{Condition, Wanted, ends_all, removed};
use crate::object::ETag;
use crate::store::s3::learnt::{Heed, Lack, is_refusal};
use crate::store::s3::look::{Seen, look};
use crate::store::s3::{S3Store, condition};
use crate::store::{ErrorKind, Removed, StoreError};

const OPERATION: &str = "DeleteObject";

/// So many at the same time.
pub(super) const AT_ONCE: usize = 16;

/// Deletes each key, with its own result. Where one meets what no other would be spared, no more of
/// them are begun, and what is on its way is waited for; that is an error where nothing else is known
/// of any.
pub(super) async fn delete(
    store: &S3Store,
    wanted: &[Wanted],
    condition: Condition,
) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
    let mut tried = None;
    if condition == Condition::Listed {
        tried = trial(store, wanted, async |chosen| {
            let impossible = another(chosen.etag());
            Some(send(store, chosen, Some(&impossible)).await.0)
        })
        .await;
    }
    let ended: &OnceLock<StoreError> = &OnceLock::new();
    let is_known = &AtomicBool::new(tried.is_some());
    let results = futures::stream::iter(wanted.iter().cloned().enumerate())
        .map(|(at, wanted)| {
            let tried = tried.as_ref().filter(|(tried, _)| *tried == at);
            let tried = tried.map(|(_, removed)| removed.clone());
            async move {
                if let Some(removed) = tried {
                    return Ok(removed);
                }
                if let Some(error) = ended.get() {
                    return Err(error.clone());
                }
                let done = one(store, &wanted, condition).await;
                match &done {
                    Err(error) if ends_all(error) => {
                        // the first counts
                        let _ = ended.set(error.clone());
                    }
                    _ => is_known.store(true, Ordering::Relaxed),
                }
                done
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    match ended.get() {
        Some(error) if !is_known.load(Ordering::Relaxed) => Err(error.clone()),
        _ => Ok(results),
    }
}

async fn one(
    store: &S3Store,
    wanted: &Wanted,
    condition: Condition,
) -> Result<Removed, StoreError> {
    let etag = wanted.etag().filter(|_| condition == Condition::Listed);
    let deleted = match (etag, store.heed()) {
        (None, _) => send(store, wanted, None).await.0,
        (Some(_), Heed::Lacks) => after_a_look(store, wanted).await,
        (Some(etag), Heed::Heeds) => if_listed(store, wanted, etag).await,
        // what the condition is worth is not known
        (Some(etag), Heed::Unknown) => match look(store, wanted).await {
            Ok(Seen::Gone) => Ok(Removed::Object),
            Ok(Seen::Listed | Seen::Denied) => if_listed(store, wanted, etag).await,
            Err(error) => Err(error),
        },
    };
    match deleted {
        // what was not there is not there
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Removed::Object),
        other => other,
    }
}

/// Deletes a key under the condition that it has this ETag.
async fn if_listed(store: &S3Store, wanted: &Wanted, etag: &ETag) -> Result<Removed, StoreError> {
    match send(store, wanted, Some(etag)).await {
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
