//! The scripts of a pair, from what counts in the end.

use std::path::PathBuf;
use std::time::Duration;

use super::filters::{Said, said};
use super::merged::Merged;

/// The scripts of a pair, and what they may do.
#[derive(Debug, Clone, Default)]
pub struct LuaSettings {
    /// Decides which objects go.
    pub filter: Option<Said<PathBuf>>,
    /// Changes what an object carries.
    pub preprocess: Option<Said<PathBuf>>,
    /// Hears what happens.
    pub event: Option<Said<PathBuf>>,
    /// What they may reach.
    pub libraries: Libraries,
    /// Interpreters for each kind of script.
    pub vms: u16,
    /// What a failing filter or preprocess script fails.
    pub on_error: OnScriptError,
    /// Memory of an interpreter in bytes; 0 is as much as it likes.
    pub memory_limit: u64,
    /// How long a call may take.
    pub timeout: Option<Duration>,
}

/// What scripts may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Libraries {
    /// What computes: nothing outside of the interpreter.
    #[default]
    Safe,
    /// Also `os` and `io`.
    System,
    /// Everything, C modules and `debug` too.
    Everything,
}

/// What a failing filter or preprocess script fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnScriptError {
    /// The pair: what goes and what does not cannot be told any more.
    #[default]
    FailPair,
    /// The object it was asked about.
    FailObject,
}

/// The scripts of a pair.
pub(super) fn lua(merged: &Merged) -> LuaSettings {
    let script = |path| said(merged, path, merged.path(path));
    LuaSettings {
        filter: script("lua.filter_script"),
        preprocess: script("lua.preprocess_script"),
        event: script("lua.event_script"),
        libraries: if merged.value("lua.allow_unsafe_vm") {
            Libraries::Everything
        } else if merged.value("lua.allow_os_library") {
            Libraries::System
        } else {
            Libraries::Safe
        },
        vms: merged.value("lua.vms"),
        on_error: match merged.value::<String>("lua.on_error").as_str() {
            "fail_object" => OnScriptError::FailObject,
            _ => OnScriptError::FailPair,
        },
        memory_limit: merged.value("lua.vm_memory_limit"),
        timeout: (merged.optional("lua.callback_timeout"))
            .filter(|limit: &Duration| !limit.is_zero()),
    }
}
