//! What waited for the deletions, as a plan.

use crate::engine::carry::Planning;
use crate::object::Entry;
use crate::plan::{Decision, Transfer};
use crate::store::StoreError;

/// Objects whose places something else had, in the order they met it.
#[derive(Debug)]
pub(super) struct Waited(std::vec::IntoIter<Transfer>);

impl Waited {
    pub(super) fn new(waited: Vec<Transfer>) -> Self {
        Self(waited.into_iter())
    }
}

impl Planning for Waited {
    type Decision = Decision;

    async fn next(&mut self) -> Result<Option<Decision>, StoreError> {
        Ok(self.0.next().map(Decision::Transfer))
    }

    fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_ {
        self.0.by_ref().map(|transfer| transfer.source)
    }
}
