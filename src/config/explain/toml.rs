//! An explanation as a job file that runs to the same job.

use std::fmt::Write as _;

use toml_edit::{Array, Formatted, InlineTable, Key, Value};

use super::super::setting::{Keeper, Setting};
use super::{Explained, Explanation};

/// How a job file is written.
#[derive(Debug, Clone, Default)]
pub struct TomlStyle<'a> {
    /// Behind every value that somebody said: where.
    pub origins: bool,
    /// What the only pair is called instead; then the job has no name either.
    pub rename: Option<&'a str>,
}

impl Explanation {
    /// A job file with these values. Paths are absolute. A secret is named by where it is kept; of
    /// one that was said literally the file says which variable it wants.
    pub fn to_toml(&self, style: &TomlStyle<'_>) -> String {
        let mut text = "version = 1\n".to_owned();
        // a file is called after itself, and a command line's pair and job after nothing
        if style.rename.is_none() && self.name != "adhoc" {
            let _ = writeln!(text, "job.name = {}", self::text(&self.name));
        }
        for explained in &self.job {
            // what the program finds out by itself is found out again
            let is_found = explained.chain[0].is_built_in && explained.row.default.is_none();
            let is_used_up = explained.row.path == "vars";
            if !(is_found || is_used_up || explained.path == "job.name") {
                write_setting(&mut text, explained, "", style);
            }
        }
        for hook in &self.hooks {
            text.push_str("\n[[hooks]]\n");
            for explained in hook.iter().filter(|it| !it.chain[0].is_built_in) {
                write_setting(&mut text, explained, "hooks.", style);
            }
        }
        for pair in &self.pairs {
            let name = style.rename.unwrap_or(&pair.name);
            let _ = writeln!(text, "\n[pairs.{name}]");
            for explained in &pair.settings {
                if let Some(Keeper::Here) = explained.chain[0].keeper() {
                    let variable = variable_of(name, explained);
                    let _ = writeln!(
                        text,
                        "# `{}` was said literally ({}): put it into {variable}, or a file",
                        explained.path,
                        one_line(&explained.chain[0].origin)
                    );
                    let _ = writeln!(text, "{} = {{ env = \"{variable}\" }}", explained.path);
                    continue;
                }
                write_setting(&mut text, explained, "", style);
            }
        }
        text
    }
}

/// A value as it is written in a job file; a secret as what keeps it.
pub(in crate::config) fn value(setting: &Setting) -> Value {
    let texts = |texts: &[String]| {
        let mut array = Array::new();
        array.extend(texts.iter().map(|text| escaped(text)));
        Value::Array(array)
    };
    match setting {
        Setting::Bool(value) => (*value).into(),
        Setting::Number(value) => i64::try_from(*value).unwrap_or(i64::MAX).into(),
        Setting::List(values) => texts(values),
        Setting::Program(line) => texts(&line.shown),
        Setting::Table(values) => {
            let pairs = values
                .iter()
                .map(|(key, text)| (key.as_str(), escaped(text)));
            Value::InlineTable(pairs.collect())
        }
        Setting::Text(value) => text(value),
        Setting::Path(path) => text(&path.to_string_lossy()),
        Setting::Secret(_, keeper) => kept(keeper),
        Setting::Size(_) | Setting::Duration(_) | Setting::Time(_) => {
            text(setting.to_json().as_str().unwrap_or_default())
        }
    }
}

fn kept(keeper: &Keeper) -> Value {
    let (key, name) = match keeper {
        Keeper::Here => return text("[redacted]"),
        Keeper::Variable(variable) => ("env", variable.clone()),
        Keeper::File(path) => ("file", path.to_string_lossy().into_owned()),
    };
    let mut table = InlineTable::new();
    table.insert(key, text(&name));
    Value::InlineTable(table)
}

fn write_setting(text: &mut String, explained: &Explained, prefix: &str, style: &TomlStyle<'_>) {
    let voice = &explained.chain[0];
    let shown = match voice.keeper() {
        Some(keeper) => kept(&keeper),
        None => value(&voice.setting),
    };
    let path = match &explained.key {
        Some(key) => format!("{}.{}", explained.row.path, Key::new(key).display_repr()),
        None => explained.row.path.to_owned(),
    };
    let path = path.strip_prefix(prefix).unwrap_or(&path).to_owned();
    let _ = write!(text, "{path} = {shown}");
    if style.origins && !voice.is_built_in {
        let _ = write!(text, "  # {}", one_line(&voice.origin));
    }
    text.push('\n');
}

/// What stands in a comment cannot leave it.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The variable that says an option of one pair.
fn variable_of(pair: &str, explained: &Explained) -> String {
    let option = explained.path.replace('.', "__");
    format!("S3SYNC_PAIRS__{pair}__{option}").to_uppercase()
}

fn text(text: &str) -> Value {
    Value::String(Formatted::new(escaped(text)))
}

/// A text that interpolation leaves as it is.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}
