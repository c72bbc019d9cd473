/*! What a run leaves behind: the run directory, its report and evidence, the words on the terminal
and the exit code.

A [`RunReport`] exists from the first second of a run. Every pair gets a [`PairReport`], whose
sinks count and write evidence; what the report says is read from the same counters that the table,
the progress and the exit code are made from.

Runs of the past are found in an [`Archive`], [listed](list()) and [shown](show()), and their evidence
is held against its digest ([`audit_evidence`]). What protects a proof is the SHA-256 in
`report.json`, which nothing protects: who needs evidence against those who can write the report
directory keeps a copy of `report.json`, or of its digests, elsewhere.
*/

mod abandoned;
mod archive;
mod check;
mod delete_plan;
mod directory;
mod evidence;
mod exit;
mod facts;
mod figures;
#[cfg(test)]
mod fuzz;
mod grid;
mod held;
mod history;
mod human;
mod job_directory;
mod list;
mod log;
#[cfg(feature = "cli")]
mod one_line;
mod output;
mod pair;
mod plan;
mod progress;
mod prune;
mod run;
mod run_log;
pub mod schema;
mod show;
mod status;
mod summary;
mod table;

pub use abandoned::{Abandoned, as_known};
pub use archive::{Archive, PastRun, Unnamed};
pub use check::{CheckForm, CheckOutput, CheckSettings, Combined, check_table};
pub use delete_plan::deletions_schema;
pub use directory::{ReportError, RunDirectory};
pub use evidence::{
    Claim, ClaimedComparison, ClaimedEnd, ClaimedError, ClaimedParts, ClaimedProof, Evidence,
    EvidenceAudit, EvidenceReader, ReadLine, Repeats, Scope, audit_evidence, evidence_schema,
};
pub use exit::ExitCode;
pub use facts::BUILD;
pub use held::{HeldFile, is_held};
pub use history::history_schema;
#[cfg(feature = "cli")]
pub(crate) use human::printable;
pub use job_directory::{JobDirectory, locks_directory};
pub use list::{Listed, list};
pub use log::{LogSink, log_check_summary, log_summary};
#[cfg(feature = "cli")]
pub use one_line::one_line;
pub use output::Stream;
pub use pair::PairReport;
pub use plan::{PairPlan, PlanFormat, PlanOutput, PlanSettings};
pub use progress::{Progress, Shown};
pub use prune::{Pruned, prune};
pub use run::{RunEnd, RunReport};
pub use run_log::{RunLog, RunLogWriter};
pub use schema::report_schema;
pub use show::{Objects, object_line, show, standing_line};
pub use status::Status;
pub use table::table;

use crate::event::locked;
