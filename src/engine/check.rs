/*! The worker of a run that only compares.

An object that differs, or is missing, is told of unless the late filters keep it out: a run would
leave it as it is. What is the same is the same, whatever they would say of it, and is not asked
about.
*/

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::carry::Worker;
use super::filtered::Filtered;
use super::lineup::{Lineup, Place};
use crate::config::{self, OnUnverifiable, Pair};
use crate::context::{Context, Ends, cancelled, conclude};
use crate::digest::Likeness;
use crate::event::{Beside, Compared, Event, FailReason, Sameness, SkipReason};
use crate::examine::{Depth, Examiner};
use crate::object::{Entry, ObjectKey};
use crate::plan::{Behind, Decision, Direction, Joined, Leave};
use crate::store::{ErrorKind, Head, StoreError};
use crate::transfer::Late;

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
    late: Late,
    ends: Ends,
    pair: Pair,
    manner: Manner,
    lineup: Lineup,
    filtered: Filtered,
    stop: CancellationToken,
}

/// A key of the source that is to be looked into.
#[derive(Debug)]
pub(super) struct Open {
    source: Entry,
    /// What the target has under it, if it has it.
    target: Option<Entry>,
    /// Those of which none may go if it is to be compared.
    behind: Vec<Entry>,
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
            late: Late::new(&ends, pair, context, false),
            ends,
            pair: pair.clone(),
            manner,
            lineup: Lineup::new(context.sinks.clone()),
            filtered: Filtered::new(&context.sinks),
            stop: context.stop.clone(),
        }
    }

    /// What can be told of a key from the listings alone; `None` where there is nothing to tell,
    /// the key where one of the sides is to be asked.
    fn glance(&self, joined: Joined) -> Result<Option<Event>, (Entry, Option<Entry>)> {
        let direction = self.ends.direction;
        Ok(match joined {
            Joined::OnlySource(source)
                if direction == Direction::S3ToLocal && is_marker(&source) =>
            {
                Some(marker(&source))
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
            Joined::OnlySource(source) if !self.late.is_empty() => return Err((source, None)),
            Joined::OnlySource(source) => Some(compared(
                source.key.clone(),
                Some(&source),
                None,
                None,
                Duration::ZERO,
            )),
            Joined::Both { source, target } => {
                let beside = self.pair.check.beside != config::Beside::default();
                let may_stay = !self.late.is_empty() && source.size != target.size;
                if beside || may_stay || self.looks_at_content(&source, &target) {
                    return Err((source, Some(target)));
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

    /// The same of one that may have no path of its own.
    async fn tell_of_open(&self, open: &Open) -> (Result<Event, StoreError>, u32) {
        let Open { source, target, .. } = open;
        match self.late.left_behind(source, &open.behind).await {
            Ok(None) if self.ends.direction == Direction::S3ToLocal && is_marker(source) => {
                (Ok(marker(source)), 1)
            }
            Ok(None) => self.tell_of(source, target.as_ref()).await,
            Ok(Some(leave)) => (Ok(leave.into()), 1),
            Err(error) => (Err(error), 1),
        }
    }

    /// What there is to tell of a key of the source. Also says how often it was begun.
    async fn tell_of(
        &self,
        source: &Entry,
        target: Option<&Entry>,
    ) -> (Result<Event, StoreError>, u32) {
        let started = Instant::now();
        let (looked, attempts) = match target {
            Some(target) => self.look(source, target).await,
            None => (Ok(None), 1),
        };
        let mut compared = Compared {
            key: source.key.clone(),
            source: Some(source.into()),
            target: None,
            is_source_unreadable: false,
            likeness: None,
            beside: Beside::default(),
            elapsed: Duration::ZERO,
        };
        match looked {
            Ok(Some(looked)) => {
                compared.source = Some((&looked.source).into());
                compared.target = Some((&looked.target).into());
                compared.likeness = looked.likeness;
                compared.beside = looked.beside;
            }
            Ok(None) => {}
            Err(error) => return (Err(error), attempts),
        }
        let told = match self.left(source, &compared).await {
            Ok(Some(leave)) => Ok(leave.into()),
            Ok(None) => {
                compared.elapsed = started.elapsed();
                Ok(self.judged(compared))
            }
            Err(error) => Err(error),
        };
        (told, attempts)
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

    /// Why an object that is not the same on both sides is none that is brought over, if it is not.
    async fn left(&self, source: &Entry, compared: &Compared) -> Result<Option<Leave>, StoreError> {
        if compared.sameness() == Sameness::Matches {
            return Ok(None);
        }
        self.late.left(source).await
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
                    source: Some(source.clone()),
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
    type Task = Open;

    async fn take(&self, decision: Decision) -> Result<Option<Open>, StoreError> {
        let event = match decision {
            Decision::Leave(Leave::Filtered { source, by, .. }) => {
                let event = || Event::filtered(&source, &by);
                self.filtered.count_or(&by, event)
            }
            Decision::Leave(leave) => Some(leave.into()),
            Decision::Compare(joined) => match self.glance(joined) {
                Ok(event) => event,
                Err((source, target)) => {
                    let place = self.lineup.place();
                    return Ok(Some(Open {
                        source,
                        target,
                        behind: Vec::new(),
                        place,
                    }));
                }
            },
            Decision::Behind(Behind { others, otherwise }) => {
                let (source, target) = match *otherwise {
                    Decision::Compare(Joined::Both { source, target }) => (source, Some(target)),
                    Decision::Compare(Joined::OnlySource(source)) => (source, None),
                    _ => unreachable!("an object of the source, in a run that only compares"),
                };
                let place = self.lineup.place();
                return Ok(Some(Open {
                    source,
                    target,
                    behind: others,
                    place,
                }));
            }
            Decision::Transfer(_) | Decision::Examine(_) | Decision::Delete(_) => {
                unreachable!("a run that only compares transfers nothing")
            }
        };
        if let Some(event) = event {
            self.lineup.tell(self.lineup.place(), event);
        }
        Ok(None)
    }

    async fn work(&self, open: Open) -> Result<(), StoreError> {
        // nothing is lost with an answer that is not waited for
        let (outcome, attempts) = tokio::select! {
            biased;
            told = self.tell_of_open(&open) => told,
            () = self.stop.cancelled() => (Err(cancelled(open.source.key.as_str())), 1),
        };
        let Open { source, place, .. } = open;
        match outcome {
            Ok(event) => self.lineup.tell(place, event),
            Err(error) => {
                let concluded = conclude(&source, error, self.ends.direction, attempts);
                self.lineup.tell(place, concluded.event);
                return concluded.ends_pair.map_or(Ok(()), Err);
            }
        }
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

/// A directory has no key of its own.
fn marker(source: &Entry) -> Event {
    Event::Skipped {
        key: source.key.as_str().to_owned(),
        source: Some(source.into()),
        reason: SkipReason::DirectoryMarker,
        message: None,
    }
}

fn is_marker(entry: &Entry) -> bool {
    entry.key.is_directory_marker() && entry.size == 0
}

fn renew(entry: &mut Entry, head: Head) {
    entry.size = head.size;
    entry.modified = head.modified;
    entry.etag = head.etag;
}
