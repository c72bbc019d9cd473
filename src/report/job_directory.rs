//! The directory of one job: where everything is that its runs share.

use std::path::{Path, PathBuf};

/// `<report.dir>/<job>`. Nothing is read or made by naming it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDirectory {
    path: PathBuf,
}

impl JobDirectory {
    /// Of the job of this name, which is one path segment.
    pub fn of(report_dir: &Path, job: &str) -> Self {
        Self {
            path: report_dir.join(job),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One line for each run that ended.
    pub fn history(&self) -> PathBuf {
        self.path.join("history.ndjson")
    }

    /// The link to the run that ended last.
    pub fn latest(&self) -> PathBuf {
        self.path.join("latest")
    }

    /// What lies at the targets and is not trusted.
    pub fn distrusted(&self) -> PathBuf {
        self.path.join("distrusted.ndjson")
    }

    /// The job's own uploads and temporary files that are not finished.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.ndjson")
    }

    /// What one run leaves behind.
    pub fn run(&self, id: &str) -> PathBuf {
        self.path.join(id)
    }
}

/// Where the locks of all jobs of a report directory are: no job's name begins with a dot.
pub fn locks_directory(report_dir: &Path) -> PathBuf {
    report_dir.join(".locks")
}
