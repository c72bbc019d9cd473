/*! The loop: the plan is made in one task, and workers carry out what it decided.

When the listing has ended well and everything is done, what failed for a reason that may pass is
done once more: that is the second round. There is none where the run was stopped, or the pair ended
before its time.
*/

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

    /// Begins once more after a listing turned out to be in no order; whether it can.
    fn begin_anew(&mut self) -> bool {
        false
    }

    /// What is listed and not decided on.
    fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_;
}

impl Planning for Plan {
    type Decision = Decision;

    async fn next(&mut self) -> Result<Option<Decision>, StoreError> {
        Plan::next(self).await
    }

    fn begin_anew(&mut self) -> bool {
        Plan::begin_anew(self)
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

    /// Forgets what the plan gave it of what only the target has: that begins anew. An error ends the
    /// pair.
    fn begin_anew(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// How many objects it has kept back to be begun once more.
    fn kept(&self) -> u64 {
        0
    }

    /// The next of them. Once it was asked for, no more is kept back.
    fn once_more(&self) -> Option<Self::Task> {
        None
    }

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
    let mut crew = Crew::new(worker, pair, context);
    let mut ended = loop {
        let decision = tokio::select! {
            biased;
            () = context.stop.cancelled() => break Ok(true),
            () = crew.fatal.happened() => break Ok(false),
            decision = async {
                // what users are told waits for them, and no more is done than they hear of
                context.backlog.room().await;
                plan.next().await
            } => decision,
        };
        let taken = match decision {
            Err(error) if error.is_out_of_order() => {
                // what is begun is finished, so that the target is listed with it
                crew.finish().await;
                if crew.crashed.is_some() {
                    break Ok(false);
                }
                if plan.begin_anew() {
                    if let Err(error) = crew.worker.begin_anew() {
                        crew.fatal.tell(error);
                    }
                    tracing::warn!(%error, "both sides are listed once more, and sorted");
                    continue;
                }
                break Err(PairError {
                    error,
                    phase: "list",
                });
            }
            Err(error) => {
                break Err(PairError {
                    error,
                    phase: "list",
                });
            }
            Ok(None) => break Ok(false),
            Ok(Some(decision)) => crew.worker.take(decision).await,
        };
        match taken {
            Err(error) => crew.fatal.tell(error),
            Ok(None) => {}
            Ok(Some(task)) => crew.begin(task).await,
        }
        if crew.crashed.is_some() {
            break Ok(false);
        }
    };
    crew.finish().await;
    if matches!(ended, Ok(false)) && crew.may_go_on() && crew.worker.kept() > 0 {
        ended = crew.second_round(pair).await.map_or(ended, Ok);
    }
    let Crew {
        worker,
        fatal,
        crashed,
        ..
    } = crew;
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

/// What is at work, so many objects at once as the pair allows.
struct Crew<'a, W> {
    worker: Arc<W>,
    context: &'a Context,
    places: Arc<Semaphore>,
    running: JoinSet<()>,
    fatal: Fatal,
    /// The first panic.
    crashed: Option<JoinError>,
}

impl<'a, W: Worker> Crew<'a, W> {
    fn new(worker: W, pair: &Pair, context: &'a Context) -> Self {
        Self {
            worker: Arc::new(worker),
            context,
            places: Arc::new(Semaphore::new(usize::from(pair.performance.worker_size))),
            running: JoinSet::new(),
            fatal: Fatal::default(),
            crashed: None,
        }
    }

    /// Begins a task once there is a place for it.
    async fn begin(&mut self, task: W::Task) {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.expect("never closed");
        let shared = self.context.bounds.worker().await;
        let (worker, fatal) = (Arc::clone(&self.worker), self.fatal.clone());
        // the runtime moves a task around before it begins and after it ends: only a pointer to it
        self.running.spawn(Box::pin(async move {
            if let Err(error) = worker.work(task).await {
                fatal.tell(error);
            }
            drop((place, shared));
        }));
        while let Some(joined) = self.running.try_join_next() {
            self.note(joined);
        }
    }

    /// Waits for everything that was begun.
    async fn finish(&mut self) {
        while let Some(joined) = self.running.join_next().await {
            self.note(joined);
        }
    }

    fn note(&mut self, joined: Result<(), JoinError>) {
        if self.crashed.is_none() {
            self.crashed = panic_of(joined);
        }
    }

    /// Whether nothing has happened that ends the pair.
    fn may_go_on(&self) -> bool {
        self.crashed.is_none()
            && !self.fatal.happened.is_cancelled()
            && !self.context.stop.is_cancelled()
    }

    /// Does once more what failed for a reason that may pass; whether it was stopped early, where
    /// it was.
    async fn second_round(&mut self, pair: &Pair) -> Option<bool> {
        tracing::info!(
            pair = pair.name,
            objects = self.worker.kept(),
            "beginning once more what failed for a reason that may pass"
        );
        let (stop, fatal) = (&self.context.stop, self.fatal.clone());
        tokio::select! {
            () = tokio::time::sleep(pair.force_retry.1) => {}
            () = stop.cancelled() => {}
        }
        while self.may_go_on()
            && let Some(task) = self.worker.once_more()
        {
            tokio::select! {
                biased;
                () = fatal.happened() => {}
                () = self.context.backlog.room() => {}
            }
            self.begin(task).await;
        }
        self.finish().await;
        stop.is_cancelled().then_some(true)
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
