//! The numbers of a run's last words, in the predecessor's meaning of each.

use std::time::Duration;

use super::figures::per_second;
use super::schema::Report;

/// What the final line and the record `sync summary` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) bytes: u64,
    pub(super) bytes_per_sec: u64,
    pub(super) objects: u64,
    pub(super) objects_per_sec: u64,
    pub(super) etag_verified: u64,
    pub(super) checksum_verified: u64,
    pub(super) deleted: u64,
    /// Filtered, unchanged and skipped.
    pub(super) skipped: u64,
    pub(super) errors: u64,
    pub(super) warnings: u64,
}

impl Summary {
    /// Over all pairs. Nothing moved in a dry run, so it has no rates.
    pub(super) fn of(report: &Report) -> Self {
        let counts = &report.totals.counts;
        let bytes = report.totals.bytes.transferred;
        let objects = counts.transferred.total;
        let duration = Duration::from_millis(report.run.duration_ms);
        let rate = |amount| {
            if report.run.dry_run {
                0
            } else {
                per_second(amount, duration)
            }
        };
        Self {
            bytes,
            bytes_per_sec: rate(bytes),
            objects,
            objects_per_sec: rate(objects),
            etag_verified: counts.verified.etag.matched,
            checksum_verified: counts.verified.checksum.results.matched,
            deleted: counts.deleted.total,
            skipped: counts.filtered.total + counts.unchanged + counts.skipped.total,
            errors: counts.errors,
            warnings: counts.warnings,
        }
    }
}
