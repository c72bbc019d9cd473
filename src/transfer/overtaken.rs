/*! A source that was written to while its object was on the way.

What the target has then is whole, but older than the source and written later: to every comparison
of times it would be up to date for ever.
*/

use std::time::{Duration, Instant};

use super::{Transferrer, Work};
use crate::plan::Direction;
use crate::store::{ErrorKind, StoreError};

/// Times are compared in seconds, and what is written in the same one is examined: only who took
/// longer costs a bucket one more request. A file costs nothing to look at.
const LONG: Duration = Duration::from_secs(1);

/// Why what an attempt begun then has published is not what the source has now.
pub(super) async fn look(via: &Transferrer, work: &Work, begun: Instant) -> Option<StoreError> {
    let entry = &work.entry;
    let may_be = match via.direction {
        Direction::LocalToS3 => true,
        // of a version there is no newer one
        Direction::S3ToS3 => entry.version.is_none() && begun.elapsed() >= LONG,
        // a file has its source's time
        Direction::S3ToLocal => false,
    };
    if !may_be {
        return None;
    }
    // what is gone or cannot be asked is not known to be newer
    let now = via.source.head(entry.at(), false).await.ok()?;
    let is_same = match (&now.etag, &entry.etag) {
        (Some(now), Some(then)) => now == then,
        _ => (now.size, now.modified) == (entry.size, entry.modified),
    };
    let key = entry.key.as_str();
    let message = "the source was written to while it was copied";
    (!is_same).then(|| StoreError::new("copy", key, ErrorKind::Changed, message))
}
