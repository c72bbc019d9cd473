//! Columns for a terminal: a line for each pair, its name and its state first.

use super::{Status, human};

/// No line is wider.
pub(super) const MAX_WIDTH: usize = 100;

/// Between columns.
pub(super) const GAP: &str = "  ";

/// A pair's name is never cut shorter than this.
const MIN_NAME: usize = 8;

/// Headings and lines of as many cells.
#[derive(Debug)]
pub(super) struct Grid<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Grid<N> {
    /// The lines that `rows` makes with this way to write numbers, or with shorter numbers and
    /// names where those are too wide.
    pub(super) fn fitting(
        headings: [&'static str; N],
        rows: impl Fn(fn(u64) -> String) -> Vec<[String; N]>,
    ) -> Self {
        let mut grid = Self {
            headings,
            rows: rows(human::count),
        };
        if width(&grid.widths()) > MAX_WIDTH {
            grid.rows = rows(human::short_count);
            grid.cut_names();
        }
        grid
    }

    /// The headings and the lines, each of which has a state, which may be coloured.
    pub(super) fn text(&self, states: &[Status], colour: bool) -> String {
        let widths = self.widths();
        let headings = line(&self.headings.map(str::to_owned), &widths, None);
        let rows = self.rows.iter().zip(states);
        rows.fold(headings, |text, (cells, state)| {
            text + &line(cells, &widths, colour.then_some(*state))
        })
    }

    /// Cuts the names, which alone can still be too long.
    fn cut_names(&mut self) {
        let widths = self.widths();
        let excess = width(&widths).saturating_sub(MAX_WIDTH);
        let longest = widths[0].saturating_sub(excess).max(MIN_NAME);
        for cells in &mut self.rows {
            let name = &mut cells[0];
            if name.len() > longest {
                // names are ASCII by their grammar; anything else is left whole rather than split
                if let Some(cut) = name.get(..longest - 1) {
                    *name = format!("{cut}…");
                }
            }
        }
    }

    fn widths(&self) -> [usize; N] {
        std::array::from_fn(|column| {
            self.rows
                .iter()
                .map(|cells| cells[column].chars().count())
                .chain([self.headings[column].len()])
                .max()
                .unwrap_or_default()
        })
    }
}

/// A state's word, or any text, in the colour of the state.
pub(super) fn paint(text: &str, status: Status) -> String {
    let colour = match status {
        Status::Success => 32,
        Status::Warning | Status::Guard | Status::Locked => 33,
        Status::Failed
        | Status::Timeout
        | Status::Interrupted
        | Status::Crashed
        | Status::NotAttempted => 31,
        Status::Pending | Status::Running => 36,
    };
    format!("\x1b[{colour}m{text}\x1b[0m")
}

fn width<const N: usize>(widths: &[usize; N]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * (N - 1)
}

fn line<const N: usize>(
    cells: &[String; N],
    widths: &[usize; N],
    painted: Option<Status>,
) -> String {
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
