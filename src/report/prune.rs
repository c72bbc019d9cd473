//! Old runs make way, as `report.keep` says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::abandoned::RUNNING;
use super::held::is_held;
use super::{Archive, JobDirectory, PastRun};
use crate::object::Timestamp;

/// What stands before the id of a run that is being removed: it is none any more.
const REMOVED: &str = ".removed-";

/// What became of the old runs of a job.
#[derive(Debug, Default)]
pub struct Pruned {
    /// How many were removed.
    pub removed: usize,
    /// What could not be removed, and why.
    pub problems: Vec<String>,
}

/// Removes the runs of a job that began longer ago than `keep`: their reports, evidence and logs.
/// The latest run stays however old it is, and so does one that is at work; their lines stay in
/// the history.
pub fn prune(job: &JobDirectory, keep: Duration, now: Timestamp) -> Pruned {
    let mut pruned = Pruned::default();
    let problem = |path: &Path, error: &io::Error| {
        format!("cannot remove the old run `{}`: {error}", path.display())
    };
    for path in half_removed(job) {
        if let Err(error) = fs::remove_dir_all(&path) {
            pruned.problems.push(problem(&path, &error));
        }
    }
    let runs = match Archive::at(job.path()).runs() {
        Ok(runs) => runs,
        Err(error) => {
            pruned.problems.push(error.to_string());
            return pruned;
        }
    };
    let latest = fs::read_link(job.latest()).ok();
    for run in runs {
        let is_latest = latest.as_deref() == Some(Path::new(&run.id));
        if is_latest || !is_older(&run, keep, now) || is_at_work(&run) {
            continue;
        }
        match remove(job, &run) {
            Ok(()) => pruned.removed += 1,
            Err(error) => pruned.problems.push(problem(&run.directory, &error)),
        }
    }
    pruned
}

/// A run's id has the time of its beginning.
fn is_older(run: &PastRun, keep: Duration, now: Timestamp) -> bool {
    let begun = Uuid::try_parse(&run.id)
        .ok()
        .and_then(|id| id.get_timestamp());
    let begun = begun.and_then(|begun| i64::try_from(begun.to_unix().0).ok());
    let kept = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
    begun.is_some_and(|begun| begun < now.seconds().saturating_sub(kept))
}

/// In doubt it is: whoever is killed is marked first.
fn is_at_work(run: &PastRun) -> bool {
    match is_held(&run.directory.join(RUNNING)) {
        Ok(is_held) => is_held,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// In two steps, so that nobody finds a run of which half is gone.
fn remove(job: &JobDirectory, run: &PastRun) -> io::Result<()> {
    let aside = job.path().join(format!("{REMOVED}{}", run.id));
    fs::rename(&run.directory, &aside)?;
    fs::remove_dir_all(&aside)
}

/// What a run that was killed has not removed to the end.
fn half_removed(job: &JobDirectory) -> Vec<PathBuf> {
    let entries = fs::read_dir(job.path()).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let begins = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(REMOVED)
    };
    paths.filter(begins).collect()
}

#[cfg(test)]
mod tests {
    use super::super::held::HeldFile;
    use super::*;

    /// Begun 100, 50 and 1 days ago.
    fn job() -> (tempfile::TempDir, JobDirectory, Vec<String>, Timestamp) {
        let dir = tempfile::tempdir().expect("tempdir");
        let job = JobDirectory::of(dir.path(), "nightly");
        let now = Timestamp::parse("2026-06-01T00:00:00Z").expect("a time");
        let ids = [100_u64, 50, 1].map(|days| {
            let begun = now.seconds() as u64 - days * 86_400;
            let stamp = uuid::Timestamp::from_unix(uuid::NoContext, begun, 0);
            let id = Uuid::new_v7(stamp).to_string();
            fs::create_dir_all(job.run(&id).join("pairs")).expect("a run");
            fs::write(job.run(&id).join("report.json"), "{}").expect("a report");
            id
        });
        (dir, job, ids.to_vec(), now)
    }

    fn left(job: &JobDirectory, ids: &[String]) -> Vec<bool> {
        ids.iter().map(|id| job.run(id).exists()).collect()
    }

    #[test]
    fn what_is_older_goes_and_the_latest_and_what_is_at_work_stay() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        for (keep, latest, at_work, expected) in [
            (days(200), 2, None, [true, true, true]),
            (days(90), 2, None, [false, true, true]),
            (days(10), 2, None, [false, false, true]),
            (days(0), 2, None, [false, false, true]),
            (days(10), 0, None, [true, false, true]),
            (days(10), 2, Some(1), [false, true, true]),
        ] {
            let (_dir, job, ids, now) = job();
            std::os::unix::fs::symlink(&ids[latest], job.latest()).expect("a link");
            let held: Option<HeldFile> = at_work.map(|at: usize| {
                HeldFile::waiting(&job.run(&ids[at]).join(RUNNING)).expect("held")
            });
            fs::create_dir(job.path().join(".removed-half")).expect("a directory");
            fs::write(job.history(), "line\n").expect("a history");
            let pruned = prune(&job, keep, now);
            assert_eq!(left(&job, &ids), expected, "{keep:?} {latest} {at_work:?}");
            let gone = expected.iter().filter(|left| !**left).count();
            assert_eq!((pruned.removed, pruned.problems), (gone, Vec::new()));
            assert!(job.history().exists());
            assert!(!job.path().join(".removed-half").exists());
            drop(held);
        }
    }

    #[test]
    fn what_cannot_be_removed_is_told() {
        let (_dir, job, ids, now) = job();
        // a file is in the way
        let aside = job.path().join(format!("{REMOVED}{}", ids[0]));
        fs::write(&aside, "").expect("a file");
        let pruned = prune(&job, Duration::from_hours(60 * 24), now);
        assert_eq!(pruned.removed, 0);
        assert!(
            pruned
                .problems
                .iter()
                .any(|problem| problem.contains(&ids[0])),
            "{:?}",
            pruned.problems
        );
        assert!(job.run(&ids[0]).exists());
    }
}
