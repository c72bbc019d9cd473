//! `run JOB --retry-failed RUN`: the failed objects of an earlier run, once more.

use clap::{Arg, ArgMatches};

use super::report;
use super::run::{RunRequest, start};
use crate::config::Job;
use crate::job::{self, RetriedRun, Retry};
use crate::report::{Archive, ExitCode, PastRun, Stream, schema::Report};

const NAME: &str = "retry-failed";

/// The flag.
pub(super) fn flag() -> Arg {
    Arg::new(NAME).long(NAME).value_name("RUN").help(
        "Attempt only the objects that failed in this earlier run of the job: its id or the beginning of it, latest, its directory or its report.json. Nothing is deleted",
    )
}

/// The run that is asked for.
pub(super) fn asked(matches: &ArgMatches) -> Option<&str> {
    matches.get_one::<String>(NAME).map(String::as_str)
}

/// Attempts what failed in the run that `asked` names, of these pairs only where any are named.
pub(super) fn run(
    jobs: Vec<Job>,
    pairs: &[&str],
    asked: &str,
    request: RunRequest,
) -> anyhow::Result<ExitCode> {
    let retry = match narrowed(jobs, pairs, asked) {
        Ok(narrowed) => narrowed,
        Err(told) => {
            Stream::Stderr.print(&format!("error: {told}"));
            return Ok(ExitCode::Usage);
        }
    };
    if retry.job.pairs.is_empty() {
        for note in &retry.notes {
            Stream::Stderr.print(&format!("note: {note}"));
        }
        let scope = if pairs.is_empty() {
            ""
        } else {
            " of these pairs"
        };
        Stream::Stdout.print(&format!(
            "nothing to do: no object{scope} failed in run {}",
            retry.of
        ));
        return Ok(ExitCode::Success);
    }
    let Retry {
        job,
        of,
        beyond,
        notes,
        keys,
        ..
    } = retry;
    let ended = start(
        vec![job],
        &RunRequest {
            notes: [request.notes, notes].concat(),
            retries_of: Some(RetriedRun { id: of, beyond }),
            ..request
        },
    );
    drop(keys);
    ended
}

/// The job with what failed of it. The error is in words.
fn narrowed(jobs: Vec<Job>, pairs: &[&str], asked: &str) -> Result<Retry, String> {
    let [job] = <[Job; 1]>::try_from(jobs).map_err(|jobs: Vec<Job>| {
        format!(
            "--retry-failed is of one job, and there are {}\n --> flag --retry-failed\n  = name one job file",
            jobs.len()
        )
    })?;
    let archive = Archive::at(&job.report.dir);
    let (run, record) = match asked {
        Archive::LATEST => last_attempt(&archive, &job.name)?,
        asked => {
            let run = archive.find(asked).map_err(|error| error.to_string())?;
            let record = read(&run)?;
            (run, record)
        }
    };
    if record.run.job != job.name {
        return Err(format!(
            "run {} is of the job `{}`, and not of `{}`\n --> flag --retry-failed",
            record.run.id, record.run.job, job.name
        ));
    }
    job::retry_failed(job, pairs, &run, &record)
}

/// The newest run of a job that was to transfer something: who has looked since, by a dry run or a
/// check, still means that one. Where there is none, it is the newest of all.
fn last_attempt(archive: &Archive, job: &str) -> Result<(PastRun, Report), String> {
    let newest = archive.latest_of(job).map_err(|error| error.to_string())?;
    let runs = archive.runs().map_err(|error| error.to_string())?;
    for run in runs.into_iter().filter(|run| run.job == job) {
        let record = read(&run)?;
        if job::attempts(&record) {
            return Ok((run, record));
        }
    }
    let record = read(&newest)?;
    Ok((newest, record))
}

fn read(run: &PastRun) -> Result<Report, String> {
    report::read(run).map_err(|told| told.trim_start_matches("error: ").to_owned())
}
