//! `plan`: the dry run, shown as a plan on stdout.

use clap::ArgMatches;

use super::job_files::JobFiles;
use super::{command, run};
use crate::config::{self, Environment, FlagValues};
use crate::job::Purpose;
use crate::report::{ExitCode, PlanFormat, PlanSettings, Stream};

/// `plan [FILE]… | SOURCE TARGET`: makes the decisions of a run and carries none of them out.
pub(super) fn show(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let Some(jobs) = jobs(matches, environment, &flags) else {
        return Ok(ExitCode::Usage);
    };
    let settings = PlanSettings {
        format: match matches.get_one::<String>("format").map(String::as_str) {
            Some("json") => PlanFormat::Json,
            Some(_) | None => PlanFormat::Text,
        },
        key: matches.get_one::<String>("key").cloned(),
    };
    run::start(
        jobs,
        &run::RunRequest {
            command: "plan",
            plain: false,
            stream: Stream::Stderr,
            notes: Vec::new(),
            purpose: Purpose::Plan(settings),
        },
    )
}

fn jobs(
    matches: &ArgMatches,
    environment: &Environment,
    flags: &FlagValues,
) -> Option<Vec<config::Job>> {
    let names = command::texts(matches, "job");
    let loaded = match &names[..] {
        // one side of a pair is in S3, and no job file is
        [source, target] if is_s3(source) || is_s3(target) => {
            run::of_one(config::adhoc(source, target, environment, flags))?
        }
        names if names.iter().any(|name| is_s3(name)) => {
            Stream::Stderr.print(
                "error: a source and a target are needed, or job files: s3sync plan SOURCE TARGET (see s3sync plan --help)",
            );
            return None;
        }
        [] => run::of_one(config::from_environment(environment, flags))?,
        names => JobFiles::load(names, environment, flags).all_right()?,
    };
    run::only(loaded, &command::texts(matches, "pair"))
}

fn is_s3(name: &str) -> bool {
    name.starts_with("s3://")
}
