/*! One pair from start to end: both sides listed, decided on, carried out.

The plan is made in one task while workers carry out what it decided; neither waits for the other
longer than it must. [`run_pair`] returns an error only for what ends a pair; what becomes of one
object is an event.
*/

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Pair, SourceSpec, TargetSpec};
use crate::event::Event;
use crate::object::Timestamp;
use crate::plan::{Aim, Decision, Direction, Leave, Plan, Rules};
use crate::store::local::{LocalSource, LocalTarget};
use crate::store::s3::{KeyOrder, S3Settings, S3Store};
use crate::store::{Description, ErrorKind, Listing, Source, StoreError, Target};
use crate::transfer::Transferrer;

pub use crate::context::{Context, Ends};

/// A pair that came to its end.
#[derive(Debug)]
pub struct PairDone {
    /// The source as it turned out.
    pub source: Description,
    /// The target as it turned out.
    pub target: Description,
    /// Whether it was stopped on request before everything was looked at.
    pub stopped: bool,
}

/// What ended a pair before its time.
#[derive(Debug)]
pub struct PairError {
    /// The error.
    pub error: StoreError,
    /// In which phase: `open`, `list` or `transfer`.
    pub phase: &'static str,
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for PairError {}

/// Runs one pair to its end.
pub async fn run_pair(pair: &Pair, context: &Context) -> Result<PairDone, PairError> {
    let ends = open(pair, context).await.map_err(|error| PairError {
        error,
        phase: "open",
    })?;
    run_between(ends, pair, context).await
}

/// The same between stores that are open already; the pair's own locations are not looked at.
pub async fn run_between(
    ends: Ends,
    pair: &Pair,
    context: &Context,
) -> Result<PairDone, PairError> {
    let rules = Rules {
        aim: Aim::Sync,
        check: pair.check,
        direction: ends.direction,
        now: Timestamp::now(),
    };
    let target: Listing = if pair.check.head_each_target {
        Box::pin(futures::stream::empty())
    } else {
        ends.target.list()
    };
    let plan = Plan::new(ends.source.list(), target, rules, &context.sinks);
    let transferrer = Transferrer::new(ends.clone(), pair, context);
    let ended = carry_out(plan, transferrer, pair, context).await;
    // what was written is made durable also when the pair ended early
    let flushed = ends.target.flush().await;
    let stopped = ended?;
    flushed.map_err(|error| PairError {
        error,
        phase: "transfer",
    })?;
    Ok(PairDone {
        source: ends.source.describe(),
        target: ends.target.describe(),
        stopped,
    })
}

async fn open(pair: &Pair, context: &Context) -> Result<Ends, StoreError> {
    Ok(match (&pair.source, &pair.target) {
        (SourceSpec::Local(source), TargetSpec::S3(target)) => Ends {
            source: Arc::new(LocalSource::new(source.clone())),
            target: target_bucket(target, context).await?,
            direction: Direction::LocalToS3,
        },
        (SourceSpec::S3(source), TargetSpec::Local(target)) => Ends {
            source: source_bucket(source, KeyOrder::AsInADirectory, context).await?,
            target: Arc::new(LocalTarget::new(target.clone())),
            direction: Direction::S3ToLocal,
        },
        (SourceSpec::S3(source), TargetSpec::S3(target)) => Ends {
            source: source_bucket(source, KeyOrder::Bytes, context).await?,
            target: target_bucket(target, context).await?,
            direction: Direction::S3ToS3,
        },
        (SourceSpec::Local(_), TargetSpec::Local(_)) => {
            return Err(StoreError::unsupported(
                "open",
                "one side of a pair must be in S3",
            ));
        }
    })
}

async fn source_bucket(
    settings: &S3Settings,
    order: KeyOrder,
    context: &Context,
) -> Result<Arc<dyn Source>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let settings = S3Settings {
        order,
        ..settings.clone()
    };
    let store = S3Store::open_source(settings, meter).await?;
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
}

async fn target_bucket(
    settings: &S3Settings,
    context: &Context,
) -> Result<Arc<dyn Target>, StoreError> {
    let meter = Arc::new(context.sinks.clone());
    let store = S3Store::open(settings.clone(), meter).await?;
    Ok(Arc::new(store.stopping_with(context.stop.clone())))
}

/// So many unchanged objects make one event.
const UNCHANGED_AT_ONCE: u64 = 1000;

/// Makes the plan and has it carried out, so many objects at once as the pair allows. Returns
/// whether it was stopped early.
async fn carry_out(
    mut plan: Plan,
    transferrer: Transferrer,
    pair: &Pair,
    context: &Context,
) -> Result<bool, PairError> {
    let transferrer = Arc::new(transferrer);
    let workers = Arc::new(Semaphore::new(usize::from(pair.performance.worker_size)));
    let fatal = Fatal::default();
    let mut running = JoinSet::new();
    // where nobody wants to hear of each, they are counted here and told from time to time
    let each_unchanged = context.sinks.wants_unchanged();
    let mut unchanged = 0;
    let tell_unchanged = |count: &mut u64| {
        if *count > 0 {
            context.sinks.emit(&Event::UnchangedMany {
                count: std::mem::take(count),
            });
        }
    };
    let ended = loop {
        if unchanged >= UNCHANGED_AT_ONCE {
            tell_unchanged(&mut unchanged);
        }
        let decision = tokio::select! {
            biased;
            () = context.stop.cancelled() => break Ok(true),
            () = fatal.happened() => break Ok(false),
            decision = plan.next() => decision,
        };
        let overruled = |decision| context.distrusted.overrule(decision);
        match decision.map(|decision| decision.map(overruled)) {
            Err(error) => {
                break Err(PairError {
                    error,
                    phase: "list",
                });
            }
            Ok(None) => break Ok(false),
            Ok(Some(Decision::Leave(Leave::Unchanged { .. }))) if !each_unchanged => unchanged += 1,
            Ok(Some(Decision::Leave(leave))) => context.sinks.emit(&leave.into()),
            // it only has to be told: here, it is told in the order of the keys
            Ok(Some(decision @ Decision::Transfer(_))) if context.dry_run => {
                if let Err(error) = transferrer.run(decision).await {
                    fatal.tell(error);
                }
            }
            Ok(Some(decision)) => {
                let place = Arc::clone(&workers)
                    .acquire_owned()
                    .await
                    .expect("never closed");
                let (transferrer, fatal) = (Arc::clone(&transferrer), fatal.clone());
                running.spawn(async move {
                    if let Err(error) = transferrer.run(decision).await {
                        fatal.tell(error);
                    }
                    drop(place);
                });
                while running.try_join_next().is_some() {}
            }
        }
    };
    tell_unchanged(&mut unchanged);
    let mut crashed = None;
    while let Some(joined) = running.join_next().await {
        if let Err(error) = joined
            && error.is_panic()
        {
            crashed = Some(error);
        }
    }
    for entry in plan.undecided() {
        context.sinks.emit(&Event::NotAttempted {
            source: (&entry).into(),
            key: entry.key,
        });
    }
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
