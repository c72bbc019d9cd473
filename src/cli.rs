/*! The command line: a command for each thing to do, and plain `s3sync SOURCE TARGET`.

Flags come from the option table (`config::OPTIONS`) and only carry what was typed: `config`
types and checks it, together with the job file and the environment.
*/

mod arguments;
mod check;
mod command;
mod completions;
mod explain;
mod former;
#[cfg(test)]
mod fuzz;
mod init;
mod job_files;
mod log;
#[cfg(feature = "lua")]
mod lua;
mod man;
mod plan;
#[cfg(test)]
mod predecessor;
mod process;
mod report;
mod retry_failed;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod schema;
mod validate;

pub(crate) use arguments::read_arguments;

use std::process::ExitCode as Status;

use clap::ArgMatches;
use clap::error::ErrorKind;

use crate::config::Environment;
use crate::report::{ExitCode, Stream};
use crate::store::withhold_huge_pages;

/// Runs the command the process was started with, and says how the process should end.
pub fn main() -> Status {
    process::raise_open_file_limit();
    withhold_huge_pages();
    let matches = match command::build().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // nobody reads: a closed stream is no reason to fail
            let _ = error.print();
            let is_answer = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            let exit = if is_answer {
                ExitCode::Success
            } else {
                ExitCode::Usage
            };
            return exit.code().into();
        }
    };
    let exit = dispatch(&matches).unwrap_or_else(|error| {
        Stream::Stderr.print(&format!("error: {error:#}"));
        ExitCode::Failed
    });
    exit.code().into()
}

fn dispatch(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    // one that is gone is no matter to who names everything from the root; what is relative to it
    // the system refuses
    let directory = std::env::current_dir().unwrap_or_default();
    let environment = Environment::new(std::env::vars_os(), directory);
    let (name, of_command) = matches
        .subcommand()
        .map_or(("sync", matches), |(name, matches)| (name, matches));
    if matches!(name, "run" | "sync") && of_command.get_flag("emit-job") {
        if name == "sync" && of_command.get_flag(command::RECORDS) {
            return Ok(init::refuse_records("--report-sync-status"));
        }
        return Ok(explain::emit_job(of_command, &environment, name == "sync"));
    }
    match matches.subcommand() {
        Some(("run", matches)) => run::jobs(matches, &environment),
        Some(("sync", matches)) => run::pair(matches, &environment, run::Form::Subcommand),
        Some(("explain", matches)) => Ok(explain::job(matches, &environment)),
        Some(("init", matches)) => Ok(init::job(matches, &environment)),
        Some(("plan", matches)) => plan::show(matches, &environment),
        Some(("report", matches)) => report::dispatch(matches, &environment),
        Some(("check", matches)) => check::jobs(matches, &environment),
        Some(("validate", matches)) => validate::files(matches, &environment),
        Some(("schema", matches)) => Ok(schema::print(matches)),
        #[cfg(feature = "sandbox")]
        Some(("sandbox", matches)) => sandbox::serve(matches),
        Some(("completions", matches)) => {
            Ok(completions::asked_for(matches, "SHELL").unwrap_or(ExitCode::Usage))
        }
        Some(("man", _)) => Ok(man::print()?),
        #[cfg(feature = "lua")]
        Some(("lua", matches)) => lua::dispatch(matches, &environment),
        #[cfg(not(feature = "lua"))]
        Some(("lua", _)) => {
            Stream::Stderr
                .print("error: this build runs no scripts: build it with the feature `lua`");
            Ok(ExitCode::Usage)
        }
        Some((name, _)) => unreachable!("clap knows no command `{name}`"),
        None => run::pair(matches, &environment, run::Form::Plain),
    }
}
