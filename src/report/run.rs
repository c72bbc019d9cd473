//! The report of a run, from its first second to its last.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::schema::{self, Report, Run, SCHEMA_VERSION, Trigger};
use super::{
    ExitCode, HeldFile, PairReport, ReportError, RunDirectory, Status, abandoned, facts, figures,
    history, locked,
};
use crate::config::{Job, OnConflict, Origin};
use crate::event::Tally;
use crate::object::Timestamp;
use crate::plan::Aim;

/// How often a running report is rewritten.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Keeps `report.json` up to date while a run goes on.
#[derive(Debug)]
pub struct RunReport {
    /// Nothing is written without one.
    directory: Option<RunDirectory>,
    pairs: Vec<Arc<PairReport>>,
    facts: RunFacts,
    config: schema::Config,
    tool: schema::Tool,
    host: schema::Host,
    started: Instant,
    started_at: Timestamp,
    /// The run whose failed objects this one attempts.
    retries_of: OnceLock<String>,
    hooks: Mutex<Vec<schema::Hook>>,
    /// Those that are of no pair.
    warnings: AtomicU64,
    end: OnceLock<Ending>,
    /// Says to others that the run is at work, until it has ended or its process has.
    at_work: Mutex<Option<HeldFile>>,
    /// What a pair comes to whose lock another run holds.
    of_locked: ExitCode,
    /// Another run of the job may be at work: `latest` is not for this one to move.
    stands_back: AtomicBool,
    /// Held from reading the counters to the rename: the heartbeat's last report, begun before the
    /// end, must not replace the final one.
    writing: Mutex<()>,
}

/// What is known of a run before it begins.
#[derive(Debug)]
struct RunFacts {
    id: String,
    job: String,
    command: String,
    trigger: Trigger,
    dry_run: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// What the process ends with.
    pub exit: ExitCode,
    /// Why, where the status alone does not say it.
    pub reason: Option<String>,
    /// The signal that was received, also where something worse decides the exit code.
    pub interrupted_by: Option<&'static str>,
}

#[derive(Debug)]
struct Ending {
    end: RunEnd,
    finished_at: Timestamp,
    duration: Duration,
}

impl RunReport {
    /// Makes the run's directory and writes the first report. A run that cannot report does not
    /// start. The pairs are the job's, in the order it has them.
    pub fn open(job: &Job, command: &str, aim: Aim) -> Result<Arc<Self>, ReportError> {
        let facts = RunFacts::new(job, command);
        let directory = RunDirectory::create(&job.report.dir, &job.name, &facts.id)?;
        // before the report says that it is running
        let at_work = abandoned::hold(&directory);
        directory.write("resolved.json", &json(&job.resolved.to_json()))?;
        let report = Self::new(job, facts, Some(directory), aim);
        *locked(&report.at_work) = at_work;
        report.write()?;
        Ok(Arc::new(report))
    }

    /// A report that is kept in memory only: what is no run leaves nothing behind, and replaces
    /// nothing that a run has left.
    pub fn unwritten(job: &Job, command: &str) -> Arc<Self> {
        Arc::new(Self::new(job, RunFacts::new(job, command), None, Aim::Sync))
    }

    fn new(job: &Job, facts: RunFacts, directory: Option<RunDirectory>, aim: Aim) -> Self {
        Self {
            directory,
            pairs: job
                .pairs
                .iter()
                .map(|pair| Arc::new(PairReport::new(pair, job.report.level, aim)))
                .collect(),
            facts,
            config: config_of(job),
            tool: facts::tool(),
            host: facts::host(),
            started: Instant::now(),
            started_at: Timestamp::now(),
            retries_of: OnceLock::new(),
            hooks: Mutex::default(),
            warnings: AtomicU64::new(0),
            end: OnceLock::new(),
            at_work: Mutex::default(),
            of_locked: match job.lock {
                OnConflict::Skip => ExitCode::Skipped,
                OnConflict::Fail | OnConflict::Wait(_) => ExitCode::Locked,
            },
            stands_back: AtomicBool::new(false),
            writing: Mutex::default(),
        }
    }

    /// Has the report say whose failed objects the run attempts.
    pub fn retries(&self, run: &str) -> Result<(), ReportError> {
        let _ = self.retries_of.set(run.to_owned());
        self.write()
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.facts.id
    }

    /// The machine it runs on.
    pub fn host(&self) -> &schema::Host {
        &self.host
    }

    /// Where it is kept, if it is.
    pub fn directory(&self) -> Option<&RunDirectory> {
        self.directory.as_ref()
    }

    /// The pairs, in the order of the job.
    pub fn pairs(&self) -> &[Arc<PairReport>] {
        &self.pairs
    }

    /// Rewrites `report.json` every ten seconds until the task is aborted. What goes wrong is a
    /// warning, once until it works again.
    pub fn heartbeat(self: &Arc<Self>) -> JoinHandle<()> {
        self.beat(HEARTBEAT)
    }

    fn beat(self: &Arc<Self>, every: Duration) -> JoinHandle<()> {
        let report = Arc::clone(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            let mut works = true;
            loop {
                ticks.tick().await;
                let writer = Arc::clone(&report);
                match tokio::task::spawn_blocking(move || writer.write()).await {
                    Ok(Ok(())) => works = true,
                    Ok(Err(error)) if works => {
                        tracing::warn!("{error}");
                        works = false;
                    }
                    Ok(Err(_)) | Err(_) => {}
                }
            }
        })
    }

    /// Writes the report as it stands, and the evidence so far.
    pub fn write(&self) -> Result<(), ReportError> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        for pair in &self.pairs {
            pair.flush();
        }
        let _writing = locked(&self.writing);
        directory.write("report.json", &json(&self.record()))
    }

    /// Whether another run of the job may be at work: then `latest` stays with the others, however
    /// this one ends.
    pub fn stand_back(&self, stands_back: bool) {
        self.stands_back.store(stands_back, Ordering::Relaxed);
    }

    /// What a pair of this status is to the exit code of the run.
    pub fn exit_of(&self, status: Status, interrupted_by: ExitCode) -> ExitCode {
        match status {
            Status::Locked => self.of_locked,
            status => status.exit(interrupted_by),
        }
    }

    /// Where the report can be found after the run.
    pub fn shown_path(&self) -> Option<PathBuf> {
        let directory = self.directory.as_ref()?;
        Some(if self.stands_back.load(Ordering::Relaxed) {
            directory.path().join("report.json")
        } else {
            directory.latest_report()
        })
    }

    /// Ends the run: the last report, a line in the history, and the link to the latest run.
    /// Gives the report as written. What could not be written is a warning, because the work is
    /// done, and so is a run without its last report. Where another machine has called it crashed
    /// meanwhile, the history keeps the line of that: each run has one.
    pub fn finish(&self, end: RunEnd) -> Report {
        let _ = self.end.set(Ending {
            end,
            finished_at: Timestamp::now(),
            duration: self.started.elapsed(),
        });
        let _writing = locked(&self.writing);
        let mut record = self.record();
        let Some(directory) = &self.directory else {
            return record;
        };
        let is_in_history = abandoned::is_in_history(directory.path());
        match directory.write("report.json", &json(&record)) {
            Ok(()) => {
                // who is asked now is told by the report
                if let Some(held) = locked(&self.at_work).take() {
                    let _ = held.remove();
                }
            }
            Err(error) => {
                tracing::warn!("{error}");
                unwritten(&mut record.run, &error);
            }
        }
        let noted = if is_in_history {
            Ok(())
        } else {
            directory.append_history(&history::line(&record))
        };
        let noted = noted.and_then(|()| {
            if self.stands_back.load(Ordering::Relaxed) {
                return Ok(());
            }
            directory.point_latest()
        });
        if let Err(error) = noted {
            tracing::warn!("{error}");
        }
        record
    }

    /// The report as it stands.
    pub fn record(&self) -> Report {
        // one reading of every counter, so that the totals are those of the pairs
        let tallies: Vec<Tally> = self.pairs.iter().map(|pair| pair.tally()).collect();
        let mut totals = figures::totals(&tallies);
        totals.counts.warnings += self.warnings.load(Ordering::Relaxed);
        let each = self.pairs.iter().zip(&tallies);
        Report {
            schema_version: SCHEMA_VERSION,
            tool: self.tool.clone(),
            host: self.host.clone(),
            process: facts::process(),
            run: self.run(),
            config: self.config.clone(),
            totals,
            hooks: locked(&self.hooks).clone(),
            pairs: each.map(|(pair, tally)| pair.record(tally)).collect(),
        }
    }

    /// The report as it would be if the run ended now, and so.
    pub fn record_ending(&self, end: &RunEnd) -> Report {
        let mut report = self.record();
        report.run = Run {
            status: end.exit.status(),
            status_reason: end.reason.clone(),
            exit_code: Some(end.exit.code()),
            interrupted_by: end.interrupted_by.map(str::to_owned),
            ..report.run
        };
        report
    }

    /// Logs and counts a warning that is of no pair.
    pub fn warn(&self, message: &str) {
        tracing::warn!("{message}");
        self.warnings.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes that a program was run before or after.
    pub fn add_hook(&self, hook: schema::Hook) {
        locked(&self.hooks).push(hook);
    }

    fn run(&self) -> Run {
        let facts = &self.facts;
        let ending = self.end.get();
        let end = ending.map(|ending| &ending.end);
        let duration = ending.map_or_else(|| self.started.elapsed(), |ending| ending.duration);
        Run {
            id: facts.id.clone(),
            job: facts.job.clone(),
            command: facts.command.clone(),
            trigger: facts.trigger,
            dry_run: facts.dry_run,
            retries_of: self.retries_of.get().cloned(),
            started_at: self.started_at.rfc3339_millis(),
            finished_at: ending.map(|ending| ending.finished_at.rfc3339_millis()),
            heartbeat_at: Timestamp::now().rfc3339_millis(),
            duration_ms: figures::millis(duration),
            status: end.map_or(Status::Running, |end| end.exit.status()),
            status_reason: end.and_then(|end| end.reason.clone()),
            exit_code: end.map(|end| end.exit.code()),
            interrupted_by: end.and_then(|end| end.interrupted_by).map(str::to_owned),
        }
    }
}

impl RunFacts {
    fn new(job: &Job, command: &str) -> Self {
        use std::io::IsTerminal as _;
        Self {
            id: Uuid::now_v7().to_string(),
            job: job.name.clone(),
            command: command.to_owned(),
            trigger: if std::io::stdin().is_terminal() {
                Trigger::Terminal
            } else {
                Trigger::Unattended
            },
            dry_run: job.dry_run,
        }
    }
}

/// A run that has no last report is none that is well.
fn unwritten(run: &mut Run, error: &ReportError) {
    if matches!(run.status, Status::Success | Status::Locked) && run.exit_code == Some(0) {
        run.status = ExitCode::Warning.status();
        run.exit_code = Some(ExitCode::Warning.code());
    }
    run.status_reason.get_or_insert_with(|| error.to_string());
}

fn config_of(job: &Job) -> schema::Config {
    let secret = |(path, origin): &(String, String)| schema::SecretOrigin {
        path: path.clone(),
        origin: origin.clone(),
    };
    schema::Config {
        origin: match &job.origin {
            Origin::File(path) => Some(whole(path)),
            Origin::CommandLine | Origin::Program | Origin::Environment => None,
        },
        digest: job.digest.clone(),
        non_file_origins: job.non_file_origins.clone(),
        secrets: job.secrets.iter().map(secret).collect(),
    }
}

/// A job file's path from the root on, so that the file is found from anywhere; what is no path
/// stays what it is.
fn whole(path: &Path) -> String {
    match path.canonicalize() {
        Ok(whole) => whole.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("words and numbers are JSON");
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests;
