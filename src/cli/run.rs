//! `run`, `sync` and the plain form: load everything, then run it.

use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;

use super::{command, former, log, process};
use crate::config::{self, Environment, Job, Problems};
use crate::job::{self, RunOptions};
use crate::report::{ExitCode, Stream};

/// How one pair was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `s3sync sync SOURCE TARGET`: logs on stderr.
    Subcommand,
    /// `s3sync SOURCE TARGET`: logs on stdout, as the predecessor has it.
    Plain,
}

/// `run [FILE]…`: nothing starts before every file is right; the worst outcome decides.
pub(super) fn jobs(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let only_pairs: Vec<String> = command::texts(matches, "pair")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let files = command::texts(matches, "job");
    let loaded = if files.is_empty() {
        vec![config::from_environment(environment, &flags)]
    } else {
        let load = |file| config::load_file(Path::new(file), environment, &flags);
        files.into_iter().map(load).collect()
    };
    let Some(jobs) = all_right(loaded) else {
        return Ok(ExitCode::Usage);
    };
    if let Some(unknown) = unknown_pair(&jobs, &only_pairs) {
        Stream::Stderr.print(&unknown);
        return Ok(ExitCode::Usage);
    }
    start(
        jobs,
        &RunRequest {
            command: "run",
            only_pairs,
            plain: false,
            stream: Stream::Stderr,
            notes: Vec::new(),
        },
    )
}

/// `sync SOURCE TARGET` and the plain form.
pub(super) fn pair(
    matches: &ArgMatches,
    environment: &Environment,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let side = |name| matches.get_one::<String>(name).map(String::as_str);
    let Some((source, target)) = side("SOURCE").zip(side("TARGET")) else {
        Stream::Stderr.print(
            "error: a source and a target are needed: s3sync SOURCE TARGET (see s3sync --help)",
        );
        return Ok(ExitCode::Usage);
    };
    if form == Form::Plain && command::is_name(source) {
        Stream::Stderr.print(&format!(
            "error: `{source}` is a command, and a command stands first: s3sync {source} …\n  = for a path of that name write ./{source}"
        ));
        return Ok(ExitCode::Usage);
    }
    let flags = command::flag_values(matches);
    let Some(jobs) = all_right(vec![config::adhoc(source, target, environment, &flags)]) else {
        return Ok(ExitCode::Usage);
    };
    let mut notes = Vec::new();
    if form == Form::Plain {
        if let Some(refusal) = former::refusal(environment, jobs.iter().all(|job| job.dry_run)) {
            Stream::Stderr.print(refusal);
            return Ok(ExitCode::Usage);
        }
        notes = former::warnings(environment);
    }
    let to_stderr = form == Form::Subcommand || jobs.iter().any(|job| job.log.stderr);
    start(
        jobs,
        &RunRequest {
            command: "sync",
            only_pairs: Vec::new(),
            plain: true,
            stream: if to_stderr {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            notes,
        },
    )
}

/// All jobs, or every problem of every one of them on stderr.
fn all_right(loaded: Vec<Result<Job, Problems>>) -> Option<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut wrong = Vec::new();
    for loaded in loaded {
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

fn unknown_pair(jobs: &[Job], only_pairs: &[String]) -> Option<String> {
    let names = || {
        jobs.iter()
            .flat_map(|job| &job.pairs)
            .map(|pair| pair.name.as_str())
    };
    let unknown = only_pairs
        .iter()
        .find(|wanted| !names().any(|name| name == wanted.as_str()))?;
    let known: Vec<&str> = names().collect();
    Some(format!(
        "error: no pair is called `{unknown}`\n --> flag --pair\n  = there is {}",
        known.join(", ")
    ))
}

/// What is the same for all jobs of one command.
struct RunRequest {
    command: &'static str,
    only_pairs: Vec<String>,
    plain: bool,
    stream: Stream,
    /// Warnings about the command itself.
    notes: Vec<String>,
}

fn start(jobs: Vec<Job>, request: &RunRequest) -> anyhow::Result<ExitCode> {
    let runtime = process::runtime().context("start the runtime")?;
    if let Some(first) = jobs.first() {
        log::start(&first.log, request.stream, first.dry_run);
    }
    for note in &request.notes {
        tracing::warn!("{note}");
    }
    let mut worst = ExitCode::Success;
    for job in jobs {
        for note in job.resolved["notes"].as_array().into_iter().flatten() {
            tracing::warn!("{}", note.as_str().unwrap_or_default());
        }
        let options = RunOptions {
            command: request.command.to_owned(),
            only_pairs: request.only_pairs.clone(),
            plain: request.plain,
            progress: job.log.progress,
        };
        let exit = runtime.block_on(job::run(job, options)).exit;
        worst = worst.worse(exit);
        if exit.signal().is_some() {
            break;
        }
    }
    // blocked reads of a dead disk must not keep the process
    runtime.shutdown_background();
    Ok(worst)
}
