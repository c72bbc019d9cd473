//! `explain`: every value, who said it and what it overrode. And `--emit-job`: a job instead of
//! a run.

use std::path::Path;

use clap::ArgMatches;

use super::command;
use crate::config::{self, Environment, FlagValues, Problems, Question, Settings, TomlStyle};
use crate::report::{ExitCode, Stream};

/// `explain [FILE] [PAIR] [KEY]`. What is not supported yet is shown as such and is no error here;
/// everything else that is wrong is told, and what could be read is shown all the same.
pub(super) fn job(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let flags = command::flag_values(matches);
    let words = command::texts(matches, "job");
    let (settings, rest) = match read(&words, environment, &flags) {
        Ok(read) => read,
        Err(problems) => {
            Stream::Stderr.print(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    let question = Question {
        pair: rest.first().copied(),
        key: rest.get(1).copied(),
        changed: matches.get_flag("changed"),
    };
    let explanation = match settings.explain(&question) {
        Ok(explanation) => explanation,
        Err(unknown) => {
            Stream::Stderr.print(&format!("error: {unknown}"));
            return ExitCode::Usage;
        }
    };
    let format = matches.get_one::<String>("format").map(String::as_str);
    Stream::Stdout.print(&match format {
        Some("toml") => explanation.to_toml(&TomlStyle {
            origins: true,
            rename: None,
        }),
        Some("json") => format!("{:#}\n", explanation.to_json()),
        _ => explanation.to_text(),
    });
    match settings.problems() {
        None => ExitCode::Success,
        Some(problems) => {
            Stream::Stderr.print(&format!("\n{problems}"));
            ExitCode::Usage
        }
    }
}

/// `--emit-job`: the job file that says what this command line would run.
pub(super) fn emit_job(
    matches: &ArgMatches,
    environment: &Environment,
    has_sides: bool,
) -> ExitCode {
    let flags = command::flag_values(matches);
    let side = |name| matches.get_one::<String>(name).map(String::as_str);
    let style = TomlStyle::default();
    if has_sides {
        let (Some(source), Some(target)) = (side("SOURCE"), side("TARGET")) else {
            Stream::Stderr.print("error: a source and a target are needed: s3sync SOURCE TARGET");
            return ExitCode::Usage;
        };
        return emit(
            &config::read_adhoc(source, target, environment, &flags),
            &style,
        );
    }
    match read(&command::texts(matches, "job"), environment, &flags) {
        Ok((settings, [])) => emit(&settings, &style),
        Ok(_) => {
            Stream::Stderr.print("error: --emit-job takes one job file");
            ExitCode::Usage
        }
        Err(problems) => {
            Stream::Stderr.print(&problems.to_string());
            ExitCode::Usage
        }
    }
}

/// Prints the job file that says what settings say, in as few lines as that takes.
pub(super) fn emit(settings: &Settings, style: &TomlStyle<'_>) -> ExitCode {
    if let Some(problems) = settings.problems() {
        Stream::Stderr.print(&problems.to_string());
        return ExitCode::Usage;
    }
    let question = Question {
        changed: true,
        ..Question::default()
    };
    match settings.explain(&question) {
        Ok(explanation) => {
            Stream::Stdout.print(&explanation.to_toml(style));
            ExitCode::Success
        }
        Err(unknown) => {
            Stream::Stderr.print(&format!("error: {unknown}"));
            ExitCode::Usage
        }
    }
}

/// The job the first word names, or else the environment; and the words behind it.
fn read<'a>(
    words: &'a [&'a str],
    environment: &Environment,
    flags: &FlagValues,
) -> Result<(Settings, &'a [&'a str]), Problems> {
    match words.split_first() {
        None => Ok((config::read_environment(environment, flags)?, &[])),
        Some((file, rest)) => Ok((
            config::read_file(Path::new(file), environment, flags)?,
            rest,
        )),
    }
}
