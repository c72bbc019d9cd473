//! How far a pair has come.

use std::collections::BTreeMap;

use crate::event::Tally;
use crate::report::{PairReport, Status};

/// A pair at some moment, or as it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairState {
    /// Its name.
    pub name: String,
    /// How it ended, or `Pending` or `Running`.
    pub status: Status,
    /// Why it ended so, where the status does not say it.
    pub reason: Option<String>,
    /// What it has done.
    pub statistics: Statistics,
}

/// What was done, counted in objects where no other unit is named.
///
/// At the end of a pair that came to its end, each object that the source listed is counted once:
/// `listed` is `filtered + unchanged + created + updated + markers_copied + skipped + failed +
/// not_attempted`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Listed at the source so far.
    pub listed: u64,
    /// The sum of their sizes, in bytes.
    pub listed_bytes: u64,
    /// Whether the source is completely listed, so that `listed` is all there is.
    pub is_listed: bool,
    /// Left out by filters.
    pub filtered: u64,
    /// Of these, by the filter that rejected them: `filter.exclude_regex`, `lua.filter`, or `hook`
    /// for those of the program.
    pub filtered_by: BTreeMap<String, u64>,
    /// Already at the target.
    pub unchanged: u64,
    /// Transferred to a key the target did not have; in a dry run, that would be.
    pub created: u64,
    /// Transferred over an object the target had; in a dry run, that would be.
    pub updated: u64,
    /// The sum of the sizes of these two, in bytes.
    pub transferred_bytes: u64,
    /// Content that the targets have taken so far, in bytes; of objects under way, too, and again
    /// where it was sent again.
    pub moved_bytes: u64,
    /// Delete markers written as the source has them.
    pub markers_copied: u64,
    /// Left out because of their state: archived, changed by another writer, …
    pub skipped: u64,
    /// Could not be transferred.
    pub failed: u64,
    /// Not begun before the run was stopped.
    pub not_attempted: u64,
    /// Deleted from the target, or hidden there by delete markers; in a dry run, that would be.
    pub deleted: u64,
    /// Candidates for deletion that a guard has kept.
    pub withheld: u64,
    /// Candidates for deletion that are still there for another reason: they were not what was
    /// listed any more, could not be deleted, or were not reached before the run was stopped.
    pub not_deleted: u64,
    /// Transferred, and proved to have arrived by at least one checksum or ETag.
    pub verified: u64,
    /// Transferred, and nothing could be proved of them.
    pub unverifiable: u64,
    /// Warnings.
    pub warnings: u64,
    /// Errors: failed objects, and what ended a pair.
    pub errors: u64,
}

impl PairState {
    pub(super) fn of(pair: &PairReport) -> Self {
        // the counters last: of a pair that has ended they are all
        let status = pair.status();
        Self {
            name: pair.name().to_owned(),
            status,
            reason: pair.reason().map(str::to_owned),
            statistics: Statistics::of(&pair.tally()),
        }
    }
}

impl Statistics {
    fn of(tally: &Tally) -> Self {
        let counts = &tally.counts;
        let deletions = &counts.deletions;
        let mut filtered_by = BTreeMap::new();
        for (rule, count) in &counts.filtered {
            *filtered_by.entry(rule.filter.to_owned()).or_default() += count;
        }
        Self {
            listed: counts.listed.source,
            listed_bytes: counts.listed_bytes.source,
            is_listed: tally.listing.source.is_some(),
            filtered: counts.filtered_total(),
            filtered_by,
            unchanged: counts.unchanged,
            created: counts.created,
            updated: counts.updated,
            transferred_bytes: counts.transferred_bytes,
            moved_bytes: tally.traffic.moved,
            markers_copied: counts.markers_copied,
            skipped: counts.skipped_total(),
            failed: counts.failed,
            not_attempted: counts.not_attempted,
            deleted: deletions.deleted(),
            withheld: deletions.withheld,
            not_deleted: deletions.changed + deletions.failed + deletions.not_attempted,
            verified: counts.verified.objects,
            unverifiable: counts.verified.not_verifiable(),
            warnings: counts.warnings,
            errors: counts.errors,
        }
    }

    /// Transferred, whether new or over another; in a dry run, that would be.
    pub fn transferred(&self) -> u64 {
        self.created + self.updated
    }

    /// That are through, however they ended.
    pub fn done(&self) -> u64 {
        self.filtered
            + self.unchanged
            + self.transferred()
            + self.markers_copied
            + self.skipped
            + self.failed
            + self.not_attempted
    }
}
