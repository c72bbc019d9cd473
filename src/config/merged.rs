//! Layers merged into one answer for every option.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use figment::value::{Dict, Tag, Value};
use figment::{Figment, Provider as _};

use super::layer::{Layer, Numbered, Said, built_in};
use super::option::{OptionRow, Scope};
use super::options::{OPTIONS, find};
use super::problem::Place;
use super::setting::Setting;
use crate::store::Secret;

/// What counts in the end, option by option, and who said it.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// Lowest first; the table's defaults are below all of them.
    layers: Vec<Arc<Layer>>,
    /// For every path that was said, and every key of a table, the layer that wins.
    winners: BTreeMap<String, usize>,
}

/// One value that counts: of an option, or of one key of an option that is a table.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    pub(super) row: &'static OptionRow,
    /// The key, where the option is a table.
    pub(super) key: Option<&'a str>,
    said: &'a Said,
    pub(super) setting: &'a Setting,
    pub(super) place: &'a Place,
}

impl Merged {
    /// Merges layers, lowest first; below them are the table's defaults.
    pub(super) fn new(layers: Vec<Arc<Layer>>) -> Self {
        let figment = layers
            .iter()
            .enumerate()
            .filter(|(_, layer)| !layer.is_empty())
            .fold(Figment::new(), |figment, (number, layer)| {
                figment.merge(Numbered(number, Arc::clone(layer)))
            });
        let mut winners = BTreeMap::new();
        if let Ok(merged) = figment.data() {
            let number = |tag: Tag| figment.get_metadata(tag)?.name.parse().ok();
            for dict in merged.values() {
                find_winners(dict, &mut String::new(), &number, &mut winners);
            }
        }
        Self { layers, winners }
    }

    /// What counts for an option, or for a key of an option that is a table.
    pub(super) fn said(&self, path: &str) -> Option<&Said> {
        match self.winners.get(path) {
            Some(number) => self.layers.get(*number)?.get(path),
            None => built_in().get(path),
        }
    }

    /// Where what counts is said; of a table, where its first key is.
    pub(super) fn place(&self, path: &str) -> Place {
        let said = self.said(path).or_else(|| self.keys(path).next());
        said.map_or(Place::Nowhere, |said| said.place.clone())
    }

    /// Whether somebody said it, be it the default.
    pub(super) fn is_said(&self, path: &str) -> bool {
        self.winners.contains_key(path) || self.keys(path).next().is_some()
    }

    /// Whether what counts is something else than the default.
    pub(super) fn is_changed(&self, path: &str) -> bool {
        self.keys(path).next().is_some() || self.said(path).is_some_and(|said| !said.is_default())
    }

    /// Whether some layer says it wrongly.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.layers.iter().any(|layer| layer.is_broken(path))
    }

    /// An option of which the table has a default.
    pub(super) fn value<T: FromSetting>(&self, path: &str) -> T {
        self.optional(path)
            .expect("the table has a default of the option's type")
    }

    /// An option that may be unset.
    pub(super) fn optional<T: FromSetting>(&self, path: &str) -> Option<T> {
        T::from_setting(&self.said(path)?.setting)
    }

    /// An option that is a table of texts; an empty one when nobody says it.
    pub(super) fn table(&self, path: &str) -> BTreeMap<String, String> {
        let pairs = self.keys(path).filter_map(|said| {
            let value = String::from_setting(&said.setting)?;
            Some((said.key.clone()?, value))
        });
        pairs.collect()
    }

    /// A path that may be unset.
    pub(super) fn path(&self, path: &str) -> Option<PathBuf> {
        self.optional(path)
    }

    /// A span of time.
    pub(super) fn duration(&self, path: &str) -> Duration {
        self.value(path)
    }

    /// A secret that may be unset; figment never sees it.
    pub(super) fn secret(&self, path: &str) -> Option<Secret> {
        match &self.said(path)?.setting {
            Setting::Secret(secret, _) => Some(secret.clone()),
            _ => None,
        }
    }

    /// Every value that counts of these scopes, in the table's order.
    pub(super) fn decided(&self, scopes: &[Scope]) -> Vec<Decided<'_>> {
        let mut all = Vec::with_capacity(OPTIONS.len());
        for row in OPTIONS.iter().filter(|row| scopes.contains(&row.scope)) {
            let of_option = self.said(row.path).into_iter();
            let all_said = of_option.chain(self.keys(row.path));
            all.extend(all_said.map(|said| Decided {
                row,
                key: said.key.as_deref(),
                said,
                setting: &said.setting,
                place: &said.place,
            }));
        }
        all
    }

    /// Everything that was ever said of a path, the winner first, the default last.
    pub(super) fn chain(&self, path: &str) -> impl Iterator<Item = &Said> {
        let said = self.layers.iter().rev();
        said.filter_map(move |layer| layer.get(path))
            .chain(built_in().get(path))
    }

    /// What counts for each key of an option that is a table.
    fn keys(&self, path: &str) -> impl Iterator<Item = &Said> {
        let is_table = find(path).is_some_and(|row| row.kind.is_table());
        let stem = is_table.then(|| format!("{path}."));
        let from = stem.clone().map(|stem| self.winners.range(stem..));
        from.into_iter()
            .flatten()
            .take_while(move |(path, _)| stem.as_ref().is_some_and(|stem| path.starts_with(stem)))
            .filter_map(|(path, number)| self.layers.get(*number)?.get(path))
    }
}

impl Decided<'_> {
    /// Whether it is what would be if nobody had said it.
    pub(super) fn is_default(&self) -> bool {
        matches!(self.place, Place::BuiltIn) || self.said.is_default()
    }

    /// The option's path, with the key where it is a table.
    pub(super) fn path(&self) -> String {
        match self.key {
            Some(key) => format!("{}.{key}", self.row.path),
            None => self.row.path.to_owned(),
        }
    }
}

/// A type that values of some options have.
pub(super) trait FromSetting: Sized {
    /// The value, if it is of this type.
    fn from_setting(setting: &Setting) -> Option<Self>;
}

macro_rules! from_setting {
    ($($type:ty: $pattern:pat => $value:expr;)*) => {
        $(impl FromSetting for $type {
            fn from_setting(setting: &Setting) -> Option<Self> {
                match setting {
                    $pattern => $value,
                    _ => None,
                }
            }
        })*
    };
}

from_setting! {
    bool: Setting::Bool(value) => Some(*value);
    u64: Setting::Number(value) | Setting::Size(value) => Some(*value);
    u32: Setting::Number(value) => u32::try_from(*value).ok();
    u16: Setting::Number(value) => u16::try_from(*value).ok();
    usize: Setting::Number(value) => usize::try_from(*value).ok();
    String: Setting::Text(value) => Some(value.clone());
    PathBuf: Setting::Path(value) => Some(value.clone());
    Vec<String>: Setting::List(values) => Some(values.clone());
    Duration: Setting::Duration(value) => Some(*value);
    crate::object::Timestamp: Setting::Time(value) => Some(*value);
}

/// Walks what figment merged: a value is an option's, or a key's of an option that is a table.
fn find_winners(
    dict: &Dict,
    path: &mut String,
    number: &impl Fn(Tag) -> Option<usize>,
    winners: &mut BTreeMap<String, usize>,
) {
    let length = path.len();
    for (key, value) in dict {
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        match value {
            Value::Dict(_, inner) => find_winners(inner, path, number, winners),
            _ => {
                winners.extend(number(value.tag()).map(|number| (path.clone(), number)));
            }
        }
        path.truncate(length);
    }
}
