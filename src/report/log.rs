//! Per-object log records, as users of the predecessor search for them.

use super::human;
use super::schema::Report;
use super::summary::Summary;
use crate::digest::{Proof, Verdict};
use crate::event::{
    Annotated, Cause, Compared, Event, Fate, Listed, Refresh, Refreshed, Refreshing, Rule, Sink,
    SkipReason, Warned,
};
use crate::object::ETag;
use crate::store::{Settled, StoreError};

/// Turns the events of one pair into log records: what went well at info, proofs at debug, what
/// was left out or could not be proved as warnings, failures as errors, one line each.
#[derive(Debug)]
pub struct LogSink {
    pair: String,
    target_prefix: String,
    warned: Warned,
}

impl LogSink {
    /// For one pair; `target_prefix` stands before the relative key at the target.
    pub fn new(pair: &str, target_prefix: &str, warned: Warned) -> Self {
        Self {
            pair: pair.to_owned(),
            target_prefix: target_prefix.to_owned(),
            warned,
        }
    }

    fn transferred(&self, settled: &Settled, is_untagged: bool) {
        let source = settled.source();
        let key = source.key.as_str();
        tracing::info!(
            key,
            source_version_id = source.version.as_deref().unwrap_or_default(),
            source_last_modified = %source.modified,
            target_key = format!("{}{key}", self.target_prefix),
            size = source.size,
            "sync completed."
        );
        let integrity = settled.integrity();
        if let Some(Proof {
            verdict: Verdict::Verified(_),
            ..
        }) = &integrity.etag
        {
            let stored = settled.stored().etag.as_ref().map(|etag| etag.quoted());
            let listed = source.etag.as_ref().map(|etag| etag.quoted());
            tracing::debug!(
                key,
                source_e_tag = listed.or_else(|| stored.clone()).unwrap_or_default(),
                target_e_tag = stored.unwrap_or_default(),
                "e_tag verified."
            );
        }
        if let Some(Proof {
            verdict: Verdict::Verified(checksum),
            ..
        }) = &integrity.checksum
        {
            tracing::debug!(
                key,
                additional_checksum_algorithm = checksum.algorithm().as_str(),
                target_checksum = %checksum,
                source_checksum = %checksum,
                "additional checksum verified."
            );
        }
        if is_untagged {
            let pair = self.pair.as_str();
            tracing::warn!(
                pair,
                key,
                reason = "tags_denied",
                "transferred without its tags"
            );
        }
        if let Verdict::Unverifiable(why) = integrity.verdict() {
            let (pair, reason) = (self.pair.as_str(), why.as_str());
            if self.warned.of_unproved(why) {
                tracing::warn!(
                    pair,
                    key,
                    reason,
                    "transferred, but nothing could be proved"
                );
            } else {
                tracing::debug!(
                    pair,
                    key,
                    reason,
                    "transferred, but nothing could be proved"
                );
            }
        }
    }

    fn planned(&self, key: &str, source: &Listed, because: Cause) {
        tracing::info!(
            key,
            source_version_id = source.version.as_deref().unwrap_or_default(),
            source_last_modified = %source.modified,
            target_key = format!("{}{key}", self.target_prefix),
            size = source.size,
            reason = because.as_str(),
            "[dry-run] sync completed."
        );
    }

    fn marker_copied(&self, key: &str, source: &Listed, is_planned: bool) {
        let message = if is_planned {
            "[dry-run] delete completed."
        } else {
            "delete completed."
        };
        tracing::info!(
            key,
            source_version_id = source.version.as_deref().unwrap_or_default(),
            source_last_modified = %source.modified,
            target_key = format!("{}{key}", self.target_prefix),
            "{message}"
        );
    }

    fn refreshed(&self, refreshed: &Refreshed) {
        let key = refreshed.key.as_str();
        let target_key = format!("{}{key}", self.target_prefix);
        match (refreshed.outcome, refreshed.what) {
            (Refreshing::Done, Refresh::Tags) => {
                tracing::info!(key, target_key, "sync object tags completed.");
            }
            (Refreshing::Planned, Refresh::Tags) => {
                tracing::info!(key, target_key, "[dry-run] sync object tags completed.");
            }
            (Refreshing::Done, Refresh::Annotations { written, removed }) => tracing::info!(
                key,
                target_key,
                written,
                removed,
                "sync object annotations completed."
            ),
            (Refreshing::Planned, Refresh::Annotations { written, removed }) => tracing::info!(
                key,
                target_key,
                written,
                removed,
                "[dry-run] sync object annotations completed."
            ),
            (Refreshing::Denied, _) => {
                let pair = self.pair.as_str();
                tracing::warn!(
                    pair,
                    key,
                    reason = "tags_denied",
                    "its tags are left as they are"
                );
            }
        }
    }

    /// Debug, because a check has better ways to tell of each object.
    fn compared(&self, compared: &Compared) {
        let pair = self.pair.as_str();
        tracing::debug!(
            pair,
            key = compared.key.as_str(),
            result = compared.sameness().as_str(),
            "{compared}"
        );
    }

    /// As the predecessor says it, whose records name the filter by the code behind it.
    fn filtered(&self, key: &str, source: Option<&Listed>, by: &Rule) {
        let version = source.and_then(|source| source.version.as_deref());
        tracing::debug!(
            pair = self.pair.as_str(),
            key,
            version_id = version.unwrap_or_default(),
            filter = by.filter,
            value = by.value,
            origin = by.origin,
            "object filtered."
        );
    }

    fn skipped(&self, key: &str, reason: SkipReason, detail: Option<&str>) {
        let (pair, word) = (self.pair.as_str(), reason.as_str());
        if self.warned.of_skipped(reason) {
            tracing::warn!(pair, key, reason = word, detail, "skipped");
        } else {
            tracing::debug!(pair, key, reason = word, detail, "skipped");
        }
    }

    fn failed(&self, key: &str, reason: &'static str, error: &StoreError) {
        let pair = self.pair.as_str();
        let request_id = error.request_id.as_deref();
        // a key may have a line break in it
        let error = human::printable(&error.to_string());
        tracing::error!(pair, key, reason, %error, request_id, "failed");
    }
}

impl Sink for LogSink {
    fn event(&self, event: &Event) {
        let pair = self.pair.as_str();
        match event {
            Event::Transferred { settled, conduct } => {
                self.transferred(settled, conduct.is_untagged);
            }
            Event::Refreshed(refreshed) => self.refreshed(refreshed),
            Event::Annotated(annotated) => log_annotated(annotated),
            Event::Planned {
                key,
                source,
                because,
                ..
            } => self.planned(key.as_str(), source, *because),
            Event::MarkerCopied {
                key,
                source,
                is_planned,
                ..
            } => self.marker_copied(key.as_str(), source, *is_planned),
            Event::Filtered {
                key, source, by, ..
            } => self.filtered(key, source.as_ref(), by),
            Event::NotWalked { name, by } => tracing::debug!(
                pair,
                key = name,
                filter = by.filter,
                value = by.value,
                origin = by.origin,
                "everything below it is filtered: not looked into"
            ),
            Event::Skipped {
                key,
                reason,
                message,
                ..
            } => self.skipped(key, *reason, message.as_deref()),
            Event::Failed {
                key, reason, error, ..
            } => self.failed(key.as_str(), reason.as_str(), error),
            Event::Undecided { key, why, .. } => tracing::warn!(
                pair,
                key = key.as_str(),
                reason = why.as_str(),
                "left as it is: its content cannot be compared"
            ),
            Event::SubtreeUnreadable { name, .. } => tracing::warn!(
                pair,
                key = name,
                reason = "unreadable_directory",
                "nothing below it was looked at"
            ),
            Event::PairFailed { phase, error } => tracing::error!(pair, phase, "{error}"),
            Event::Warning { message } => tracing::warn!(pair, "{message}"),
            Event::GuaranteeLost { what, why } => {
                tracing::warn!(
                    pair,
                    what,
                    why,
                    "the endpoint cannot do this; going on without"
                );
            }
            Event::Compared(compared) => self.compared(compared),
            Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::OneObject { .. }
            | Event::Unchanged { .. }
            | Event::UnchangedMany { .. }
            | Event::FilteredMany { .. }
            | Event::NotAttempted { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. } => {}
        }
    }

    fn wants_filtered(&self) -> bool {
        tracing::enabled!(tracing::Level::DEBUG)
    }
}

/// One annotation of an object, in the words of the predecessor where it has some.
fn log_annotated(annotated: &Annotated) {
    let Annotated {
        key,
        source_version,
        target_version,
        name,
        fate,
    } = annotated;
    let key = key.as_str();
    let source_version_id = source_version.as_deref().unwrap_or_default();
    let target_version_id = target_version.as_deref().unwrap_or_default();
    let shown = |etag: &Option<ETag>| etag.as_ref().map(ETag::quoted).unwrap_or_default();
    match fate {
        Fate::Written(tagged) => tracing::info!(
            key,
            source_version_id,
            target_version_id,
            annotation_name = name,
            annotation_size = tagged.size,
            annotation_etag = shown(&tagged.target),
            "sync object annotation completed."
        ),
        Fate::Verified(tagged) => tracing::debug!(
            key,
            annotation_name = name,
            source_e_tag = shown(&tagged.source),
            target_e_tag = shown(&tagged.target),
            "annotation e_tag verified."
        ),
        Fate::Mismatched(tagged) => tracing::warn!(
            key,
            annotation_name = name,
            source_e_tag = shown(&tagged.source),
            target_e_tag = shown(&tagged.target),
            "annotation e_tag mismatch."
        ),
        Fate::Removed => tracing::info!(
            key,
            target_version_id,
            annotation_name = name,
            "delete object annotation completed."
        ),
    }
}

/// The run's one record `sync summary`.
pub fn log_summary(report: &Report) {
    let summary = Summary::of(report);
    tracing::info!(
        transferred_byte = summary.bytes,
        transferred_byte_per_sec = summary.bytes_per_sec,
        transferred_object = summary.objects,
        transferred_object_per_sec = summary.objects_per_sec,
        etag_verified = summary.etag_verified,
        checksum_verified = summary.checksum_verified,
        deleted = summary.deleted,
        skipped = summary.skipped,
        error = summary.errors,
        warning = summary.warnings,
        duration_sec = report.run.duration_ms as f64 / 1000.0,
        "sync summary"
    );
}

/// The one record `check summary` of a run that only compares.
pub fn log_check_summary(report: &Report) {
    let counts = &report.totals.counts;
    let compared = &counts.compared;
    tracing::info!(
        matches = compared.matches,
        mismatch = compared.mismatch,
        not_found = compared.not_found,
        unknown = compared.unknown,
        only_in_target = compared.only_in_target,
        skipped = counts.filtered.total + counts.skipped.total,
        error = counts.errors,
        warning = counts.warnings,
        duration_sec = report.run.duration_ms as f64 / 1000.0,
        "check summary"
    );
}

#[cfg(test)]
mod tests;
