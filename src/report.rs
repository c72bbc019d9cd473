/*! What a run leaves behind: the run directory, its report and evidence, the words on the terminal
and the exit code.

A [`RunReport`] exists from the first second of a run. Every pair gets a [`PairReport`], whose
sinks count and write evidence; what the report says is read from the same counters that the table,
the progress and the exit code are made from.
*/

mod check;
mod directory;
mod evidence;
mod exit;
mod facts;
mod figures;
mod grid;
mod history;
mod human;
mod log;
#[cfg(feature = "cli")]
mod one_line;
mod output;
mod pair;
mod plan;
mod progress;
mod run;
pub mod schema;
mod status;
mod summary;
mod table;

pub use check::{CheckForm, CheckOutput, CheckSettings, Combined, check_table};
pub use directory::{ReportError, RunDirectory};
pub use evidence::{Evidence, Scope, evidence_schema};
pub use exit::ExitCode;
pub use facts::BUILD;
pub use history::history_schema;
pub use log::{LogSink, log_check_summary, log_summary};
#[cfg(feature = "cli")]
pub use one_line::one_line;
pub use output::Stream;
pub use pair::PairReport;
pub use plan::{PairPlan, PlanFormat, PlanOutput, PlanSettings};
pub use progress::{Progress, Shown};
pub use run::{RunEnd, RunReport};
pub use schema::report_schema;
pub use status::Status;
pub use table::table;

use crate::event::locked;
