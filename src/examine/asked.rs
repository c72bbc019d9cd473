//! The parts of an object as its store tells them.

use std::num::NonZeroU16;

use futures::{StreamExt as _, TryStreamExt as _};

use super::Examiner;
use super::layout::Parts;
use super::side::Side;
use crate::store::{ErrorKind, StoreError};

/// Requests for parts of one object at a time.
const AT_ONCE: usize = 8;

/// The lengths of all parts of an object that has so many; `None` where the store does not tell
/// them, or tells something that does not add up.
///
/// One request for each part. A store that tells them all at once would be asked here, first.
pub(super) async fn parts(
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
pub(super) async fn part(of: Side<'_>, number: NonZeroU16) -> Result<Option<u64>, StoreError> {
    match of.store.part_size(&of.entry.key, number).await {
        Ok(length) => Ok(length),
        Err(error) if error.kind.is_fatal() || error.kind == ErrorKind::Cancelled => Err(error),
        Err(_) => Ok(None),
    }
}
