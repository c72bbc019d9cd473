//! `lua check FILE`: a script tried on sample objects.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{command, log, process, run};
use crate::config::{self, Environment, read_size};
use crate::hook::{Candidate, EventKind};
use crate::lua::{Call, Kind, Sample, Trial, check};
use crate::object::{ETag, Entry, ObjectKey, Timestamp};
use crate::report::{ExitCode, Stream, printable};

/// What a script is tried on where nobody says it.
const SAMPLES: [(&str, u64); 3] = [
    ("readme.txt", 1 << 10),
    ("photos/2026/the beach.jpg", 4 << 20),
    ("logs/app.log.gz", 64 << 10),
];

/// The column of keys is not made wider for one of them.
const WIDEST: usize = 48;

/// The command, and what it takes.
pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let check = Command::new("check")
        .about("Load a script as a run would, and try it on sample objects")
        .arg(
            Arg::new("script")
                .value_name("FILE")
                .required(true)
                .help("The script"),
        )
        .arg(
            option(
                "kind",
                "KIND",
                "What it is for [default: what the functions it has are for]",
            )
            .value_parser(Kind::ALL.map(Kind::as_str)),
        )
        .arg(
            option(
                "key",
                "KEY",
                "The key of a sample; may be repeated [default: three of different kinds]",
            )
            .action(ArgAction::Append),
        )
        .arg(option("size", "SIZE", "The size of the samples, such as 4MiB").value_parser(size))
        .arg(option(
            "last-modified",
            "TIME",
            "When they were changed [default: now]",
        ))
        .arg(option("etag", "ETAG", "Their ETag"))
        .arg(option("version-id", "ID", "Their version"))
        .arg(
            option(
                "event",
                "NAME",
                "An event it hears about each sample, such as SYNC_COMPLETE; may be repeated \
                 [default: one of each kind, about the first]",
            )
            .hide_possible_values(true)
            .value_parser(EventKind::ALL.map(EventKind::as_str))
            .action(ArgAction::Append),
        )
        .arg(
            option(
                "metadata",
                "K=V",
                "User metadata of the samples; may be repeated",
            )
            .action(ArgAction::Append),
        );
    Command::new("lua")
        .about("Try scripts without running a job")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(command::with_options_of(check, is_limit))
}

/// Whether an option says what a script may do.
fn is_limit(path: &str) -> bool {
    path.starts_with("lua.") && !path.ends_with("_script")
}

/// Loads a script, calls it, and says what came of it.
pub(super) fn dispatch(
    matches: &ArgMatches,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let Some(("check", matches)) = matches.subcommand() else {
        unreachable!("clap asks for it");
    };
    let samples = match samples(matches) {
        Ok(samples) => samples,
        Err(error) => {
            Stream::Stderr.print(&format!("error: {error:#}"));
            return Ok(ExitCode::Usage);
        }
    };
    // the limits are those of a pair, wherever they are said
    let flags = command::flag_values_of(matches, is_limit);
    let pair = config::adhoc("/", "s3://sample/", environment, &flags);
    let Some(job) = run::of_one(pair).and_then(|jobs| jobs.into_iter().next()) else {
        return Ok(ExitCode::Usage);
    };
    let settings = &job.pairs.first().context("a pair")?.lua;
    let asked = matches.get_one::<String>("kind");
    let names = command::texts(matches, "event");
    let is_asked = |kind: &EventKind| names.contains(&kind.as_str());
    let trial = Trial {
        kind: (Kind::ALL.into_iter())
            .find(|kind| asked.is_some_and(|asked| asked == kind.as_str()))
            .or_else(|| (!names.is_empty()).then_some(Kind::Event)),
        samples,
        events: EventKind::ALL.into_iter().filter(is_asked).collect(),
    };
    let path = matches.get_one::<String>("script").context("a script")?;
    // what it prints is what somebody wants to see
    log::start(&job.log, Stream::Stderr, true, false);
    let runtime = process::runtime().context("start the runtime")?;
    let checked = runtime.block_on(check(Path::new(path), settings, &trial));
    runtime.shutdown_background();
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => {
            Stream::Stderr.print(&format!("error: {error}"));
            return Ok(ExitCode::Usage);
        }
    };
    let functions: Vec<&str> = checked.kinds.iter().map(|kind| kind.function()).collect();
    Stream::Stdout.print(&format!(
        "{path}: {}, sha256 {}",
        functions.join(", "),
        checked.sha256
    ));
    let mut exit = ExitCode::Success;
    let abouts = checked.calls.iter().map(|call| printable(&call.about));
    let abouts: Vec<String> = abouts.collect();
    let width = abouts.iter().map(|about| about.chars().count()).max();
    let width = width.unwrap_or_default().min(WIDEST);
    for (call, about) in checked.calls.iter().zip(&abouts) {
        if call.result.is_err() {
            exit = ExitCode::Failed;
        }
        Stream::Stdout.print(&line(call, &format!("{about:<width$}")));
    }
    Ok(exit)
}

/// One call as a line: function, time, what it was about, result.
fn line(call: &Call, about: &str) -> String {
    let result = match &call.result {
        Ok(words) => words.clone(),
        Err(error) => format!("error: {error}"),
    };
    format!(
        "{:<10}  {:>9}  {about}  {result}",
        call.kind.as_str(),
        duration(call.took),
    )
}

fn size(text: &str) -> Result<u64, String> {
    read_size(text).ok_or_else(|| "write it like 1000, 64KiB or 4MiB".to_owned())
}

fn duration(took: Duration) -> String {
    match took.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros => format!("{} ms", micros / 1000),
    }
}

fn samples(matches: &ArgMatches) -> anyhow::Result<Vec<Sample>> {
    let text = |name| matches.get_one::<String>(name).map(String::as_str);
    let modified = match text("last-modified") {
        Some(text) => Timestamp::parse(text)?,
        None => Timestamp::now(),
    };
    let mut metadata = Vec::new();
    for pair in command::texts(matches, "metadata") {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("`--metadata {pair}` has no `=`");
        };
        metadata.push((name.to_owned(), value.to_owned()));
    }
    let size = matches.get_one::<u64>("size").copied();
    let keys = command::texts(matches, "key");
    let named: Vec<(&str, u64)> = if keys.is_empty() {
        SAMPLES.to_vec()
    } else {
        keys.into_iter().map(|key| (key, SAMPLES[0].1)).collect()
    };
    named
        .into_iter()
        .map(|(key, usual)| {
            let entry = Entry {
                key: ObjectKey::new(key).with_context(|| format!("--key {key}"))?,
                size: size.unwrap_or(usual),
                modified,
                etag: text("etag").map(ETag::parse),
                version: text("version-id").map(Into::into),
                storage_class: None,
                checksum: None,
            };
            Ok(Sample {
                candidate: Candidate::from(&entry),
                metadata: metadata.clone(),
            })
        })
        .collect()
}
