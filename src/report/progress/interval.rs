//! Progress as log records, where nobody watches.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::event::Stats;
use crate::report::human;

/// Between two records.
const INTERVAL: Duration = Duration::from_secs(30);

/// Logs a record at regular intervals until the task is aborted.
pub(super) fn follow(pair: &str, stats: Arc<Stats>) -> JoinHandle<()> {
    let pair = pair.to_owned();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let progress = stats.progress();
            let remaining = super::remaining(&progress).map(human::duration);
            tracing::info!(
                pair,
                listed = progress.listed,
                listing_done = progress.listing_done,
                done = progress.done,
                transferred = progress.transferred,
                bytes = progress.bytes,
                rate = super::rate(&progress),
                errors = progress.errors,
                warnings = progress.warnings,
                remaining = remaining.as_deref().unwrap_or("unknown"),
                "progress"
            );
        }
    })
}
