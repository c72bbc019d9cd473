//! What is said outside of job files, by the environment or the flags.

use std::collections::BTreeMap;

use super::layer::Layer;
use super::problem::{Place, Problem};
use super::reading::row_of;
use super::text::sounds_secret;

/// What the environment says, or the flags: for every pair, and for single ones.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) every_pair: Layer,
    pub(super) pairs: BTreeMap<String, Layer>,
}

/// A variable that is said outside of files.
#[derive(Debug)]
pub(super) struct SaidVar {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Place,
}

impl SaidVar {
    /// Why it is of no use where there is no job file.
    pub(super) fn without_file(&self) -> Problem {
        let message = format!("`vars.{}` has no file to stand in", self.name);
        Problem::new(message, &self.place)
            .remedy("variables are for job files: write the value itself")
    }

    /// Puts it into a layer, to be shown.
    pub(super) fn say(&self, layer: &mut Layer) {
        if let Some(row) = row_of("vars").filter(|_| is_var(&self.name)) {
            let shown = shown_var(&self.name, &self.value);
            layer.say_key(row, self.name.clone(), shown, self.place.clone());
        }
    }
}

/// What may be shown of a variable.
pub(super) fn shown_var(name: &str, text: &str) -> String {
    if sounds_secret(name) {
        "[redacted]".to_owned()
    } else {
        text.to_owned()
    }
}

/// Whether it can be the name of a variable of `[vars]`.
pub(super) fn is_var(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Splits `pairs.NAME.path` into the pair and the path; a path without a pair stays whole.
pub(super) fn split_pair(path: &str) -> Option<(Option<&str>, &str)> {
    match path.strip_prefix("pairs.") {
        None => Some((None, path)),
        Some(rest) => rest.split_once('.').map(|(pair, path)| (Some(pair), path)),
    }
}

/// What may be done instead, of a path that only a file can say.
pub(super) fn belongs_in_files(path: &str) -> Option<&'static str> {
    match path {
        "include" => Some("write include = [\"common.toml\"] in it"),
        "vars" => Some("say one variable: S3SYNC_VARS__NAME=… or --set vars.NAME=…"),
        _ => None,
    }
}
