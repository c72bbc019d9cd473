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

/// A pattern on whole keys: `*` stays between two slashes, `**` does not.
#[derive(Clone)]
pub struct Glob(globset::GlobMatcher);

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
        globset::GlobBuilder::new(text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("is no glob: {}", error.kind()))
    }

    /// Whether it is the pattern of a whole key.
    pub fn is_match(&self, key: &str) -> bool {
        self.0.is_match(key)
    }

    /// As it was said.
    pub fn as_str(&self) -> &str {
        self.0.glob().glob()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Glob").field(&self.as_str()).finish()
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
        assert!(Glob::new("**/*.{jpg,png}").is_ok());
        assert_eq!(
            Glob::new("[a").err().as_deref(),
            Some("is no glob: unclosed character class; missing ']'")
        );
    }
}
