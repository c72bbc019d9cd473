//! How many objects of the target were candidates for deletion, and what became of them.

use crate::event::{Guard, Judged, Outcome};
use crate::store::Removed;

/// Candidates for deletion by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    /// All of them.
    pub candidates: u64,
    /// Gone; in a dry run, planned.
    pub objects: u64,
    /// Hidden by delete markers.
    pub markers: u64,
    /// Kept by a guard.
    pub withheld: u64,
    /// Not what was listed any more, and kept.
    pub changed: u64,
    /// Could not be deleted.
    pub failed: u64,
    /// Not reached before the pair ended.
    pub not_attempted: u64,
    /// What kept those that were withheld.
    pub guard: Option<Guard>,
}

impl Deletions {
    /// Takes what was decided over all of them.
    pub(super) fn judged(&mut self, judged: &Judged) {
        self.candidates += judged.candidates;
        self.guard = judged.withheld.or(self.guard);
    }

    /// Counts what became of one.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Planned | Outcome::Removed(Removed::Object) => &mut self.objects,
            Outcome::Removed(Removed::Marked(_)) => &mut self.markers,
            Outcome::Withheld(_) => &mut self.withheld,
            Outcome::Changed(_) => &mut self.changed,
            Outcome::Failed(..) => &mut self.failed,
            Outcome::NotAttempted => &mut self.not_attempted,
        };
        *count += 1;
    }

    /// Those that are gone or hidden, or would be.
    pub fn deleted(&self) -> u64 {
        self.objects + self.markers
    }

    /// Whether every candidate is accounted for exactly once.
    pub fn reconciled(&self) -> bool {
        self.candidates
            == self.deleted() + self.withheld + self.changed + self.failed + self.not_attempted
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.candidates += other.candidates;
        self.objects += other.objects;
        self.markers += other.markers;
        self.withheld += other.withheld;
        self.changed += other.changed;
        self.failed += other.failed;
        self.not_attempted += other.not_attempted;
        self.guard = self.guard.or(other.guard);
    }
}
