//! `schema NAME`: a JSON Schema on stdout.

use clap::ArgMatches;
use serde_json::Value;

use crate::config::job_schema;
use crate::report::{ExitCode, Stream, evidence_schema, history_schema, report_schema};

/// The schemas there are, by name: what they describe, and how they are made.
pub(super) const SCHEMAS: [(&str, &str, fn() -> Value); 4] = [
    ("job", "A job file", job_schema),
    ("report", "report.json of a run", report_schema),
    ("evidence", "A line of a pair's evidence", evidence_schema),
    ("history", "A line of a job's history", history_schema),
];

/// Prints the schema that was asked for.
pub(super) fn print(matches: &ArgMatches) -> ExitCode {
    let asked = matches.get_one::<String>("name").map(String::as_str);
    let found = SCHEMAS.iter().find(|(name, ..)| Some(*name) == asked);
    let (.., schema) = found.expect("clap lets only these names through");
    Stream::Stdout.print(&format!("{:#}", schema()));
    ExitCode::Success
}
