//! One layer of settings: everything one place says, ready to be merged by figment.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::option::OptionRow;
use super::problem::Place;
use super::setting::Setting;

/// What one place says.
#[derive(Debug, Default, Clone)]
pub(super) struct Layer {
    said: BTreeMap<&'static str, Said>,
    /// Options it says wrongly: reported already, so nobody need miss them.
    broken: Vec<&'static str>,
}

/// One value and where it is said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) row: &'static OptionRow,
    pub(super) setting: Setting,
    pub(super) place: Place,
}

impl Layer {
    /// Says something; what was said before under the same path is forgotten.
    pub(super) fn say(&mut self, row: &'static OptionRow, setting: Setting, place: Place) {
        let said = Said {
            row,
            setting,
            place,
        };
        self.said.insert(row.path, said);
    }

    /// Notes that a path was said, and said wrongly.
    pub(super) fn say_wrongly(&mut self, path: &'static str) {
        self.broken.push(path);
    }

    /// Whether a path was said wrongly.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.broken.contains(&path)
    }

    /// What it says under a path.
    pub(super) fn get(&self, path: &str) -> Option<&Said> {
        self.said.get(path)
    }

    /// Everything it says.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Said> {
        self.said.values()
    }

    /// The same without what `keep` rejects.
    pub(super) fn filtered(&self, keep: impl Fn(&Said) -> bool) -> Self {
        let kept = self.said.iter().filter(|(_, said)| keep(said));
        Self {
            said: kept.map(|(path, said)| (*path, said.clone())).collect(),
            broken: self.broken.clone(),
        }
    }

    /// Everything of `other` too, which wins.
    pub(super) fn absorb(&mut self, other: Self) {
        self.said.extend(other.said);
        self.broken.extend(other.broken);
    }
}

/// A layer under the number by which the merged value is traced back to it.
#[derive(Debug)]
pub(super) struct Numbered<'a>(pub(super) usize, pub(super) &'a Layer);

impl Provider for Numbered<'_> {
    fn metadata(&self) -> Metadata {
        let origins: BTreeMap<String, String> = self
            .1
            .iter()
            .map(|said| (said.row.path.to_owned(), said.place.origin()))
            .collect();
        Metadata::named(self.0.to_string()).interpolater(move |_: &Profile, keys: &[&str]| {
            let path = keys.join(".");
            origins.get(&path).cloned().unwrap_or(path)
        })
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut root = Dict::new();
        for said in self.1.iter() {
            insert(&mut root, said.row.path, said.setting.to_figment());
        }
        Ok(Profile::Default.collect(root))
    }
}

fn insert(dict: &mut Dict, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            dict.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = dict
                .entry(first.to_owned())
                .or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
