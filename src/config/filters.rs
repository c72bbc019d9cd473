//! What is left out, from what counts in the end.

use std::path::PathBuf;
use std::sync::Arc;

use super::merged::Merged;
use super::patterns::{Glob, Pattern};
use crate::event::Rule;
use crate::object::{ObjectKey, Timestamp};

/// What of the source is looked at, and what of that is left out.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Globs of which one must match.
    pub include: Option<Globs>,
    /// Globs of which none may match.
    pub exclude: Option<Globs>,
    /// The file that names the keys to look at, in place of a listing.
    pub keys_from: Option<Said<PathBuf>>,
    /// Only these keys of the source are looked at, and of the target nothing else.
    pub only: Option<Arc<[ObjectKey]>>,
    /// Only what is older.
    pub mtime_before: Option<Bound<Timestamp>>,
    /// Only what is newer, or as old.
    pub mtime_after: Option<Bound<Timestamp>>,
    /// Only what is smaller, in bytes.
    pub smaller_size: Option<Bound<u64>>,
    /// Only what is larger, or as large, in bytes.
    pub larger_size: Option<Bound<u64>>,
    /// On the key.
    pub key: Patterns,
    /// On the media type.
    pub content_type: Patterns,
    /// On the user metadata, as `k1=v1,k2=v2`.
    pub metadata: Patterns,
    /// On the tags, as `k1=v1&k2=v2`.
    pub tags: Patterns,
}

/// Regular expressions on one thing.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    /// One of these must be found in it.
    pub include: Option<Regexes>,
    /// None of these may be.
    pub exclude: Option<Regexes>,
}

/// A list of globs, and who said it; never empty.
pub type Globs = Said<Vec<Glob>>;

/// A list of regular expressions, and who said it; never empty.
pub type Regexes = Said<Vec<Pattern>>;

/// A bound, and who said it.
pub type Bound<T> = Said<T>;

/// What a filter says, and where that is said.
#[derive(Debug, Clone)]
pub struct Said<T> {
    /// The option's path.
    pub path: &'static str,
    /// What.
    pub value: T,
    /// Where.
    pub origin: String,
}

impl<T> Said<T> {
    /// As reports name it.
    pub fn rule(&self, value: impl Into<String>) -> Rule {
        Rule {
            filter: self.path,
            value: value.into(),
            origin: self.origin.clone(),
        }
    }
}

/// The filters of a pair.
pub(super) fn filters(merged: &Merged) -> Filters {
    Filters {
        include: list(merged, "filter.include", Glob::new),
        exclude: list(merged, "filter.exclude", Glob::new),
        keys_from: said(merged, "filter.keys_from", merged.path("filter.keys_from")),
        only: None,
        mtime_before: said(
            merged,
            "filter.mtime_before",
            merged.optional("filter.mtime_before"),
        ),
        mtime_after: said(
            merged,
            "filter.mtime_after",
            merged.optional("filter.mtime_after"),
        ),
        smaller_size: said(
            merged,
            "filter.smaller_size",
            merged.optional("filter.smaller_size"),
        ),
        larger_size: said(
            merged,
            "filter.larger_size",
            merged.optional("filter.larger_size"),
        ),
        key: patterns(merged, ["filter.include_regex", "filter.exclude_regex"]),
        content_type: patterns(
            merged,
            [
                "filter.include_content_type_regex",
                "filter.exclude_content_type_regex",
            ],
        ),
        metadata: patterns(
            merged,
            [
                "filter.include_metadata_regex",
                "filter.exclude_metadata_regex",
            ],
        ),
        tags: patterns(
            merged,
            ["filter.include_tag_regex", "filter.exclude_tag_regex"],
        ),
    }
}

fn patterns(merged: &Merged, [include, exclude]: [&'static str; 2]) -> Patterns {
    Patterns {
        include: list(merged, include, Pattern::new),
        exclude: list(merged, exclude, Pattern::new),
    }
}

/// A list that was checked when it was read.
fn list<T>(
    merged: &Merged,
    path: &'static str,
    compile: impl Fn(&str) -> Result<T, String>,
) -> Option<Said<Vec<T>>> {
    let texts: Vec<String> = merged.optional(path)?;
    let compiled: Vec<T> = texts.iter().filter_map(|text| compile(text).ok()).collect();
    said(merged, path, (!compiled.is_empty()).then_some(compiled))
}

/// What is said of an option that may be unset.
pub(super) fn said<T>(merged: &Merged, path: &'static str, value: Option<T>) -> Option<Said<T>> {
    value.map(|value| Said {
        path,
        value,
        origin: merged.place(path).origin(),
    })
}
