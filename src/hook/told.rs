//! What users hear of what happens: our events as s3sync 1.x has them.

use std::sync::Arc;

use super::{AtEnd, EventKind, EventStats, HookEvent, WrittenBytes};
use crate::config::{By, CheckMode, Pair, TargetSpec, Versions};
use crate::digest::{Axis, Proof, Verdict};
use crate::event::{
    Annotated, Archived, Compared, Conduct, Damaged, Event, Fate, Listed, Refreshing, Rule,
    Sameness, SkipReason, Tagged, Tally, Warned, Wrote,
};
use crate::store::Settled;

/// What the events of a pair are told with.
#[derive(Debug)]
pub(super) struct Telling {
    pair: Arc<str>,
    run_id: Arc<str>,
    dry_run: bool,
    warned: Warned,
    /// Why an unchanged object is left as it is.
    unchanged: &'static str,
    /// What whole keys of the target begin with; `None` of a directory.
    prefix: Option<String>,
}

impl Telling {
    pub(super) fn new(pair: &Pair, run_id: &str, dry_run: bool, warned: Warned) -> Self {
        Self {
            pair: pair.name.as_str().into(),
            run_id: run_id.into(),
            dry_run,
            warned,
            unchanged: unchanged(pair),
            prefix: match &pair.target {
                TargetSpec::Local(_) => None,
                TargetSpec::S3(s3) => Some(s3.location.prefix.clone()),
            },
        }
    }

    /// Tells what 1.x tells of an event: nothing, one thing or several.
    pub(super) fn of(&self, event: &Event, mut tell: impl FnMut(HookEvent)) {
        match event {
            Event::Started { key, source } => {
                let started = self.about(EventKind::SyncStart, key.as_str());
                tell(HookEvent {
                    source: AtEnd {
                        version: source.version.clone(),
                        ..AtEnd::default()
                    },
                    ..started
                });
            }
            Event::Wrote(wrote) => tell(self.wrote(wrote)),
            Event::Damaged(damaged) => tell(self.damaged(damaged)),
            Event::Transferred { settled, conduct } => self.transferred(settled, conduct, tell),
            Event::Planned { key, source, .. } => {
                let complete = self.about(EventKind::SyncComplete, key.as_str());
                tell(HookEvent {
                    source: source.into(),
                    target: AtEnd {
                        size: Some(source.size),
                        ..AtEnd::default()
                    },
                    ..complete
                });
            }
            Event::MarkerCopied {
                key,
                source,
                marker,
                ..
            } => {
                let mut deleted = self.about(EventKind::SyncDelete, key.as_str());
                deleted.source.version.clone_from(&source.version);
                deleted.target.version.clone_from(marker);
                tell(deleted);
            }
            Event::Unchanged {
                key,
                source,
                target,
            } => {
                let message = self.unchanged;
                tell(self.filtered(key.as_str(), Some(source), Some(target), message));
            }
            Event::Undecided {
                key,
                source,
                target,
                why,
            } => tell(HookEvent {
                source: source.into(),
                target: target.into(),
                ..self.warning(
                    Some(key.as_str()),
                    format!(
                        "Object filtered. Its content cannot be compared: {}",
                        why.as_str()
                    ),
                )
            }),
            Event::Filtered {
                key,
                source,
                by,
                seen,
            } => {
                let mut event = self.filtered(key, source.as_ref(), None, &by_rule(by));
                if seen.is_some() {
                    field_of(by, &mut event).clone_from(seen);
                }
                tell(event);
            }
            // one event for all that is below it: nobody knows what is
            Event::NotWalked { name, by } => {
                tell(self.filtered(name, None, None, &by_rule(by)));
            }
            Event::Skipped {
                key,
                source,
                reason,
                ..
            } => {
                if let Some(event) = self.skipped(key, source.as_ref(), *reason) {
                    tell(event);
                }
            }
            Event::Failed {
                key,
                source,
                reason,
                error,
                ..
            } => tell(HookEvent {
                source: source.as_ref().map(Into::into).unwrap_or_default(),
                ..self.warning(
                    Some(key.as_str()),
                    format!("failed ({}): {error}", reason.as_str()),
                )
            }),
            Event::Compared(compared) => tell(self.compared(compared)),
            Event::Annotated(annotated) => tell(self.annotated(annotated)),
            Event::Refreshed(refreshed) => {
                if refreshed.outcome == Refreshing::Denied {
                    let key = Some(refreshed.key.as_str());
                    let message = "its tags are left as they are: they may not be read";
                    tell(self.warning(key, message.to_owned()));
                }
            }
            Event::SubtreeUnreadable { name, .. } => tell(self.warning(
                Some(name),
                "the directory cannot be read; nothing below it was looked at".to_owned(),
            )),
            Event::Warning { message } => tell(self.warning(None, message.clone())),
            // the end of the pair tells of it, and what is left has no event in 1.x
            Event::PairFailed { .. }
            | Event::OneObject { .. }
            | Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::UnchangedMany { .. }
            | Event::FilteredMany { .. }
            | Event::NotAttempted { .. }
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. }
            | Event::GuaranteeLost { .. } => {}
        }
    }

    /// That the pair begins, or ends.
    pub(super) fn plain(&self, kind: EventKind) -> HookEvent {
        HookEvent {
            dry_run: self.dry_run,
            ..HookEvent::new(kind, Arc::clone(&self.pair), Arc::clone(&self.run_id))
        }
    }

    /// That the pair failed.
    pub(super) fn error(&self, message: String) -> HookEvent {
        HookEvent {
            message: Some(message),
            ..self.plain(EventKind::PipelineError)
        }
    }

    /// What the pair came to.
    pub(super) fn stats(&self, stats: EventStats) -> HookEvent {
        HookEvent {
            stats: Some(Box::new(stats)),
            ..self.plain(EventKind::StatsReport)
        }
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn about(&self, kind: EventKind, key: &str) -> HookEvent {
        HookEvent {
            key: Some(key.to_owned()),
            ..self.plain(kind)
        }
    }

    /// About an object that is written.
    fn written(&self, kind: EventKind, key: &str) -> HookEvent {
        let prefix = self.prefix.as_ref();
        HookEvent {
            target_key: prefix.map(|prefix| format!("{prefix}{key}")),
            ..self.about(kind, key)
        }
    }

    fn warning(&self, key: Option<&str>, message: String) -> HookEvent {
        HookEvent {
            key: key.map(str::to_owned),
            message: Some(message),
            ..self.plain(EventKind::SyncWarning)
        }
    }

    fn filtered(
        &self,
        key: &str,
        source: Option<&Listed>,
        target: Option<&Listed>,
        message: &str,
    ) -> HookEvent {
        HookEvent {
            source: source.map(AtEnd::from).unwrap_or_default(),
            target: target.map(AtEnd::from).unwrap_or_default(),
            message: Some(message.to_owned()),
            ..self.about(EventKind::SyncFiltered, key)
        }
    }

    fn wrote(&self, wrote: &Wrote) -> HookEvent {
        HookEvent {
            source: AtEnd {
                version: wrote.source_version.clone(),
                size: Some(wrote.size),
                ..AtEnd::default()
            },
            written: Some(WrittenBytes {
                bytes: wrote.bytes,
                upload_id: wrote.upload_id.clone(),
                part_number: wrote.part,
            }),
            ..self.written(EventKind::SyncWrite, wrote.key.as_str())
        }
    }

    fn transferred(&self, settled: &Settled, conduct: &Conduct, mut tell: impl FnMut(HookEvent)) {
        let (source, stored) = (settled.source(), settled.stored());
        let key = source.key.as_str();
        let integrity = settled.integrity();
        let complete = HookEvent {
            source: AtEnd {
                version: source.version.clone(),
                modified: Some(source.modified),
                size: Some(source.size),
                etag: source.etag.as_ref().map(ToString::to_string),
                checksum: None,
            },
            target: AtEnd {
                version: stored.version.clone(),
                size: Some(stored.size),
                ..AtEnd::default()
            },
            ..self.written(EventKind::SyncComplete, key)
        };
        let mut verified = complete.clone();
        tell(complete);
        if let Some(Proof {
            verdict: Verdict::Verified(etag),
            ..
        }) = &integrity.etag
        {
            verified.kind = EventKind::SyncETagVerified;
            verified.source.etag = Some(etag.etag_text());
            verified.target.etag = Some(etag.etag_text());
            tell(verified.clone());
        }
        if let Some(Proof {
            verdict: Verdict::Verified(checksum),
            ..
        }) = &integrity.checksum
        {
            verified.kind = EventKind::SyncChecksumVerified;
            verified.checksum_algorithm = Some(checksum.algorithm());
            verified.source.checksum = Some(checksum.to_string());
            verified.target.checksum = Some(checksum.to_string());
            tell(verified);
        }
        if let Verdict::Unverifiable(why) = integrity.verdict()
            && self.warned.of_unproved(why)
        {
            let message = format!("nothing could be proved of it: {}", why.as_str());
            tell(self.warning(Some(key), message));
        }
        if conduct.is_untagged {
            let message = "transferred without its tags, which may not be read";
            tell(self.warning(Some(key), message.to_owned()));
        }
    }

    fn damaged(&self, damaged: &Damaged) -> HookEvent {
        let mismatch = &damaged.mismatch;
        let kind = match mismatch.axis {
            Axis::ETag => EventKind::SyncETagMismatch,
            Axis::Checksum => EventKind::SyncChecksumMismatch,
        };
        let mut event = self.written(kind, damaged.key.as_str());
        event.source = AtEnd::from(&damaged.source);
        event.target = AtEnd {
            version: damaged
                .stored
                .as_ref()
                .and_then(|stored| stored.version.clone()),
            size: Some(
                damaged
                    .stored
                    .as_ref()
                    .map_or(damaged.source.size, |it| it.size),
            ),
            ..AtEnd::default()
        };
        match mismatch.axis {
            Axis::ETag => {
                event.source.etag = Some(mismatch.sent.etag_text());
                event.target.etag = Some(mismatch.stored.etag_text());
            }
            Axis::Checksum => {
                let stored = damaged.stored.as_ref();
                let etag = stored.and_then(|stored| stored.etag.as_ref());
                event.target.etag = etag.map(ToString::to_string);
                event.checksum_algorithm = Some(mismatch.sent.algorithm());
                event.source.checksum = Some(mismatch.sent.to_string());
                event.target.checksum = Some(mismatch.stored.to_string());
            }
        }
        event
    }

    fn skipped(&self, key: &str, source: Option<&Listed>, reason: SkipReason) -> Option<HookEvent> {
        let event = match as_in_1(reason) {
            Untransferred::Cancelled => self.about(EventKind::SyncCancel, key),
            // the directory is made; 1.x is as silent
            Untransferred::Silent => return None,
            Untransferred::Filtered(words) => self.filtered(key, source, None, words),
            Untransferred::Warned(_)
                if reason == SkipReason::Archived && self.warned.archived == Archived::IsKnown =>
            {
                self.filtered(key, source, None, "archived")
            }
            Untransferred::Warned(words) => self.warning(Some(key), words.to_owned()),
        };
        Some(HookEvent {
            source: source.map(AtEnd::from).unwrap_or_default(),
            ..event
        })
    }

    fn compared(&self, compared: &Compared) -> HookEvent {
        let key = compared.key.as_str();
        let (source, target) = (compared.source.as_ref(), compared.target.as_ref());
        let mut event = match compared.sameness() {
            Sameness::Matches => {
                let by = match &compared.likeness {
                    Some(likeness) if likeness.checksum.is_some() => SAME_CHECKSUM,
                    Some(likeness) if likeness.etag.is_some() => SAME_ETAG,
                    Some(_) | None => SAME_SIZE,
                };
                self.filtered(key, source, target, by)
            }
            Sameness::Mismatch
            | Sameness::NotFound
            | Sameness::OnlyInTarget
            | Sameness::UnreadableDirectory
            | Sameness::Unknown => HookEvent {
                source: source.map(AtEnd::from).unwrap_or_default(),
                target: target.map(AtEnd::from).unwrap_or_default(),
                ..self.warning(Some(key), compared.to_string())
            },
        };
        let checksum = (compared.likeness.as_ref()).and_then(|likeness| likeness.checksum.as_ref());
        if let Some(checksum) = checksum {
            event.checksum_algorithm = Some(checksum.algorithm);
            event.source.checksum.clone_from(&checksum.source);
            event.target.checksum.clone_from(&checksum.target);
        }
        event
    }

    fn annotated(&self, annotated: &Annotated) -> HookEvent {
        let (kind, tagged) = match &annotated.fate {
            Fate::Written(tagged) => (EventKind::SyncWrite, Some(tagged)),
            Fate::Verified(tagged) => (EventKind::SyncAnnotationETagVerified, Some(tagged)),
            Fate::Mismatched(tagged) => (EventKind::SyncAnnotationETagMismatch, Some(tagged)),
            Fate::Removed => (EventKind::SyncAnnotationDeleted, None),
        };
        let mut event = self.written(kind, annotated.key.as_str());
        event.annotation = Some(annotated.name.clone());
        event.source.version.clone_from(&annotated.source_version);
        event.target.version.clone_from(&annotated.target_version);
        if let Some(Tagged {
            size,
            source,
            target,
        }) = tagged
        {
            event.target.size = Some(*size);
            if kind == EventKind::SyncWrite {
                event.source.size = Some(*size);
                event.written = Some(WrittenBytes {
                    bytes: *size,
                    upload_id: None,
                    part_number: None,
                });
            } else {
                event.source.etag = source.as_ref().map(ToString::to_string);
                event.target.etag = target.as_ref().map(ToString::to_string);
            }
        }
        event
    }
}

impl From<&Listed> for AtEnd {
    fn from(listed: &Listed) -> Self {
        Self {
            version: listed.version.clone(),
            modified: Some(listed.modified),
            size: Some(listed.size),
            etag: listed.etag.as_ref().map(ToString::to_string),
            checksum: None,
        }
    }
}

impl EventStats {
    /// The figures of a tally, in a pair that took this long.
    pub(super) fn of(tally: &Tally, duration: std::time::Duration, dry_run: bool) -> Self {
        let counts = &tally.counts;
        // 1.x counts what it tells as filtered
        let is_filtered =
            |reason: &SkipReason| matches!(as_in_1(*reason), Untransferred::Filtered(_));
        let left_out = counts.skipped.iter();
        let left_out = left_out.filter(|(reason, _)| is_filtered(reason));
        let each_second = |count: u64| {
            let seconds = duration.as_secs_f64();
            match (dry_run, seconds > 1.0) {
                (true, _) => 0,
                (false, false) => count,
                (false, true) => (count as f64 / seconds) as u64,
            }
        };
        Self {
            transferred_bytes: counts.transferred_bytes,
            transferred: counts.transferred(),
            etag_verified: counts.verified.etag.matched,
            etag_mismatch: counts.verified.etag.mismatched,
            checksum_verified: counts.verified.checksum.matched,
            checksum_mismatch: counts.verified.checksum.mismatched,
            deleted: counts.markers_copied,
            skipped: counts.unchanged
                + counts.filtered_total()
                + left_out.map(|(_, count)| count).sum::<u64>()
                + counts.compared.matches,
            errors: counts.errors,
            warnings: counts.warnings,
            duration,
            bytes_per_second: each_second(counts.transferred_bytes),
            objects_per_second: each_second(counts.transferred()),
        }
    }
}

const SAME_SIZE: &str = "Object filtered. Same size";
const SAME_ETAG: &str = "Object filtered. ETags are same.";
const SAME_CHECKSUM: &str = "Object filtered. Checksums are same.";

/// What 1.x says of an object that the target has already.
fn unchanged(pair: &Pair) -> &'static str {
    if pair.versions == Versions::All {
        return "Object filtered. This version already synced.";
    }
    match (pair.check.mode, pair.check.head_each_target) {
        (CheckMode::Content(By::ETag) | CheckMode::MtimeAndContent(By::ETag), _) => SAME_ETAG,
        (CheckMode::Content(By::Checksum(_)) | CheckMode::MtimeAndContent(By::Checksum(_)), _) => {
            SAME_CHECKSUM
        }
        (CheckMode::Size, true) => SAME_SIZE,
        (CheckMode::Mtime, true) => "Object filtered. The target is newer",
        (CheckMode::Size | CheckMode::Mtime, false) | (CheckMode::Always, _) => {
            "Filtered by last modified time or size or etag(not modified)"
        }
    }
}

/// The filters that 1.x has, which it calls by their flags.
const FILTERS_OF_1: [&str; 12] = [
    "filter.mtime_before",
    "filter.mtime_after",
    "filter.smaller_size",
    "filter.larger_size",
    "filter.include_regex",
    "filter.exclude_regex",
    "filter.include_content_type_regex",
    "filter.exclude_content_type_regex",
    "filter.include_metadata_regex",
    "filter.exclude_metadata_regex",
    "filter.include_tag_regex",
    "filter.exclude_tag_regex",
];

/// What 1.x says of what a filter keeps out; filters that it does not have are called by their
/// path.
fn by_rule(rule: &Rule) -> String {
    let filter = rule.filter;
    if FILTERS_OF_1.contains(&filter) {
        format!("Filtered by --{}", filter.replace(['.', '_'], "-"))
    } else if filter.starts_with("filter.") {
        format!("Filtered by {filter}")
    } else {
        "Object filtered by user defined filter".to_owned()
    }
}

/// Where an event has what a filter looked at.
fn field_of<'e>(by: &Rule, event: &'e mut HookEvent) -> &'e mut Option<String> {
    match by.filter {
        "filter.include_content_type_regex" | "filter.exclude_content_type_regex" => {
            &mut event.source_content_type
        }
        "filter.include_metadata_regex" | "filter.exclude_metadata_regex" => {
            &mut event.source_user_metadata
        }
        _ => &mut event.source_tagging,
    }
}

/// What 1.x makes of an object that is left out.
enum Untransferred {
    Cancelled,
    Filtered(&'static str),
    Warned(&'static str),
    Silent,
}

fn as_in_1(reason: SkipReason) -> Untransferred {
    use Untransferred::{Cancelled, Filtered, Silent, Warned};
    match reason {
        SkipReason::LuaCancelled | SkipReason::HookCancelled => Cancelled,
        SkipReason::DirectoryMarker => Silent,
        SkipReason::KeyIsPrefix => Filtered("Key that is same as prefix is skipped."),
        SkipReason::IncompatibleKey => Filtered(
            "skip directory name suffix and non zero size object that is incompatible for local storage",
        ),
        SkipReason::SpecialFile => Filtered("a fifo, socket or device is skipped."),
        SkipReason::SourceVanished | SkipReason::NotFound => Warned("object not found. skipping."),
        SkipReason::AccessDenied => Warned("access denied. skipping."),
        SkipReason::UnreadableFile => Warned("the file may not be read. skipping."),
        SkipReason::NotUtf8Name => Warned("the name is not UTF-8. skipping."),
        SkipReason::UnsafeKey => Warned("object references a current/parent directory."),
        SkipReason::ShadowedKey => Warned("another key maps to the same path. skipping."),
        SkipReason::Archived => Warned("Glacier InvalidObjectState. Skipping."),
        SkipReason::PreconditionFailed => {
            Warned("precondition(if-match/if-none-match/copy-source-if-match) failed. skipping.")
        }
        SkipReason::OutOfOrder => Warned("the target has a later version of it. skipping."),
    }
}
