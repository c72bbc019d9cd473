//! The fold itself: what every event adds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Counts, PerSide, Sample, Samples, Traffic};
use crate::digest::{Proof, Verdict, Why};
use crate::event::{
    Compared, Conduct, Deletion, Event, FailReason, Judged, Outcome, Refresh, Refreshed,
    Refreshing, Rule, SkipReason, Warned,
};
use crate::store::{Settled, StoreError};

/// More lost guarantees than this are not kept: an endpoint has only so many gaps.
const MAX_LOST: usize = 100;

/// Everything that is counted of one pair.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Objects by outcome.
    pub counts: Counts,
    /// Requests, retries, times, throughput.
    pub traffic: Traffic,
    /// How long the listings took, where they are complete.
    pub listing: PerSide<Option<Duration>>,
    /// What the endpoints could not do.
    pub guarantees_lost: BTreeSet<Lost>,
    /// The first warnings.
    pub warnings: Samples,
    /// The first errors.
    pub errors: Samples,
    /// What was decided on deleting, once it was.
    pub judged: Option<Judged>,
    /// When that was, and when the last of the deletions ended, since the pair began.
    deleting: Option<(Duration, Duration)>,
    warned: Warned,
}

/// Something an endpoint could not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(warned: Warned) -> Self {
        Self {
            warned,
            ..Self::default()
        }
    }

    /// Adds one event that happened `at` this time since the pair began.
    pub fn fold(&mut self, event: &Event, at: Duration) {
        match event {
            Event::Listed {
                side,
                entries,
                odd: _,
                bytes,
            } => {
                *self.counts.listed.of(*side) += entries;
                *self.counts.listed_bytes.of(*side) += bytes;
            }
            Event::Relisted { entries, bytes } => {
                let (listed, sum) = (&mut self.counts.listed, &mut self.counts.listed_bytes);
                listed.source = listed.source.saturating_sub(*entries);
                sum.source = sum.source.saturating_sub(*bytes);
                (listed.target, sum.target) = (0, 0);
                self.listing = PerSide::default();
            }
            Event::ListingDone { side, elapsed } => *self.listing.of(*side) = Some(*elapsed),
            Event::Unchanged { .. } => self.counts.unchanged += 1,
            Event::Undecided { key, why, .. } => self.undecided(key.as_str(), *why),
            Event::Refreshed(refreshed) => self.refreshed(refreshed),
            Event::Compared(compared) => self.compared(compared, at),
            Event::UnchangedMany { count } => self.counts.unchanged += count,
            Event::Transferred { settled, conduct } => self.transferred(settled, conduct, at),
            Event::Planned {
                source, replaces, ..
            } => self.moved_one(source.size, replaces.is_some()),
            Event::MarkerCopied { .. } => self.counts.markers_copied += 1,
            Event::Deletion(deletion) => self.deletion(deletion, at),
            Event::Judged(judged) => self.judged(judged, at),
            Event::Filtered { by, .. } => add(&mut self.counts.filtered, by, 1),
            Event::FilteredMany { count, by } => add(&mut self.counts.filtered, by, *count),
            Event::NotWalked { by, .. } => add(&mut self.counts.not_walked, by, 1),
            Event::Skipped {
                key,
                reason,
                message,
                ..
            } => self.skipped(key, *reason, message.as_deref()),
            Event::Failed {
                key,
                reason,
                error,
                attempts,
                ..
            } => self.failed(key.as_str(), *reason, error, *attempts),
            Event::NotAttempted { .. } => self.counts.not_attempted += 1,
            Event::SubtreeUnreadable { name, .. } => self.warn(|| Sample {
                key: Some(name.clone()),
                code: Some("unreadable_directory".to_owned()),
                message: "the directory cannot be read; nothing below it was looked at".to_owned(),
                ..Sample::default()
            }),
            Event::PairFailed { error, .. } => {
                self.counts.errors += 1;
                let subject = Some(error.subject.as_str()).filter(|subject| !subject.is_empty());
                self.errors.keep(|| Sample::of_error(subject, error));
            }
            Event::Warning { message } => self.warn(|| Sample {
                message: message.clone(),
                ..Sample::default()
            }),
            // what became of the object is told by its own event
            Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Annotated(_)
            | Event::OneObject { .. } => {}
            Event::Moved { bytes } => {
                self.traffic.moved += bytes;
                self.traffic.series.add(at, *bytes, 0);
            }
            Event::Request {
                operation,
                status,
                elapsed,
            } => self.traffic.request(operation, *status, *elapsed),
            Event::Retried { code, wait, .. } => self.traffic.retried(code, *wait),
            Event::GuaranteeLost { what, why } => {
                if self.guarantees_lost.len() < MAX_LOST {
                    self.guarantees_lost.insert(Lost {
                        what: what.clone(),
                        why: why.clone(),
                    });
                }
            }
        }
    }

    fn transferred(&mut self, settled: &Settled, conduct: &Conduct, at: Duration) {
        self.moved_one(settled.source().size, conduct.replaced);
        self.counts.server_side_copied += u64::from(conduct.server_side);
        self.traffic.objects_retried += u64::from(conduct.attempts > 1);
        self.traffic.object_latency.record(conduct.elapsed);
        self.traffic.series.add(at, 0, 1);
        let integrity = settled.integrity();
        let verified = &mut self.counts.verified;
        for (proof, axis) in [
            (&integrity.etag, &mut verified.etag),
            (&integrity.checksum, &mut verified.checksum),
        ] {
            match proof.as_ref().map(|proof| &proof.verdict) {
                Some(Verdict::Verified(_)) => axis.matched += 1,
                Some(Verdict::Mismatch { .. }) => axis.mismatched += 1,
                Some(Verdict::Unverifiable(Why::SwitchedOff)) | None => {}
                Some(Verdict::Unverifiable(_)) => axis.not_verifiable += 1,
            }
        }
        if let Some(Proof {
            verdict: Verdict::Verified(checksum),
            ..
        }) = &integrity.checksum
        {
            verified.algorithm = Some(checksum.algorithm());
        }
        match integrity.verdict() {
            Verdict::Verified(_) => verified.objects += 1,
            Verdict::Unverifiable(why) => {
                self.not_verifiable(settled.source().key.as_str(), why);
            }
            Verdict::Mismatch { .. } => unreachable!("a mismatch cannot be settled"),
        }
        if conduct.is_untagged {
            self.tags_denied(
                settled.source().key.as_str(),
                "transferred without its tags, which may not be read",
            );
        }
    }

    fn judged(&mut self, judged: &Judged, at: Duration) {
        self.counts.deletions.judged(judged);
        self.deleting = Some((at, at));
        self.judged = Some(judged.clone());
    }

    fn deletion(&mut self, deletion: &Deletion, at: Duration) {
        self.counts.deletions.count(&deletion.outcome);
        if let Some((_, last)) = &mut self.deleting {
            *last = at;
        }
        let key = deletion.key.as_str();
        match &deletion.outcome {
            Outcome::Failed(reason, error) => {
                self.counts.errors += 1;
                self.errors.keep(|| Sample {
                    code: error
                        .code
                        .clone()
                        .or_else(|| Some(reason.as_str().to_owned())),
                    ..Sample::of_error(Some(key), error)
                });
            }
            Outcome::Changed(error) => self.warn(|| Sample {
                code: Some(SkipReason::PreconditionFailed.as_str().to_owned()),
                ..Sample::of_error(Some(key), error)
            }),
            Outcome::Planned
            | Outcome::Removed(_)
            | Outcome::Withheld(_)
            | Outcome::NotAttempted => {}
        }
    }

    /// How long the deletions took, if there was anything to decide.
    pub fn deleting(&self) -> Option<Duration> {
        self.deleting.map(|(from, to)| to.saturating_sub(from))
    }

    fn refreshed(&mut self, refreshed: &Refreshed) {
        match (refreshed.outcome, refreshed.what) {
            (Refreshing::Denied, _) => self.tags_denied(
                refreshed.key.as_str(),
                "its tags are left as they are: they may not be read",
            ),
            (Refreshing::Done | Refreshing::Planned, Refresh::Tags) => self.counts.tagged += 1,
            (Refreshing::Done | Refreshing::Planned, Refresh::Annotations { .. }) => {
                self.counts.annotated += 1;
            }
        }
    }

    fn tags_denied(&mut self, key: &str, message: &str) {
        self.warn(|| Sample {
            key: Some(key.to_owned()),
            code: Some("tags_denied".to_owned()),
            message: message.to_owned(),
            ..Sample::default()
        });
    }

    fn compared(&mut self, compared: &Compared, at: Duration) {
        self.counts.compared.count(compared);
        self.traffic.object_latency.record(compared.elapsed);
        self.traffic.series.add(at, 0, 1);
        if compared.sameness().is_warning(self.warned.unverifiable) {
            self.warn(|| Sample {
                key: Some(compared.key.as_str().to_owned()),
                code: Some(compared.sameness().as_str().to_owned()),
                message: compared.to_string(),
                ..Sample::default()
            });
        }
    }

    fn moved_one(&mut self, size: u64, replaced: bool) {
        let count = if replaced {
            &mut self.counts.updated
        } else {
            &mut self.counts.created
        };
        *count += 1;
        self.counts.transferred_bytes += size;
    }

    fn not_verifiable(&mut self, key: &str, why: Why) {
        let by = &mut self.counts.verified.not_verifiable_by;
        *by.entry(why).or_default() += 1;
        if self.warned.of_unproved(why) {
            self.warn(|| Sample {
                key: Some(key.to_owned()),
                code: Some(why.as_str().to_owned()),
                message: "transferred, but nothing could be proved of it".to_owned(),
                ..Sample::default()
            });
        }
    }

    fn undecided(&mut self, key: &str, why: Why) {
        self.counts.unchanged += 1;
        self.warn(|| Sample {
            key: Some(key.to_owned()),
            code: Some(why.as_str().to_owned()),
            message: "left as it is: of equal size, and its content cannot be compared".to_owned(),
            ..Sample::default()
        });
    }

    fn skipped(&mut self, key: &str, reason: SkipReason, message: Option<&str>) {
        *self.counts.skipped.entry(reason).or_default() += 1;
        if self.warned.of_skipped(reason) {
            self.warn(|| Sample {
                key: Some(key.to_owned()),
                code: Some(reason.as_str().to_owned()),
                message: message.unwrap_or("skipped").to_owned(),
                ..Sample::default()
            });
        }
    }

    fn failed(&mut self, key: &str, reason: FailReason, error: &StoreError, attempts: u32) {
        self.counts.failed += 1;
        self.counts.errors += 1;
        self.traffic.objects_retried += u64::from(attempts > 1);
        match reason {
            FailReason::ETagMismatch => self.counts.verified.etag.mismatched += 1,
            FailReason::ChecksumMismatch => self.counts.verified.checksum.mismatched += 1,
            FailReason::SourceChanged
            | FailReason::NoSpace
            | FailReason::RetriesExhausted
            | FailReason::Unverifiable
            | FailReason::LuaError
            | FailReason::HookError
            | FailReason::TagsDenied
            | FailReason::Annotations
            | FailReason::Other => {}
        }
        self.errors.keep(|| Sample {
            code: error
                .code
                .clone()
                .or_else(|| Some(reason.as_str().to_owned())),
            ..Sample::of_error(Some(key), error)
        });
    }

    fn warn(&mut self, sample: impl FnOnce() -> Sample) {
        self.counts.warnings += 1;
        self.warnings.keep(sample);
    }
}

fn add(counts: &mut BTreeMap<Arc<Rule>, u64>, by: &Arc<Rule>, more: u64) {
    match counts.get_mut(by) {
        Some(count) => *count += more,
        None => _ = counts.insert(Arc::clone(by), more),
    }
}

#[cfg(test)]
mod tests;
