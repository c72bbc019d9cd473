//! Two entries of one key: is the source to be brought over?

use std::cmp::Ordering;

use super::{Decision, Direction, Examine, Leave, Question, Rules, Transfer};
use crate::config::{By, CheckMode};
use crate::event::Cause;
use crate::object::{ETag, Entry};

/// Decides by what both listings say. Times compare in whole seconds, as S3 keeps them.
pub(super) fn compare(rules: &Rules, source: Entry, target: Option<Entry>) -> Decision {
    let Some(target) = target else {
        if rules.check.head_each_target {
            return examine(source, None, Question::Target);
        }
        return transfer(source, None, Cause::Missing);
    };
    decide(rules, source, target)
}

/// Decides on a key that both sides have.
pub(super) fn decide(rules: &Rules, source: Entry, target: Entry) -> Decision {
    if rules.check.mode == CheckMode::Always {
        return transfer(source, Some(&target), Cause::Forced);
    }
    if source.size != target.size {
        return transfer(source, Some(&target), Cause::SizeDiffers);
    }
    match rules.check.mode {
        CheckMode::Mtime => by_time(rules, source, target),
        CheckMode::Size | CheckMode::Always => unchanged(source, target),
        CheckMode::Content(by) => by_content(by, source, target),
        CheckMode::MtimeAndContent(by) => {
            match source.modified.seconds().cmp(&target.modified.seconds()) {
                Ordering::Less => unchanged(source, target),
                // a file carries its source's time
                Ordering::Equal if rules.direction == Direction::S3ToLocal => {
                    unchanged(source, target)
                }
                Ordering::Equal | Ordering::Greater => by_content(by, source, target),
            }
        }
    }
}

fn by_time(rules: &Rules, source: Entry, target: Entry) -> Decision {
    let (from, to) = (source.modified.seconds(), target.modified.seconds());
    if from > to {
        let future = source.modified > rules.now && rules.direction == Direction::LocalToS3;
        return if future {
            examine(source, Some(target), Question::FutureTime)
        } else {
            transfer(source, Some(&target), Cause::Newer)
        };
    }
    if from < to {
        return unchanged(source, target);
    }
    match rules.direction {
        Direction::S3ToLocal => unchanged(source, target),
        Direction::LocalToS3 => examine(source, Some(target), Question::SameSecond),
        Direction::S3ToS3 => match tags(&source, &target) {
            Some(true) => unchanged(source, target),
            Some(false) => transfer(source, Some(&target), Cause::ETagDiffers),
            None => transfer(source, Some(&target), Cause::Undecided),
        },
    }
}

/// Sizes are equal. What the listings say may already prove sameness; a difference is for the
/// workers to look into, as a listing cannot tell an MD5 from what only looks like one.
fn by_content(by: By, source: Entry, target: Entry) -> Decision {
    if source.size == 0 {
        return unchanged(source, target);
    }
    if by == By::ETag && tags(&source, &target) == Some(true) {
        return unchanged(source, target);
    }
    examine(source, Some(target), Question::Content(by))
}

fn transfer(source: Entry, target: Option<&Entry>, because: Cause) -> Decision {
    Decision::Transfer(Transfer {
        source,
        replaces: target.map(Into::into),
        because,
    })
}

fn examine(source: Entry, target: Option<Entry>, question: Question) -> Decision {
    Decision::Examine(Examine {
        source,
        target,
        question,
    })
}

fn unchanged(source: Entry, target: Entry) -> Decision {
    Decision::Leave(Leave::Unchanged { source, target })
}

/// Whether two ETags are the same; `None` where they cannot be compared.
fn tags(source: &Entry, target: &Entry) -> Option<bool> {
    match (source.etag.as_ref()?, target.etag.as_ref()?) {
        (a, b) if a == b => Some(true),
        (ETag::Md5Shaped(_), ETag::Md5Shaped(_)) => Some(false),
        (ETag::MultipartShaped { parts: a, .. }, ETag::MultipartShaped { parts: b, .. })
            if a == b =>
        {
            Some(false)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Aim;
    use super::*;
    use crate::config::Check;
    use crate::object::{ObjectKey, Timestamp};

    const TAG: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const OTHER: &str = "0cc175b9c0f1b6a831c399e269772661";

    fn entry(size: u64, seconds: i64, etag: Option<&str>) -> Entry {
        Entry {
            key: ObjectKey::new("k").expect("short"),
            size,
            modified: Timestamp::new(seconds, 5),
            etag: etag.map(ETag::parse),
            version: None,
            storage_class: None,
            checksum: None,
        }
    }

    fn word(decision: &Decision) -> String {
        match decision {
            Decision::Transfer(transfer) => transfer.because.as_str().to_owned(),
            Decision::Examine(examine) => format!("{:?}", examine.question),
            Decision::Leave(_) => "unchanged".to_owned(),
            Decision::Compare(_) | Decision::Behind(_) | Decision::Delete(_) => "else".to_owned(),
        }
    }

    #[test]
    fn missing_size_and_time_decide_in_whole_seconds() {
        use Direction::{LocalToS3, S3ToLocal, S3ToS3};
        let now = Timestamp::new(1000, 0);
        for (name, direction, source, target, expected) in [
            (
                "missing",
                LocalToS3,
                entry(1, 9, None),
                None,
                "missing_in_target",
            ),
            (
                "older",
                LocalToS3,
                entry(1, 9, None),
                Some(entry(1, 10, None)),
                "unchanged",
            ),
            (
                "older, other size",
                LocalToS3,
                entry(2, 9, None),
                Some(entry(1, 10, None)),
                "size_differs",
            ),
            (
                "newer",
                LocalToS3,
                entry(1, 11, None),
                Some(entry(1, 10, None)),
                "newer",
            ),
            (
                "tie up",
                LocalToS3,
                entry(1, 10, None),
                Some(entry(1, 10, None)),
                "SameSecond",
            ),
            (
                "tie down",
                S3ToLocal,
                entry(1, 10, None),
                Some(entry(1, 10, None)),
                "unchanged",
            ),
            (
                "newer down",
                S3ToLocal,
                entry(1, 11, None),
                Some(entry(1, 10, None)),
                "newer",
            ),
            (
                "future up",
                LocalToS3,
                entry(1, 2000, None),
                Some(entry(1, 10, None)),
                "FutureTime",
            ),
            (
                "future down",
                S3ToLocal,
                entry(1, 2000, None),
                Some(entry(1, 10, None)),
                "newer",
            ),
            (
                "same tag",
                S3ToS3,
                entry(1, 10, Some(TAG)),
                Some(entry(1, 10, Some(TAG))),
                "unchanged",
            ),
            (
                "other tag",
                S3ToS3,
                entry(1, 10, Some(TAG)),
                Some(entry(1, 10, Some(OTHER))),
                "etag_differs",
            ),
            (
                "other shape",
                S3ToS3,
                entry(1, 10, Some(TAG)),
                Some(entry(1, 10, Some("x"))),
                "undecided",
            ),
            (
                "other tag, older",
                S3ToS3,
                entry(1, 9, Some(TAG)),
                Some(entry(1, 10, Some(OTHER))),
                "unchanged",
            ),
        ] {
            let rules = Rules {
                aim: Aim::Sync,
                check: Check::default(),
                direction,
                now,
                names: crate::plan::Names::Same,
                is_provisional: false,
            };
            assert_eq!(word(&compare(&rules, source, target)), expected, "{name}");
        }
    }
}
