//! `report show RUN`: one run in full.

use std::fs;
use std::path::Path;

use clap::{ArgMatches, Command};

use super::{asked_run, format, is_json, switch, which_run};
use crate::config::Environment;
use crate::report::schema::{EvidenceFile, Report};
use crate::report::{
    EvidenceReader, ExitCode, Objects, PastRun, ReadLine, Stream, as_known, object_line, show,
};

pub(super) fn command() -> Command {
    Command::new("show")
        .about("Show one run: its table, and what an auditor asks beyond it")
        .arg(which_run())
        .arg(switch(
            "objects",
            "Show the lines of evidence instead, one for each object",
        ))
        .arg(switch("failed", "With --objects: only what failed").requires("objects"))
        .arg(
            switch(
                "unverified",
                "With --objects: only what arrived without a proof",
            )
            .requires("objects"),
        )
        .arg(format(
            "text, or JSON: the report, or its lines of evidence, as they were written",
        ))
}

pub(super) fn run(matches: &ArgMatches, environment: &Environment) -> ExitCode {
    let run = match asked_run(matches, environment) {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let record = match read(&run) {
        Ok(record) => as_known(record, &run),
        Err(told) => {
            Stream::Stderr.print(&told);
            return ExitCode::Failed;
        }
    };
    let json = is_json(matches);
    if matches.get_flag("objects") {
        let wanted = Objects {
            failed: matches.get_flag("failed"),
            unproved: matches.get_flag("unverified"),
        };
        return objects(&run, &record, wanted, json);
    }
    if json {
        Stream::Stdout.print(&format!("{:#}", serde_json::json!(record)));
    } else {
        let colour = Stream::Stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let path = run.report().display().to_string();
        Stream::Stdout.print(&show(&record, &path, colour));
    }
    ExitCode::Success
}

/// The report of a run, or in words why it cannot be read.
pub(super) fn read(run: &PastRun) -> Result<Report, String> {
    let path = run.report();
    let bytes = fs::read(&path).map_err(|error| {
        format!(
            "error: cannot read the report of run {}\n --> {}\n  = {error}",
            run.short_id(),
            path.display()
        )
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        format!(
            "error: the report of run {} is broken: {error}\n --> {}:{}:{}",
            run.short_id(),
            path.display(),
            error.line(),
            error.column()
        )
    })
}

/// All lines of evidence that are wanted, in the order of the pairs.
fn objects(run: &PastRun, record: &Report, wanted: Objects, json: bool) -> ExitCode {
    let files = record
        .pairs
        .iter()
        .filter_map(|pair| pair.evidence.as_ref());
    let mut exit = ExitCode::Success;
    for file in files {
        if let Err(told) = lines(&run.directory, file, wanted, json) {
            Stream::Stderr.print(&told);
            exit = ExitCode::Failed;
        }
    }
    exit
}

fn lines(directory: &Path, file: &EvidenceFile, wanted: Objects, json: bool) -> Result<(), String> {
    let path = directory.join(&file.path);
    let failed = |error| {
        format!(
            "error: cannot read the evidence: {error}\n --> {}",
            path.display()
        )
    };
    let mut reader = EvidenceReader::open(&path).map_err(failed)?;
    let mut is_complete = false;
    while let Some((number, line)) = reader.next_line().map_err(failed)? {
        match line {
            ReadLine::Claim(claim) if wanted.wants(&claim) => {
                if json {
                    Stream::Stdout.print(&String::from_utf8_lossy(reader.bytes()));
                } else {
                    Stream::Stdout.print(&object_line(&claim));
                }
            }
            ReadLine::Claim(_) => {}
            ReadLine::Trailer(_) => is_complete = true,
            ReadLine::Broken(why) => {
                return Err(format!(
                    "error: the evidence is broken: {why}\n --> {}:{number}",
                    path.display()
                ));
            }
        }
    }
    if is_complete {
        Ok(())
    } else {
        Err(format!(
            "error: the evidence has no trailer: it was cut off, or never completed\n --> {}",
            path.display()
        ))
    }
}
