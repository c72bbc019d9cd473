/*! `[vars]`: names for texts that stand in several places.

They are layered like everything else (included files, the job file, the environment, `--set`), and
may refer to each other and to the job's name, which may refer to them.
*/

use std::collections::BTreeMap;

use toml_edit::Item;

use super::expand::{Expanded, Known};
use super::grammar::{self, Name, Otherwise, Reference};
use super::include::Sources;
use super::names::{Names, fill_in, is_empty, no_pair_here, of_the_environment, unknown};
use super::source::{SourceFile, Words, item_span, key_span};
use crate::config::environment::Environment;
use crate::config::problem::{Place, Problem};
use crate::config::said::{SaidVar, is_var};
use crate::config::suggest::nearest;
use crate::config::text::sounds_secret;

/// What is said outside of files, and names are made of.
pub(super) struct Outside {
    /// Lowest first.
    pub(super) vars: Vec<SaidVar>,
    /// The job's name as environment and flags say it.
    pub(super) job: Option<String>,
    /// The job's name when nobody says one.
    pub(super) stem: String,
}

/// Every name that texts of the job's files can refer to.
pub(super) fn names<'a>(
    sources: &Sources,
    outside: Outside,
    environment: &'a Environment,
    problems: &mut Vec<Problem>,
) -> Names<'a> {
    let mut walk = Walk {
        environment,
        is_broken: sources.is_broken,
        said: BTreeMap::new(),
        job: Said::Literal(outside.stem),
        done: BTreeMap::new(),
        way: Vec::new(),
        problems,
    };
    for file in &sources.files {
        walk.read(file);
        walk.read_job_name(file);
    }
    for var in outside.vars {
        if is_var(&var.name) {
            // a misspelt name would leave the file's own value in place, in silence
            if !walk.said.contains_key(&var.name) && !is_used(sources, &var.name) {
                let names = walk.said.keys().map(String::as_str);
                let problem = Problem::new(
                    format!("no job file has or uses `vars.{}`", var.name),
                    &var.place,
                );
                walk.problems.push(match nearest(&var.name, names) {
                    Some(near) => problem.remedy(format!("did you mean `vars.{near}`?")),
                    None => problem,
                });
                continue;
            }
            walk.say(var.name, Said::Literal(var.value));
        } else {
            let problem = Problem::new(bad_name(&var.name), &var.place);
            walk.problems.push(problem.remedy(GOOD_NAME));
        }
    }
    if let Some(job) = outside.job {
        walk.job = Said::Literal(job);
    }
    let keys: Vec<String> = walk.said.keys().cloned().collect();
    for key in &keys {
        walk.value(&Node::Var(key.clone()));
    }
    let job = walk.value(&Node::Job);
    let vars = keys
        .into_iter()
        .map(|key| {
            let value = walk.done.remove(&Node::Var(key.clone())).flatten();
            (key, value)
        })
        .collect();
    Names {
        environment,
        vars,
        job,
        is_broken: sources.is_broken,
    }
}

/// Whether a text of some file refers to a variable. A file that is missing may do so.
fn is_used(sources: &Sources, name: &str) -> bool {
    let reference = format!("${{vars.{name}");
    let uses = |file: &SourceFile| {
        let text = file.document.raw();
        text.match_indices(&reference)
            .any(|(at, _)| text[at + reference.len()..].starts_with(['}', ':']))
    };
    sources.is_broken || sources.files.iter().any(uses)
}

const GOOD_NAME: &str = "lower-case letters, digits and `_`, beginning with a letter";

/// Most variables that refer to each other in a row.
const DEEPEST: usize = 64;

/// What a name is made of.
enum Said<'a> {
    /// A text that is taken as it is.
    Literal(String),
    /// A text of a file, which may refer to others.
    File(Words<'a>),
    /// Something that is no text, which was told.
    Wrong,
}

/// Something that can refer and be referred to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Var(String),
    Job,
}

struct Walk<'a, 'p> {
    environment: &'p Environment,
    is_broken: bool,
    said: BTreeMap<String, Said<'a>>,
    job: Said<'a>,
    done: BTreeMap<Node, Option<Expanded>>,
    /// What is being made, outermost first.
    way: Vec<Node>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> Walk<'a, '_> {
    fn read(&mut self, file: &'a SourceFile) {
        let root = file.document.as_table();
        let Some(item) = root.get("vars") else {
            return;
        };
        let Some(table) = item.as_table_like() else {
            let place = file.place(&item_span(root, "vars", item), "vars");
            let problem = Problem::new("`vars` must be a table", &place);
            self.problems
                .push(problem.remedy("write [vars] and the variables below"));
            return;
        };
        for (name, item) in table.iter() {
            let path = format!("vars.{name}");
            if !is_var(name) {
                let place = file.place(&key_span(table, name), path);
                let problem = Problem::new(bad_name(name), &place);
                self.problems.push(problem.remedy(GOOD_NAME));
                continue;
            }
            let span = item_span(table, name, item);
            let said = if let Some(text) = item.as_str() {
                Said::File(Words {
                    file,
                    text,
                    span,
                    path,
                })
            } else {
                let place = file.place(&span, path);
                self.problems.push(not_text(name, item, &place));
                Said::Wrong
            };
            self.say(name.to_owned(), said);
        }
    }

    fn read_job_name(&mut self, file: &'a SourceFile) {
        let table = file.document.get("job").and_then(Item::as_table_like);
        let Some((table, item)) = table.and_then(|table| Some((table, table.get("name")?))) else {
            return;
        };
        // what is no text is told where the option is read
        self.job = item.as_str().map_or(Said::Wrong, |text| {
            Said::File(Words {
                file,
                text,
                span: item_span(table, "name", item),
                path: "job.name".to_owned(),
            })
        });
    }

    /// Says a variable anew. What was said before is not filled in any more, but read: no layer
    /// hides the mistakes of those below.
    fn say(&mut self, name: String, said: Said<'a>) {
        if let Some(Said::File(words)) = self.said.insert(name, said)
            && let Err(mistake) = grammar::parse(words.text)
        {
            let place = words.place(&mistake.range);
            self.problems
                .push(Problem::new(mistake.message, &place).remedy(mistake.remedy));
        }
    }

    /// The value of a name, made when it is first asked for; `None` when it is wrong, which is
    /// told once.
    fn value(&mut self, node: &Node) -> Option<Expanded> {
        if let Some(done) = self.done.get(node) {
            return done.clone();
        }
        let said = match node {
            Node::Var(name) => self.said.remove(name)?,
            Node::Job => std::mem::replace(&mut self.job, Said::Wrong),
        };
        let value = match said {
            Said::Wrong => None,
            Said::Literal(text) => Some(Expanded::plain(&text)),
            Said::File(_) if Problem::are_plenty(self.problems) => None,
            Said::File(words) => {
                self.way.push(node.clone());
                let mut problems = Vec::new();
                let mut look_up = |reference: &Reference| self.look_up(reference);
                let value = fill_in(&words, &mut look_up, &mut problems);
                self.way.pop();
                self.problems.append(&mut problems);
                value
            }
        };
        let value = value.map(|value| match node {
            Node::Var(name) if sounds_secret(name) => Expanded::secret(&value.text),
            _ => value,
        });
        self.done.insert(node.clone(), value.clone());
        value
    }

    fn look_up(&mut self, reference: &Reference) -> Known {
        let known = || {
            self.said
                .keys()
                .chain(self.done.keys().filter_map(Node::var))
        };
        let node = match &reference.name {
            Name::Environment(name) => {
                return of_the_environment(name, self.environment, known());
            }
            Name::Date => return Known::Value(Expanded::plain(&self.environment.date())),
            Name::Pair => return no_pair_here(),
            Name::Job => Node::Job,
            Name::Var(name) => Node::Var(name.clone()),
        };
        if let Some(begin) = self.way.iter().position(|on_way| *on_way == node) {
            let circle = self.way[begin..].iter().chain(Some(&node));
            let way: Vec<String> = circle.map(Node::spelling).collect();
            let message = match &*way {
                [one, _] => format!("{one} needs itself"),
                way => format!("variables need each other: {}", way.join(" needs ")),
            };
            return Known::Refused {
                message,
                remedy: "write a text here that needs none of them".to_owned(),
            };
        }
        if self.way.len() >= DEEPEST {
            return Known::Refused {
                message: format!("more than {DEEPEST} variables need each other in a row"),
                remedy: "write the text itself".to_owned(),
            };
        }
        if let Node::Var(name) = &node
            && !self.said.contains_key(name)
            && !self.done.contains_key(&node)
        {
            if self.is_broken && reference.otherwise == Otherwise::Nothing {
                return Known::Told;
            }
            return unknown(name, self.environment, known());
        }
        match (self.value(&node), &reference.name) {
            (None, _) => Known::Told,
            (Some(value), Name::Var(name)) if value.text.is_empty() => is_empty(name),
            (Some(value), _) => Known::Value(value),
        }
    }
}

impl Node {
    fn var(&self) -> Option<&String> {
        match self {
            Self::Var(name) => Some(name),
            Self::Job => None,
        }
    }

    fn spelling(&self) -> String {
        match self {
            Self::Var(name) => format!("`vars.{name}`"),
            Self::Job => "`s3sync.job`".to_owned(),
        }
    }
}

fn bad_name(name: &str) -> String {
    format!("`{name}` cannot be a variable's name")
}

/// A variable that is a number, a truth or a table.
fn not_text(name: &str, item: &Item, place: &Place) -> Problem {
    let said = item.to_string();
    let said = said.trim();
    let problem = Problem::new(format!("`vars.{name}` must be text"), place);
    let is_simple = item.is_integer() || item.is_float() || item.is_bool() || item.is_datetime();
    if is_simple && !sounds_secret(name) {
        problem.remedy(format!("write {name} = \"{said}\""))
    } else if item.is_table_like() {
        problem.remedy("variables do not stand in tables of their own")
    } else {
        problem
    }
}
