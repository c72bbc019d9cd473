/*! What a check shows beside its report: a list of all keys, or the predecessor's records.
*/

mod beside_records;
mod combined;
mod records;
mod table;

pub use combined::Combined;
pub use table::table as check_table;

use std::sync::Arc;

use super::PairReport;
use super::schema::Report;
use crate::config::{Job, Origin, Pair};
use crate::event::Sink;
use records::Records;

/// How a check is shown.
#[derive(Debug, Clone, Default)]
pub struct CheckSettings {
    /// In which form.
    pub form: CheckForm,
    /// A line for each key goes here.
    pub combined: Option<Arc<Combined>>,
}

/// In which form a check tells what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckForm {
    /// A table for people.
    #[default]
    Table,
    /// The records of the predecessor's `--report-sync-status`, in the log.
    Records,
}

/// Shows the check of one job.
#[derive(Debug)]
pub struct CheckOutput {
    settings: CheckSettings,
    /// Whether the only pair has a name that nobody gave it.
    is_ad_hoc: bool,
    records: Arc<Records>,
}

impl CheckOutput {
    /// For a job.
    pub fn new(job: &Job, settings: CheckSettings) -> Self {
        Self {
            settings,
            is_ad_hoc: job.origin == Origin::CommandLine && job.pairs.len() == 1,
            records: Arc::default(),
        }
    }

    /// What listens to a pair beside its report.
    pub fn sinks(&self, pair: &Pair, part: &PairReport) -> Vec<Arc<dyn Sink>> {
        let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
        if let Some(combined) = &self.settings.combined {
            let name = (!self.is_ad_hoc).then(|| part.name());
            sinks.push(Combined::of_pair(combined, name));
        }
        if self.settings.form == CheckForm::Records {
            sinks.push(Arc::clone(&self.records).of_pair(pair));
        }
        sinks
    }

    /// Tells the sum, and waits until everything is written. What could not be written comes back.
    pub fn finish(&self, report: &Report) -> Option<String> {
        match self.settings.form {
            CheckForm::Table => super::log_check_summary(report),
            CheckForm::Records => self.records.summary(),
        }
        self.settings.combined.as_ref()?.flush()
    }

    /// Whether standard output is taken by something else than the table.
    pub fn has_taken_stdout(&self) -> bool {
        self.settings
            .combined
            .as_ref()
            .is_some_and(|combined| combined.is_stdout())
    }
}
