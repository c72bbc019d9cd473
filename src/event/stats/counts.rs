//! How many objects ended how, and whether the books balance.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Comparisons, Deletions};
use crate::digest::{Algorithm, Why};
use crate::event::{Rule, Side, SkipReason};

/// Objects by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries listed.
    pub listed: PerSide<u64>,
    /// The sum of the listed sizes in bytes.
    pub listed_bytes: PerSide<u64>,
    /// Left out by a filter, by which.
    pub filtered: BTreeMap<Arc<Rule>, u64>,
    /// Directories that were not looked into, by the filter that keeps out what is below them;
    /// none of that is listed.
    pub not_walked: BTreeMap<Arc<Rule>, u64>,
    /// Already at the target.
    pub unchanged: u64,
    /// Of these: their tags were brought up to date; in a dry run, planned.
    pub tagged: u64,
    /// Of these: their annotations were brought up to date; in a dry run, planned.
    pub annotated: u64,
    /// Transferred to a key the target did not have; in a dry run, planned.
    pub created: u64,
    /// Transferred over an object the target had; in a dry run, planned.
    pub updated: u64,
    /// Of the transferred: copied by S3 itself.
    pub server_side_copied: u64,
    /// The sum of the transferred sizes in bytes; in a dry run, planned.
    pub transferred_bytes: u64,
    /// Compared, in a run that only does that; those only the target has are not in the books.
    pub compared: Comparisons,
    /// Deleted at the target as they are at the source; in a dry run, planned.
    pub markers_copied: u64,
    /// What only the target had; not in the books of what the source listed.
    pub deletions: Deletions,
    /// Left out because of their state.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Could not be transferred.
    pub failed: u64,
    /// Not reached before the pair ended.
    pub not_attempted: u64,
    /// What was proved.
    pub verified: Verified,
    /// What makes the pair end with a warning.
    pub warnings: u64,
    /// What makes the pair fail: failed objects, and the error that ended the pair.
    pub errors: u64,
}

/// One value for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerSide<T> {
    /// Of the source.
    pub source: T,
    /// Of the target.
    pub target: T,
}

/// What was proved of the transferred objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Objects with at least one proof and no counterproof.
    pub objects: u64,
    /// Objects with no proof at all, by the reason.
    pub not_verifiable_by: BTreeMap<Why, u64>,
    /// By ETag.
    pub etag: Axis,
    /// By additional checksum.
    pub checksum: Axis,
    /// The additional checksum's algorithm, as last seen.
    pub algorithm: Option<Algorithm>,
}

/// Results of one kind of comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Axis {
    /// The same.
    pub matched: u64,
    /// Different, in the end: the object failed.
    pub mismatched: u64,
    /// Not comparable.
    pub not_verifiable: u64,
}

impl Counts {
    /// Objects that moved, or would.
    pub fn transferred(&self) -> u64 {
        self.created + self.updated
    }

    /// Objects left out by filters, whichever it was.
    pub fn filtered_total(&self) -> u64 {
        self.filtered.values().sum()
    }

    /// Directories that were not looked into.
    pub fn not_walked_total(&self) -> u64 {
        self.not_walked.values().sum()
    }

    /// Objects left out because of their state, whatever it was.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Everything that was done with what the source listed.
    pub fn accounted(&self) -> u64 {
        self.filtered_total()
            + self.unchanged
            + self.transferred()
            + self.compared.total()
            + self.markers_copied
            + self.skipped_total()
            + self.failed
            + self.not_attempted
    }

    /// Objects that were deleted at the target, or would be.
    pub fn deleted(&self) -> u64 {
        self.deletions.deleted() + self.markers_copied
    }

    /// Whether every listed object, and every candidate for deletion, is accounted for exactly once.
    pub fn reconciled(&self) -> bool {
        self.listed.source == self.accounted() && self.deletions.reconciled()
    }

    /// Adds another pair's counts, for the totals of a run.
    pub fn add(&mut self, other: &Self) {
        self.listed.add(other.listed);
        self.listed_bytes.add(other.listed_bytes);
        add_each(&mut self.filtered, &other.filtered);
        add_each(&mut self.not_walked, &other.not_walked);
        self.unchanged += other.unchanged;
        self.tagged += other.tagged;
        self.annotated += other.annotated;
        self.created += other.created;
        self.updated += other.updated;
        self.server_side_copied += other.server_side_copied;
        self.transferred_bytes += other.transferred_bytes;
        self.compared.add(&other.compared);
        self.markers_copied += other.markers_copied;
        self.deletions.add(&other.deletions);
        add_each(&mut self.skipped, &other.skipped);
        self.failed += other.failed;
        self.not_attempted += other.not_attempted;
        self.verified.add(&other.verified);
        self.warnings += other.warnings;
        self.errors += other.errors;
    }
}

impl<T> PerSide<T> {
    /// The value of one side.
    pub fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }
}

impl PerSide<u64> {
    fn add(&mut self, other: Self) {
        self.source += other.source;
        self.target += other.target;
    }
}

impl Verified {
    /// Objects with no proof at all.
    pub fn not_verifiable(&self) -> u64 {
        self.not_verifiable_by.values().sum()
    }

    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        add_each(&mut self.not_verifiable_by, &other.not_verifiable_by);
        self.etag.add(other.etag);
        self.checksum.add(other.checksum);
        self.algorithm = other.algorithm.or(self.algorithm);
    }
}

impl Axis {
    fn add(&mut self, other: Self) {
        self.matched += other.matched;
        self.mismatched += other.mismatched;
        self.not_verifiable += other.not_verifiable;
    }
}

/// Adds counters key by key.
pub(super) fn add_each<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *sums.entry(key.clone()).or_default() += count;
    }
}
