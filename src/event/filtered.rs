//! What keeps an object out: the filter, what it says, and who said it.

use std::fmt;
use std::sync::Arc;

/// A filter as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its option's path, `filter.exclude_regex`.
    pub filter: &'static str,
    /// What it says: the pattern that matched, all patterns where none of them did, the bound, the
    /// script.
    pub value: String,
    /// Where that is said, `nightly.toml:40` or `flag --filter-exclude-regex`.
    pub origin: String,
}

impl Rule {
    /// That of a filter the program brings: reports count what it rejects under `hook` and this
    /// name.
    pub fn of_hook(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            filter: "hook",
            value: name.into(),
            origin: "program".to_owned(),
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            filter,
            value,
            origin,
        } = self;
        write!(f, "{filter} = {value} ({origin})")
    }
}
