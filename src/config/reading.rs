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
        Some(default) if matches!(default, "true" | "false") => {
            problem.remedy(format!("this version can only have it {default}"))
        }
        _ => problem.remedy("this version does not have it"),
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
    let of_others = OPTIONS.iter().find(|row| {
        !scopes.contains(&row.scope) && row.path.split('.').next() == Some(key) && prefix.is_empty()
    });
    match of_others.map(|row| row.scope) {
        Some(Scope::Job) => {
            format!("`{key}` belongs to the whole job: write it as a table of its own, outside")
        }
        Some(Scope::Pair) => format!("`{key}` belongs in [defaults] or in a [pairs.NAME]"),
        Some(Scope::PairOnly) => format!("`{key}` belongs in a [pairs.NAME]"),
        None => String::new(),
    }
}
