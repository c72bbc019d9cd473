//! One layer of settings: everything one place says, ready to be merged by figment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::option::OptionRow;
use super::options::OPTIONS;
use super::problem::Place;
use super::setting::{Setting, from_text};

/// What one place says.
#[derive(Debug, Default, Clone)]
pub(super) struct Layer {
    /// By path; of an option that is a table, by the path of each key.
    said: BTreeMap<Cow<'static, str>, Said>,
    /// Options it says wrongly: reported already, so nobody need miss them.
    broken: Vec<&'static str>,
}

/// One value and where it is said.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) row: &'static OptionRow,
    /// The key, where the option is a table.
    pub(super) key: Option<String>,
    pub(super) setting: Setting,
    pub(super) place: Place,
}

impl Said {
    /// Whether it says what would be without it.
    pub(super) fn is_default(&self) -> bool {
        let default = built_in().get(self.row.path);
        default.is_some_and(|default| default.setting == self.setting)
    }
}

impl Layer {
    /// Says something; what was said before under the same path is forgotten. Of a table each key
    /// is said by itself.
    pub(super) fn say(&mut self, row: &'static OptionRow, setting: Setting, place: Place) {
        let Setting::Table(texts) = setting else {
            let said = Said {
                row,
                key: None,
                setting,
                place,
            };
            self.said.insert(Cow::Borrowed(row.path), said);
            return;
        };
        for (key, text) in texts {
            self.say_key(row, key, text, place.clone());
        }
    }

    /// Says one key of an option that is a table.
    pub(super) fn say_key(
        &mut self,
        row: &'static OptionRow,
        key: String,
        text: String,
        place: Place,
    ) {
        let path = format!("{}.{key}", row.path);
        let said = Said {
            row,
            key: Some(key),
            setting: Setting::Text(text),
            place,
        };
        self.said.insert(Cow::Owned(path), said);
    }

    /// Notes that a path was said, and said wrongly.
    pub(super) fn say_wrongly(&mut self, path: &'static str) {
        self.broken.push(path);
    }

    /// Whether a path was said wrongly.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.broken.contains(&path)
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
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
            said: kept
                .map(|(path, said)| (path.clone(), said.clone()))
                .collect(),
            broken: self.broken.clone(),
        }
    }

    /// Everything of `other` too, which wins.
    pub(super) fn absorb(&mut self, other: Self) {
        self.said.extend(other.said);
        self.broken.extend(other.broken);
    }
}

/// The lowest layer: the table's defaults.
pub(super) fn built_in() -> &'static Layer {
    static LAYER: LazyLock<Layer> = LazyLock::new(|| {
        let mut layer = Layer::default();
        for row in OPTIONS {
            let setting = row.default.map(|text| from_text(row, text, Path::new("/")));
            if let Some(Ok(setting)) = setting {
                layer.say(row, setting, Place::BuiltIn);
            }
        }
        layer
    });
    &LAYER
}

/// A layer under the number by which what is merged is traced back to it. Figment merges what is
/// said, and by whom; the values stay where they are, typed, and secrets among them unseen.
#[derive(Debug)]
pub(super) struct Numbered(pub(super) usize, pub(super) Arc<Layer>);

impl Provider for Numbered {
    fn metadata(&self) -> Metadata {
        let layer = Arc::clone(&self.1);
        Metadata::named(self.0.to_string()).interpolater(move |_: &Profile, keys: &[&str]| {
            let path = keys.join(".");
            let said = layer.get(&path);
            said.map_or(path, |said| said.place.origin())
        })
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let mut root = Dict::new();
        for said in self.1.iter() {
            let key = said.key.as_deref();
            insert(&mut root, said.row.path, key, true.into());
        }
        Ok(Profile::Default.collect(root))
    }
}

/// Puts a value where its path says; a key of a table may have dots in it.
fn insert(root: &mut Dict, path: &str, key: Option<&str>, value: Value) {
    let (tables, last) = match key {
        Some(key) => (Some(path), key),
        None => path
            .rsplit_once('.')
            .map_or((None, path), |(tables, last)| (Some(tables), last)),
    };
    let mut dict = root;
    for table in tables.into_iter().flat_map(|tables| tables.split('.')) {
        let inner = dict
            .entry(table.to_owned())
            .or_insert_with(|| Dict::new().into());
        let Value::Dict(_, inner) = inner else {
            return;
        };
        dict = inner;
    }
    dict.insert(last.to_owned(), value);
}
