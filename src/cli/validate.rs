//! `validate FILE…`: everything that is wrong, and nothing run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;
use serde_json::json;

use super::job_files::JobFiles;
use super::{command, process};
use crate::config::{self, Environment, FlagValues, Job, Problems};
use crate::event::Side;
use crate::job::{self, PairHooks, Probed};
use crate::report::{ExitCode, Stream};
use crate::store::{Answer, Finding};

/// Checks each file with the environment and the flags it would run with; `--online` goes on to
/// ask the stores, when nothing is wrong so far.
pub(super) fn files(matches: &ArgMatches, environment: &Environment) -> anyhow::Result<ExitCode> {
    let flags = command::flag_values(matches);
    let names = command::texts(matches, "job");
    let format = matches.get_one::<String>("format");
    let tell = if format.is_some_and(|format| format == "json") {
        Tell::Json
    } else {
        Tell::Text
    };
    let JobFiles {
        files,
        mut refusals,
    } = if names.is_empty() {
        of_environment(environment, &flags)
    } else {
        JobFiles::load(&names, environment, &flags)
    };
    for (path, loaded) in &files {
        let scripts = loaded.as_ref().map(PairHooks::check).unwrap_or_default();
        if scripts.is_empty() {
            tell.file(path, loaded);
        }
        refusals.extend(scripts.iter().map(|error| format!("error: {error}")));
    }
    for refusal in &refusals {
        tell.refusal(refusal);
    }
    if !refusals.is_empty() || files.iter().any(|(_, loaded)| loaded.is_err()) {
        return Ok(ExitCode::Usage);
    }
    if !matches.get_flag("online") {
        return Ok(ExitCode::Success);
    }
    let runtime = process::runtime().context("start the runtime")?;
    let mut exit = ExitCode::Success;
    for (path, job) in files {
        let Ok(job) = job else { continue };
        match runtime.block_on(job::probe(job)) {
            Ok(probed) => {
                for probed in &probed {
                    if !tell.probed(&path, probed) {
                        exit = ExitCode::Failed;
                    }
                }
            }
            Err(error) => {
                tell.refusal(&format!("error: {}: {error}", path.display()));
                exit = ExitCode::Failed;
            }
        }
    }
    // whoever never answered must not keep the process
    runtime.shutdown_background();
    Ok(exit)
}

/// The job that variables say, under a name that is no file's.
fn of_environment(environment: &Environment, flags: &FlagValues) -> JobFiles {
    let job = config::from_environment(environment, flags);
    JobFiles {
        files: vec![(PathBuf::from("environment"), job)],
        refusals: Vec::new(),
    }
}

/// How it is told.
#[derive(Debug, Clone, Copy)]
enum Tell {
    /// What is well on stdout, what is wrong on stderr.
    Text,
    /// Everything on stdout, an object per line.
    Json,
}

impl Tell {
    fn file(self, path: &Path, loaded: &Result<Job, Problems>) {
        let path = path.display();
        match (self, loaded) {
            (Self::Text, Ok(job)) => {
                let pairs = job.pairs.len();
                let noun = if pairs == 1 { "pair" } else { "pairs" };
                Stream::Stdout.print(&format!(
                    "{path}: job {}, {pairs} {noun}: no problems",
                    job.name
                ));
                for note in job.resolved.notes() {
                    Stream::Stderr.print(&format!("warning: {note}"));
                }
            }
            (Self::Text, Err(problems)) => Stream::Stderr.print(&format!("{problems}\n\n")),
            (Self::Json, Ok(job)) => {
                let pairs = job.pairs.len();
                line(&json!({
                    "type": "file", "file": path.to_string(), "result": "fine",
                    "job": job.name, "pairs": pairs, "warnings": job.resolved.notes(),
                }));
            }
            (Self::Json, Err(problems)) => line(&json!({
                "type": "file", "file": path.to_string(), "result": "wrong",
                "problems": problems.to_json(),
            })),
        }
    }

    fn refusal(self, refusal: &str) {
        match self {
            Self::Text => Stream::Stderr.print(&format!("{refusal}\n\n")),
            Self::Json => line(&json!({"type": "refusal", "result": "wrong", "message": refusal})),
        }
    }

    /// Whether nothing is wrong with the side.
    fn probed(self, path: &Path, probed: &Probed) -> bool {
        let wrong = |finding: &&Finding| matches!(finding.answer, Answer::Wrong { .. });
        match self {
            Self::Text => text(path, probed),
            Self::Json => {
                for finding in &probed.findings {
                    line(&as_json(path, probed, finding));
                }
            }
        }
        !probed.findings.iter().any(|finding| wrong(&finding))
    }
}

/// One line of what is well, and a block for each thing that is not.
fn text(path: &Path, probed: &Probed) {
    let Probed {
        pair, url, side, ..
    } = probed;
    let side = side_word(*side);
    let path = path.display();
    let mut well = Vec::new();
    for finding in &probed.findings {
        match &finding.answer {
            Answer::Fine(words) | Answer::Unclear(words) => well.push(words.as_str()),
            Answer::Wrong { error, remedy } => {
                let remedy = if remedy.is_empty() {
                    String::new()
                } else {
                    format!("\n  = {remedy}")
                };
                Stream::Stderr.print(&format!(
                    "error: {error}\n --> {path}: pair {pair}, {side} {url}{remedy}\n\n"
                ));
            }
        }
    }
    if !well.is_empty() {
        Stream::Stdout.print(&format!(
            "{path}: pair {pair}, {side} {url}: {}",
            well.join("; ")
        ));
    }
}

fn as_json(path: &Path, probed: &Probed, finding: &Finding) -> serde_json::Value {
    let (result, message, code, remedy) = match &finding.answer {
        Answer::Fine(words) => ("fine", words.clone(), None, None),
        Answer::Unclear(words) => ("unclear", words.clone(), None, None),
        Answer::Wrong { error, remedy } => (
            "wrong",
            error.message.clone(),
            error.code.as_deref(),
            Some(remedy.as_str()).filter(|remedy| !remedy.is_empty()),
        ),
    };
    json!({
        "type": "probe", "file": path.display().to_string(), "pair": probed.pair,
        "side": side_word(probed.side), "url": probed.url, "asked": finding.asked,
        "result": result, "message": message, "code": code, "remedy": remedy,
    })
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Target => "target",
    }
}

fn line(value: &serde_json::Value) {
    Stream::Stdout.print(&value.to_string());
}
