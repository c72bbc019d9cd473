//! Starting a run.

use std::io;
use std::path::PathBuf;

use super::running::{CancelHandle, Running};
use super::{Job, Summary};
use crate::hook::{HookError, Hooks};
use crate::job::{Opened, PairHooks, RunOptions, Signals};

/// Runs a job to its end, on the tokio runtime this is called on.
///
/// The error is of a run that did not start. What became of one that did, failures included, is in
/// the [`Summary`]. Dropping the future cancels the run, as [`CancelHandle::cancel`] does.
pub async fn run(job: Job) -> Result<Summary, StartError> {
    Ok(Run::new(job).start()?.finished().await)
}

/// A run that is about to start: a [`Job`] and what the program brings to it.
#[derive(Debug)]
#[must_use = "nothing happens before it is started"]
pub struct Run {
    job: Job,
    hooks: Hooks,
    leaves_report: bool,
}

/// Why a run does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Scripts that do not load: each says which script, which line, and what is wrong.
    #[error("{}", lines(.0))]
    Scripts(Vec<HookError>),
    /// The report cannot be written; a run that cannot report does not start.
    #[error("write the report `{}`; make the directory writable or set report.dir", path.display())]
    Report {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Run {
    /// Of this job, with no hooks but its scripts.
    pub fn new(job: Job) -> Self {
        Self {
            job,
            hooks: Hooks::new(),
            leaves_report: true,
        }
    }

    /// Has these hooks asked in every pair, before the scripts of the job.
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = self.hooks.followed_by(hooks);
        self
    }

    /// Leaves nothing behind below `report.dir`: no `report.json`, no evidence, no history.
    ///
    /// What arrives damaged and cannot be removed is not remembered for the next run either, which
    /// otherwise brings it again whatever a comparison says; what earlier runs remember still
    /// counts. It takes no locks: that no other run writes to the same target is then the program's
    /// own affair. Nor does it keep a journal: uploads and temporary files that it leaves when its
    /// process is killed are removed by no later run.
    pub fn without_report(mut self) -> Self {
        self.leaves_report = false;
        self
    }

    /// Loads the scripts, opens the report and starts, as a task of the tokio runtime this is
    /// called on, which has to have its time and I/O enabled.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Running, StartError> {
        let config = self.job.config;
        let hooks = PairHooks::prepare(&config, &self.hooks).map_err(StartError::Scripts)?;
        for note in config.resolved.notes() {
            tracing::warn!(job = config.name, "{note}");
        }
        let options = RunOptions {
            command: "library".to_owned(),
            silent: true,
            unreported: !self.leaves_report,
            ..RunOptions::default()
        };
        let opened = Opened::new(config, options).map_err(|error| StartError::Report {
            path: error.path,
            source: error.source,
        })?;
        let signals = Signals::unheard();
        let cancel = CancelHandle(signals.cancel());
        let report = opened.report().clone();
        let task = tokio::spawn(async move { opened.run(hooks, &signals).await });
        Ok(Running::new(task, cancel, report))
    }
}

fn lines(errors: &[HookError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
