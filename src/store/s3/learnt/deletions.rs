//! Whether an endpoint heeds the conditions of deletions: one that does not deletes what it should
//! keep, and says nothing.

use std::sync::Mutex;

use tokio::sync::MutexGuard;

use super::{Lack, lock};
use crate::store::s3::S3Store;

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Heeds {
    known: Mutex<Heed>,
    /// Held by whoever finds out.
    finding_out: tokio::sync::Mutex<()>,
}

/// Whether a deletion under a condition is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store::s3) enum Heed {
    /// Nobody has asked it yet.
    #[default]
    Unknown,
    /// It is: AWS documents so, or it was seen.
    Heeds,
    /// It is not, or the endpoint takes none.
    Lacks,
}

impl S3Store {
    /// Whether the endpoint heeds the conditions of deletions.
    pub(in crate::store::s3) fn heed(&self) -> Heed {
        if self.lacks(Lack::DeleteConditions) {
            return Heed::Lacks;
        }
        if self.0.regional.is_aws() {
            return Heed::Heeds;
        }
        *lock(&self.0.learnt.heeds.known)
    }

    /// The turn to find out, once nobody else is at it; nothing where it is known.
    pub(in crate::store::s3) async fn turn_to_find_out(&self) -> Option<MutexGuard<'_, ()>> {
        if self.heed() != Heed::Unknown {
            return None;
        }
        let turn = self.0.learnt.heeds.finding_out.lock().await;
        (self.heed() == Heed::Unknown).then_some(turn)
    }

    /// Notes that it was seen to.
    pub(in crate::store::s3) fn heeds(&self) {
        *lock(&self.0.learnt.heeds.known) = Heed::Heeds;
    }
}
