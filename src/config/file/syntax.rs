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
    let key = content.get(span.clone()).unwrap_or_default();
    match error.message() {
        "duplicate key" => said_twice(content, &span, &place),
        message if message.starts_with("cannot extend value of type") => {
            let problem = Problem::new(
                format!("`{key}` has a value already, and can have no keys beside it"),
                &place(span),
            );
            problem.remedy(long_form(key).unwrap_or("keep the value or the keys"))
        }
        message => {
            let rest = content.get(span.start..).unwrap_or_default();
            let is_missing = rest.is_empty() || rest.starts_with(['\n', '\r', '#']);
            if is_missing && message.starts_with("string values must be quoted") {
                return Problem::new("not TOML: a value is missing", &place(span));
            }
            let lines: Vec<&str> = message.lines().collect();
            let message = lines.join("; ");
            let remedy = remedy(&message, content, &span);
            Problem::new(format!("not TOML: {message}"), &place(span)).remedy(remedy)
        }
    }
}

/// How a shorthand is written when more is said than its value.
fn long_form(key: &str) -> Option<&'static str> {
    match key {
        "source" => Some("when more than the URL is said, write source.url = …"),
        "target" => Some("when more than the URL is said, write target.url = …"),
        "delete" => Some("when more than that is said, write delete.enabled = …"),
        _ => None,
    }
}

/// What may be done about the commonest slips.
fn remedy(message: &str, content: &str, span: &Range<usize>) -> String {
    let at = content
        .get(span.start..)
        .and_then(|rest| rest.chars().next());
    match at {
        Some(at) if at.is_control() && !matches!(at, '\n' | '\r' | '\t') => {
            format!("the control character U+{:04X} is not allowed", at as u32)
        }
        _ if message.starts_with("string values must be quoted") => {
            "put the text in quotes".to_owned()
        }
        _ if message.starts_with("missing escaped value") => {
            r"write a backslash as \\, or put the text in single quotes: '…'".to_owned()
        }
        _ => String::new(),
    }
}

fn said_twice(
    content: &str,
    span: &Range<usize>,
    place: &dyn Fn(Range<usize>) -> Place,
) -> Problem {
    let Some(Twice { path, first }) = twice(content, span) else {
        let key = content.get(span.clone()).unwrap_or_default();
        return Problem::new(format!("`{key}` is said twice"), &place(span.clone()))
            .remedy("keep one of them");
    };
    let last = path.last().map(String::as_str).unwrap_or_default();
    let (message, remedy) = match &*path {
        [table, pair] if table == "pairs" => (
            format!("pair `{pair}` is named twice"),
            "keep one of them, or call one otherwise",
        ),
        path => (
            format!("`{}` is said twice", path.join(".")),
            long_form(last)
                .filter(|_| is_header(content, span))
                .unwrap_or("keep one of them"),
        ),
    };
    Problem::new(message, &place(span.clone()))
        .remedy(remedy)
        .against(&place(first), "first here")
}

/// Whether a span is in a line that begins a table.
fn is_header(content: &str, span: &Range<usize>) -> bool {
    let before = content.get(..span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim_start().starts_with('[')
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
