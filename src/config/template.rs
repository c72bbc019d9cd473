//! A job file to begin with: every option there is, commented out, with what it means.

use std::fmt::Write as _;

use super::option::{Fits, Kind, OptionRow, Scope};
use super::options::OPTIONS;
use super::setting::expectation;
use super::units::write_size;

/// A job file that validates as it stands, with every option in a comment: what it means, what it
/// takes, and its default or an example.
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    for row in of(&[Scope::File, Scope::Job]) {
        if !matches!(row.kind, Kind::Hooks | Kind::Variables) && row.path != "version" {
            write_row(&mut text, row, row.path);
        }
    }
    text.push_str(VARIABLES);
    for row in of(&[Scope::Hook]) {
        let key = row.path.strip_prefix("hooks.").unwrap_or(row.path);
        write_row(&mut text, row, key);
    }
    text.push_str(DEFAULTS);
    let mut heading = "";
    for row in of(&[Scope::Pair]).filter(|row| row.kind != Kind::Location) {
        if row.heading != heading {
            heading = row.heading;
            let _ = write!(text, "\n# --- {heading}\n");
        }
        write_row(&mut text, row, row.path);
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
# What is commented out shows its default, or an example where it has none. Whatever is said here
# can also be said in the environment (S3SYNC_CHECK__MODE) and with --set check.mode=…; flags win
# over the environment, and that over this file. `s3sync explain FILE` shows what counts, and why.
# `s3sync schema job` prints the schema that lets an editor complete and check this file.
version = 1

";

const VARIABLES: &str = "
# Texts for ${vars.NAME} below. ${NAME}, ${NAME:-default} and ${NAME:?message} take an environment
# variable, $${ is a literal ${.
# [vars]
# bucket = \"acme-backup\"

# A program to run before or after.
# [[hooks]]
";

const DEFAULTS: &str = "
# Every pair starts from here.
[defaults]
";

const PAIRS: &str = "
# Pairs run in this order. Each takes any option of [defaults], too.
[pairs.photos]
source = \"/srv/photos/\"
target = \"s3://acme-backup/photos/\"
";

fn of(scopes: &'static [Scope]) -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS
        .iter()
        .filter(move |row| scopes.contains(&row.scope))
}

fn write_row(text: &mut String, row: &OptionRow, key: &str) {
    let mut notes = vec![row.help.to_owned()];
    notes.extend(takes(row.kind));
    if row.fits != Fits::Any {
        notes.push(format!("wants {}", row.fits.wants()));
    }
    if !row.is_built {
        notes.push("not supported yet".to_owned());
    }
    let _ = writeln!(text, "# {}", notes.join("; "));
    let _ = writeln!(text, "# {key} = {}", example(row));
}

/// What it takes, where its example does not show it.
fn takes(kind: Kind) -> Option<String> {
    match kind {
        Kind::Word { .. } | Kind::Words(_) | Kind::Number { .. } => Some(expectation(kind)),
        Kind::Size { min, max } if (min, max) != (0, u64::MAX) => Some(if max == u64::MAX {
            format!("{} or more", write_size(min))
        } else {
            format!("{} to {}", write_size(min), write_size(max))
        }),
        _ => None,
    }
}

/// The default as it is written in a job file, or an example.
fn example(row: &OptionRow) -> String {
    let quoted = |text: &str| toml_edit::Value::from(text).to_string();
    let text = row.default.unwrap_or(match row.kind {
        Kind::Bool => "true",
        Kind::Number { .. } => "100",
        Kind::Size { .. } => "100MiB",
        Kind::Duration { .. } => "5m",
        Kind::Time => "2026-01-31T23:59:59Z",
        Kind::Text if row.path.ends_with("region") => "eu-central-1",
        Kind::Text if row.path.ends_with("profile") => "backup",
        Kind::Text if row.path.ends_with("marker") => ".s3sync-source",
        Kind::Text if row.path.ends_with("key_md5") => "rL0Y20zC+Fzt72VPzMSk2A==",
        Kind::Text if row.path.ends_with("kms_key_id") => "alias/backup",
        Kind::Text | Kind::Name => "nightly",
        Kind::Header => header(row.path),
        Kind::Path if row.path.starts_with("lua.") => "scripts/script.lua",
        Kind::Path if row.path.starts_with("aws.") => "/etc/s3sync/aws",
        Kind::Path if row.path == "filter.keys_from" => "keys.txt",
        Kind::Path => "/var/lib/s3sync",
        Kind::Location => "s3://bucket/prefix/",
        Kind::Endpoint => "https://s3.example.com",
        Kind::Word { now, .. } => now[0],
        Kind::Secret | Kind::SecretKey => return "{ file = \"/run/secrets/key\" }".to_owned(),
        Kind::Words(_) => "[\"failed\"]",
        Kind::Program => "[\"/usr/local/bin/notify\", \"nightly\"]",
        Kind::Pairs | Kind::Regexes | Kind::Globs | Kind::Files | Kind::Hooks => "[]",
        Kind::Metadata | Kind::Tags | Kind::Variables => "{}",
    });
    match row.kind {
        Kind::Bool | Kind::Number { .. } | Kind::Time => text.to_owned(),
        kind if kind.is_list() || kind.is_table() || kind == Kind::Hooks => text.to_owned(),
        _ => quoted(text),
    }
}

fn header(path: &str) -> &'static str {
    match path {
        "metadata.cache_control" => "max-age=3600",
        "metadata.content_disposition" => "attachment",
        "metadata.content_encoding" => "gzip",
        "metadata.content_language" => "en",
        "metadata.website_redirect" => "/index.html",
        _ => "application/octet-stream",
    }
}
