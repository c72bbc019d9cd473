//! The environment as a layer: `S3SYNC_PERFORMANCE__WORKER_SIZE=64`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::bounded;
use super::layer::Layer;
use super::option::{OptionRow, Scope};
use super::options::OPTIONS;
use super::problem::{Place, Problem};
use super::reading::{element_of, read_text, row_of, take};
use super::said::{Said, SaidVar, belongs_in_files, split_pair};
use super::secrets::secret_of_file;
use super::setting::{Setting, from_text};
use super::suggest::nearest;
use crate::object::Timestamp;

/// The variables and the directory a process was started with, as values: nothing in this module
/// reads the real ones.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Names of variables whose values are not UTF-8.
    unreadable: Vec<String>,
    directory: PathBuf,
    started: Started,
    input: Arc<Mutex<Input>>,
}

/// When the process was started.
#[derive(Debug, Clone, Copy)]
struct Started(Timestamp);

impl Default for Started {
    fn default() -> Self {
        Self(Timestamp::now())
    }
}

/// Standard input, which can be read once.
#[derive(Default)]
enum Input {
    #[default]
    Process,
    Given(Vec<u8>),
    Taken,
}

/// Why standard input is not read.
#[derive(Debug)]
pub(super) enum InputError {
    /// It was read before.
    Taken,
    /// What is wrong with it.
    Unreadable(String),
}

/// How the names of variables that say `[vars]` begin.
const VARS: &str = "S3SYNC_VARS__";

impl Environment {
    /// These variables, and the directory relative paths begin at.
    pub fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        let mut environment = Self {
            directory: directory.into(),
            ..Self::default()
        };
        for (name, value) in variables {
            // no name of ours is anything but ASCII
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    environment.variables.insert(name, value);
                }
                Err(_) => environment.unreadable.push(name),
            }
        }
        environment
    }

    /// The same for a process that was started at this time.
    #[must_use]
    pub fn started_at(mut self, time: Timestamp) -> Self {
        self.started = Started(time);
        self
    }

    /// The same for a process that has these bytes on its standard input.
    #[must_use]
    pub fn standard_input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Arc::new(Mutex::new(Input::Given(bytes.into())));
        self
    }

    /// What is on standard input, at most `most` bytes. Its copies share it: it can be read once.
    pub(super) fn read_input(&self, most: u64) -> Result<Vec<u8>, InputError> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match std::mem::replace(&mut *input, Input::Taken) {
            Input::Process => bounded::read_all(std::io::stdin().lock(), most),
            Input::Given(bytes) => bounded::read_all(bytes.as_slice(), most),
            Input::Taken => return Err(InputError::Taken),
        };
        read.map_err(InputError::Unreadable)
    }

    /// When the process was started.
    pub(super) fn started(&self) -> Timestamp {
        self.started.0
    }

    /// The day the process was started, in UTC: `2026-08-22`.
    pub(super) fn date(&self) -> String {
        let time = self.started.0.rfc3339_millis();
        time.split('T').next().unwrap_or_default().to_owned()
    }

    /// The names of all variables that have a value or are empty.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Whether a variable has a value that is not UTF-8.
    pub(super) fn is_unreadable(&self, name: &str) -> bool {
        self.unreadable.iter().any(|unreadable| unreadable == name)
    }

    /// What it says of `[vars]`: `S3SYNC_VARS__DR_BUCKET`.
    pub(super) fn vars(&self) -> Vec<SaidVar> {
        let said = |(name, value): (&String, &String)| {
            Some(SaidVar {
                name: name.strip_prefix(VARS)?.to_ascii_lowercase(),
                value: value.clone(),
                place: Place::Environment(name.clone()),
            })
        };
        let with_value = self.variables.iter().filter(|(_, value)| !value.is_empty());
        with_value.filter_map(said).collect()
    }

    /// Refuses what they say of `[vars]` where no file is that could use it.
    pub(super) fn refuse_vars(&self, problems: &mut Vec<Problem>) {
        problems.extend(self.vars().iter().map(SaidVar::without_file));
    }

    /// A variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The same without any variable that says options.
    pub fn without_options(&self) -> Self {
        let mut kept = self.clone();
        kept.variables
            .retain(|name, _| !name.starts_with("S3SYNC_") && name != "AWS_MAX_ATTEMPTS");
        kept.unreadable.clear();
        kept
    }

    /// The directory relative paths begin at.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where runs leave their reports when nobody says: the user's state directory.
    pub(super) fn state_directory(&self) -> PathBuf {
        let absolute = |name| {
            self.get(name)
                .map(Path::new)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_STATE_HOME")
            .map(Path::to_owned)
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .or_else(|| absolute("TMPDIR").map(Path::to_owned))
            .unwrap_or_else(|| PathBuf::from("/tmp"))
            .join("s3sync")
    }

    /// Reads every `S3SYNC_…`.
    pub(super) fn read(&self, problems: &mut Vec<Problem>) -> Said {
        let mut said = Said::default();
        for name in self.unreadable.iter().filter(|name| is_ours(name)) {
            let place = Place::Environment(name.clone());
            problems.push(Problem::new(
                format!("the value of `{name}` is not UTF-8"),
                &place,
            ));
        }
        for (name, value) in &self.variables {
            // `[vars]` are no options
            if is_ours(name) && !value.is_empty() && !name.starts_with(VARS) {
                let read = self.variable(name, value, &mut said, problems);
                problems.extend(read.err());
            }
        }
        for var in self.vars() {
            var.say(&mut said.every_pair);
        }
        said
    }

    /// What the AWS SDK's own variables say, below every layer of ours.
    pub(super) fn of_the_sdk(&self, problems: &mut Vec<Problem>) -> Layer {
        let mut layer = Layer::default();
        let name = "AWS_MAX_ATTEMPTS";
        if let (Some(value), Some(row)) = (self.get(name), row_of("retry.aws_max_attempts")) {
            let place = Place::Environment(name.to_owned());
            let read = from_text(row, value, &self.directory);
            problems.extend(take(&mut layer, row, read, place).err());
        }
        layer
    }

    fn variable(
        &self,
        name: &str,
        value: &str,
        said: &mut Said,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        let place = Place::Environment(name.to_owned());
        let unknown = || {
            let shorthands = ["SOURCE", "TARGET", "DELETE"];
            let shorthands = shorthands.map(|name| format!("S3SYNC_{name}"));
            let options = OPTIONS.iter().map(OptionRow::variable);
            let names: Vec<String> = shorthands.into_iter().chain(options).collect();
            let problem = Problem::new(format!("unknown variable `{name}`"), &place);
            if let Some(var) = name.strip_prefix(VARS.trim_end_matches('_')) {
                let var = var.trim_start_matches('_');
                return problem.remedy(format!("did you mean {VARS}{var}?"));
            }
            let named_for_flag = || named_for_flag(name).map(OptionRow::variable);
            let near = nearest(name, names.iter().map(String::as_str));
            match near.map(str::to_owned).or_else(named_for_flag) {
                Some(near) => problem.remedy(format!("did you mean {near}?")),
                None => problem.remedy("names that begin with S3SYNC_ are this program's own"),
            }
        };
        let rest = name.strip_prefix("S3SYNC_").ok_or_else(unknown)?;
        let is_spelt = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !rest.chars().all(is_spelt) {
            return Err(unknown());
        }
        let path = rest.to_ascii_lowercase().replace("__", ".");
        if let Some(remedy) = belongs_in_files(&path) {
            let message = format!("`{path}` belongs in a job file");
            return Err(Problem::new(message, &place).remedy(remedy));
        }
        let (pair, path) = split_pair(&path).ok_or_else(unknown)?;
        let file_of = |path: &str| {
            path.strip_suffix("_file")
                .and_then(row_of)
                .filter(|row| row.is_secret())
        };
        let (row, key, from_file) = match row_of(path) {
            Some(row) => (row, None, false),
            None => match (element_of(path), file_of(path)) {
                (Some((row, key)), _) => (row, Some(key), false),
                (None, Some(row)) => (row, None, true),
                (None, None) => return Err(unknown()),
            },
        };
        if matches!(row.scope, Scope::File | Scope::Hook) {
            let problem = Problem::new(format!("only a job file can say `{}`", row.path), &place);
            return Err(problem);
        }
        let layer = match pair {
            Some(_) if row.scope == Scope::Job => {
                return Err(Problem::new(
                    format!("`{}` belongs to the whole job", row.path),
                    &place,
                )
                .remedy(format!("say it as {}", row.variable())));
            }
            Some(pair) => said.pairs.entry(pair.to_owned()).or_default(),
            None if row.scope == Scope::PairOnly => {
                return Err(Problem::new(
                    format!("`{}` belongs to a single pair", row.path),
                    &place,
                )
                .remedy("say it as S3SYNC_PAIRS__<NAME>__…"));
            }
            None => &mut said.every_pair,
        };
        let read = if from_file {
            secret_of_file(row, &self.directory, value, &place, problems)
        } else {
            read_text(row, key, value, &self.directory)
        };
        let twin = match &read {
            Ok(Setting::Table(texts)) => {
                let mut paths = texts.keys().map(|key| format!("{}.{key}", row.path));
                paths.find_map(|path| layer.get(&path))
            }
            _ => layer.get(row.path),
        };
        if let Some(twin) = twin {
            let message = format!("`{}` is said by two variables", row.path);
            let problem = Problem::new(message, &place).remedy("keep one of them");
            return Err(problem.against(&twin.place, "the other"));
        }
        take(layer, row, read, place)
    }
}

impl fmt::Debug for Environment {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// The option whose flag a variable is named for: `S3SYNC_WORKER_SIZE` for `--worker-size`.
fn named_for_flag(variable: &str) -> Option<&'static OptionRow> {
    let flag = variable.strip_prefix("S3SYNC_")?.to_ascii_lowercase();
    let flag = flag.replace('_', "-");
    let named = |row: &&OptionRow| row.flags.iter().any(|it| it.name() == flag);
    OPTIONS.iter().find(named)
}

/// Whether a variable is one that says options, and not one for hooks, tests, the way to the job
/// file, or one that Kubernetes injects for a Service called `s3sync`.
fn is_ours(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("S3SYNC_") else {
        return false;
    };
    let reserved = rest.starts_with("RUN_") || rest.starts_with("TEST_");
    let way = matches!(rest, "JOB_FILE" | "JOB_TOML");
    let spaced = format!("_{rest}_");
    let kubernetes =
        !rest.contains("__") && (spaced.contains("_SERVICE_") || spaced.contains("_PORT_"));
    !(reserved || way || kubernetes)
}
