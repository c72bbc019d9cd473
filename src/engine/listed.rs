//! What both sides of a pair are listed by: as they are, or key by key.

use std::sync::Arc;

use crate::config::Pair;
use crate::context::{Context, Ends};
use crate::event::Event;
use crate::plan::{Aim, Direction, Relist};
use crate::store::Listing;
use crate::store::named::{self, Asking, Keys};
use crate::store::s3::KeyOrder;

/// The listings of the source and of the target. Where the source's keys are named, those are
/// asked for and nothing is listed: of the target neither, which may have millions of others.
pub(super) fn both(aim: Aim, ends: &Ends, pair: &Pair, context: &Context) -> (Listing, Listing) {
    let Some(keys) = keys(pair) else {
        // what only the target has, only a listing tells
        let asks = pair.check.head_each_target && pair.deletion.is_none();
        let target = if aim == Aim::Sync && asks {
            nothing()
        } else {
            ends.target.list()
        };
        return (ends.source.list(), target);
    };
    let sinks = context.sinks.clone();
    let is_of_some = pair.filters.only.is_some();
    let down = ends.direction == Direction::S3ToLocal;
    let asking = Asking {
        keys,
        order: if down {
            KeyOrder::AsInADirectory
        } else {
            KeyOrder::Bytes
        },
        at_once: usize::from(pair.performance.max_parallel_listings),
        warn: Arc::new(move |message| {
            // of one key, what is wrong with others does not matter
            if !is_of_some {
                sinks.emit(&Event::Warning { message });
            }
        }),
    };
    let target = match aim {
        // the workers ask
        Aim::Sync => nothing(),
        Aim::Compare => named::list_target(Arc::clone(&ends.target) as _, asking.clone(), down),
    };
    (named::list(Arc::clone(&ends.source), asking), target)
}

/// How both sides are listed once more, where one of them turns out to be in no order. Keys that
/// are named come in order; what was said of a comparison cannot be taken back.
pub(super) fn once_more(aim: Aim, ends: &Ends, pair: &Pair) -> Option<Relist> {
    if aim == Aim::Compare || is_named(pair) {
        return None;
    }
    let ends = ends.clone();
    // what only the target has is seen in its listing alone
    let asks_each = pair.check.head_each_target && pair.deletion.is_none();
    Some(Box::new(move |unsorted| {
        let source = if unsorted.source {
            ends.source.list_sorted()
        } else {
            ends.source.list()
        };
        let target = match (asks_each, unsorted.target) {
            (true, _) => nothing(),
            (false, true) => ends.target.list_sorted(),
            (false, false) => ends.target.list(),
        };
        (source, target)
    }))
}

/// Whether the pair names its keys.
pub(super) fn is_named(pair: &Pair) -> bool {
    keys(pair).is_some()
}

fn keys(pair: &Pair) -> Option<Keys> {
    let only = pair.filters.only.clone();
    match &pair.filters.keys_from {
        Some(file) => Some(Keys::File {
            path: file.value.clone(),
            only,
        }),
        None => only.map(Keys::These),
    }
}

fn nothing() -> Listing {
    Box::pin(futures::stream::empty())
}
