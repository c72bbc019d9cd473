/*! The worker of a run that brings every version over.

Where a version fails for a reason that may pass, its key is left there and gone on with in the second
round: the versions behind it wait for it.
*/

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::carry::Worker;
use super::filtered::Filtered;
use super::later::Later;
use super::recognition::{Recognition, Turn};
use super::unchanged::Unchanged;
use crate::config::Pair;
use crate::context::{Context, Distrusted, Ends, conclude};
use crate::event::{Cause, Event, Listed, Sinks, SkipReason};
use crate::object::{ETag, Entry, ObjectKey, Version};
use crate::plan::{Decision, KeyVersions, Step, Transfer};
use crate::store::{ErrorKind, Head, StoreError};
use crate::transfer::{Became, Ended, Failure, Transferrer, is_made_from, is_nameless, origin_of};

/// So many versions of one key are asked about at a time.
const AT_ONCE: usize = 8;

/// Adds versions to the target, those of one key strictly one after the other.
#[derive(Debug)]
pub(super) struct Adding {
    transferrer: Transferrer,
    ends: Ends,
    sinks: Sinks,
    unchanged: Unchanged,
    filtered: Filtered,
    recognition: Recognition,
    later: Later<Box<Rest>>,
    distrusted: Distrusted,
    stop: CancellationToken,
    dry_run: bool,
}

/// How far it came with a key.
#[derive(Debug, Default)]
struct Progress {
    /// What the target shows under the key.
    shown: Option<Listed>,
    /// Whether a version could not be brought over, so that none may come after it.
    is_stuck: bool,
    /// What ends the pair.
    fatal: Option<StoreError>,
    /// The version it begins with, where that was begun before.
    again: Option<Box<Failure>>,
    /// What the last step failed with, for a reason that may pass; nobody was told.
    failed: Option<Failed>,
}

/// What a worker is given.
#[derive(Debug)]
pub(super) enum Task {
    /// A key.
    First(KeyVersions),
    /// What is left of one.
    Again(Box<Rest>),
}

/// A key that was gone on with until a step failed.
#[derive(Debug)]
pub(super) struct Rest {
    versions: KeyVersions,
    found: Vec<Option<Listed>>,
    /// The step that failed.
    from: usize,
    /// What the target shows under the key.
    shown: Option<Listed>,
    failed: Failed,
}

/// What failed.
#[derive(Debug)]
enum Failed {
    /// To find out what the target has; no step was taken.
    Look(StoreError),
    /// To bring a version over.
    Bring(Box<Failure>),
    /// To delete the key.
    Mark(StoreError),
}

impl Adding {
    /// Between these ends.
    pub(super) fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        Self {
            transferrer: Transferrer::new(ends.clone(), pair, context),
            ends,
            sinks: context.sinks.clone(),
            unchanged: Unchanged::new(&context.sinks),
            filtered: Filtered::new(&context.sinks),
            recognition: Recognition::default(),
            later: Later::new(pair.force_retry.0 > 0),
            distrusted: context.distrusted.clone(),
            stop: context.stop.clone(),
            dry_run: context.dry_run,
        }
    }

    /// What the target has of each version of the source, the version it was made into: that is
    /// noted with it and takes a HEAD, of those that may be one of them by their size.
    async fn found(&self, versions: &KeyVersions) -> Result<Vec<Option<Listed>>, StoreError> {
        let source = &versions.source.versions;
        let mut found = vec![None; source.len()];
        if !versions.has_admitted_versions() {
            return Ok(found);
        }
        for history in std::iter::once(&versions.source).chain(&versions.target) {
            if history.is_too_long {
                return Err(too_long(&history.key));
            }
        }
        let Some(target) = &versions.target else {
            return Ok(found);
        };
        let sizes: HashSet<u64> = source.iter().map(|version| version.size).collect();
        let by_id: HashMap<&str, usize> =
            (source.iter().enumerate().map(|(at, it)| (&*it.id, at))).collect();
        let may_be_one = |it: &&Version| sizes.contains(&it.size);
        let candidates = target.versions.iter().rev().filter(may_be_one);
        let candidates: Vec<Entry> = candidates.map(|it| target.entry(it)).collect();
        let mut asked = futures::stream::iter(candidates)
            .map(|entry| self.head(entry))
            .buffered(AT_ONCE);
        // what may be damaged is the last one that was brought over
        let mut is_distrusted = self.distrusted.has(&target.key);
        let mut missing = source.len();
        while missing > 0
            && let Some(asked) = asked.next().await
        {
            let Some((entry, head)) = asked? else {
                continue;
            };
            let user = &head.attributes.user;
            if origin_of(user).is_some() && std::mem::take(&mut is_distrusted) {
                continue;
            }
            let origin = origin_of(user).and_then(|id| by_id.get(id));
            if let Some(&at) = origin
                && source[at].size == head.size
                && found[at].is_none()
                && is_made_from(user, &source[at])
                && !self
                    .is_another(&versions.source.entry(&source[at]), &head)
                    .await?
            {
                found[at] = Some(Listed::from(&entry));
                missing -= 1;
            }
        }
        Ok(found)
    }

    /// Whether a version without an id is proved to be another than the one that was brought over
    /// under that name, within one second.
    async fn is_another(&self, source: &Entry, target: &Head) -> Result<bool, StoreError> {
        if !is_nameless(source) || source.etag == target.etag || !target.etag_is_digest {
            return Ok(false);
        }
        match self.ends.source.head(source.at(), false).await {
            Ok(head) => Ok(head.etag_is_digest
                && matches!(head.etag, Some(ETag::Md5Shaped(_)))
                && matches!(target.etag, Some(ETag::Md5Shaped(_)))),
            // the transfer will see
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What the target says of one version; `None` where that went away.
    async fn head(&self, version: Entry) -> Result<Option<(Entry, Head)>, StoreError> {
        match self.ends.target.head(version.at(), false).await {
            Ok(head) => Ok(Some((version, head))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes one step, unless one before it failed.
    async fn step(&self, versions: &KeyVersions, step: Step<'_>, progress: &mut Progress) {
        match step {
            Step::IsThere(source, target) => self.unchanged.tell(|| Event::Unchanged {
                source: (&source).into(),
                target,
                key: source.key,
            }),
            Step::IsMarked(marker, Some(own)) => self.unchanged.tell(|| Event::Unchanged {
                source: (&versions.source.deletion(marker)).into(),
                target: (&versions.source.deletion(own)).into(),
                key: versions.source.key.clone(),
            }),
            // there is nothing at the target to tell of
            Step::IsMarked(_, None) => self.unchanged.count(),
            Step::IsLate(source) => self.pass_over(&source, progress).await,
            Step::Filtered(source, by) => {
                self.filtered.tell(&by, || Event::filtered(&source, &by));
            }
            // it may pass the next time, and can only be added as the newest
            Step::Unfiltered(source, error) => {
                self.sinks.emit(&Event::unfiltered(&source, &error));
                progress.is_stuck = true;
            }
            Step::Bring(source) if self.must_not(progress) => self.not_attempted(&source),
            Step::Bring(source) => self.bring(source, progress).await,
            Step::Mark(marker) if self.must_not(progress) => {
                self.not_attempted(&versions.source.deletion(marker));
            }
            Step::Mark(marker) => self.mark(&versions.source.deletion(marker), progress).await,
        }
    }

    /// Tells why a version stays out for ever: one that filters reject is not missed.
    async fn pass_over(&self, source: &Entry, progress: &mut Progress) {
        match self.transferrer.late().left(source).await {
            Ok(None) => match self.transferrer.is_left_out(source).await {
                Ok(true) => {}
                Ok(false) => self.sinks.emit(&out_of_order(source)),
                Err(error) => progress.fatal = Some(error),
            },
            Ok(Some(leave)) => self.sinks.emit(&leave.into()),
            Err(error) => progress.fatal = self.failed(source, error).or(progress.fatal.take()),
        }
    }

    fn must_not(&self, progress: &Progress) -> bool {
        progress.is_stuck || self.stop.is_cancelled()
    }

    async fn bring(&self, source: Entry, progress: &mut Progress) {
        let turn = match self.turn().await {
            Turn::Never => {
                progress.is_stuck = true;
                return self.not_attempted(&source);
            }
            turn => turn,
        };
        // another one was first, and the run has ended meanwhile
        if self.must_not(progress) {
            return self.not_attempted(&source);
        }
        let because = if self.distrusted.has(&source.key) {
            Cause::Distrusted
        } else {
            Cause::Missing
        };
        let brought = Listed {
            // not what the target calls it
            etag: None,
            version: None,
            ..Listed::from(&source)
        };
        let decision = Decision::Transfer(Transfer {
            source: source.clone(),
            replaces: progress.shown.clone(),
            because,
        });
        let became = match progress.again.take() {
            Some(failure) => self.transferrer.begin_again(*failure).await,
            None => match self.transferrer.begin(decision).await {
                Ok(became) => Ok(became),
                Err(Ended::Failed(failure)) => {
                    progress.failed = Some(Failed::Bring(failure));
                    return;
                }
                Err(Ended::Stopped(event)) => {
                    self.sinks.emit(&event);
                    Ok(Became::Stayed)
                }
                Err(Ended::Pair(error)) => Err(error),
            },
        };
        match became {
            Ok(Became::Arrived(version)) => {
                progress.shown = Some(brought);
                if matches!(turn, Turn::First(_)) {
                    let target = &*self.ends.target;
                    let seen = self.recognition.look(target, &source, version).await;
                    progress.fatal = seen.err();
                    progress.is_stuck = progress.fatal.is_some();
                }
            }
            Ok(Became::LeftOut) => {}
            Ok(Became::Stayed | Became::Failed) => progress.is_stuck = true,
            Err(error) => {
                progress.is_stuck = true;
                progress.fatal = Some(error);
            }
        }
    }

    /// Whether a version may be brought over now; one that is only told of always may.
    async fn turn(&self) -> Turn<'_> {
        if self.dry_run {
            return Turn::Known;
        }
        self.recognition.turn().await
    }

    async fn mark(&self, source: &Entry, progress: &mut Progress) {
        // every version that was to come before it has vanished
        let Some(hides) = progress.shown.clone() else {
            return self.unchanged.count();
        };
        let marked = if self.dry_run {
            Ok(None)
        } else {
            self.ends.target.mark_deleted(&source.key).await
        };
        match marked {
            Ok(marker) => self.sinks.emit(&Event::MarkerCopied {
                key: source.key.clone(),
                source: source.into(),
                hides,
                marker,
                is_planned: self.dry_run,
            }),
            Err(error) if error.kind.is_retryable() => progress.failed = Some(Failed::Mark(error)),
            Err(error) => progress.fatal = self.failed(source, error),
        }
    }

    /// Begins a key.
    async fn first(&self, versions: KeyVersions) -> Result<(), StoreError> {
        let shown = versions.shown().map(|version| {
            let target = versions.target.as_ref().unwrap_or(&versions.source);
            Listed::from(&target.entry(version))
        });
        match self.found(&versions).await {
            Ok(found) => {
                let progress = Progress {
                    shown,
                    ..Progress::default()
                };
                self.follow(versions, found, 0, progress).await
            }
            Err(error) if error.kind.is_retryable() => {
                let rest = Rest {
                    versions,
                    found: Vec::new(),
                    from: 0,
                    shown,
                    failed: Failed::Look(error),
                };
                self.keep(rest).map_or(Ok(()), |rest| self.give_up(*rest))
            }
            Err(error) => self.unknown(&versions, error).map_or(Ok(()), Err),
        }
    }

    /// Takes the steps of a key from this one on.
    async fn follow(
        &self,
        versions: KeyVersions,
        found: Vec<Option<Listed>>,
        from: usize,
        mut progress: Progress,
    ) -> Result<(), StoreError> {
        let mut failed = None;
        for (at, step) in versions
            .steps(found.clone())
            .into_iter()
            .enumerate()
            .skip(from)
        {
            self.step(&versions, step, &mut progress).await;
            failed = progress.failed.take().map(|failed| (at, failed));
            if failed.is_some() {
                break;
            }
        }
        if let Some((from, failed)) = failed {
            let rest = Rest {
                versions,
                found,
                from,
                shown: progress.shown,
                failed,
            };
            return self.keep(rest).map_or(Ok(()), |rest| self.give_up(*rest));
        }
        self.later.ended(!progress.is_stuck);
        progress.fatal.map_or(Ok(()), Err)
    }

    /// Goes on with a key in the second round.
    async fn again(&self, rest: Rest) -> Result<(), StoreError> {
        if self.later.is_hopeless() || self.stop.is_cancelled() {
            return self.give_up(rest);
        }
        let Rest {
            versions,
            found,
            from,
            shown,
            failed,
        } = rest;
        let again = match failed {
            Failed::Look(_) => return self.first(versions).await,
            Failed::Bring(failure) => Some(failure),
            Failed::Mark(_) => None,
        };
        let progress = Progress {
            shown,
            again,
            ..Progress::default()
        };
        self.follow(versions, found, from, progress).await
    }

    /// Keeps a key for the second round, unless it comes back.
    fn keep(&self, rest: Rest) -> Option<Box<Rest>> {
        let objects = rest.versions.source.versions.len() as u64 + 1;
        self.later.keep(Box::new(rest), objects).err()
    }

    /// Tells what failed of a key, and what became of what is behind it. An error is one that ends
    /// the pair.
    fn give_up(&self, rest: Rest) -> Result<(), StoreError> {
        self.later.ended(false);
        let versions = &rest.versions;
        let mut failed = match rest.failed {
            Failed::Look(error) => return self.unknown(versions, error).map_or(Ok(()), Err),
            failed @ (Failed::Bring(_) | Failed::Mark(_)) => Some(failed),
        };
        for step in versions.steps(rest.found).into_iter().skip(rest.from) {
            let source = match step {
                Step::IsThere(source, target) => {
                    self.unchanged.tell(|| Event::Unchanged {
                        source: (&source).into(),
                        target,
                        key: source.key,
                    });
                    continue;
                }
                Step::Filtered(source, by) => {
                    self.filtered.tell(&by, || Event::filtered(&source, &by));
                    continue;
                }
                Step::Unfiltered(source, why) => {
                    self.sinks.emit(&Event::unfiltered(&source, &why));
                    continue;
                }
                Step::IsMarked(..) => {
                    self.unchanged.count();
                    continue;
                }
                Step::IsLate(source) | Step::Bring(source) => source,
                Step::Mark(marker) => versions.source.deletion(marker),
            };
            match failed.take() {
                Some(Failed::Bring(failure)) => self.transferrer.tell(*failure),
                Some(Failed::Mark(error) | Failed::Look(error)) => {
                    if let Some(error) = self.failed(&source, error) {
                        return Err(error);
                    }
                }
                None => self.not_attempted(&source),
            }
        }
        Ok(())
    }

    /// Tells of an error; gives it back where it ends the pair.
    fn failed(&self, source: &Entry, error: StoreError) -> Option<StoreError> {
        let concluded = conclude(source, error, self.ends.direction, 1);
        self.sinks.emit(&concluded.event);
        concluded.ends_pair
    }

    /// Tells of all versions of a key of which nobody knows what the target has of them; gives the
    /// error back where it ends the pair.
    fn unknown(&self, versions: &KeyVersions, error: StoreError) -> Option<StoreError> {
        let mut error = Some(error);
        let mut ends_pair = None;
        for step in versions.steps(vec![None; versions.source.versions.len()]) {
            let source = match step {
                Step::Filtered(source, by) => {
                    self.filtered.tell(&by, || Event::filtered(&source, &by));
                    continue;
                }
                Step::Unfiltered(source, why) => {
                    self.sinks.emit(&Event::unfiltered(&source, &why));
                    continue;
                }
                Step::Bring(source) | Step::IsThere(source, _) | Step::IsLate(source) => source,
                Step::Mark(marker) | Step::IsMarked(marker, _) => versions.source.deletion(marker),
            };
            match error.take() {
                Some(first) => ends_pair = self.failed(&source, first),
                None => self.not_attempted(&source),
            }
        }
        ends_pair
    }

    fn not_attempted(&self, source: &Entry) {
        self.sinks.emit(&Event::NotAttempted {
            key: source.key.clone(),
            source: source.into(),
        });
    }
}

impl Worker for Adding {
    type Decision = KeyVersions;
    type Task = Task;

    async fn take(&self, versions: KeyVersions) -> Result<Option<Task>, StoreError> {
        let is_told_at_once =
            self.dry_run && versions.target.is_none() && !self.transferrer.late().asks();
        if is_told_at_once || !versions.has_admitted() {
            // it only has to be told: here, it is told in the order of the keys
            Box::pin(self.first(versions)).await?;
            return Ok(None);
        }
        Ok(Some(Task::First(versions)))
    }

    async fn work(&self, task: Task) -> Result<(), StoreError> {
        match task {
            Task::First(versions) => self.first(versions).await,
            Task::Again(rest) => self.again(*rest).await,
        }
    }

    fn kept(&self) -> u64 {
        self.later.objects()
    }

    fn once_more(&self) -> Option<Task> {
        self.later.next().map(Task::Again)
    }

    fn end(&self) {
        while let Some(rest) = self.later.next() {
            // the pair ends as it is
            let _ = self.give_up(*rest);
        }
        self.unchanged.end();
        self.filtered.end();
    }
}

fn too_long(key: &ObjectKey) -> StoreError {
    StoreError::new(
        "ListObjectVersions",
        key.as_str(),
        ErrorKind::Other,
        "it has more versions than s3sync holds of one key (100,000); have a lifecycle rule remove old ones, or copy without versions",
    )
}

fn out_of_order(source: &Entry) -> Event {
    Event::Skipped {
        key: source.key.as_str().to_owned(),
        source: Some(source.into()),
        reason: SkipReason::OutOfOrder,
        message: Some(
            "the target has a later version of it and not this one, which could only be added as the newest"
                .to_owned(),
        ),
    }
}
