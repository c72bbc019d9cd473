//! One value of an option, and how it is read from a text or from TOML.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use toml_edit::Item;

use super::option::{Kind, OptionRow};
use super::patterns;
use super::suggest::nearest;
use super::tables;
use super::text::{has_credentials, without_secrets};
use super::units::{read_duration, read_size, write_duration, write_size};
use crate::object::Timestamp;
use crate::store::Secret;

/// A value that is of its option's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    Bool(bool),
    Number(u64),
    Size(u64),
    Duration(Duration),
    Time(Timestamp),
    Text(String),
    Path(PathBuf),
    List(Vec<String>),
    /// A program and its arguments.
    Program(CommandLine),
    Table(BTreeMap<String, String>),
    Secret(Secret, Keeper),
}

/// A program and its arguments, which may have secrets filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandLine {
    pub(super) words: Vec<String>,
    /// The same as it may be shown.
    pub(super) shown: Vec<String>,
}

impl CommandLine {
    /// The same, shown as another one.
    pub(super) fn shown_as(self, other: &Setting) -> Setting {
        match other {
            Setting::Program(other) => Setting::Program(Self {
                shown: other.shown.clone(),
                ..self
            }),
            _ => Setting::Program(self),
        }
    }
}

/// Where a secret is kept, so that it can be named without being shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeper {
    /// It stands where the option is said.
    Here,
    /// An environment variable.
    Variable(String),
    /// A file.
    File(PathBuf),
}

/// Why a value is not taken, and what may be said instead.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) remedy: String,
}

/// Reads a value that is text: from the environment, from a flag, from the table's defaults.
/// Relative paths are below `base`.
pub(super) fn from_text(row: &OptionRow, text: &str, base: &Path) -> Result<Setting, Refusal> {
    let wrong = || mistake(row, text);
    if is_empty_collection(text) && (row.kind.is_table() || row.kind == Kind::Hooks) {
        return Ok(empty(row.kind));
    }
    match row.kind {
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Setting::Bool(true)),
            "false" | "0" | "no" | "off" => Ok(Setting::Bool(false)),
            _ => Err(wrong()),
        },
        Kind::Number { min, max } => text
            .trim()
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .map(Setting::Number)
            .ok_or_else(wrong),
        Kind::Size { min, max } => read_size(text)
            .filter(|size| (min..=max).contains(size))
            .map(Setting::Size)
            .ok_or_else(wrong),
        Kind::Duration { min_millis } => read_duration(text)
            .filter(|duration| duration.as_millis() >= u128::from(min_millis))
            .map(Setting::Duration)
            .ok_or_else(wrong),
        Kind::Time => Timestamp::parse(&without_space(text.trim()))
            .map(Setting::Time)
            .map_err(|_| wrong()),
        Kind::Pairs
        | Kind::Words(_)
        | Kind::Regexes
        | Kind::Globs
        | Kind::Files
        | Kind::Program => list(row, list_from_text(text)),
        Kind::Metadata => tables::metadata(text)
            .map(Setting::Table)
            .map_err(|what| refusal(row, what)),
        Kind::Tags => tables::tags(text)
            .map(Setting::Table)
            .map_err(|what| refusal(row, what)),
        Kind::Variables | Kind::Hooks => Err(wrong()),
        Kind::Secret | Kind::SecretKey => secret(row, Secret::new(text), Keeper::Here),
        Kind::Text
        | Kind::Header
        | Kind::Redirect
        | Kind::Name
        | Kind::Path
        | Kind::Location
        | Kind::Endpoint
        | Kind::Word { .. } => from_word(row, text, base),
    }
}

/// Reads a value of a job file. A secret's table (`{ env = … }`) is the caller's.
pub(super) fn from_toml(row: &OptionRow, item: &Item, base: &Path) -> Result<Setting, Refusal> {
    let wrong = || match item {
        // what is in it may be anything, a secret too
        _ if item.is_table_like() => misfit(row, "a table"),
        _ if item.is_array() || item.is_array_of_tables() => misfit(row, "an array"),
        _ => mistake(row, item.to_string().trim()),
    };
    match row.kind {
        Kind::Bool => item.as_bool().map(Setting::Bool).ok_or_else(wrong),
        Kind::Number { .. } => match item.as_integer() {
            Some(number) => from_text(row, &number.to_string(), base),
            None => Err(wrong()),
        },
        Kind::Size { .. } => match (item.as_integer(), item.as_str()) {
            (Some(number), _) => from_text(row, &number.to_string(), base),
            (None, Some(text)) => from_text(row, text, base),
            (None, None) => Err(wrong()),
        },
        Kind::Time => match (item.as_datetime(), item.as_str()) {
            (Some(time), _) => from_text(row, &time.to_string(), base).map_err(|mut refusal| {
                if time.offset.is_none() {
                    refusal
                        .remedy
                        .push_str("say the time and its offset, such as Z");
                }
                refusal
            }),
            (None, Some(text)) => from_text(row, text, base),
            (None, None) => Err(wrong()),
        },
        Kind::Pairs
        | Kind::Words(_)
        | Kind::Regexes
        | Kind::Globs
        | Kind::Files
        | Kind::Program => match texts(item) {
            Some(texts) => list(row, texts),
            None => Err(wrong()),
        },
        Kind::Metadata | Kind::Tags | Kind::Variables => {
            let table = item.as_table_like().ok_or_else(wrong)?;
            let mut texts = BTreeMap::new();
            for (key, item) in table.iter() {
                let text = item.as_str().ok_or_else(|| {
                    refusal(
                        row,
                        format_args!("must be a table of texts, and `{key}` is none"),
                    )
                })?;
                texts.insert(key.to_owned(), text.to_owned());
            }
            tables::check(row.kind, &texts).map_err(|what| refusal(row, what))?;
            Ok(Setting::Table(texts))
        }
        Kind::Hooks => match item.as_array() {
            Some(array) if array.is_empty() => Ok(empty(row.kind)),
            _ => Err(wrong()),
        },
        Kind::Duration { .. }
        | Kind::Secret
        | Kind::SecretKey
        | Kind::Text
        | Kind::Header
        | Kind::Redirect
        | Kind::Name
        | Kind::Path
        | Kind::Location
        | Kind::Endpoint
        | Kind::Word { .. } => match item.as_str() {
            Some(text) => from_text(row, text, base),
            None => Err(wrong()),
        },
    }
}

/// A secret that is kept somewhere; a key of 256 bits must be one.
pub(super) fn secret(row: &OptionRow, secret: Secret, keeper: Keeper) -> Result<Setting, Refusal> {
    use base64::Engine as _;
    let text = secret.expose();
    if text.is_empty() {
        return Err(refusal(row, "is empty"));
    }
    if row.kind == Kind::SecretKey {
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        if decoded
            .map(zeroize::Zeroizing::new)
            .is_ok_and(|key| key.len() == 32)
        {
            return Ok(Setting::Secret(secret, keeper));
        }
        return Err(Refusal {
            remedy: "`openssl rand -base64 32` makes one".to_owned(),
            ..refusal(row, format_args!("must be {}", expectation(row.kind)))
        });
    }
    Ok(Setting::Secret(secret, keeper))
}

impl Setting {
    /// The value as `resolved.json` shows it: sizes and durations as they are written in job
    /// files, secrets redacted.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Size(value) => write_size(*value).into(),
            Self::Duration(value) => write_duration(*value).into(),
            Self::Time(value) => write_time(*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Path(value) => value.to_string_lossy().into(),
            Self::List(values) => values.clone().into(),
            Self::Program(line) => line.shown.clone().into(),
            Self::Table(values) => serde_json::json!(values),
            Self::Secret(secret, _) => secret.to_string().into(),
        }
    }
}

/// What an option takes, in words.
pub(super) fn expectation(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Number { min, max } if min == max => format!("{min}"),
        Kind::Number { min, max: u64::MAX } => format!("a whole number, {min} or more"),
        Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Size { min: 0, .. } => "a size such as \"8MiB\"".to_owned(),
        Kind::Size { min, max: u64::MAX } => format!("a size of at least \"{}\"", write_size(min)),
        Kind::Size { min, max } => {
            let (min, max) = (write_size(min), write_size(max));
            format!("a size from \"{min}\" to \"{max}\"")
        }
        Kind::Duration { min_millis: 0 } => "a duration such as \"250ms\" or \"90s\"".to_owned(),
        Kind::Duration { .. } => "a duration above zero, such as \"90s\"".to_owned(),
        Kind::Time => "a time such as \"2026-01-31T23:59:59Z\"".to_owned(),
        Kind::Text | Kind::Secret => "text".to_owned(),
        Kind::Header => "text without control characters".to_owned(),
        Kind::Redirect => {
            "a path from the website's root (`/…`), or an http:// or https:// URL".to_owned()
        }
        Kind::Name => "a name that can be a folder's".to_owned(),
        Kind::Path => "a path".to_owned(),
        Kind::Location => "a local path or s3://bucket[/prefix]".to_owned(),
        Kind::Endpoint => "an http:// or https:// URL with a host and no spaces".to_owned(),
        Kind::Word(words) => listed(words, "or"),
        Kind::SecretKey => "a key of 256 bits in base64".to_owned(),
        Kind::Pairs => "a list of pair names".to_owned(),
        Kind::Words(words) => format!("a list of {}", listed(words, "and")),
        Kind::Regexes => "a list of regular expressions".to_owned(),
        Kind::Globs => "a list of globs".to_owned(),
        Kind::Files => "a list of paths".to_owned(),
        Kind::Program => "a list of texts: a program and its arguments".to_owned(),
        Kind::Metadata => "a table of texts, or `k=v,…`".to_owned(),
        Kind::Tags => "a table of texts, or `k=v&…`".to_owned(),
        Kind::Variables => "a table of texts".to_owned(),
        Kind::Hooks => "tables: [[hooks]]".to_owned(),
    }
}

fn refusal(row: &OptionRow, what: impl std::fmt::Display) -> Refusal {
    Refusal {
        message: format!("`{}` {what}", row.path),
        remedy: String::new(),
    }
}

/// Words in quotes: `"a", "b" or "c"`.
pub(super) fn listed(words: &[&str], conjunction: &str) -> String {
    let mut quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.pop() {
        Some(last) if !quoted.is_empty() => {
            format!("{} {conjunction} {last}", quoted.join(", "))
        }
        last => last.unwrap_or_default(),
    }
}

/// A value of the wrong kind that is not quoted.
fn misfit(row: &OptionRow, what: &str) -> Refusal {
    refusal(
        row,
        format_args!("must be {}, not {what}", expectation(row.kind)),
    )
}

/// A value of the wrong kind; `said` as it stands there.
fn mistake(row: &OptionRow, said: &str) -> Refusal {
    let expected = expectation(row.kind);
    if row.is_secret() {
        return refusal(row, format_args!("must be {expected}"));
    }
    let short: String = said.chars().take(60).collect();
    let dots = if short == said { "" } else { "…" };
    let mut refusal = refusal(row, format_args!("must be {expected}, not `{short}{dots}`"));
    if let (Kind::Size { .. }, Some(rest)) = (row.kind, said.strip_suffix('b'))
        && read_size(&format!("{rest}B")).is_some()
    {
        refusal.remedy.push_str("a small `b` means bits: write `B`");
    }
    let words = match row.kind {
        Kind::Word(words) | Kind::Words(words) => Some(words.iter()),
        _ => None,
    };
    if let Some(words) = words.map(Iterator::copied) {
        // letters of the wrong case are the commonest slip
        let same = |word: &&str| word.eq_ignore_ascii_case(said);
        if let Some(meant) = words.clone().find(same).or_else(|| nearest(said, words)) {
            refusal.remedy = format!("did you mean \"{meant}\"?");
        }
    }
    refusal
}

fn from_word(row: &OptionRow, text: &str, base: &Path) -> Result<Setting, Refusal> {
    if text.is_empty() {
        return Err(refusal(row, "is empty"));
    }
    if text.contains('\0') {
        return Err(refusal(row, "contains a NUL character"));
    }
    let wrong = || mistake(row, text);
    match row.kind {
        Kind::Word(words) => {
            let known = words
                .contains(&text)
                .then(|| Setting::Text(text.to_owned()));
            known.ok_or_else(wrong)
        }
        Kind::Header if text.chars().any(char::is_control) => Err(wrong()),
        Kind::Redirect if !is_redirect(text) => Err(Refusal {
            remedy: "begin it with `/` for a key of the same bucket".to_owned(),
            ..wrong()
        }),
        Kind::Name => {
            let fits = text.len() <= 200
                && !text.starts_with('.')
                && !text.contains(['/', '\\'])
                && !text.chars().any(char::is_control);
            fits.then(|| Setting::Text(text.to_owned()))
                .ok_or_else(wrong)
        }
        Kind::Endpoint if has_credentials(text) => Err(Refusal {
            remedy: "say them as access_key and secret_access_key".to_owned(),
            ..refusal(row, "has credentials in its address")
        }),
        Kind::Endpoint => endpoint(text).map(Setting::Text).ok_or_else(wrong),
        Kind::Location if text.starts_with("s3://") => {
            match crate::store::s3::S3Location::parse(text) {
                Ok(_) => Ok(Setting::Text(text.to_owned())),
                Err(error) => Err(refusal(row, format_args!("is wrong: {error}"))),
            }
        }
        // a slash or a colon is soon forgotten, and a directory of that name soon made
        Kind::Location if text.starts_with("s3:") || text.starts_with("s3//") => Err(Refusal {
            remedy: "write s3://bucket/prefix, or ./ before a local path of that name".to_owned(),
            ..wrong()
        }),
        Kind::Location if text.contains("://") => Err(wrong()),
        Kind::Path | Kind::Location if text == "~" || text.starts_with("~/") => Err(Refusal {
            remedy: "`~` means nothing here; write the whole path".to_owned(),
            ..refusal(row, format_args!("is `{text}`"))
        }),
        Kind::Path | Kind::Location => Ok(Setting::Path(join(base, Path::new(text)))),
        _ => Ok(Setting::Text(text.to_owned())),
    }
}

/// An http or https URL, its scheme in small letters.
fn endpoint(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let is_url = matches!(&*scheme, "http" | "https")
        && !host.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control());
    is_url.then(|| format!("{scheme}://{rest}"))
}

/// Whether S3 takes it as `x-amz-website-redirect-location`:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>.
pub(super) fn is_redirect(text: &str) -> bool {
    let begins = ["/", "http://", "https://"];
    begins.iter().any(|begin| text.starts_with(begin)) && !text.chars().any(char::is_control)
}

/// A time without the space that some write before its offset: `12:00:00 Z`.
fn without_space(time: &str) -> String {
    match time.rsplit_once(' ') {
        Some((time, offset)) if offset.starts_with(['Z', 'z', '+', '-']) => {
            format!("{}{offset}", time.trim_end())
        }
        _ => time.to_owned(),
    }
}

/// A list whose elements are of the option's kind.
fn list(row: &OptionRow, texts: Vec<String>) -> Result<Setting, Refusal> {
    for text in &texts {
        let wrong = match row.kind {
            // as a pattern it would be found in everything
            Kind::Files | Kind::Regexes | Kind::Globs if text.is_empty() => {
                Some("is empty".to_owned())
            }
            Kind::Regexes => patterns::Pattern::new(text).err(),
            Kind::Globs => patterns::Glob::new(text).err(),
            Kind::Words(words) if !words.contains(&text.as_str()) => {
                return Err(mistake(row, text));
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(refusal(row, format_args!("has `{text}`, which {wrong}")));
        }
    }
    if row.kind == Kind::Program {
        return program(row, texts);
    }
    Ok(Setting::List(texts))
}

fn program(row: &OptionRow, words: Vec<String>) -> Result<Setting, Refusal> {
    // an argument may be empty
    if words.first().is_none_or(String::is_empty) {
        return Err(refusal(row, "names no program"));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(refusal(row, "contains a NUL character"));
    }
    let shown = without_secrets(&words);
    Ok(Setting::Program(CommandLine { words, shown }))
}

/// The texts of an array.
fn texts(item: &Item) -> Option<Vec<String>> {
    let texts = item.as_array()?.iter();
    texts
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn is_empty_collection(text: &str) -> bool {
    matches!(text.trim(), "{}" | "[]")
}

fn empty(kind: Kind) -> Setting {
    if kind.is_table() {
        Setting::Table(BTreeMap::new())
    } else {
        Setting::List(Vec::new())
    }
}

/// RFC 3339 in UTC, with as many digits of the second as it takes.
fn write_time(time: Timestamp) -> String {
    let whole = time.rfc3339_offset();
    let whole = whole.strip_suffix("+00:00").unwrap_or(&whole);
    match time.nanos() {
        0 => format!("{whole}Z"),
        nanos => {
            let digits = format!("{nanos:09}");
            format!("{whole}.{}Z", digits.trim_end_matches('0'))
        }
    }
}

/// A TOML array of texts if it parses as one, else one element: texts may contain commas.
fn list_from_text(text: &str) -> Vec<String> {
    let array: Option<Vec<String>> = text
        .parse::<toml_edit::Value>()
        .ok()
        .and_then(|value| value.as_array().cloned())
        .and_then(|array| {
            let texts = array.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect()
        });
    array.unwrap_or_else(|| vec![text.to_owned()])
}

/// `base/path`, where the leading `.` and `..` of `path` are taken off against `base`, which is
/// free of symbolic links. Later ones stay: what is before them may be a link.
fn join(base: &Path, path: &Path) -> PathBuf {
    let mut joined = base.to_owned();
    let mut at_front = true;
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if at_front && !path.is_absolute() => {
                joined.pop();
            }
            _ => {
                at_front = false;
                joined.push(component);
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_urls_with_a_host() {
        for (said, read) in [
            ("http://localhost:9000", Some("http://localhost:9000")),
            ("HTTPS://S3.example.com/P", Some("https://S3.example.com/P")),
            ("http://[::1]:9000", Some("http://[::1]:9000")),
            ("ftp://x", None),
            ("localhost:9000", None),
            ("http://", None),
            ("http:///x", None),
            ("http://:9000", None),
            ("http://?x", None),
            ("http://a b", None),
            ("http://a\n", None),
        ] {
            assert_eq!(endpoint(said).as_deref(), read, "{said:?}");
        }
    }

    #[test]
    fn of_bits_it_is_told_that_they_are() {
        let row = super::super::options::find("multipart.chunksize").expect("a row");
        for (said, remedy) in [
            ("8mb", "a small `b` means bits: write `B`"),
            ("8Mib", "a small `b` means bits: write `B`"),
            ("8x", ""),
            ("8 glob", ""),
        ] {
            let refusal = from_text(row, said, Path::new("/")).expect_err(said);
            assert_eq!(refusal.remedy, remedy, "{said}");
        }
    }

    #[test]
    fn lists_of_patterns_have_no_empty_ones() {
        for (path, said, read) in [
            ("filter.exclude_regex", r"a,b", Ok(vec!["a,b"])),
            ("filter.exclude_regex", r"['a', '^b']", Ok(vec!["a", "^b"])),
            ("filter.exclude", "[]", Ok(vec![])),
            ("filter.exclude_regex", "", Err("is empty")),
            ("filter.include", "['a', '']", Err("is empty")),
        ] {
            let row = super::super::options::find(path).expect("a row");
            match (from_text(row, said, Path::new("/")), read) {
                (Ok(Setting::List(list)), Ok(read)) => assert_eq!(list, read, "{said:?}"),
                (Err(refusal), Err(why)) => {
                    assert!(
                        refusal.message.contains(why),
                        "{said:?}: {}",
                        refusal.message
                    );
                }
                (seen, _) => panic!("{said:?}: {seen:?}"),
            }
        }
    }

    #[test]
    fn a_space_before_the_offset_is_no_matter() {
        for (said, read) in [
            ("2023-02-19T12:00:00 Z", "2023-02-19T12:00:00Z"),
            ("2023-02-19 12:00:00 +00:00", "2023-02-19 12:00:00+00:00"),
            ("2023-02-19 12:00:00Z", "2023-02-19 12:00:00Z"),
            ("2023-02-19T12:00:00Z", "2023-02-19T12:00:00Z"),
        ] {
            assert_eq!(without_space(said), read, "{said:?}");
        }
    }

    #[test]
    fn paths_are_relative_to_where_they_are_said() {
        for (path, joined) in [
            ("x", "/a/b/x"),
            ("./x", "/a/b/x"),
            ("../x/../y", "/a/x/../y"),
            ("../../../x", "/x"),
            ("..", "/a"),
            ("/srv/files/", "/srv/files"),
        ] {
            let seen = join(Path::new("/a/b"), Path::new(path));
            assert_eq!(seen.to_str(), Some(joined), "{path}");
        }
    }
}
