//! A plan for people: aligned columns, the key last, because it may contain anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Reasons;
use crate::event::{Cause, Counts, Event, Listed, Refresh, Refreshing, Rule};
use crate::object::ETag;
use crate::report::human::{self, printable};
use crate::report::schema::Report;

/// The column of reasons is this wide, or as wide as the longest filter's name.
const REASON: usize = 20;

/// How wide the column of reasons has to be for these filters.
pub(super) fn reason_width<'a>(filters: impl Iterator<Item = &'a str>) -> usize {
    filters.map(str::len).fold(REASON, usize::max)
}

/// One decision as a line, with its reason in a column of this width; not every event is one.
pub(super) fn line(event: &Event, column: &str, width: usize) -> Option<String> {
    let decision = Decision::of(event)?;
    let size = decision
        .source
        .map_or_else(|| "-".to_owned(), |source| human::bytes(source.size));
    let (action, reason) = (decision.action, decision.reason);
    let mut line = format!(
        "{column}{action:<8}  {reason:<width$}  {size:>10}  {}",
        printable(decision.key)
    );
    if let Some(message) = decision.message {
        let _ = write!(line, "  ({})", printable(&message));
    }
    line.push('\n');
    Some(line)
}

/// One decision with all that it was made by.
pub(super) fn whole(event: &Event, column: &str) -> Option<String> {
    let decision = Decision::of(event)?;
    let message = decision.message.map(|message| format!(" ({message})"));
    let mut text = format!(
        "{column}{} {}: {}{}\n",
        decision.action,
        printable(decision.key),
        decision.reason,
        printable(&message.unwrap_or_default()),
    );
    if let Event::Planned { because, .. } = event {
        let _ = writeln!(text, "{column}  why     {}", why(*because));
    }
    if let Some(source) = decision.source {
        let _ = writeln!(text, "{column}  source  {}", entry(source));
    }
    let target = match decision.target {
        There::Entry(target) => entry(target),
        There::Nothing => "no such key".to_owned(),
        There::DoesNotMatter => return Some(text),
    };
    let _ = writeln!(text, "{column}  target  {target}");
    Some(text)
}

/// What was decided in a pair.
pub(super) fn summary(counts: &Counts, reasons: &Reasons) -> String {
    let skipped = counts.skipped.iter().map(|(why, n)| (why.as_str(), *n));
    let filtered = counts.filtered.iter().map(|(by, n)| (by.filter, *n));
    sentence(
        &Sums {
            transferred: counts.transferred(),
            bytes: counts.transferred_bytes,
            filtered: by_filter(filtered),
            not_walked: counts.not_walked_total(),
            skipped: skipped.collect(),
            failed: counts.failed,
            beside: [counts.tagged, counts.annotated],
            unchanged: counts.unchanged,
            not_attempted: counts.not_attempted,
        },
        reasons,
    )
}

/// What was decided in all pairs.
pub(super) fn total(report: &Report, reasons: &Reasons) -> String {
    let counts = &report.totals.counts;
    let skipped = counts.skipped.by.iter();
    let filtered = counts.filtered.by.iter();
    let filtered = filtered.map(|by| (by.filter.as_str(), by.count));
    sentence(
        &Sums {
            transferred: counts.transferred.total,
            bytes: report.totals.bytes.transferred,
            filtered: by_filter(filtered),
            not_walked: counts.filtered.subtrees,
            skipped: skipped.map(|by| (by.reason.as_str(), by.count)).collect(),
            failed: counts.failed,
            beside: [counts.tagged, counts.annotated],
            unchanged: counts.unchanged,
            not_attempted: counts.not_attempted,
        },
        reasons,
    )
}

/// What the target has under a key.
enum There<'a> {
    Entry(&'a Listed),
    Nothing,
    DoesNotMatter,
}

/// An event that says what becomes of an object.
struct Decision<'a> {
    action: &'static str,
    reason: &'static str,
    key: &'a str,
    source: Option<&'a Listed>,
    target: There<'a>,
    message: Option<String>,
}

impl<'a> Decision<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        match event {
            Event::Planned {
                key,
                source,
                because,
                replaces,
            } => Some(Self {
                target: replaces.as_ref().map_or(There::Nothing, There::Entry),
                ..Self::new("transfer", because.as_str(), key.as_str(), Some(source))
            }),
            Event::MarkerCopied {
                key, source, hides, ..
            } => Some(Self {
                target: There::Entry(hides),
                ..Self::new("delete", "delete_marker", key.as_str(), Some(source))
            }),
            Event::Unchanged {
                key,
                source,
                target,
            } => Some(Self {
                target: There::Entry(target),
                message: Some(why_unchanged(source, target).to_owned()),
                ..Self::new("leave", "unchanged", key.as_str(), Some(source))
            }),
            Event::Undecided {
                key,
                source,
                target,
                why,
            } => Some(Self {
                target: There::Entry(target),
                message: Some(format!("its content cannot be compared: {}", why.as_str())),
                ..Self::new("leave", "undecided", key.as_str(), Some(source))
            }),
            Event::Filtered {
                key, source, by, ..
            } => Some(Self {
                message: Some(what_it_says(by)),
                ..Self::new("filter", by.filter, key, source.as_ref())
            }),
            Event::NotWalked { name, by } => Some(Self {
                message: Some(format!(
                    "{}; nothing below it is looked at",
                    what_it_says(by)
                )),
                ..Self::new("filter", by.filter, name, None)
            }),
            Event::Skipped {
                key,
                source,
                reason,
                message,
            } => Some(Self {
                message: message.clone(),
                ..Self::new("skip", reason.as_str(), key, source.as_ref())
            }),
            Event::Failed {
                key,
                source,
                reason,
                error,
                ..
            } => Some(Self {
                message: Some(error.to_string()),
                ..Self::new("fail", reason.as_str(), key.as_str(), source.as_ref())
            }),
            Event::Refreshed(refreshed) => {
                let (action, reason) = match (refreshed.what, refreshed.outcome) {
                    (_, Refreshing::Denied) => ("leave", "tags_denied"),
                    (Refresh::Tags, _) => ("tag", "tags_differ"),
                    (Refresh::Annotations { .. }, _) => ("annotate", "annotations_differ"),
                };
                Some(Self {
                    target: There::Entry(&refreshed.target),
                    ..Self::new(
                        action,
                        reason,
                        refreshed.key.as_str(),
                        Some(&refreshed.source),
                    )
                })
            }
            Event::SubtreeUnreadable { name, .. } => {
                Some(Self::new("skip", "unreadable_directory", name, None))
            }
            Event::Transferred { .. }
            | Event::FilteredMany { .. }
            | Event::Annotated(_)
            | Event::Compared(_)
            | Event::NotAttempted { .. }
            | Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::OneObject { .. }
            | Event::UnchangedMany { .. }
            | Event::PairFailed { .. }
            | Event::Warning { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. }
            | Event::GuaranteeLost { .. } => None,
        }
    }

    fn new(
        action: &'static str,
        reason: &'static str,
        key: &'a str,
        source: Option<&'a Listed>,
    ) -> Self {
        Self {
            action,
            reason,
            key,
            source,
            target: There::DoesNotMatter,
            message: None,
        }
    }
}

/// What a filter says and where, without the option's name, which is the reason.
fn what_it_says(by: &Rule) -> String {
    format!("{}, {}", by.value, by.origin)
}

/// What the comparison found out.
fn why(because: Cause) -> &'static str {
    match because {
        Cause::Missing => "the target does not have it",
        Cause::Newer => "the source is newer, in whole seconds",
        Cause::SizeDiffers => "the sizes differ",
        Cause::ETagDiffers => "the ETags tell that the content is not the same",
        Cause::ChecksumDiffers => "the checksums tell that the content is not the same",
        Cause::Undecided => "nothing tells whether the content is the same",
        Cause::Forced => "everything goes, whatever the target has (check.mode)",
        Cause::Distrusted => "what an earlier run left there is damaged, or was not proved",
    }
}

/// Times compare in whole seconds; the sizes are the same.
fn why_unchanged(source: &Listed, target: &Listed) -> &'static str {
    if source.version.is_some() && target.version.is_some() {
        return "this version was brought over before";
    }
    match source.modified.seconds().cmp(&target.modified.seconds()) {
        std::cmp::Ordering::Less => "same size, and the source is older",
        std::cmp::Ordering::Equal => "same size, same second, and no difference is known",
        std::cmp::Ordering::Greater => {
            "same size, and the target was made of a source of this time"
        }
    }
}

fn entry(listed: &Listed) -> String {
    let Listed {
        size,
        modified,
        etag,
        version,
    } = listed;
    let noun = if *size == 1 { "byte" } else { "bytes" };
    let etag = etag.as_ref().map_or_else(
        || "no ETag".to_owned(),
        |etag| format!("ETag {}", quoted(etag)),
    );
    let version = version
        .as_ref()
        .map_or_else(String::new, |id| format!(", version {}", printable(id)));
    format!(
        "{} {noun}, {modified:?}, {etag}{version}",
        human::count(*size)
    )
}

fn quoted(etag: &ETag) -> String {
    printable(&etag.quoted())
}

struct Sums<'a> {
    transferred: u64,
    bytes: u64,
    /// By option, whatever it says.
    filtered: BTreeMap<&'a str, u64>,
    not_walked: u64,
    skipped: Vec<(&'a str, u64)>,
    failed: u64,
    /// Of the unchanged: whose tags, and whose annotations, are to be brought up to date.
    beside: [u64; 2],
    unchanged: u64,
    not_attempted: u64,
}

/// Options have several values, and pairs have the same options.
fn by_filter<'a>(each: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    let mut sums = BTreeMap::new();
    for (filter, count) in each.filter(|(_, count)| *count > 0) {
        *sums.entry(filter).or_default() += count;
    }
    sums
}

fn sentence(sums: &Sums<'_>, reasons: &Reasons) -> String {
    let mut parts = Vec::new();
    if sums.transferred == 0 {
        parts.push("nothing to transfer".to_owned());
    } else {
        let by = reasons.iter().map(|(why, (n, _))| (why.as_str(), *n));
        parts.push(format!(
            "{} to transfer, {} ({})",
            human::count(sums.transferred),
            human::bytes(sums.bytes),
            list(by),
        ));
    }
    if !sums.filtered.is_empty() {
        let total = sums.filtered.values().sum();
        let by = list(sums.filtered.iter().map(|(by, n)| (*by, *n)));
        parts.push(format!("{} filtered ({by})", human::count(total)));
    }
    if sums.not_walked > 0 {
        let noun = if sums.not_walked == 1 {
            "directory"
        } else {
            "directories"
        };
        let number = human::count(sums.not_walked);
        parts.push(format!("{number} {noun} left out whole"));
    }
    if !sums.skipped.is_empty() {
        let total = sums.skipped.iter().map(|(_, n)| n).sum();
        let by = list(sums.skipped.iter().copied());
        parts.push(format!("{} skipped ({by})", human::count(total)));
    }
    for (number, what) in [
        (sums.failed, "failed"),
        (sums.not_attempted, "not looked at"),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", human::count(number)));
        }
    }
    let beside = sums.beside.into_iter().zip(["to tag", "to annotate"]);
    let beside: Vec<String> = beside
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", human::count(number)))
        .collect();
    let mut unchanged = format!("{} unchanged", human::count(sums.unchanged));
    if !beside.is_empty() {
        let _ = write!(unchanged, " ({})", beside.join(", "));
    }
    parts.push(unchanged);
    parts.join("; ")
}

fn list<'a>(by: impl Iterator<Item = (&'a str, u64)>) -> String {
    let each: Vec<_> = by
        .map(|(why, n)| format!("{} {why}", human::count(n)))
        .collect();
    each.join(", ")
}
