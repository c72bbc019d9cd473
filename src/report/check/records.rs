//! The records of the predecessor's `--report-sync-status`, letter for letter (crate 1.62.4): its
//! users' scripts read them. Names, order and forms of the fields are its own, oddities included.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::Value;

use super::beside_records;
use crate::config::{self, By, Pair, SourceSpec, TargetSpec};
use crate::digest::{Comparison, Verdict, Why};
use crate::event::{Agreement, Beside, Compared, Event, Listed, Sink, SkipReason, locked};

const RECORD: &str = "SYNC_STATUS";
const SUMMARY: &str = "REPORT_SUMMARY";

/// A record with a message where there is one: one without has no such field.
macro_rules! record {
    ($message:expr; $($fields:tt)*) => {
        match $message {
            Some(message) => tracing::info!($($fields)* "{message}"),
            None => tracing::info!($($fields)*),
        }
    };
}

/// What has been recorded of a job.
#[derive(Debug, Default)]
pub(super) struct Records {
    objects: AtomicU64,
    sums: Mutex<Sums>,
}

/// The records by what they say.
#[derive(Debug, Default)]
struct Sums {
    not_found: u64,
    etag: Agreement,
    checksum: Agreement,
    metadata: Agreement,
    tagging: Agreement,
    /// Of each annotation by itself.
    annotations: Agreement,
}

/// Records one pair.
#[derive(Debug)]
struct OfPair {
    records: Arc<Records>,
    /// What was asked for. A record is of that and nothing else, whatever else is known.
    asked: config::Compared,
    source_is_local: bool,
    target_is_local: bool,
}

impl Records {
    /// A sink that records a pair.
    pub(super) fn of_pair(self: Arc<Self>, pair: &Pair) -> Arc<dyn Sink> {
        Arc::new(OfPair {
            records: self,
            asked: pair.check.compared,
            source_is_local: matches!(pair.source, SourceSpec::Local(_)),
            target_is_local: matches!(pair.target, TargetSpec::Local(_)),
        })
    }

    /// The last record.
    pub(super) fn summary(&self) {
        let found = locked(&self.sums);
        tracing::info!(
            name = SUMMARY,
            number_of_objects = self.objects.load(Ordering::Relaxed),
            etag_matches = found.etag.matches,
            checksum_matches = found.checksum.matches,
            metadata_matches = found.metadata.matches,
            tagging_matches = found.tagging.matches,
            not_found = found.not_found,
            etag_mismatch = found.etag.mismatch,
            checksum_mismatch = found.checksum.mismatch,
            metadata_mismatch = found.metadata.mismatch,
            tagging_mismatch = found.tagging.mismatch,
            etag_unknown = found.etag.unknown,
            checksum_unknown = found.checksum.unknown,
            annotation_matches = found.annotations.matches,
            annotation_mismatch = found.annotations.mismatch,
        );
    }
}

impl Sink for OfPair {
    fn event(&self, event: &Event) {
        match event {
            Event::Compared(compared) => self.compared(compared),
            Event::Skipped {
                key,
                source: Some(source),
                reason: SkipReason::UnsafeKey,
                ..
            } => {
                self.count_one();
                self.not_found(key, source);
            }
            Event::Skipped {
                source: Some(_), ..
            }
            | Event::Failed { .. } => self.count_one(),
            _ => {}
        }
    }
}

impl OfPair {
    fn count_one(&self) {
        self.records.objects.fetch_add(1, Ordering::Relaxed);
    }

    fn compared(&self, compared: &Compared) {
        let Some(source) = &compared.source else {
            return;
        };
        self.count_one();
        let key = compared.key.as_str();
        let Some(target) = &compared.target else {
            self.not_found(key, source);
            return;
        };
        self.by_content(compared, (source, target));
        self.beside(key, &compared.beside);
    }

    fn beside(&self, key: &str, beside: &Beside) {
        let Beside {
            metadata,
            tagging,
            annotations,
        } = beside;
        if let Some(metadata) = metadata {
            locked(&self.records.sums)
                .metadata
                .count_facet(Some(metadata));
            beside_records::metadata(key, metadata);
        }
        if let Some(tagging) = tagging {
            locked(&self.records.sums)
                .tagging
                .count_facet(Some(tagging));
            beside_records::tagging(key, tagging);
        }
        if let Some(annotations) = annotations {
            let (matches, mismatch) = beside_records::annotations(key, annotations);
            let mut sums = locked(&self.records.sums);
            sums.annotations.matches += matches;
            sums.annotations.mismatch += mismatch;
        }
    }

    fn by_content(&self, compared: &Compared, (source, target): (&Listed, &Listed)) {
        let key = compared.key.as_str();
        let Some(likeness) = &compared.likeness else {
            return;
        };
        match self.asked {
            config::Compared::Content(By::ETag) => {
                locked(&self.records.sums)
                    .etag
                    .count(likeness.etag.as_ref());
                if let Some(etag) = &likeness.etag {
                    self.by_etag(key, etag, (source, target));
                }
            }
            config::Compared::Content(By::Checksum(_)) => {
                locked(&self.records.sums)
                    .checksum
                    .count(likeness.checksum.as_ref());
                if let Some(checksum) = &likeness.checksum {
                    self.by_checksum(key, checksum, (source, target));
                }
            }
            config::Compared::Size => {}
        }
    }

    fn not_found(&self, key: &str, source: &Listed) {
        locked(&self.records.sums).not_found += 1;
        let etag = source.etag.as_ref().map(|etag| etag.quoted());
        let modified = if self.source_is_local {
            source.modified
        } else {
            source.modified.whole_seconds()
        };
        tracing::info!(
            name = RECORD,
            type = "EXISTENCE",
            status = "NOT_FOUND",
            key,
            source_version_id = "",
            source_e_tag = etag.unwrap_or_default(),
            source_last_modified = modified.rfc3339_micros(),
            source_size = source.size,
        );
    }

    fn by_etag(&self, key: &str, etag: &Comparison, (source, target): (&Listed, &Listed)) {
        let ours;
        let (status, message) = match &etag.proof.verdict {
            Verdict::Verified(_) => ("MATCHES", None),
            Verdict::Mismatch { .. } => ("MISMATCH", None),
            Verdict::Unverifiable(Why::OpaqueETag) => (
                "UNKNOWN",
                Some("Unknown. Only ServerSideEncryption::Aes256 is supported."),
            ),
            Verdict::Unverifiable(why) => {
                ours = unknown(*why);
                ("UNKNOWN", Some(&*ours))
            }
        };
        let (source_modified, target_modified) = self.times(source, target);
        record!(
            message;
            name = RECORD,
            type = "ETAG",
            status,
            key,
            source_version_id = "",
            target_version_id = "",
            source_e_tag = etag.source.as_deref().unwrap_or_default(),
            target_e_tag = etag.target.as_deref().unwrap_or_default(),
            source_last_modified = source_modified,
            target_last_modified = target_modified,
            source_size = source.size,
            target_size = target.size,
        );
    }

    fn by_checksum(&self, key: &str, checksum: &Comparison, (source, target): (&Listed, &Listed)) {
        let between_buckets = !self.source_is_local && !self.target_is_local;
        let ours;
        let mut source_size: &dyn Value = &source.size;
        let (status, message) = match &checksum.proof.verdict {
            Verdict::Verified(_) => {
                // it has the source's version there, which a bucket without versions has not
                if between_buckets {
                    source_size = &"";
                }
                ("MATCHES", None)
            }
            Verdict::Mismatch { .. } => ("MISMATCH", None),
            Verdict::Unverifiable(Why::NoChecksum) => {
                let message = if between_buckets {
                    "Unknown. Checksum not found."
                } else if self.source_is_local {
                    "Unknown. Target checksum not found."
                } else {
                    "Unknown. Source checksum not found."
                };
                ("UNKNOWN", Some(message))
            }
            Verdict::Unverifiable(why) => {
                ours = unknown(*why);
                ("UNKNOWN", Some(&*ours))
            }
        };
        // a file's is made only where there is another to compare it with
        let is_unknown = status == "UNKNOWN";
        let value = |value: &'_ Option<String>, is_local: bool| {
            let value = value.clone().filter(|_| !(is_unknown && is_local));
            value.unwrap_or_default()
        };
        let (source_modified, target_modified) = self.times(source, target);
        record!(
            message;
            name = RECORD,
            type = "CHECKSUM",
            status,
            key,
            checksum_algorithm = checksum.algorithm.as_str(),
            source_checksum = value(&checksum.source, self.source_is_local),
            target_checksum = value(&checksum.target, self.target_is_local),
            source_version_id = "",
            target_version_id = "",
            source_last_modified = source_modified,
            target_last_modified = target_modified,
            source_size,
            target_size = target.size,
        );
    }

    /// S3 tells whole seconds, a file its milliseconds.
    fn times(&self, source: &Listed, target: &Listed) -> (String, String) {
        let shown = |listed: &Listed, is_local| {
            if is_local {
                listed.modified.rfc3339_offset_millis()
            } else {
                listed.modified.rfc3339_offset()
            }
        };
        (
            shown(source, self.source_is_local),
            shown(target, self.target_is_local),
        )
    }
}

/// What the predecessor does not know: there is no record of it to be like.
fn unknown(why: Why) -> String {
    format!("Unknown. {}.", why.as_str().replace('_', " "))
}
