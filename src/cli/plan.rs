//! `plan`: the dry run, shown as a plan on stdout.

use clap::ArgMatches;

use super::{command, run};
use crate::config::Environment;
use crate::job::Purpose;
use crate::report::{ExitCode, PlanFormat, PlanSettings, Stream};

/// `plan [FILE]… | SOURCE TARGET`: makes the decisions of a run and carries none of them out.
pub(super) fn show(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let Some(jobs) = run::jobs_or_pair(matches, environment, &flags, "plan") else {
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
            retries_of: None,
            purpose: Purpose::Plan(settings),
        },
    )
}
