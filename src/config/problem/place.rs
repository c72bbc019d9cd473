//! Where something is said, and how that is shown.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::text::FileText;

/// Where something is said.
#[derive(Debug, Clone)]
pub(in crate::config) enum Place {
    /// Nobody says it: a default.
    BuiltIn,
    /// In a job file, under this path.
    File {
        text: Arc<FileText>,
        span: Range<usize>,
        path: String,
    },
    /// In a job file as a whole, such as one that cannot be read; its message names it.
    WholeFile(PathBuf),
    /// In this environment variable.
    Environment(String),
    /// With this flag or argument.
    Flag(String),
    /// By the program that embeds the library, under this path.
    Program(String),
    /// Nowhere in particular.
    Nowhere,
}

impl Place {
    /// What `resolved.json` says of a value's origin.
    pub(in crate::config) fn origin(&self) -> String {
        match self {
            Self::BuiltIn => "built-in".to_owned(),
            Self::File { text, span, path } => {
                let (line, column) = text.key_position(span);
                format!("{}:{line}:{column} {path}", text.name.display())
            }
            Self::WholeFile(name) => name.display().to_string(),
            Self::Environment(variable) => format!("env {variable}"),
            Self::Flag(flag) if flag.starts_with('-') => format!("flag {flag}"),
            Self::Flag(argument) => format!("argument {argument}"),
            Self::Program(path) => format!("program {path}"),
            Self::Nowhere => String::new(),
        }
    }

    /// What is sorted by.
    pub(super) fn rank(&self) -> (u8, usize, usize) {
        match self {
            Self::WholeFile(_) => (0, 0, 0),
            Self::File { text, span, .. } => (0, text.number, span.start),
            Self::Environment(_) => (1, 0, 0),
            Self::Flag(_) | Self::Program(_) => (2, 0, 0),
            Self::BuiltIn | Self::Nowhere => (3, 0, 0),
        }
    }

    /// The variable or flag, or the path the program says.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Environment(name) | Self::Flag(name) | Self::Program(name) => Some(name.clone()),
            Self::BuiltIn | Self::File { .. } | Self::WholeFile(_) | Self::Nowhere => None,
        }
    }

    /// How many digits its line's number has.
    pub(super) fn digits(&self) -> usize {
        match self {
            Self::File { text, span, .. } => text.position(span).0.to_string().len(),
            _ => 1,
        }
    }

    /// The place, quoted where it is in a file, with a label under what is meant. Line numbers
    /// have `gutter` digits.
    pub(super) fn show(
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
                    .take(spot.lead)
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
            Self::Program(path) => format!("set by the program: {path}"),
            Self::BuiltIn => "built-in default".to_owned(),
            Self::Nowhere | Self::WholeFile(_) if label.is_empty() => return Ok(()),
            Self::Nowhere | Self::WholeFile(_) => return write!(f, "\n  = {label}"),
        };
        write!(f, "\n{margin}{arrow} {elsewhere}")?;
        if !label.is_empty() {
            write!(f, "\n{margin} = {label}")?;
        }
        Ok(())
    }
}
