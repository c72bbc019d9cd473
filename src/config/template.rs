//! A job file to begin with: every option there is, commented out, with what it means.

use std::fmt::Write as _;

use super::option::{Fits, Kind, OptionRow, Scope};
use super::options::OPTIONS;
use super::setting::listed;
use super::units::write_size;

/// A job file that validates as it stands, with every option in a comment: what it means, what it
/// takes, and its default or an example. No line of it is wider than a hundred columns, but where
/// a value is.
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    for (table, title) in TABLES {
        write_heading(&mut text, title);
        for row in of(&[Scope::File, Scope::Job]).filter(|row| table_of(row) == table) {
            write_row(&mut text, row, row.path);
        }
    }
    text.push_str(VARIABLES);
    for row in of(&[Scope::Hook]) {
        let key = row.path.strip_prefix("hooks.").unwrap_or(row.path);
        write_row(&mut text, row, key);
    }
    text.push_str(DEFAULTS);
    for heading in headings() {
        write_heading(&mut text, heading);
        for row in of_all_pairs().filter(|row| row.heading == heading) {
            write_row(&mut text, row, row.path);
        }
    }
    text.push_str(PAIRS);
    for row in of(&[Scope::PairOnly]) {
        write_row(&mut text, row, row.path);
    }
    text
}

const HEAD: &str = "\
# A job of s3sync: which directories and buckets are kept in step, and how.
#
# Every option there is stands here, commented out, with its default, or with an example where it
# has none. Each can also be said in the environment (S3SYNC_PERFORMANCE__WORKER_SIZE) and with
# --set performance.worker_size=…; flags win over the environment, and that wins over this file.
#
#   s3sync validate FILE   everything that is wrong with it
#   s3sync explain FILE    what counts, and who said it
#   s3sync plan FILE       what a run would do
version = 1
";

/// The tables of the whole job, by what they are for.
const TABLES: [(&str, &str); 7] = [
    ("include", "Other files"),
    ("job", "The job"),
    ("report", "Reports"),
    ("log", "Logging"),
    ("limits", "Limits of the whole process"),
    ("lock", "Locks"),
    ("sandbox", "Sandbox"),
];

const VARIABLES: &str = "
# --- Variables
# texts for ${vars.NAME} in this file; beside them there are ${NAME}, ${NAME:-default} and
# ${NAME:?message} for the environment, and ${s3sync.job}, ${s3sync.pair} and ${s3sync.date};
# $${ is ${ as it stands
# [vars]
# bucket = \"acme-backup\"

# --- Hooks
# a program to run before or after, as often as there are any
# [[hooks]]
";

const DEFAULTS: &str = "
# Every pair starts from here.
[defaults]
";

const PAIRS: &str = "
# Pairs run in this order. Each takes any option of [defaults], too; where more than the URL of a
# side is said, write source.url and target.url.
[pairs.photos]
source = \"/srv/photos/\"
target = \"s3://acme-backup/photos/\"

[pairs.mirror]
source = \"s3://acme-backup/photos/\"
target = \"s3://acme-mirror/photos/\"
";

fn of(scopes: &'static [Scope]) -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS
        .iter()
        .filter(move |row| scopes.contains(&row.scope))
}

/// What stands below `[defaults]`.
fn of_all_pairs() -> impl Iterator<Item = &'static OptionRow> {
    of(&[Scope::Pair]).filter(|row| row.kind != Kind::Location)
}

/// The headings of the options of pairs, each once, in the order of the table.
fn headings() -> Vec<&'static str> {
    let mut headings = Vec::new();
    for row in of_all_pairs() {
        if !headings.contains(&row.heading) {
            headings.push(row.heading);
        }
    }
    headings
}

fn table_of(row: &OptionRow) -> &'static str {
    row.path.split('.').next().unwrap_or(row.path)
}

fn write_heading(text: &mut String, heading: &str) {
    let _ = write!(text, "\n# --- {heading}\n");
}

fn write_row(text: &mut String, row: &OptionRow, key: &str) {
    let mut notes = vec![row.help.to_owned()];
    notes.extend(takes(row));
    if row.fits != Fits::Any && !row.help.contains(row.fits.wants()) {
        notes.push(format!("with {}", row.fits.wants()));
    }
    let value = if let Some(default) = shown_default(row) {
        written(row, default)
    } else {
        notes.push("for example:".to_owned());
        example(row)
    };
    write_comment(text, &notes.join("; "));
    let _ = writeln!(text, "# {key} = {value}");
}

/// A comment, in lines of a hundred columns at most.
fn write_comment(text: &mut String, comment: &str) {
    const WIDTH: usize = 100;
    let mut width = 0;
    for word in comment.split(' ') {
        let letters = word.chars().count();
        if width > 0 && width + 1 + letters > WIDTH {
            text.push('\n');
            width = 0;
        }
        if width == 0 {
            text.push('#');
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += 1 + letters;
    }
    text.push('\n');
}

/// What it takes, where neither its help nor its value shows it.
fn takes(row: &OptionRow) -> Option<String> {
    let unsaid = |words: &[&str]| !words.iter().all(|word| row.help.contains(word));
    match row.kind {
        Kind::Word(words) => (words.len() > 1 && unsaid(words)).then(|| listed(words, "or")),
        Kind::Words(words) => Some(listed(words, "and")),
        Kind::Number { min: 0 | 1, max } if max >= MANY => None,
        Kind::Number { min, max } if max >= MANY => Some(format!("{min} or more")),
        Kind::Number { min, max } => Some(format!("{min} to {max}")),
        Kind::Size { min: 0, max } if max == u64::MAX => None,
        Kind::Size { min, max } if max == u64::MAX => Some(format!("{} or more", write_size(min))),
        Kind::Size { min, max } => Some(format!("{} to {}", write_size(min), write_size(max))),
        _ => None,
    }
}

/// As good as no limit.
const MANY: u64 = u32::MAX as u64;

/// The default, where it says something: an empty list shows nobody what goes into it.
fn shown_default(row: &OptionRow) -> Option<&'static str> {
    row.default.filter(|text| !matches!(*text, "[]" | "{}"))
}

/// A value to begin with, where there is no default.
fn example(row: &OptionRow) -> String {
    let text = match row.path {
        "after" => "[\"photos\"]",
        "aws.config_file" => "/etc/s3sync/aws/config",
        "aws.shared_credentials_file" => "/etc/s3sync/aws/credentials",
        "filter.keys_from" => "keys.txt",
        "job.name" => "nightly",
        "job.timeout" => "5h",
        "job.shutdown_grace" => "20s",
        "report.dir" => "/var/lib/s3sync",
        "report.keep" => "90d",
        "sandbox.dir" => "rehearsal",
        "lua.filter_script" => "scripts/filter.lua",
        "lua.preprocess_script" => "scripts/preprocess.lua",
        "lua.event_script" => "scripts/event.lua",
        "metadata.cache_control" => "max-age=3600",
        "metadata.content_disposition" => "attachment",
        "metadata.content_encoding" => "gzip",
        "metadata.content_language" => "en",
        "metadata.content_type" => "application/octet-stream",
        "filter.include" => "[\"**/*.jpg\"]",
        "filter.include_regex" => r"['\.jpg$']",
        "filter.exclude" => "[\"**/*.tmp\"]",
        path if path.ends_with("content_type_regex") => "['^image/']",
        path if path.ends_with("metadata_regex") => "['(^|,)project=apollo(,|$)']",
        path if path.ends_with("tag_regex") => "['(^|&)project=apollo(&|$)']",
        path if path.ends_with("region") => "eu-central-1",
        path if path.ends_with("profile") => "backup",
        path if path.ends_with("marker") => ".s3sync-source",
        path if path.ends_with("key_md5") => "rL0Y20zC+Fzt72VPzMSk2A==",
        path if path.ends_with("kms_key_id") => "alias/backup",
        path => {
            let name = path.rsplit('.').next().unwrap_or(path);
            return by_kind(row, name);
        }
    };
    written(row, text)
}

/// An example that any option of a kind may have; a secret's file is named for it.
fn by_kind(row: &OptionRow, name: &str) -> String {
    let text = match row.kind {
        Kind::Bool => "true",
        Kind::Number { .. } => "100",
        Kind::Size { .. } => "100MiB",
        Kind::Duration { .. } => "5m",
        Kind::Time => "2026-01-31T23:59:59Z",
        Kind::Text | Kind::Name | Kind::Header => "text",
        Kind::Path => "path",
        Kind::Location => "s3://bucket/prefix/",
        Kind::Redirect => "/index.html",
        Kind::Endpoint => "https://s3.example.com",
        Kind::Word(words) => words[0],
        Kind::Secret | Kind::SecretKey => {
            return format!("{{ file = \"/run/secrets/{name}\" }}");
        }
        Kind::Words(_) => "[\"failed\"]",
        Kind::Program => "[\"/usr/local/bin/notify\", \"nightly\"]",
        Kind::Regexes => r"['\.tmp$', '(^|/)\.DS_Store$']",
        Kind::Globs => "[\"**/*.jpg\"]",
        Kind::Files => "[\"common.toml\"]",
        Kind::Pairs | Kind::Hooks => "[]",
        Kind::Metadata | Kind::Tags | Kind::Variables => "{ project = \"apollo\" }",
    };
    written(row, text)
}

/// As it stands in a job file.
fn written(row: &OptionRow, text: &str) -> String {
    match row.kind {
        Kind::Bool | Kind::Number { .. } | Kind::Time | Kind::Hooks => text.to_owned(),
        kind if kind.is_list() || kind.is_table() => text.to_owned(),
        _ => toml_edit::Value::from(text).to_string(),
    }
}
