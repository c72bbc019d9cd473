//! A job file's text: where things stand in it, and what of it may be shown.

use std::ops::Range;
use std::path::PathBuf;

/// The text of a job file under the name the user gave it.
#[derive(Debug)]
pub(super) struct FileText {
    /// The path as it was given.
    pub(super) name: PathBuf,
    /// Which of a job's files it is: 0 the job file itself, the others as they are included.
    pub(super) number: usize,
    /// The text with every secret value replaced by stars, so that no message can quote one.
    shown: String,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// A line and where in it something stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) column: usize,
    /// The line, or what is around the place if the line is very long.
    pub(super) text: String,
    /// How many characters of `text` stand before what is meant.
    pub(super) lead: usize,
    /// How many characters of `text` are meant, at least 1.
    pub(super) width: usize,
}

/// Most characters of a line that are shown, and how many of them before the place.
const WINDOW: usize = 160;
const BEFORE: usize = 60;

impl FileText {
    /// Keeps the text of a job's file `number`, of which the `secret` ranges are never shown.
    pub(super) fn new(name: PathBuf, number: usize, text: &str, secret: &[Range<usize>]) -> Self {
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
        let ends = shown.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            name,
            number,
            lines: std::iter::once(0).chain(ends).collect(),
            shown,
        }
    }

    /// Line and column where a range of bytes begins, counted from 1, the column in characters.
    pub(super) fn position(&self, range: &Range<usize>) -> (usize, usize) {
        let start = self.boundary(range.start);
        let line = self.lines.partition_point(|begin| *begin <= start);
        let begin = self.lines[line - 1];
        (line, self.shown[begin..start].chars().count() + 1)
    }

    /// Where what a value belongs to begins, line and column: its key, dots and all.
    pub(super) fn key_position(&self, value: &Range<usize>) -> (usize, usize) {
        let (line, column) = self.position(value);
        let before = &self.shown[self.lines[line - 1]..self.boundary(value.start)];
        // in an inline table the key is behind the last brace or comma
        let from = if before.contains('{') {
            before.rfind(['{', ',']).map_or(0, |at| at + 1)
        } else {
            0
        };
        let key = before[from..].trim_start();
        (line, column - key.chars().count())
    }

    /// Where a range of bytes begins, and its part of that line.
    pub(super) fn spot(&self, range: &Range<usize>) -> Spot {
        let (line, column) = self.position(range);
        let start = self.boundary(range.start);
        let begin = self.lines[line - 1];
        let end = self.lines.get(line).map_or(self.shown.len(), |at| at - 1);
        let whole = self.shown[begin..end.max(begin)].trim_end_matches('\r');
        let stop = self
            .boundary(range.end)
            .clamp(start, begin + whole.len().max(start - begin));
        let width = self.shown[start..stop].chars().count().max(1);
        let shown = |text: &str| text.chars().map(visible).collect::<String>();
        if whole.chars().nth(WINDOW).is_none() {
            return Spot {
                line,
                column,
                text: shown(whole),
                lead: column - 1,
                width,
            };
        }
        let skipped = (column - 1).saturating_sub(BEFORE);
        let mut rest = whole.chars().skip(skipped);
        let part: String = rest.by_ref().take(WINDOW).collect();
        let (head, tail) = (if skipped > 0 { "…" } else { "" }, rest.next());
        let lead = head.chars().count() + column - 1 - skipped;
        Spot {
            line,
            column,
            text: format!("{head}{}{}", shown(&part), tail.map_or("", |_| "…")),
            lead,
            width: width.min((WINDOW + 1).saturating_sub(lead)).max(1),
        }
    }

    /// The nearest boundary between characters, at or before a byte.
    fn boundary(&self, at: usize) -> usize {
        self.shown.floor_char_boundary(at)
    }
}

/// A character as it may be written to a terminal: control characters as their pictures.
pub(super) fn visible(character: char) -> char {
    match character {
        '\t' => '\t',
        '\u{7f}' => '\u{2421}',
        '\0'..'\u{20}' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\u{80}'..'\u{a0}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => character,
    }
}

/// Ranges of what looks like a secret value in a text that does not parse: everything behind a word
/// of a line that sounds like the key of one, and more where the value may go on.
pub(super) fn secrets_by_look(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = value_of_secret(line) {
            let start = begin + line.len() - value.len();
            if goes_on(value) {
                found.push(start..text.len());
                break;
            }
            found.push(start..start + value.trim_end().len());
        }
        begin += line.len();
    }
    found
}

/// What stands behind a word that sounds like the key of a secret, whatever should stand between
/// the two and does not.
fn value_of_secret(line: &str) -> Option<&str> {
    let is_between = |c: char| c == '=' || c == ':' || c.is_whitespace();
    let mut from = 0;
    for (at, sign) in line.match_indices(is_between) {
        let word = &line[from..at];
        from = at + sign.len();
        let is_key = word.ends_with(|c: char| c.is_alphanumeric() || "_-'\"".contains(c));
        if is_key && sounds_secret(word) {
            let value = line[at..].trim_start_matches(is_between);
            return Some(value).filter(|value| !value.is_empty());
        }
    }
    None
}

/// Whether a value may end in a later line.
fn goes_on(value: &str) -> bool {
    let count = |sign| value.matches(sign).count();
    value.starts_with("\"\"\"")
        || value.starts_with("'''")
        || count('[') > count(']')
        || count('{') > count('}')
}

/// The words of a command line as they may be shown: without what stands behind an option that
/// sounds secret, and without addresses that have a password in them.
pub(super) fn without_secrets(words: &[String]) -> Vec<String> {
    let mut is_secret = false;
    let shown = words.iter().map(|word| {
        let was_announced = std::mem::take(&mut is_secret);
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), None),
        };
        let announces = option.starts_with('-') && sounds_secret(option);
        match value {
            _ if was_announced || has_credentials(word) => REDACTED.to_owned(),
            Some(_) if announces => format!("{option}={REDACTED}"),
            Some(_) => word.clone(),
            None => {
                is_secret = announces;
                word.clone()
            }
        }
    });
    shown.collect()
}

/// What stands for something nobody may see.
const REDACTED: &str = "[redacted]";

/// Whether a text is a web address with a user, and perhaps a password, before its host (RFC 3986,
/// userinfo).
pub(super) fn has_credentials(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && authority.contains('@')
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

    fn text(text: &str, secret: &[Range<usize>]) -> FileText {
        FileText::new("x".into(), 0, text, secret)
    }

    #[test]
    fn a_spot_is_counted_in_characters() {
        let text = text("a = 1\nbä = \"ö\"\r\n", &[]);
        let at = "a = 1\nbä = ".len();
        let spot = text.spot(&(at..at + 4));
        assert_eq!((spot.line, spot.column, spot.width), (2, 6, 3));
        assert_eq!(spot.text, "bä = \"ö\"");
        let end = text.spot(&(1000..1001));
        assert_eq!((end.line, end.column, end.width), (3, 1, 1));
    }

    #[test]
    fn of_a_very_long_line_only_the_place_is_shown() {
        let line = format!("{}HERE{}", "ä".repeat(1000), "ö".repeat(1000));
        let spot = text(&line, &[]).spot(&(2000..2004));
        assert_eq!(spot.column, 1001);
        let meant: String = spot.text.chars().skip(spot.lead).take(spot.width).collect();
        assert_eq!(meant, "HERE");
        assert!(spot.text.starts_with('…') && spot.text.ends_with('…'));
        assert!(spot.text.chars().count() <= WINDOW + 2);
    }

    #[test]
    fn a_terminal_is_given_no_orders() {
        let spot = text("a = \"\x1b[31m\u{202e}\"", &[]).spot(&(0..1));
        assert_eq!(spot.text, "a = \"\u{241b}[31m\u{fffd}\"");
    }

    #[test]
    fn secrets_are_hidden_even_where_nothing_parses() {
        let text = "secret_access_key = \"abc\nsource = { url = 1, sesion_token = 'x' }\nregion = \"eu\"\n";
        let shown = super::tests::text(text, &secrets_by_look(text)).shown;
        assert!(!shown.contains("abc") && !shown.contains("'x'"), "{shown}");
        assert!(shown.contains("eu"), "{shown}");
        assert_eq!(shown.len(), text.len());
        // a line is read once, however many keys are in it
        let long = "{a=".repeat(300_000);
        assert!(secrets_by_look(&long).is_empty());
        for text in [
            "session_token = \"\"\"\nabc\nx = [",
            "session_token = [\n  'abc'\n",
            "session_token 'abc'",
            "session_token: abc",
            "oops session_token\tabc oops",
            "\"session_token\" = abc",
        ] {
            let shown = super::tests::text(text, &secrets_by_look(text)).shown;
            assert!(
                !shown.contains("abc") && shown.contains("session_token"),
                "{shown}"
            );
        }
    }
}
