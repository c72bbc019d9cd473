//! The directory of one run, and how files get into it: whole, or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::JobDirectory;

/// `<report.dir>/<job>/<run id>`.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    job: JobDirectory,
    run: PathBuf,
    id: String,
}

/// A part of the report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write the report `{}`: {source}; {} or set report.dir", path.display(), remedy(source))]
pub struct ReportError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl RunDirectory {
    /// Makes the directory of a run that begins. `job` is one path segment that begins with no dot:
    /// those are ours.
    pub fn create(dir: &Path, job: &str, id: &str) -> Result<Self, ReportError> {
        let of_job = JobDirectory::of(dir, job);
        let directory = Self {
            run: of_job.run(id),
            job: of_job,
            id: id.to_owned(),
        };
        if job.is_empty() || job.starts_with('.') || job.contains('/') {
            let error = io::Error::other(format!("the job's name `{job}` cannot name a directory"));
            return Err(failed(directory.job.path(), error));
        }
        let pairs = directory.run.join("pairs");
        fs::create_dir_all(&pairs).map_err(|error| failed(&pairs, error))?;
        Ok(directory)
    }

    /// The directory of a run that was there before.
    pub(super) fn existing(job: &JobDirectory, id: &str) -> Self {
        Self {
            run: job.run(id),
            job: job.clone(),
            id: id.to_owned(),
        }
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run's own directory.
    pub fn path(&self) -> &Path {
        &self.run
    }

    /// The directory of its job.
    pub fn job(&self) -> &JobDirectory {
        &self.job
    }

    /// Where the report can be found after the run: below the link to the latest run.
    pub fn latest_report(&self) -> PathBuf {
        self.job.latest().join("report.json")
    }

    /// The evidence of a pair, relative to the run's directory.
    pub fn evidence_name(pair: &str) -> String {
        format!("pairs/{pair}.objects.ndjson")
    }

    /// The delete plan of a pair, relative to the run's directory.
    pub fn deletions_name(pair: &str) -> String {
        format!("pairs/{pair}.deletions.ndjson")
    }

    /// Replaces a file as a whole: written beside it, synced, renamed. A reader sees the old or
    /// the new content, never a part.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ReportError> {
        let path = self.run.join(name);
        let replace = || -> io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".report-")
                // as far as the user's umask lets others read
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(&self.run)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&self.run)?.sync_all()
        };
        replace().map_err(|error| failed(&path, error))
    }

    /// Appends one line to the job's history.
    pub fn append_history(&self, line: &str) -> Result<(), ReportError> {
        let path = self.job.history();
        let append = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            // one write: lines of runs that end together do not mix
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()
        };
        append().map_err(|error| failed(&path, error))
    }

    /// Points `latest` to this run, in one step.
    pub fn point_latest(&self) -> Result<(), ReportError> {
        let latest = self.job.latest();
        let beside = self.job.path().join(format!(".latest-{}", self.id));
        let replace = || -> io::Result<()> {
            symlink(&self.id, &beside)?;
            fs::rename(&beside, &latest).inspect_err(|_| {
                let _ = fs::remove_file(&beside);
            })
        };
        replace().map_err(|error| failed(&latest, error))
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "see that it is there",
        _ => "make the directory writable",
    }
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(dir: &Path, id: &str) -> RunDirectory {
        RunDirectory::create(dir, "nightly", id).expect("a writable directory")
    }

    #[test]
    fn files_are_replaced_as_a_whole_and_leave_nothing_beside() {
        let dir = tempfile::tempdir().expect("tempdir");
        let run = create(dir.path(), "1");
        run.write("report.json", b"one").expect("write");
        run.write("report.json", b"two").expect("write");
        let content = fs::read(run.path().join("report.json")).expect("read");
        assert_eq!(content, b"two");
        let mut names: Vec<_> = fs::read_dir(run.path())
            .expect("read")
            .map(|entry| entry.expect("entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["pairs", "report.json"]);
    }

    #[test]
    fn latest_points_to_the_last_run_and_history_grows() {
        let dir = tempfile::tempdir().expect("tempdir");
        for id in ["1", "2"] {
            let run = create(dir.path(), id);
            run.write("report.json", id.as_bytes()).expect("write");
            run.append_history(id).expect("append");
            run.point_latest().expect("link");
            let latest = fs::read(run.latest_report()).expect("read");
            assert_eq!(latest, id.as_bytes());
        }
        let history = fs::read_to_string(dir.path().join("nightly/history.ndjson"));
        assert_eq!(history.expect("read"), "1\n2\n");
        let link = fs::read_link(dir.path().join("nightly/latest")).expect("a link");
        assert_eq!(link, Path::new("2"), "relative, so that the tree can move");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("write");
        for (root, job) in [
            (&*file, "nightly"),
            (dir.path(), ".."),
            (dir.path(), ".locks"),
            (dir.path(), "a/b"),
        ] {
            let error = RunDirectory::create(root, job, "1").expect_err(job);
            assert!(error.to_string().contains("report.dir"), "{error}");
        }
    }
}
