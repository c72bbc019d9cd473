//! The programs of a job, `[[hooks]]`: which of them run when, and what becomes of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Signals;
use super::pair::Settled;
use super::program::{self, Call, Ended, Stop, signal_name};
use crate::config::{HookScope, HookTime, OnHookFailure, OnOutcome, ProgramHook, ProgramHooks};
use crate::event::Event;
use crate::object::Timestamp;
use crate::report::{ExitCode, PairReport, RunEnd, RunReport, Status, schema};

/// What runs after has so long once a signal has asked for the end.
const LAST_GRACE: Duration = Duration::from_secs(10);

/// The programs of a run, and what they are told.
#[derive(Debug)]
pub(super) struct Programs<'a> {
    /// None where nothing is changed: plans, checks and dry runs.
    pub(super) hooks: Option<&'a ProgramHooks>,
    pub(super) report: &'a RunReport,
    pub(super) is_rehearsal: bool,
    pub(super) signals: &'a Signals,
    /// Cancelled by a signal.
    pub(super) interrupted: CancellationToken,
    /// Cancelled by whatever stops the run.
    pub(super) stop: CancellationToken,
}

/// Around what a program runs.
#[derive(Debug, Clone, Copy)]
enum Around<'a> {
    Job,
    Pair(&'a PairReport),
}

/// Whether what programs run around has had its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It has.
    Came,
    /// Another run has its lock, and may be at work: only who waits for just this outcome hears of
    /// it, and nobody cleans up after it.
    NeverCame,
}

/// What is known of an outcome.
#[derive(Debug)]
struct Outcome<'a> {
    status: Status,
    reason: Option<&'a str>,
    exit: ExitCode,
}

/// A program that failed.
#[derive(Debug)]
struct Failure {
    /// What is wrong with which.
    message: String,
    means: OnHookFailure,
}

impl Programs<'_> {
    /// Runs what is to be run before the job; what failed and is a warning, which is told by then.
    /// The error is why the job is not to be attempted.
    pub(super) async fn before_job(&self) -> Result<Vec<String>, String> {
        let mut warnings = Vec::new();
        let begun = self.before(Around::Job, |message| {
            self.report.warn(&message);
            warnings.push(message);
        });
        begun.await?;
        Ok(warnings)
    }

    /// The same for a pair, whose warnings are to be told when it begins, or when it does not.
    pub(super) async fn before_pair(&self, part: &PairReport) -> (Vec<String>, Result<(), String>) {
        let mut warnings = Vec::new();
        let begun = self.before(Around::Pair(part), |message| warnings.push(message));
        let begun = begun.await;
        (warnings, begun)
    }

    /// Tells the warnings of what ran before a pair that does not begin: nothing of its own counts.
    pub(super) fn tell_without(&self, part: &PairReport, warnings: &[String]) {
        for message in warnings {
            let name = part.name();
            self.report.warn(&format!("pair `{name}`: {message}"));
        }
    }

    /// Runs what is to be run after the job, with what it has come to so far; gives what it comes
    /// to with them.
    pub(super) async fn after_job(&self, mut end: RunEnd, turn: Turn) -> RunEnd {
        for hook in self.of(HookTime::After, HookScope::Job) {
            let outcome = Outcome {
                status: end.exit.status(),
                reason: end.reason.as_deref(),
                exit: end.exit,
            };
            if !is_due(hook, outcome.status, turn) {
                continue;
            }
            let input = json(&self.report.record_ending(&end));
            let Err(failure) = self.run(hook, Around::Job, Some(&outcome), input).await else {
                continue;
            };
            let means = match failure.means {
                OnHookFailure::Fail => {
                    failure.log();
                    ExitCode::Failed
                }
                OnHookFailure::Warn => {
                    self.report.warn(&failure.message);
                    ExitCode::Warning
                }
                OnHookFailure::Ignore => {
                    failure.log();
                    ExitCode::Success
                }
            };
            end = worsened(end, means, failure.message);
        }
        end
    }

    /// Runs what is to be run after a pair, with what it has come to so far; gives what it comes to
    /// with them.
    pub(super) async fn after_pair(
        &self,
        part: &PairReport,
        mut settled: Settled,
        turn: Turn,
    ) -> Settled {
        let received = self.signals.received();
        let interrupted = received.unwrap_or(ExitCode::Interrupted);
        for hook in self.of(HookTime::After, HookScope::Pair) {
            let outcome = Outcome {
                status: settled.status,
                reason: settled.reason.as_deref(),
                exit: settled.status.exit(interrupted),
            };
            if !is_due(hook, outcome.status, turn) {
                continue;
            }
            let record = part.record_ending(outcome.status, outcome.reason);
            let around = Around::Pair(part);
            let Err(failure) = self.run(hook, around, Some(&outcome), json(&record)).await else {
                continue;
            };
            settled = failed_after(part, settled, failure);
        }
        settled
    }

    async fn before(&self, around: Around<'_>, mut warn: impl FnMut(String)) -> Result<(), String> {
        for hook in self.of(HookTime::Before, around.scope()) {
            if self.stop.is_cancelled() {
                break;
            }
            let input = match around {
                Around::Job => json(&self.report.record()),
                Around::Pair(part) => json(&part.record_now()),
            };
            let Err(failure) = self.run(hook, around, None, input).await else {
                continue;
            };
            match failure.means {
                OnHookFailure::Fail => {
                    failure.log();
                    return Err(failure.message);
                }
                OnHookFailure::Warn => warn(failure.message),
                OnHookFailure::Ignore => failure.log(),
            }
        }
        Ok(())
    }

    fn of(&self, at: HookTime, scope: HookScope) -> impl Iterator<Item = &ProgramHook> {
        let each = self.hooks.iter().flat_map(|hooks| &hooks.each);
        each.filter(move |hook| hook.at == at && hook.scope == scope)
    }

    /// Runs a program, and takes it down in the report.
    async fn run(
        &self,
        hook: &ProgramHook,
        around: Around<'_>,
        outcome: Option<&Outcome<'_>>,
        input: Vec<u8>,
    ) -> Result<(), Failure> {
        let none = std::collections::BTreeSet::new();
        let started_at = Timestamp::now().rfc3339_millis();
        let stop = match hook.at {
            HookTime::Before => Stop {
                token: &self.stop,
                grace: Duration::ZERO,
            },
            HookTime::After => Stop {
                token: &self.interrupted,
                grace: LAST_GRACE,
            },
        };
        let ended = program::run(Call {
            hook,
            told: self.told(hook, around, outcome),
            withheld: self.hooks.map_or(&none, |hooks| &hooks.withheld),
            secrets: self.hooks.map_or(&[], |hooks| &hooks.secrets),
            input,
            stop,
        })
        .await;
        self.report
            .add_hook(record(hook, around, started_at, &ended));
        match ended.error {
            None => Ok(()),
            Some(error) => Err(Failure {
                message: format!("the hook `{}` {error}", hook.shown[0]),
                means: hook.on_failure,
            }),
        }
    }

    /// What a program finds in its environment.
    fn told(
        &self,
        hook: &ProgramHook,
        around: Around<'_>,
        outcome: Option<&Outcome<'_>>,
    ) -> Vec<(&'static str, String)> {
        let run = self.report.record().run;
        let (pair, counts, bytes) = match around {
            Around::Job => {
                let totals = self.report.record().totals;
                (None, totals.counts, totals.bytes)
            }
            Around::Pair(part) => {
                let pair = part.record_now();
                (Some(pair.name), pair.counts, pair.bytes)
            }
        };
        let directory = self.report.directory();
        let report = directory.map(|directory| {
            let path = directory.path().join("report.json");
            let path = std::path::absolute(&path).unwrap_or(path);
            path.display().to_string()
        });
        let mut told = vec![
            ("S3SYNC_RUN_ID", run.id),
            ("S3SYNC_RUN_JOB", run.job),
            ("S3SYNC_RUN_AT", json_word(&hook.at)),
            ("S3SYNC_RUN_SCOPE", json_word(&hook.scope)),
            ("S3SYNC_RUN_PAIR", pair.unwrap_or_default()),
            ("S3SYNC_RUN_REPORT", report.unwrap_or_default()),
            ("S3SYNC_RUN_REHEARSAL", self.is_rehearsal.to_string()),
        ];
        let Some(outcome) = outcome else {
            return told;
        };
        let reason = outcome.reason.unwrap_or_default().to_owned();
        told.extend([
            ("S3SYNC_RUN_STATUS", outcome.status.as_str().to_owned()),
            ("S3SYNC_RUN_STATUS_REASON", reason),
            ("S3SYNC_RUN_EXIT_CODE", outcome.exit.code().to_string()),
        ]);
        let numbers = [
            ("S3SYNC_RUN_LISTED", counts.listed.source),
            ("S3SYNC_RUN_UNCHANGED", counts.unchanged),
            ("S3SYNC_RUN_TRANSFERRED", counts.transferred.total),
            ("S3SYNC_RUN_SKIPPED", counts.skipped.total),
            ("S3SYNC_RUN_FAILED", counts.failed),
            ("S3SYNC_RUN_DELETED", counts.deleted.total),
            ("S3SYNC_RUN_WARNINGS", counts.warnings),
            ("S3SYNC_RUN_ERRORS", counts.errors),
            ("S3SYNC_RUN_BYTES", bytes.transferred),
        ];
        told.extend(numbers.map(|(name, number)| (name, number.to_string())));
        told
    }
}

impl Around<'_> {
    fn scope(self) -> HookScope {
        match self {
            Self::Job => HookScope::Job,
            Self::Pair(_) => HookScope::Pair,
        }
    }
}

impl Failure {
    fn log(&self) {
        match self.means {
            OnHookFailure::Fail => tracing::error!("{}", self.message),
            OnHookFailure::Warn => tracing::warn!("{}", self.message),
            OnHookFailure::Ignore => tracing::info!("{}", self.message),
        }
    }
}

/// What a pair comes to with a program that failed after it.
fn failed_after(part: &PairReport, settled: Settled, failure: Failure) -> Settled {
    let Settled {
        status,
        reason,
        sinks,
    } = settled;
    let (status, reason) = match failure.means {
        OnHookFailure::Ignore => {
            failure.log();
            (status, reason)
        }
        OnHookFailure::Fail => {
            failure.log();
            match status {
                Status::Failed | Status::Crashed => (status, reason.or(Some(failure.message))),
                _ => (Status::Failed, Some(failure.message)),
            }
        }
        OnHookFailure::Warn => {
            if let Some(sinks) = &sinks {
                let message = failure.message;
                sinks.emit(&Event::Warning { message });
                if status.has_succeeded() {
                    part.outcome()
                } else {
                    (status, reason)
                }
            } else {
                // nothing counts where nothing began
                failure.log();
                (status, reason)
            }
        }
    };
    Settled {
        status,
        reason,
        sinks,
    }
}

/// What a run comes to with something that failed around it.
pub(super) fn worsened(end: RunEnd, means: ExitCode, message: String) -> RunEnd {
    let exit = end.exit.worse(means);
    let reason = if exit == end.exit {
        end.reason
    } else {
        Some(message)
    };
    RunEnd {
        exit,
        reason,
        ..end
    }
}

/// Whether a program runs after such an outcome.
fn is_due(hook: &ProgramHook, status: Status, turn: Turn) -> bool {
    match (&hook.on, turn) {
        (OnOutcome::Any, Turn::NeverCame) => false,
        (on, _) => on.holds(word(status)),
    }
}

/// The name of an outcome among those a hook can wait for.
fn word(status: Status) -> &'static str {
    match status {
        Status::Crashed => Status::Failed.as_str(),
        status => status.as_str(),
    }
}

fn record(
    hook: &ProgramHook,
    around: Around<'_>,
    started_at: String,
    ended: &Ended,
) -> schema::Hook {
    schema::Hook {
        at: hook.at,
        scope: hook.scope,
        pair: match around {
            Around::Job => None,
            Around::Pair(part) => Some(part.name().to_owned()),
        },
        run: hook.shown.clone(),
        started_at,
        duration_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
        exit_code: ended.exit_code,
        signal: ended.signal.map(signal_name),
        timed_out: ended.is_timed_out,
        error: ended.error.clone(),
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).expect("words and numbers are JSON");
    text.push(b'\n');
    text
}

/// A closed enum's word.
fn json_word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).expect("a word is JSON");
    word.as_str().unwrap_or_default().to_owned()
}
