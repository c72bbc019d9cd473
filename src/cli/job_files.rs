//! Which job files a command is about, and their jobs. A directory stands for the files in it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{self, Environment, FlagValues, Job, Problems};
use crate::report::Stream;

/// The jobs of a command, or everything that is wrong with them.
#[derive(Debug)]
pub(super) struct JobFiles {
    /// Each file as it was named, with its job.
    pub(super) files: Vec<(PathBuf, Result<Job, Problems>)>,
    /// What is wrong with the files together, and with directories.
    pub(super) refusals: Vec<String>,
}

impl JobFiles {
    /// Loads the files that were named, and for a directory each `*.toml` file in it by its name:
    /// hidden ones and those that others include are no jobs. `-` is a file like any other.
    pub(super) fn load(names: &[&str], environment: &Environment, flags: &FlagValues) -> Self {
        let mut paths = Vec::new();
        let mut refusals = Vec::new();
        for name in names {
            let name = Path::new(name);
            let is_directory =
                name != Path::new("-") && environment.directory().join(name).is_dir();
            if !is_directory {
                paths.push(name.to_owned());
                continue;
            }
            match of_directory(name, environment) {
                Ok(found) => {
                    for note in &found.notes {
                        Stream::Stderr.print(note);
                    }
                    paths.extend(found.files);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        let elsewhere = names_of_pairs(&paths, environment);
        let load = |path: PathBuf| {
            let job = config::load_among(&path, environment, flags, &elsewhere);
            (path, job)
        };
        let files: Vec<_> = paths.into_iter().map(load).collect();
        refusals.extend(same_names(&files));
        Self { files, refusals }
    }

    /// All jobs, or every problem of every one of them on stderr.
    pub(super) fn all_right(self) -> Option<Vec<Job>> {
        let mut jobs = Vec::new();
        let mut wrong = self.refusals;
        for (_, loaded) in self.files {
            match loaded {
                Ok(job) => jobs.push(job),
                Err(problems) => wrong.push(problems.to_string()),
            }
        }
        if wrong.is_empty() {
            return Some(jobs);
        }
        Stream::Stderr.print(&wrong.join("\n\n"));
        None
    }
}

/// The job files of a directory.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    files: Vec<PathBuf>,
    /// Which files were left out, and why.
    notes: Vec<String>,
}

/// What is said of a pair is for the files that have it: the pairs of all files, where there are
/// several.
fn names_of_pairs(paths: &[PathBuf], environment: &Environment) -> BTreeSet<String> {
    if paths.len() < 2 {
        return BTreeSet::new();
    }
    let outlines = paths.iter().map(|path| config::outline(path, environment));
    outlines.flat_map(|outline| outline.pairs).collect()
}

fn of_directory(directory: &Path, environment: &Environment) -> Result<Found, String> {
    let base = environment.directory();
    let shown = directory.display();
    let names = toml_files(&base.join(directory)).map_err(|error| {
        let text = error.to_string().to_lowercase();
        let what = text.split(" (os error").next().unwrap_or(&text);
        format!("error: cannot read the directory of job files `{shown}`: {what}")
    })?;
    let outlines: Vec<_> = names
        .iter()
        .map(|name| config::outline(&directory.join(name), environment))
        .collect();
    let mut found = Found {
        files: Vec::new(),
        notes: Vec::new(),
    };
    for (at, name) in names.iter().enumerate() {
        let path = directory.join(name);
        let own = base.join(&path).canonicalize().unwrap_or_default();
        let includer = outlines
            .iter()
            .zip(&names)
            .find(|(other, other_name)| *other_name != name && other.files.contains(&own));
        let Some((_, includer)) = includer else {
            found.files.push(path);
            continue;
        };
        let (path, includer) = (path.display(), directory.join(includer));
        let includer = includer.display();
        if !outlines[at].pairs.is_empty() {
            return Err(format!(
                "error: `{path}` has pairs, and `{includer}` includes it: is it a job, or a part of one?\n  \
                 = name the files that are to run, or take what is only included out of `{shown}`"
            ));
        }
        found
            .notes
            .push(format!("{path}: no job of its own: {includer} includes it"));
    }
    if found.files.is_empty() {
        return Err(format!(
            "error: there is no job file in `{shown}`\n  = of a directory, each `*.toml` file in it is a job, not those below it; of a source and a target one is an s3:// URL"
        ));
    }
    Ok(found)
}

/// The names of the `*.toml` files in a directory, sorted.
fn toml_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = PathBuf::from(entry?.file_name());
        let is_hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
        let is_toml = name
            .extension()
            .is_some_and(|extension| extension == "toml");
        // what a link leads to counts: mounted configuration consists of links; one that leads
        // nowhere is a job that cannot be read, and not silently none
        let is_directory = directory.join(&name).is_dir();
        if is_toml && !is_hidden && !is_directory {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Jobs that would write their reports over each other's.
fn same_names(files: &[(PathBuf, Result<Job, Problems>)]) -> Vec<String> {
    let jobs: Vec<_> = files
        .iter()
        .filter_map(|(path, job)| Some((path, job.as_ref().ok()?)))
        .collect();
    let mut refusals = Vec::new();
    for (at, (path, job)) in jobs.iter().enumerate() {
        let earlier = jobs[..at]
            .iter()
            .find(|(_, other)| other.name == job.name && other.report.dir == job.report.dir);
        if let Some((other, _)) = earlier {
            refusals.push(format!(
                "error: two jobs are called `{}`: {} and {}; their reports would mix\n  = give one of them another name (job.name)",
                job.name,
                other.display(),
                path.display()
            ));
        }
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: &str = "version = 1\n[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\n";

    /// What the directory `jobs` with these files stands for.
    fn found(files: &[(&str, &str)]) -> Result<Found, String> {
        let base = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = base.path().join("jobs").join(name);
            fs::create_dir_all(path.parent().expect("below")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        fs::create_dir_all(base.path().join("jobs")).expect("a directory");
        of_directory(Path::new("jobs"), &Environment::new([], base.path()))
    }

    #[test]
    fn a_directory_is_the_job_files_in_it() {
        for (what, files, jobs, note) in [
            (
                "by name",
                &[("b.toml", PAIRS), ("a.toml", PAIRS), ("B.toml", PAIRS)][..],
                "jobs/B.toml jobs/a.toml jobs/b.toml",
                "",
            ),
            (
                "neither hidden ones, nor others, nor those below",
                &[
                    ("a.toml", PAIRS),
                    (".b.toml", PAIRS),
                    ("c.toml~", PAIRS),
                    ("d.json", "{}"),
                    ("toml", PAIRS),
                    ("e/f.toml", PAIRS),
                    ("g.toml/h.toml", PAIRS),
                ],
                "jobs/a.toml",
                "",
            ),
            (
                "what cannot be read is not left out",
                &[("a.toml", PAIRS), ("b.toml", "[pairs")],
                "jobs/a.toml jobs/b.toml",
                "",
            ),
            (
                "not what others include",
                &[
                    ("a.toml", &format!("include = ['./common.toml']\n{PAIRS}")),
                    ("common.toml", "include = ['more.toml']\n[defaults]\n"),
                    ("more.toml", "[defaults]\n"),
                    ("other.toml", "[defaults]\n"),
                ],
                "jobs/a.toml jobs/other.toml",
                "jobs/common.toml: no job of its own: jobs/a.toml includes it",
            ),
            (
                "one that includes itself is told so when it is loaded",
                &[("a.toml", &format!("include = ['a.toml']\n{PAIRS}"))],
                "jobs/a.toml",
                "",
            ),
        ] {
            let found = found(files).expect(what);
            let seen: Vec<_> = found
                .files
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            assert_eq!(seen.join(" "), jobs, "{what}");
            let first = found.notes.first().map_or("", String::as_str);
            assert_eq!(first, note, "{what}");
        }
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let base = tempfile::tempdir().expect("a directory");
        let jobs = base.path().join("jobs");
        fs::create_dir(&jobs).expect("a directory");
        fs::write(jobs.join("b.toml"), PAIRS).expect("a file");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, jobs.join("a.toml"), mode).expect("a pipe");
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(of_directory(
                Path::new("jobs"),
                &Environment::new([], base.path()),
            ));
        });
        let found = told.recv_timeout(std::time::Duration::from_secs(30));
        let found = found.expect("it ends").expect("two files");
        assert_eq!(found.files.len(), 2);
    }

    #[test]
    fn what_is_no_directory_of_jobs_is_refused() {
        let includer = format!("include = ['b.toml']\n{PAIRS}");
        for (files, words) in [
            (&[][..], "there is no job file in `jobs`"),
            (&[("x/a.toml", PAIRS)], "there is no job file in `jobs`"),
            (
                &[("a.toml", &*includer), ("b.toml", PAIRS)],
                "`jobs/b.toml` has pairs, and `jobs/a.toml` includes it",
            ),
        ] {
            let refusal = found(files).expect_err(words);
            assert!(refusal.contains(words), "{refusal}");
        }
    }
}
