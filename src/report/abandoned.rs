//! Runs whose process is gone, or not heard of any more: they are called `crashed`, which they could
//! not write themselves.

use std::fs;
use std::io;
use std::path::Path;

use super::archive::PastRun;
use super::held::{HeldFile, is_held};
use super::schema::Report;
use super::{Archive, JobDirectory, ReportError, RunDirectory, Status, facts, history};
use crate::object::Timestamp;

/// So long has a run of another machine been silent that counts as gone. It writes its report
/// every ten seconds.
const SILENCE_SECONDS: i64 = 600;

/// The file in its directory that a run holds while it is at work.
pub(super) const RUNNING: &str = ".running";

/// What is in that file once the history has a line of the run; nothing before.
const IN_HISTORY: &[u8] = b"in the history\n";

/// A run that is still called running, and of which this process knows that nobody works on it
/// any more.
#[derive(Debug)]
pub struct Abandoned {
    report: Report,
    directory: RunDirectory,
    /// Nobody else marks it meanwhile.
    held: HeldFile,
}

impl Abandoned {
    /// Those of a job whose lock this process holds, oldest first. A run of another machine (each
    /// container is one) counts where nothing was heard of it for a while: that nobody is seen to
    /// hold its file does not say everything, as some file systems lock on each machine for itself.
    pub fn of(job: &JobDirectory) -> Vec<Self> {
        let mut runs = Archive::at(job.path()).runs().unwrap_or_default();
        runs.reverse();
        let abandoned = runs.into_iter().filter_map(|run| Self::find(job, run));
        abandoned.collect()
    }

    fn find(job: &JobDirectory, run: PastRun) -> Option<Self> {
        // the file is there while the run is at work, and after it was killed
        let held = HeldFile::attempt_existing(&run.directory.join(RUNNING)).ok()??;
        let report: Report = serde_json::from_slice(&fs::read(run.report()).ok()?).ok()?;
        let is_here = report.host.hostname == facts::hostname();
        if report.run.status != Status::Running {
            // who was called crashed from afar may be at work all the same
            if is_here || report.run.status != Status::Crashed {
                let _ = held.remove();
            }
            return None;
        }
        (is_here || is_silent(&report)).then(|| Self {
            directory: RunDirectory::existing(job, &run.id),
            report,
            held,
        })
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        self.directory.id()
    }

    /// Rewrites its report, adds its line to the history, and points `latest` to it where that is
    /// an older run. One of another machine may come back: the file that it holds there stays.
    pub fn mark(mut self) -> Result<(), ReportError> {
        let is_here = self.report.host.hostname == facts::hostname();
        let why = if is_here { reason } else { reason_from_afar };
        let report = crashed(self.report, self.directory.path(), why);
        self.directory
            .write("report.json", &super::run::json(&report))?;
        if !is_in_history(self.directory.path()) {
            self.directory.append_history(&history::line(&report))?;
        }
        let latest = fs::read_link(self.directory.job().latest());
        if latest.is_ok_and(|latest| latest.as_os_str() < self.directory.id()) {
            self.directory.point_latest()?;
        }
        let _ = if is_here {
            self.held.remove()
        } else {
            self.held.write(IN_HISTORY)
        };
        Ok(())
    }
}

/// Whether a run that may be at work has its line in the history: another called it crashed.
pub(super) fn is_in_history(directory: &Path) -> bool {
    fs::metadata(directory.join(RUNNING)).is_ok_and(|running| running.len() > 0)
}

/// Whether nothing was heard of a run for longer than its machine may be slow, or its clock wrong.
fn is_silent(report: &Report) -> bool {
    let heard = Timestamp::parse(&report.run.heartbeat_at);
    heard.is_ok_and(|heard| heard.seconds() < Timestamp::now().seconds() - SILENCE_SECONDS)
}

/// Whether a run that is called running has no process any more, as far as that can be told by one
/// that only reads: of runs of other machines nothing.
pub(super) fn is_abandoned(directory: &Path, hostname: &str) -> bool {
    hostname == facts::hostname() && matches!(is_held(&directory.join(RUNNING)), Ok(false))
}

/// The report of a run at work as it is to be read now: one whose process is gone has crashed.
pub fn as_known(report: Report, run: &PastRun) -> Report {
    let is_gone =
        report.run.status == Status::Running && is_abandoned(&run.directory, &report.host.hostname);
    if is_gone {
        crashed(report, &run.directory, reason)
    } else {
        report
    }
}

/// The report as its run would have left it. A pair has begun where it has evidence: it may have
/// done so after the report was last written.
fn crashed(mut report: Report, directory: &Path, why: fn(&str) -> String) -> Report {
    report.run.status = Status::Crashed;
    report.run.status_reason = Some(why(&report.run.heartbeat_at));
    for pair in &mut report.pairs {
        let evidence = directory.join(RunDirectory::evidence_name(&pair.name));
        match pair.status {
            Status::Running => pair.status = Status::Crashed,
            Status::Pending if evidence.exists() => pair.status = Status::Crashed,
            Status::Pending => {
                pair.status = Status::Interrupted;
                pair.status_reason = Some("not started".to_owned());
            }
            _ => {}
        }
    }
    report
}

/// Why a run that was last heard of at this time has crashed.
pub(super) fn reason(heartbeat_at: &str) -> String {
    format!("its process is gone; it was last heard of at {heartbeat_at}")
}

/// The same of a run of another machine.
fn reason_from_afar(heartbeat_at: &str) -> String {
    format!(
        "nothing was heard of it since {heartbeat_at}, and its process cannot be seen from this machine"
    )
}

/// Holds the directory of a run that begins; `None` where the file system cannot lock.
pub(super) fn hold(directory: &RunDirectory) -> Option<HeldFile> {
    let path = directory.path().join(RUNNING);
    let held: io::Result<HeldFile> = HeldFile::waiting(&path);
    if held.is_err() {
        let _ = fs::remove_file(&path);
    }
    held.ok()
}
