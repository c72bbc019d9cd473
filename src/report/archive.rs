//! The runs that were left below a report directory, and how one of them is named.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// How much of a run's id is shown: its time to the millisecond. With less, the runs of a minute
/// look the same.
pub(super) const SHORT_ID: usize = 13;

/// So many are named where a name is not enough.
const NAMED: usize = 5;

/// A directory that holds a folder for each job, and in it one for each run.
#[derive(Debug, Clone)]
pub struct Archive {
    dir: PathBuf,
}

/// The directory of a run, whatever is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub id: String,
    /// The job, by the name of the folder the run is in.
    pub job: String,
    /// Where it is.
    pub directory: PathBuf,
}

/// Why a word does not name one run.
#[derive(Debug)]
pub enum Unnamed {
    /// The report directory cannot be read.
    Unreadable {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is none of that name.
    Nowhere {
        /// The name.
        asked: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// It is a path, and no run is there.
    NoRun(PathBuf),
    /// Several begin like this.
    Several {
        /// The beginning.
        asked: String,
        /// The first of them.
        runs: Vec<PastRun>,
    },
    /// Each job has a latest run.
    WhichJob {
        /// The jobs there are.
        jobs: Vec<String>,
    },
}

impl Archive {
    /// What stands for a job's newest run.
    pub const LATEST: &'static str = "latest";

    /// Below a report directory, or the folder of one job in it; nothing is read yet.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Where it looks.
    pub fn directory(&self) -> &Path {
        &self.dir
    }

    /// All runs, newest first. A directory that is not there has none.
    pub fn runs(&self) -> Result<Vec<PastRun>, Unnamed> {
        let mut runs = Vec::new();
        for folder in folders(&self.dir).map_err(|error| self.unreadable(error))? {
            if let Some(run) = PastRun::at(&folder) {
                runs.push(run);
                continue;
            }
            // the folder of a job that went away meanwhile has no runs either
            let inner = folders(&folder).unwrap_or_default();
            runs.extend(inner.iter().filter_map(|folder| PastRun::at(folder)));
        }
        // the ids begin with their time
        runs.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(runs)
    }

    /// The run that a word names: a path (a run's directory, or its report.json), an id or the
    /// beginning of one, `latest`, or one of these behind a job's name (`nightly/latest`).
    pub fn find(&self, asked: &str) -> Result<PastRun, Unnamed> {
        let path = Path::new(asked);
        if path.exists() && (asked.contains('/') || path.join("report.json").exists()) {
            return at_path(path).ok_or_else(|| Unnamed::NoRun(path.to_owned()));
        }
        if path.is_absolute() || asked.starts_with('.') {
            return Err(Unnamed::NoRun(path.to_owned()));
        }
        let (job, name) = match asked.rsplit_once('/') {
            Some((job, name)) => (Some(job), name),
            None => (None, asked),
        };
        let mut runs = self.runs()?;
        runs.retain(|run| job.is_none_or(|job| run.job == job));
        let nowhere = || Unnamed::Nowhere {
            asked: asked.to_owned(),
            dir: self.dir.clone(),
        };
        if name == Self::LATEST {
            let jobs: BTreeSet<&str> = runs.iter().map(|run| run.job.as_str()).collect();
            if jobs.len() > 1 {
                let jobs = jobs.into_iter().map(str::to_owned).collect();
                return Err(Unnamed::WhichJob { jobs });
            }
            return runs.into_iter().next().ok_or_else(nowhere);
        }
        runs.retain(|run| !name.is_empty() && run.id.starts_with(&name.to_ascii_lowercase()));
        match runs.len() {
            0 if !asked.is_empty() && path.exists() => Err(Unnamed::NoRun(path.to_owned())),
            0 => Err(nowhere()),
            1 => Ok(runs.swap_remove(0)),
            _ => Err(Unnamed::Several {
                asked: asked.to_owned(),
                runs,
            }),
        }
    }

    /// The newest run of a job.
    pub fn latest_of(&self, job: &str) -> Result<PastRun, Unnamed> {
        let newest = self.runs()?.into_iter().find(|run| run.job == job);
        newest.ok_or_else(|| Unnamed::Nowhere {
            asked: format!("{job}/{}", Self::LATEST),
            dir: self.dir.clone(),
        })
    }

    fn unreadable(&self, error: io::Error) -> Unnamed {
        Unnamed::Unreadable {
            dir: self.dir.clone(),
            error,
        }
    }
}

impl PastRun {
    /// Its report.
    pub fn report(&self) -> PathBuf {
        self.directory.join("report.json")
    }

    /// The beginning of its id, which tells runs apart that did not begin together.
    pub fn short_id(&self) -> &str {
        self.id.get(..SHORT_ID).unwrap_or(&self.id)
    }

    /// The run whose directory this is, by its name alone.
    fn at(directory: &Path) -> Option<Self> {
        let id = directory.file_name()?.to_str()?;
        Uuid::try_parse(id).ok()?;
        let job = directory.parent()?.file_name()?;
        Some(Self {
            id: id.to_owned(),
            job: job.to_string_lossy().into_owned(),
            directory: directory.to_owned(),
        })
    }
}

impl fmt::Display for Unnamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { dir, error } => {
                write!(f, "cannot read the reports in `{}`: {error}", dir.display())
            }
            Self::Nowhere { asked, dir } => write!(
                f,
                "no run `{asked}` in `{}`\n  = `s3sync report list` shows those there are; --report-dir or --job FILE says where else",
                dir.display()
            ),
            Self::NoRun(path) => write!(
                f,
                "`{}` is no run\n  = name the directory of a run, or its report.json; of a job file: latest --job FILE",
                path.display()
            ),
            Self::Several { asked, runs } => {
                write!(f, "{} runs begin with `{asked}`\n  =", runs.len())?;
                for run in runs.iter().take(NAMED) {
                    write!(f, " {} ({})", run.id, run.job)?;
                }
                let more = runs.len().saturating_sub(NAMED);
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                Ok(())
            }
            Self::WhichJob { jobs } => {
                write!(f, "several jobs have a latest run\n  = name one:")?;
                for job in jobs.iter().take(NAMED) {
                    write!(f, " {job}/latest")?;
                }
                let more = jobs.len().saturating_sub(NAMED);
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Unnamed {}

/// The run at a path: its directory, a link to it, or a file in it.
fn at_path(path: &Path) -> Option<PastRun> {
    let whole = path.canonicalize().ok()?;
    let directory = if whole.is_dir() {
        whole
    } else {
        whole.parent()?.to_owned()
    };
    PastRun::at(&directory).or_else(|| {
        // a copy may be called anything
        directory.join("report.json").exists().then(|| PastRun {
            id: name_of(&directory),
            job: directory.parent().map(name_of).unwrap_or_default(),
            directory,
        })
    })
}

fn name_of(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The directories in a directory; links to directories are none.
fn folders(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = [
        "0198f3b2-b0e3-7202-8bab-b75105596c47",
        "0198f3b2-b0e4-7202-8bab-b75105596c47",
        "0198f3c7-b0e3-7202-8bab-b75105596c47",
    ];

    fn archive() -> (tempfile::TempDir, Archive) {
        let dir = tempfile::tempdir().expect("tempdir");
        for (job, id) in [("nightly", IDS[0]), ("nightly", IDS[1]), ("other", IDS[2])] {
            fs::create_dir_all(dir.path().join(job).join(id)).expect("a run");
        }
        fs::create_dir_all(dir.path().join(".locks")).expect("locks");
        std::os::unix::fs::symlink(IDS[1], dir.path().join("nightly/latest")).expect("a link");
        let archive = Archive::at(dir.path());
        (dir, archive)
    }

    #[test]
    fn runs_are_listed_newest_first_and_links_are_none() {
        let (dir, archive) = archive();
        let ids = |archive: &Archive| -> Vec<String> {
            let runs = archive.runs().expect("readable");
            runs.into_iter().map(|run| run.id).collect()
        };
        assert_eq!(ids(&archive), [IDS[2], IDS[1], IDS[0]]);
        let one_job = Archive::at(dir.path().join("nightly"));
        assert_eq!(ids(&one_job), [IDS[1], IDS[0]]);
        assert_eq!(ids(&Archive::at(dir.path().join("nowhere"))), [""; 0]);
    }

    #[test]
    fn a_run_has_many_names_and_what_names_none_is_told() {
        let (dir, archive) = archive();
        let path = |name: &str| dir.path().join(name).display().to_string();
        for (asked, found) in [
            (IDS[0].to_owned(), Ok(IDS[0])),
            ("0198f3b2-b0e4".to_owned(), Ok(IDS[1])),
            ("0198F3C7".to_owned(), Ok(IDS[2])),
            ("nightly/latest".to_owned(), Ok(IDS[1])),
            ("other/0198".to_owned(), Ok(IDS[2])),
            (path("nightly/latest"), Ok(IDS[1])),
            (path(&format!("other/{}", IDS[2])), Ok(IDS[2])),
            ("latest".to_owned(), Err("nightly/latest other/latest")),
            ("0198f3b2".to_owned(), Err("2 runs begin with")),
            ("0198f3b3".to_owned(), Err("no run `0198f3b3`")),
            ("other/0198f3b2".to_owned(), Err("no run")),
            (String::new(), Err("no run")),
            (path(".locks"), Err("is no run")),
            (path("nowhere"), Err("is no run")),
            // what stands where one is at home
            ("src".to_owned(), Err("`src` is no run")),
            ("Cargo.toml".to_owned(), Err("latest --job FILE")),
        ] {
            let seen = archive.find(&asked);
            match (seen, found) {
                (Ok(run), Ok(id)) => assert_eq!(run.id, id, "{asked}"),
                (Err(error), Err(words)) => {
                    let told = error.to_string();
                    assert!(told.contains(words), "{asked}: {told}");
                }
                (seen, _) => panic!("{asked}: {seen:?}"),
            }
        }
    }
}
