//! Clap's commands and flags, made from the option table.

use std::sync::LazyLock;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::schema::SCHEMAS;
use super::{completions, man, report};
use crate::config::{self, Flag, FlagValues, Kind, OPTIONS, OptionRow};
use crate::report::BUILD;

/// What stands below the options: what somebody looks for who has read that far.
const AFTER_HELP: &str = "\
Examples:
  s3sync run jobs/quickstart.toml                     a job file, here one that needs no account
  s3sync plan photos/ s3://acme/photos/               say what would be transferred, and why
  s3sync check photos/ s3://acme/photos/              say where both sides differ, by content
  s3sync sync photos/ s3://acme/photos/ --sandbox s3  rehearse it on an S3 kept in ./s3

Exit codes:
  0 success   1 an object or a pair failed   2 usage or job file, nothing started
  3 finished with warnings   101 a bug   129, 130, 143 SIGHUP, SIGINT, SIGTERM";

/// The flag that makes a synchronization a check.
pub(super) const RECORDS: &str = "report-sync-status";

/// What stands below the options of `check`.
const CHECK_HELP: &str = "\
Compared are the sizes, and the contents by ETag, or by --check-additional-checksum ALGORITHM;
with --check-size the sizes alone. The report and its evidence are those of a run.

Exit codes: 0 the same on both sides   3 they differ, or it cannot be told
            1 an object or a pair could not be compared";

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
        .subcommand(plan())
        .subcommand(check())
        .subcommand(validate())
        .subcommand(schema())
        .subcommand(explain())
        .subcommand(init())
        .subcommand(report::command());
    #[cfg(feature = "sandbox")]
    let command = command.subcommand(sandbox());
    let command = command
        .subcommand(completions::command())
        .subcommand(man::command());
    #[cfg(feature = "lua")]
    let command = command.subcommand(super::lua::command());
    #[cfg(not(feature = "lua"))]
    let command = command.subcommand(without_lua());
    with_emit(with_options(with_sides(command)))
        .arg(records())
        .arg(completions::flag())
}

/// The plain form alone: `s3sync SOURCE TARGET` with its flags.
pub(super) fn plain() -> Command {
    with_options(with_sides(
        Command::new("s3sync").disable_version_flag(true),
    ))
    .arg(records())
}

/// What the flags of a command say.
pub(super) fn flag_values(matches: &ArgMatches) -> FlagValues {
    let mut values = flag_values_of(matches, |_| true);
    for assignment in texts(matches, "set") {
        values.set(assignment);
    }
    values
}

/// The same of a command that takes only some options, by their paths.
pub(super) fn flag_values_of(matches: &ArgMatches, takes: fn(&str) -> bool) -> FlagValues {
    let mut values = FlagValues::default();
    for row in OPTIONS.iter().filter(|row| takes(row.path)) {
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
                    for value in texts(matches, name) {
                        values.say(row, flag, value);
                    }
                }
            }
        }
    }
    values
}

/// Whether a word is the name of a command.
pub(super) fn is_name(word: &str) -> bool {
    build()
        .get_subcommands()
        .any(|command| command.get_name() == word)
}

/// The command whose name is nearly this word.
pub(super) fn nearest(word: &str) -> Option<String> {
    let program = build();
    let names = program.get_subcommands().map(Command::get_name);
    config::nearest(word, names).map(str::to_owned)
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
                .action(ArgAction::Append)
                .help("Job files (TOML), or directories of them, one after the other"),
        )
        .arg(
            Arg::new("pair")
                .long("pair")
                .value_name("NAME")
                .action(ArgAction::Append)
                .help("Only this pair; may be repeated"),
        )
        .arg(super::retry_failed::flag());
    with_emit(with_options(command))
}

fn sync() -> Command {
    let command = Command::new("sync")
        .about("Synchronize one source and one target")
        .override_usage("s3sync sync [OPTIONS] <SOURCE> <TARGET>");
    let command = with_sides(command).mut_args(|arg| match arg.get_id().as_str() {
        "SOURCE" | "TARGET" => arg.required_unless_present(completions::FLAG),
        _ => arg,
    });
    with_emit(with_options(command))
        .arg(records())
        .arg(completions::flag())
}

fn plan() -> Command {
    let command = Command::new("plan")
        .about("Show what a run would do, and why, and do nothing")
        .override_usage(
            "s3sync plan [OPTIONS] [FILE]...\n       s3sync plan [OPTIONS] SOURCE TARGET",
        )
        .args(jobs_or_pair())
        .arg(
            Arg::new("key")
                .long("key")
                .value_name("KEY")
                .help("Only this key, relative to the source, and what decides on it"),
        )
        .arg(format(
            "How it is shown: lines of columns, or one JSON object per line",
        ));
    with_options(command)
}

fn check() -> Command {
    let command = Command::new("check")
        .about("Say where both sides differ, and change nothing")
        .override_usage("s3sync check [OPTIONS] [FILE]...\n       s3sync check [OPTIONS] SOURCE TARGET")
        .args(jobs_or_pair())
        .arg(
            Arg::new("combined")
                .long("combined")
                .value_name("FILE")
                .help("Write a line for each key to a file, or to stdout where it is -: `=` the same, `*` different, `+` only in the source, `-` only in the target, `?` cannot be told, `!` not compared because of an error"),
        )
        .after_help(CHECK_HELP);
    with_options(command)
}

/// What `plan` and `check` are about: job files, or a source and a target; and which pairs of them.
fn jobs_or_pair() -> [Arg; 2] {
    [
        Arg::new("job")
            .value_name("FILE | SOURCE TARGET")
            .num_args(0..)
            .action(ArgAction::Append)
            .help("Job files (TOML) or directories of them, or a source and a target of which one is an s3:// URL; without any, the job the environment says"),
        Arg::new("pair")
            .long("pair")
            .value_name("NAME")
            .action(ArgAction::Append)
            .help("Only this pair; may be repeated"),
    ]
}

/// `--report-sync-status`, of the plain form and of `sync`: a check in the predecessor's words.
fn records() -> Arg {
    Arg::new(RECORDS)
        .long(RECORDS)
        .action(ArgAction::SetTrue)
        .conflicts_with_all([
            "dry-run",
            "delete",
            "enable-versioning",
            "head-each-target",
            "point-in-time",
        ])
        .help_heading("Update checking")
        .help("Copy nothing: log whether each object of the source is the same in the target, as s3sync 1.x did; `s3sync check` tells more")
}

/// `--format text|json`.
pub(super) fn format(help: &'static str) -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help(help)
}

fn validate() -> Command {
    let command = Command::new("validate")
        .about("Say everything that is wrong with job files, and run nothing")
        .arg(
            Arg::new("job")
                .value_name("FILE")
                .num_args(0..)
                .action(ArgAction::Append)
                .help("Job files (TOML), or directories of them; without any, the job the environment says"),
        )
        .arg(
            Arg::new("online")
                .long("online")
                .action(ArgAction::SetTrue)
                .help("Also ask every side of every pair, with reads only, whether it is there and may be used"),
        )
        .arg(format("How it is told: text, or one JSON object per line"));
    with_options(command)
}

fn schema() -> Command {
    let names = SCHEMAS.map(|schema| PossibleValue::new(schema.name).help(schema.what));
    Command::new("schema")
        .about("Print the JSON Schema (draft-07) of a file s3sync reads or writes")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .value_parser(names)
                .help("What it describes"),
        )
}

fn explain() -> Command {
    let command = Command::new("explain")
        .about("Show every setting of a job, who said it, and what it overrode")
        .arg(
            Arg::new("job")
                .value_names(["FILE", "PAIR", "KEY"])
                .num_args(0..=3)
                .action(ArgAction::Append)
                .help("A job file (without one, the job the environment says), one of its pairs, one option"),
        )
        .arg(
            Arg::new("changed")
                .long("changed")
                .action(ArgAction::SetTrue)
                .help("Only what is not the default"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["text", "toml", "json"])
                .help("text, a job file that runs to the same job, or JSON [default: text]"),
        );
    with_options(command)
}

fn init() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    Command::new("init")
        .about("Print a job file: one with every option in a comment, or one made of an s3sync 1.x command line")
        .arg(switch("from-cli", "Convert the command line after --").conflicts_with("from-env"))
        .arg(switch("from-env", "Convert the variables s3sync 1.x read; SOURCE and TARGET after --"))
        .arg(Arg::new("words").value_name("WORDS").num_args(0..).last(true).help("The command line to convert"))
}

/// Known so that nobody takes it for a directory; whatever follows, it is refused.
#[cfg(not(feature = "lua"))]
fn without_lua() -> Command {
    Command::new("lua").hide(true).disable_help_flag(true).arg(
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
        let row = row_of(&format!("{}.url", name.to_lowercase()));
        Arg::new(name).help(row.map_or_else(String::new, |row| sentence(row.help)))
    };
    command
        .arg(side("SOURCE"))
        .arg(side("TARGET").requires("SOURCE"))
}

/// `--emit-job`, for commands that would run something.
fn with_emit(command: Command) -> Command {
    command.arg(
        Arg::new("emit-job")
            .long("emit-job")
            .action(ArgAction::SetTrue)
            .help_heading("General")
            .help("Print the job file that says the same, and run nothing"),
    )
}

/// Every flag of the table, and `--set` for what has none.
pub(super) fn with_options(command: Command) -> Command {
    let command = command.arg(
        Arg::new("set")
            .long("set")
            .value_name("PATH=VALUE")
            .action(ArgAction::Append)
            .help_heading("General")
            .help("Say any option by its path in a job file, also of one pair: pairs.NAME.PATH=VALUE; may be repeated"),
    );
    with_options_of(command, |_| true)
}

/// The flags of some options, by their paths.
pub(super) fn with_options_of(mut command: Command, takes: fn(&str) -> bool) -> Command {
    for row in OPTIONS.iter().filter(|row| takes(row.path)) {
        for (number, flag) in row.flags.iter().enumerate() {
            command = command.arg(argument(row, number, flag));
        }
    }
    command
}

fn argument(row: &'static OptionRow, number: usize, flag: &Flag) -> Arg {
    let arg = Arg::new(flag.name())
        .long(flag.name())
        .help_heading(row.heading);
    match flag {
        Flag::Value(_) if row.kind.is_list() => arg
            .value_name(placeholder(row))
            .action(ArgAction::Append)
            .help(sentence(&format!("{}; may be repeated", row.help))),
        Flag::Value(_) => arg.value_name(placeholder(row)).help(help(row)),
        Flag::Millis(_) => arg.value_name("MILLISECONDS").help(help(row)),
        Flag::File(_) => arg
            .value_name("FILE")
            .help(sentence(&format!("{}, read from a file", row.help))),
        Flag::SaysWith(_, value, other) => {
            let words = row_of(other).map_or_else(String::new, words);
            let meaning = row.meaning(value).unwrap_or(row.help);
            arg.value_name("ALGORITHM")
                .help(sentence(&format!("{meaning}{words}")))
        }
        Flag::Says(_, value) => {
            let arg = arg
                .action(ArgAction::SetTrue)
                // of a flag and its opposite the first is shown
                .hide(number > 0 && row.meaning(value).is_none())
                .help(match (*value, row.meaning(value)) {
                    (_, Some(meaning)) => sentence(meaning),
                    ("true", None) => sentence(row.help),
                    ("false", None) => sentence(&format!("do not {}", row.help)),
                    (value, None) => sentence(&format!("{} [this flag: {value}]", row.help)),
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

fn help(row: &OptionRow) -> String {
    let words = words(row);
    match row.default {
        Some(default) => sentence(&format!("{} [default: {default}]{words}", row.help)),
        None => sentence(&format!("{}{words}", row.help)),
    }
}

/// The words an option takes, for its help.
fn words(row: &OptionRow) -> String {
    match row.kind {
        Kind::Word(words) => format!(" [possible values: {}]", words.join(", ")),
        _ => String::new(),
    }
}

fn row_of(path: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.path == path)
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
        Kind::Word { .. } if row.path.ends_with("algorithm") => "ALGORITHM",
        Kind::Word { .. } => "WORD",
        Kind::Text | Kind::Header | Kind::Redirect | Kind::Words(_) => "TEXT",
        Kind::Time => "TIME",
        Kind::Regexes => "REGEX",
        Kind::Globs => "GLOB",
        Kind::Program | Kind::Hooks => "PROGRAM",
        Kind::Metadata | Kind::Variables => "K=V,…",
        Kind::Tags => "K=V&…",
        Kind::Name | Kind::Pairs => "NAME",
        Kind::Path if matches!(row.path, "sandbox.dir" | "report.dir") => "DIR",
        Kind::Path | Kind::Files => "PATH",
        Kind::Location | Kind::Endpoint => "URL",
        Kind::Secret | Kind::SecretKey => "KEY",
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
    fn help_shows_every_way_to_compare_and_what_each_takes() {
        let mut program = build();
        for name in ["run", "sync", "check"] {
            let command = program.find_subcommand_mut(name).expect("a command");
            let help = command.render_help().to_string();
            let row = row_of("check.mode").expect("an option");
            for flag in row.flags {
                let line = help.lines().find(|line| {
                    line.split_whitespace().next() == Some(&format!("--{}", flag.name()))
                });
                assert!(line.is_some(), "{name}: --{} in\n{help}", flag.name());
            }
            for word in ["XXHASH128", "aws:kms:dsse"] {
                assert!(help.contains(word), "{name}: {word}");
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
            &[],
        ] {
            let error = parse(wrong).expect_err("wrong");
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
    }
}
