//! `report list|show|verify`: the runs of the past.

mod list;
mod show;
mod verify;

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::command;
use crate::config::{self, Environment, FlagValues, Job, Problems};
use crate::report::schema::Report;
use crate::report::{Archive, ExitCode, PastRun, Stream};

/// The command, and those below it.
pub(super) fn command() -> Command {
    Command::new("report")
        .about("Show the runs of the past, and verify again what they proved")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(with_directory(list::command()))
        .subcommand(with_directory(show::command()))
        .subcommand(with_directory(verify::command()))
}

/// Carries one of them out.
pub(super) fn dispatch(
    matches: &ArgMatches,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("list", matches)) => Ok(list::runs(matches, environment)),
        Some(("show", matches)) => Ok(show::run(matches, environment)),
        Some(("verify", matches)) => verify::run(matches, environment),
        Some(_) | None => unreachable!("clap lets only these names through"),
    }
}

/// `--report-dir DIR` and `--job FILE`: where the runs are.
fn with_directory(command: Command) -> Command {
    command
        .arg(
            Arg::new("report-dir")
                .long("report-dir")
                .value_name("DIR")
                .help("Where runs leave their reports [default: as for runs]"),
        )
        .arg(
            Arg::new("job").long("job").value_name("FILE").help(
                "The job file: its report.dir is where the runs are, and `latest` its last run",
            ),
        )
}

/// The word RUN.
fn which_run() -> Arg {
    Arg::new("RUN").required(true).help(
        "A run's id or the beginning of it, JOB/latest (or latest, of a single job or that of --job), the directory of a run or its report.json",
    )
}

/// A switch.
fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// Where the runs are; the error was told.
fn archive(matches: &ArgMatches, environment: &Environment) -> Result<Archive, ExitCode> {
    if let Some(dir) = matches.get_one::<String>("report-dir") {
        return Ok(Archive::at(environment.directory().join(dir)));
    }
    Ok(match named_job(matches, environment)? {
        Some(job) => Archive::at(job.report.dir),
        None => Archive::at(environment.report_directory()),
    })
}

/// The report of a run, or in words why it cannot be read.
pub(super) fn read(run: &PastRun) -> Result<Report, String> {
    show::read(run)
}

/// The job of `--job`, or the one that the environment says.
fn named_job(matches: &ArgMatches, environment: &Environment) -> Result<Option<Job>, ExitCode> {
    if let Some(file) = matches.get_one::<String>("job") {
        return Ok(Some(load(Path::new(file), environment)?));
    }
    if environment.get("S3SYNC_JOB_FILE").is_some() || environment.get("S3SYNC_JOB_TOML").is_some()
    {
        let job = config::from_environment(environment, &FlagValues::default());
        return Ok(Some(or_told(job)?));
    }
    Ok(None)
}

/// A job that says where its runs are; what is wrong with it was told.
fn load(file: &Path, environment: &Environment) -> Result<Job, ExitCode> {
    or_told(config::load_file(file, environment, &FlagValues::default()))
}

fn or_told(job: Result<Job, Problems>) -> Result<Job, ExitCode> {
    job.map_err(|problems| {
        Stream::Stderr.print(&problems.to_string());
        ExitCode::Usage
    })
}

/// The run that was asked for; what names none was told.
fn asked_run(matches: &ArgMatches, environment: &Environment) -> Result<PastRun, ExitCode> {
    let asked = matches.get_one::<String>("RUN").expect("clap requires it");
    let archive = archive(matches, environment)?;
    let found = match named_job(matches, environment)? {
        Some(job) if asked == Archive::LATEST => archive.latest_of(&job.name),
        Some(_) | None => archive.find(asked),
    };
    found.map_err(|error| {
        Stream::Stderr.print(&format!("error: {error}"));
        ExitCode::Usage
    })
}

/// Whether JSON was asked for.
fn is_json(matches: &ArgMatches) -> bool {
    let format = matches.get_one::<String>("format");
    format.is_some_and(|format| format == "json")
}

/// `--format text|json`.
fn format(help: &'static str) -> Arg {
    command::format(help)
}
