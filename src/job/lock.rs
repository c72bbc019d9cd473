//! Locks: one run of a job at a time, and one that writes to a place.
//!
//! What a run locks is written in a file below `<report.dir>/.locks`, which its process holds by
//! `flock`. The kernel lets go of it when the process ends, however it ends, so that no lock goes
//! stale; what a killed run has left there is removed by the next one. Another report directory
//! has other locks. What does not write takes none: `plan`, `check`, dry runs, and runs of the
//! library that leave no report.

mod claim;
mod keeper;
mod registry;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use self::claim::{Claim, Subject};
use self::keeper::Keeper;
use self::registry::{Registry, Verdict};
use super::{Purpose, RunOptions};
use crate::config::{self, Extent, OnConflict, Origin};
use crate::report::{RunReport, Status};

/// The pause between two attempts to get a lock, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// The locks of one run, to be taken when their turn comes.
#[derive(Debug)]
pub(super) struct Locks {
    /// None for a run that takes none.
    registry: Option<Registry>,
    on_conflict: OnConflict,
    job: Claim,
    /// By pair.
    targets: HashMap<String, Claim>,
}

/// A lock that was taken; it is let go when this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _keeper: Option<Keeper>,
}

/// Why a lock was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another run has it.
    Locked(String),
    /// The run was stopped while it waited.
    Stopped,
    /// It cannot be known whether another has it.
    Failed(String),
}

impl Locks {
    /// Those of a run whose places are still those the job says: not those of a sandbox.
    pub(super) fn of(job: &config::Job, options: &RunOptions, report: &RunReport) -> Self {
        let writes = match options.purpose {
            Purpose::Run => !job.dry_run && !options.unreported,
            Purpose::Plan(_) | Purpose::Check(_) => false,
        };
        let run = Claim::of_run(&job.name, report);
        let target = |pair: &config::Pair| {
            let extent = Extent::of_target(job, pair);
            (
                pair.name.clone(),
                run.clone().on(Subject::of_target(extent)),
            )
        };
        Self {
            registry: writes.then(|| Registry::below(&job.report.dir)),
            on_conflict: job.lock,
            targets: if writes {
                job.pairs.iter().map(target).collect()
            } else {
                HashMap::new()
            },
            job: run.on(subject(job)),
        }
    }

    /// Whether this run is to be the only one of its job.
    pub(super) fn are_taken(&self) -> bool {
        self.registry.is_some()
    }

    /// Takes the job's lock. Where another has it, or nobody can know, every pair has ended.
    pub(super) async fn take_job(
        &self,
        report: &RunReport,
        stop: &CancellationToken,
    ) -> Result<Lock, Refused> {
        report.stand_back(self.are_taken());
        let taken = self.take("job", &self.job, stop).await;
        match &taken {
            Ok(_) => report.stand_back(false),
            // whoever has stopped it knows what to call that
            Err(Refused::Stopped) => {}
            Err(refused) => {
                refused.log(self.on_conflict, "");
                for part in report.pairs() {
                    part.finish(refused.status(), Some(refused.why()));
                }
            }
        }
        taken
    }

    /// Takes the lock of a pair's target.
    pub(super) async fn take_target(
        &self,
        pair: &str,
        stop: &CancellationToken,
    ) -> Result<Lock, Refused> {
        let Some(claim) = self.targets.get(pair) else {
            return Ok(Lock { _keeper: None });
        };
        let taken = self.take(&format!("pair-{pair}"), claim, stop).await;
        taken.inspect_err(|refused| refused.log(self.on_conflict, pair))
    }

    /// Attempts it as often as the job says. A lock that is waited for is asked for at least once
    /// a second; whoever asks first when it is free gets it.
    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        stop: &CancellationToken,
    ) -> Result<Lock, Refused> {
        let Some(registry) = &self.registry else {
            return Ok(Lock { _keeper: None });
        };
        let begun = Instant::now();
        let [mut pause, longest_pause] = PAUSES;
        let mut is_told = false;
        loop {
            let attempt = spawn_blocking({
                let (registry, name, claim) = (registry.clone(), name.to_owned(), claim.clone());
                move || registry.claim(&name, &claim)
            });
            // on a file system that does not answer it takes for ever; a lock that is got too late
            // is let go at once
            let verdict = tokio::select! {
                biased;
                verdict = attempt => verdict.expect("locking does not panic"),
                () = stop.cancelled() => return Err(Refused::Stopped),
            };
            let holder = match verdict.map_err(|error| Refused::Failed(error.to_string()))? {
                Verdict::Taken(registered) => {
                    let keeper = Some(Keeper::start(registered));
                    return Ok(Lock { _keeper: keeper });
                }
                Verdict::Anothers(holder) => claim.refused_by(holder.as_ref()),
            };
            let left = match self.on_conflict {
                OnConflict::Fail | OnConflict::Skip => return Err(Refused::Locked(holder)),
                OnConflict::Wait(None) => longest_pause,
                OnConflict::Wait(Some(longest)) if begun.elapsed() >= longest => {
                    return Err(Refused::Locked(format!(
                        "{holder}; waited {longest:?} for it (lock.wait)"
                    )));
                }
                OnConflict::Wait(Some(longest)) => longest.saturating_sub(begun.elapsed()),
            };
            if !std::mem::replace(&mut is_told, true) {
                tracing::info!("waiting: {holder}");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Refused::Stopped),
                () = tokio::time::sleep(pause.min(left)) => {}
            }
            pause = (pause * 2).min(longest_pause);
        }
    }
}

impl Refused {
    /// What becomes of what it was for.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Locked(_) => Status::Locked,
            Self::Stopped => Status::Interrupted,
            Self::Failed(_) => Status::Failed,
        }
    }

    /// Why, in words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Locked(why) | Self::Failed(why) => why.clone(),
            Self::Stopped => "not started".to_owned(),
        }
    }

    /// Who says `skip` has nothing to be told of.
    fn log(&self, on_conflict: OnConflict, pair: &str) {
        let pair = (!pair.is_empty()).then_some(pair);
        match self {
            Self::Locked(why) if on_conflict == OnConflict::Skip => {
                tracing::info!(pair, "skipped: {why}");
            }
            Self::Locked(why) | Self::Failed(why) => tracing::error!(pair, "{why}"),
            Self::Stopped => {}
        }
    }
}

/// Whether a job has a name of its own. Those that have none share one, and are not the same for it.
pub(super) fn has_name(job: &config::Job) -> bool {
    match &job.origin {
        Origin::File(path) => path.as_os_str() != "<stdin>" || job.name != "stdin",
        Origin::CommandLine | Origin::Program | Origin::Environment => {
            !matches!(job.name.as_str(), "adhoc" | "default")
        }
    }
}

/// What stands for a job: its name, which is its folder's. Those that are not in a file and say no
/// name share one; they are what they bring where.
fn subject(job: &config::Job) -> Subject {
    if has_name(job) {
        return Subject::of_job(&job.name);
    }
    let sides = job.pairs.iter().map(|pair| {
        let [source, target] = [Extent::of_source(job, pair), Extent::of_target(job, pair)];
        (source, target)
    });
    Subject::of_sides(sides)
}

#[cfg(test)]
mod tests;
