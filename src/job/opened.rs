//! A job whose report is open: its run has a name and a place, and nothing has been done yet.

use std::io;
use std::sync::Arc;

use super::run::run_opened;
use super::{Outcome, PairHooks, Purpose, RunOptions, Signals, engine, one_key};
use crate::config::{self, Extent, SourceSpec};
use crate::plan::Aim;
use crate::report::{ExitCode, ReportError, RunEnd, RunLog, RunReport, Status};

/// A job whose report is open, so that it can be looked at while the job runs.
#[derive(Debug)]
pub struct Opened {
    pub(super) job: config::Job,
    pub(super) options: RunOptions,
    pub(super) report: Arc<RunReport>,
    /// What is logged while it runs; the log of other programs is theirs.
    pub(super) log: Option<RunLog>,
}

impl Opened {
    /// Opens the report of a run; the error is of a directory that cannot be written.
    pub fn new(mut job: config::Job, options: RunOptions) -> Result<Self, ReportError> {
        match &options.purpose {
            Purpose::Run => {}
            Purpose::Plan(settings) => {
                job.dry_run = true;
                if let Some(key) = &settings.key {
                    (job.pairs.iter_mut()).for_each(|pair| one_key::narrow(pair, key));
                }
            }
            // it decides nothing that could be carried out
            Purpose::Check(_) => job.dry_run = false,
        }
        let report = open(&job, &options)?;
        let log = begin(&report, &options).inspect_err(|error| never_began(&report, error))?;
        Ok(Self {
            job,
            options,
            report,
            log,
        })
    }

    /// The report as it grows.
    pub fn report(&self) -> &Arc<RunReport> {
        &self.report
    }

    /// Runs it to its end.
    pub async fn run(self, hooks: PairHooks, signals: &Signals) -> Outcome {
        let engine = engine(&self.options.purpose);
        run_opened(self, hooks, signals, engine).await
    }
}

/// What is written before anything runs.
fn begin(report: &RunReport, options: &RunOptions) -> Result<Option<RunLog>, ReportError> {
    if let Some(run) = &options.retries_of {
        report.retries(&run.id)?;
    }
    let directory = report.directory().filter(|_| !options.silent);
    directory.map(RunLog::begin).transpose()
}

/// Ends the report of a run that cannot begin: it has not crashed, and is not at work.
fn never_began(report: &RunReport, error: &ReportError) {
    let reason = format!("not started: {error}");
    for part in report.pairs() {
        part.finish(Status::Failed, Some(reason.clone()));
    }
    report.finish(RunEnd {
        exit: ExitCode::Failed,
        reason: Some(reason),
        interrupted_by: None,
    });
}

fn open(job: &config::Job, options: &RunOptions) -> Result<Arc<RunReport>, ReportError> {
    let is_written = match options.purpose {
        Purpose::Run => !options.unreported,
        Purpose::Check(_) => true,
        Purpose::Plan(_) => false,
    };
    if is_written {
        makes_no_source(job)?;
    }
    match options.purpose {
        Purpose::Run if options.unreported => Ok(RunReport::unwritten(job, &options.command)),
        Purpose::Run => RunReport::open(job, &options.command, Aim::Sync),
        Purpose::Check(_) => RunReport::open(job, &options.command, Aim::Compare),
        Purpose::Plan(_) => Ok(RunReport::unwritten(job, &options.command)),
    }
}

/// A report that lies in a source that is missing would make that source, and all that was in it
/// would seem to be gone.
fn makes_no_source(job: &config::Job) -> Result<(), ReportError> {
    let dir = Extent::local(&job.report.dir);
    for pair in &job.pairs {
        let SourceSpec::Local(local) = &pair.source else {
            continue;
        };
        let root = &local.root;
        if matches!(root.try_exists(), Ok(false)) && Extent::local(root).contains(&dir) {
            let missing = format!(
                "the source `{}` of the pair `{}`, in which it lies, is not there",
                root.display(),
                pair.name
            );
            return Err(ReportError {
                path: job.report.dir.clone(),
                source: io::Error::new(io::ErrorKind::NotFound, missing),
            });
        }
    }
    Ok(())
}
