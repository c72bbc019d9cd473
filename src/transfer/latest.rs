//! Unchanged objects whose tags and annotations are to be those of the source.

use std::time::Instant;

use super::trouble::of_target;
use super::{Became, Ended, Transferrer, annotations, tags};
use crate::context::cancelled;
use crate::event::{Event, Listed, Refresh, Refreshed, Refreshing};
use crate::object::{Entry, ObjectVersion};
use crate::store::{ErrorKind, StoreError};

/// Leaves the content of an object as it is, which `left` tells, and brings up to date what lies
/// beside it. If that fails, the object has failed, after so many `attempts`.
pub(super) async fn leave(
    via: &Transferrer,
    source: &Entry,
    target: &Listed,
    left: Event,
    attempts: u32,
) -> Result<Became, Ended> {
    match refresh(via, source).await {
        Ok(refreshed) => {
            via.sinks.emit(&left);
            for (what, outcome, started) in refreshed {
                via.sinks.emit(&Event::Refreshed(Box::new(Refreshed {
                    key: source.key.clone(),
                    source: source.into(),
                    target: target.clone(),
                    what,
                    outcome,
                    elapsed: started.elapsed(),
                })));
            }
            Ok(Became::Stayed)
        }
        Err(error) => via.conclude(source, error.into(), attempts),
    }
}

type What = (Refresh, Refreshing, Instant);

async fn refresh(via: &Transferrer, source: &Entry) -> Result<Vec<What>, StoreError> {
    let mut refreshed = Vec::new();
    if via.pair.annotations.sync_latest {
        refreshed.extend(refresh_annotations(via, source).await?);
    }
    if via.pair.tagging.sync_latest && !via.conceded.tags() {
        match refresh_tags(via, source).await {
            Ok(what) => refreshed.extend(what),
            Err(error) if error.kind == ErrorKind::Unsupported => {
                via.conceded.concede_tags(&via.sinks, &error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(refreshed)
}

/// What the target has as its latest is what is brought up to date.
fn latest(source: &Entry) -> ObjectVersion<'_> {
    (&source.key).into()
}

async fn refresh_annotations(
    via: &Transferrer,
    source: &Entry,
) -> Result<Option<What>, StoreError> {
    let started = Instant::now();
    stopped(via, source)?;
    let (from, to) = (source.at(), latest(source));
    let compared = via.examiner.annotations(from, to).await?;
    if compared.is_alike() {
        return Ok(None);
    }
    let what = Refresh::Annotations {
        written: compared.differing.len() as u64,
        removed: compared.extra.len() as u64,
    };
    if via.dry_run {
        return Ok(Some((what, Refreshing::Planned, started)));
    }
    annotations::bring(via, from, to, &compared).await?;
    Ok(Some((what, Refreshing::Done, started)))
}

async fn refresh_tags(via: &Transferrer, source: &Entry) -> Result<Option<What>, StoreError> {
    let started = Instant::now();
    stopped(via, source)?;
    let to = latest(source);
    let (ours, theirs) = futures::join!(via.source.tags(source.at()), via.target.tags(to));
    let ours = tags::readable(via, ours)?;
    let theirs = tags::readable(via, theirs.map_err(of_target))?;
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return Ok(Some((Refresh::Tags, Refreshing::Denied, started)));
    };
    if ours == theirs {
        return Ok(None);
    }
    if via.dry_run {
        return Ok(Some((Refresh::Tags, Refreshing::Planned, started)));
    }
    via.target.set_tags(to, &ours).await.map_err(of_target)?;
    Ok(Some((Refresh::Tags, Refreshing::Done, started)))
}

fn stopped(via: &Transferrer, source: &Entry) -> Result<(), StoreError> {
    if via.stop.is_cancelled() {
        return Err(cancelled(source.key.as_str()));
    }
    Ok(())
}
