//! The table at the end of a check: how much is the same in each pair, and what is not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::digest::Why;
use crate::report::Status;
use crate::report::grid::{GAP, Grid, MAX_WIDTH};
use crate::report::human::printable;
use crate::report::schema::{Pair, Report, Sample};
use crate::report::table::headline;

/// So many findings are shown; the evidence has all of them.
const SHOWN: usize = 10;

const HEADINGS: [&str; 11] = [
    "pair", "status", "source", "target", "same", "differ", "missing", "extra", "unknown",
    "skipped", "errors",
];

/// A line on the run, a line for each pair, what was found first, and where the report is.
pub fn table(report: &Report, report_path: &str, colour: bool) -> String {
    let grid = Grid::fitting(HEADINGS, |count| {
        report.pairs.iter().map(|pair| row(pair, count)).collect()
    });
    let states: Vec<_> = report.pairs.iter().map(|pair| pair.status).collect();
    let mut text = headline(report, colour) + &grid.text(&states, colour);
    let found: Vec<_> = report.pairs.iter().flat_map(findings).collect();
    let width = found.iter().map(|found| found.word.len()).max();
    for found in found.iter().take(SHOWN) {
        text += &found.text(width.unwrap_or_default(), report.pairs.len() > 1);
    }
    let counts = &report.totals.counts;
    let all = counts.warnings.saturating_add(counts.errors);
    let more = all.saturating_sub(found.len().min(SHOWN) as u64);
    if more > 0 {
        let _ = writeln!(text, "… and {more} more, all of them in the evidence");
    }
    text += &remedies(report);
    text + &format!("report: {report_path}\n")
}

/// How to find out what could not be told and is not accepted, for each reason once.
fn remedies(report: &Report) -> String {
    let pairs = report.pairs.iter();
    let pairs = pairs.filter(|pair| pair.status != Status::Success);
    let reasons: BTreeSet<Why> = pairs
        .flat_map(|pair| &pair.counts.compared.unknown_by)
        .map(|unknown| unknown.reason)
        .collect();
    reasons.into_iter().fold(String::new(), |text, why| {
        text + &format!("{}: {}\n", why.as_str(), remedy(why))
    })
}

fn remedy(why: Why) -> &'static str {
    match why {
        Why::LayoutUnknown => {
            "the sides may be cut into other parts; compare a checksum\n  \
             (--check-additional-checksum ALGORITHM), or each side with one directory"
        }
        Why::OpaqueETag => {
            "such ETags (KMS, SSE-C) are no MD5, and no checksum kept tells;\n  \
             compare each side with one directory"
        }
        Why::NoChecksum => {
            "none of this algorithm is kept; compare by another, or by ETag,\n  \
             or each side with one directory"
        }
        Why::AlgorithmUnknown => {
            "what is kept is of a kind this version does not know;\n  \
             compare by another, or by ETag"
        }
        Why::Denied => {
            "tags or annotations may not be read; allow s3:GetObjectTagging\n  \
             or s3:GetObjectAnnotation on both sides"
        }
        Why::EndpointCannot => "this endpoint keeps or tells no checksum; compare by ETag",
        Why::SwitchedOff => "say verify.etag, verify.multipart or verify.checksum = true",
    }
}

fn row(pair: &Pair, count: fn(u64) -> String) -> [String; 11] {
    let counts = &pair.counts;
    let compared = &counts.compared;
    [
        printable(&pair.name),
        pair.status.as_str().to_owned(),
        count(counts.listed.source),
        count(counts.listed.target),
        count(compared.matches),
        count(compared.mismatch),
        count(compared.not_found),
        count(compared.only_in_target),
        count(compared.unknown.saturating_add(compared.unreadable)),
        count((counts.skipped.total).saturating_add(counts.filtered.total)),
        count(counts.errors),
    ]
}

/// Something somebody should look at.
struct Finding<'a> {
    pair: &'a str,
    word: &'static str,
    key: Option<&'a str>,
    /// What is to be said beside the word.
    more: Option<&'a str>,
}

/// Errors first; both as far as the report has kept them.
fn findings(pair: &Pair) -> impl Iterator<Item = Finding<'_>> {
    let failed = pair.errors_sample.iter().map(|sample| Finding {
        word: "failed",
        more: Some(&sample.message),
        ..found(pair, sample)
    });
    failed.chain(
        pair.warnings_sample
            .iter()
            .map(|sample| found(pair, sample)),
    )
}

fn found<'a>(pair: &'a Pair, sample: &'a Sample) -> Finding<'a> {
    let (word, more) = match sample.code.as_deref() {
        Some("mismatch") => ("differs", Some(&*sample.message)),
        Some("not_found") => ("missing", None),
        Some("only_in_target") => ("extra", None),
        // a key; the directory itself was skipped
        Some("unknown") => ("unknown", Some(&*sample.message)),
        Some("unreadable_directory") if !is_directory(sample) => {
            ("unknown", Some(&*sample.message))
        }
        Some(_) => ("skipped", Some(&*sample.message)),
        None => ("note", Some(&*sample.message)),
    };
    Finding {
        pair: &pair.name,
        word,
        key: sample.key.as_deref(),
        more,
    }
}

fn is_directory(sample: &Sample) -> bool {
    let key = sample.key.as_deref();
    key.is_some_and(|key| key.ends_with('/'))
}

impl Finding<'_> {
    fn text(&self, width: usize, with_pair: bool) -> String {
        let word = format!("{:<width$}{GAP}", self.word);
        let indent = " ".repeat(word.len());
        let room = MAX_WIDTH - indent.len();
        let pair = if with_pair {
            format!("{}: ", printable(self.pair))
        } else {
            String::new()
        };
        let more = self.more.map(printable);
        let Some(key) = self.key else {
            return format!("{word}{pair}{}\n", more.unwrap_or_default());
        };
        // the end of a key tells it from its neighbours
        let key = pair + &printable(key);
        let key = cut(&key, room, End::First);
        let mut text = format!("{word}{key}\n");
        for line in more.iter().flat_map(|more| broken(more, room)) {
            let _ = writeln!(text, "{indent}{}", cut(line, room, End::Last));
        }
        text
    }
}

/// The values of both sides on a line each where one line is too short for them.
fn broken(text: &str, room: usize) -> Vec<&str> {
    match text.split_once(", in the target ") {
        Some((source, _)) if text.chars().count() > room => {
            vec![source, &text[source.len() + ", ".len()..]]
        }
        _ => vec![text],
    }
}

/// Which end of a text is left out where it is too long.
#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

fn cut(text: &str, room: usize, end: End) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_owned();
    }
    match end {
        End::First => {
            let kept: String = text.chars().skip(length - room + 1).collect();
            format!("…{kept}")
        }
        End::Last => {
            let kept: String = text.chars().take(room - 1).collect();
            format!("{kept}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_keeps_to_the_width() {
        for why in [
            Why::LayoutUnknown,
            Why::OpaqueETag,
            Why::AlgorithmUnknown,
            Why::EndpointCannot,
            Why::NoChecksum,
            Why::Denied,
            Why::SwitchedOff,
        ] {
            let text = format!("{}: {}", why.as_str(), remedy(why));
            assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        }
    }

    #[test]
    fn a_finding_keeps_to_the_width_and_to_its_line() {
        let long = format!("{}/end.jpg", "d".repeat(200));
        let digest = "x".repeat(200);
        let values = format!("SHA512 {0}, in the target {0}", "x".repeat(60));
        for (pair, key, more, line) in [
            (None, "a b", None, "missing  a b\n".to_owned()),
            (Some("photos"), "a", None, "missing  photos: a\n".to_owned()),
            (None, "a\nb", None, "missing  a\\nb\n".to_owned()),
            (
                None,
                &long,
                None,
                format!("missing  …{}/end.jpg\n", "d".repeat(82)),
            ),
            (
                None,
                "a",
                Some(&*digest),
                format!("missing  a\n         {}…\n", "x".repeat(90)),
            ),
            (
                None,
                "a",
                Some(&*values),
                format!(
                    "missing  a\n         SHA512 {0}\n         in the target {0}\n",
                    "x".repeat(60)
                ),
            ),
        ] {
            let finding = Finding {
                pair: pair.unwrap_or("alone"),
                word: "missing",
                key: Some(key),
                more,
            };
            let text = finding.text("missing".len(), pair.is_some());
            assert_eq!(text, line);
            assert!(text.lines().all(|line| line.chars().count() <= MAX_WIDTH));
        }
    }
}
