//! What users have a say with in each pair of a job: scripts, and what the embedding program
//! brings.

use std::collections::BTreeMap;

use crate::config::Job;
use crate::hook::{HookError, Hooks};

/// The hooks of each pair of a job, ready to be asked.
#[derive(Debug, Default)]
pub struct PairHooks(BTreeMap<String, Hooks>);

impl PairHooks {
    /// Loads the scripts of a job, and puts them behind what every pair has anyway. The errors
    /// name script, line and what is wrong; nothing should start with any.
    pub fn prepare(job: &Job, own: &Hooks) -> Result<Self, Vec<HookError>> {
        let scripts = scripts(job)?;
        let names = job.pairs.iter().map(|pair| pair.name.clone());
        Ok(Self(
            names
                .map(|name| {
                    let hooks = own.clone().followed_by(scripts(&name));
                    (name, hooks)
                })
                .collect(),
        ))
    }

    /// Those of one pair.
    pub(super) fn of(&self, pair: &str) -> Hooks {
        self.0.get(pair).cloned().unwrap_or_default()
    }
}

#[cfg(feature = "lua")]
fn scripts(job: &Job) -> Result<impl Fn(&str) -> Hooks, Vec<HookError>> {
    let scripts = crate::lua::Scripts::load(job)?;
    Ok(move |pair: &str| scripts.hooks(pair))
}

#[cfg(not(feature = "lua"))]
fn scripts(job: &Job) -> Result<impl Fn(&str) -> Hooks, Vec<HookError>> {
    let scripts = (job.pairs.iter()).flat_map(|pair| {
        let lua = &pair.lua;
        [&lua.filter, &lua.preprocess, &lua.event]
            .into_iter()
            .flatten()
    });
    let errors: Vec<_> = scripts
        .map(|script| {
            HookError::new(format!(
                "`{}` ({}): this build has no Lua; build it with the feature `lua`",
                script.path, script.origin
            ))
        })
        .collect();
    if errors.is_empty() {
        Ok(|_: &str| Hooks::default())
    } else {
        Err(errors)
    }
}
