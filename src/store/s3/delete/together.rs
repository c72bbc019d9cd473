//! DeleteObjects: one call for many keys, and what it says of each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::conditional::another;
use super::{Condition, Known, Results, Wanted, removed, singly};
use crate::digest::{Algorithm, digest};
use crate::object::ETag;
use crate::store::s3::error::{kind_of_code, plain};
use crate::store::s3::learnt::Lack;
use crate::store::s3::{S3Store, condition};
use crate::store::{ErrorKind, Removed, StoreError};

const OPERATION: &str = "DeleteObjects";

/// What came of one call, with what it was tried again for.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) results: Results,
    /// Whether an attempt may have been carried out that was not answered.
    pub(super) in_doubt: bool,
}

/// DeleteObjects, once more for those keys that had a bad moment. An error means that nothing is
/// known of any.
pub(super) async fn send(
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

/// What is known while a call is tried again.
#[derive(Debug)]
struct Progress {
    results: Known,
    in_doubt: bool,
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
