//! What the runs before have left, looked after by the one that holds the job's lock.

use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::object::Timestamp;
use crate::report::{Abandoned, JobDirectory, prune};

/// Calls runs `crashed` whose process is gone, then removes those that are older than `keep`. What
/// goes wrong is a warning: it is no reason not to run.
pub(super) async fn tidy(job: JobDirectory, keep: Option<Duration>) {
    let tidied = spawn_blocking(move || {
        for run in Abandoned::of(&job) {
            let id = run.id().to_owned();
            match run.mark() {
                Ok(()) => tracing::info!(run = id, "an earlier run has crashed"),
                Err(error) => tracing::warn!(run = id, "an earlier run has crashed: {error}"),
            }
        }
        let Some(keep) = keep else {
            return;
        };
        let pruned = prune(&job, keep, Timestamp::now());
        for problem in pruned.problems {
            tracing::warn!("{problem}");
        }
        if pruned.removed > 0 {
            tracing::info!(runs = pruned.removed, "old runs removed");
        }
    });
    tidied.await.expect("looking after old runs does not panic");
}
