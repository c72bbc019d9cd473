//! `check`: whether both sides are the same, by content; nothing is changed.

use std::path::Path;
use std::sync::Arc;

use clap::ArgMatches;

use super::{command, run};
use crate::config::Environment;
use crate::job::Purpose;
use crate::report::{CheckForm, CheckSettings, Combined, ExitCode, Stream};

/// `check [FILE]… | SOURCE TARGET`.
pub(super) fn jobs(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let Some(jobs) = run::jobs_or_pair(matches, environment, &flags, "check") else {
        return Ok(ExitCode::Usage);
    };
    let combined = match matches.get_one::<String>("combined") {
        None => None,
        Some(path) => match Combined::create(Path::new(path)) {
            Ok(combined) => Some(Arc::new(combined)),
            Err(error) => {
                Stream::Stderr.print(&format!(
                    "error: cannot write `{path}`: {error}\n --> flag --combined"
                ));
                return Ok(ExitCode::Usage);
            }
        },
    };
    run::start(
        jobs,
        &run::RunRequest {
            command: "check",
            plain: false,
            stream: Stream::Stderr,
            notes: Vec::new(),
            retries_of: None,
            purpose: Purpose::Check(CheckSettings {
                form: CheckForm::Table,
                combined,
            }),
        },
    )
}
