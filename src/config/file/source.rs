//! One TOML file and where things stand in it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item, Key, TableLike};

use super::grammar::{Otherwise, Part, parse};
use crate::config::problem::Place;
use crate::config::text::{FileText, has_credentials, sounds_secret};

/// A file that is TOML.
pub(super) struct SourceFile {
    /// What messages call it.
    pub(super) name: PathBuf,
    /// Where its relative paths begin.
    pub(super) base: PathBuf,
    /// Its path without symbolic links; what comes from elsewhere has none.
    pub(super) identity: Option<PathBuf>,
    pub(super) document: Document<String>,
    text: Arc<FileText>,
}

/// A text of a file, and where it stands.
pub(super) struct Words<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
    /// The path of its key.
    pub(super) path: String,
}

impl SourceFile {
    /// A job's file `number`.
    pub(super) fn new(
        name: PathBuf,
        number: usize,
        base: &Path,
        identity: Option<PathBuf>,
        document: Document<String>,
    ) -> Self {
        let mut secret = Vec::new();
        find_secrets(document.as_table(), &mut secret);
        let text = FileText::new(name.clone(), number, document.raw(), &secret);
        Self {
            name,
            base: base.to_owned(),
            identity,
            document,
            text: Arc::new(text),
        }
    }

    /// A place in it.
    pub(super) fn place(&self, span: &Range<usize>, path: impl Into<String>) -> Place {
        Place::File {
            text: Arc::clone(&self.text),
            span: span.clone(),
            path: path.into(),
        }
    }
}

impl Words<'_> {
    /// Where a range of the text stands in the file: the range itself where the file has it letter
    /// for letter, else the whole value.
    pub(super) fn place(&self, range: &Range<usize>) -> Place {
        let span = self.exact(range).unwrap_or_else(|| self.span.clone());
        self.file.place(&span, &self.path)
    }

    fn exact(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let raw = self.file.document.raw().get(self.span.clone())?;
        let wanted = self.text.get(range.clone())?;
        // references are told apart by their number, which escapes leave as it is
        let number = self.text[..range.start].matches("${").count();
        let mut found = raw.match_indices("${").map(|(at, _)| at);
        let same_number = raw.matches("${").count() == self.text.matches("${").count();
        let at = match wanted.starts_with("${") {
            true if same_number => found.nth(number)?,
            true => return None,
            false => {
                let offset = raw.find(self.text)?;
                offset + range.start
            }
        };
        raw[at..].starts_with(wanted).then(|| {
            let start = self.span.start + at;
            start..start + wanted.len()
        })
    }
}

/// Where a key stands.
pub(super) fn key_span(table: &dyn TableLike, key: &str) -> Range<usize> {
    table.key(key).and_then(Key::span).unwrap_or(0..0)
}

/// Where a value stands, or the key of what is no value.
pub(super) fn item_span(table: &dyn TableLike, key: &str, item: &Item) -> Range<usize> {
    match item {
        Item::Value(value) => value.span().unwrap_or_else(|| key_span(table, key)),
        _ => key_span(table, key),
    }
}

/// Where secret values stand, so that no message quotes them.
fn find_secrets(table: &dyn TableLike, found: &mut Vec<Range<usize>>) {
    for (key, item) in table.iter() {
        let sounds_secret = sounds_secret(key) && !item.as_str().is_some_and(is_reference);
        if let Some(inner) = item.as_table_like() {
            // a pair may be called anything
            let is_pair = inner.contains_key("source") || inner.contains_key("target");
            if sounds_secret && !is_pair {
                find_values(inner, found);
            } else {
                find_secrets(inner, found);
            }
        } else if sounds_secret || item.as_str().is_some_and(has_credentials) {
            found.extend(item.span());
        } else if let Some(tables) = item.as_array_of_tables() {
            for inner in tables {
                find_secrets(inner, found);
            }
        }
    }
}

/// Where the values of a table stand that a secret was written as, but for where it is kept.
fn find_values(table: &dyn TableLike, found: &mut Vec<Range<usize>>) {
    for (key, item) in table.iter() {
        if let Some(inner) = item.as_table_like() {
            find_values(inner, found);
        } else if !(matches!(key, "env" | "file") && item.is_str()) {
            found.extend(item.span());
        }
    }
}

/// Whether a text is a reference and nothing besides that could be a secret.
fn is_reference(text: &str) -> bool {
    let template = parse(text).ok();
    template.is_some_and(|template| match &*template.0 {
        [Part::Reference(reference)] => !matches!(reference.otherwise, Otherwise::Default(_)),
        _ => false,
    })
}
