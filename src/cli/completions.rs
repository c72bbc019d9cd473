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
        .help_heading("Advanced")
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command as Process, Stdio};

    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_is_offered_every_flag_that_help_shows() {
        let program = command::build();
        let visible = program.get_arguments().filter(|arg| !arg.is_hide_set());
        let flags: Vec<&str> = visible.filter_map(|arg| arg.get_long()).collect();
        assert!(flags.len() > 30, "{flags:?}");
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for flag in &flags {
                assert!(script.contains(flag), "{shell}: {flag}");
            }
            for command in ["run", "completions", "man"] {
                assert!(script.contains(command), "{shell}: {command}");
            }
        }
    }

    #[test]
    fn bash_understands_its_script() {
        let mut bash = Process::new("bash");
        bash.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut bash) = bash.spawn() else {
            // a machine without bash shows nothing here
            return;
        };
        let mut stdin = bash.stdin.take().expect("a pipe");
        stdin
            .write_all(script(Shell::Bash).as_bytes())
            .expect("it reads");
        drop(stdin);
        let output = bash.wait_with_output().expect("its end");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    #[test]
    fn the_predecessors_flag_wants_no_source_and_no_target() {
        for words in [
            &["--auto-complete-shell", "zsh"][..],
            &["sync", "--auto-complete-shell", "zsh"],
        ] {
            let words = [&["s3sync"], words].concat();
            let matches = command::build().try_get_matches_from(words).expect("fine");
            let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
            assert_eq!(matches.get_one(FLAG), Some(&Shell::Zsh));
        }
    }
}
