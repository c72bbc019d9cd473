/*! Deletion: DeleteObjects in batches, each key with its own result, and only what was listed.

What is deleted was listed a while ago. Where its ETag is known it goes along as a condition, so that
an object which has taken its place stays; that needs `s3:GetObject`, and an endpoint that knows such
conditions. Where either is missing the key is looked at before instead, as far as that is allowed;
so it is where the listing told no ETag, and size and time say what was listed.
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
*/

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures::StreamExt as _;

use super::error::{kind_of_code, plain};
use super::learnt::{Heed, Lack};
use super::look::{Seen, look, replaced};
use super::once::marked_before;
use super::singly::{self, AT_ONCE};
use super::{S3Store, condition};
use crate::digest::{Algorithm, digest};
use crate::object::{ETag, ObjectKey};
use crate::store::{ErrorKind, Removal, Removed, Still, StoreError};

const OPERATION: &str = "DeleteObjects";

/// Keys in one call: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
const MOST_KEYS: usize = 1000;

/// Bytes of keys in one call, so that its body stays small where all of them are to be escaped.
const MOST_BYTES: usize = 256 << 10;

/// The version that a bucket has where it keeps none.
const NULL_VERSION: &str = "null";

/// So many objects are looked at to find out whether the endpoint heeds conditions.
const MOST_TRIALS: usize = 3;

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
pub(super) enum Condition {
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

/// Whether a key comes out of XML as it went in, whoever reads it: without what XML has no
/// characters for, what it takes for another, and what some servers trim.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
fn travels_in_xml(key: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{fffe}' | '\u{ffff}');
    !key.contains(is_odd) && key.trim().len() == key.len()
}

/// As few batches as S3 takes them in.
fn batches(all: &[usize], length: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (end, at) in all.iter().enumerate() {
        let more = length(*at);
        if end > start && (end - start == MOST_KEYS || bytes + more > MOST_BYTES) {
            batches.push(&all[start..end]);
            (start, bytes) = (end, 0);
        }
        bytes += more;
    }
    if start < all.len() {
        batches.push(&all[start..]);
    }
    batches
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

async fn under_conditions(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
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

/// Deletes those that have the ETags still that were listed.
async fn each_if_listed(store: &S3Store, wanted: &[Wanted]) -> Result<Results, StoreError> {
    if store.heed() == Heed::Lacks {
        return after_a_look(store, wanted).await;
    }
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
    let mut results = Vec::with_capacity(wanted.len());
    let mut left = Vec::new();
    for (wanted, seen) in wanted.iter().zip(seen) {
        match seen {
            Ok(Seen::Gone) => results.push(Some(Ok(Removed::Object))),
            Ok(Seen::Listed | Seen::Denied) => {
                left.push(wanted.clone());
                results.push(None);
            }
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(error) => results.push(Some(Err(error))),
        }
    }
    if left.is_empty() {
        return Ok(results.into_iter().flatten().collect());
    }
    let mut done = send(store, &left, Condition::None)
        .await?
        .results
        .into_iter();
    let results = results.into_iter();
    Ok(results
        .filter_map(|known| known.or_else(|| done.next()))
        .collect())
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

/// What an answer says became of an object. A marker of the version `null` is one of a bucket whose
/// versioning is suspended: it takes the place of what was written since then, which is not kept.
pub(super) fn removed(is_marker: Option<bool>, version: Option<&str>) -> Removed {
    if is_marker == Some(true) && version != Some(NULL_VERSION) {
        Removed::Marked(version.map(Into::into))
    } else {
        Removed::Object
    }
}

/// What came of one call, with what it was tried again for.
#[derive(Debug)]
struct Answer {
    results: Results,
    /// Whether an attempt may have been carried out that was not answered.
    in_doubt: bool,
}

/// What is known while a call is tried again.
#[derive(Debug)]
struct Progress {
    results: Known,
    in_doubt: bool,
}

/// DeleteObjects, once more for those keys that had a bad moment. An error means that nothing is
/// known of any.
async fn send(
    store: &S3Store,
    wanted: &[Wanted],
    condition: Condition,
) -> Result<Answer, StoreError> {
    let progress = &Mutex::new(Progress {
        results: vec![None; wanted.len()],
        in_doubt: false,
    });
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = store
        .retrying(OPERATION, || async move {
            let left = lock().left();
            let document = document(wanted, &left, condition)?;
            let request = store.client().delete_objects().bucket(store.bucket());
            let request = request.delete(document).customize();
            let request =
                request.interceptor(ContentMd5(!store.0.settings.location.is_directory_bucket()));
            let answer = store.send(OPERATION, "", Duration::ZERO, request.send());
            let output = answer.await.inspect_err(|error| {
                lock().in_doubt |= condition::may_be_done(error);
            })?;
            lock().take(wanted, &left, &output)
        })
        .await;
    let Progress {
        mut results,
        in_doubt,
    } = std::mem::replace(
        &mut *lock(),
        Progress {
            results: Vec::new(),
            in_doubt: false,
        },
    );
    if let Err(error) = sent {
        if results.iter().all(Option::is_none) {
            return Err(error);
        }
        for result in &mut results {
            result.get_or_insert_with(|| Err(error.clone()));
        }
    }
    let results = each_answered(store, wanted, condition, results).await;
    Ok(Answer { results, in_doubt })
}

/// Asks again, key by key, for what no answer named.
async fn each_answered(
    store: &S3Store,
    wanted: &[Wanted],
    condition: Condition,
    results: Known,
) -> Results {
    let unnamed: Vec<_> = (0..wanted.len())
        .filter(|at| results[*at].is_none())
        .collect();
    if unnamed.is_empty() {
        return results.into_iter().flatten().collect();
    }
    let silence = || {
        StoreError::new(
            OPERATION,
            "",
            ErrorKind::Other,
            "the answer does not name it",
        )
    };
    let chosen: Vec<_> = unnamed.iter().map(|at| wanted[*at].clone()).collect();
    let again = match condition {
        // nothing is deleted that was meant to stay
        Condition::Impossible => Err(silence()),
        condition => singly::delete(store, &chosen, condition).await,
    };
    if again.is_ok() && unnamed.len() == wanted.len() {
        // one that names none is no better than none
        let _ = store.learn_from(Lack::Batches, &silence());
    }
    let mut again = match again {
        Ok(again) => again,
        Err(error) => vec![Err(error); unnamed.len()],
    }
    .into_iter();
    (results.into_iter())
        .map(|known| {
            known
                .or_else(|| again.next())
                .unwrap_or_else(|| Err(silence()))
        })
        .collect()
}

impl Progress {
    /// Those of which nothing is known yet, or that had a bad moment.
    fn left(&self) -> Vec<usize> {
        let is_left = |result: &Option<Result<Removed, StoreError>>| match result {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => error.kind.is_retryable(),
        };
        (0..self.results.len())
            .filter(|at| is_left(&self.results[*at]))
            .collect()
    }

    /// Takes what an answer says of each key; an error is that of a key which may be tried again.
    fn take(
        &mut self,
        wanted: &[Wanted],
        asked: &[usize],
        output: &DeleteObjectsOutput,
    ) -> Result<(), StoreError> {
        let mut named: HashMap<&str, Result<Removed, StoreError>> = HashMap::new();
        for deleted in output.deleted() {
            if let Some(key) = deleted.key() {
                let marker = deleted.delete_marker_version_id();
                named.insert(key, Ok(removed(deleted.delete_marker(), marker)));
            }
        }
        for error in output.errors() {
            if let Some(key) = error.key() {
                named.insert(key, Err(of_key(key, error.code(), error.message())));
            }
        }
        let mut bad_moment = None;
        for at in asked {
            let Some(result) = named.remove(&*wanted[*at].full_key) else {
                continue;
            };
            if let Err(error) = &result
                && error.kind.is_retryable()
            {
                bad_moment.get_or_insert_with(|| error.clone());
            }
            self.results[*at] = Some(result);
        }
        bad_moment.map_or(Ok(()), Err)
    }
}

/// What one key of many was refused for.
fn of_key(full_key: &str, code: Option<&str>, message: Option<&str>) -> StoreError {
    let kind = code.and_then(kind_of_code).unwrap_or(ErrorKind::Other);
    let words = message.filter(|message| !message.is_empty());
    let words = words.or(code).unwrap_or("not deleted");
    StoreError {
        code: code.map(str::to_owned),
        ..StoreError::new(OPERATION, full_key, kind, plain(words))
    }
}

/// What a call asks for.
fn document(wanted: &[Wanted], left: &[usize], condition: Condition) -> Result<Delete, StoreError> {
    let invalid = |error: aws_sdk_s3::error::BuildError| {
        StoreError::new(OPERATION, "", ErrorKind::Other, error.to_string())
    };
    let objects = left
        .iter()
        .map(|at| {
            let wanted = &wanted[*at];
            let etag = match condition {
                Condition::None => None,
                Condition::Listed => wanted.etag().map(ETag::quoted),
                Condition::Impossible => Some(another(wanted.etag()).quoted()),
            };
            let object = ObjectIdentifier::builder().key(&*wanted.full_key);
            object.set_e_tag(etag).build()
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(invalid)?;
    // quiet, an answer would not name the markers
    let delete = Delete::builder().set_objects(Some(objects)).quiet(false);
    delete.build().map_err(invalid)
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

/// Sends the MD5 of the body along beside the SDK's own checksum, where it is wanted: servers that
/// know no other digest demand this one.
#[derive(Debug)]
struct ContentMd5(bool);

impl Intercept for ContentMd5 {
    fn name(&self) -> &'static str {
        "ContentMd5"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let request = context.request_mut();
        if self.0
            && let Some(body) = request.body().bytes()
        {
            let md5 = digest(Algorithm::Md5, body).base64();
            request.headers_mut().insert("content-md5", md5);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_xml_would_change_go_alone() {
        for (key, expected) in [
            ("a/b c", true),
            ("a&b<c>'\"", true),
            ("\u{e9}\u{3000}x", true),
            ("a\u{1}b", false),
            ("a\nb", false),
            ("a\rb", false),
            ("a\u{85}b", false),
            ("a\u{ffff}b", false),
            (" a", false),
            ("a ", false),
            ("a\u{3000}", false),
        ] {
            assert_eq!(travels_in_xml(key), expected, "{key:?}");
        }
    }

    #[test]
    fn a_batch_is_no_larger_than_s3_takes_it() {
        for (keys, length, expected) in [
            (0, 1, &[][..]),
            (1, 1, &[1]),
            (1000, 10, &[1000]),
            (1001, 10, &[1000, 1]),
            (600, 1024, &[256, 256, 88]),
            (2, MOST_BYTES + 1, &[1, 1]),
        ] {
            let all: Vec<_> = (0..keys).collect();
            let sizes: Vec<_> = batches(&all, |_| length).iter().map(|b| b.len()).collect();
            assert_eq!(sizes, expected, "{keys} {length}");
        }
    }

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
