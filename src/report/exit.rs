//! How the process ends: one number, and which of several wins.

use super::Status;

/// The exit code of a run. The numbers are a promise to schedulers and scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// Everything is as it should be, also when there was nothing to do.
    Success,
    /// An object or a pair failed.
    Failed,
    /// The command line or the job file is wrong; nothing started.
    Usage,
    /// Finished with warnings; for `check`: there are differences.
    Warning,
    /// Deletions were withheld.
    Guard,
    /// Another run holds the lock.
    Locked,
    /// Another run holds the lock, and the job says to let it.
    Skipped,
    /// The job's time was up.
    Timeout,
    /// A panic.
    Crashed,
    /// SIGHUP.
    HungUp,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl ExitCode {
    /// All of them, worst first; those of signals never meet in one run.
    pub const WORST_FIRST: [Self; 12] = [
        Self::Crashed,
        Self::Usage,
        Self::Failed,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
        Self::Timeout,
        Self::Guard,
        Self::Locked,
        Self::Warning,
        Self::Skipped,
        Self::Success,
    ];

    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Success | Self::Skipped => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Warning => 3,
            Self::Guard => 4,
            Self::Locked => 5,
            Self::Timeout => 6,
            Self::Crashed => 101,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The worse of two.
    pub fn worse(self, other: Self) -> Self {
        Self::WORST_FIRST
            .into_iter()
            .find(|code| *code == self || *code == other)
            .unwrap_or(self)
    }

    /// The signal it stands for, if it stands for one.
    pub fn signal(self) -> Option<&'static str> {
        match self {
            Self::HungUp => Some("SIGHUP"),
            Self::Interrupted => Some("SIGINT"),
            Self::Terminated => Some("SIGTERM"),
            Self::Success
            | Self::Failed
            | Self::Usage
            | Self::Warning
            | Self::Guard
            | Self::Locked
            | Self::Skipped
            | Self::Timeout
            | Self::Crashed => None,
        }
    }

    /// What a run that ended like this is called; a usage error has no run.
    pub fn status(self) -> Status {
        match self {
            Self::Success => Status::Success,
            Self::Failed | Self::Usage => Status::Failed,
            Self::Warning => Status::Warning,
            Self::Guard => Status::Guard,
            Self::Locked | Self::Skipped => Status::Locked,
            Self::Timeout => Status::Timeout,
            Self::Crashed => Status::Crashed,
            Self::HungUp | Self::Interrupted | Self::Terminated => Status::Interrupted,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones_and_the_worst_wins() {
        let table = [
            (ExitCode::Crashed, 101, "crashed"),
            (ExitCode::Usage, 2, "failed"),
            (ExitCode::Failed, 1, "failed"),
            (ExitCode::HungUp, 129, "interrupted"),
            (ExitCode::Interrupted, 130, "interrupted"),
            (ExitCode::Terminated, 143, "interrupted"),
            (ExitCode::Timeout, 6, "timeout"),
            (ExitCode::Guard, 4, "guard"),
            (ExitCode::Locked, 5, "locked"),
            (ExitCode::Warning, 3, "warning"),
            (ExitCode::Skipped, 0, "locked"),
            (ExitCode::Success, 0, "success"),
        ];
        for (rank, (code, number, status)) in table.into_iter().enumerate() {
            assert_eq!(code.code(), number, "{code:?}");
            assert_eq!(code.status().as_str(), status, "{code:?}");
            for (better, ..) in &table[rank..] {
                assert_eq!(code.worse(*better), code, "{code:?} {better:?}");
                assert_eq!(better.worse(code), code, "{better:?} {code:?}");
            }
        }
    }
}
