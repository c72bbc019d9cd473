/*! What everything that works on a pair shares: both ends, the memory, the listeners, the stop.
*/

mod bounds;
mod budget;
mod conclusion;
mod distrusted;
mod journal;

pub use bounds::Bounds;
pub use budget::{Budget, Reserved};
pub use conclusion::{Conclusion, conclude};
pub use distrusted::Distrusted;
pub use journal::{Entry, Journal, Left, Leftover};

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::event::Sinks;
use crate::hook::{Backlog, Hooks};
use crate::plan::Direction;
use crate::store::{ErrorKind, Halt, Source, StoreError, Target};

/// What a pair shares with the rest of the run.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who hears of what happens.
    pub sinks: Sinks,
    /// How much content may be in memory.
    pub budget: Budget,
    /// Stop listing and starting; finish what is small, give up what is large.
    pub stop: CancellationToken,
    /// What is still under way so long after that is cut.
    pub halt: Halt,
    /// What would be left behind if the run were killed is written down here.
    pub journal: Arc<dyn Journal>,
    /// Decide everything, change nothing.
    pub dry_run: bool,
    /// What is transferred whatever a comparison says.
    pub distrusted: Distrusted,
    /// What all pairs share the use of.
    pub bounds: Bounds,
    /// What users have a say with.
    pub hooks: Hooks,
    /// What they were told and have not heard yet.
    pub backlog: Backlog,
}

impl Context {
    /// An error once the run was stopped on request; `key` is what was being worked on.
    pub fn check_stopped(&self, key: &str) -> Result<(), StoreError> {
        if self.stop.is_cancelled() {
            return Err(cancelled(key));
        }
        Ok(())
    }
}

/// The object was stopped on request.
pub fn cancelled(key: &str) -> StoreError {
    StoreError::new("transfer", key, ErrorKind::Cancelled, "the run was stopped")
}

/// Both ends of a pair, opened.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Where from.
    pub source: Arc<dyn Source>,
    /// Where to.
    pub target: Arc<dyn Target>,
    /// Which kinds of store they are.
    pub direction: Direction,
}
