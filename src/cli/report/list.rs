//! `report list`: which runs there were.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use super::{archive, format, is_json, load};
use crate::config::Environment;
use crate::object::Timestamp;
use crate::report::{Archive, ExitCode, Listed, Stream, list};

pub(super) fn command() -> Command {
    Command::new("list")
        .about("List the runs of the past, newest first")
        .arg(
            Arg::new("WHERE").value_name("JOB|DIR").help(
                "Only runs of the job of this name or job file; or the directory they are in",
            ),
        )
        .arg(format(
            "How it is shown: a table, or one JSON object per line",
        ))
}

pub(super) fn runs(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let asked = match Asked::of(matches, environment) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let runs = match asked.archive.runs() {
        Ok(runs) => runs,
        Err(error) => {
            Stream::Stderr.print(&format!("error: {error}"));
            return ExitCode::Failed;
        }
    };
    let listed = runs.into_iter().map(Listed::of);
    let listed: Vec<Listed> = listed
        .filter(|run| asked.job.as_deref().is_none_or(|job| run.job() == job))
        .collect();
    let now = Timestamp::now();
    if is_json(matches) {
        let lines = listed.iter().map(|run| format!("{}\n", run.to_json(now)));
        Stream::Stdout.print(&lines.collect::<String>());
    } else if listed.is_empty() {
        let job = asked.job.as_deref();
        let of = job.map_or_else(String::new, |job| format!(" of the job `{job}`"));
        let dir = asked.archive.directory().display();
        Stream::Stderr.print(&format!(
            "no runs{of} in `{dir}`\n  = --report-dir says another directory"
        ));
    } else {
        Stream::Stdout.print(&list(&listed, now));
    }
    ExitCode::Success
}

/// Whose runs, and where.
struct Asked {
    archive: Archive,
    job: Option<String>,
}

impl Asked {
    fn of(matches: &ArgMatches, environment: &Environment) -> Result<Self, ExitCode> {
        let Some(word) = matches.get_one::<String>("WHERE") else {
            return Ok(Self {
                archive: archive(matches, environment)?,
                job: None,
            });
        };
        let path = environment.directory().join(word);
        if path.is_dir() {
            return Ok(Self {
                archive: Archive::at(path),
                job: None,
            });
        }
        if path.is_file() {
            let job = load(Path::new(word), environment)?;
            return Ok(Self {
                archive: Archive::at(job.report.dir),
                job: Some(job.name),
            });
        }
        Ok(Self {
            archive: archive(matches, environment)?,
            job: Some(word.clone()),
        })
    }
}
