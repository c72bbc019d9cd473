/*! Deletion: DeleteObjects in batches, each key with its own result, and only what was listed.

What is deleted was listed a while ago. Where its ETag is known it goes along as a condition, so that
an object which has taken its place stays; that needs `s3:GetObject`, and an endpoint that knows such
conditions. Where either is missing the key is looked at before instead, as far as that is allowed;
so it is where the listing told no ETag, and size and time say what was listed.
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
*/

mod batches;
mod conditional;
mod singly;
mod together;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;

use super::S3Store;
use super::learnt::Lack;
use super::look::{Seen, look};
use crate::object::{ETag, ObjectKey};
use crate::store::{ErrorKind, Removal, Removed, Still, StoreError};
use batches::{batches, travels_in_xml};
use conditional::under_conditions;
use singly::AT_ONCE;

/// The version that a bucket has where it keeps none.
pub(super) const NULL_VERSION: &str = "null";

type Results = Vec<Result<Removed, StoreError>>;

/// The same, as far as it is known.
type Known = Vec<Option<Result<Removed, StoreError>>>;

/// One object that is to be deleted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: ObjectKey,
    pub(super) full_key: Arc<str>,
    /// What it must be still.
    pub(super) still: Option<Still>,
}

impl Wanted {
    /// The ETag it must have still, where that is known.
    pub(super) fn etag(&self) -> Option<&ETag> {
        self.still.as_ref()?.etag.as_ref()
    }

    /// Whether it must be something still that no condition can say.
    fn must_be_seen(&self) -> bool {
        self.still.is_some() && self.etag().is_none()
    }
}

/// Under which condition objects are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// They have the ETags that were listed.
    Listed,
    /// They have an ETag that none of them has.
    Impossible,
    /// None.
    None,
}

/// Deletes objects; one result for each, in their order.
pub(super) async fn delete(store: &S3Store, removals: &[Removal]) -> Result<Results, StoreError> {
    let wanted: Vec<_> = removals
        .iter()
        .map(|removal| Wanted {
            key: removal.key.clone(),
            full_key: store.full_key(&removal.key).into(),
            still: removal.still.clone(),
        })
        .collect();
    let mut results = seen_before(store, &wanted).await;
    let known = || results.iter().flatten();
    if let Some(error) = known().find_map(|it| it.as_ref().err().filter(|it| ends_all(it))) {
        let error = error.clone();
        return if known().all(|it| it.as_ref().is_err_and(ends_all)) {
            Err(error)
        } else {
            Ok(filled_up(results, &error))
        };
    }
    let (together, alone): (Vec<_>, Vec<_>) = (0..wanted.len())
        .filter(|at| results[*at].is_none())
        .partition(|at| travels_in_xml(&wanted[*at].full_key));
    let batches = batches(&together, |at| wanted[at].full_key.len());
    for batch in batches
        .into_iter()
        .chain((!alone.is_empty()).then_some(&*alone))
    {
        let chosen: Vec<_> = batch.iter().map(|at| wanted[*at].clone()).collect();
        let done = if batch.as_ptr() == alone.as_ptr() {
            singly::delete(store, &chosen, Condition::Listed).await
        } else {
            of_batch(store, &chosen).await
        };
        match done {
            Ok(done) => {
                let ends = done
                    .iter()
                    .find_map(|it| it.as_ref().err().filter(|it| ends_all(it)));
                let ends = ends.cloned();
                for (at, result) in batch.iter().zip(done) {
                    results[*at] = Some(result);
                }
                if let Some(error) = ends {
                    return Ok(filled_up(results, &error));
                }
            }
            Err(error) if results.iter().all(Option::is_none) => return Err(error),
            // of some it is known what became of them
            Err(error) => return Ok(filled_up(results, &error)),
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// Looks at those of which a listing has told no ETag, and says what is known of them by that: they
/// are gone, or something else is there. Where one meets what no other would be spared, no more are
/// looked at.
async fn seen_before(store: &S3Store, wanted: &[Wanted]) -> Known {
    let Some(first) = wanted.iter().find(|wanted| wanted.must_be_seen()) else {
        return vec![None; wanted.len()];
    };
    let why = format!("`{}` was listed without one", first.full_key);
    store.learn(Lack::ListedETags, &why);
    let is_ended = &AtomicBool::new(false);
    futures::stream::iter(wanted.to_vec())
        .map(|wanted| async move {
            if !wanted.must_be_seen() || is_ended.load(Ordering::Relaxed) {
                return None;
            }
            match look(store, &wanted).await {
                Ok(Seen::Gone) => Some(Ok(Removed::Object)),
                Ok(Seen::Listed | Seen::Denied) => None,
                Err(error) => {
                    is_ended.fetch_or(ends_all(&error), Ordering::Relaxed);
                    Some(Err(error))
                }
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// What is known of some, and this error for all others.
fn filled_up(results: Known, error: &StoreError) -> Results {
    let results = results.into_iter();
    results
        .map(|result| result.unwrap_or_else(|| Err(error.clone())))
        .collect()
}

/// Whether no other object would be spared this.
pub(super) fn ends_all(error: &StoreError) -> bool {
    error.kind.is_fatal() || error.kind == ErrorKind::Cancelled
}

/// Deletes so many as one call takes.
async fn of_batch(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
    if store.lacks(Lack::Batches) {
        return singly::delete(store, wanted, Condition::Listed).await;
    }
    match under_conditions(store, wanted).await {
        Ok(done) => {
            store.does(Lack::Batches);
            Ok(done)
        }
        // whatever it has against the many, there is another way
        Err(error) if is_against_the_request(&error) => {
            let done = singly::delete(store, wanted, Condition::Listed).await?;
            if done.iter().any(Result::is_ok) {
                // nothing is lost by it this time
                let _ = store.learn_from(Lack::Batches, &error);
            }
            Ok(done)
        }
        Err(error) => Err(error),
    }
}

fn is_against_the_request(error: &StoreError) -> bool {
    matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Other)
}

/// What an answer says became of an object. A marker of the version `null` is one of a bucket whose
/// versioning is suspended: it takes the place of what was written since then, which is not kept.
fn removed(is_marker: Option<bool>, version: Option<&str>) -> Removed {
    if is_marker == Some(true) && version != Some(NULL_VERSION) {
        Removed::Marked(version.map(Into::into))
    } else {
        Removed::Object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_marker_keeps_nothing() {
        for (marker, version, expected) in [
            (None, None, Removed::Object),
            (Some(false), Some("v"), Removed::Object),
            (Some(true), Some("v"), Removed::Marked(Some("v".into()))),
            (Some(true), None, Removed::Marked(None)),
            (Some(true), Some("null"), Removed::Object),
        ] {
            assert_eq!(removed(marker, version), expected, "{marker:?} {version:?}");
        }
    }
}
