//! What is set aside in the first phase: candidates, and what waits until they are gone.

use std::sync::Mutex;

use super::plan_file::Candidates;
use crate::event::{Extraneous, Listed, locked};
use crate::object::ObjectKey;
use crate::plan::{DeletePermit, Direction, Transfer};
use crate::store::StoreError;

/// So many objects wait in memory for what is in their way to go; more are left to the next run.
const WAITING: usize = 100_000;

/// What the workers of the first phase leave to the second.
#[derive(Debug)]
pub(in crate::engine) struct SetAside {
    /// What may be deleted.
    pub(in crate::engine) candidates: Candidates,
    permit: DeletePermit,
    direction: Direction,
    waiting: Mutex<Vec<Transfer>>,
}

impl SetAside {
    pub(super) fn new(candidates: Candidates, permit: DeletePermit, direction: Direction) -> Self {
        Self {
            candidates,
            permit,
            direction,
            waiting: Mutex::default(),
        }
    }

    /// Takes the target's copy of a key of the source that filters reject, if those are deleted.
    pub(in crate::engine) fn excluded(
        &self,
        key: &ObjectKey,
        target: Listed,
    ) -> Result<(), StoreError> {
        if !self.permit.takes_excluded() {
            return Ok(());
        }
        let name = match self.direction {
            Direction::S3ToLocal => key.unslashed(),
            Direction::LocalToS3 | Direction::S3ToS3 => key.as_str(),
        };
        let key = ObjectKey::new(name).expect("no longer than the key it is the end of");
        let because = Extraneous::Excluded;
        self.candidates
            .add_lasting(&self.permit.deletion(key, target, because))
    }

    /// Has an object wait until it is known what is deleted. Gives it back where too many do.
    pub(in crate::engine) fn wait(&self, transfer: Transfer) -> Option<Transfer> {
        let mut waiting = locked(&self.waiting);
        if waiting.len() >= WAITING {
            return Some(transfer);
        }
        waiting.push(transfer);
        None
    }

    /// What has waited.
    pub(super) fn waited(&self) -> Vec<Transfer> {
        std::mem::take(&mut *locked(&self.waiting))
    }
}
