//! `init`: a job file to begin with, or one made of the predecessor's command line or environment.

use clap::ArgMatches;

use super::{command, explain, former};
use crate::config::{self, Environment, TomlStyle, template};
use crate::report::{ExitCode, Stream};

/// What a converted pair is called.
const PAIR: TomlStyle<'_> = TomlStyle {
    origins: false,
    rename: Some("main"),
};

/// Prints the job file; nothing is written anywhere.
pub(super) fn job(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let words = command::texts(matches, "words");
    if matches.get_flag("from-cli") {
        return from_command_line(&words, environment);
    }
    if matches.get_flag("from-env") {
        return from_environment(&words, environment);
    }
    if !words.is_empty() {
        Stream::Stderr.print("error: `init` takes a command line after --from-cli --, or SOURCE and TARGET after --from-env --");
        return ExitCode::Usage;
    }
    Stream::Stdout.print(&template());
    ExitCode::Success
}

/// The words are a command line of the predecessor, with or without its name in front.
fn from_command_line(words: &[&str], environment: &Environment) -> ExitCode {
    let words = match words.split_first() {
        Some((first, rest)) if first.rsplit('/').next() == Some("s3sync") => rest,
        _ => words,
    };
    let typed = std::iter::once("s3sync").chain(words.iter().copied());
    let matches = match command::plain().try_get_matches_from(typed) {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::Usage;
        }
    };
    if matches.get_flag(command::RECORDS) {
        return refuse_records("--report-sync-status");
    }
    let side = |name| matches.get_one::<String>(name).map(String::as_str);
    let (Some(source), Some(target)) = (side("SOURCE"), side("TARGET")) else {
        Stream::Stderr.print(
            "error: a source and a target are needed: s3sync init --from-cli -- SOURCE TARGET …",
        );
        return ExitCode::Usage;
    };
    let flags = command::flag_values(&matches);
    let settings = config::read_adhoc(source, target, &environment.without_options(), &flags);
    explain::emit(&settings, &PAIR)
}

/// The predecessor's variables say the options; the sides were never in its environment.
fn from_environment(words: &[&str], environment: &Environment) -> ExitCode {
    let [source, target] = words else {
        Stream::Stderr.print(
            "error: s3sync 1.x took source and target from its command line: s3sync init --from-env -- SOURCE TARGET",
        );
        return ExitCode::Usage;
    };
    if former::only_compares(environment) {
        return refuse_records("the variable REPORT_SYNC_STATUS");
    }
    let flags = former::flag_values(environment);
    let settings = config::read_adhoc(source, target, &environment.without_options(), &flags);
    explain::emit(&settings, &PAIR)
}

/// Whoever only compared must not get a job that copies without a word.
pub(super) fn refuse_records(what: &str) -> ExitCode {
    Stream::Stderr.print(&format!(
        "error: {what} is nothing a job file says\n  = leave it out, and compare with `s3sync check` and the job file"
    ));
    ExitCode::Usage
}
