/*! One pair from start to end: both sides listed, decided on, carried out.

The plan is made in one task while workers carry out what it decided; neither waits for the other
longer than it must. [`run_pair`] makes the target like the source, [`check_pair`] says where they
differ. Both return an error only for what ends a pair; what becomes of one object is an event.
*/

mod carry;
mod check;
mod deletion;
mod filtered;
mod history;
mod later;
mod leftovers;
mod lineup;
mod listed;
mod open;
mod recognition;
mod sync;
mod unchanged;

pub use crate::context::{Context, Ends};
pub use check::Manner;
pub use deletion::{DELETE_PLAN_VERSION, DeletePlanLine};

use std::fmt;

use crate::config::{Check, Pair, Versions};
use crate::filter::{Filters, LateFilters};
use crate::object::Timestamp;
use crate::plan::{Aim, Direction, Names, Plan, Rules, VersionPlan};
use crate::store::{Description, StoreError};
use carry::carry_out;
use check::Checking;
use deletion::Deleting;
use history::Adding;
use sync::Syncing;

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
    /// In which phase: `open`, `list`, `transfer` or `delete`.
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
    run_between(opened(pair, context).await?, pair, context).await
}

/// The same between stores that are open already; the pair's own locations are not looked at.
pub async fn run_between(
    ends: Ends,
    pair: &Pair,
    context: &Context,
) -> Result<PairDone, PairError> {
    leftovers::before(&ends, pair, context).await;
    if pair.versions == Versions::All {
        return run_versions(ends, pair, context).await;
    }
    let folding = ends.target.folding(!context.dry_run).await;
    let Some(deleting) = Deleting::begin(pair, ends.direction, context)? else {
        let plan = plan(Aim::Sync, &ends, pair, context).folding(folding);
        let worker = Syncing::new(ends.clone(), pair, context, None);
        let ended = carry_out(plan, worker, pair, context).await;
        return finished(&ends, context, ended).await;
    };
    let context = &Context {
        sinks: deleting.watching(&context.sinks),
        ..context.clone()
    };
    let plan = plan(Aim::Sync, &ends, pair, context).folding(folding);
    let plan = plan.deleting(deleting.wanted());
    let worker = Syncing::new(ends.clone(), pair, context, Some(deleting.set_aside()));
    let ended = carry_out(plan, worker, pair, context).await;
    let ended = deleting.end(ended, &ends, pair, context).await;
    finished(&ends, context, ended).await
}

async fn run_versions(ends: Ends, pair: &Pair, context: &Context) -> Result<PairDone, PairError> {
    let (Some(source), Some(target)) = (ends.source.histories(), ends.target.histories()) else {
        let why = "only buckets keep versions";
        return Err(PairError {
            error: StoreError::unsupported("list", why),
            phase: "list",
        });
    };
    let filters = Filters::new(&pair.filters, &context.hooks);
    let plan = VersionPlan::new(source, target, filters, &context.sinks);
    let worker = Adding::new(ends.clone(), pair, context);
    let ended = carry_out(plan, worker, pair, context).await;
    finished(&ends, context, ended).await
}

async fn finished(
    ends: &Ends,
    context: &Context,
    ended: Result<bool, PairError>,
) -> Result<PairDone, PairError> {
    leftovers::after(ends, context).await;
    // what was written is made durable also when the pair ended early
    let flushed = ends.target.flush().await;
    let stopped = ended?;
    flushed.map_err(|error| PairError {
        error,
        phase: "transfer",
    })?;
    Ok(done(ends, stopped))
}

/// Compares both sides of a pair, and changes nothing.
pub async fn check_pair(
    pair: &Pair,
    context: &Context,
    manner: Manner,
) -> Result<PairDone, PairError> {
    check_between(opened(pair, context).await?, pair, context, manner).await
}

/// The same between stores that are open already; the pair's own locations are not looked at.
pub async fn check_between(
    ends: Ends,
    pair: &Pair,
    context: &Context,
    manner: Manner,
) -> Result<PairDone, PairError> {
    let plan = plan(Aim::Compare, &ends, pair, context);
    let plan = plan.folding(ends.target.folding(false).await);
    let worker = Checking::new(ends.clone(), pair, context, manner);
    let stopped = carry_out(plan, worker, pair, context).await?;
    Ok(done(&ends, stopped))
}

async fn opened(pair: &Pair, context: &Context) -> Result<Ends, PairError> {
    open::open(pair, context).await.map_err(|error| PairError {
        error,
        phase: "open",
    })
}

fn plan(aim: Aim, ends: &Ends, pair: &Pair, context: &Context) -> Plan {
    let rules = Rules {
        aim,
        check: Check {
            head_each_target: pair.check.head_each_target || listed::is_named(pair),
            ..pair.check
        },
        direction: ends.direction,
        now: Timestamp::now(),
        names: names(ends),
        is_provisional: !LateFilters::new(&pair.filters).is_empty(),
    };
    let filters = Filters::new(&pair.filters, &context.hooks);
    let (source, target) = listed::both(aim, ends, pair, context);
    let plan = Plan::new(source, target, rules, filters, &context.sinks);
    match listed::once_more(aim, ends, pair) {
        Some(relist) => plan.relisting(relist),
        None => plan,
    }
}

fn names(ends: &Ends) -> Names {
    let prefix = ends.source.describe().prefix;
    let is_bare = !prefix.is_empty() && !prefix.ends_with('/');
    if ends.direction == Direction::S3ToLocal && is_bare {
        Names::Slashed
    } else {
        Names::Same
    }
}

fn done(ends: &Ends, stopped: bool) -> PairDone {
    PairDone {
        source: ends.source.describe(),
        target: ends.target.describe(),
        stopped,
    }
}
