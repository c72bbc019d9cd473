//! What a run comes to: the worst pair decides.

use crate::report::{ExitCode, RunEnd, RunReport};

/// The worst pair decides; `reason` is of the run itself.
pub(super) fn end_of(
    report: &RunReport,
    received: Option<ExitCode>,
    reason: Option<String>,
) -> RunEnd {
    let interrupted = received.unwrap_or(ExitCode::Interrupted);
    let mut end = RunEnd {
        exit: ExitCode::Success,
        reason: None,
        interrupted_by: received.and_then(ExitCode::signal),
    };
    for part in report.pairs() {
        let exit = report.exit_of(part.status(), interrupted);
        let worst = end.exit.worse(exit);
        if worst != end.exit {
            end.exit = worst;
            end.reason = part.reason().map(|why| format!("{}: {why}", part.name()));
        }
    }
    end.reason = reason.or(end.reason);
    end
}

/// It was no signal that stopped the run.
pub(super) fn cancelled(end: RunEnd) -> RunEnd {
    let is_all = end.exit == ExitCode::Interrupted && end.reason.is_none();
    RunEnd {
        reason: end
            .reason
            .or_else(|| is_all.then(|| "cancelled by the program".to_owned())),
        interrupted_by: None,
        ..end
    }
}
