//! A script that decides which objects go.

use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use futures::future::join_all;
use mlua::{FromLua, Function, Value};

use super::libraries::OURS;
use super::vm::{Interpreter, Vm};
use super::{Sample, Script};
use crate::config::{LuaSettings, OnScriptError};
use crate::event::Rule;
use crate::hook::{Candidate, Fails, FilterHook, HookError};

/// Makes the table of an object and calls the function with it.
const ASK: &str = include_str!("filter.lua");

/// Asks a script.
#[derive(Debug)]
pub(super) struct LuaFilter {
    vm: Vm,
    rule: Arc<Rule>,
    on_error: OnScriptError,
}

type Answer = Result<bool, HookError>;

impl LuaFilter {
    pub(super) fn new(vm: Vm, script: &Script, settings: &LuaSettings) -> Self {
        Self {
            vm,
            rule: Arc::clone(&script.rule),
            on_error: settings.on_error,
        }
    }

    /// Asks about some, one after the other. Where a call does not end, the answers before it count,
    /// and the rest is asked about again.
    async fn ask(&self, mut candidates: Vec<Candidate>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(candidates.len());
        while !candidates.is_empty() {
            let (answer, answered) = mpsc::channel();
            let rest = Arc::new(candidates);
            let (asked, on_error) = (Arc::clone(&rest), self.on_error);
            let done = self.vm.run(move |interpreter| {
                for given in ask_all(interpreter, &asked, on_error) {
                    if answer.send(given).is_err() {
                        return;
                    }
                }
            });
            let done = done.await;
            let before = answers.len();
            answers.extend(answered.try_iter());
            let Err(error) = done else { break };
            let given = answers.len() - before;
            let error = failing(self.on_error, error);
            let ends = error.fails == Fails::Pair;
            answers.push(Err(error));
            if ends {
                break;
            }
            candidates = rest[(given + 1).min(rest.len())..].to_vec();
        }
        answers
    }
}

#[async_trait]
impl FilterHook for LuaFilter {
    fn rule(&self) -> Arc<Rule> {
        Arc::clone(&self.rule)
    }

    async fn filter(&self, candidate: &Candidate) -> Answer {
        let mut answers = self.filter_all(vec![candidate.clone()]).await;
        answers.pop().expect("one answer for each")
    }

    async fn filter_all(&self, mut candidates: Vec<Candidate>) -> Vec<Answer> {
        let share = candidates.len().div_ceil(self.vm.count()).max(1);
        let mut shares = Vec::new();
        while candidates.len() > share {
            let rest = candidates.split_off(share);
            shares.push(std::mem::replace(&mut candidates, rest));
        }
        shares.push(candidates);
        let asked = shares.into_iter().map(|share| self.ask(share));
        let mut answers = join_all(asked).await.concat();
        let is_of_pair =
            |answer: &Answer| matches!(answer, Err(error) if error.fails == Fails::Pair);
        if let Some(last) = answers.iter().position(is_of_pair) {
            answers.truncate(last + 1);
        }
        answers
    }
}

/// The answers one after the other; none after one that fails the pair.
fn ask_all<'a>(
    interpreter: &'a Interpreter,
    candidates: &'a [Candidate],
    on_error: OnScriptError,
) -> impl Iterator<Item = Answer> + 'a {
    let mut function = None;
    let mut is_over = false;
    candidates.iter().map_while(move |candidate| {
        if is_over {
            return None;
        }
        let answer = interpreter
            .call(|| ask::<bool>(prepared(&mut function, interpreter)?, candidate))
            .map_err(|error| failing(on_error, error));
        is_over = matches!(&answer, Err(error) if error.fails == Fails::Pair);
        Some(answer)
    })
}

fn failing(on_error: OnScriptError, error: HookError) -> HookError {
    match on_error {
        OnScriptError::FailPair => error.for_the_pair(),
        OnScriptError::FailObject => error,
    }
}

/// The function that asks, made once.
fn prepared<'a>(
    function: &'a mut Option<Function>,
    interpreter: &Interpreter,
) -> mlua::Result<&'a Function> {
    if function.is_none() {
        let chunk = interpreter.lua.load(ASK).set_name(OURS);
        let made = chunk.call((interpreter.pair(), interpreter.run_id()?))?;
        *function = Some(made);
    }
    Ok(function.as_ref().expect("it was made just now"))
}

/// What the script says of one object: anything but `false` and `nil` lets it go.
fn ask<R: FromLua>(function: &Function, candidate: &Candidate) -> mlua::Result<R> {
    let entry = &candidate.entry;
    let tag = (!candidate.is_delete_marker).then_some(entry.etag.as_ref());
    function.call((
        entry.key.as_str(),
        entry.size,
        entry.modified.rfc3339(),
        entry.version.as_deref(),
        tag.flatten().map(|tag| tag.quoted()),
        entry.checksum.map(|checksum| checksum.algorithm()),
        entry.checksum.and_then(|checksum| checksum.kind()),
        // the predecessor knows of no latest where there are no versions
        candidate.is_latest && entry.version.is_some(),
        candidate.is_delete_marker,
    ))
}

/// What a script says of a sample, in words.
pub(super) fn try_on(interpreter: &Interpreter, sample: &Sample) -> Result<String, HookError> {
    let mut function = None;
    let answer = interpreter
        .call(|| ask::<Value>(prepared(&mut function, interpreter)?, &sample.candidate))?;
    let words = match &answer {
        Value::Boolean(true) => "goes",
        Value::Boolean(false) => "stays out",
        Value::Nil => "stays out: it returned nothing, which counts as false",
        other => {
            return Ok(format!(
                "goes: it returned a {}, which counts as true",
                other.type_name()
            ));
        }
    };
    Ok(words.to_owned())
}
