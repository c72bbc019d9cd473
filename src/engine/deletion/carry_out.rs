//! The delete plan, carried out in batches beside each other, or told of.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::plan_file::Candidates;
use super::{BATCH, told};
use crate::config::{Pair, TargetSpec};
use crate::context::{Context, ends_pair};
use crate::event::{FailReason, Outcome, Sinks};
use crate::plan::Deletion;
use crate::store::{ErrorKind, Removal, Removed, Still, StoreError, Target};

/// So many batches of files are deleted at once: each takes a thread, whose memory is its own, and
/// more of them are no faster.
const OF_FILES: usize = 2;

/// What carrying out needs.
#[derive(Debug)]
pub(super) struct Carrying<'a> {
    pub(super) target: Arc<dyn Target>,
    pub(super) candidates: &'a Candidates,
    pub(super) pair: &'a Pair,
    pub(super) context: &'a Context,
}

impl Carrying<'_> {
    /// Tells the same of every candidate.
    pub(super) async fn tell(&self, outcome: &Outcome) -> Result<(), StoreError> {
        let mut reader = self.candidates.read()?;
        loop {
            self.context.backlog.room().await;
            let (rest, batch) = reader.batch(BATCH).await?;
            reader = rest;
            if batch.is_empty() {
                return Ok(());
            }
            for deletion in batch {
                self.context.sinks.emit(&told(deletion, outcome.clone()));
            }
        }
    }

    /// Deletes every candidate, as many batches at once as the pair has workers. Returns whether it
    /// was stopped; those it did not come to are told of.
    pub(super) async fn delete(&self) -> Result<bool, StoreError> {
        let places = Arc::new(Semaphore::new(self.at_once()));
        let mut running: JoinSet<Option<StoreError>> = JoinSet::new();
        let mut reader = self.candidates.read()?;
        let mut fatal = None;
        let mut left = false;
        loop {
            self.context.backlog.room().await;
            let (rest, batch) = match reader.batch(BATCH).await {
                Ok(read) => read,
                // what is on its way is told first
                Err(error) => {
                    fatal = fatal.or(Some(error));
                    break;
                }
            };
            reader = rest;
            if batch.is_empty() {
                break;
            }
            let place = Arc::clone(&places)
                .acquire_owned()
                .await
                .expect("never closed");
            while let Some(joined) = running.try_join_next() {
                fatal = fatal.or(joined.expect("a batch does not panic"));
            }
            if fatal.is_some() || self.context.stop.is_cancelled() {
                left = true;
                for deletion in batch {
                    let event = told(deletion, Outcome::NotAttempted);
                    self.context.sinks.emit(&event);
                }
                continue;
            }
            let shared = self.context.bounds.worker().await;
            let (target, sinks) = (Arc::clone(&self.target), self.context.sinks.clone());
            running.spawn(async move {
                let fatal = delete_batch(&*target, batch, &sinks).await;
                drop((place, shared));
                fatal
            });
        }
        while let Some(joined) = running.join_next().await {
            fatal = fatal.or(joined.expect("a batch does not panic"));
        }
        match fatal {
            Some(error) if error.kind != ErrorKind::Cancelled => Err(error),
            fatal => Ok(left || fatal.is_some()),
        }
    }

    /// How many batches are on their way at once.
    fn at_once(&self) -> usize {
        let workers = usize::from(self.pair.performance.worker_size);
        match &self.pair.target {
            TargetSpec::S3(_) => workers,
            TargetSpec::Local(_) => workers.min(OF_FILES),
        }
    }
}

/// Deletes some objects at once and tells what became of each. Gives the error that ends the pair,
/// if one does.
async fn delete_batch(
    target: &dyn Target,
    batch: Vec<Deletion>,
    sinks: &Sinks,
) -> Option<StoreError> {
    let removals: Vec<Removal> = batch.iter().map(Removal::from).collect();
    let results = match target.delete(&removals).await {
        Ok(results) => results,
        Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut fatal = None;
    let mut results = results.into_iter();
    for deletion in batch {
        let result = results.next().unwrap_or_else(|| {
            let key = deletion.key().as_str();
            let message = "the target did not say what became of it";
            Err(StoreError::new("delete", key, ErrorKind::Other, message))
        });
        let outcome = match result {
            Ok(removed) => Outcome::Removed(removed),
            Err(error) => {
                let ends = ends_pair(error.kind) || error.kind == ErrorKind::Cancelled;
                fatal = fatal.or_else(|| ends.then(|| error.clone()));
                outcome_of(error)
            }
        };
        sinks.emit(&told(deletion, outcome));
    }
    fatal
}

/// What an error means for the object it is about.
fn outcome_of(error: StoreError) -> Outcome {
    match error.kind {
        // somebody else was faster
        ErrorKind::NotFound => Outcome::Removed(Removed::Object),
        ErrorKind::PreconditionFailed | ErrorKind::Changed | ErrorKind::Occupied => {
            Outcome::Changed(Box::new(error))
        }
        ErrorKind::Cancelled => Outcome::NotAttempted,
        ErrorKind::AccessDenied
        | ErrorKind::Archived
        | ErrorKind::NoSpace
        | ErrorKind::Transient
        | ErrorKind::Corrupted
        | ErrorKind::UnsafeKey
        | ErrorKind::Fatal
        | ErrorKind::TooManyOpenFiles
        | ErrorKind::Unsupported
        | ErrorKind::Other => Outcome::Failed(FailReason::of(error.kind), Box::new(error)),
    }
}

impl From<&Deletion> for Removal {
    fn from(deletion: &Deletion) -> Self {
        let target = deletion.target();
        Self {
            key: deletion.key().clone(),
            still: Some(Still {
                size: target.size,
                modified: target.modified,
                etag: target.etag.clone(),
            }),
        }
    }
}
