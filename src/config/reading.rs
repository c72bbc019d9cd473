//! What every layer does with a value it has read: take it, or say why not.

use std::path::Path;

use super::layer::Layer;
use super::option::{OptionRow, Scope};
use super::options::{OPTIONS, unfold};
use super::problem::{Place, Problem};
use super::setting::{Refusal, Setting, from_text};
use super::suggest::nearest;

/// Puts a value into its layer. An option that is not built yet is refused, unless its value is
/// the default: that says what happens anyway.
pub(super) fn take(
    layer: &mut Layer,
    row: &'static OptionRow,
    read: Result<Setting, Refusal>,
    place: Place,
) -> Result<(), Problem> {
    let setting = match read {
        Ok(setting) => setting,
        Err(refusal) if row.is_built => {
            layer.say_wrongly(row.path);
            return Err(Problem::new(refusal.message, &place).remedy(refusal.remedy));
        }
        Err(_) => return Err(not_yet(row, &place)),
    };
    if row.is_built {
        layer.say(row, setting, place);
        return Ok(());
    }
    let default = row
        .default
        .and_then(|text| from_text(row, text, Path::new("")).ok());
    // a word whose legal values the table does not know yet is kept as it was said
    let same = match (&default, &setting) {
        (Some(Setting::Text(default)), Setting::Unread(said)) => said == default,
        (Some(default), setting) => default == setting,
        (None, _) => false,
    };
    if same {
        return Ok(());
    }
    Err(not_yet(row, &place))
}

/// An option that is known, and does nothing yet.
fn not_yet(row: &'static OptionRow, place: &Place) -> Problem {
    let problem = Problem::new(format!("not supported yet: `{}`", row.path), place);
    match row.default {
        Some(default @ ("true" | "false")) => {
            problem.remedy(format!("leave it out: this version only has {default}"))
        }
        _ => problem.remedy("leave it out: this version does not have it"),
    }
}

/// The option that a dotted path names, shorthands included.
pub(super) fn row_of(path: &str) -> Option<&'static OptionRow> {
    super::options::find(path).or_else(|| super::options::find(unfold(path)))
}

/// What was probably meant by an unknown key below `prefix` (empty, or ending in a dot).
pub(super) fn advice(prefix: &str, key: &str, scopes: &[Scope]) -> String {
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
        return format!("did you mean `{near}`?");
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
