//! The table at the end of a run.

use std::time::Duration;

use super::archive::SHORT_ID;
use super::grid::{self, Grid, paint};
use super::human;
use super::schema::{Deleted, Pair, Report};

const HEADINGS: [&str; 10] = [
    "pair", "status", "listed", "filtered", "same", "copied", "bytes", "deleted", "verified",
    "errors",
];

/// The final block of a run: a line on the run, a line for each pair, and where the report is.
/// `colour` adds ANSI colours to the states.
pub fn table(report: &Report, report_path: &str, colour: bool) -> String {
    let grid = Grid::fitting(HEADINGS, |count| {
        report.pairs.iter().map(|pair| row(pair, count)).collect()
    });
    let states: Vec<_> = report.pairs.iter().map(|pair| pair.status).collect();
    let text = headline(report, colour) + &grid.text(&states, colour);
    text + &format!("report: {report_path}\n")
}

/// What is said of the run as a whole.
pub(super) fn headline(report: &Report, colour: bool) -> String {
    let run = &report.run;
    let status = run.status.as_str().to_uppercase();
    let mut parts = vec![
        human::printable(&run.job),
        human::printable(&format!(
            "run {}",
            run.id.get(..SHORT_ID).unwrap_or(&run.id)
        )),
        if colour {
            paint(&status, run.status)
        } else {
            status
        },
        human::duration(Duration::from_millis(run.duration_ms)),
    ];
    parts.extend(run.exit_code.map(|code| format!("exit {code}")));
    parts.extend(run.dry_run.then(|| "dry run".to_owned()));
    parts.join(grid::GAP) + "\n"
}

fn row(pair: &Pair, count: fn(u64) -> String) -> [String; 10] {
    let counts = &pair.counts;
    let proved = &counts.verified.objects;
    let share = format!(
        "{}/{}",
        count(proved.verified),
        count(counts.transferred.total)
    );
    let verified = match proved.not_verifiable {
        0 => share,
        unproved => format!("{share} ({})", count(unproved)),
    };
    [
        human::printable(&pair.name),
        pair.status.as_str().to_owned(),
        count(counts.listed.source),
        count(counts.filtered.total),
        count(counts.unchanged),
        count(counts.transferred.total),
        human::bytes(pair.bytes.transferred),
        deleted(&counts.deleted, count),
        verified,
        count(counts.errors),
    ]
}

/// How many objects are gone, and of how many candidates where others stay.
fn deleted(deleted: &Deleted, count: fn(u64) -> String) -> String {
    // delete markers that versions bring along are no candidates
    let gone = deleted.total - deleted.copied_markers.min(deleted.total);
    if gone < deleted.candidates {
        format!("{} of {}", count(gone), count(deleted.candidates))
    } else {
        count(deleted.total)
    }
}

#[cfg(test)]
pub(super) mod tests;
