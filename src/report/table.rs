//! The table at the end of a run.

use std::time::Duration;

use super::archive::SHORT_ID;
use super::schema::{Pair, Report};
use super::{Status, human};

/// No line is wider.
const MAX_WIDTH: usize = 100;

/// A pair's name is never cut shorter than this.
const MIN_NAME: usize = 8;

/// Between columns.
const GAP: &str = "  ";

const HEADINGS: [&str; 10] = [
    "pair", "status", "listed", "filtered", "same", "copied", "bytes", "deleted", "verified",
    "errors",
];

/// The final block of a run: a line on the run, a line for each pair, and where the report is.
/// `colour` adds ANSI colours to the states.
pub fn table(report: &Report, report_path: &str, colour: bool) -> String {
    let rows: Vec<_> = report
        .pairs
        .iter()
        .map(|pair| row(pair, human::count))
        .collect();
    let rows = if width(&widths(&rows)) > MAX_WIDTH {
        let shorter = |pair| row(pair, human::short_count);
        fit(report.pairs.iter().map(shorter).collect())
    } else {
        rows
    };
    let widths = widths(&rows);
    let mut text = headline(report, colour);
    text += &line(&HEADINGS.map(str::to_owned), &widths, None);
    for (cells, pair) in rows.iter().zip(&report.pairs) {
        text += &line(cells, &widths, colour.then_some(pair.status));
    }
    text + &format!("report: {report_path}\n")
}

fn headline(report: &Report, colour: bool) -> String {
    let run = &report.run;
    let status = run.status.as_str().to_uppercase();
    let mut parts = vec![
        run.job.clone(),
        format!("run {}", run.id.get(..SHORT_ID).unwrap_or(&run.id)),
        if colour {
            paint(&status, run.status)
        } else {
            status
        },
        human::duration(Duration::from_millis(run.duration_ms)),
    ];
    parts.extend(run.exit_code.map(|code| format!("exit {code}")));
    parts.extend(run.dry_run.then(|| "dry run".to_owned()));
    parts.join(GAP) + "\n"
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
        pair.name.clone(),
        pair.status.as_str().to_owned(),
        count(counts.listed.source),
        count(counts.filtered.total),
        count(counts.unchanged),
        count(counts.transferred.total),
        human::bytes(pair.bytes.transferred),
        count(counts.deleted.total),
        verified,
        count(counts.errors),
    ]
}

/// Cuts the names, which alone can still be too long.
fn fit(mut rows: Vec<[String; 10]>) -> Vec<[String; 10]> {
    let widths = widths(&rows);
    let excess = width(&widths).saturating_sub(MAX_WIDTH);
    let longest = widths[0].saturating_sub(excess).max(MIN_NAME);
    for [name, ..] in &mut rows {
        if name.len() > longest {
            // names are ASCII by their grammar; anything else is left whole rather than split
            if let Some(cut) = name.get(..longest - 1) {
                *name = format!("{cut}…");
            }
        }
    }
    rows
}

fn widths(rows: &[[String; 10]]) -> [usize; 10] {
    std::array::from_fn(|column| {
        rows.iter()
            .map(|cells| cells[column].chars().count())
            .chain([HEADINGS[column].len()])
            .max()
            .unwrap_or_default()
    })
}

fn width(widths: &[usize; 10]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1)
}

fn line(cells: &[String; 10], widths: &[usize; 10], painted: Option<Status>) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .enumerate()
        .map(|(column, (cell, width))| {
            let cell = format!("{cell:<width$}");
            match painted {
                Some(status) if column == 1 => paint(&cell, status),
                Some(_) | None => cell,
            }
        })
        .collect();
    padded.join(GAP).trim_end().to_owned() + "\n"
}

fn paint(text: &str, status: Status) -> String {
    let colour = match status {
        Status::Success => 32,
        Status::Warning | Status::Guard | Status::Locked => 33,
        Status::Failed | Status::Timeout | Status::Interrupted | Status::Crashed => 31,
        Status::Pending | Status::Running => 36,
    };
    format!("\x1b[{colour}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests;
