//! `run`, `sync` and the plain form: load everything, then run it.

use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;

use super::{command, completions, former, log, process};
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
    let only_pairs = command::texts(matches, "pair");
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
    let jobs = match only(jobs, &only_pairs) {
        Ok(jobs) => jobs,
        Err(unknown) => {
            Stream::Stderr.print(&unknown);
            return Ok(ExitCode::Usage);
        }
    };
    start(
        jobs,
        &RunRequest {
            command: "run",
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
    if let Some(exit) = completions::asked_for(matches, completions::FLAG) {
        return Ok(exit);
    }
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

/// The jobs with the pairs that were asked for, all when none was; a job without any of them does
/// not run. The error is a pair that no job has.
fn only(mut jobs: Vec<Job>, asked: &[&str]) -> Result<Vec<Job>, String> {
    if asked.is_empty() {
        return Ok(jobs);
    }
    let pairs = jobs.iter().flat_map(|job| &job.pairs);
    let known: Vec<&str> = pairs.map(|pair| pair.name.as_str()).collect();
    if let Some(unknown) = asked.iter().find(|asked| !known.contains(asked)) {
        return Err(format!(
            "error: no pair is called `{unknown}`\n --> flag --pair\n  = there is {}",
            known.join(", ")
        ));
    }
    for job in &mut jobs {
        job.pairs.retain(|pair| asked.contains(&pair.name.as_str()));
    }
    jobs.retain(|job| !job.pairs.is_empty());
    Ok(jobs)
}

/// What is the same for all jobs of one command.
struct RunRequest {
    command: &'static str,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FlagValues;

    fn job(pairs: &[&str]) -> Job {
        let sides = "source = '/a'\ntarget = 's3://bucket/'\n";
        let text = pairs.iter().fold(String::new(), |text, name| {
            text + &format!("[pairs.{name}]\n{sides}")
        });
        let variables = [("S3SYNC_JOB_TOML".into(), text.into())];
        let environment = Environment::new(variables, "/");
        config::from_environment(&environment, &FlagValues::default()).expect("a job")
    }

    #[test]
    fn only_the_pairs_that_were_asked_for_run_in_the_order_of_the_file() {
        for (asked, left) in [
            (&[][..], &["a b", "c"][..]),
            (&["b", "a"], &["a b"]),
            (&["c"], &["c"]),
            (&["c", "a"], &["a", "c"]),
        ] {
            let jobs = only(vec![job(&["a", "b"]), job(&["c"])], asked).expect("known");
            let names = |job: &Job| {
                let names: Vec<_> = job.pairs.iter().map(|pair| pair.name.clone()).collect();
                names.join(" ")
            };
            assert_eq!(
                jobs.iter().map(names).collect::<Vec<_>>(),
                left,
                "{asked:?}"
            );
        }
        let unknown = only(vec![job(&["a", "b"]), job(&["c"])], &["a", "x"]).expect_err("no x");
        assert_eq!(
            unknown,
            "error: no pair is called `x`\n --> flag --pair\n  = there is a, b, c"
        );
    }
}
