/*! Scripts that decide which objects go, what they carry, and that hear what happens.

Each kind of script of a pair has an interpreter of its own, on a thread of its own ([`vm`]): a slow
one keeps nobody from anything but its answers. [`Scripts::load`] reads and runs every script of a
job before anything starts; [`Scripts::hooks`] are then what a pair asks.
*/

mod event;
mod filter;
mod preprocess;
mod script;
mod vm;

pub use script::Script;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::event::LuaEvents;
use self::filter::LuaFilter;
use self::preprocess::LuaPreprocess;
use self::vm::Vm;
use crate::config::{Job, Pair};
use crate::hook::{HookError, Hooks};

/// The scripts of a job, ready to be asked.
#[derive(Debug, Default)]
pub struct Scripts {
    pairs: BTreeMap<String, Hooks>,
}

impl Scripts {
    /// Reads and runs every script of a job once. The errors name the pair, the script and what is
    /// wrong with it.
    pub fn load(job: &Job) -> Result<Self, Vec<HookError>> {
        let mut scripts = Self::default();
        let mut errors = Vec::new();
        for pair in &job.pairs {
            match load(pair) {
                Ok(hooks) => _ = scripts.pairs.insert(pair.name.clone(), hooks),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(scripts)
        } else {
            Err(errors)
        }
    }

    /// What the scripts of a pair have a say with.
    pub fn hooks(&self, pair: &str) -> Hooks {
        self.pairs.get(pair).cloned().unwrap_or_default()
    }
}

fn load(pair: &Pair) -> Result<Hooks, HookError> {
    let mut hooks = Hooks::default();
    if let Some(said) = &pair.lua.filter {
        let script = Script::read(said)?;
        let vm = Vm::start(&script, &pair.lua)?;
        hooks
            .filters
            .push(Arc::new(LuaFilter::new(vm, &script, &pair.lua)));
    }
    if let Some(said) = &pair.lua.preprocess {
        let script = Script::read(said)?;
        let vm = Vm::start(&script, &pair.lua)?;
        hooks
            .preprocess
            .push(Arc::new(LuaPreprocess::new(vm, &script, &pair.lua)));
    }
    if let Some(said) = &pair.lua.event {
        let script = Script::read(said)?;
        let vm = Vm::start(&script, &pair.lua)?;
        hooks.events.push(Arc::new(LuaEvents::new(vm, &script)));
    }
    Ok(hooks)
}
