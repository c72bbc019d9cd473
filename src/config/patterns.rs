//! Patterns of filters: whether they are any.

use std::fmt::Write as _;

/// What is wrong with a regular expression, if anything is. One that looks around itself is taken
/// by a slower engine than the others.
pub(super) fn regex(text: &str) -> Result<(), String> {
    let Err(error) = regex::Regex::new(text) else {
        return Ok(());
    };
    if fancy_regex::Regex::new(text).is_ok() {
        return Ok(());
    }
    let error = error.to_string();
    let cause = error.lines().rfind(|line| !line.trim().is_empty());
    let cause = cause.unwrap_or_default().trim();
    let mut message = "is no regular expression".to_owned();
    let _ = write!(
        message,
        ": {}",
        cause.strip_prefix("error: ").unwrap_or(cause)
    );
    Err(message)
}

/// What is wrong with a glob, if anything is.
pub(super) fn glob(text: &str) -> Result<(), String> {
    globset::Glob::new(text)
        .map(drop)
        .map_err(|error| format!("is no glob: {}", error.kind()))
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
            assert_eq!(regex(text).err().as_deref(), wrong, "{text}");
        }
        assert_eq!(glob("**/*.{jpg,png}"), Ok(()));
        assert_eq!(
            glob("[a").err().as_deref(),
            Some("is no glob: unclosed character class; missing ']'")
        );
    }
}
