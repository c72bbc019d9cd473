//! What a listing is made of: objects, or keys with all their versions.

use crate::filter::{Filters, Ruling};
use crate::hook::{Candidate, Fails, HookError};
use crate::object::{Entry, History, ObjectKey};

/// One row of a listing: there is one for each key.
pub(super) trait Row {
    /// What filters say of it.
    type Ruled: Ruled + Default;

    /// The key.
    fn key(&self) -> &ObjectKey;

    /// How many objects it counts for.
    fn count(&self) -> u64;

    /// The sum of their sizes.
    fn bytes(&self) -> u64;

    /// The objects, as filters see them.
    fn candidates(&self) -> Vec<Candidate>;

    /// What the filters say of them that need not ask anybody.
    fn ruled_by(&self, filters: &Filters) -> Self::Ruled;

    /// Takes what was said of its candidates.
    fn ruled(&self, rulings: &mut impl Iterator<Item = Ruling>) -> Self::Ruled;
}

/// What was said of a row.
pub(super) trait Ruled {
    /// What fails the pair, if anything in it does.
    fn failure(&self) -> Option<&HookError>;
}

impl Row for Entry {
    type Ruled = Ruling;

    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn count(&self) -> u64 {
        1
    }

    fn bytes(&self) -> u64 {
        self.size
    }

    fn candidates(&self) -> Vec<Candidate> {
        vec![self.into()]
    }

    fn ruled_by(&self, filters: &Filters) -> Ruling {
        filters.of_entry(self)
    }

    fn ruled(&self, rulings: &mut impl Iterator<Item = Ruling>) -> Ruling {
        rulings.next().unwrap_or_else(Ruling::unanswered)
    }
}

/// Each version is filtered by itself, and so is the marker that hides all of them.
impl Row for History {
    /// One for each of [`History::entries`]; none where nothing is filtered.
    type Ruled = Vec<Ruling>;

    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn count(&self) -> u64 {
        self.versions.len() as u64 + u64::from(self.marker.is_some())
    }

    fn bytes(&self) -> u64 {
        self.versions.iter().map(|version| version.size).sum()
    }

    fn candidates(&self) -> Vec<Candidate> {
        let latest = self.count() - 1;
        let versions = self.versions.len() as u64;
        (self.entries().zip(0..))
            .map(|(entry, at)| Candidate {
                entry,
                is_latest: at == latest,
                is_delete_marker: at == versions,
            })
            .collect()
    }

    fn ruled_by(&self, filters: &Filters) -> Vec<Ruling> {
        let candidates = self.candidates();
        (candidates.iter())
            .map(|candidate| filters.of_candidate(candidate))
            .collect()
    }

    fn ruled(&self, rulings: &mut impl Iterator<Item = Ruling>) -> Vec<Ruling> {
        (0..self.count())
            .map(|_| rulings.next().unwrap_or_else(Ruling::unanswered))
            .collect()
    }
}

impl Ruled for Ruling {
    fn failure(&self) -> Option<&HookError> {
        match self {
            Self::Failed(error) if error.fails == Fails::Pair => Some(error),
            Self::Admitted | Self::Rejected(_) | Self::Failed(_) => None,
        }
    }
}

impl Ruled for Vec<Ruling> {
    fn failure(&self) -> Option<&HookError> {
        self.iter().find_map(Ruled::failure)
    }
}
