//! What is wrong with a job, where, and what may be done about it.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::text::FileText;

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
pub struct Problems(Vec<Problem>);

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    message: String,
    place: Place,
    remedy: String,
    /// The other end of a conflict.
    other: Option<(Place, String)>,
    /// Whether all that is wrong is that it is not built.
    is_not_yet: bool,
}

/// Where something is said.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Nobody says it: a default.
    BuiltIn,
    /// In a job file, under this path.
    File {
        text: Arc<FileText>,
        span: Range<usize>,
        path: String,
    },
    /// In this environment variable.
    Environment(String),
    /// With this flag or argument.
    Flag(String),
    /// Nowhere in particular.
    Nowhere,
}

impl Problem {
    /// Something wrong at a place.
    pub(super) fn new(message: impl Into<String>, place: &Place) -> Self {
        Self(Box::new(Details {
            message: message.into(),
            place: place.clone(),
            remedy: String::new(),
            other: None,
            is_not_yet: false,
        }))
    }

    /// It is right as such, and not built yet.
    pub(super) fn not_yet(mut self) -> Self {
        self.0.is_not_yet = true;
        self
    }

    /// Whether it is right as such, and not built yet.
    pub(super) fn is_not_yet(&self) -> bool {
        self.0.is_not_yet
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
}

impl Problems {
    /// `Err` if there are any; files come first, in the order of their lines.
    pub(super) fn or<T>(mut list: Vec<Problem>, value: impl FnOnce() -> T) -> Result<T, Self> {
        if list.is_empty() {
            return Ok(value());
        }
        list.sort_by_key(|problem| problem.0.place.rank());
        // what is said for every pair may be wrong for several of them
        let mut told = BTreeSet::new();
        list.retain(|problem| told.insert(problem.to_string()));
        Err(Self(list))
    }

    /// A single one.
    pub(super) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details {
            message,
            place,
            remedy,
            other,
            is_not_yet: _,
        } = &*self.0;
        write!(f, "error: {message}")?;
        let digits = |place: &Place| match place {
            Place::File { text, span, .. } => text.spot(span).line.to_string().len(),
            _ => 1,
        };
        // of two arguments the message says enough; a place in a file is worth seeing
        let other = other
            .as_ref()
            .filter(|(place, _)| matches!(place, Place::File { .. } | Place::Environment(_)));
        let gutter = digits(place).max(other.map_or(1, |(place, _)| digits(place)));
        place.show(f, gutter, "-->", remedy)?;
        if let Some((place, label)) = other {
            place.show(f, gutter, ":::", label)?;
        }
        Ok(())
    }
}

impl Place {
    /// What `resolved.json` says of a value's origin.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::BuiltIn => "built-in".to_owned(),
            Self::File { text, span, path } => {
                let spot = text.spot(span);
                let name = text.name.display();
                format!("{name}:{}:{} {path}", spot.line, spot.column)
            }
            Self::Environment(variable) => format!("env {variable}"),
            Self::Flag(flag) if flag.starts_with('-') => format!("flag {flag}"),
            Self::Flag(argument) => format!("argument {argument}"),
            Self::Nowhere => String::new(),
        }
    }

    fn rank(&self) -> (u8, usize) {
        match self {
            Self::File { span, .. } => (0, span.start),
            Self::Environment(_) => (1, 0),
            Self::Flag(_) => (2, 0),
            Self::BuiltIn | Self::Nowhere => (3, 0),
        }
    }

    /// The place, quoted where it is in a file, with a label under what is meant. Line numbers
    /// have `gutter` digits.
    fn show(
        &self,
        f: &mut fmt::Formatter<'_>,
        gutter: usize,
        arrow: &str,
        label: &str,
    ) -> fmt::Result {
        let margin = " ".repeat(gutter);
        let elsewhere = match self {
            Self::File { text, span, .. } => {
                let spot = text.spot(span);
                let number = spot.line;
                let lead: String = spot
                    .text
                    .chars()
                    .take(spot.column - 1)
                    .map(|c| if c == '\t' { '\t' } else { ' ' })
                    .collect();
                let name = text.name.display();
                write!(
                    f,
                    "\n{margin}{arrow} {name}:{}:{}\n{margin} |\n{number:>gutter$} | {}\n{margin} | {lead}{}",
                    spot.line,
                    spot.column,
                    spot.text,
                    "^".repeat(spot.width)
                )?;
                if !label.is_empty() {
                    write!(f, " {label}")?;
                }
                return Ok(());
            }
            Self::Environment(variable) => format!("environment variable {variable}"),
            Self::Flag(flag) if flag.starts_with('-') => format!("flag {flag}"),
            Self::Flag(argument) => format!("argument {argument}"),
            Self::BuiltIn => "built-in default".to_owned(),
            Self::Nowhere if label.is_empty() => return Ok(()),
            Self::Nowhere => return write!(f, "\n  = {label}"),
        };
        write!(f, "\n{margin}{arrow} {elsewhere}")?;
        if !label.is_empty() {
            write!(f, "\n{margin} = {label}")?;
        }
        Ok(())
    }
}
