//! `schema NAME`: a JSON Schema on stdout.

use clap::ArgMatches;
use serde_json::Value;

use crate::config::job_schema;
use crate::report::{
    ExitCode, Stream, deletions_schema, evidence_schema, history_schema, report_schema,
};

/// One schema that can be asked for.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: &'static str,
    /// What it describes.
    pub(super) what: &'static str,
    make: fn() -> Value,
}

/// All of them.
pub(super) const SCHEMAS: [Named; 5] = [
    Named {
        name: "job",
        what: "A job file",
        make: job_schema,
    },
    Named {
        name: "report",
        what: "report.json of a run",
        make: report_schema,
    },
    Named {
        name: "evidence",
        what: "A line of a pair's evidence",
        make: evidence_schema,
    },
    Named {
        name: "deletions",
        what: "A line of a pair's delete plan",
        make: deletions_schema,
    },
    Named {
        name: "history",
        what: "A line of a job's history",
        make: history_schema,
    },
];

/// Prints the schema that was asked for.
pub(super) fn print(matches: &ArgMatches) -> ExitCode {
    let asked = matches.get_one::<String>("name").map(String::as_str);
    let found = SCHEMAS.iter().find(|schema| Some(schema.name) == asked);
    let schema = found.expect("clap lets only these names through");
    Stream::Stdout.print(&format!("{:#}", (schema.make)()));
    ExitCode::Success
}
