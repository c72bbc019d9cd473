//! A job file, read into layers; every value with its line.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike};

use super::environment::Environment;
use super::layer::Layer;
use super::option::{OptionRow, Scope};
use super::options::OPTIONS;
use super::problem::{Place, Problem};
use super::reading::{advice, row_of, take};
use super::setting::{Keeper, Refusal, Setting, from_toml, secret};
use super::text::{FileText, secrets_by_look, sounds_secret};
use crate::store::Secret;

/// What a job file says.
#[derive(Debug)]
pub(super) struct FileLayers {
    /// The path as it was given.
    pub(super) name: PathBuf,
    /// Its job-level tables.
    pub(super) job: Layer,
    /// Its `[defaults]`.
    pub(super) defaults: Layer,
    /// Its `[pairs.NAME]`, in order.
    pub(super) pairs: Vec<FilePair>,
    /// Its `[[hooks]]`, in order.
    pub(super) hooks: Vec<(Place, Layer)>,
}

impl FileLayers {
    /// What `[defaults]` comes to for a pair.
    pub(super) fn defaults_of(&self, _pair: &str) -> Layer {
        self.defaults.clone()
    }

    /// Where its first hook stands.
    pub(super) fn first_hook(&self) -> Option<Place> {
        self.hooks.first().map(|(place, _)| place.clone())
    }

    /// What `[pairs.NAME]` says, if the file has it.
    pub(super) fn own_of(&self, pair: &str) -> Option<&Layer> {
        let own = self.pairs.iter().find(|own| own.name == pair);
        own.map(|own| &own.layer)
    }
}

/// One `[pairs.NAME]`.
#[derive(Debug)]
pub(super) struct FilePair {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) place: Place,
    pub(super) layer: Layer,
}

/// Reads the text of a job file whose relative paths are below `base`. What is wrong with single
/// values goes to `problems`; a text that is not TOML is an error.
pub(super) fn read(
    name: &Path,
    content: &str,
    base: &Path,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Result<FileLayers, Problem> {
    let document = Document::parse(content).map_err(|error| {
        let text = FileText::new(name.to_owned(), content, &secrets_by_look(content));
        let place = Place::File {
            text: Arc::new(text),
            span: error.span().unwrap_or(0..0),
            path: String::new(),
        };
        let lines: Vec<&str> = error.message().lines().collect();
        Problem::new(format!("not TOML: {}", lines.join("; ")), &place)
    })?;
    let mut secret = Vec::new();
    find_secrets(document.as_table(), &mut secret);
    let mut reader = Reader {
        text: Arc::new(FileText::new(name.to_owned(), content, &secret)),
        base,
        environment,
        problems,
    };
    let mut layers = FileLayers {
        name: name.to_owned(),
        job: Layer::default(),
        defaults: Layer::default(),
        pairs: Vec::new(),
        hooks: Vec::new(),
    };
    reader.document(document.as_table(), &mut layers);
    Ok(layers)
}

struct Reader<'a> {
    text: Arc<FileText>,
    base: &'a Path,
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
}

/// Where in the file a table is read, and what may stand there.
#[derive(Clone, Copy)]
struct Within<'a> {
    /// `defaults.`, `pairs.photos.` or nothing.
    outer: &'a str,
    /// The path of the table below that, empty or ending in a dot.
    prefix: &'a str,
    scopes: &'a [Scope],
}

impl Reader<'_> {
    fn document(&mut self, root: &dyn TableLike, layers: &mut FileLayers) {
        let top = Within {
            outer: "",
            prefix: "",
            scopes: &[Scope::Job, Scope::File],
        };
        for (key, item) in root.iter() {
            match key {
                "defaults" => {
                    let within = Within {
                        outer: "defaults.",
                        prefix: "",
                        scopes: &[Scope::Pair],
                    };
                    if let Some(table) = self.table_of(root, key, item) {
                        self.table(table, within, &mut layers.defaults);
                    }
                }
                "pairs" => {
                    if let Some(table) = self.table_of(root, key, item) {
                        self.pairs(table, &mut layers.pairs);
                    }
                }
                "hooks" if item.is_array_of_tables() => {
                    for table in item.as_array_of_tables().into_iter().flatten() {
                        let place = self.place(&table.span().unwrap_or(0..0), key.to_owned());
                        let mut layer = Layer::default();
                        let within = Within {
                            outer: "",
                            prefix: "hooks.",
                            scopes: &[Scope::Hook],
                        };
                        self.table(table, within, &mut layer);
                        layers.hooks.push((place, layer));
                    }
                }
                _ => self.entry(root, key, item, top, &mut layers.job),
            }
        }
    }

    fn pairs(&mut self, table: &dyn TableLike, pairs: &mut Vec<FilePair>) {
        for (name, item) in table.iter() {
            let place = self.place(&key_span(table, name), format!("pairs.{name}"));
            if let Some(wrong) = super::pairs::name_problem(name) {
                self.problems.push(
                    Problem::new(format!("pair name `{name}` {wrong}"), &place).remedy(
                        "lower-case letters, digits and single underscores, such as `file_server`",
                    ),
                );
            }
            let Some(inner) = self.table_of(table, name, item) else {
                continue;
            };
            let mut layer = Layer::default();
            let outer = format!("pairs.{name}.");
            let within = Within {
                outer: &outer,
                prefix: "",
                scopes: &[Scope::Pair, Scope::PairOnly],
            };
            self.table(inner, within, &mut layer);
            pairs.push(FilePair {
                name: name.to_owned(),
                place,
                layer,
            });
        }
    }

    fn table(&mut self, table: &dyn TableLike, within: Within<'_>, layer: &mut Layer) {
        for (key, item) in table.iter() {
            self.entry(table, key, item, within, layer);
        }
    }

    fn entry(
        &mut self,
        table: &dyn TableLike,
        key: &str,
        item: &Item,
        within: Within<'_>,
        layer: &mut Layer,
    ) {
        let path = format!("{}{key}", within.prefix);
        let inner = item.as_table_like();
        let is_branch = {
            let stem = format!("{path}.");
            OPTIONS
                .iter()
                .any(|row| within.scopes.contains(&row.scope) && row.path.starts_with(&stem))
        };
        match (row_of(&path), inner) {
            (_, Some(inner)) if is_branch => {
                let prefix = format!("{path}.");
                let within = Within {
                    prefix: &prefix,
                    ..within
                };
                self.table(inner, within, layer);
            }
            (Some(row), _) if within.scopes.contains(&row.scope) => {
                self.value(row, table, key, item, within, layer);
            }
            _ if is_branch => {
                let place = self.place(
                    &item_span(table, key, item),
                    format!("{}{path}", within.outer),
                );
                let problem = Problem::new(format!("`{path}` must be a table"), &place);
                self.problems.push(
                    problem.remedy(format!("write [{}{path}] and its keys below", within.outer)),
                );
            }
            _ => {
                let place = self.place(&key_span(table, key), format!("{}{path}", within.outer));
                let problem = Problem::new(format!("unknown key `{key}`"), &place);
                self.problems
                    .push(problem.remedy(advice(within.prefix, key, within.scopes)));
            }
        }
    }

    fn value(
        &mut self,
        row: &'static OptionRow,
        table: &dyn TableLike,
        key: &str,
        item: &Item,
        within: Within<'_>,
        layer: &mut Layer,
    ) {
        // a value that is not built is pointed at by its key: nothing about the value is wrong
        let span = if row.is_built {
            item_span(table, key, item)
        } else {
            key_span(table, key)
        };
        let place = self.place(&span, format!("{}{}", within.outer, row.path));
        if mentions_variable(item) {
            layer.say_wrongly(row.path);
            self.problems.push(
                Problem::new(
                    format!("not supported yet: `${{…}}` in `{}`", row.path),
                    &place,
                )
                .remedy("write the value itself, or say it in the environment or with a flag"),
            );
            return;
        }
        let read = match item.as_table_like() {
            Some(table) if row.is_secret() => self.secret(row, table),
            _ => from_toml(row, item, self.base),
        };
        if let Err(problem) = take(layer, row, read, place) {
            self.problems.push(problem);
        }
    }

    /// `{ env = "NAME" }` or `{ file = "path" }`.
    fn secret(&self, row: &OptionRow, table: &dyn TableLike) -> Result<Setting, Refusal> {
        let refuse = |what: String| Refusal {
            message: format!("`{}` {what}", row.path),
            remedy: String::new(),
        };
        let said = |key| table.get(key).and_then(Item::as_str);
        let (text, keeper) = match (said("env"), said("file"), table.len()) {
            (Some(variable), None, 1) => {
                let Some(text) = self.environment.get(variable) else {
                    return Err(refuse(format!(
                        "is to come from the environment, and {variable} is not set"
                    )));
                };
                (Secret::new(text), Keeper::Variable(variable.to_owned()))
            }
            (None, Some(path), 1) => {
                let path = self.base.join(path);
                let text = super::environment::read_secret(&path).map_err(refuse)?;
                (text, Keeper::File(path))
            }
            _ => {
                return Err(refuse(
                    "must be text, { env = \"NAME\" } or { file = \"path\" }".to_owned(),
                ));
            }
        };
        secret(row, text, keeper)
    }

    fn table_of<'t>(
        &mut self,
        table: &dyn TableLike,
        key: &str,
        item: &'t Item,
    ) -> Option<&'t dyn TableLike> {
        let inner = item.as_table_like();
        if inner.is_none() {
            let place = self.place(&item_span(table, key, item), key.to_owned());
            self.problems
                .push(Problem::new(format!("`{key}` must be a table"), &place));
        }
        inner
    }

    fn place(&self, span: &Range<usize>, path: String) -> Place {
        Place::File {
            text: Arc::clone(&self.text),
            span: span.clone(),
            path,
        }
    }
}

fn key_span(table: &dyn TableLike, key: &str) -> Range<usize> {
    table
        .key(key)
        .and_then(toml_edit::Key::span)
        .unwrap_or(0..0)
}

fn item_span(table: &dyn TableLike, key: &str, item: &Item) -> Range<usize> {
    match item {
        Item::Value(value) => value.span().unwrap_or_else(|| key_span(table, key)),
        _ => key_span(table, key),
    }
}

/// Whether a text of it has `${`, which will mean something once variables are built.
fn mentions_variable(item: &Item) -> bool {
    match (item.as_str(), item.as_array()) {
        (Some(text), _) => text.contains("${"),
        (_, Some(array)) => array
            .iter()
            .any(|value| value.as_str().is_some_and(|text| text.contains("${"))),
        _ => false,
    }
}

/// Where secret values stand, so that no message quotes them.
fn find_secrets(table: &dyn TableLike, found: &mut Vec<Range<usize>>) {
    for (key, item) in table.iter() {
        if let Some(inner) = item.as_table_like() {
            find_secrets(inner, found);
        } else if sounds_secret(key) {
            found.extend(item.span());
        } else if let Some(tables) = item.as_array_of_tables() {
            for inner in tables {
                find_secrets(inner, found);
            }
        }
    }
}
