//! Text that is TOML, or what is wrong with it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml_edit::{Document, Item, Key, Table, TableLike, TomlError};

use crate::config::problem::{Place, Problem};
use crate::config::text::{FileText, secrets_by_look};

/// Parses a job's file `number`.
pub(super) fn parse(
    name: &Path,
    number: usize,
    content: String,
) -> Result<Document<String>, Problem> {
    Document::parse(content.clone()).map_err(|error| problem(name, number, &content, &error))
}

fn problem(name: &Path, number: usize, content: &str, error: &TomlError) -> Problem {
    let text = FileText::new(name.to_owned(), number, content, &secrets_by_look(content));
    let text = Arc::new(text);
    let place = |span: Range<usize>| Place::File {
        text: Arc::clone(&text),
        span,
        path: String::new(),
    };
    let span = error.span().unwrap_or(0..0);
    if error.message() == "duplicate key"
        && let Some(twice) = twice(content, &span)
    {
        let message = match &*twice.path {
            [table, pair] if table == "pairs" => format!("pair `{pair}` is named twice"),
            path => format!("`{}` is said twice", path.join(".")),
        };
        return Problem::new(message, &place(span))
            .remedy("keep one of them")
            .against(&place(twice.first), "first here");
    }
    let lines: Vec<&str> = error.message().lines().collect();
    Problem::new(format!("not TOML: {}", lines.join("; ")), &place(span))
}

/// A key that is said twice.
struct Twice {
    path: Vec<String>,
    /// Where it is said first.
    first: Range<usize>,
}

/// Finds where a key that `again` says is said before. What stands before the line of `again` is
/// TOML; the line says which table it is in, or else the last header before it.
fn twice(content: &str, again: &Range<usize>) -> Option<Twice> {
    let begin = content
        .get(..again.start)?
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let before = Document::parse(&content[..begin]).ok()?;
    let line = content[begin..].lines().next()?;
    let path = if line.trim_start().starts_with('[') {
        header(line)?
    } else {
        let above = content[..begin].lines().rev();
        let mut path = above
            .filter(|line| line.trim_start().starts_with('['))
            .find_map(header)
            .unwrap_or_default();
        let key = Key::parse(line.split('=').next()?.trim()).ok()?;
        path.extend(key.iter().map(|key| key.get().to_owned()));
        path
    };
    first(before.as_table(), &path).map(|first| Twice { path, first })
}

/// The path of `[a.b]` or `[[a.b]]`.
fn header(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let inner = line.split('#').next()?.trim_end();
    let inner = inner.strip_prefix('[')?.strip_suffix(']')?;
    let inner = inner
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(inner);
    let keys = Key::parse(inner.trim()).ok()?;
    Some(keys.iter().map(|key| key.get().to_owned()).collect())
}

/// Where a path is said.
fn first(root: &Table, path: &[String]) -> Option<Range<usize>> {
    let (last, above) = path.split_last()?;
    let mut table: &dyn TableLike = root;
    for key in above {
        let item = table.get(key)?;
        table = match item {
            Item::ArrayOfTables(tables) => tables.iter().last()?,
            item => item.as_table_like()?,
        };
    }
    table.key(last)?.span()
}
