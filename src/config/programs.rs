//! The programs a job runs before and after: `[[hooks]]`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::everything::Everything;
use super::layer::Layer;
use super::merged::Merged;
use super::options::OPTIONS;
use super::problem::{Place, Problem};
use super::record::PAIR;
use super::setting::{CommandLine, Keeper, Setting};
use super::text::sounds_secret;
use crate::store::Secret;

/// All programs of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramHooks {
    /// Each of them, in the order they run: those of included files first.
    pub each: Vec<ProgramHook>,
    /// Environment variables that keep secrets of the job: no program gets them.
    pub withheld: BTreeSet<String>,
    /// Secrets of the job: what programs say is shown without them.
    pub secrets: Vec<Secret>,
}

/// A program that is run before or after.
#[derive(Clone, PartialEq, Eq)]
pub struct ProgramHook {
    /// When.
    pub at: HookTime,
    /// Around what.
    pub scope: HookScope,
    /// For which outcomes, where it runs after.
    pub on: OnOutcome,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// The same as it may be shown.
    pub shown: Vec<String>,
    /// Where it works, and where its relative path begins: the directory of its job file.
    pub directory: PathBuf,
    /// How long it may take.
    pub timeout: Duration,
    /// What its failure means.
    pub on_failure: OnHookFailure,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookTime {
    /// Before anything else.
    Before,
    /// When the outcome is known.
    After,
}

/// Around what a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookScope {
    /// The whole job.
    Job,
    /// Each pair that is attempted.
    Pair,
}

/// For which outcomes a hook runs, by the words of statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnOutcome {
    /// Every one.
    Any,
    /// These.
    These(Vec<String>),
}

/// What the failure of a hook means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHookFailure {
    /// What it runs around has failed; before it, it is not attempted.
    Fail,
    /// A warning.
    Warn,
    /// Nothing; it is recorded.
    Ignore,
}

impl OnOutcome {
    /// Whether an outcome of this name is meant.
    pub fn holds(&self, outcome: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(outcomes) => outcomes.iter().any(|one| one == outcome),
        }
    }
}

impl ProgramHooks {
    /// Those of all files; `problems` also takes what should be known of them.
    pub(super) fn new<'a>(
        everything: &Everything,
        pairs: impl Iterator<Item = &'a Arc<Merged>> + Clone,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut each = Vec::new();
        for file in &everything.files {
            for (place, layer) in &file.hooks {
                let hook = ProgramHook::new(layer, &file.base);
                problems.extend(hook.as_ref().and_then(|hook| missing(hook, place)));
                each.extend(hook);
            }
        }
        Self {
            each,
            withheld: pairs.clone().flat_map(|merged| keepers(merged)).collect(),
            secrets: pairs.flat_map(|merged| secrets(merged)).collect(),
        }
    }
}

impl ProgramHook {
    /// What a hook's table says; none where it says too little, which is told elsewhere.
    fn new(layer: &Layer, base: &Path) -> Option<Self> {
        let hook = Merged::new(vec![Arc::new(layer.clone())]);
        let Setting::Program(CommandLine { words, shown }) = &hook.said("hooks.run")?.setting
        else {
            return None;
        };
        Some(Self {
            at: match hook.optional::<String>("hooks.at")?.as_str() {
                "before" => HookTime::Before,
                _ => HookTime::After,
            },
            scope: match hook.value::<String>("hooks.scope").as_str() {
                "pair" => HookScope::Pair,
                _ => HookScope::Job,
            },
            on: hook
                .optional("hooks.on")
                .map_or(OnOutcome::Any, OnOutcome::These),
            run: words.clone(),
            shown: shown.clone(),
            directory: base.to_owned(),
            timeout: hook.duration("hooks.timeout"),
            on_failure: match hook.value::<String>("hooks.on_error").as_str() {
                "fail" => OnHookFailure::Fail,
                "ignore" => OnHookFailure::Ignore,
                _ => OnHookFailure::Warn,
            },
        })
    }

    /// The program: a name is looked for in `PATH`, a path begins at the job file.
    pub fn program(&self) -> PathBuf {
        let name = Path::new(&self.run[0]);
        if self.run[0].contains('/') {
            self.directory.join(name)
        } else {
            name.to_owned()
        }
    }
}

impl fmt::Debug for ProgramHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // not `run`: what is filled in may be a secret
        f.debug_struct("ProgramHook")
            .field("at", &self.at)
            .field("scope", &self.scope)
            .field("on", &self.on)
            .field("run", &self.shown)
            .field("directory", &self.directory)
            .field("timeout", &self.timeout)
            .field("on_failure", &self.on_failure)
            .finish()
    }
}

/// Whether a variable of ours says something secret, whichever job it is meant for: what secret
/// options are said by, variables that sound secret, and a whole job file.
pub fn is_secret_variable(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("S3SYNC_") else {
        return false;
    };
    let of_pair = rest
        .strip_prefix("PAIRS__")
        .and_then(|rest| rest.split_once("__"))
        .map(|(_, option)| option);
    let option = of_pair.unwrap_or(rest);
    let is_said_by = OPTIONS
        .iter()
        .filter(|row| row.is_secret())
        .any(|row| row.variable().strip_prefix("S3SYNC_") == Some(option));
    let is_var = |rest: &str| rest.strip_prefix("VARS__").is_some_and(sounds_secret);
    is_said_by || is_var(rest) || rest == "JOB_TOML"
}

/// What should be known of a hook whose program is not there: it is no reason to do nothing at
/// all, as the outcome of a failing hook is decided by the hook.
fn missing(hook: &ProgramHook, place: &Place) -> Option<Problem> {
    let program = hook.program();
    let is_missing = hook.run[0].contains('/') && !program.is_file();
    is_missing.then(|| {
        let message = format!("the program of a hook is not there: `{}`", hook.shown[0]);
        Problem::warning(message, place).remedy("a path is relative to the job file")
    })
}

/// The secrets of a pair.
fn secrets(merged: &Merged) -> Vec<Secret> {
    let decided = merged.decided(PAIR);
    let kept = decided.iter().filter_map(|decided| match decided.setting {
        Setting::Secret(secret, _) => Some(secret.clone()),
        _ => None,
    });
    kept.collect()
}

/// The variables that keep secrets of a pair.
fn keepers(merged: &Merged) -> Vec<String> {
    let decided = merged.decided(PAIR);
    let kept = decided.iter().filter_map(|decided| match decided.setting {
        Setting::Secret(_, Keeper::Variable(name)) => Some(name.clone()),
        _ => None,
    });
    kept.collect()
}
