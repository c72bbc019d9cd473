//! How long a store goes on once a run was stopped.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::S3Store;
use crate::store::Halt;

/// How long it goes on once a run was stopped.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    /// From here on nothing is tried again.
    pub(super) stop: CancellationToken,
    /// From here on nothing is waited for.
    pub(super) cut: CancellationToken,
    /// The same for what cleans up.
    pub(super) cleaning: CancellationToken,
}

impl S3Store {
    /// The same store, whose operations are not tried again once `stop` is cancelled; what cleans
    /// up still is.
    pub fn stopping_with(self, stop: CancellationToken) -> Self {
        Self(self.0, Patience { stop, ..self.1 })
    }

    /// The same store, whose operations end when these moments have come, whatever is under way.
    pub fn halting_with(self, halt: Halt) -> Self {
        let Halt { work, cleaning } = halt;
        let patience = Patience {
            stop: self.1.stop,
            cut: work,
            cleaning,
        };
        Self(self.0, patience)
    }

    /// The same store, whose operations are tried again although the run was stopped, for as long
    /// as cleaning up may take: what cleans up goes through this one.
    pub(super) fn cleaning_up(&self) -> Self {
        let cleaning = self.1.cleaning.clone();
        let patience = Patience {
            stop: cleaning.clone(),
            cut: cleaning.clone(),
            cleaning,
        };
        Self(Arc::clone(&self.0), patience)
    }
}
