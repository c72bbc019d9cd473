//! The one line at the end of an ad-hoc run, as users of the predecessor know it.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::schema::Report;
use super::summary::Summary;

/// The final line of a run with one pair, without a newline.
pub fn one_line(report: &Report) -> String {
    let duration = Duration::from_millis(report.run.duration_ms);
    let summary = Summary::of(report);
    format!(
        "{} | {}/sec,  transferred {:>3} objects | {:>3} objects/sec,  etag verified {} objects,  checksum verified {} objects,  deleted {} objects,  skipped {} objects,  error {} objects, warning {} objects,  duration {}",
        HumanBytes(summary.bytes),
        HumanBytes(summary.bytes_per_sec),
        summary.objects,
        HumanCount(summary.objects_per_sec),
        summary.etag_verified,
        summary.checksum_verified,
        summary.deleted,
        summary.skipped,
        summary.errors,
        summary.warnings,
        HumanDuration(duration),
    )
}
