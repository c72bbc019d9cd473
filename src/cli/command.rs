//! Clap's commands and flags, made from the option table.

use std::sync::LazyLock;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{completions, man};
use crate::config::{Flag, FlagValues, Kind, OPTIONS, OptionRow};
use crate::report::BUILD;

/// Flags of the predecessor that are no options: known, so that they are refused as not supported
/// yet rather than as unknown.
const NOT_YET: [&str; 1] = ["report-sync-status"];

/// Commands that are not built yet, and what does for now. They are known, so that `s3sync check
/// s3://bucket/` says so instead of taking `check` for a directory and sending it.
const LATER: [(&str, &str); 7] = [
    ("check", ""),
    ("plan", "--dry-run decides everything and changes nothing"),
    (
        "explain",
        "resolved.json of every run has each value and its origin",
    ),
    ("schema", ""),
    ("init", "jobs/quickstart.toml is a job file to begin with"),
    (
        "report",
        "report.json of every run is in its report directory",
    ),
    ("lua", ""),
];

/// What stands below the options: what somebody looks for who has read that far.
const AFTER_HELP: &str = "\
Examples:
  s3sync run jobs/quickstart.toml                     a job file, here one that needs no account
  s3sync sync photos/ s3://acme/photos/ --dry-run     say what would be transferred, and why
  s3sync sync photos/ s3://acme/photos/ --sandbox s3  rehearse it on an S3 kept in ./s3

Exit codes:
  0 success   1 an object or a pair failed   2 usage or job file, nothing started
  3 finished with warnings   101 a bug   130 SIGINT   143 SIGTERM";

/// Everything the program understands.
pub(super) fn build() -> Command {
    let command = Command::new("s3sync")
        .version(version())
        .about("Synchronizes directories and S3 buckets, and proves what it did")
        .args_conflicts_with_subcommands(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .max_term_width(100)
        .after_help(AFTER_HELP)
        .subcommand(run())
        .subcommand(sync())
        .subcommand(validate());
    #[cfg(feature = "sandbox")]
    let command = command.subcommand(sandbox());
    let command = command
        .subcommand(completions::command())
        .subcommand(man::command());
    let command = command.subcommands(LATER.map(|(name, _)| later(name)));
    with_options(with_sides(command)).arg(completions::flag())
}

/// What the flags of a command say.
pub(super) fn flag_values(matches: &ArgMatches) -> FlagValues {
    let mut values = FlagValues::default();
    for row in OPTIONS {
        for flag in row.flags {
            match flag {
                Flag::Says(name, _) if matches.get_flag(name) => values.say(row, flag, ""),
                Flag::Says(..) => {}
                Flag::Repeated(name, ..) => {
                    let times = matches.get_count(name);
                    if times > 0 {
                        values.say(row, flag, &times.to_string());
                    }
                }
                Flag::Value(name)
                | Flag::Millis(name)
                | Flag::SaysWith(name, ..)
                | Flag::File(name) => {
                    if let Some(value) = matches.get_one::<String>(name) {
                        values.say(row, flag, value);
                    }
                }
            }
        }
    }
    for assignment in texts(matches, "set") {
        values.set(assignment);
    }
    for name in NOT_YET {
        if matches.value_source(name) == Some(ValueSource::CommandLine) {
            values.not_yet(name);
        }
    }
    values
}

/// Why a command that is only known by name cannot run.
pub(super) fn refusal(name: &str) -> String {
    let instead = LATER.iter().find(|(later, _)| *later == name);
    let instead = instead.map_or("", |(_, instead)| instead);
    let separator = if instead.is_empty() { "" } else { "; " };
    format!(
        "error: not supported yet: the command `{name}`\n  = {instead}{separator}for a path of that name write ./{name}"
    )
}

/// Whether a word is the name of a command.
pub(super) fn is_name(word: &str) -> bool {
    build()
        .get_subcommands()
        .any(|command| command.get_name() == word)
}

/// The values of a repeatable argument.
pub(super) fn texts<'a>(matches: &'a ArgMatches, id: &str) -> Vec<&'a str> {
    let values = matches.get_many::<String>(id);
    values
        .map(|values| values.map(String::as_str).collect())
        .unwrap_or_default()
}

/// Version, commit, target and compiler, as far as the build knew them.
fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let lines = BUILD
            .into_iter()
            .filter_map(|(name, value)| Some(format!("\n{name} {}", value?)));
        env!("CARGO_PKG_VERSION").to_owned() + &lines.collect::<String>()
    });
    &TEXT
}

fn run() -> Command {
    let command = Command::new("run")
        .about("Run job files; without one, the job the environment says")
        .arg(
            Arg::new("job")
                .value_name("FILE")
                .num_args(0..)
                .help("Job files (TOML), one after the other"),
        )
        .arg(
            Arg::new("pair")
                .long("pair")
                .value_name("NAME")
                .action(ArgAction::Append)
                .help("Only this pair; may be repeated"),
        );
    with_options(command)
}

fn sync() -> Command {
    let command = Command::new("sync")
        .about("Synchronize one source and one target")
        .override_usage("s3sync sync [OPTIONS] <SOURCE> <TARGET>");
    let command = with_sides(command).mut_args(|arg| match arg.get_id().as_str() {
        "SOURCE" | "TARGET" => arg.required_unless_present(completions::FLAG),
        _ => arg,
    });
    with_options(command).arg(completions::flag())
}

fn validate() -> Command {
    let command = Command::new("validate")
        .about("Say everything that is wrong with job files, and run nothing")
        .arg(
            Arg::new("job")
                .value_name("FILE")
                .num_args(1..)
                .required(true)
                .help("Job files (TOML)"),
        );
    with_options(command)
}

/// Takes whatever follows: it is refused anyway.
fn later(name: &'static str) -> Command {
    Command::new(name).hide(true).disable_help_flag(true).arg(
        Arg::new("rest")
            .num_args(0..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true),
    )
}

#[cfg(feature = "sandbox")]
fn sandbox() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("sandbox")
        .about("Serve an S3 endpoint from a directory until Ctrl-C")
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .required(true)
                .help("Where it keeps its buckets; made if it is not there"),
        )
        .arg(option(
            "listen",
            "ADDRESS",
            "Where it listens, such as 127.0.0.1:9000 [default: a free port of 127.0.0.1]",
        ))
        .arg(
            option(
                "access-key",
                "KEY",
                "The access key it accepts [default: sandbox]",
            )
            .requires("secret-access-key"),
        )
        .arg(
            option(
                "secret-access-key",
                "KEY",
                "The secret access key that belongs to it [default: sandboxsecret]",
            )
            .requires("access-key"),
        )
        .arg(option(
            "region",
            "REGION",
            "The region of its buckets [default: us-east-1]",
        ))
}

fn with_sides(command: Command) -> Command {
    let side = |name: &'static str| {
        let row = OPTIONS
            .iter()
            .find(|row| row.path == format!("{}.url", name.to_lowercase()));
        Arg::new(name).help(row.map_or_else(String::new, |row| sentence(row.help)))
    };
    command
        .arg(side("SOURCE"))
        .arg(side("TARGET").requires("SOURCE"))
}

/// Every flag of the table, and `--set` for what has none.
fn with_options(command: Command) -> Command {
    let mut command = command.arg(
        Arg::new("set")
            .long("set")
            .value_name("PATH=VALUE")
            .action(ArgAction::Append)
            .help_heading("General")
            .help("Say any option by its path in a job file, also of one pair: pairs.NAME.PATH=VALUE; may be repeated"),
    );
    for name in NOT_YET {
        let action = ArgAction::SetTrue;
        command = command.arg(Arg::new(name).long(name).action(action).hide(true));
    }
    for row in OPTIONS {
        for (number, flag) in row.flags.iter().enumerate() {
            command = command.arg(argument(row, number, flag));
        }
    }
    command
}

fn argument(row: &'static OptionRow, number: usize, flag: &Flag) -> Arg {
    let arg = Arg::new(flag.name())
        .long(flag.name())
        .help_heading(row.heading)
        .hide(!row.is_built);
    match flag {
        Flag::Value(_) => arg.value_name(placeholder(row)).help(help(row)),
        Flag::Millis(_) => arg.value_name("MILLISECONDS").help(help(row)),
        Flag::File(_) => arg
            .value_name("FILE")
            .help(sentence(&format!("{}, read from a file", row.help))),
        Flag::SaysWith(..) => arg.value_name("ALGORITHM").hide(true),
        Flag::Says(_, value) => {
            let arg = arg
                .action(ArgAction::SetTrue)
                .hide(!row.is_built || number > 0 || is_later(row.kind, value))
                .help(match *value {
                    "true" => sentence(row.help),
                    "false" => sentence(&format!("do not {}", row.help)),
                    value => sentence(&format!("{} [this flag: {value}]", row.help)),
                });
            // a flag and its opposite: the last one counts
            let others = row
                .flags
                .iter()
                .map(Flag::name)
                .filter(|name| *name != flag.name());
            if row.flags.len() == 2 {
                arg.overrides_with_all(others)
            } else {
                arg
            }
        }
        Flag::Repeated(_, letter, values) => {
            let others = row
                .flags
                .iter()
                .map(Flag::name)
                .filter(|name| *name != flag.name());
            arg.short(*letter)
                .action(ArgAction::Count)
                .conflicts_with_all(others)
                .help(sentence(&format!(
                    "{}: {}",
                    row.help,
                    values.join(", then ")
                )))
        }
    }
}

fn is_later(kind: Kind, value: &str) -> bool {
    matches!(kind, Kind::Word { later, .. } if later.contains(&value))
}

fn help(row: &OptionRow) -> String {
    match row.default {
        Some(default) => sentence(&format!("{} [default: {default}]", row.help)),
        None => sentence(row.help),
    }
}

/// With a capital letter, as clap's own texts begin.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn placeholder(row: &OptionRow) -> &'static str {
    match row.kind {
        Kind::Bool => "BOOL",
        Kind::Number { .. } => "N",
        Kind::Size { .. } => "SIZE",
        Kind::Duration { .. } => "DURATION",
        Kind::Text | Kind::Word { .. } | Kind::List | Kind::Table => "TEXT",
        Kind::Name | Kind::Pairs => "NAME",
        Kind::Path if matches!(row.path, "sandbox.dir" | "report.dir") => "DIR",
        Kind::Path => "PATH",
        Kind::Location | Kind::Endpoint => "URL",
        Kind::Secret => "KEY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        build().try_get_matches_from([&["s3sync"], arguments].concat())
    }

    #[test]
    fn the_commands_hold_together() {
        build().debug_assert();
    }

    #[test]
    fn every_flag_of_the_table_parses_wherever_options_are_taken() {
        for row in OPTIONS {
            for flag in row.flags {
                let flag_text = format!("--{}", flag.name());
                let takes_value = !matches!(flag, Flag::Says(..) | Flag::Repeated(..));
                let typed: &[&str] = if takes_value {
                    &[&flag_text, "1"]
                } else {
                    &[&flag_text]
                };
                for command in [
                    &["run", "job.toml"][..],
                    &["sync", "a", "s3://b"],
                    &["a", "s3://b"],
                ] {
                    let matches = parse(&[command, typed].concat())
                        .unwrap_or_else(|error| panic!("{flag_text}: {error}"));
                    let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
                    let values = format!("{:?}", flag_values(matches));
                    assert!(values.contains(&flag_text), "{flag_text}: {values}");
                }
            }
        }
    }

    #[test]
    fn of_a_flag_and_its_opposite_the_last_counts() {
        for (typed, said) in [
            (["--dry-run", "--no-dry-run"], "--no-dry-run"),
            (["--no-dry-run", "--dry-run"], "--dry-run"),
            (["--disable-etag-verify", "--etag-verify"], "--etag-verify"),
        ] {
            let matches = parse(&["a", "s3://b", typed[0], typed[1]]).expect("fine");
            let values = format!("{:?}", flag_values(&matches));
            assert_eq!(
                values,
                format!("FlagValues {{ said: [{said:?}], set: [], .. }}")
            );
        }
    }

    #[test]
    fn a_command_that_is_not_built_is_no_source() {
        for (name, _) in LATER {
            for rest in [
                &["s3://b/"][..],
                &["a.toml", "--key", "k"],
                &["--help"],
                &[],
            ] {
                let matches = parse(&[&[name], rest].concat()).expect("taken");
                assert_eq!(matches.subcommand_name(), Some(name), "{rest:?}");
            }
            let refusal = refusal(name);
            assert!(refusal.starts_with("error: not supported yet"), "{refusal}");
        }
        assert_eq!(
            refusal("plan"),
            "error: not supported yet: the command `plan`\n  = --dry-run decides everything and changes nothing; for a path of that name write ./plan"
        );
    }

    #[test]
    fn a_commands_name_wins() {
        for (arguments, command) in [
            (&["run"][..], Some("run")),
            (&["run", "a.toml", "b.toml", "--pair", "x"], Some("run")),
            (&["sync", "a", "s3://b"], Some("sync")),
            (&["./run", "s3://b"], None),
            (&["a", "s3://b"], None),
        ] {
            let matches = parse(arguments).expect("fine");
            assert_eq!(matches.subcommand_name(), command, "{arguments:?}");
        }
        for wrong in [
            &["--no-such-flag", "a", "s3://b"][..],
            &["sync", "a"],
            &["a", "s3://b", "c"],
            &["validate"],
            &[],
        ] {
            let error = parse(wrong).expect_err("wrong");
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
    }
}
