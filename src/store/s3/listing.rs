/*! ListObjectsV2: pages in one order, many requests at once.

The SDK signs and sends; the body is taken from it before it is parsed and read by [`page`],
because the SDK's own parser costs more than everything else in a run that finds nothing to do.
*/

mod elements;
mod grouping;
mod page;
mod parallel;
mod unslashed;
mod version_page;
mod versions;

pub(super) use versions::histories;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::EncodingType;
use bytes::{Bytes, BytesMut};

use self::page::RawPage;
use super::error::broken_body;
use super::{KeyOrder, S3Store};
use crate::object::{Entry, ObjectKey};
use crate::store::{ErrorKind, Listing, Oddity, OddityKind, Page, StoreError};

const OPERATION: &str = "ListObjectsV2";

/// Which keys to ask for.
#[derive(Debug, Clone, Default)]
struct Query<'a> {
    /// Keys that begin so.
    prefix: &'a str,
    /// Keys behind this one.
    after: Option<&'a str>,
    /// Go on where a page ended.
    token: Option<&'a str>,
    /// Roll keys up to the next slash.
    roll_up: bool,
    /// Keys in the page.
    max_keys: u16,
}

/// The whole prefix of a store, in the order that is asked of it.
pub(super) fn list(store: &S3Store) -> Listing {
    let settings = &store.0.settings;
    match (settings.as_of, settings.order) {
        (None, KeyOrder::Bytes) => parallel::list(store),
        (None, KeyOrder::AsInADirectory) => unslashed::list(store),
        (Some(time), KeyOrder::Bytes) => versions::as_of(store, time),
        (Some(time), KeyOrder::AsInADirectory) => unslashed::as_of(store, time),
    }
}

/// The whole key and the size of the first object below the store's prefix.
pub(super) async fn first(store: &S3Store) -> Result<Option<(String, u64)>, StoreError> {
    let query = Query {
        prefix: store.prefix(),
        max_keys: 1,
        ..Query::default()
    };
    let page = fetch(store, &query).await?;
    let first = page.rows.into_iter().next();
    Ok(first.map(|row| (row.key, row.size)))
}

/// One page, as often tried as the user allows.
async fn fetch(store: &S3Store, query: &Query<'_>) -> Result<RawPage, StoreError> {
    store
        .retrying(OPERATION, || attempt(store, query))
        .await
        .map_err(|error| fatal(store, error))
}

async fn attempt(store: &S3Store, query: &Query<'_>) -> Result<RawPage, StoreError> {
    let raw = RawBody::instead_of(NOTHING);
    let request = store
        .client()
        .list_objects_v2()
        .bucket(store.bucket())
        .encoding_type(EncodingType::Url)
        .max_keys(i32::from(query.max_keys))
        .set_prefix((!query.prefix.is_empty()).then(|| query.prefix.to_owned()))
        .set_start_after(query.after.map(str::to_owned))
        .set_continuation_token(query.token.map(str::to_owned))
        .set_delimiter(query.roll_up.then(|| "/".to_owned()))
        .customize()
        .interceptor(raw.clone())
        .send();
    store
        .send(OPERATION, query.prefix, Duration::ZERO, request)
        .await?;
    let body = raw.collect(store.0.settings.timeouts.read).await;
    let body = body.map_err(|what| broken_body(OPERATION, query.prefix, what))?;
    let page = page::parse(&body).map_err(|what| broken_body(OPERATION, query.prefix, what))?;
    match (&page.next_token, page.truncated) {
        (None, true) => Err(lie(
            query.prefix,
            "a page that is not the last names no continuation token",
        )),
        (Some(next), true) if Some(next.as_str()) == query.token => Err(lie(
            query.prefix,
            "the continuation token repeats: the listing would never end",
        )),
        _ => Ok(page),
    }
}

/// A listing that cannot be believed.
fn lie(prefix: &str, what: &str) -> StoreError {
    StoreError::new(OPERATION, prefix, ErrorKind::Fatal, what)
}

/// A listing that fails ends the pair, whatever the reason. It names the whole location: of two
/// buckets a prefix alone would not tell which.
fn fatal(store: &S3Store, error: StoreError) -> StoreError {
    let subject = store.0.settings.location.url();
    let (kind, message) = match error.kind {
        ErrorKind::Cancelled | ErrorKind::TooManyOpenFiles => (error.kind, error.message),
        ErrorKind::NotFound => (ErrorKind::Fatal, "the bucket was not found".to_owned()),
        _ => (ErrorKind::Fatal, error.message),
    };
    StoreError {
        subject,
        kind,
        message,
        ..error
    }
}

/// The entries of a raw page, relative to the store's prefix.
fn relative(store: &S3Store, raw: RawPage, only: bool) -> Result<Page, StoreError> {
    let prefix = store.prefix();
    let mut page = Page {
        entries: Vec::with_capacity(raw.rows.len()),
        oddities: Vec::new(),
        is_one_object: false,
    };
    let alone = only && store.0.may_be_one && raw.rows.len() == 1 && !raw.truncated;
    for row in raw.rows {
        let Some(key) = row.key.strip_prefix(prefix) else {
            return Err(lie(
                &row.key,
                "the listing has a key outside the prefix asked for",
            ));
        };
        let key = match key {
            "" if alone && !prefix.ends_with('/') => {
                store.is_one_object();
                page.is_one_object = true;
                prefix.rsplit('/').next().unwrap_or(prefix)
            }
            "" => {
                page.oddities.push(Oddity {
                    name: row.key,
                    kind: OddityKind::KeyIsPrefix,
                });
                continue;
            }
            key => key,
        };
        let key = ObjectKey::new(key).map_err(|error| lie(&row.key, &error.to_string()))?;
        page.entries.push(Entry {
            key,
            size: row.size,
            modified: row.modified,
            etag: row.etag,
            version: None,
            storage_class: row.storage_class,
        });
    }
    Ok(page)
}

/// Takes the body of a successful answer away before the SDK parses it.
#[derive(Debug, Clone)]
struct RawBody {
    taken: Arc<Mutex<Option<SdkBody>>>,
    /// What the SDK's parser gets to see instead.
    nothing: &'static str,
}

/// An empty page.
const NOTHING: &str =
    r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>"#;

impl Intercept for RawBody {
    fn name(&self) -> &'static str {
        "RawBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::from(self.nothing));
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}

impl RawBody {
    fn instead_of(nothing: &'static str) -> Self {
        Self {
            taken: Arc::default(),
            nothing,
        }
    }

    /// All of the body that was taken.
    async fn collect(&self, silence: Duration) -> Result<Bytes, String> {
        let taken = self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut body = ByteStream::new(taken.ok_or("the answer had no body")?);
        let mut first: Option<Bytes> = None;
        let mut all = BytesMut::new();
        loop {
            let frame = tokio::time::timeout(silence, body.next())
                .await
                .map_err(|_| format!("the body fell silent for {} s", silence.as_secs()))?;
            match frame {
                None => return Ok(first.unwrap_or_else(|| all.freeze())),
                Some(Err(error)) => return Err(format!("the body broke off: {error}")),
                Some(Ok(frame)) if all.is_empty() && first.is_none() => first = Some(frame),
                Some(Ok(frame)) => {
                    if let Some(first) = first.take() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&frame);
                }
            }
        }
    }
}
