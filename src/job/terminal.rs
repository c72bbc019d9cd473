//! What a run shows while it goes on, and its last words.

use std::path::Path;

use super::{Purpose, RunOptions};
use crate::config::{Job, Origin};
use crate::report::{CheckForm, CheckOutput, Shown, Stream, check_table, schema, table};

/// A bar where somebody watches, log records otherwise.
pub(super) fn progress_shown(job: &Job, options: &RunOptions) -> Option<Shown> {
    if options.silent || !options.progress || !job.log.progress || is_recorded(options) {
        None
    } else if matches!(options.purpose, Purpose::Plan(_)) && Stream::Stdout.is_terminal() {
        // its lines are progress enough
        None
    } else if Stream::Stderr.is_terminal() && !job.log.json {
        Some(Shown::Bar)
    } else {
        Some(Shown::Records)
    }
}

/// The table on standard output, or the one line of a single ad-hoc pair. JSON logs are for
/// machines: nothing is added to them.
pub(super) fn last_words(
    job: &Job,
    options: &RunOptions,
    report: &schema::Report,
    path: &Path,
    check: Option<&CheckOutput>,
) {
    if is_recorded(options) {
        // the last record is the sum
        return;
    }
    let path = path.display().to_string();
    tracing::info!(report = path, "report written");
    if job.log.json || options.silent {
        return;
    }
    if let Some(check) = check {
        let stream = if check.has_taken_stdout() {
            Stream::Stderr
        } else {
            Stream::Stdout
        };
        let colour = job.log.color && stream.is_terminal();
        stream.print(&check_table(report, &path, colour));
        return;
    }
    if is_ad_hoc(job, options) {
        if options.progress && job.log.progress {
            Stream::Stdout.print(&final_line(report));
        }
        return;
    }
    let colour = job.log.color && Stream::Stdout.is_terminal();
    Stream::Stdout.print(&table(report, &path, colour));
}

/// Whether a check is told in records of the log, and nothing else is to stand among them.
fn is_recorded(options: &RunOptions) -> bool {
    matches!(&options.purpose, Purpose::Check(settings) if settings.form == CheckForm::Records)
}

fn is_ad_hoc(job: &Job, options: &RunOptions) -> bool {
    options.plain || (job.origin == Origin::CommandLine && job.pairs.len() == 1)
}

#[cfg(feature = "cli")]
fn final_line(report: &schema::Report) -> String {
    crate::report::one_line(report)
}

/// Without the command line nobody knows the predecessor's line.
#[cfg(not(feature = "cli"))]
fn final_line(_report: &schema::Report) -> String {
    String::new()
}
