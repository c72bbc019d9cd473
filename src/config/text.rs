//! A job file's text: where things stand in it, and what of it may be shown.

use std::ops::Range;
use std::path::PathBuf;

/// The text of a job file under the name the user gave it.
#[derive(Debug)]
pub(super) struct FileText {
    /// The path as it was given.
    pub(super) name: PathBuf,
    /// The text with every secret value replaced by stars, so that no message can quote one.
    shown: String,
}

/// A line and where in it something stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot<'a> {
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) column: usize,
    /// The line.
    pub(super) text: &'a str,
    /// How many characters of the line are meant, at least 1.
    pub(super) width: usize,
}

impl FileText {
    /// Keeps a text of which the `secret` ranges are never shown.
    pub(super) fn new(name: PathBuf, text: &str, secret: &[Range<usize>]) -> Self {
        let mut shown = text.to_owned();
        for range in secret {
            if let Some(hidden) = text.get(range.clone()) {
                // as many bytes as before, so that places stay where they are
                let stars: String = hidden
                    .bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { '*' })
                    .collect();
                shown.replace_range(range.clone(), &stars);
            }
        }
        Self { name, shown }
    }

    /// Where a range of bytes begins, and its part of that line.
    pub(super) fn spot(&self, range: &Range<usize>) -> Spot<'_> {
        let text = &self.shown;
        let mut start = range.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[begin..end].trim_end_matches('\r');
        let stop = range
            .end
            .clamp(start, begin + line.len().max(start - begin));
        let width = text.get(start..stop).map_or(1, |part| part.chars().count());
        Spot {
            line: text[..begin].matches('\n').count() + 1,
            column: text[begin..start].chars().count() + 1,
            text: line,
            width: width.max(1),
        }
    }
}

/// Ranges of what looks like a secret value in a text that does not parse: everything after the
/// `=` of a line whose key sounds like one, and more where the value may go on.
pub(super) fn secrets_by_look(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        while let Some(at) = line[from..].find('=').map(|at| from + at) {
            if sounds_secret(&line[from..at]) {
                let value = line[at + 1..].trim_start();
                let start = line.len() - value.len();
                let goes_on = value.starts_with("\"\"\"") || value.starts_with("'''");
                let end = if goes_on {
                    text.len()
                } else {
                    begin + start + value.trim_end().len()
                };
                found.push(begin + start..end);
                break;
            }
            from = at + 1;
        }
        begin += line.len();
    }
    found
}

/// Whether a key, perhaps misspelt, sounds as if its value were secret.
pub(super) fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let last = key
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .find(|part| !part.is_empty())
        .unwrap_or("");
    ["secret", "token", "password", "access_key", "sse_c_key"]
        .iter()
        .any(|word| last.contains(word))
        || last.ends_with("key")
        || super::suggest::nearest(
            last,
            [
                "secret_access_key",
                "session_token",
                "access_key",
                "sse_c_key",
            ],
        )
        .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_is_counted_in_characters() {
        let text = FileText::new("x".into(), "a = 1\nbä = \"ö\"\r\n", &[]);
        let at = "a = 1\nbä = ".len();
        let spot = text.spot(&(at..at + 4));
        assert_eq!((spot.line, spot.column, spot.width), (2, 6, 3));
        assert_eq!(spot.text, "bä = \"ö\"");
        let end = text.spot(&(1000..1001));
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
    }

    #[test]
    fn secrets_are_hidden_even_where_nothing_parses() {
        let text = "secret_access_key = \"abc\nsource = { url = 1, sesion_token = 'x' }\nregion = \"eu\"\n";
        let shown = FileText::new("x".into(), text, &secrets_by_look(text)).shown;
        assert!(!shown.contains("abc") && !shown.contains("'x'"), "{shown}");
        assert!(shown.contains("eu"), "{shown}");
        assert_eq!(shown.len(), text.len());
        let text = "session_token = \"\"\"\nabc\nx = [";
        let shown = FileText::new("x".into(), text, &secrets_by_look(text)).shown;
        assert!(!shown.contains("abc"), "{shown}");
    }
}
