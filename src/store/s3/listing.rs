/*! ListObjectsV2: pages in one order, many requests at once. Where the endpoint does not know it,
ListObjects, which is read the same.

The SDK signs and sends; the body is taken from it before it is parsed and read by [`page`],
because the SDK's own parser costs more than everything else in a run that finds nothing to do.
*/

mod directory_bucket;
mod elements;
mod endless;
#[cfg(test)]
mod fuzz;
mod grouping;
mod order;
mod page;
mod parallel;
mod unslashed;
mod unsorted;
mod version_page;
mod versions;

pub(super) use versions::histories;

use std::time::Duration;

use aws_sdk_s3::operation::list_objects::builders::ListObjectsFluentBuilder;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::EncodingType;

use self::directory_bucket::directory_of;
use self::page::RawPage;
pub(super) use self::page::decode;
use super::error::broken_body;
use super::learnt::{Lack, is_refusal};
use super::raw::RawBody;
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
    if settings.location.is_directory_bucket() {
        return directory_bucket::list(store);
    }
    match (settings.as_of, settings.order) {
        (None, KeyOrder::Bytes) => parallel::list(store),
        (None, KeyOrder::AsInADirectory) => unslashed::list(store),
        (Some(time), KeyOrder::Bytes) => versions::as_of(store, time),
        (Some(time), KeyOrder::AsInADirectory) => unslashed::as_of(store, time),
    }
}

/// The same of a server whose order is not S3's: in one chain of pages, and sorted here. What comes
/// by other ways than a listing of keys comes as it ever does.
pub(super) fn list_sorted(store: &S3Store) -> Listing {
    let settings = &store.0.settings;
    if settings.location.is_directory_bucket() || settings.as_of.is_some() {
        return list(store);
    }
    unsorted::list(store)
}

/// The whole key and the size of the first object below the store's prefix.
pub(super) async fn first(store: &S3Store) -> Result<Option<(String, u64)>, StoreError> {
    let prefix = store.prefix();
    // of a directory bucket, a directory is listed: the first key in it need not fit
    let (asked, max_keys) = if store.0.settings.location.is_directory_bucket() {
        (directory_of(prefix), 1000)
    } else {
        (prefix, 1)
    };
    let query = Query {
        prefix: asked,
        max_keys,
        ..Query::default()
    };
    let page = fetch(store, &query).await?;
    let mut rows = page.rows.into_iter();
    let first = rows.find(|row| row.key.starts_with(prefix));
    Ok(first.map(|row| (row.key, row.size)))
}

/// One page, as often tried as the user allows.
async fn fetch(store: &S3Store, query: &Query<'_>) -> Result<RawPage, StoreError> {
    let known = Way::known(store);
    let page = match known.page(store, query).await {
        Err(refusal) if is_refusal(&refusal) => another_way(store, query, known, refusal).await,
        Ok(page) if known.lists == Lists::V2 && page.is_of_v1 => {
            store.learn(Lack::ListV2, "it is answered as ListObjects");
            Way::known(store).page(store, query).await
        }
        other => other,
    };
    page.map_err(|error| fatal(store, error))
}

/// The same page in the first of the other ways that is not refused too.
async fn another_way(
    store: &S3Store,
    query: &Query<'_>,
    known: Way,
    refusal: StoreError,
) -> Result<RawPage, StoreError> {
    for way in Way::ALL.into_iter().filter(|way| way.is_less_than(known)) {
        let Ok(page) = way.page(store, query).await else {
            continue;
        };
        if way.lists != known.lists {
            store.learn(Lack::ListV2, &refusal.to_string());
        }
        if way.encoded != known.encoded {
            store.learn(Lack::EncodedKeys, &refusal.to_string());
        }
        return Ok(page);
    }
    Err(refusal)
}

/// How an endpoint is asked for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    lists: Lists,
    /// Whether keys are to come percent-encoded (`encoding-type=url`).
    encoded: bool,
}

/// Which of S3's two operations lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// ListObjectsV2.
    V2,
    /// ListObjects, which goes on behind a key.
    V1,
}

impl Way {
    /// From the one that asks most of the endpoint to the one that asks least.
    const ALL: [Self; 4] = [
        Self::new(Lists::V2, true),
        Self::new(Lists::V2, false),
        Self::new(Lists::V1, true),
        Self::new(Lists::V1, false),
    ];

    const fn new(lists: Lists, encoded: bool) -> Self {
        Self { lists, encoded }
    }

    /// The way the endpoint is known to understand, as far as anything is known.
    fn known(store: &S3Store) -> Self {
        let lists = if store.lacks(Lack::ListV2) {
            Lists::V1
        } else {
            Lists::V2
        };
        Self::new(lists, !store.lacks(Lack::EncodedKeys))
    }

    /// Whether it asks nothing that the other does not ask, and is not the same.
    fn is_less_than(self, other: Self) -> bool {
        self != other
            && (self.lists == Lists::V1 || other.lists == Lists::V2)
            && (!self.encoded || other.encoded)
    }

    async fn page(self, store: &S3Store, query: &Query<'_>) -> Result<RawPage, StoreError> {
        let operation = match self.lists {
            Lists::V2 => OPERATION,
            Lists::V1 => "ListObjects",
        };
        let attempt = || {
            let attempt = Box::pin(self.attempt(store, operation, query));
            store.in_time(operation, query.prefix, attempt)
        };
        store.retrying(operation, attempt).await
    }

    async fn attempt(
        self,
        store: &S3Store,
        operation: &'static str,
        query: &Query<'_>,
    ) -> Result<RawPage, StoreError> {
        let raw = RawBody::giving(NOTHING);
        match self.lists {
            Lists::V2 => {
                let request = self.v2(store, query).customize().interceptor(raw.clone());
                let request = request.send();
                store
                    .send(operation, query.prefix, Duration::ZERO, request)
                    .await?;
            }
            Lists::V1 => {
                let request = self.v1(store, query).customize().interceptor(raw.clone());
                let request = request.send();
                store
                    .send(operation, query.prefix, Duration::ZERO, request)
                    .await?;
            }
        }
        let body = raw.collect(store.0.settings.timeouts.of_bodies()).await;
        let body = body.map_err(|what| broken_body(operation, query.prefix, what))?;
        let mut page =
            page::parse(&body).map_err(|what| broken_body(operation, query.prefix, what))?;
        if self.lists == Lists::V1 {
            page.next_token = page.next_marker.take().or_else(|| page.last_key());
        }
        match (&page.next_token, page.truncated) {
            (None, true) if self.lists == Lists::V1 || !page.is_of_v1 => Err(slip(
                query.prefix,
                "a page that is not the last names no continuation token",
            )),
            (Some(next), true) if Some(next.as_str()) == query.token => Err(slip(
                query.prefix,
                "the continuation token repeats: the listing would never end",
            )),
            _ => Ok(page),
        }
    }

    fn v2(self, store: &S3Store, query: &Query<'_>) -> ListObjectsV2FluentBuilder {
        store
            .client()
            .list_objects_v2()
            .bucket(store.bucket())
            .set_encoding_type(self.encoded.then_some(EncodingType::Url))
            .max_keys(i32::from(query.max_keys))
            .set_prefix((!query.prefix.is_empty()).then(|| query.prefix.to_owned()))
            .set_start_after(query.after.map(str::to_owned))
            .set_continuation_token(query.token.map(str::to_owned))
            .set_delimiter(query.roll_up.then(|| "/".to_owned()))
    }

    fn v1(self, store: &S3Store, query: &Query<'_>) -> ListObjectsFluentBuilder {
        store
            .client()
            .list_objects()
            .bucket(store.bucket())
            .set_encoding_type(self.encoded.then_some(EncodingType::Url))
            .max_keys(i32::from(query.max_keys))
            .set_prefix((!query.prefix.is_empty()).then(|| query.prefix.to_owned()))
            .set_marker(query.token.or(query.after).map(str::to_owned))
            .set_delimiter(query.roll_up.then(|| "/".to_owned()))
    }
}

/// What the SDK's parser gets to see instead of a page.
const NOTHING: &str =
    r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>"#;

/// A listing that is not in the order of S3.
fn out_of_order(store: &S3Store, what: &str) -> StoreError {
    StoreError::out_of_order(OPERATION, store.0.settings.location.url(), what)
}

/// A listing that cannot be believed.
fn lie(prefix: &str, what: &str) -> StoreError {
    StoreError::new(OPERATION, prefix, ErrorKind::Fatal, what)
}

/// A page that cannot be believed, and may be right when it is asked for once more.
fn slip(prefix: &str, what: &str) -> StoreError {
    StoreError::new(OPERATION, prefix, ErrorKind::Transient, what)
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
        failures: Vec::new(),
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
                    message: None,
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
            checksum: row.checksum,
        });
    }
    Ok(page)
}
