//! `man`: the manual page, as roff.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::command;
use crate::report::{ExitCode, Stream};

/// The command.
pub(super) fn command() -> Command {
    Command::new("man").about("Print the manual page: s3sync man | man -l -")
}

/// Prints the page.
pub(super) fn print() -> io::Result<ExitCode> {
    Stream::Stdout.print(&page()?);
    Ok(ExitCode::Success)
}

const ENVIRONMENT: &str = "\
Every option has a variable: S3SYNC_ and its path in a job file, in capitals, two underscores for \
a dot, such as S3SYNC_PERFORMANCE__WORKER_SIZE. A variable counts more than the file and less than \
a flag. S3SYNC_PAIRS__NAME__ before the path means one pair. With _FILE behind it, the variable of \
a secret names a file.";

/// One page for all commands: the flags are the same for most of them.
fn page() -> io::Result<String> {
    // the long version has lines, and the title is one
    let mut command = command::build().version(env!("CARGO_PKG_VERSION"));
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(&mut command).to_writer(&mut page)?;
    commands(&command).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut rest = Roff::new();
    rest.control("SH", ["ENVIRONMENT"]);
    rest.text([roman(ENVIRONMENT)]);
    if let Some(after) = command.get_after_help() {
        as_it_stands(&mut rest, &after.to_string());
    }
    rest.to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// How each command is written.
fn synopsis(command: &mut Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).control("nf", []);
    roff.text([roman("s3sync [OPTIONS] <SOURCE> <TARGET>")]);
    for command in command.get_subcommands_mut().filter(|it| !it.is_hide_set()) {
        let usage = command.render_usage().to_string();
        for line in usage.trim_start_matches("Usage: ").lines() {
            roff.text([roman(line.trim_start())]);
        }
    }
    roff.control("fi", []);
    roff
}

/// What each command does, with the arguments that it alone has.
fn commands(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in program.get_subcommands().filter(|it| !it.is_hide_set()) {
        roff.control("TP", []);
        roff.text([bold(command.get_name())]);
        let about = command.get_about().map(ToString::to_string);
        roff.text([roman(about.unwrap_or_default())]);
        let own = command.get_arguments().filter(|arg| {
            let shared = program
                .get_arguments()
                .any(|it| it.get_id() == arg.get_id());
            !shared && !arg.is_hide_set()
        });
        for arg in own {
            roff.control("br", []);
            roff.text([
                bold(arg.to_string()),
                roman(": "),
                roman(arg.get_help().map(ToString::to_string).unwrap_or_default()),
            ]);
        }
    }
    roff
}

/// Paragraphs, each with a title and a colon in its first line, as they are.
fn as_it_stands(roff: &mut Roff, text: &str) {
    for paragraph in text.split("\n\n") {
        let (title, lines) = paragraph.split_once(":\n").unwrap_or(("Notes", paragraph));
        let title = title.to_uppercase();
        roff.control("SH", [title.as_str()]).control("nf", []);
        for line in lines.lines() {
            roff.text([roman(line.trim_start())]);
        }
        roff.control("fi", []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_command_and_every_flag_that_help_shows() {
        let page = page().expect("a page").replace("\\-", "-");
        let program = command::build();
        let visible = program.get_subcommands().filter(|it| !it.is_hide_set());
        for command in visible {
            let name = command.get_name();
            assert!(
                page.contains(&format!("s3sync {name}")),
                "{name}: how it is written"
            );
            assert!(
                page.contains(&format!("\\fB{name}\\fR")),
                "{name}: what it does"
            );
        }
        for arg in program.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let flag = arg.get_long().map(|name| format!("--{name}"));
            assert!(page.contains(&flag.unwrap_or_default()), "{}", arg.get_id());
        }
        for words in [
            "--pair",
            "--listen",
            ".SH \"EXIT CODES\"",
            ".SH ENVIRONMENT",
        ] {
            assert!(page.contains(words), "{words}");
        }
        let title = page
            .lines()
            .find(|line| line.starts_with(".TH"))
            .expect("a title");
        assert!(title.contains(env!("CARGO_PKG_VERSION")), "{title}");
        assert!(!page.contains("\nrustc"), "the title is one line");
        let unindented = page
            .lines()
            .filter(|line| line.starts_with("s3sync plan ["));
        assert_eq!(
            unindented.count(),
            2,
            "both ways to write it, below each other"
        );
    }
}
