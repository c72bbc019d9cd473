//! The time a job has: when it is up, the job is stopped as a signal stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::report::Status;

/// So long the log is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// Stops a job when its time is up, unless it is dropped before.
#[derive(Debug)]
pub(super) struct Deadline {
    is_over: Arc<AtomicBool>,
    timer: Option<JoinHandle<()>>,
}

impl Deadline {
    /// Begins to count. What was stopped already is not stopped for being late.
    pub(super) fn begin(timeout: Option<Duration>, stop: &CancellationToken) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let timer = timeout.map(|timeout| {
            let (is_over, stop) = (Arc::clone(&is_over), stop.clone());
            tokio::spawn(async move {
                tokio::time::sleep(timeout).await;
                if !stop.is_cancelled() {
                    tell().await;
                    is_over.store(true, Ordering::SeqCst);
                    stop.cancel();
                }
            })
        });
        Self { is_over, timer }
    }

    /// What a pair is called that was stopped, and why where that does not say it.
    pub(super) fn stopped(&self) -> (Status, Option<String>) {
        if self.is_over.load(Ordering::SeqCst) {
            let reason = "the job's time was up (job.timeout)".to_owned();
            (Status::Timeout, Some(reason))
        } else {
            (Status::Interrupted, None)
        }
    }

    /// The same of a pair that was not begun.
    pub(super) fn not_started(&self) -> (Status, Option<String>) {
        let (status, reason) = self.stopped();
        let reason = match reason {
            Some(reason) => format!("not started: {reason}"),
            None => "not started".to_owned(),
        };
        (status, Some(reason))
    }
}

/// Logs that the time is up, and waits for that no longer than it takes where somebody reads it: a
/// log that nobody reads stops nothing.
async fn tell() {
    let (told, heard) = oneshot::channel();
    std::thread::spawn(move || {
        tracing::warn!(
            "the job's time is up (job.timeout): finishing what is short, giving up the rest"
        );
        let _ = told.send(());
    });
    let _ = tokio::time::timeout(PATIENCE, heard).await;
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(timer) = &self.timer {
            timer.abort();
        }
    }
}
