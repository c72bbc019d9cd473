//! `validate FILE…`: everything that is wrong, and nothing run.

use clap::ArgMatches;

use super::command;
use super::job_files::JobFiles;
use crate::config::Environment;
use crate::report::{ExitCode, Stream};

/// Checks each file with the environment and the flags it would run with.
pub(super) fn files(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let flags = command::flag_values(matches);
    let names = command::texts(matches, "job");
    let JobFiles { files, refusals } = JobFiles::load(&names, environment, &flags);
    let mut exit = ExitCode::Success;
    for (path, loaded) in &files {
        match loaded {
            Ok(job) => {
                let pairs = job.pairs.len();
                let noun = if pairs == 1 { "pair" } else { "pairs" };
                Stream::Stdout.print(&format!(
                    "{}: job {}, {pairs} {noun}: no problems",
                    path.display(),
                    job.name
                ));
            }
            Err(problems) => {
                Stream::Stderr.print(&format!("{problems}\n\n"));
                exit = ExitCode::Usage;
            }
        }
    }
    for refusal in refusals {
        Stream::Stderr.print(&format!("{refusal}\n\n"));
        exit = ExitCode::Usage;
    }
    exit
}
