//! `report verify RUN`: is the proof still whole, and does it still hold?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::{asked_run, format, is_json, show, switch, which_run};
use crate::cli::{command, log, process};
use crate::config::{self, Environment, FlagValues, Job};
use crate::job::{self, ProvedRun, Standing, Standings, Told};
use crate::report::schema::Report;
use crate::report::{ExitCode, PastRun, Repeats, Stream, audit_evidence, standing_line};

pub(super) fn command() -> Command {
    let command = Command::new("verify")
        .about("Check a run's evidence, and ask its targets whether what it proves still holds")
        .override_usage("s3sync report verify [OPTIONS] RUN")
        .after_help(
            "Without --job, the targets are asked with the settings the run had: its job file is loaded again, or for a run without one what it recorded. Credentials come from where a run has them.\n\nExit codes:\n  0 everything holds   1 it could not be verified   2 usage or job file\n  3 something no longer holds, or was never proved",
        )
        .arg(which_run())
        .arg(switch(
            "offline",
            "Only hold the evidence against its digest, and ask nobody",
        ))
        .arg(format("How it is told: text, or one JSON object per line"));
    command::with_options(command)
}

pub(super) fn run(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let run = match asked_run(matches, environment) {
        Ok(run) => run,
        Err(exit) => return Ok(exit),
    };
    let record = match show::read(&run) {
        Ok(record) => record,
        Err(told) => {
            Stream::Stderr.print(&told);
            return Ok(ExitCode::Failed);
        }
    };
    let tell = Tell {
        json: is_json(matches),
        all: matches.get_count("verbose") > 0,
    };
    let evidence = audit(&run, &record, tell);
    let broken = evidence.broken;
    let mut exit = if broken > 0 {
        ExitCode::Failed
    } else {
        ExitCode::Success
    };
    let standings = if matches.get_flag("offline") {
        None
    } else {
        let Some(job) = job_of(matches, environment, &run, &record) else {
            return Ok(ExitCode::Usage);
        };
        let proved = ProvedRun {
            record: record.clone(),
            directory: run.directory.clone(),
            evidence: evidence.whole,
        };
        match ask(job, &proved, tell)? {
            Ok(standings) => Some(standings),
            Err(error) => {
                Stream::Stderr.print(&format!("error: {error}"));
                return Ok(ExitCode::Failed);
            }
        }
    };
    if let Some(standings) = standings {
        exit = exit.worse(exit_of(&standings));
    }
    let transferred = record.totals.counts.transferred.total;
    let planned = if record.run.dry_run { transferred } else { 0 };
    let unsaid = transferred.saturating_sub(planned + evidence.arrivals);
    if unsaid > 0 && broken == 0 {
        tell.problem(&format!(
            "of {transferred} transferred objects {unsaid} have no line of evidence: with report.level = \"errors_only\" none is written"
        ));
        exit = exit.worse(ExitCode::Failed);
    }
    tell.summary(&run, &record, broken, evidence.lines, standings.as_ref());
    Ok(exit)
}

/// What was found out about the evidence of all pairs.
#[derive(Default)]
struct Audited {
    whole: BTreeMap<String, Repeats>,
    broken: u64,
    lines: u64,
    arrivals: u64,
}

fn audit(run: &PastRun, record: &Report, tell: Tell) -> Audited {
    let mut audited = Audited::default();
    for pair in &record.pairs {
        let Some(file) = &pair.evidence else {
            continue;
        };
        let found = audit_evidence(&run.directory, &pair.name, file);
        audited.lines += found.lines;
        audited.arrivals += found.arrivals;
        if found.faults.is_empty() {
            audited.whole.insert(pair.name.clone(), found.repeats);
        } else {
            audited.broken += 1;
            let path = run.directory.join(&file.path);
            tell.broken(&pair.name, &path, &found.faults);
        }
    }
    audited
}

fn exit_of(standings: &Standings) -> ExitCode {
    if standings.unknown + standings.unasked_pairs > 0 {
        ExitCode::Failed
    } else if standings.changed + standings.missing + standings.unproved > 0 {
        ExitCode::Warning
    } else {
        ExitCode::Success
    }
}

/// The job whose targets are asked; what is wrong with it was told.
fn job_of(
    matches: &ArgMatches,
    environment: &Environment,
    run: &PastRun,
    record: &Report,
) -> Option<Job> {
    let mut flags = command::flag_values(matches);
    let recorded = recorded(run);
    if let Some(dir) = recorded.as_ref().and_then(sandbox_of)
        && !says_sandbox(matches)
    {
        // a rehearsal is verified where it was rehearsed, and nowhere else
        flags.set(format!("sandbox.dir={dir}"));
    }
    match load(matches, environment, &flags, recorded, record)? {
        Ok(job) => Some(job),
        Err(problems) => {
            Stream::Stderr.print(&problems.to_string());
            None
        }
    }
}

type Loaded = Result<Job, config::Problems>;

fn load(
    matches: &ArgMatches,
    environment: &Environment,
    flags: &FlagValues,
    recorded: Option<Value>,
    record: &Report,
) -> Option<Loaded> {
    if let Some(file) = matches.get_one::<String>("job") {
        return Some(config::load_file(Path::new(file), environment, flags));
    }
    if let Some(file) = &record.config.origin {
        if Path::new(file).is_file() {
            return Some(config::load_file(Path::new(file), environment, flags));
        }
        Stream::Stderr.print(&format!(
            "warning: the job file `{file}` is not there: the settings are those the run recorded\n  = --job names another"
        ));
    }
    let Some(recorded) = recorded else {
        Stream::Stderr.print(
            "error: the run has not recorded its settings: its resolved.json cannot be read\n  = name its job file with --job",
        );
        return None;
    };
    Some(config::from_record(&recorded, environment, flags))
}

/// What the run has recorded of its settings.
fn recorded(run: &PastRun) -> Option<Value> {
    let bytes = fs::read(run.directory.join("resolved.json")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The sandbox the run was rehearsed in, if it was.
fn sandbox_of(recorded: &Value) -> Option<String> {
    let dir = recorded.get("job")?.get("sandbox.dir")?.get("value")?;
    dir.as_str().map(str::to_owned)
}

fn says_sandbox(matches: &ArgMatches) -> bool {
    let by_flag = matches.value_source("sandbox") == Some(ValueSource::CommandLine);
    let mut set = command::texts(matches, "set").into_iter();
    by_flag || set.any(|assignment| assignment.starts_with("sandbox.dir="))
}

fn ask(job: Job, run: &ProvedRun, tell: Tell) -> anyhow::Result<Result<Standings, String>> {
    let runtime = process::runtime().context("start the runtime")?;
    log::start(&job.log, Stream::Stderr, false, false);
    let standings = runtime.block_on(job::reverify(job, run, |told| tell.told(&told)));
    // whoever never answered must not keep the process
    runtime.shutdown_background();
    Ok(standings)
}

/// How it is told.
#[derive(Debug, Clone, Copy)]
struct Tell {
    json: bool,
    /// What holds as well.
    all: bool,
}

impl Tell {
    fn told(self, told: &Told<'_>) {
        match told {
            Told::Warning(message) => Stream::Stderr.print(&format!("warning: {message}")),
            Told::Unasked { pair, why } => self.problem(&format!("pair {pair}: {why}")),
            Told::Object {
                standing: Standing::Holds,
                ..
            } if !self.all => {}
            Told::Object {
                pair,
                key,
                standing,
            } if self.json => {
                let object = json!({
                    "type": "object",
                    "pair": pair,
                    "key": key,
                    "standing": standing.as_str(),
                    "why": standing.why(),
                });
                Stream::Stdout.print(&object.to_string());
            }
            Told::Object {
                pair,
                key,
                standing,
            } => {
                let line = standing_line(standing.as_str(), pair, key, standing.why());
                Stream::Stdout.print(&line);
            }
        }
    }

    fn problem(self, message: &str) {
        if self.json {
            let object = json!({ "type": "problem", "message": message });
            Stream::Stdout.print(&object.to_string());
        } else {
            Stream::Stderr.print(&format!("error: {message}"));
        }
    }

    fn broken(self, pair: &str, path: &Path, faults: &[String]) {
        if self.json {
            let object = json!({
                "type": "evidence", "pair": pair, "path": path.display().to_string(), "faults": faults,
            });
            Stream::Stdout.print(&object.to_string());
            return;
        }
        let faults = faults.join("\n  = ");
        Stream::Stderr.print(&format!(
            "error: the evidence of the pair {pair} is not what the run wrote\n --> {}\n  = {faults}",
            path.display()
        ));
    }

    fn summary(
        self,
        run: &PastRun,
        record: &Report,
        broken: u64,
        lines: u64,
        standings: Option<&Standings>,
    ) {
        if self.json {
            let asked = standings.map(|it| {
                json!({
                    "objects": it.total(),
                    "holds": it.holds,
                    "unproved": it.unproved,
                    "changed": it.changed,
                    "missing": it.missing,
                    "unknown": it.unknown,
                    "unasked_pairs": it.unasked_pairs,
                })
            });
            let object = json!({
                "type": "summary",
                "run": record.run.id,
                "job": record.run.job,
                "evidence": { "lines": lines, "broken_files": broken },
                "target": asked,
            });
            Stream::Stdout.print(&object.to_string());
            return;
        }
        let evidence = match broken {
            0 => format!("evidence of {lines} lines as it was written"),
            _ => "evidence broken".to_owned(),
        };
        let asked = standings.map_or_else(
            || ", targets not asked".to_owned(),
            |it| {
                let unasked = match it.unasked_pairs {
                    0 => String::new(),
                    many => format!(", {many} pairs not asked to the end"),
                };
                format!(
                    ", {} objects: {} hold, {} unproved, {} changed, {} missing, {} unknown{unasked}",
                    it.total(),
                    it.holds,
                    it.unproved,
                    it.changed,
                    it.missing,
                    it.unknown
                )
            },
        );
        let note = if record.run.command == "check" {
            " (a check: it moved nothing)"
        } else if record.run.dry_run {
            " (a dry run: it moved nothing)"
        } else {
            ""
        };
        Stream::Stdout.print(&format!(
            "{}  run {}{note}: {evidence}{asked}",
            record.run.job,
            run.short_id()
        ));
    }
}
