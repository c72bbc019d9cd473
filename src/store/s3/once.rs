//! What is to be written once, because a bucket that keeps versions would keep it twice: an attempt
//! that may have been carried out is looked for before another one is made.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};

use super::completion::{Expected, Likeness};
use super::{S3Store, condition};
use crate::object::ObjectKey;
use crate::store::{ErrorKind, Put, Source as _, StoreError, Stored};

/// How it is known what was written.
#[derive(Debug)]
pub(super) enum Written<T, F = Stored> {
    /// By the answer.
    Answered(T),
    /// By looking, after an answer was lost.
    Found(F),
}

/// Makes an attempt whose `answer` is still to be asked for, unless one before it was carried out.
pub(super) async fn attempted<T>(
    store: &S3Store,
    put: &Put,
    expected: &Expected,
    in_doubt: &AtomicBool,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<Written<T>, StoreError> {
    if let Some(found) = stored_before(store, put, expected, in_doubt).await? {
        return Ok(Written::Found(found));
    }
    let answer = answer.await.inspect_err(|error| {
        in_doubt.fetch_or(condition::may_be_done(error), Ordering::Relaxed);
    })?;
    Ok(Written::Answered(answer))
}

/// What an attempt before this one has stored after all, of those that are `in_doubt`.
async fn stored_before(
    store: &S3Store,
    put: &Put,
    expected: &Expected,
    in_doubt: &AtomicBool,
) -> Result<Option<Stored>, StoreError> {
    if put.known_by.is_empty() || !in_doubt.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let head = match store.head((&put.key).into(), true).await {
        Ok(head) => head,
        Err(gone) if gone.kind == ErrorKind::NotFound => return Ok(None),
        Err(silent) => return Err(unclear(silent)),
    };
    let same = |name: &&str| head.attributes.user.get(*name) == put.attributes.user.get(*name);
    let is_known = put.known_by.iter().all(same);
    // where nothing tells what its content is, it is proved, or not, as if it had been answered
    let is_it = is_known && expected.against(&head) != Likeness::Other;
    Ok(is_it.then(|| condition::stored(head)))
}

/// The delete marker that hides a key by now, as the endpoint names it; `None` where none does.
pub(super) async fn marked_before(
    store: &S3Store,
    key: &ObjectKey,
    in_doubt: &AtomicBool,
) -> Result<Option<Option<Arc<str>>>, StoreError> {
    const OPERATION: &str = "HeadObject";
    if !in_doubt.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let full_key = store.full_key(key);
    let marker = Marker::default();
    let looked = store
        .retrying(OPERATION, || {
            let request = store.client().head_object();
            let request = request.bucket(store.bucket()).key(&full_key);
            let request = request.customize().interceptor(marker.clone()).send();
            store.send(OPERATION, &full_key, Duration::ZERO, request)
        })
        .await;
    match looked {
        Ok(_) => Ok(None),
        Err(gone) if gone.kind == ErrorKind::NotFound => Ok(Some(marker.id())),
        Err(silent) => Err(unclear(silent)),
    }
}

/// Nothing is sent again that may be there.
fn unclear(silent: StoreError) -> StoreError {
    if silent.kind == ErrorKind::Cancelled || silent.kind.is_fatal() {
        return silent;
    }
    StoreError {
        kind: ErrorKind::Other,
        message: format!(
            "an attempt before was not answered, and whether it was carried out cannot be asked: {}",
            silent.message
        ),
        ..silent
    }
}

/// Listens for the delete marker that an answer names: the SDK has no field for it in an error.
#[derive(Debug, Clone, Default)]
struct Marker(Arc<Mutex<Option<Arc<str>>>>);

impl Marker {
    fn id(&self) -> Option<Arc<str>> {
        let id = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        id.clone()
    }
}

impl Intercept for Marker {
    fn name(&self) -> &'static str {
        "Marker"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let headers = context.response().headers();
        let id = headers.get("x-amz-version-id");
        let id = id.filter(|_| headers.get("x-amz-delete-marker") == Some("true"));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id.map(Into::into);
        Ok(())
    }
}
