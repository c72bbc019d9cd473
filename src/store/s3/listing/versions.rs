//! ListObjectVersions: what a bucket keeps under each key, and what it had at a time.

use std::time::Duration;

use aws_sdk_s3::types::EncodingType;
use tokio::sync::mpsc;

use super::fatal;
use super::grouping::{All, Grouping, Keep, Then};
use super::parallel::{Arriving, Span, in_a_task, stream};
use super::version_page::{self, Place, RawVersions};
use crate::object::{ObjectKey, Timestamp};
use crate::store::s3::S3Store;
use crate::store::s3::error::broken_body;
use crate::store::s3::raw::RawBody;
use crate::store::{ErrorKind, Histories, Listing, Oddity, OddityKind, Page, StoreError};

const OPERATION: &str = "ListObjectVersions";

/// What the SDK's parser gets to see instead of a page.
const NOTHING: &str =
    r#"<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListVersionsResult>"#;

/// Everything below the store's prefix, key by key.
pub(in crate::store::s3) fn histories(store: &S3Store) -> Histories {
    let store = store.clone();
    stream(in_a_task(|out| async move {
        let below = [Span::below(store.prefix())];
        hand_on::<All>(&store, None, below.into(), &out).await
    }))
}

/// What was below the store's prefix at a time, in order.
pub(super) fn as_of(store: &S3Store, time: Timestamp) -> Listing {
    stream(start(store, time, vec![Span::below(store.prefix())]))
}

/// What was in spans that follow each other.
pub(super) fn start(store: &S3Store, time: Timestamp, spans: Vec<Span>) -> Arriving {
    let store = store.clone();
    in_a_task(|out| async move { hand_on::<Then>(&store, Some(time), spans, &out).await })
}

/// Lists spans one after the other, each page as soon as all of its keys are known.
async fn hand_on<K: Keep>(
    store: &S3Store,
    time: Option<Timestamp>,
    spans: Vec<Span>,
    out: &mpsc::Sender<Result<Page<K::Kept>, StoreError>>,
) -> Result<(), StoreError> {
    for span in spans {
        let mut grouping = Grouping::<K>::new(time);
        let mut place = span.after.clone().map(|key| Place { key, version: None });
        let mut is_first = true;
        loop {
            let mut raw = page(store, &span, place.as_ref()).await?;
            let only = is_first && store.0.may_be_one && is_of_prefix(&raw, store.prefix());
            is_first = false;
            if let Some(until) = &span.until {
                let before = raw.rows.len();
                raw.rows.retain(|row| row.key <= *until);
                raw.truncated &= raw.rows.len() == before;
            }
            let mut page = Page::default();
            for row in raw.rows {
                let ended = grouping.take(row).map_err(|what| lie(store, what))?;
                if let Some((key, kept)) = ended {
                    add(store, &mut page, key, kept)?;
                }
            }
            place = raw.next.filter(|_| raw.truncated);
            if place.is_none() {
                if let Some((key, kept)) = grouping.end() {
                    if only {
                        store.is_one_object();
                        page.is_one_object = true;
                    }
                    add(store, &mut page, key, kept)?;
                }
                if out.send(Ok(page)).await.is_err() {
                    return Ok(());
                }
                break;
            }
            let has_news = !page.entries.is_empty() || !page.oddities.is_empty();
            if has_news && out.send(Ok(page)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the prefix is the key of all there is.
fn is_of_prefix(raw: &RawVersions, prefix: &str) -> bool {
    !raw.truncated && !prefix.ends_with('/') && raw.rows.iter().all(|row| row.key == prefix)
}

/// Adds what a key has, under its name below the store's prefix.
fn add<K: Keep>(
    store: &S3Store,
    page: &mut Page<K::Kept>,
    full_key: String,
    kept: K,
) -> Result<(), StoreError> {
    let prefix = store.prefix();
    let Some(key) = full_key.strip_prefix(prefix) else {
        return Err(lie(
            store,
            format!("`{full_key}` is outside the prefix asked for"),
        ));
    };
    let name = match key {
        "" if page.is_one_object => prefix.rsplit('/').next().unwrap_or(prefix),
        key => key,
    };
    let key = ObjectKey::new(name).map_err(|error| lie(store, error.to_string()))?;
    match kept.finish(key) {
        Some(_) if name.is_empty() => page.oddities.push(Oddity {
            name: full_key,
            kind: OddityKind::KeyIsPrefix,
            message: None,
        }),
        kept => page.entries.extend(kept),
    }
    Ok(())
}

/// One page of a span, as often tried as the user allows.
async fn page(
    store: &S3Store,
    span: &Span,
    from: Option<&Place>,
) -> Result<RawVersions, StoreError> {
    let page = store
        .retrying(OPERATION, || {
            let attempt = Box::pin(attempt(store, &span.scope, from));
            store.in_time(OPERATION, &span.scope, attempt)
        })
        .await
        .map_err(|error| fatal(store, error))?;
    match (&page.next, page.truncated) {
        (None, true) => Err(lie(
            store,
            "a page that is not the last names no marker".to_owned(),
        )),
        (Some(next), true) if from.is_some_and(|from| !is_behind(next, from)) => Err(lie(
            store,
            "the markers go back: the listing would never end".to_owned(),
        )),
        _ => Ok(page),
    }
}

/// Whether a place comes later. Of two of one key only their ids are known, not their order.
fn is_behind(next: &Place, from: &Place) -> bool {
    next.key > from.key || (next.key == from.key && next.version != from.version)
}

async fn attempt(
    store: &S3Store,
    prefix: &str,
    from: Option<&Place>,
) -> Result<RawVersions, StoreError> {
    let raw = RawBody::giving(NOTHING);
    let request = store
        .client()
        .list_object_versions()
        .bucket(store.bucket())
        .encoding_type(EncodingType::Url)
        .max_keys(i32::from(store.0.settings.listing.max_keys))
        .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
        .set_key_marker(from.map(|from| from.key.clone()))
        .set_version_id_marker(from.and_then(|from| from.version.clone()))
        .customize()
        .interceptor(raw.clone())
        .send();
    store
        .send(OPERATION, prefix, Duration::ZERO, request)
        .await?;
    let body = raw.collect(store.0.settings.timeouts.of_bodies()).await;
    let body = body.map_err(|what| broken_body(OPERATION, prefix, what))?;
    version_page::parse(&body).map_err(|what| broken_body(OPERATION, prefix, what))
}

/// A listing that cannot be believed.
fn lie(store: &S3Store, what: String) -> StoreError {
    let subject = store.0.settings.location.url();
    StoreError::new(OPERATION, subject, ErrorKind::Fatal, what)
}
