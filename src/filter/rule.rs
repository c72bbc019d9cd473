//! The filters of the configuration one by one, in their order.

use std::sync::Arc;

use super::below::Below;
use crate::config::{Filters, Glob, Pattern, Said};
use crate::event::Rule;
use crate::object::{Entry, Timestamp};

/// All filters that somebody set, in the order they are asked.
pub(super) struct Rules(pub(super) Vec<(Arc<Rule>, Test)>);

/// What an object has to be to pass.
#[derive(Debug)]
pub(super) enum Test {
    /// One of these matches its key.
    MatchesOne(Vec<Glob>),
    /// This does not.
    MatchesNot(Glob),
    /// Older than this.
    Before(Timestamp),
    /// As old as this, or newer.
    After(Timestamp),
    /// Smaller than this.
    Smaller(u64),
    /// As large as this, or larger.
    Larger(u64),
    /// One of these is found in its key.
    HasOne(Vec<Pattern>),
    /// This is not.
    HasNot(Pattern),
}

impl Rules {
    /// In the order of the documentation.
    pub(super) fn of(said: &Filters) -> Self {
        let mut rules = Self(Vec::new());
        if let Some(globs) = &said.include {
            let text = joined(globs.value.iter().map(Glob::as_str));
            rules.add(globs, text, Test::MatchesOne(globs.value.clone()));
        }
        if let Some(globs) = &said.exclude {
            for glob in &globs.value {
                rules.add(globs, glob.as_str(), Test::MatchesNot(glob.clone()));
            }
        }
        if let Some(time) = &said.mtime_before {
            rules.add(time, time.value.to_string(), Test::Before(time.value));
        }
        if let Some(time) = &said.mtime_after {
            rules.add(time, time.value.to_string(), Test::After(time.value));
        }
        if let Some(size) = &said.smaller_size {
            rules.add(size, size.value.to_string(), Test::Smaller(size.value));
        }
        if let Some(size) = &said.larger_size {
            rules.add(size, size.value.to_string(), Test::Larger(size.value));
        }
        if let Some(patterns) = &said.key.include {
            let text = joined(patterns.value.iter().map(Pattern::as_str));
            rules.add(patterns, text, Test::HasOne(patterns.value.clone()));
        }
        if let Some(patterns) = &said.key.exclude {
            for pattern in &patterns.value {
                rules.add(patterns, pattern.as_str(), Test::HasNot(pattern.clone()));
            }
        }
        rules
    }

    fn add<T>(&mut self, said: &Said<T>, value: impl Into<String>, test: Test) {
        self.0.push((Arc::new(said.rule(value)), test));
    }
}

/// What a list says as a whole.
pub(super) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

impl Test {
    /// Whether an object passes, or the delete marker of one, which has no size to be asked for. The
    /// error is of a pattern that takes too long.
    pub(super) fn passes(&self, entry: &Entry, is_delete_marker: bool) -> Result<bool, String> {
        Ok(match self {
            Self::Smaller(_) | Self::Larger(_) if is_delete_marker => true,
            Self::Before(time) => entry.modified < *time,
            Self::After(time) => entry.modified >= *time,
            Self::Smaller(size) => entry.size < *size,
            Self::Larger(size) => entry.size >= *size,
            Self::MatchesOne(_) | Self::MatchesNot(_) | Self::HasOne(_) | Self::HasNot(_) => {
                return self.passes_by_name(entry.key.as_str());
            }
        })
    }

    /// The same of something of which nothing but its name is known.
    pub(super) fn passes_by_name(&self, key: &str) -> Result<bool, String> {
        Ok(match self {
            Self::MatchesOne(globs) => globs.iter().any(|glob| glob.is_match(key)),
            Self::MatchesNot(glob) => !glob.is_match(key),
            Self::HasOne(patterns) => {
                for pattern in patterns {
                    if pattern.is_match(key)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::HasNot(pattern) => !pattern.is_match(key)?,
            Self::Before(_) | Self::After(_) | Self::Smaller(_) | Self::Larger(_) => true,
        })
    }

    /// Which directories it keeps out whole.
    pub(super) fn below(&self) -> Option<Below> {
        match self {
            Self::MatchesNot(glob) => Below::of(glob.as_regex()),
            Self::HasNot(pattern) => Below::of(pattern.as_str()),
            Self::MatchesOne(_)
            | Self::HasOne(_)
            | Self::Before(_)
            | Self::After(_)
            | Self::Smaller(_)
            | Self::Larger(_) => None,
        }
    }
}
