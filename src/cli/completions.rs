//! `completions SHELL`: what the shell offers when the user presses Tab.

use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::command;
use crate::report::{ExitCode, Stream};

/// Where the predecessor had it: a flag in place of a source and a target.
pub(super) const FLAG: &str = "auto-complete-shell";

/// The command.
pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print the completions for a shell, such as bash")
        .arg(shell("SHELL").required(true).help("Whose"))
}

/// The predecessor's flag, which wants no source and no target.
pub(super) fn flag() -> Arg {
    shell(FLAG)
        .long(FLAG)
        .value_name("SHELL")
        .help_heading("General")
        .help("Print the completions for a shell, and do nothing else")
}

/// Prints them, if the command or the flag asks for them.
pub(super) fn asked_for(matches: &ArgMatches, id: &str) -> Option<ExitCode> {
    let shell = *matches.get_one::<Shell>(id)?;
    Stream::Stdout.print(&script(shell));
    Some(ExitCode::Success)
}

fn shell(id: &'static str) -> Arg {
    Arg::new(id).value_parser(EnumValueParser::<Shell>::new())
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command::build(), "s3sync", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
