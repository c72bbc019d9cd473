//! A script that decides which objects go.

use std::sync::Arc;

use async_trait::async_trait;

use super::Script;
use super::vm::{Interpreter, Vm, told};
use crate::config::{LuaSettings, OnScriptError};
use crate::event::Rule;
use crate::hook::{Candidate, FilterHook, HookError};

/// The script's function.
const FUNCTION: &str = "filter";

/// Asks a script.
#[derive(Debug)]
pub(super) struct LuaFilter {
    vm: Vm,
    rule: Arc<Rule>,
    on_error: OnScriptError,
}

impl LuaFilter {
    pub(super) fn new(vm: Vm, script: &Script, settings: &LuaSettings) -> Self {
        Self {
            vm,
            rule: Arc::clone(&script.rule),
            on_error: settings.on_error,
        }
    }

    fn failed(&self, error: HookError) -> HookError {
        match self.on_error {
            OnScriptError::FailPair => error.for_the_pair(),
            OnScriptError::FailObject => error,
        }
    }
}

#[async_trait]
impl FilterHook for LuaFilter {
    fn rule(&self) -> Arc<Rule> {
        Arc::clone(&self.rule)
    }

    async fn filter(&self, candidate: &Candidate) -> Result<bool, HookError> {
        let mut answers = self.filter_all(vec![candidate.clone()]).await;
        answers.pop().expect("one answer for each")
    }

    async fn filter_all(&self, candidates: Vec<Candidate>) -> Vec<Result<bool, HookError>> {
        let answers = self.vm.run(move |interpreter| {
            (candidates.iter())
                .map(|candidate| ask(interpreter, candidate))
                .collect::<Vec<_>>()
        });
        match answers.await {
            Ok(answers) => (answers.into_iter())
                .map(|answer| answer.map_err(|error| self.failed(error)))
                .collect(),
            Err(error) => vec![Err(error)],
        }
    }
}

fn ask(interpreter: &Interpreter, candidate: &Candidate) -> Result<bool, HookError> {
    let function = interpreter.function(FUNCTION)?;
    let entry = &candidate.entry;
    let call = || {
        let object = interpreter.lua.create_table()?;
        object.set("key", entry.key.as_str())?;
        object.set("size", entry.size)?;
        object.set("last_modified", entry.modified.to_string())?;
        object.set("version_id", entry.version.as_deref())?;
        object.set("e_tag", entry.etag.as_ref().map(ToString::to_string))?;
        object.set("is_latest", candidate.is_latest)?;
        object.set("is_delete_marker", candidate.is_delete_marker)?;
        interpreter.begin();
        function.call::<bool>(object)
    };
    call().map_err(|error| told(&error))
}
