//! The loop: the plan is made in one task, and workers carry out what it decided.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::PairError;
use crate::config::Pair;
use crate::context::Context;
use crate::event::Event;
use crate::object::Entry;
use crate::plan::{Decision, KeyVersions, Plan, VersionPlan};
use crate::store::{ErrorKind, StoreError};

/// A plan in the making.
pub(super) trait Planning {
    /// What it decides on.
    type Decision: Send;

    /// The next decision; `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Self::Decision>, StoreError>> + Send;

    /// What is listed and not decided on.
    fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_;
}

impl Planning for Plan {
    type Decision = Decision;

    async fn next(&mut self) -> Result<Option<Decision>, StoreError> {
        Plan::next(self).await
    }

    fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_ {
        Plan::undecided(self)
    }
}

impl Planning for VersionPlan {
    type Decision = KeyVersions;

    async fn next(&mut self) -> Result<Option<KeyVersions>, StoreError> {
        VersionPlan::next(self).await
    }

    fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_ {
        VersionPlan::undecided(self)
    }
}

/// What is done with the decisions of a plan.
pub(super) trait Worker: Send + Sync + 'static {
    /// What it is given.
    type Decision: Send;

    /// What takes its time, and is done beside others.
    type Task: Send + 'static;

    /// Takes the next decision in the order of the keys: tells at once what can be told at once,
    /// and gives what is left to do. An error ends the pair.
    fn take(
        &self,
        decision: Self::Decision,
    ) -> impl Future<Output = Result<Option<Self::Task>, StoreError>> + Send;

    /// Does it, and tells what came of it. An error ends the pair; its object was told of all the
    /// same.
    fn work(&self, task: Self::Task) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Tells what it has kept back: no more decisions come, and nothing is at work.
    fn end(&self);
}

/// Makes the plan and has it carried out, so many objects at once as the pair allows. Returns
/// whether it was stopped early.
pub(super) async fn carry_out<P: Planning>(
    mut plan: P,
    worker: impl Worker<Decision = P::Decision>,
    pair: &Pair,
    context: &Context,
) -> Result<bool, PairError> {
    let worker = Arc::new(worker);
    let places = Arc::new(Semaphore::new(usize::from(pair.performance.worker_size)));
    let fatal = Fatal::default();
    let mut running = JoinSet::new();
    let mut crashed = None;
    let ended = loop {
        let decision = tokio::select! {
            biased;
            () = context.stop.cancelled() => break Ok(true),
            () = fatal.happened() => break Ok(false),
            decision = async {
                // what users are told waits for them, and no more is done than they hear of
                context.backlog.room().await;
                plan.next().await
            } => decision,
        };
        let taken = match decision {
            Err(error) => {
                break Err(PairError {
                    error,
                    phase: "list",
                });
            }
            Ok(None) => break Ok(false),
            Ok(Some(decision)) => worker.take(decision).await,
        };
        match taken {
            Err(error) => fatal.tell(error),
            Ok(None) => {}
            Ok(Some(task)) => {
                let place = Arc::clone(&places)
                    .acquire_owned()
                    .await
                    .expect("never closed");
                let shared = context.bounds.worker().await;
                let (worker, fatal) = (Arc::clone(&worker), fatal.clone());
                running.spawn(async move {
                    if let Err(error) = worker.work(task).await {
                        fatal.tell(error);
                    }
                    drop((place, shared));
                });
                while let Some(joined) = running.try_join_next() {
                    crashed = crashed.or_else(|| panic_of(joined));
                }
                if crashed.is_some() {
                    break Ok(false);
                }
            }
        }
    };
    while let Some(joined) = running.join_next().await {
        crashed = crashed.or_else(|| panic_of(joined));
    }
    worker.end();
    not_attempted(plan, context);
    if let Some(panic) = crashed {
        std::panic::resume_unwind(panic.into_panic());
    }
    match fatal.take() {
        Some(error) => Err(PairError {
            error,
            phase: "transfer",
        }),
        None => ended,
    }
}

/// Tells of everything that a plan has not decided on.
pub(super) fn not_attempted(mut plan: impl Planning, context: &Context) {
    for entry in plan.undecided() {
        context.sinks.emit(&Event::NotAttempted {
            source: (&entry).into(),
            key: entry.key,
        });
    }
}

/// The panic of a worker, if it ended in one: a bug, and nothing is known of its object.
fn panic_of(joined: Result<(), JoinError>) -> Option<JoinError> {
    joined.err().filter(JoinError::is_panic)
}

/// The first error that ends the pair, told by whichever worker met it.
#[derive(Debug, Clone, Default)]
struct Fatal {
    error: Arc<Mutex<Option<StoreError>>>,
    happened: CancellationToken,
}

impl Fatal {
    fn tell(&self, error: StoreError) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() && error.kind != ErrorKind::Cancelled {
            *first = Some(error);
        }
        self.happened.cancel();
    }

    async fn happened(&self) {
        self.happened.cancelled().await;
    }

    fn take(&self) -> Option<StoreError> {
        self.error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
