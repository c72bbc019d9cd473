/*! Every value of a job, who said it, and what it overrode.

One [`Explanation`] is shown in three ways: as text for people, as TOML that runs to the same job,
and as JSON for programs.
*/

mod json;
mod text;
mod toml;

use super::merged::Merged;
use super::option::{OptionRow, Scope};
use super::problem::Place;
use super::reading::Spelling;
use super::record::{NotApplied, PAIR};
use super::setting::{Keeper, Setting};
use super::settings::{PairSettings, Settings};
use super::suggest::nearest;
pub use toml::TomlStyle;

/// What is asked of a job's settings.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Only this pair.
    pub pair: Option<&'a str>,
    /// Only this option, or those below this table.
    pub key: Option<&'a str>,
    /// Only what is not the default.
    pub changed: bool,
}

/// The answer: what counts, option by option.
#[derive(Debug)]
pub struct Explanation {
    name: String,
    origin: String,
    digest: String,
    job: Vec<Explained>,
    pairs: Vec<ExplainedPair>,
    hooks: Vec<Vec<Explained>>,
}

#[derive(Debug)]
struct ExplainedPair {
    name: String,
    settings: Vec<Explained>,
    not_applied: Vec<NotApplied>,
    /// What was asked for and has no value.
    unset: Vec<&'static str>,
}

/// One option, or one key of an option that is a table.
#[derive(Debug)]
struct Explained {
    row: &'static OptionRow,
    path: String,
    key: Option<String>,
    /// What was said, the winner first; never empty.
    chain: Vec<Voice>,
}

/// One place that says a value.
#[derive(Debug)]
struct Voice {
    setting: Setting,
    origin: String,
    /// The variable that says it, where one does.
    variable: Option<String>,
    is_built_in: bool,
}

impl Explanation {
    /// The same job with this pair alone, which waits for no other any more. `None` when it has
    /// no such pair.
    pub fn only(mut self, pair: &str) -> Option<Self> {
        self.pairs.retain(|it| it.name == pair);
        for of_pair in &mut self.pairs {
            of_pair.settings.retain(|it| it.row.path != "after");
        }
        (!self.pairs.is_empty()).then_some(self)
    }
}

impl Settings {
    /// Explains what was asked. The error is a pair or an option that there is not, in words.
    pub fn explain(&self, question: &Question<'_>) -> Result<Explanation, String> {
        let (pair, key) = self.place_question(question)?;
        let is_asked = |path: &str| {
            key.as_deref()
                .is_none_or(|key| path == key || is_below(path, key) || is_below(key, path))
        };
        let wanted = |explained: &Explained| {
            // under another name it were another job: a file with nothing but the changes is saved
            // wherever its reader likes
            let is_kept =
                !explained.chain[0].is_default(explained.row) || explained.path == "job.name";
            is_asked(&explained.path) && (!question.changed || is_kept)
        };
        let pairs = self.pairs.iter();
        let explanation = Explanation {
            name: self.name.clone(),
            origin: self.origin.to_string(),
            digest: self.digest.clone(),
            job: if pair.is_none() {
                let mut job = explain(&self.job, &[Scope::Job]);
                self.add_what_is_found(&mut job);
                job.retain(wanted);
                job
            } else {
                Vec::new()
            },
            hooks: if pair.is_none() && is_asked("hooks") {
                let mut hooks = self.hooks();
                for hook in &mut hooks {
                    hook.retain(wanted);
                }
                hooks
            } else {
                Vec::new()
            },
            pairs: pairs
                .filter(|it| pair.as_ref().is_none_or(|pair| it.name == *pair))
                .map(|it| {
                    let mut settings = explain(&it.merged, PAIR);
                    settings.retain(|explained| it.fits(explained.row) && wanted(explained));
                    let has = |path: &str| settings.iter().any(|it| it.row.path == path);
                    let rows = super::options::OPTIONS.iter();
                    let is_unset = |row: &&OptionRow| {
                        PAIR.contains(&row.scope)
                            && it.fits(row)
                            && key.as_deref() == Some(row.path)
                            && !has(row.path)
                    };
                    ExplainedPair {
                        unset: rows.filter(is_unset).map(|row| row.path).collect(),
                        name: it.name.clone(),
                        settings,
                        not_applied: it
                            .not_applied
                            .iter()
                            .filter(|it| is_asked(it.path))
                            .cloned()
                            .collect(),
                    }
                })
                .collect(),
        };
        Ok(explanation)
    }

    /// The pair and the option that are meant; one word may be either.
    fn place_question(
        &self,
        question: &Question<'_>,
    ) -> Result<(Option<String>, Option<String>), String> {
        let names = || self.pairs.iter().map(|pair| pair.name.as_str());
        let is_key = |word: &str| super::reading::is_option_or_table(word);
        let (pair, key) = match (question.pair, question.key) {
            (Some(word), None)
                if !names().any(|name| name == word) && (is_key(word) || word.contains('.')) =>
            {
                (None, Some(word))
            }
            asked => asked,
        };
        if let Some(pair) = pair.filter(|pair| !names().any(|name| name == *pair)) {
            return Err(match nearest(pair, names()) {
                Some(near) => format!("no pair is called `{pair}`: did you mean `{near}`?"),
                None => format!(
                    "no pair is called `{pair}`: there is {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            });
        }
        if let Some(key) = key.filter(|key| !is_key(key)) {
            let scopes = [Scope::Pair, Scope::PairOnly, Scope::Job];
            let (prefix, last) = key.rfind('.').map_or(("", key), |at| key.split_at(at + 1));
            // of a misspelt table the whole path says more than its end
            let is_table = is_key(prefix.trim_end_matches('.'));
            let paths = super::options::OPTIONS.iter().map(|row| row.path);
            let advice = match nearest(key, paths).filter(|_| !is_table && !prefix.is_empty()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => super::reading::advice(prefix, last, &scopes, Spelling::Path),
            };
            let advice = if advice.is_empty() {
                String::new()
            } else {
                format!(": {advice}")
            };
            return Err(format!("no option is called `{key}`{advice}"));
        }
        let of_pair = |key: &str| {
            let is_meant = |row: &OptionRow| {
                row.path == key || is_below(row.path, key) || is_below(key, row.path)
            };
            let mut rows = super::options::OPTIONS.iter();
            rows.any(|row| PAIR.contains(&row.scope) && is_meant(row))
        };
        if let (Some(_), Some(key)) = (pair, key.filter(|key| !of_pair(key))) {
            return Err(format!(
                "`{key}` belongs to the whole job: ask for it without a pair"
            ));
        }
        Ok((pair.map(str::to_owned), key.map(str::to_owned)))
    }

    /// What nobody says and the program finds out: the job's name, the directory of its reports.
    fn add_what_is_found(&self, job: &mut Vec<Explained>) {
        for (path, setting) in [
            ("job.name", Setting::Text(self.name.clone())),
            ("report.dir", Setting::Path(self.report_dir.clone())),
        ] {
            let is_said = job.iter().any(|explained| explained.path == path);
            if let (Some(row), false) = (super::options::find(path), is_said) {
                job.push(Explained {
                    row,
                    path: path.to_owned(),
                    key: None,
                    chain: vec![Voice::new(setting, &Place::BuiltIn)],
                });
            }
        }
        let order = |explained: &Explained| {
            let mut rows = super::options::OPTIONS.iter();
            rows.position(|row| std::ptr::eq(row, explained.row))
        };
        job.sort_by_key(order);
    }

    fn hooks(&self) -> Vec<Vec<Explained>> {
        let explained = |layer: &super::layer::Layer| {
            let one = Merged::new(vec![std::sync::Arc::new(layer.clone())]);
            explain(&one, &[Scope::Hook])
        };
        self.hooks.iter().map(explained).collect()
    }
}

/// Whether a dotted path is below another.
fn is_below(path: &str, table: &str) -> bool {
    path.strip_prefix(table)
        .is_some_and(|rest| rest.starts_with('.'))
}

impl PairSettings {
    fn fits(&self, row: &OptionRow) -> bool {
        self.sides
            .is_none_or(|(source, target)| row.fits.holds(source, target))
    }
}

impl Voice {
    fn new(setting: Setting, place: &Place) -> Self {
        Self {
            setting,
            origin: place.origin(),
            variable: match place {
                Place::Environment(variable) => Some(variable.clone()),
                _ => None,
            },
            is_built_in: matches!(place, Place::BuiltIn),
        }
    }

    fn is_default(&self, row: &OptionRow) -> bool {
        self.is_built_in
            || super::layer::built_in()
                .get(row.path)
                .is_some_and(|default| default.setting == self.setting)
    }

    /// Where a secret is kept, if this is one and that can be said.
    fn keeper(&self) -> Option<Keeper> {
        match (&self.setting, &self.variable) {
            (Setting::Secret(_, Keeper::Here), Some(variable)) => {
                Some(Keeper::Variable(variable.clone()))
            }
            (Setting::Secret(_, keeper), _) => Some(keeper.clone()),
            _ => None,
        }
    }
}

fn explain(merged: &Merged, scopes: &[Scope]) -> Vec<Explained> {
    let decided = merged.decided(scopes);
    decided
        .iter()
        .map(|decided| Explained {
            row: decided.row,
            path: decided.path(),
            key: decided.key.map(str::to_owned),
            chain: merged
                .chain(&decided.path())
                .map(|said| Voice::new(said.setting.clone(), &said.place))
                .collect(),
        })
        .collect()
}
