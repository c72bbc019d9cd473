//! What a run came to.

use std::path::PathBuf;
use std::time::Duration;

use super::PairState;
use crate::report::{ExitCode, RunReport, Status, schema};

/// What a run came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Summary {
    /// The id of the run: a UUID of version 7.
    pub run_id: String,
    /// How it ended: as the worst of its pairs.
    pub status: Status,
    /// Why, where the status does not say it.
    pub reason: Option<String>,
    /// What the command would have ended with: 0 success, 1 something failed, 3 warnings, 4
    /// deletions withheld by a guard, 5 another run has a lock, 6 the job's time was up, 101 a
    /// panic, 130 cancelled.
    pub exit_code: u8,
    /// How long it took.
    pub duration: Duration,
    /// Its pairs, in the order they ran.
    pub pairs: Vec<PairState>,
    /// Its `report.json`, if it left one. Beside it are `resolved.json`, every setting and who said
    /// it, and the evidence, one line for each object.
    pub report: Option<PathBuf>,
    record: Box<schema::Report>,
}

impl Summary {
    pub(super) fn of(report: &RunReport, exit: ExitCode) -> Self {
        let record = report.record();
        Self {
            run_id: record.run.id.clone(),
            status: record.run.status,
            reason: record.run.status_reason.clone(),
            exit_code: exit.code(),
            duration: Duration::from_millis(record.run.duration_ms),
            pairs: report
                .pairs()
                .iter()
                .map(|pair| PairState::of(pair))
                .collect(),
            report: report
                .directory()
                .map(|directory| directory.path().join("report.json")),
            record: Box::new(record),
        }
    }

    /// Whether all is as it should be, without a warning; also when there was nothing to do.
    pub fn is_success(&self) -> bool {
        self.status == Status::Success
    }

    /// Everything: what `report.json` says, also of a run that left none. `s3sync schema report`
    /// prints the schema.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&*self.record).expect("words and numbers are JSON")
    }
}
