//! A script as it was read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use crate::config::Said;
use crate::event::Rule;
use crate::hook::{HookError, ScriptFact};

/// A script, its content and where it is said.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its file.
    pub path: PathBuf,
    /// What is in it.
    pub text: Arc<str>,
    /// SHA-256 of that, hexadecimal.
    pub sha256: String,
    /// What objects it rejects are counted under.
    pub rule: Arc<Rule>,
    /// What it is for; `None` where it is only looked at.
    pub kind: Option<Kind>,
    /// Where it runs.
    pub place: Arc<Place>,
}

/// What a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It decides which objects go.
    Filter,
    /// It changes what an object carries.
    Preprocess,
    /// It hears what happens.
    Event,
}

/// Where a script runs.
#[derive(Debug, Default)]
pub struct Place {
    /// The pair's name.
    pub pair: String,
    /// The run's id, once it has begun.
    pub run_id: Arc<OnceLock<String>>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Filter, Self::Preprocess, Self::Event];

    /// What reports call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Preprocess => "preprocess",
            Self::Event => "event",
        }
    }

    /// The option that names such a script.
    pub fn option(self) -> &'static str {
        match self {
            Self::Filter => "lua.filter_script",
            Self::Preprocess => "lua.preprocess_script",
            Self::Event => "lua.event_script",
        }
    }

    /// The function of the script that is called.
    pub fn function(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Preprocess => "preprocess_callback",
            Self::Event => "on_event",
        }
    }

    /// Whether such a script is of no use without its function.
    pub fn needs_function(self) -> bool {
        match self {
            Self::Filter | Self::Preprocess => true,
            Self::Event => false,
        }
    }
}

impl Script {
    /// Reads it.
    pub fn read(said: &Said<PathBuf>) -> Result<Self, HookError> {
        let path = said.value.clone();
        let bytes = std::fs::read(&path).map_err(|error| {
            let message = format!("cannot read the script `{}`: {error}", path.display());
            HookError::new(message).of_script().for_the_pair()
        })?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("the script `{}` is not UTF-8", path.display());
            HookError::new(message).of_script().for_the_pair()
        })?;
        Ok(Self {
            rule: Arc::new(said.rule(path.display().to_string())),
            kind: (Kind::ALL.into_iter()).find(|kind| kind.option() == said.path),
            path,
            text: text.into(),
            sha256,
            place: Arc::default(),
        })
    }

    /// The same, in a pair of a run.
    #[must_use]
    pub fn at(self, place: &Arc<Place>) -> Self {
        Self {
            place: Arc::clone(place),
            ..self
        }
    }

    /// The name errors call it by.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The directory it is in.
    pub fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// As reports have it.
    pub fn fact(&self) -> ScriptFact {
        ScriptFact {
            kind: self.kind.map_or("", Kind::as_str).to_owned(),
            path: self.path.display().to_string(),
            sha256: self.sha256.clone(),
        }
    }
}
