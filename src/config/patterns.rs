//! Patterns of filters, ready to be matched.

use std::fmt;
use std::fmt::Write as _;

/// A regular expression. One that looks around itself is taken by a slower engine than the others.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Plain(regex::Regex),
    Around(fancy_regex::Regex),
}

/// A pattern on whole keys: `*`, `?` and `[…]` stay between two slashes, `**` does not.
#[derive(Clone)]
pub struct Glob {
    text: String,
    regex: regex::Regex,
}

impl Pattern {
    /// Compiles it. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let engine = match regex::Regex::new(text) {
            Ok(plain) => Engine::Plain(plain),
            Err(error) => match fancy_regex::Regex::new(text) {
                Ok(around) => Engine::Around(around),
                Err(_) => return Err(no_regex(&error)),
            },
        };
        Ok(Self {
            text: text.to_owned(),
            engine,
        })
    }

    /// Whether it is found anywhere in a text. The error is of one that looks around itself and
    /// would take too long.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        match &self.engine {
            Engine::Plain(regex) => Ok(regex.is_match(text)),
            Engine::Around(regex) => (regex.is_match(text)).map_err(|error| error.to_string()),
        }
    }

    /// As it was said.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Glob {
    /// Compiles it. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = globset::GlobBuilder::new(text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| format!("is no glob: {}", error.kind()))?;
        let regex = of_characters(glob.regex());
        let regex = regex::Regex::new(&regex).map_err(|_| "is too large a glob".to_owned())?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    /// Whether it is the pattern of a whole key.
    pub fn is_match(&self, key: &str) -> bool {
        self.regex.is_match(key)
    }

    /// As it was said.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The regular expression that finds the same keys.
    pub fn as_regex(&self) -> &str {
        self.regex.as_str()
    }
}

/// A glob's regular expression is one on bytes, for which `ü` is two of what `?` stands for; here
/// it becomes one on characters, of which no class has the slash.
fn of_characters(regex: &str) -> String {
    let regex = regex.strip_prefix("(?-u)").unwrap_or(regex);
    let mut text = "(?s)".to_owned();
    let mut bytes = Vec::new();
    let mut rest = regex.chars();
    while let Some(c) = rest.next() {
        let escape = rest.as_str();
        match c {
            '\\' if escape.starts_with('x') => {
                bytes.extend(u8::from_str_radix(&escape[1..3], 16));
                rest = escape[3..].chars();
                if let Ok(character) = std::str::from_utf8(&bytes) {
                    text.push_str(character);
                    bytes.clear();
                }
            }
            '\\' => {
                text.push(c);
                text.extend(rest.next());
            }
            '[' => text.push_str("[["),
            ']' => text.push_str("]--/]"),
            other => text.push(other),
        }
    }
    text
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Glob").field(&self.text).finish()
    }
}

fn no_regex(error: &regex::Error) -> String {
    let error = error.to_string();
    let cause = error.lines().rfind(|line| !line.trim().is_empty());
    let cause = cause.unwrap_or_default().trim();
    let mut message = "is no regular expression".to_owned();
    let _ = write!(
        message,
        ": {}",
        cause.strip_prefix("error: ").unwrap_or(cause)
    );
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_are_none_are_told_why() {
        for (text, wrong) in [
            (r"\.tmp$", None),
            (r"(^|/)\.DS_Store$", None),
            (r"^(?!.*\.bak$).*$", None),
            (r"(a)\1", None),
            ("(a", Some("is no regular expression: unclosed group")),
            (
                "*",
                Some("is no regular expression: repetition operator missing expression"),
            ),
        ] {
            assert_eq!(Pattern::new(text).err().as_deref(), wrong, "{text}");
        }
        assert_eq!(
            Glob::new("[a").err().as_deref(),
            Some("is no glob: unclosed character class; missing ']'")
        );
    }

    #[test]
    fn a_pattern_that_takes_too_long_says_so() {
        let pattern = Pattern::new(r"^(a|aa)+(?<!b)\1$").expect("a pattern");
        assert_eq!(pattern.is_match("aaaa"), Ok(true));
        let told = pattern.is_match(&format!("{}c", "a".repeat(60)));
        let told = told.expect_err("it is given up");
        assert!(told.contains("backtrack"), "{told}");
    }

    #[test]
    fn stars_stay_between_slashes_and_two_of_them_do_not() {
        for (glob, matched, others) in [
            (
                "a.tmp",
                vec!["a.tmp"],
                vec!["b/a.tmp", "a.tmp/b", "axtmp", "/a.tmp"],
            ),
            (
                "*.tmp",
                vec!["a.tmp", ".tmp", "\u{fc}.tmp"],
                vec!["b/a.tmp", "a.tmpx"],
            ),
            (
                "**/*.tmp",
                vec!["a.tmp", "b/a.tmp", "b/c/a.tmp"],
                vec!["a.tmp/b"],
            ),
            (
                "cache/*",
                vec!["cache/a"],
                vec!["cache/a/b", "cache", "b/cache/a"],
            ),
            (
                "cache/**",
                vec!["cache/a", "cache/a/b", "cache/a\nb"],
                vec!["cache", "b/cache/a"],
            ),
            (
                "**/cache/**",
                vec!["cache/a", "b/cache/a/c"],
                vec!["cache", "xcache/a"],
            ),
            (
                "a/**/b",
                vec!["a/b", "a/x/b", "a/x/y/b"],
                vec!["a/xb", "ab"],
            ),
            ("**", vec!["a", "a/b", ""], vec![]),
            (
                "a?c",
                vec!["abc", "a\u{fc}c", "a\nc"],
                vec!["ac", "a/c", "abbc"],
            ),
            ("a[bc]d", vec!["abd", "acd"], vec!["aed", "abcd"]),
            ("a[!b]c", vec!["axc", "a\u{fc}c"], vec!["abc", "a/c"]),
            ("a[+-9]c", vec!["a-c", "a5c"], vec!["a/c"]),
            ("[\u{e4}-\u{fc}]", vec!["\u{f6}"], vec!["o", "\u{e3}"]),
            ("[]]", vec!["]"], vec!["["]),
            ("[a^]", vec!["^", "a"], vec!["b"]),
            ("*.{jpg,png}", vec!["a.jpg", "a.png"], vec!["a.gif"]),
            ("{a,b/**}", vec!["a", "b/x/y"], vec!["b"]),
            (r"\*.\x", vec!["*.x"], vec!["a.x"]),
            (r"a\\x41", vec![r"a\x41"], vec!["aA"]),
            ("\u{fc}/*", vec!["\u{fc}/\u{e9}"], vec!["u/a"]),
            ("A", vec!["A"], vec!["a"]),
            ("/a", vec!["/a"], vec!["a"]),
            (".*", vec![".a"], vec!["a"]),
            ("*", vec!["a", ".a"], vec!["a/b"]),
        ] {
            let compiled = Glob::new(glob).expect(glob);
            for key in matched {
                assert!(compiled.is_match(key), "{glob} matches {key:?}");
            }
            for key in others {
                assert!(!compiled.is_match(key), "{glob} does not match {key:?}");
            }
        }
    }
}
