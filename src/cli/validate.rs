//! `validate FILE…`: everything that is wrong, and nothing run.

use std::path::Path;

use clap::ArgMatches;

use super::command;
use crate::config::{self, Environment};
use crate::report::{ExitCode, Stream};

/// Checks each file with the environment and the flags it would run with.
pub(super) fn files(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let flags = command::flag_values(matches);
    let mut exit = ExitCode::Success;
    for file in command::texts(matches, "job") {
        match config::load_file(Path::new(file), environment, &flags) {
            Ok(job) => {
                let pairs = job.pairs.len();
                let noun = if pairs == 1 { "pair" } else { "pairs" };
                Stream::Stdout.print(&format!(
                    "{file}: job {}, {pairs} {noun}: no problems",
                    job.name
                ));
                for note in job.resolved["notes"].as_array().into_iter().flatten() {
                    let note = note.as_str().unwrap_or_default();
                    Stream::Stderr.print(&format!("warning: {note}"));
                }
            }
            Err(problems) => {
                Stream::Stderr.print(&format!("{problems}\n\n"));
                exit = ExitCode::Usage;
            }
        }
    }
    exit
}
