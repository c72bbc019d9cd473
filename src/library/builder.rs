//! From what the program says to a job, by the same table of options as everywhere.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Job;
use crate::config::{self, Environment, FlagValues, Problems};

/// A job that is being said.
///
/// Unlike the command, it takes no option from the variables of the process (`S3SYNC_…`), unless
/// [told to](Self::heed_environment): a stray variable must not decide what a program does. The
/// other variables are there for `${NAME}` and `{ env = "NAME" }` in job files. Credentials,
/// regions and proxies that no option says are those the AWS SDK finds, which reads the process's
/// own environment and files.
#[derive(Clone)]
#[must_use = "a job is there once it is built"]
pub struct JobBuilder {
    way: Way,
    set: Vec<(String, String)>,
    variables: Option<Vec<(OsString, OsString)>>,
    heeds_options: bool,
    directory: Option<PathBuf>,
}

/// Where a job is said.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Pair(PathBuf, PathBuf),
    File(PathBuf),
    Toml(String),
    #[cfg(feature = "cli")]
    Arguments(Vec<OsString>),
    Environment,
}

impl JobBuilder {
    pub(super) fn of(way: Way) -> Self {
        Self {
            way,
            set: Vec::new(),
            variables: None,
            heeds_options: false,
            directory: None,
        }
    }

    /// Sets an option by its path in a job file, over everything else that says it; the last wins.
    /// The value is written as behind `--set`: `8`, `true`, `1MiB`, a text without quotes, or a
    /// list as TOML has it. `pairs.NAME.PATH` is the option of one pair. What is wrong with either
    /// is told by [`build`](Self::build).
    pub fn set(mut self, path: &str, value: impl fmt::Display) -> Self {
        self.set.push((path.to_owned(), value.to_string()));
        self
    }

    /// Takes these for the variables of the environment, in place of the process's.
    pub fn variables<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        self.variables = Some(variables.collect());
        self
    }

    /// Has `S3SYNC_…` variables say options, as they do for the command.
    pub fn heed_environment(mut self) -> Self {
        self.heeds_options = true;
        self
    }

    /// Where relative paths begin that are not in a file, in place of the working directory.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The job, or everything that is wrong with it, all at once. Only files are read: whether the
    /// sides are there is found out when it runs.
    pub fn build(self) -> Result<Job, Problems> {
        let environment = self.environment();
        let mut flags = FlagValues::default();
        let config = match &self.way {
            Way::Pair(source, target) => {
                self.say(&mut flags);
                let [source, target] = [source, target].map(|side| text(side));
                config::of_program(&source?, &target?, &environment, &flags)
            }
            Way::File(path) => {
                self.say(&mut flags);
                config::load_file(path, &environment, &flags)
            }
            Way::Toml(text) => {
                self.say(&mut flags);
                config::load_text(text, &environment, &flags)
            }
            Way::Environment => {
                self.say(&mut flags);
                config::from_environment(&environment, &flags)
            }
            #[cfg(feature = "cli")]
            Way::Arguments(arguments) => {
                let [source, target] = crate::cli::read_arguments(arguments, &mut flags)?;
                self.say(&mut flags);
                config::adhoc(&source, &target, &environment, &flags)
            }
        };
        config.map(|config| Job { config })
    }

    fn environment(&self) -> Environment {
        let variables = match &self.variables {
            Some(variables) => variables.clone(),
            None => std::env::vars_os().collect(),
        };
        let current = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let directory = match &self.directory {
            Some(directory) if directory.is_absolute() => directory.clone(),
            Some(directory) => current().join(directory),
            None => current(),
        };
        let environment = Environment::new(variables, directory);
        if self.heeds_options {
            environment
        } else {
            environment.without_options()
        }
    }

    fn say(&self, flags: &mut FlagValues) {
        for (path, value) in &self.set {
            flags.set_by_program(path, value);
        }
    }
}

/// A side as options are said: in text.
fn text(side: &Path) -> Result<String, Problems> {
    side.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Problems::of_program(format!("the path `{}` is not UTF-8", side.display())))
}

impl fmt::Debug for JobBuilder {
    /// Paths of options only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<_> = self.set.iter().map(|(path, _)| path).collect();
        f.debug_struct("JobBuilder")
            .field("set", &set)
            .field("heeds_options", &self.heeds_options)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}
