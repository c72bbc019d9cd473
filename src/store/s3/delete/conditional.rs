//! Deletion of what was listed and of nothing that has taken its place: under the condition of its
//! ETag, where the endpoint is known to heed it, and after a look where it does not.

use std::sync::atomic::AtomicBool;

use futures::StreamExt as _;

use super::singly::{self, AT_ONCE};
use super::together::send;
use super::{Condition, Known, Results, Wanted, is_against_the_request, removed};
use crate::object::ETag;
use crate::store::s3::S3Store;
use crate::store::s3::learnt::{Heed, Lack};
use crate::store::s3::look::{Seen, look, replaced};
use crate::store::s3::once::marked_before;
use crate::store::{ErrorKind, Removed, StoreError};

/// So many objects are looked at to find out whether the endpoint heeds conditions.
const MOST_TRIALS: usize = 3;

pub(super) async fn under_conditions(
    store: &S3Store,
    wanted: &[Wanted],
) -> Result<Results, StoreError> {
    if wanted.iter().all(|wanted| wanted.etag().is_none()) {
        return Ok(send(store, wanted, Condition::None).await?.results);
    }
    let tried = trial(store, wanted, async |chosen| {
        let answer = send(store, std::slice::from_ref(chosen), Condition::Impossible).await;
        answer.ok()?.results.into_iter().next()
    })
    .await;
    let left: Vec<_> = (wanted.iter().enumerate())
        .filter(|(at, _)| tried.as_ref().is_none_or(|(tried, _)| tried != at))
        .map(|(_, wanted)| wanted.clone())
        .collect();
    let done = if left.is_empty() {
        Ok(Vec::new())
    } else {
        each_if_listed(store, &left).await
    };
    let Some((at, removed)) = tried else {
        return done;
    };
    let mut done = done.unwrap_or_else(|error| vec![Err(error); left.len()]);
    done.insert(at, Ok(removed));
    Ok(done)
}

/// Finds out whether the endpoint heeds conditions, where that is not known and while others wait
/// for it: deletes one object, which was looked at before, under a condition that does not hold. An
/// endpoint that heeds conditions refuses; one that does not has deleted what was to be deleted.
/// `send` makes the request, and gives what became of that object.
pub(super) async fn trial(
    store: &S3Store,
    wanted: &[Wanted],
    send: impl AsyncFnOnce(&Wanted) -> Option<Result<Removed, StoreError>>,
) -> Option<(usize, Removed)> {
    let _turn = store.turn_to_find_out().await?;
    let mut candidates = (wanted.iter().enumerate())
        .filter(|(_, wanted)| wanted.etag().is_some())
        .take(MOST_TRIALS);
    let (at, chosen) = loop {
        let (at, wanted) = candidates.next()?;
        if matches!(look(store, wanted).await, Ok(Seen::Listed)) {
            break (at, wanted);
        }
    };
    match send(chosen).await? {
        Err(error) if error.kind == ErrorKind::PreconditionFailed => {
            store.heeds();
            None
        }
        // what it was refused for is heard again
        Err(_) => None,
        Ok(removed) => {
            let why = "it deleted an object whose ETag was not the one in the condition";
            store.learn(Lack::DeleteConditions, why);
            Some((at, removed))
        }
    }
}

/// Deletes those that are still what was listed.
async fn each_if_listed(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
    match store.heed() {
        Heed::Heeds => under_etags(store, wanted).await,
        Heed::Lacks => after_a_look(store, wanted).await,
        // the condition may be one or not: what it may not protect is looked at as well
        Heed::Unknown => {
            let seen = looked_at(store, wanted).await?;
            let left = unknown(&seen, wanted);
            if left.is_empty() {
                return Ok(seen.into_iter().flatten().collect());
            }
            let done = under_etags(store, &left).await?;
            Ok(filled(seen, done))
        }
    }
}

/// Deletes those that have the ETags still that were listed, as far as the endpoint heeds that.
async fn under_etags(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
    let answer = match send(store, wanted, Condition::Listed).await {
        Err(refusal) if is_against_the_request(&refusal) => {
            let done = after_a_look(store, wanted).await?;
            let _ = store.learn_from(Lack::DeleteConditions, &refusal);
            return Ok(done);
        }
        other => other?,
    };
    let in_doubt = answer.in_doubt;
    let answered = wanted.iter().cloned().zip(answer.results);
    let mut done = futures::stream::iter(answered)
        .map(|(wanted, result)| async move { settled(store, &wanted, result, in_doubt).await })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    once_more_if_denied(store, wanted, &mut done).await;
    Ok(done)
}

/// Deletes without a condition what was denied under one: the condition needs the right to read the
/// object as well, and so does a look at it.
async fn once_more_if_denied(store: &S3Store, wanted: &[Wanted], done: &mut Results) {
    let is_denied = |result: &Result<Removed, StoreError>| {
        (result.as_ref()).is_err_and(|error| error.kind == ErrorKind::AccessDenied)
    };
    let denied: Vec<_> = (0..done.len())
        .filter(|at| is_denied(&done[*at]) && wanted[*at].etag().is_some())
        .collect();
    if denied.is_empty() {
        return;
    }
    let again: Vec<_> = denied.iter().map(|at| wanted[*at].clone()).collect();
    let Ok(answer) = after_a_look(store, &again).await else {
        return;
    };
    for (at, result) in denied.into_iter().zip(answer) {
        if let (Ok(_), Err(refusal)) = (&result, &done[at]) {
            store.learn(Lack::DeleteConditions, &granted_without(refusal));
            done[at] = result;
        }
    }
}

/// Why a condition was denied that the deletion itself was not.
pub(super) fn granted_without(denial: &StoreError) -> String {
    format!(
        "{denial}; without a condition it was granted: the condition needs the permission s3:GetObject"
    )
}

/// Looks at each object, and deletes those that are what was listed.
async fn after_a_look(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
    let seen = looked_at(store, wanted).await?;
    let left = unknown(&seen, wanted);
    if left.is_empty() {
        return Ok(seen.into_iter().flatten().collect());
    }
    let answer = send(store, &left, Condition::None).await?;
    Ok(filled(seen, answer.results))
}

/// Looks at each object, and says what is known of it by that: it is gone, or something else is
/// there. Nothing is known of what is to be deleted.
async fn looked_at(store: &S3Store, wanted: &[Wanted]) -> Result<Known, StoreError> {
    let seen: Vec<_> = futures::stream::iter(wanted.to_vec())
        .map(|wanted| async move {
            match wanted.etag() {
                Some(_) => look(store, &wanted).await,
                // it was looked at, if that matters
                None => Ok(Seen::Listed),
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let known = seen.into_iter().map(|seen| match seen {
        Ok(Seen::Gone) => Ok(Some(Ok(Removed::Object))),
        Ok(Seen::Listed | Seen::Denied) => Ok(None),
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(error) => Ok(Some(Err(error))),
    });
    known.collect()
}

/// Those of which nothing is known yet.
fn unknown(known: &Known, wanted: &[Wanted]) -> Vec<Wanted> {
    let pairs = known.iter().zip(wanted);
    pairs
        .filter(|(known, _)| known.is_none())
        .map(|(_, wanted)| wanted.clone())
        .collect()
}

/// What is known, with what became of those of which nothing was.
fn filled(known: Known, done: Results) -> Results {
    let (known, mut done) = (known.into_iter(), done.into_iter());
    known
        .filter_map(|known| known.or_else(|| done.next()))
        .collect()
}

/// What the answer to a deletion under a condition means: whose object it is that fails it.
pub(super) async fn settled(
    store: &S3Store,
    wanted: &Wanted,
    result: Result<Removed, StoreError>,
    in_doubt: bool,
) -> Result<Removed, StoreError> {
    let error = match result {
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::NotFound | ErrorKind::PreconditionFailed
            ) && wanted.etag().is_some() =>
        {
            error
        }
        other => return other,
    };
    if error.kind == ErrorKind::PreconditionFailed {
        match look(store, wanted).await {
            Ok(Seen::Gone) => {}
            // there is what was listed, and the endpoint cannot tell
            Ok(Seen::Listed) => {
                let why = format!("{error}, and the object has the ETag that was asked for");
                store.learn(Lack::DeleteConditions, &why);
                return singly::send(store, wanted, None).await.0;
            }
            Ok(Seen::Denied) => return Err(error),
            Err(replaced_or_silent) => {
                return Err(match replaced_or_silent.kind {
                    ErrorKind::PreconditionFailed => replaced(error.operation, &wanted.full_key),
                    _ => error,
                });
            }
        }
    }
    // it is gone: by an attempt of ours that was not answered, or by somebody else
    let in_doubt = AtomicBool::new(in_doubt);
    match marked_before(store, &wanted.key, &in_doubt).await {
        Ok(Some(Some(marker))) => Ok(removed(Some(true), Some(&marker))),
        Ok(_) | Err(_) => Ok(Removed::Object),
    }
}

/// An ETag that is not this one.
pub(super) fn another(etag: Option<&ETag>) -> ETag {
    let zeros = ETag::Md5Shaped([0; 16]);
    if etag == Some(&zeros) {
        ETag::Md5Shaped([1; 16])
    } else {
        zeros
    }
}
