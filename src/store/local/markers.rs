//! The directories that the source has as keys of their own: they stay when they are empty.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Remembers them by a number each, because there may be many. Where two have one number, a
/// directory stays that could go.
#[derive(Debug, Default)]
pub(super) struct Markers {
    numbers: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl Markers {
    /// The source has it.
    pub(super) fn note(&self, path: &Path) {
        self.lock().insert(self.number(path));
    }

    /// The source has it no more.
    pub(super) fn forget(&self, path: &Path) {
        self.lock().remove(&self.number(path));
    }

    /// Whether the source has it.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.lock().contains(&self.number(path))
    }

    fn number(&self, path: &Path) -> u64 {
        self.hasher.hash_one(path)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
