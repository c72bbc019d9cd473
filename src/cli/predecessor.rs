/*! The predecessor's command lines, held against our parser and our checks.

The tables in `tests/fixtures/predecessor/` say what s3sync 1.62.4 does, every line of it found by
running it: its flags, the examples of its documentation, the values it takes, and the flags it
refuses together. Where we differ on purpose the line says so, and why.
*/

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use clap::Command;
use clap::error::ErrorKind;
use tempfile::TempDir;

use super::command;
use crate::config::{self, Environment};

const FLAGS: &str = include_str!("../../tests/fixtures/predecessor/flags.txt");
const EXAMPLES: &str = include_str!("../../tests/fixtures/predecessor/examples.txt");
const VALUES: &str = include_str!("../../tests/fixtures/predecessor/values.txt");
const CONFLICTS: &str = include_str!("../../tests/fixtures/predecessor/conflicts.txt");

#[test]
fn every_flag_has_its_spelling_and_its_arity() {
    let command = command::build();
    let sync = command.find_subcommand("sync").expect("sync");
    let mut wrong = Vec::new();
    for [flag, letter, takes_value, _] in rows(FLAGS) {
        for command in [&command, sync] {
            let name = flag.trim_start_matches('-');
            let Some(arg) = command
                .get_arguments()
                .find(|arg| arg.get_long() == Some(name))
            else {
                wrong.push(format!("{flag}: `{}` has no such flag", command.get_name()));
                continue;
            };
            if arg.get_action().takes_values() != (takes_value == "yes") {
                wrong.push(format!("{flag}: a value? {takes_value}"));
            }
            if arg.get_short() != letter.chars().nth(1) {
                wrong.push(format!("{flag}: its letter is {letter:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_documented_example_is_understood() {
    let (place, command) = (Place::new(), command::build());
    let mut wrong = Vec::new();
    for [example, ours, why] in rows(EXAMPLES) {
        let words: Vec<&str> = example.split_whitespace().skip(1).collect();
        for form in [&words[..], &[&["sync"], &words[..]].concat()] {
            let verdicts = ("accepted", ours, why);
            expect(
                &place,
                &command,
                form,
                verdicts,
                &form.join(" "),
                &mut wrong,
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_value_is_taken_or_refused_as_it_was() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for [flag, value, theirs, ours, why] in rows(VALUES) {
        let typed = format!("{flag}={value}");
        let mut words: Vec<&str> = sides(way(flag)).to_vec();
        words.push(&typed);
        // what it cannot be without
        words.extend(&said_with(flag)[2..]);
        let verdicts = (theirs, ours, why);
        expect(
            &place,
            &SYNC,
            &words,
            verdicts,
            &format!("{flag} {value:?}"),
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn flags_are_refused_together_as_they_were() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for [ways, flags, theirs, ours, why] in rows(CONFLICTS) {
        for way in ways.split(' ') {
            let words = command_line(way, flags);
            let verdicts = (theirs, ours, why);
            expect(
                &place,
                &SYNC,
                &words,
                verdicts,
                &format!("{way} {flags}"),
                &mut wrong,
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What no line of the table refuses, alone or as a part of it, is accepted: every flag between any
/// two sides, and between buckets any two of the flags that conflict with others.
#[test]
fn nothing_else_is_refused() {
    let place = Place::new();
    let mut wrong = Vec::new();
    let mut accept = |way: &str, said: &[&str]| {
        let words = [&sides(way), said].concat();
        if let Err(problems) = place.judge(&SYNC, &words) {
            wrong.push(format!("{way} {}: {}", said.join(" "), problems.join("; ")));
        }
    };
    for [flag, ..] in rows::<4>(FLAGS) {
        for way in ["LS", "SL", "SS"] {
            if !is_refused(way, &said_with(flag)) {
                accept(way, &said_with(flag));
            }
        }
    }
    for together in all_pairs_that_fit() {
        accept("SS", &together);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Command lines that hold, between them, any two flags that conflict with others but not with
/// each other; as many flags in each as go together.
fn all_pairs_that_fit() -> Vec<Vec<&'static str>> {
    let conflicts = rows::<5>(CONFLICTS).filter(|[_, flags, ..]| flags.matches("--").count() > 1);
    let conflicting: Vec<&str> = conflicts
        .flat_map(|[_, flags, ..]| flags.split(' '))
        .collect();
    let flags: Vec<&str> = rows::<4>(FLAGS)
        .map(|[flag, ..]| flag)
        .filter(|flag| conflicting.contains(flag))
        .collect();
    let mut covered = BTreeSet::new();
    let mut lines = Vec::new();
    for one in &flags {
        for other in &flags {
            let Some(mut line) = with(said_with(one), other) else {
                continue;
            };
            if one == other || !covered.insert([*one, *other]) {
                continue;
            }
            for more in &flags {
                line = with(line.clone(), more).unwrap_or(line);
            }
            let on_it = || flags.iter().copied().filter(|flag| line.contains(flag));
            covered.extend(on_it().flat_map(|one| on_it().map(move |other| [one, other])));
            lines.push(line);
        }
    }
    lines
}

/// A command line with one more flag and what that cannot be without, if they go together.
fn with(mut line: Vec<&'static str>, flag: &'static str) -> Option<Vec<&'static str>> {
    let more = said_with(flag);
    let mut at = 0;
    while at < more.len() {
        let end = (at + 1..more.len()).find(|at| more[*at].starts_with("--"));
        let said = &more[at..end.unwrap_or(more.len())];
        match line.iter().position(|word| *word == said[0]) {
            // said already, but otherwise
            Some(place) if !line[place..].starts_with(said) => return None,
            Some(_) => {}
            None => line.extend(said),
        }
        at += said.len();
    }
    (!is_refused("SS", &line)).then_some(line)
}

/// Notes a line that is not judged as the table has it.
fn expect(
    place: &Place,
    command: &Command,
    words: &[&str],
    (theirs, ours, why): (&str, &str, &str),
    row: &str,
    wrong: &mut Vec<String>,
) {
    assert!(
        ["accepted", "refused"].contains(&theirs),
        "{row}: {theirs:?}"
    );
    let differs = !ours.is_empty();
    assert!(
        !differs || ours != theirs && !why.is_empty(),
        "{row}: differs without a reason"
    );
    let expected = if differs { ours } else { theirs };
    match (expected, place.judge(command, words)) {
        ("accepted", Err(problems)) => {
            wrong.push(format!("{row}: refused: {}", problems.join("; ")));
        }
        ("refused", Ok(())) => wrong.push(format!("{row}: accepted")),
        _ => {}
    }
}

/// `sync` alone: the plain form has the same flags, and takes longer to build.
static SYNC: LazyLock<Command> = LazyLock::new(|| {
    let command = command::build();
    command.find_subcommand("sync").expect("sync").clone()
});

/// A directory with what the tables name.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("dir")).expect("a directory");
        let script = "function filter() return true end\nfunction on_event() end\nfunction preprocess_callback(a, b) return true, b end\n";
        for (name, content) in [
            ("dir/a", "a"),
            ("file", "a"),
            ("script.lua", script),
            ("broken.lua", "function ("),
        ] {
            fs::write(dir.path().join(name), content).expect("a file");
        }
        Self(dir)
    }

    /// What is wrong with a command line.
    fn judge(&self, command: &Command, words: &[&str]) -> Result<(), Vec<String>> {
        let words = [&["s3sync"], words].concat();
        let matches = match command.clone().try_get_matches_from(words) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => return Ok(()),
            Err(error) => {
                let text = error.to_string();
                return Err(vec![text.lines().next().unwrap_or_default().to_owned()]);
            }
        };
        let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
        let side = |name| matches.get_one::<String>(name).map(String::as_str);
        let Some((source, target)) = side("SOURCE").zip(side("TARGET")) else {
            return Ok(());
        };
        let environment = Environment::new([], self.0.path());
        let flags = command::flag_values(matches);
        let Err(problems) = config::adhoc(source, target, &environment, &flags) else {
            return Ok(());
        };
        let text = problems.to_string();
        let errors = text.lines().filter_map(|line| line.strip_prefix("error: "));
        Err(errors.map(str::to_owned).collect())
    }
}

/// A source and a target: `L` a directory, `S` a bucket, `X` a directory bucket, `F` a file, `N`
/// nothing that is there.
fn sides(way: &str) -> [&'static str; 2] {
    let source = match &way[..1] {
        "L" => "dir",
        "F" => "file",
        "N" => "nowhere",
        "X" => "s3://source--use1-az4--x-s3/p/",
        _ => "s3://source/p/",
    };
    let target = match &way[1..] {
        "L" => "down",
        "X" => "s3://target--use1-az4--x-s3/p/",
        _ => "s3://target/p/",
    };
    [source, target]
}

/// A source, a target and flags.
fn command_line<'a>(way: &str, flags: &'a str) -> Vec<&'a str> {
    sides(way)
        .into_iter()
        .chain(flags.split_whitespace())
        .collect()
}

/// The first way between two sides on which a flag may be said.
fn way(flag: &str) -> &'static str {
    let said = said_with(flag);
    let ways = ["SS", "LS", "SL"];
    let is_open = |way: &&str| !is_refused(way, &said);
    ways.into_iter().find(is_open).expect("a way")
}

/// Whether a line of the table refuses what is said, or a part of it that can stand alone.
fn is_refused(way: &str, said: &[&str]) -> bool {
    static REFUSED: LazyLock<Vec<(Vec<&str>, Vec<&str>)>> = LazyLock::new(|| {
        let refused = rows(CONFLICTS).filter(|[_, flags, theirs, ours, _]| {
            let verdict = if ours.is_empty() { theirs } else { ours };
            *verdict == "refused" && !flags.is_empty()
        });
        let split = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
        let refused = refused.map(|[ways, flags, ..]| (split(ways), split(flags)));
        refused.filter(|(_, words)| stands_alone(words)).collect()
    });
    REFUSED
        .iter()
        .any(|(ways, words)| ways.contains(&way) && words.iter().all(|word| said.contains(word)))
}

/// Whether flags have what they cannot be without.
fn stands_alone(words: &[&str]) -> bool {
    let is_flag = |word: &&str| word.starts_with("--");
    let flags = words.iter().copied().filter(|word| is_flag(word));
    let mut needed = flags.flat_map(said_with).filter(is_flag);
    needed.all(|flag| words.contains(&flag))
}

/// A flag as it can stand alone, with its value and what it cannot be without.
fn said_with(flag: &str) -> Vec<&'static str> {
    let row = rows::<4>(FLAGS).find(|row| row[0] == flag);
    row.map_or_else(Vec::new, |row| row[3].split_whitespace().collect())
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#")
}

/// The rows of a table; columns that are left out at the end are empty.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    lines(table).map(|line| {
        let mut row = [""; N];
        let mut columns = line.splitn(N, '|');
        for cell in &mut row {
            *cell = columns.next().unwrap_or_default().trim();
        }
        row
    })
}
