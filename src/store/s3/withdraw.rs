/*! Taking back what a write has stored, and only that: whatever took its place since stays.

A version is removed by its id. Where there is none, the key is deleted as long as it has the ETag
that the answer told. An endpoint may not heed that condition, an answer may tell no ETag, and the
version `null` is whichever was written last while versioning is suspended: there it is looked at
before, and what cannot be seen or told from another's stays.
*/

use std::time::Duration;

use super::delete::NULL_VERSION;
use super::learnt::{Heed, Lack, is_refusal};
use super::{S3Store, read};
use crate::object::{ETag, ObjectKey, ObjectVersion};
use crate::store::{ErrorKind, Head, StoreError, Stored, Withdrawn};

/// Removes what was stored, if it is there still.
pub(super) async fn withdraw(
    store: &S3Store,
    key: &ObjectKey,
    stored: &Stored,
) -> Result<Withdrawn, StoreError> {
    let store = &store.cleaning_up();
    let deleted = match stored.version.as_deref() {
        Some(version) if version != NULL_VERSION => delete(store, key, Some(version), None).await,
        null => match seen(store, key, stored).await? {
            Seen::Gone => return Ok(Withdrawn::Absent),
            Seen::Other => return Ok(Withdrawn::Other),
            Seen::Own if null.is_some() => delete(store, key, null, None).await,
            Seen::Own => delete_own(store, key, stored.etag.as_ref()).await,
            Seen::Nothing => delete(store, key, None, stored.etag.as_ref()).await,
        },
    };
    match deleted {
        Ok(()) => Ok(Withdrawn::Removed),
        Err(error) => match error.kind {
            ErrorKind::NotFound => Ok(Withdrawn::Absent),
            // another object took its place, or the ETag that was told is not the one it has; S3
            // says the same of one that is gone
            ErrorKind::PreconditionFailed => match read::head(store, key.into(), false).await {
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Withdrawn::Absent),
                Ok(_) | Err(_) => Ok(Withdrawn::Other),
            },
            _ => Err(error),
        },
    }
}

/// What a look at the key found, where one is needed.
enum Seen {
    /// What was stored.
    Own,
    /// Something else.
    Other,
    /// That nothing is there.
    Gone,
    /// Nothing, because nobody looked: the condition will tell.
    Nothing,
}

/// Looks, unless the ETag is a condition that the endpoint is known to heed. Where nothing can be
/// seen it stays: that is an error.
async fn seen(store: &S3Store, key: &ObjectKey, stored: &Stored) -> Result<Seen, StoreError> {
    let has_etag = stored.etag.is_some();
    if has_etag && stored.version.is_none() && store.heed() == Heed::Heeds {
        return Ok(Seen::Nothing);
    }
    let by_checksum = !has_etag && !stored.checksums.is_empty();
    let written = ObjectVersion {
        key,
        version: stored.version.as_deref(),
    };
    match read::head(store, written, by_checksum).await {
        Ok(head) if is_own(stored, &head) => Ok(Seen::Own),
        Ok(_) => Ok(Seen::Other),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Seen::Gone),
        Err(error) => Err(error),
    }
}

/// Whether what is there is what was stored: by its ETag, or by its size and a checksum of both.
fn is_own(stored: &Stored, head: &Head) -> bool {
    if stored.etag.is_some() {
        return head.etag == stored.etag;
    }
    let mut known = stored.checksums.iter().filter_map(|told| {
        let mut kept = head.checksums.iter();
        let kept = kept.find(|kept| kept.algorithm() == told.algorithm())?;
        Some(kept == told)
    });
    head.size == stored.size && known.next() == Some(true) && known.all(|is_same| is_same)
}

/// Deletes what was seen to be what was stored: under a condition, unless the endpoint takes none.
async fn delete_own(
    store: &S3Store,
    key: &ObjectKey,
    etag: Option<&ETag>,
) -> Result<(), StoreError> {
    let condition = etag.filter(|_| store.heed() != Heed::Lacks);
    let deleted = delete(store, key, None, condition).await;
    match deleted {
        Err(refusal) if condition.is_some() && is_refusal(&refusal) => {
            delete(store, key, None, None).await?;
            store.learn(Lack::DeleteConditions, &refusal.to_string());
            Ok(())
        }
        deleted => deleted,
    }
}

/// DeleteObject.
async fn delete(
    store: &S3Store,
    key: &ObjectKey,
    version: Option<&str>,
    etag: Option<&ETag>,
) -> Result<(), StoreError> {
    const OPERATION: &str = "DeleteObject";
    let full_key = store.full_key(key);
    let deleted = store.retrying(OPERATION, || {
        let request = store.client().delete_object();
        let request = request.bucket(store.bucket()).key(&full_key);
        let request = request.set_version_id(version.map(str::to_owned));
        let request = request.set_if_match(etag.map(ETag::quoted)).send();
        store.send(OPERATION, &full_key, Duration::ZERO, request)
    });
    deleted.await.map(drop)
}
