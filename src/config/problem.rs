//! What is wrong with a job, where, and what may be done about it.

mod json;
mod place;

use std::collections::HashSet;
use std::fmt;

pub(super) use place::Place;

use super::text::visible;

/// Everything that is wrong with a job, all at once. Its `Display` is what the user reads:
///
/// ```text
/// error: unknown key `larger_siz`
///   --> jobs/nightly.toml:57:1
///    |
/// 57 | larger_siz = "1MiB"
///    | ^^^^^^^^^^ did you mean `larger_size`?
/// ```
#[derive(Debug)]
pub struct Problems {
    /// The first of them, warnings among them.
    told: Vec<Problem>,
    /// How many errors there are besides.
    more: usize,
}

/// One thing that is wrong, or that somebody should know.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    is_warning: bool,
    message: String,
    place: Place,
    remedy: String,
    /// The other end of a conflict.
    other: Option<(Place, String)>,
}

/// How many problems are told: who has more mends these first.
pub(super) const MOST_TOLD: usize = 100;

/// Longest message, in characters: the names of a file may be as long as the file.
const LONGEST_MESSAGE: usize = 600;

impl Problem {
    /// Something wrong at a place.
    pub(super) fn new(message: impl Into<String>, place: &Place) -> Self {
        Self(Box::new(Details {
            is_warning: false,
            message: message.into(),
            place: place.clone(),
            remedy: String::new(),
            other: None,
        }))
    }

    /// Something that is not wrong, and should be known: the job runs. The same message is told
    /// once, wherever it comes from.
    pub(super) fn warning(message: impl Into<String>, place: &Place) -> Self {
        let mut problem = Self::new(message, place);
        problem.0.is_warning = true;
        problem
    }

    /// What may be done about it, in a few words.
    pub(super) fn remedy(mut self, text: impl Into<String>) -> Self {
        self.0.remedy = text.into();
        self
    }

    /// The other end of a conflict, and what it says there.
    pub(super) fn against(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.0.other = Some((place.clone(), label.into()));
        self
    }

    /// Whether so much is wrong already that what more is found makes no difference: looking for
    /// remedies takes its time.
    pub(super) fn are_plenty(list: &[Self]) -> bool {
        let mut errors = list.iter().filter(|problem| !problem.0.is_warning);
        errors.nth(10 * MOST_TOLD).is_some()
    }

    /// The warnings among some problems, each in a line.
    pub(super) fn notes(list: &[Self]) -> Vec<String> {
        let mut told = HashSet::new();
        list.iter()
            .filter(|problem| problem.0.is_warning && told.insert(&problem.0.message))
            .map(|problem| {
                let Details {
                    message,
                    remedy,
                    place,
                    ..
                } = &*problem.0;
                let origin = place.origin();
                let origin = if origin.is_empty() {
                    origin
                } else {
                    format!(" ({origin})")
                };
                let separator = if remedy.is_empty() { "" } else { "; " };
                format!("{message}{origin}{separator}{remedy}")
            })
            .collect()
    }
}

impl Problems {
    /// `Err` if there are any but warnings; files come first, the job file before those it
    /// includes, each in the order of its lines.
    pub(super) fn or<T>(list: Vec<Problem>, value: impl FnOnce() -> T) -> Result<T, Self> {
        if list.iter().all(|problem| problem.0.is_warning) {
            return Ok(value());
        }
        Err(Self::all(list))
    }

    /// All of these, sorted.
    pub(super) fn all(mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|Problem(it)| (it.is_warning, it.place.rank()));
        // what is said for every pair may be wrong for several of them
        let mut told = HashSet::new();
        list.retain(|Problem(problem)| {
            let place = (!problem.is_warning).then(|| (problem.place.rank(), problem.place.name()));
            told.insert((problem.message.clone(), problem.remedy.clone(), place))
        });
        let more = list.len().saturating_sub(MOST_TOLD);
        list.truncate(MOST_TOLD);
        Self { told: list, more }
    }

    /// What the program says that cannot be read.
    pub(crate) fn of_program(message: impl Into<String>) -> Self {
        Self::one(Problem::new(message, &Place::Nowhere))
    }

    /// Arguments that cannot be read, in the words of what read them.
    #[cfg(feature = "cli")]
    pub(crate) fn of_arguments(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::one(Problem::new(message, &Place::Nowhere).remedy(remedy))
    }

    /// A single one.
    pub(super) fn one(problem: Problem) -> Self {
        Self::all(vec![problem])
    }

    /// How many there are, without warnings.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        let errors = self.told.iter().filter(|problem| !problem.0.is_warning);
        errors.count() + self.more
    }

    /// What programs read: a list of problems, each with its severity, message, place, remedy and
    /// the other end of a conflict. No secret is in it.
    pub fn to_json(&self) -> serde_json::Value {
        json::problems(self)
    }

    /// What is said of those that are not told.
    fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("{} more problems are not shown", self.more))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.told.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        match self.rest() {
            Some(rest) => write!(f, "\n\nerror: {rest}\n  = mend these first"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            is_warning,
            message,
            place,
            remedy,
            other,
        } = &*self.0;
        let severity = if *is_warning { "warning" } else { "error" };
        write!(f, "{severity}: {}", shown(message))?;
        // of two arguments the message says enough; what else was said is worth seeing
        let other = other.as_ref().filter(|(place, _)| match place {
            Place::File { .. } | Place::Environment(_) | Place::Program(_) => true,
            Place::Flag(name) => name.starts_with('-'),
            Place::BuiltIn | Place::WholeFile(_) | Place::Nowhere => false,
        });
        let gutter = place
            .digits()
            .max(other.map_or(1, |(place, _)| place.digits()));
        place.show(f, gutter, "-->", &shown(remedy))?;
        if let Some((place, label)) = other {
            place.show(f, gutter, ":::", &shown(label))?;
        }
        Ok(())
    }
}

/// A text as it is written to a terminal: of a bearable length, and without control characters.
fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters
        .by_ref()
        .take(LONGEST_MESSAGE)
        .map(visible)
        .collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}
