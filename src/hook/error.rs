//! What goes wrong in the code of users.

use std::fmt;

use crate::event::FailReason;
use crate::store::{ErrorKind, StoreError};

/// A hook that could not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookError {
    /// What went wrong and where: `skip.lua:12: attempt to index a nil value`.
    pub message: String,
    /// What that fails.
    pub fails: Fails,
    /// Whether a script said so, and not code of the program that embeds this library.
    #[doc(hidden)]
    pub is_of_script: bool,
}

/// What a hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fails {
    /// The object it was asked about.
    #[default]
    Object,
    /// The whole pair: nothing it says can be trusted any more.
    Pair,
}

impl HookError {
    /// One that fails the object it was asked about.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fails: Fails::Object,
            is_of_script: false,
        }
    }

    /// The same, of a script.
    #[doc(hidden)]
    #[must_use]
    pub fn of_script(self) -> Self {
        Self {
            is_of_script: true,
            ..self
        }
    }

    /// Why an object failed by it.
    #[doc(hidden)]
    pub fn reason(&self) -> FailReason {
        if self.is_of_script {
            FailReason::LuaError
        } else {
            FailReason::HookError
        }
    }

    /// The same, and it fails the whole pair.
    #[must_use]
    pub fn for_the_pair(self) -> Self {
        Self {
            fails: Fails::Pair,
            ..self
        }
    }

    /// The same, of one line: what a message repeats of an object must not look like another
    /// record.
    pub(crate) fn in_one_line(self) -> Self {
        let plain = |it: char| if it.is_control() { ' ' } else { it };
        Self {
            message: self.message.chars().map(plain).collect(),
            ..self
        }
    }

    /// As the error of what was being done (`filter`, `preprocess`) with a key.
    #[doc(hidden)]
    pub fn in_the(&self, operation: &'static str, key: &str) -> StoreError {
        let kind = match self.fails {
            Fails::Object => ErrorKind::Other,
            Fails::Pair => ErrorKind::Fatal,
        };
        StoreError::new(operation, key, kind, self.clone().in_one_line().message)
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HookError {}
