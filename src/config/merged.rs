//! Layers merged into one answer for every option.

use std::path::PathBuf;
use std::time::Duration;

use figment::Figment;
use serde::de::DeserializeOwned;

use super::layer::{Layer, Numbered, Said};
use super::option::{OptionRow, Scope};
use super::options::OPTIONS;
use super::problem::Place;
use super::setting::{Setting, from_text};
use crate::store::Secret;

/// What counts in the end, option by option, and who said it.
#[derive(Debug)]
pub(super) struct Merged {
    figment: Figment,
    layers: Vec<Layer>,
}

impl Merged {
    /// Merges layers, lowest first. The first should be [`built_in`].
    pub(super) fn new(layers: Vec<Layer>) -> Self {
        let figment = layers
            .iter()
            .enumerate()
            .fold(Figment::new(), |figment, (number, layer)| {
                figment.merge(Numbered(number, layer))
            });
        Self { figment, layers }
    }

    /// What counts for a path, and where it is said.
    pub(super) fn said(&self, path: &str) -> Option<&Said> {
        let tag = self.figment.find_value(path).ok()?.tag();
        let number: usize = self.figment.get_metadata(tag)?.name.parse().ok()?;
        self.layers.get(number)?.get(path)
    }

    /// Where what counts is said, in words.
    pub(super) fn origin(&self, path: &str) -> Option<String> {
        let tag = self.figment.find_value(path).ok()?.tag();
        let metadata = self.figment.get_metadata(tag)?;
        let keys: Vec<&str> = path.split('.').collect();
        Some(metadata.interpolate(self.figment.profile(), &keys))
    }

    /// Where what counts is said.
    pub(super) fn place(&self, path: &str) -> Place {
        self.said(path)
            .map_or(Place::Nowhere, |said| said.place.clone())
    }

    /// Whether somebody said something else than the default.
    pub(super) fn is_said(&self, path: &str) -> bool {
        self.said(path)
            .is_some_and(|said| !matches!(said.place, Place::BuiltIn))
    }

    /// Whether some layer says it wrongly.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.layers.iter().any(|layer| layer.is_broken(path))
    }

    /// An option of which the table has a default.
    pub(super) fn value<T: DeserializeOwned>(&self, path: &str) -> T {
        self.optional(path)
            .expect("the table has a default of the option's type")
    }

    /// An option that may be unset.
    pub(super) fn optional<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        self.figment.extract_inner(path).ok()
    }

    /// A path that may be unset.
    pub(super) fn path(&self, path: &str) -> Option<PathBuf> {
        self.optional(path)
    }

    /// A span of time.
    pub(super) fn duration(&self, path: &str) -> Duration {
        Duration::from_millis(self.value(path))
    }

    /// A secret that may be unset; figment never sees it.
    pub(super) fn secret(&self, path: &str) -> Option<Secret> {
        match &self.said(path)?.setting {
            Setting::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }

    /// Every option of these scopes that has a value, in the table's order.
    pub(super) fn all(
        &self,
        scopes: &[Scope],
    ) -> impl Iterator<Item = (&'static OptionRow, &Said)> {
        OPTIONS
            .iter()
            .filter(move |row| scopes.contains(&row.scope))
            .filter_map(|row| Some((row, self.said(row.path)?)))
    }
}

/// The lowest layer: the table's defaults.
pub(super) fn built_in() -> Layer {
    let mut layer = Layer::default();
    for row in OPTIONS.iter().filter(|row| row.is_built) {
        let setting = row
            .default
            .map(|text| from_text(row, text, std::path::Path::new("/")));
        if let Some(Ok(setting)) = setting {
            layer.say(row, setting, Place::BuiltIn);
        }
    }
    layer
}
