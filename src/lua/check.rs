//! A script tried on objects that are not there, and on events that did not happen.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::vm::{Interpreter, Vm};
use super::{Kind, Place, Script, event, filter, imagined, preprocess};
use crate::config::{LuaSettings, Said};
use crate::hook::{Candidate, EventKind, HookError};

/// What a sample's pair is called.
pub(super) const PAIR: &str = "sample";

/// An object to try a script on.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What a listing would tell of it.
    pub candidate: Candidate,
    /// Its user metadata.
    pub metadata: Vec<(String, String)>,
}

/// What a script is tried on.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// Which of its functions; every one it has where none is said.
    pub kind: Option<Kind>,
    /// The objects.
    pub samples: Vec<Sample>,
    /// The events an event script hears about each of them. Where none is said, it hears one of
    /// each kind, about the first.
    pub events: Vec<EventKind>,
}

/// What came of a script.
#[derive(Debug)]
pub struct Checked {
    /// SHA-256 of the script, hexadecimal.
    pub sha256: String,
    /// What it is for, by the functions it has.
    pub kinds: Vec<Kind>,
    /// Its calls, in the order they were made.
    pub calls: Vec<Call>,
}

/// One call of a script.
#[derive(Debug)]
pub struct Call {
    /// Which of its functions.
    pub kind: Kind,
    /// What it was about: the key of an object, or the name of an event.
    pub about: String,
    /// What it gave, in words.
    pub result: Result<String, HookError>,
    /// How long it took.
    pub took: Duration,
}

/// Calls a script; what it gave comes back in words.
type Try = Box<dyn FnOnce(&Interpreter) -> Result<String, HookError> + Send>;

/// Loads a script within the limits it would have in a run, and calls its functions. The error is
/// that it does not load, or that there is nothing to call.
pub async fn check(
    path: &Path,
    settings: &LuaSettings,
    trial: &Trial,
) -> Result<Checked, HookError> {
    let said = Said {
        path: "lua check",
        value: path.to_owned(),
        origin: path.display().to_string(),
    };
    let place = Place {
        pair: PAIR.to_owned(),
        run_id: Arc::default(),
    };
    _ = place.run_id.set(PAIR.to_owned());
    let script = Script::read(&said)?.at(&Arc::new(place));
    let vm = Vm::start(&script, settings)?;
    let wanted = trial.kind;
    let kinds = vm.run(move |interpreter| {
        let kinds: Vec<Kind> = (Kind::ALL.into_iter())
            .filter(|kind| wanted.is_none_or(|wanted| wanted == *kind))
            .filter(|kind| interpreter.has(kind.function()))
            .collect();
        if kinds.is_empty() {
            let wanted = wanted.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
            let functions: Vec<&str> = wanted.into_iter().map(Kind::function).collect();
            return Err(interpreter.lacks(&functions));
        }
        Ok(kinds)
    });
    let kinds = kinds.await??;
    let mut calls = Vec::new();
    for kind in &kinds {
        for (about, how) in tries(*kind, trial) {
            calls.push(call(&vm, *kind, about, how).await);
        }
    }
    Ok(Checked {
        sha256: script.sha256,
        kinds,
        calls,
    })
}

/// The calls that try scripts of a kind.
fn tries(kind: Kind, trial: &Trial) -> Vec<(String, Try)> {
    let each = |ask: fn(&Interpreter, &Sample) -> Result<String, HookError>| {
        let calls = trial.samples.iter().cloned().map(|sample| {
            let key = sample.candidate.entry.key.as_str().to_owned();
            let how: Try = Box::new(move |interpreter| ask(interpreter, &sample));
            (key, how)
        });
        calls.collect()
    };
    match kind {
        Kind::Filter => each(filter::try_on),
        Kind::Preprocess => each(preprocess::try_on),
        Kind::Event => (imagined::events(&trial.samples, &trial.events).into_iter())
            .map(|told| {
                let key = told.key.as_ref().map(|key| format!("  {key}"));
                let about = format!("{}{}", told.kind, key.unwrap_or_default());
                let how: Try = Box::new(move |interpreter| event::try_on(interpreter, &told));
                (about, how)
            })
            .collect(),
    }
}

async fn call(vm: &Vm, kind: Kind, about: String, how: Try) -> Call {
    let begun = Instant::now();
    let done = vm.run(move |interpreter| {
        let begun = Instant::now();
        interpreter.begin();
        let result = how(interpreter);
        (result, begun.elapsed())
    });
    let (result, took) = match done.await {
        Ok(done) => done,
        Err(error) => (Err(error), begun.elapsed()),
    };
    Call {
        kind,
        about,
        result,
        took,
    }
}
