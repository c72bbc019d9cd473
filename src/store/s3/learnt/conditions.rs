//! Writing under a condition where the endpoint knows none.

use super::{Lack, is_refusal};
use crate::object::ObjectKey;
use crate::store::s3::{S3Store, read};
use crate::store::{Condition, ErrorKind, StoreError};

/// Makes a request that writes a key under a condition. Where the endpoint refuses the condition,
/// the key is looked at first, and written only if the condition held then.
pub(in crate::store::s3) async fn under<T, F>(
    store: &S3Store,
    key: &ObjectKey,
    condition: &Condition,
    request: impl Fn(Condition) -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    if *condition == Condition::None {
        return request(Condition::None).await;
    }
    if store.lacks(Lack::Conditions) {
        look(store, key, condition).await?;
        return request(Condition::None).await;
    }
    let refusal = match request(condition.clone()).await {
        Err(error) if is_refusal(&error) => error,
        other => return other,
    };
    look(store, key, condition).await?;
    let Ok(done) = request(Condition::None).await else {
        return Err(refusal);
    };
    store.learn(Lack::Conditions, &refusal.to_string());
    Ok(done)
}

/// Whether the condition holds now.
async fn look(store: &S3Store, key: &ObjectKey, condition: &Condition) -> Result<(), StoreError> {
    let seen = match read::head(store, key.into(), false).await {
        Ok(head) => Some(head),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let holds = match condition {
        Condition::None => true,
        Condition::Has(etag) => seen.is_some_and(|head| head.etag.as_ref() == Some(etag)),
        Condition::Absent => seen.is_none(),
    };
    if holds {
        return Ok(());
    }
    Err(StoreError::new(
        "HeadObject",
        store.full_key(key),
        ErrorKind::PreconditionFailed,
        "the condition it was to be written under does not hold",
    ))
}
