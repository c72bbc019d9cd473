//! A script tried on objects that are not there.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::vm::{Interpreter, Vm};
use super::{Kind, Place, Script, filter, preprocess};
use crate::config::{LuaSettings, Said};
use crate::hook::{Candidate, HookError};

/// An object to try a script on.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What a listing would tell of it.
    pub candidate: Candidate,
    /// Its user metadata.
    pub metadata: Vec<(String, String)>,
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
    /// The object's key.
    pub key: String,
    /// What it gave, in words.
    pub result: Result<String, HookError>,
    /// How long it took.
    pub took: Duration,
}

/// How a script of a kind is called with a sample; what it gave comes back in words.
type Try = fn(&Interpreter, &Sample) -> Result<String, HookError>;

/// How scripts of a kind are tried; `None` where they cannot be yet.
fn how(kind: Kind) -> Option<Try> {
    match kind {
        Kind::Filter => Some(filter::try_on),
        Kind::Preprocess => Some(preprocess::try_on),
        Kind::Event => None,
    }
}

/// Loads a script within the limits it would have in a run, and calls it once with each sample: of
/// one kind where that is said, or every function it has. The error is that it does not load, or
/// that there is nothing to call.
pub async fn check(
    path: &Path,
    settings: &LuaSettings,
    kind: Option<Kind>,
    samples: &[Sample],
) -> Result<Checked, HookError> {
    let said = Said {
        path: "lua check",
        value: path.to_owned(),
        origin: path.display().to_string(),
    };
    let place = Place {
        pair: "sample".to_owned(),
        run_id: Arc::default(),
    };
    _ = place.run_id.set("sample".to_owned());
    let mut script = Script::read(&said)?.at(&Arc::new(place));
    script.kind = kind;
    let vm = Vm::start(&script, settings)?;
    let has = |interpreter: &Interpreter| {
        Kind::ALL
            .into_iter()
            .filter(|kind| interpreter.has(kind.function()))
            .collect()
    };
    let mut kinds: Vec<Kind> = vm.run(has).await?;
    kinds.retain(|one| kind.is_none_or(|kind| kind == *one));
    if kinds.is_empty() {
        let functions = Kind::ALL.map(Kind::function).join("`, `");
        let message = format!(
            "{}: it has none of the functions `{functions}`",
            script.name()
        );
        return Err(HookError::new(message).of_script());
    }
    let mut calls = Vec::new();
    for kind in &kinds {
        for sample in samples {
            calls.push(call(&vm, *kind, sample).await);
        }
    }
    Ok(Checked {
        sha256: script.sha256,
        kinds,
        calls,
    })
}

async fn call(vm: &Vm, kind: Kind, sample: &Sample) -> Call {
    let asked = sample.clone();
    let begun = Instant::now();
    let done = vm.run(move |interpreter| {
        let Some(how) = how(kind) else {
            let words = format!("scripts with `{}` cannot be tried yet", kind.function());
            return (Err(HookError::new(words)), Duration::ZERO);
        };
        let begun = Instant::now();
        interpreter.begin();
        let result = how(interpreter, &asked);
        (result, begun.elapsed())
    });
    let (result, took) = match done.await {
        Ok(done) => done,
        Err(error) => (Err(error), begun.elapsed()),
    };
    Call {
        kind,
        key: sample.candidate.entry.key.as_str().to_owned(),
        result,
        took,
    }
}
