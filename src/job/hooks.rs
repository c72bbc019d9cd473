//! What users have a say with in each pair of a job: scripts, and what the embedding program
//! brings.

#[cfg(not(feature = "lua"))]
use std::sync::Arc;

use crate::config::Job;
use crate::hook::{HookError, Hooks, ScriptFact};

/// The hooks of each pair of a job, ready to be asked.
#[derive(Debug, Default)]
pub struct PairHooks {
    own: Hooks,
    #[cfg(feature = "lua")]
    scripts: crate::lua::Scripts,
}

#[cfg(feature = "lua")]
impl PairHooks {
    /// Loads the scripts of a job, and puts them behind what every pair has anyway. The errors
    /// name script, line and what is wrong; nothing should start with any.
    pub fn prepare(job: &Job, own: &Hooks) -> Result<Self, Vec<HookError>> {
        Ok(Self {
            own: own.clone(),
            scripts: crate::lua::Scripts::load(job)?,
        })
    }

    /// What is wrong with the scripts of a job, as far as that can be told without doing anything.
    pub fn check(job: &Job) -> Vec<HookError> {
        crate::lua::Scripts::check(job)
    }

    /// The run begins.
    pub(super) fn begin(&self, run_id: &str) {
        self.scripts.begin(run_id);
    }

    /// Those of one pair.
    pub(super) fn of(&self, pair: &str) -> Hooks {
        self.own.clone().followed_by(self.scripts.hooks(pair))
    }

    /// The scripts among them.
    pub(super) fn scripts(&self, pair: &str) -> Vec<ScriptFact> {
        self.scripts.facts(pair)
    }
}

#[cfg(not(feature = "lua"))]
impl PairHooks {
    /// Every pair has the same. The errors are of scripts, which this build cannot run.
    pub fn prepare(job: &Job, own: &Hooks) -> Result<Self, Vec<HookError>> {
        let errors = Self::check(job);
        if errors.is_empty() {
            Ok(Self { own: own.clone() })
        } else {
            Err(errors)
        }
    }

    /// The scripts of a job, none of which this build can run.
    pub fn check(job: &Job) -> Vec<HookError> {
        let of_pair = |pair: &crate::config::Pair| {
            let lua = Arc::clone(&pair.lua);
            let name = pair.name.clone();
            let said = [&lua.filter, &lua.preprocess, &lua.event];
            let errors = said.into_iter().flatten().map(|said| {
                HookError::new(format!(
                    "this build runs no scripts: build it with the feature `lua`\n --> {}: `{}` of the pair `{name}`",
                    said.origin, said.path
                ))
            });
            errors.collect::<Vec<_>>()
        };
        job.pairs.iter().flat_map(of_pair).collect()
    }

    /// The run begins.
    pub(super) fn begin(&self, _: &str) {}

    /// Those of one pair.
    pub(super) fn of(&self, _: &str) -> Hooks {
        self.own.clone()
    }

    /// No scripts.
    pub(super) fn scripts(&self, _: &str) -> Vec<ScriptFact> {
        Vec::new()
    }
}
