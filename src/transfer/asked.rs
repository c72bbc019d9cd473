//! What a source is asked for before an object is read.

use super::{Transferrer, Work, archived};
use crate::config::Pair;
use crate::plan::Direction;
use crate::store::{Head, StoreError};

impl Transferrer {
    /// What has to be known of a large source object before it is read: its stored checksums, and
    /// what a multipart upload must be given at its beginning. One request at most; what was told
    /// before is not asked for again.
    pub(super) async fn asked_head(&self, work: &Work) -> Result<Option<Head>, StoreError> {
        if let Some(head) = &work.head {
            return Ok(Some(head.clone()));
        }
        let checksums = self.pair.checksum_download && self.direction != Direction::LocalToS3;
        if checksums || self.direction == Direction::S3ToS3 {
            let checksums = self.asks_checksums();
            let head = self.source.head(work.entry.at(), checksums).await?;
            return archived::readable(&work.entry, head).map(Some);
        }
        Ok(None)
    }

    /// Whether the source's checksums are asked for with what else is.
    pub(super) fn asks_checksums(&self) -> bool {
        asks_checksums(&self.pair, self.direction)
    }
}

/// Whether a source is asked for its checksums with what else it is asked for: a header more. A
/// copy inside S3 is proved by them.
pub(super) fn asks_checksums(pair: &Pair, direction: Direction) -> bool {
    let may_be_wanted = pair.checksum_download || pair.checksum_of_opaque || pair.server_side_copy;
    may_be_wanted && direction != Direction::LocalToS3
}
