//! What every layer does with a value it has read: take it, or say why not.

use std::collections::BTreeMap;
use std::path::Path;

use super::layer::Layer;
use super::option::{OptionRow, Scope};
use super::options::{OPTIONS, unfold};
use super::problem::{Place, Problem};
use super::setting::{Refusal, Setting, from_text};
use super::suggest::nearest;
use super::tables;

/// Puts a value into its layer.
pub(super) fn take(
    layer: &mut Layer,
    row: &'static OptionRow,
    read: Result<Setting, Refusal>,
    place: Place,
) -> Result<(), Problem> {
    match read {
        Ok(setting) => {
            layer.say(row, setting, place);
            Ok(())
        }
        Err(refusal) => {
            layer.say_wrongly(row.path);
            Err(Problem::new(refusal.message, &place).remedy(refusal.remedy))
        }
    }
}

/// The option that a dotted path names, shorthands included.
pub(super) fn row_of(path: &str) -> Option<&'static OptionRow> {
    super::options::find(path).or_else(|| super::options::find(unfold(path)))
}

/// Whether a dotted path names an option, a key of one that is a table, or a table of options.
pub(super) fn is_option_or_table(path: &str) -> bool {
    let stem = format!("{path}.");
    row_of(path).is_some()
        || element_of(path).is_some()
        || OPTIONS.iter().any(|row| row.path.starts_with(&stem))
}

/// The option that is a table, and its key, that a dotted path names: `metadata.user.team`.
pub(super) fn element_of(path: &str) -> Option<(&'static OptionRow, &str)> {
    OPTIONS
        .iter()
        .filter(|row| row.kind.is_table())
        .find_map(|row| {
            let key = path.strip_prefix(row.path)?.strip_prefix('.')?;
            (!key.is_empty()).then_some((row, key))
        })
}

/// Reads the text of an option, or of one key of an option that is a table.
pub(super) fn read_text(
    row: &OptionRow,
    key: Option<&str>,
    text: &str,
    base: &Path,
) -> Result<Setting, Refusal> {
    let Some(key) = key else {
        return from_text(row, text, base);
    };
    let table = BTreeMap::from([(key.to_owned(), text.to_owned())]);
    match tables::check(row.kind, &table) {
        Ok(()) => Ok(Setting::Table(table)),
        Err(what) => Err(Refusal {
            message: format!("`{}` {what}", row.path),
            remedy: String::new(),
        }),
    }
}

/// How an option is spelt where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// By its key, in a table of a file.
    Key,
    /// By its whole path.
    Path,
}

/// What was probably meant by an unknown key below `prefix` (empty, or ending in a dot).
pub(super) fn advice(prefix: &str, key: &str, scopes: &[Scope], spelling: Spelling) -> String {
    let here = || OPTIONS.iter().filter(|row| scopes.contains(&row.scope));
    let siblings = here()
        .filter_map(|row| row.path.strip_prefix(prefix))
        .map(|rest| rest.split('.').next().unwrap_or(rest));
    let top = if prefix.is_empty() && scopes.contains(&Scope::Job) {
        ["defaults", "pairs"].as_slice()
    } else {
        &[]
    };
    if let Some(near) = nearest(key, siblings.chain(top.iter().copied())) {
        return match spelling {
            Spelling::Key => format!("did you mean `{near}`?"),
            Spelling::Path => format!("did you mean `{prefix}{near}`?"),
        };
    }
    let elsewhere = |row: &&OptionRow| {
        let flag = key.replace('_', "-");
        row.path.rsplit('.').next() == Some(key) || row.flags.iter().any(|f| f.name() == flag)
    };
    if let Some(row) = here().find(elsewhere) {
        return format!("did you mean `{}`?", row.path);
    }
    let first = |row: &OptionRow| row.path.split('.').next().unwrap_or(row.path);
    let others = || OPTIONS.iter().filter(|row| !scopes.contains(&row.scope));
    let near = nearest(key, others().map(first)).filter(|_| prefix.is_empty());
    if let Some(row) = others().find(|row| near == Some(first(row))) {
        let near = first(row);
        return match row.scope {
            Scope::Job => {
                format!("`{near}` belongs to the whole job: write it at the top level")
            }
            Scope::Pair => format!("`{near}` belongs in [defaults] or in a [pairs.NAME]"),
            Scope::PairOnly => format!("`{near}` belongs in a [pairs.NAME]"),
            Scope::Hook => "keys of hooks belong in [[hooks]]".to_owned(),
            Scope::File => format!("`{near}` belongs to the job file: write it at the top level"),
        };
    }
    let mut siblings: Vec<String> = here()
        .filter_map(|row| row.path.strip_prefix(prefix))
        .filter(|rest| !rest.contains('.'))
        .map(|rest| format!("`{rest}`"))
        .collect();
    siblings.dedup();
    if prefix.is_empty() || siblings.is_empty() || siblings.len() > 8 {
        return String::new();
    }
    format!("there is {}", siblings.join(", "))
}
