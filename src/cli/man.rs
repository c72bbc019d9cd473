//! `man`: the manual page, as roff.

use clap::Command;
use clap_mangen::Man;

use super::command;
use crate::report::{ExitCode, Stream};

/// The command.
pub(super) fn command() -> Command {
    Command::new("man").about("Print the manual page: s3sync man | man -l -")
}

/// Prints the page.
pub(super) fn print() -> std::io::Result<ExitCode> {
    Stream::Stdout.print(&page()?);
    Ok(ExitCode::Success)
}

fn page() -> std::io::Result<String> {
    let mut page = Vec::new();
    Man::new(command::build()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
