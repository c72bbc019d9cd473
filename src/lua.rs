/*! Scripts that decide which objects go, what they carry, and that hear what happens.

Each kind of script of a pair has an interpreter of its own, on a thread of its own (`vm`): a slow
one keeps nobody from anything but its answers. [`Scripts::load`] reads and runs every script of a
job before anything starts; [`Scripts::hooks`] are then what a pair asks.
*/

mod beside;
mod check;
mod event;
mod filter;
mod imagined;
mod interpreter;
mod libraries;
mod overtime;
mod preprocess;
mod script;
mod seat;
mod told;
mod vm;
mod voice;

pub use check::{Call, Checked, Sample, Trial, check};
pub use script::{Kind, Place, Script};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use self::event::LuaEvents;
use self::filter::LuaFilter;
use self::preprocess::LuaPreprocess;
use self::vm::Vm;
use crate::config::{Job, Libraries, Pair, Said};
use crate::hook::{HookError, Hooks, ScriptFact};

/// The scripts of a job, ready to be asked.
#[derive(Debug, Default)]
pub struct Scripts {
    pairs: BTreeMap<String, Loaded>,
    run_id: Arc<OnceLock<String>>,
}

/// The scripts of a pair.
#[derive(Debug, Default)]
struct Loaded {
    hooks: Hooks,
    facts: Vec<ScriptFact>,
}

impl Scripts {
    /// Reads and runs every script of a job once. The errors name the pair, the script and what is
    /// wrong with it.
    pub fn load(job: &Job) -> Result<Self, Vec<HookError>> {
        let mut scripts = Self::default();
        let mut errors = Vec::new();
        for pair in &job.pairs {
            let place = Arc::new(Place {
                pair: pair.name.clone(),
                run_id: Arc::clone(&scripts.run_id),
            });
            match load(pair, &place) {
                Ok(loaded) => _ = scripts.pairs.insert(pair.name.clone(), loaded),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(scripts)
        } else {
            Err(errors)
        }
    }

    /// What is wrong with the scripts of a job. Those that reach nothing outside of their
    /// interpreter are run for that; of the others, only the grammar is looked at.
    pub fn check(job: &Job) -> Vec<HookError> {
        let place = Arc::new(Place::default());
        let problems = job.pairs.iter().flat_map(|pair| {
            of_pair(pair).filter_map(|said| {
                let checked = match pair.lua.libraries {
                    Libraries::Safe => open(pair, said, &place).map(drop),
                    Libraries::System | Libraries::Everything => {
                        Script::read(said).and_then(|script| libraries::compile(&script))
                    }
                };
                checked.map_err(|error| of_the(pair, said, error)).err()
            })
        });
        problems.collect()
    }

    /// The run begins: scripts are told its id.
    pub fn begin(&self, run_id: &str) {
        // of a second run they hear nothing: they are loaded for one
        _ = self.run_id.set(run_id.to_owned());
    }

    /// What the scripts of a pair have a say with.
    pub fn hooks(&self, pair: &str) -> Hooks {
        let loaded = self.pairs.get(pair);
        loaded
            .map(|loaded| loaded.hooks.clone())
            .unwrap_or_default()
    }

    /// Which scripts a pair has.
    pub fn facts(&self, pair: &str) -> Vec<ScriptFact> {
        let loaded = self.pairs.get(pair);
        loaded
            .map(|loaded| loaded.facts.clone())
            .unwrap_or_default()
    }
}

fn load(pair: &Pair, place: &Arc<Place>) -> Result<Loaded, HookError> {
    let mut loaded = Loaded::default();
    for said in of_pair(pair) {
        let (script, vm) = open(pair, said, place).map_err(|error| of_the(pair, said, error))?;
        loaded.facts.push(script.fact());
        match script.kind {
            Some(Kind::Filter) => {
                let filter = LuaFilter::new(vm, &script, &pair.lua);
                loaded.hooks.filters.push(Arc::new(filter));
            }
            Some(Kind::Preprocess) => {
                let preprocess = LuaPreprocess::new(vm, &script, &pair.lua);
                loaded.hooks.preprocess.push(Arc::new(preprocess));
            }
            Some(Kind::Event) => {
                let events = LuaEvents::new(vm, &script);
                loaded.hooks.events.push(Arc::new(events));
            }
            None => {}
        }
    }
    Ok(loaded)
}

/// The scripts of a pair as they are said.
fn of_pair(pair: &Pair) -> impl Iterator<Item = &Said<PathBuf>> {
    let lua = &pair.lua;
    [&lua.filter, &lua.preprocess, &lua.event]
        .into_iter()
        .flatten()
}

fn open(pair: &Pair, said: &Said<PathBuf>, place: &Arc<Place>) -> Result<(Script, Vm), HookError> {
    let script = Script::read(said)?.at(place);
    let vm = Vm::start(&script, &pair.lua)?;
    Ok((script, vm))
}

/// An error of a script, with where it is said.
fn of_the(pair: &Pair, said: &Said<PathBuf>, error: HookError) -> HookError {
    let HookError { message, .. } = &error;
    let message = format!(
        "{message}\n --> {}: `{}` of the pair `{}`",
        said.origin, said.path, pair.name
    );
    HookError { message, ..error }
}
