//! The command line as a program says it that embeds the library.

use std::ffi::OsString;

use super::command;
use crate::config::{FlagValues, Problems};

/// Reads `SOURCE TARGET` and flags, without the name of a program before them; gives the two sides
/// and notes what the flags say.
pub(crate) fn read_arguments(
    arguments: &[OsString],
    flags: &mut FlagValues,
) -> Result<[String; 2], Problems> {
    let command = command::plain().no_binary_name(true);
    let matches = (command.try_get_matches_from(arguments)).map_err(|error| told(&error))?;
    let side = |name| matches.get_one::<String>(name).cloned();
    let (Some(source), Some(target)) = (side("SOURCE"), side("TARGET")) else {
        return Err(Problems::of_arguments(
            "a source and a target are needed",
            "say SOURCE TARGET and flags",
        ));
    };
    if matches.get_flag(command::RECORDS) {
        return Err(Problems::of_arguments(
            format!("`--{}` is for the command", command::RECORDS),
            "it compares, and is no synchronization",
        ));
    }
    *flags = command::flag_values(&matches);
    Ok([source, target])
}

/// What clap says, without its usage.
fn told(error: &clap::Error) -> Problems {
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.trim_start_matches("error: ").trim();
    let message: Vec<_> = message.split_whitespace().collect();
    let tip = rest
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "));
    Problems::of_arguments(message.join(" "), tip.unwrap_or_default())
}
