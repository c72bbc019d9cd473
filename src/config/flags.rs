//! The command line as a layer: `--worker-size 8`, `--set pairs.photos.dry_run=true`.

use std::fmt;
use std::path::Path;

use super::layer::Said;
use super::option::{Flag, OptionRow, Scope};
use super::options::find;
use super::problem::{Place, Problem};
use super::reading::{Spelling, advice, element_of, read_text, row_of, take};
use super::said::{Said as Settings, SaidVar, belongs_in_files, split_pair};
use super::secrets::secret_of_file;
use super::setting::{Refusal, Setting, from_text};

/// What flags say, in the words of the command line.
#[derive(Clone, Default)]
pub struct FlagValues {
    said: Vec<FlagValue>,
    set: Vec<Assignment>,
}

/// `PATH=VALUE`, and who says it.
#[derive(Clone)]
struct Assignment {
    text: String,
    by: By,
}

/// Who assigns.
#[derive(Clone, Copy)]
enum By {
    /// `--set`.
    Flag,
    /// The program that embeds the library.
    Program,
}

#[derive(Clone)]
struct FlagValue {
    row: &'static OptionRow,
    text: String,
    spelling: String,
    form: Form,
}

/// What the text of a flag is.
#[derive(Clone, Copy)]
enum Form {
    /// The value.
    Value,
    /// The name of a file that has it.
    File,
    /// A number of milliseconds.
    Millis,
}

impl FlagValues {
    /// Notes one of an option's flags and its value: empty where the flag takes none, the number
    /// of times where it is repeated. Nothing is checked yet.
    pub fn say(&mut self, row: &'static OptionRow, flag: &Flag, value: &str) {
        let name = flag.name();
        let mut note = |row, text: String, form| {
            self.said.push(FlagValue {
                row,
                text,
                spelling: format!("--{name}"),
                form,
            });
        };
        match flag {
            Flag::Value(_) => note(row, value.to_owned(), Form::Value),
            Flag::File(_) => note(row, value.to_owned(), Form::File),
            Flag::Millis(_) => note(row, value.to_owned(), Form::Millis),
            Flag::Says(_, says) => note(row, (*says).to_owned(), Form::Value),
            Flag::SaysWith(_, says, other) => {
                note(row, (*says).to_owned(), Form::Value);
                if let Some(other) = find(other) {
                    note(other, value.to_owned(), Form::Value);
                }
            }
            Flag::Repeated(_, _, says) => {
                let times: usize = value.parse().unwrap_or(1);
                if let Some(text) = says.get(times.clamp(1, says.len()) - 1) {
                    note(row, (*text).to_owned(), Form::Value);
                }
            }
        }
    }

    /// Notes `--set PATH=VALUE`.
    pub fn set(&mut self, assignment: impl Into<String>) {
        let (text, by) = (assignment.into(), By::Flag);
        self.set.push(Assignment { text, by });
    }

    /// The same, said by the program that embeds the library.
    pub fn set_by_program(&mut self, path: &str, value: &str) {
        let (text, by) = (format!("{path}={value}"), By::Program);
        self.set.push(Assignment { text, by });
    }

    /// What they say of `[vars]`: `--set vars.dr_bucket=…`.
    pub(super) fn vars(&self) -> Vec<SaidVar> {
        self.set.iter().filter_map(|set| as_var(set)).collect()
    }

    /// Refuses what they say of `[vars]` where no file is that could use it.
    pub(super) fn refuse_vars(&self, problems: &mut Vec<Problem>) {
        problems.extend(self.vars().iter().map(SaidVar::without_file));
    }

    /// Reads everything, `--set` last; relative paths begin at `directory`.
    pub(super) fn read(&self, directory: &Path, problems: &mut Vec<Problem>) -> Settings {
        let mut said = Settings::default();
        for (at, flag) in self.said.iter().enumerate() {
            let other = self.said[..at].iter().find(|other| flag.contradicts(other));
            if let Some(other) = other {
                problems.extend(self.quarrel(other, flag));
                // of the two, `--remove-modified-filter` gives way
                if flag.text == "always" {
                    continue;
                }
            }
            let place = flag.place();
            let read = match flag.form {
                Form::File => secret_of_file(flag.row, directory, &flag.text, &place, problems),
                Form::Value => from_text(flag.row, &flag.text, directory),
                Form::Millis => flag.millis(directory),
            };
            // a list's flag may be repeated
            let before = said.every_pair.get(flag.row.path);
            let read = read.map(|setting| match (before, setting) {
                (
                    Some(Said {
                        setting: Setting::List(before),
                        ..
                    }),
                    Setting::List(more),
                ) => Setting::List([before.as_slice(), &more].concat()),
                (_, setting) => setting,
            });
            problems.extend(take(&mut said.every_pair, flag.row, read, place).err());
        }
        // `[vars]` are no options
        let options = self.set.iter().filter(|set| as_var(set).is_none());
        for assignment in options {
            problems.extend(assign(assignment, directory, &mut said).err());
        }
        for var in self.vars() {
            var.say(&mut said.every_pair);
        }
        said
    }

    /// What is wrong with two flags that say one option. Only `--remove-modified-filter` may stand
    /// beside others, as in s3sync 1.x: beside `--check-additional-checksum`, and where each
    /// object is asked for beside `--check-size` and `--check-etag`, which count then.
    fn quarrel(&self, one: &FlagValue, other: &FlagValue) -> Option<Problem> {
        let heads = |flag: &FlagValue| flag.row.path == "check.head_each_target";
        let has_heads = self
            .said
            .iter()
            .any(|flag| heads(flag) && flag.text == "true");
        let (these, path) = ([&one.spelling, &other.spelling], one.row.path);
        let remedy = match (&*one.text, &*other.text) {
            ("checksum", "always") => return None,
            ("size" | "etag", "always") if has_heads => return None,
            ("size" | "etag", "always") => format!(
                "keep one of them, or say --head-each-target too: then {} counts",
                one.spelling
            ),
            _ => format!("both say `{path}`: keep one of them"),
        };
        let message = format!("`{}` excludes `{}`", these[0], these[1]);
        let problem = Problem::new(message, &one.place()).remedy(remedy);
        Some(problem.against(&other.place(), "said here"))
    }
}

impl FlagValue {
    fn place(&self) -> Place {
        Place::Flag(self.spelling.clone())
    }

    /// Whether another flag said the same option before. What only comes along with another option
    /// is judged with that.
    fn contradicts(&self, before: &Self) -> bool {
        let comes_along = self.row.flags.is_empty();
        self.row.path == before.row.path && self.spelling != before.spelling && !comes_along
    }

    fn millis(&self, directory: &Path) -> Result<Setting, Refusal> {
        let Ok(millis) = self.text.parse::<u64>() else {
            let (flag, text) = (&self.spelling, &self.text);
            return Err(Refusal {
                message: format!("`{flag}` must be whole milliseconds, not `{text}`"),
                remedy: String::new(),
            });
        };
        from_text(self.row, &format!("{millis}ms"), directory)
    }
}

impl fmt::Debug for FlagValues {
    /// Spellings only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.set.iter().map(|set| set.text.split('=').next());
        f.debug_struct("FlagValues")
            .field(
                "said",
                &self
                    .said
                    .iter()
                    .map(|flag| &flag.spelling)
                    .collect::<Vec<_>>(),
            )
            .field("set", &set.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A variable of `[vars]`, if that is what is assigned.
fn as_var(assignment: &Assignment) -> Option<SaidVar> {
    let (whole, value) = assignment.text.split_once('=')?;
    Some(SaidVar {
        name: whole.strip_prefix("vars.")?.to_owned(),
        value: value.to_owned(),
        place: assignment.by.place(whole),
    })
}

impl By {
    /// Where an option is said that is said so.
    fn place(self, path: &str) -> Place {
        match self {
            Self::Flag => Place::Flag(format!("--set {path}")),
            Self::Program => Place::Program(path.to_owned()),
        }
    }
}

fn assign(assignment: &Assignment, directory: &Path, said: &mut Settings) -> Result<(), Problem> {
    let Some((whole, value)) = assignment.text.split_once('=') else {
        let place = Place::Flag("--set".to_owned());
        return Err(Problem::new("`--set` without `=`", &place)
            .remedy("write --set PATH=VALUE, such as --set performance.worker_size=8"));
    };
    let place = assignment.by.place(whole);
    let unknown = |path: &str, scopes: &[Scope]| {
        let (prefix, key) = path
            .rfind('.')
            .map_or(("", path), |at| path.split_at(at + 1));
        Problem::new(format!("unknown option `{path}`"), &place).remedy(advice(
            prefix,
            key,
            scopes,
            Spelling::Path,
        ))
    };
    if let Some(remedy) = belongs_in_files(whole) {
        let message = format!("`{whole}` belongs in a job file");
        return Err(Problem::new(message, &place).remedy(remedy));
    }
    let (pair, path) = split_pair(whole).ok_or_else(|| {
        Problem::new(format!("`{whole}` names no option"), &place)
            .remedy("write --set pairs.NAME.PATH=VALUE")
    })?;
    let (row, key) = row_of(path)
        .map(|row| (row, None))
        .or_else(|| element_of(path).map(|(row, key)| (row, Some(key))))
        .ok_or_else(|| unknown(path, &[Scope::Pair, Scope::PairOnly, Scope::Job]))?;
    if matches!(row.scope, Scope::File | Scope::Hook) {
        let problem = Problem::new(format!("only a job file can say `{}`", row.path), &place);
        return Err(problem);
    }
    let layer = match pair {
        Some(_) if row.scope == Scope::Job => {
            return Err(
                Problem::new(format!("`{}` belongs to the whole job", row.path), &place)
                    .remedy(format!("say it as --set {}=…", row.path)),
            );
        }
        Some(pair) => said.pairs.entry(pair.to_owned()).or_default(),
        None if row.scope == Scope::PairOnly => {
            return Err(
                Problem::new(format!("`{}` belongs to a single pair", row.path), &place)
                    .remedy(format!("say it as --set pairs.NAME.{}=…", row.path)),
            );
        }
        None => &mut said.every_pair,
    };
    take(layer, row, read_text(row, key, value, directory), place)
}
