//! What keeps an object out: the filter, what it says, and who said it.

use std::fmt;

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
