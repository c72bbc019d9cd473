//! What a pair or a run is called while it runs and when it has ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ExitCode;
use crate::event::Counts;

/// The state of a pair or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// A pair whose turn has not come.
    Pending,
    /// At work.
    Running,
    /// Everything is as it should be.
    Success,
    /// Finished with warnings.
    Warning,
    /// An object or the pair failed.
    Failed,
    /// Deletions were withheld.
    Guard,
    /// Another run holds the lock.
    Locked,
    /// The job's time was up.
    Timeout,
    /// Ended by a signal.
    Interrupted,
    /// Ended by a panic, or killed.
    Crashed,
    /// Its turn never came: what it comes after did not succeed.
    NotAttempted,
}

impl Status {
    /// How a pair ended that came to its end.
    pub fn of_counts(counts: &Counts) -> Self {
        if counts.errors > 0 {
            Self::Failed
        } else if counts.warnings > 0 {
            Self::Warning
        } else {
            Self::Success
        }
    }

    /// The word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Guard => "guard",
            Self::Locked => "locked",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Crashed => "crashed",
            Self::NotAttempted => "not_attempted",
        }
    }

    /// Whether it came to its end and nothing failed or was withheld: what comes after it may
    /// rely on it.
    pub fn has_succeeded(self) -> bool {
        matches!(self, Self::Success | Self::Warning)
    }

    /// What the process ends with; an interruption is `interrupted_by` a signal.
    pub fn exit(self, interrupted_by: ExitCode) -> ExitCode {
        match self {
            Self::Pending | Self::Running | Self::Interrupted => interrupted_by,
            Self::Success => ExitCode::Success,
            Self::Warning => ExitCode::Warning,
            Self::Failed | Self::NotAttempted => ExitCode::Failed,
            Self::Guard => ExitCode::Guard,
            Self::Locked => ExitCode::Locked,
            Self::Timeout => ExitCode::Timeout,
            Self::Crashed => ExitCode::Crashed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_outweigh_warnings() {
        for (warnings, errors, status) in [
            (0, 0, Status::Success),
            (1, 0, Status::Warning),
            (0, 1, Status::Failed),
            (5, 1, Status::Failed),
        ] {
            let counts = Counts {
                warnings,
                errors,
                ..Counts::default()
            };
            assert_eq!(Status::of_counts(&counts), status, "{warnings} {errors}");
        }
    }

    #[test]
    fn the_word_is_the_serialized_form() {
        for status in [
            Status::Pending,
            Status::Running,
            Status::Success,
            Status::Warning,
            Status::Failed,
            Status::Guard,
            Status::Locked,
            Status::Timeout,
            Status::Interrupted,
            Status::Crashed,
            Status::NotAttempted,
        ] {
            let json = serde_json::to_value(status).expect("a word");
            assert_eq!(json, status.as_str());
        }
    }
}
