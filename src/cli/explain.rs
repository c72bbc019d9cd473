//! `explain`: every value, who said it and what it overrode. And `--emit-job`: a job instead of
//! a run.

use std::path::Path;

use clap::ArgMatches;

use super::command;
use crate::config::{self, Environment, FlagValues, Problems, Question, Settings, TomlStyle};
use crate::report::{ExitCode, Stream};

/// `explain [FILE] [PAIR] [KEY]`. What is wrong is told, and what could be read is shown all the
/// same.
pub(super) fn job(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let flags = command::flag_values(matches);
    let words = command::texts(matches, "job");
    if let Some(extra) = words.get(3) {
        Stream::Stderr.print(&format!(
            "error: unexpected argument `{extra}`\n  = explain takes [FILE] [PAIR] [KEY]"
        ));
        return ExitCode::Usage;
    }
    let Asked {
        settings,
        rest,
        no_file,
    } = match read(&words, environment, &flags) {
        Ok(asked) => asked,
        Err(problems) => {
            Stream::Stderr.print(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    let format = matches.get_one::<String>("format").map(String::as_str);
    let changed = matches.get_flag("changed");
    let question = match format {
        // a job file is of a whole job, or of one with a single pair
        Some("toml") => Question {
            changed,
            ..Question::default()
        },
        _ => Question {
            pair: rest.first().copied(),
            key: rest.get(1).copied(),
            changed,
        },
    };
    let explanation = match settings.explain(&question) {
        Ok(explanation) => explanation,
        Err(unknown) => {
            let no_file = no_file.map_or_else(String::new, |word| {
                format!(
                    "\n  = there is no file `{word}`, so this is about the job the environment says"
                )
            });
            Stream::Stderr.print(&format!("error: {unknown}{no_file}"));
            return ExitCode::Usage;
        }
    };
    let explanation = match (format, rest) {
        (Some("toml"), [pair, more @ ..]) => {
            let only = explanation.only(pair).filter(|_| more.is_empty());
            let Some(only) = only else {
                Stream::Stderr.print(
                    "error: a job file is of whole pairs\n --> flag --format\n  = with toml, name a pair or nothing; an option is shown as text or json",
                );
                return ExitCode::Usage;
            };
            only
        }
        _ => explanation,
    };
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
    let read = match &command::texts(matches, "job")[..] {
        [] => config::read_environment(environment, &flags),
        [file] => config::read_file(Path::new(file), environment, &flags),
        _ => {
            Stream::Stderr.print("error: --emit-job takes one job file");
            return ExitCode::Usage;
        }
    };
    match read {
        Ok(settings) => emit(&settings, &style),
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

/// What words ask about.
struct Asked<'a> {
    settings: Settings,
    /// The words behind the job.
    rest: &'a [&'a str],
    /// The first word, where it could have been a file and is none.
    no_file: Option<&'a str>,
}

/// The job the first word names, or else the one the environment says, and then all words are
/// about that.
fn read<'a>(
    words: &'a [&'a str],
    environment: &Environment,
    flags: &FlagValues,
) -> Result<Asked<'a>, Problems> {
    let of_environment = |no_file| {
        Ok(Asked {
            settings: config::read_environment(environment, flags)?,
            rest: words,
            no_file,
        })
    };
    let Some((first, rest)) = words.split_first() else {
        return of_environment(None);
    };
    let is_question = words.len() < 3 && !names_a_file(first, environment);
    if is_question && config::is_said(environment) {
        return of_environment(Some(first));
    }
    Ok(Asked {
        settings: config::read_file(Path::new(first), environment, flags)?,
        rest,
        no_file: None,
    })
}

/// Whether a word is a job file, or can be nothing else.
fn names_a_file(word: &str, environment: &Environment) -> bool {
    let path = environment.directory().join(word);
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let looks_so = word == "-" || word.contains('/') || is_toml;
    looks_so || (path.exists() && !path.is_dir())
}
