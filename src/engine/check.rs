//! The worker of a run that only compares.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::carry::Worker;
use super::filtered::Filtered;
use super::lineup::{Lineup, Place};
use crate::config::{self, OnUnverifiable, Pair};
use crate::context::{Context, Ends, cancelled, conclude};
use crate::digest::Likeness;
use crate::event::{Beside, Compared, Event, FailReason, SkipReason};
use crate::examine::{Depth, Examiner};
use crate::object::{Entry, ObjectKey};
use crate::plan::{Decision, Direction, Joined, Leave};
use crate::store::{ErrorKind, Head, StoreError};

/// What both sides are compared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// To know where they differ: what only the target has counts too, and where the sizes differ
    /// nothing is read.
    Audit,
    /// To report on each object of the source, with the values of both sides, as the predecessor
    /// does.
    Records,
}

/// Compares objects and tells of them in the order of their keys.
#[derive(Debug)]
pub(super) struct Checking {
    examiner: Examiner,
    ends: Ends,
    pair: Pair,
    manner: Manner,
    lineup: Lineup,
    filtered: Filtered,
    stop: CancellationToken,
}

/// A key both sides have.
#[derive(Debug)]
pub(super) struct Both {
    source: Entry,
    target: Entry,
    place: Place,
}

/// Both sides as they were when they were compared, and what their contents showed.
struct Looked {
    source: Entry,
    target: Entry,
    likeness: Option<Likeness>,
    beside: Beside,
}

impl Checking {
    /// Between these ends.
    pub(super) fn new(ends: Ends, pair: &Pair, context: &Context, manner: Manner) -> Self {
        Self {
            examiner: Examiner::new(ends.clone(), pair, context, Depth::Asked),
            ends,
            pair: pair.clone(),
            manner,
            lineup: Lineup::new(context.sinks.clone()),
            filtered: Filtered::new(&context.sinks),
            stop: context.stop.clone(),
        }
    }

    /// What can be told of a key without looking at content; `None` where there is nothing to
    /// tell, the key where content is to be looked at.
    fn glance(&self, joined: Joined) -> Result<Option<Event>, (Entry, Entry)> {
        let direction = self.ends.direction;
        Ok(match joined {
            Joined::OnlySource(source)
                if direction == Direction::S3ToLocal && is_marker(&source) =>
            {
                // a directory has no key of its own
                Some(Event::Skipped {
                    key: source.key.as_str().to_owned(),
                    source: Some((&source).into()),
                    reason: SkipReason::DirectoryMarker,
                    message: None,
                })
            }
            Joined::OnlyTarget(target) | Joined::Hidden(target)
                if direction == Direction::LocalToS3 && is_marker(&target) =>
            {
                None
            }
            Joined::OnlyTarget(_) | Joined::Hidden(_) if self.manner == Manner::Records => None,
            Joined::OnlyTarget(target) => Some(compared(
                target.key.clone(),
                None,
                Some(&target),
                None,
                Duration::ZERO,
            )),
            Joined::Hidden(target) => Some(Event::Compared(Box::new(Compared {
                key: target.key.clone(),
                source: None,
                target: Some((&target).into()),
                is_source_unreadable: true,
                likeness: None,
                beside: Beside::default(),
                elapsed: Duration::ZERO,
            }))),
            Joined::OnlySource(source) => Some(compared(
                source.key.clone(),
                Some(&source),
                None,
                None,
                Duration::ZERO,
            )),
            Joined::Both { source, target } => {
                let beside = self.pair.check.beside != config::Beside::default();
                if beside || self.looks_at_content(&source, &target) {
                    return Err((source, target));
                }
                let key = source.key.clone();
                Some(compared(
                    key,
                    Some(&source),
                    Some(&target),
                    None,
                    Duration::ZERO,
                ))
            }
        })
    }

    /// Whether more than the sizes is compared.
    fn looks_at_content(&self, source: &Entry, target: &Entry) -> bool {
        self.pair.check.compared != config::Compared::Size
            && (self.manner == Manner::Records || source.size == target.size)
    }

    /// Looks at the content and beside it, again where it changed meanwhile; `None` where the
    /// target does not have it any more. Also says how often it was begun.
    async fn look(
        &self,
        source: &Entry,
        target: &Entry,
    ) -> (Result<Option<Looked>, StoreError>, u32) {
        let (mut source, mut target) = (source.clone(), target.clone());
        let mut attempts = 1;
        loop {
            let error = match self.compare(&source, &target).await {
                Ok((likeness, beside)) => {
                    let looked = Looked {
                        source,
                        target,
                        likeness,
                        beside,
                    };
                    return (Ok(Some(looked)), attempts);
                }
                Err(error) => error,
            };
            let looked_again = match error.kind {
                ErrorKind::NotFound => self.look_again(&mut source, &mut target).await,
                ErrorKind::Changed if attempts <= self.pair.force_retry.0 => {
                    self.look_again(&mut source, &mut target).await
                }
                _ => return (Err(error), attempts),
            };
            match looked_again {
                Ok(true) if error.kind == ErrorKind::Changed => attempts += 1,
                // it is there, and was not found: no more can be said
                Ok(true) => return (Err(error), attempts),
                Ok(false) => return (Ok(None), attempts),
                Err(error) => return (Err(error), attempts),
            }
        }
    }

    async fn compare(
        &self,
        source: &Entry,
        target: &Entry,
    ) -> Result<(Option<Likeness>, Beside), StoreError> {
        let likeness = if self.looks_at_content(source, target) {
            Some(self.examiner.compare(source, target).await?)
        } else {
            None
        };
        Ok((likeness, self.examiner.beside(source, target).await?))
    }

    /// Asks both ends for what they have now; `false` where the target has nothing any more.
    async fn look_again(&self, source: &mut Entry, target: &mut Entry) -> Result<bool, StoreError> {
        renew(source, self.ends.source.head(source.at(), false).await?);
        match self.ends.target.head(target.at(), false).await {
            Ok(head) => renew(target, head),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Where nothing tells, the user may want that to fail.
    fn judged(&self, compared: Compared) -> Event {
        match (
            compared.why_unknown(),
            self.pair.verify.unverifiable,
            &compared.source,
        ) {
            (Some(_), OnUnverifiable::Fail, Some(source)) => {
                let message = compared.to_string();
                let key = compared.key.as_str();
                let error = StoreError::new("compare", key, ErrorKind::Other, message);
                Event::Failed {
                    source: source.clone(),
                    key: compared.key,
                    reason: FailReason::Unverifiable,
                    error: Box::new(error),
                    attempts: 1,
                }
            }
            _ => Event::Compared(Box::new(compared)),
        }
    }
}

impl Worker for Checking {
    type Decision = Decision;
    type Task = Both;

    async fn take(&self, decision: Decision) -> Result<Option<Both>, StoreError> {
        let event = match decision {
            Decision::Leave(Leave::Filtered { source, by }) => {
                let event = || Event::filtered(&source, &by);
                self.filtered.count_or(&by, event)
            }
            Decision::Leave(leave) => Some(leave.into()),
            Decision::Compare(joined) => match self.glance(joined) {
                Ok(event) => event,
                Err((source, target)) => {
                    let place = self.lineup.place();
                    return Ok(Some(Both {
                        source,
                        target,
                        place,
                    }));
                }
            },
            Decision::Transfer(_) | Decision::Examine(_) => {
                unreachable!("a run that only compares transfers nothing")
            }
        };
        if let Some(event) = event {
            self.lineup.tell(self.lineup.place(), event);
        }
        Ok(None)
    }

    async fn work(&self, both: Both) -> Result<(), StoreError> {
        let Both {
            source,
            target,
            place,
        } = both;
        let started = Instant::now();
        // nothing is lost with an answer that is not waited for
        let (outcome, attempts) = tokio::select! {
            biased;
            looked = self.look(&source, &target) => looked,
            () = self.stop.cancelled() => (Err(cancelled(source.key.as_str())), 1),
        };
        let key = source.key.clone();
        let event = match outcome {
            Ok(Some(looked)) => self.judged(Compared {
                key,
                source: Some((&looked.source).into()),
                target: Some((&looked.target).into()),
                is_source_unreadable: false,
                likeness: looked.likeness,
                beside: looked.beside,
                elapsed: started.elapsed(),
            }),
            Ok(None) => compared(key, Some(&source), None, None, started.elapsed()),
            Err(error) => {
                let concluded = conclude(&source, error, self.ends.direction, attempts);
                self.lineup.tell(place, concluded.event);
                return concluded.ends_pair.map_or(Ok(()), Err);
            }
        };
        self.lineup.tell(place, event);
        Ok(())
    }

    fn end(&self) {
        self.lineup.end();
        self.filtered.end();
    }
}

fn compared(
    key: ObjectKey,
    source: Option<&Entry>,
    target: Option<&Entry>,
    likeness: Option<Likeness>,
    elapsed: Duration,
) -> Event {
    Event::Compared(Box::new(Compared {
        key,
        source: source.map(Into::into),
        target: target.map(Into::into),
        is_source_unreadable: false,
        likeness,
        beside: Beside::default(),
        elapsed,
    }))
}

fn is_marker(entry: &Entry) -> bool {
    entry.key.is_directory_marker() && entry.size == 0
}

fn renew(entry: &mut Entry, head: Head) {
    entry.size = head.size;
    entry.modified = head.modified;
    entry.etag = head.etag;
}
