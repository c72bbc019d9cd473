//! A program that was run before or after, as the report has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;
use crate::config::{HookScope, HookTime};

/// A program of `[[hooks]]` that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hook {
    /// When.
    pub at: HookTime,
    /// Around what.
    pub scope: HookScope,
    /// The pair, where it ran for one.
    pub pair: Option<String>,
    /// The program and its arguments, without what sounds secret.
    pub run: Vec<String>,
    /// When it was started.
    #[schemars(with = "Time")]
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// What it ended with; `null` where it did not end by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Whether its time was up.
    pub timed_out: bool,
    /// What is wrong, in words; `null` if it did what it was to.
    pub error: Option<String>,
}
