//! The parts of an object: the likely ones, and those its store tells.

use std::num::NonZeroU16;

use futures::{StreamExt as _, TryStreamExt as _};

use super::Examiner;
use super::layout::{Cut, Layout, Parts, candidates};
use super::side::Side;
use crate::store::{ErrorKind, StoreError};

/// Requests for parts of one object at a time.
const AT_ONCE: usize = 8;

/// The parts an object of so many most likely has: what size and count allow, by part 1 where that
/// allows several, and as they are told where nothing common fits. `None` where nothing can be
/// told.
pub(super) async fn likely(
    via: &Examiner,
    of: Side<'_>,
    count: NonZeroU16,
) -> Result<Option<Cut>, StoreError> {
    let layouts = candidates(of.entry.size, count, via.chunksize);
    let layouts = narrowed(of, layouts).await?;
    if let Some(likeliest) = layouts.first() {
        return Ok(Some(Cut {
            parts: Parts::from(*likeliest),
            is_told: count.get() == 1,
        }));
    }
    let told = parts(via, of, count).await?;
    Ok(told.map(|parts| Cut {
        parts,
        is_told: true,
    }))
}

/// Those among several likely layouts that have the object's part 1, where that is told.
pub(super) async fn narrowed(
    of: Side<'_>,
    mut layouts: Vec<Layout>,
) -> Result<Vec<Layout>, StoreError> {
    if layouts.len() > 1
        && let Some(first) = part(of, NonZeroU16::MIN).await?
    {
        layouts.retain(|layout| layout.part_size.min(layout.size) == first);
    }
    Ok(layouts)
}

/// The lengths of all parts of an object that has so many; `None` where the store does not tell
/// them, or tells something that does not add up.
///
/// One request for each part; only where that tells nothing, all at once, which not every server
/// knows.
pub(super) async fn parts(
    via: &Examiner,
    of: Side<'_>,
    count: NonZeroU16,
) -> Result<Option<Parts>, StoreError> {
    match one_by_one(via, of, count).await? {
        Some(parts) => Ok(Some(parts)),
        None => all_at_once(of, count).await,
    }
}

async fn all_at_once(of: Side<'_>, count: NonZeroU16) -> Result<Option<Parts>, StoreError> {
    let told = of.store.parts(of.entry.at()).await;
    Ok(answered(told)?.flatten().and_then(|told| {
        let lengths: Vec<u64> = told.parts.iter().map(|part| part.size).collect();
        let is_all = lengths.len() == usize::from(count.get());
        let parts = Parts::of_lengths(lengths, of.entry.size);
        parts.filter(|_| is_all && (of.entry.etag.is_none() || told.etag == of.entry.etag))
    }))
}

async fn one_by_one(
    via: &Examiner,
    of: Side<'_>,
    count: NonZeroU16,
) -> Result<Option<Parts>, StoreError> {
    let Some(first) = part(of, NonZeroU16::MIN).await? else {
        return Ok(None);
    };
    let others = (2..=count.get()).filter_map(NonZeroU16::new);
    let others: Option<Vec<u64>> = futures::stream::iter(others)
        .map(|number| async move {
            via.context.check_stopped(of.entry.key.as_str())?;
            part(of, number).await
        })
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?
        .into_iter()
        .collect();
    Ok(others.and_then(|others| {
        let lengths = std::iter::once(first).chain(others);
        Parts::of_lengths(lengths.collect(), of.entry.size)
    }))
}

/// The length of one part, where the store tells it.
async fn part(of: Side<'_>, number: NonZeroU16) -> Result<Option<u64>, StoreError> {
    Ok(answered(of.store.part_size(of.entry.at(), number).await)?.flatten())
}

/// What was told; nothing, where the store refuses to tell.
fn answered<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(error) if error.kind.is_fatal() || error.kind == ErrorKind::Cancelled => Err(error),
        Err(_) => Ok(None),
    }
}
