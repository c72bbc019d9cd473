//! One file of a job, read into layers value by value.

use std::borrow::Cow;

use toml_edit::{Item, TableLike};

use super::grammar::{self, is_plain};
use super::names::{Names, Within as Around};
use super::source::{SourceFile, Words, item_span, key_span};
use super::texts::{any_text, for_each_text};
use super::{FileLayers, FilePair};
use crate::config::environment::Environment;
use crate::config::layer::Layer;
use crate::config::option::{Kind, OptionRow, Scope};
use crate::config::options::OPTIONS;
use crate::config::problem::{MOST_TOLD, Place, Problem};
use crate::config::reading::{Spelling, advice, row_of, take};
use crate::config::said::shown_var;
use crate::config::secrets::secret_of_file;
use crate::config::setting::{Keeper, Refusal, Setting, from_text, from_toml, secret};
use crate::config::suggest::nearest;
use crate::store::Secret;

/// Reads a file. `pairs` are those of the whole job: what `[defaults]` says of `${s3sync.pair}`
/// is something else for each.
pub(super) fn read(
    file: &SourceFile,
    names: &Names<'_>,
    pairs: &[String],
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> FileLayers {
    let mut reader = Reader {
        file,
        names,
        environment,
        problems,
        for_each: None,
    };
    let mut layers = FileLayers::new(file.name.clone(), file.base.clone());
    let root = file.document.as_table();
    reader.document(root, &mut layers);
    reader.defaults_of_each(root, pairs, &mut layers);
    layers
}

struct Reader<'a> {
    file: &'a SourceFile,
    names: &'a Names<'a>,
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
    /// Only values that are something else for each pair are read, and for this one.
    for_each: Option<&'a str>,
}

/// Where in the file a table is read, and what may stand there.
#[derive(Clone, Copy)]
struct Within<'a> {
    /// `defaults.`, `pairs.photos.` or nothing.
    outer: &'a str,
    /// The path of the table below that, empty or ending in a dot.
    prefix: &'a str,
    scopes: &'a [Scope],
    /// What its texts can refer to.
    around: Around<'a>,
}

/// A value with everything filled in.
struct FilledIn<'a> {
    item: Cow<'a, Item>,
    /// The same as messages may quote it, if that is something else.
    shown: Option<Item>,
    /// Whether anything was filled in.
    is_changed: bool,
}

impl<'a> Reader<'a> {
    fn document(&mut self, root: &dyn TableLike, layers: &mut FileLayers) {
        let top = Within {
            outer: "",
            prefix: "",
            scopes: &[Scope::Job, Scope::File],
            around: Around::Job,
        };
        for (key, item) in root.iter() {
            match key {
                // they are read before, by `include` and `vars`
                "include" => {}
                "vars" => self.vars(item, &mut layers.job),
                "defaults" => {
                    if let Some(table) = self.table_of(root, "", key, item) {
                        self.table(table, DEFAULTS, &mut layers.defaults);
                    }
                }
                "pairs" => {
                    if let Some(table) = self.table_of(root, "", key, item) {
                        self.pairs(table, &mut layers.pairs);
                    }
                }
                "hooks" if item.is_array_of_tables() => {
                    for table in item.as_array_of_tables().into_iter().flatten() {
                        let place = self.file.place(&table.span().unwrap_or(0..0), key);
                        let mut layer = Layer::default();
                        let within = Within {
                            prefix: "hooks.",
                            scopes: &[Scope::Hook],
                            ..top
                        };
                        self.table(table, within, &mut layer);
                        layers.hooks.push((place, layer));
                    }
                }
                _ => self.entry(root, key, item, top, &mut layers.job),
            }
        }
    }

    /// What the file's `[vars]` say, to be shown: they count where they are used.
    fn vars(&mut self, item: &Item, layer: &mut Layer) {
        let table = item.as_table_like();
        for (key, item) in table.into_iter().flat_map(TableLike::iter) {
            let (Some(row), Some(table), Some(text)) = (row_of("vars"), table, item.as_str())
            else {
                continue;
            };
            let span = item_span(table, key, item);
            let place = self.file.place(&span, format!("vars.{key}"));
            layer.say_key(row, key.to_owned(), shown_var(key, text), place);
        }
    }

    /// What `[defaults]` says of `${s3sync.pair}`, pair by pair.
    fn defaults_of_each(
        &mut self,
        root: &dyn TableLike,
        pairs: &'a [String],
        layers: &mut FileLayers,
    ) {
        let defaults = root.get("defaults").and_then(Item::as_table_like);
        let Some(defaults) =
            defaults.filter(|table| table.iter().any(|(_, item)| mentions_pair(item)))
        else {
            return;
        };
        for pair in pairs {
            self.for_each = Some(pair);
            let mut layer = Layer::default();
            let within = Within {
                around: Around::Pair(pair),
                ..DEFAULTS
            };
            self.table(defaults, within, &mut layer);
            layers.defaults_of_each.insert(pair.clone(), layer);
        }
        self.for_each = None;
    }

    fn pairs(&mut self, table: &dyn TableLike, pairs: &mut Vec<FilePair>) {
        for (name, item) in table.iter() {
            let place = self
                .file
                .place(&key_span(table, name), format!("pairs.{name}"));
            if let Some(wrong) = crate::config::pairs::name_problem(name) {
                self.problems.push(
                    Problem::new(format!("pair name `{name}` {wrong}"), &place).remedy(
                        "lower-case letters, digits and single underscores, such as `file_server`",
                    ),
                );
            }
            let Some(inner) = self.table_of(table, "pairs.", name, item) else {
                continue;
            };
            let mut layer = Layer::default();
            let outer = format!("pairs.{name}.");
            let within = Within {
                outer: &outer,
                prefix: "",
                scopes: &[Scope::Pair, Scope::PairOnly],
                around: Around::Pair(name),
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
                if self.is_read_now(item, within) {
                    self.value(row, (table, key, item), within, layer);
                }
            }
            // told when the others were read
            _ if self.for_each.is_some() => {}
            _ if is_branch => {
                let place = self.file.place(
                    &item_span(table, key, item),
                    format!("{}{path}", within.outer),
                );
                let problem = Problem::new(format!("`{path}` must be a table"), &place);
                self.problems.push(
                    problem.remedy(format!("write [{}{path}] and its keys below", within.outer)),
                );
            }
            _ => {
                let place = self
                    .file
                    .place(&key_span(table, key), format!("{}{path}", within.outer));
                let problem = Problem::new(format!("unknown key `{key}`"), &place);
                // nobody reads the advice for the thousandth key, and it takes its time
                let advice = if self.problems.len() < MOST_TOLD {
                    advice(within.prefix, key, within.scopes, Spelling::Key)
                } else {
                    String::new()
                };
                self.problems.push(problem.remedy(advice));
            }
        }
    }

    /// Defaults that are something else for each pair are read for each, and all others once.
    fn is_read_now(&self, item: &Item, within: Within<'_>) -> bool {
        let is_default = within.outer == DEFAULTS.outer;
        !is_default || self.for_each.is_some() == mentions_pair(item)
    }

    fn value(
        &mut self,
        row: &'static OptionRow,
        (table, key, item): (&dyn TableLike, &str, &Item),
        within: Within<'_>,
        layer: &mut Layer,
    ) {
        let path = format!("{}{}", within.outer, row.path);
        let place = self.file.place(&item_span(table, key, item), &*path);
        let Some(filled_in) = self.fill_in(item, &path, within.around) else {
            layer.say_wrongly(row.path);
            return;
        };
        let read = self.read(row, &filled_in.item, &place, filled_in.is_changed);
        // what was filled in may be a secret: the message quotes what hides it
        let read =
            match (read, &filled_in.shown) {
                (Err(_), Some(shown)) => Err(self
                    .read(row, shown, &place, true)
                    .err()
                    .unwrap_or_else(|| Refusal {
                        message: format!("`{}` is wrong with what is filled in", row.path),
                        remedy: "its value sounds secret and is not shown".to_owned(),
                    })),
                (Ok(Setting::Program(line)), Some(shown)) => self
                    .read(row, shown, &place, true)
                    .map(|shown| line.shown_as(&shown)),
                (read, _) => read,
            };
        match (read, item.as_table_like()) {
            // each key stands in a line of its own
            (Ok(Setting::Table(texts)), Some(inner)) => {
                for (key, text) in texts {
                    let path = format!("{path}.{key}");
                    let place = self.file.place(&key_span(inner, &key), path);
                    layer.say_key(row, key, text, place);
                }
            }
            (Ok(Setting::Secret(secret, Keeper::Here)), _) => {
                let variable = item.as_str().and_then(grammar::only_variable);
                let keeper = variable.map_or(Keeper::Here, Keeper::Variable);
                layer.say(row, Setting::Secret(secret, keeper), place);
            }
            (read, _) => self.problems.extend(take(layer, row, read, place).err()),
        }
    }

    fn read(
        &mut self,
        row: &OptionRow,
        item: &Item,
        place: &Place,
        is_filled_in: bool,
    ) -> Result<Setting, Refusal> {
        match (item.as_table_like(), item.as_str()) {
            (Some(table), _) if row.is_secret() => self.secret(row, table, place),
            // a text is all that can be filled in
            (_, Some(text))
                if is_filled_in && matches!(row.kind, Kind::Bool | Kind::Number { .. }) =>
            {
                from_text(row, text, &self.file.base)
            }
            _ => from_toml(row, item, &self.file.base),
        }
    }

    /// `{ env = "NAME" }` or `{ file = "path" }`.
    fn secret(
        &mut self,
        row: &OptionRow,
        table: &dyn TableLike,
        place: &Place,
    ) -> Result<Setting, Refusal> {
        let refuse = |what: String| Refusal {
            message: format!("`{}` {what}", row.path),
            remedy: String::new(),
        };
        let said = |key| table.get(key).and_then(Item::as_str);
        match (said("env"), said("file"), table.len()) {
            (Some(variable), None, 1) => match self.environment.get(variable) {
                Some(text) => {
                    let keeper = Keeper::Variable(variable.to_owned());
                    secret(row, Secret::new(text), keeper)
                }
                None => Err(refuse(format!(
                    "is to come from the environment, and {variable} is not set"
                ))),
            },
            (None, Some(path), 1) => {
                secret_of_file(row, &self.file.base, path, place, self.problems)
            }
            _ => {
                let near = table
                    .iter()
                    .find_map(|(key, _)| nearest(key, ["env", "file"]));
                let is_slip = |near: &&str| table.len() == 1 && !table.contains_key(near);
                let mut refusal =
                    refuse("must be text, { env = \"NAME\" } or { file = \"path\" }".to_owned());
                if let Some(near) = near.filter(is_slip) {
                    refusal.remedy = format!("did you mean `{near}`?");
                }
                Err(refusal)
            }
        }
    }

    /// A value with every `${…}` filled in; `None` when that is not possible, which is told.
    fn fill_in<'i>(
        &mut self,
        item: &'i Item,
        path: &str,
        around: Around<'_>,
    ) -> Option<FilledIn<'i>> {
        if !any_text(item, &|text| !is_plain(text)) {
            return Some(FilledIn {
                item: Cow::Borrowed(item),
                shown: None,
                is_changed: false,
            });
        }
        let mut filled_in = item.clone();
        let mut shown = item.clone();
        let mut is_secret = false;
        let mut is_whole = true;
        for_each_text(&mut filled_in, &mut shown, &mut |value, shown| {
            let (Some(text), Some(span)) = (value.as_str().map(str::to_owned), value.span()) else {
                return;
            };
            let words = Words {
                file: self.file,
                text: &text,
                span,
                path: path.to_owned(),
            };
            match self.names.fill_in(&words, around, self.problems) {
                Some(expanded) => {
                    *value = expanded.text.into();
                    *shown = expanded.shown.into();
                    is_secret |= expanded.is_secret;
                }
                None => is_whole = false,
            }
        });
        is_whole.then_some(FilledIn {
            item: Cow::Owned(filled_in),
            shown: is_secret.then_some(shown),
            is_changed: true,
        })
    }

    fn table_of<'t>(
        &mut self,
        table: &dyn TableLike,
        outer: &str,
        key: &str,
        item: &'t Item,
    ) -> Option<&'t dyn TableLike> {
        let inner = item.as_table_like();
        if inner.is_none() {
            let path = format!("{outer}{key}");
            let place = self.file.place(&item_span(table, key, item), &*path);
            let remedy = match &*path {
                "pairs" => "write [pairs.NAME] and its keys below".to_owned(),
                path => format!("write [{path}] and its keys below"),
            };
            self.problems
                .push(Problem::new(format!("`{path}` must be a table"), &place).remedy(remedy));
        }
        inner
    }
}

const DEFAULTS: Within<'_> = Within {
    outer: "defaults.",
    prefix: "",
    scopes: &[Scope::Pair],
    around: Around::Job,
};

/// Whether a value is something else for each pair.
fn mentions_pair(item: &Item) -> bool {
    any_text(item, &|text| text.contains("${s3sync.pair"))
}
