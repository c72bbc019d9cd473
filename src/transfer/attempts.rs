//! An object attempted as often as it may be, and what is left of that at the target.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::attempt::Done;
use super::late::{Judged, Told};
use super::once_more::Past;
use super::published::{AGAIN, BELOW};
use super::trouble::Trouble;
use super::{
    Became, Ended, Transferrer, Work, annotations, archived, concede, condition, damage, overtaken,
};
use crate::event::{Cause, Conduct, Event, FailReason, Listed};
use crate::object::Entry;
use crate::plan::{Decision, Direction, Transfer};
use crate::store::{Condition, ErrorKind, StoreError};

impl Transferrer {
    pub(super) async fn transfer(&self, transfer: Transfer, past: Past) -> Result<Became, Ended> {
        let mut past = past;
        let ended = self.attempt(&transfer, &mut past).await;
        ended.map_err(|ended| ended.begun_with(|| (Decision::Transfer(transfer), past)))
    }

    /// Attempts a transfer as often as it may be; `past` is what came of earlier attempts, and then
    /// of these as well.
    async fn attempt(&self, transfer: &Transfer, past: &mut Past) -> Result<Became, Ended> {
        let Transfer {
            source,
            replaces,
            because,
        } = transfer;
        let told = match self.late.judge(source, None).await {
            Ok(Judged::Goes(told)) => told,
            Ok(Judged::Stays(leave)) => return Ok(self.leave(leave, replaces.clone())),
            Err(error) => return self.conclude(source, error.into(), past.attempts + 1),
        };
        if self.direction == Direction::S3ToLocal && source.key.is_directory_marker() {
            return self.make_directory(source, *because).await;
        }
        let work = match self.prepared(transfer, told, past).await {
            Ok(work) => work,
            Err(error) => return self.conclude(source, error.into(), past.attempts + 1),
        };
        if self.dry_run {
            return Ok(self.planned(transfer));
        }
        let (again, _) = self.pair.force_retry;
        let mut attempts = Attempts {
            via: self,
            transfer,
            started: Instant::now(),
            most: again.saturating_add(past.attempts).saturating_add(1),
            past,
            work,
        };
        attempts.run().await
    }

    /// What the first attempt begins with; `told` is what is known of the object already.
    async fn prepared(
        &self,
        transfer: &Transfer,
        told: Told,
        past: &Past,
    ) -> Result<Work, StoreError> {
        let Transfer {
            source,
            replaces,
            because,
        } = transfer;
        let condition = match past.condition.clone() {
            Some(condition) => condition,
            None => condition::first(self, source.key.as_str(), replaces.as_ref())?,
        };
        let head = archived::look(self, source, told.head).await?;
        let mut work = Work {
            tags: told.tags,
            said: Arc::clone(&past.said),
            is_distrusted: *because == Cause::Distrusted || past.left_something(),
            ..Work::on(source.clone(), *because, head, condition)
        };
        work.replacing(past.published.last());
        Ok(work)
    }

    /// What a dry run says in place of a transfer.
    fn planned(&self, transfer: &Transfer) -> Became {
        let source = &transfer.source;
        self.started(source);
        self.sinks.emit(&Event::Planned {
            key: source.key.clone(),
            source: source.into(),
            because: transfer.because,
            replaces: transfer.replaces.clone(),
        });
        Became::Arrived(None)
    }

    /// Whether it is only that something else stands in the place of an object, which may yet be
    /// deleted.
    pub(super) fn may_yet_go(&self, error: &StoreError) -> bool {
        self.waits_for_deletions && error.kind == ErrorKind::Occupied
    }
}

/// All attempts at one object.
struct Attempts<'a> {
    via: &'a Transferrer,
    transfer: &'a Transfer,
    started: Instant,
    /// So many there may be, those of the past included.
    most: u32,
    /// What they have left behind so far.
    past: &'a mut Past,
    /// What the next one begins with.
    work: Work,
}

impl Attempts<'_> {
    async fn run(&mut self) -> Result<Became, Ended> {
        let via = self.via;
        let trouble = loop {
            let trouble = match self.once().await {
                Ok(done) => return self.arrived(done).await,
                Err(trouble) => trouble,
            };
            self.take_down(&trouble);
            // to know more is no failure, and happens once to each version of the source
            self.most = self.most.saturating_add(u32::from(trouble.is_news()));
            let is_last = self.past.attempts >= self.most;
            if via.stop.is_cancelled() || is_last || !trouble.may_pass() {
                break trouble;
            }
            let key = &self.transfer.source.key;
            tracing::debug!(pair = via.pair.name, %key, %trouble, "beginning again");
            if let Err(trouble) = self.look_again(trouble).await {
                break trouble;
            }
        };
        self.give_up(trouble).await
    }

    async fn once(&mut self) -> Result<Done, Trouble> {
        let (via, source) = (self.via, &self.transfer.source);
        self.past.attempts += 1;
        self.past.said = Arc::clone(&self.work.said);
        let begun = Instant::now();
        via.started(&self.work.entry);
        let done = match concede::attempt(via, &self.work).await {
            Ok(done) => done,
            Err(trouble) => return Err(self.weighed(trouble)),
        };
        let Some(error) = overtaken::look(via, &self.work, begun).await else {
            return Ok(done);
        };
        let stored = done.settled.stored();
        via.distrust(source, stored, FailReason::SourceChanged);
        self.work.replacing(Some(stored));
        Err(error.into())
    }

    /// What an attempt has ended with, in the light of what the target had before.
    fn weighed(&self, trouble: Trouble) -> Trouble {
        // what was distrusted before is not left as it was
        let trusted = self.transfer.replaces.as_ref();
        let trusted = trusted.filter(|_| self.transfer.because != Cause::Distrusted);
        let trouble = as_it_was(trouble, trusted);
        condition::weighed(self.via, trouble, self.past.left_something())
    }

    /// Takes down what an attempt that did not work may have left at the target.
    fn take_down(&mut self, trouble: &Trouble) {
        let (via, source) = (self.via, &self.transfer.source);
        let (work, past) = (&mut self.work, &mut *self.past);
        if let Trouble::Unproved(unproved) = trouble {
            via.distrust_unproved(source, unproved);
            work.is_distrusted = true;
            past.in_doubt = !unproved.is_own;
            if let Some(own) = unproved.seen.as_ref().filter(|_| unproved.is_own) {
                past.published
                    .retain(|stored| stored.version != own.version);
                past.published.push(own.clone());
            }
        }
        via.tell_damage(&work.entry, trouble);
        if let Trouble::Published(rejected) = trouble {
            past.in_doubt = false;
            work.is_distrusted = true;
            let reason = damage::reason_of(&rejected.mismatch);
            via.distrust(source, &rejected.stored, reason);
            // each version stays until it is removed; without versions only the last is there
            past.published.retain(|stored| {
                stored.version.is_some() && stored.version != rejected.stored.version
            });
            past.published.push(rejected.stored.clone());
        }
        work.replacing(past.published.last());
    }

    /// Learns what the next attempt begins with, and waits first where that may help.
    async fn look_again(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        match trouble {
            Trouble::Parts(parts) => self.work.parts = Some(parts),
            Trouble::Asked(head) => self.work.head = Some(*head),
            Trouble::Store(error) if error.kind == ErrorKind::Changed => {
                self.ask_again().await?;
            }
            Trouble::Store(_)
            | Trouble::Damaged(_)
            | Trouble::Published(_)
            | Trouble::Unproved(_)
            | Trouble::Filtered(_)
            | Trouble::Left(_)
            | Trouble::Hook(_) => self.pause().await,
        }
        Ok(())
    }

    /// Asks what the source has now: another object than the one that was judged.
    async fn ask_again(&mut self) -> Result<(), Trouble> {
        let (via, work) = (self.via, &mut self.work);
        let checksums = via.asks_checksums();
        let head = via.source.head(work.entry.at(), checksums).await?;
        let entry = Entry {
            size: head.size,
            modified: head.modified,
            etag: head.etag.clone(),
            ..work.entry.clone()
        };
        let Told { head, tags } = match via.late.judge_anew(&entry, head).await? {
            Judged::Goes(told) => told,
            Judged::Stays(leave) => return Err(Trouble::Filtered(Box::new(leave))),
        };
        work.entry = entry;
        work.head = head;
        work.tags = tags;
        work.parts = None;
        work.said = Arc::default();
        Ok(())
    }

    async fn pause(&self) {
        let (_, pause) = self.via.pair.force_retry;
        self.via.begun_again(pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.via.stop.cancelled() => {}
        }
    }

    async fn arrived(&mut self, done: Done) -> Result<Became, Ended> {
        let (via, transfer) = (self.via, self.transfer);
        let (work, past) = (&self.work, &mut *self.past);
        let source = &transfer.source;
        let conduct = Conduct {
            because: transfer.because,
            replaced: transfer.replaces.is_some(),
            server_side: done.server_side,
            parts: done.parts,
            resumed: done.resumed,
            attempts: past.attempts,
            elapsed: self.started.elapsed(),
            is_untagged: work.is_untagged.load(Ordering::Relaxed),
        };
        let sound = done.settled.stored().version.clone();
        let annotated = annotations::bring_along(via, work, &done).await;
        let ended = match annotated {
            Ok(()) => via.arrived(source, done.settled, conduct),
            Err(error) => via.not_annotated(source, error, past.attempts),
        };
        // versions below the sound one: what has none was overwritten
        let published = &mut past.published;
        published.retain(|stored| stored.version.is_some() && stored.version != sound);
        let (_, warnings) = via.withdraw(source, published, BELOW).await;
        published.clear();
        via.warn(warnings);
        ended
    }

    async fn give_up(&mut self, trouble: Trouble) -> Result<Became, Ended> {
        let (via, transfer) = (self.via, self.transfer);
        let (work, past) = (&self.work, &mut *self.past);
        let source = &transfer.source;
        // whatever the last attempt ended with, what an earlier one left is still there
        let (is_gone, warnings) = via.withdraw(source, &past.published, AGAIN).await;
        if is_gone {
            let is_absent = past.published.iter().any(|stored| stored.version.is_none());
            if is_absent && work.condition != Condition::None {
                past.condition = Some(Condition::Absent);
            }
            past.published.clear();
        }
        let is_as_before = if is_gone {
            !past.in_doubt
        } else {
            let is_owing = work.owes_annotations.load(Ordering::Relaxed);
            is_owing && !past.left_something() && annotations::is_refusal(&trouble)
        };
        if is_as_before {
            let key = source.key.clone();
            via.sinks.emit(&Event::Withdrawn { key });
        }
        if let Trouble::Store(error) = &trouble
            && via.may_yet_go(error)
        {
            via.warn(warnings);
            return Ok(Became::blocked(source, transfer.because));
        }
        match via.conclude(source, trouble, past.attempts) {
            Err(ended) => Err(ended.warning(warnings, |event| via.sinks.emit(&event))),
            Ok(became) => {
                via.warn(warnings);
                Ok(became)
            }
        }
    }
}

/// What may have been published was not, if the target still has what was to be replaced: the same
/// version where that is known, otherwise the same ETag.
fn as_it_was(trouble: Trouble, replaces: Option<&Listed>) -> Trouble {
    match trouble {
        Trouble::Unproved(unproved)
            if replaces.is_some_and(|listed| {
                let seen = unproved.seen.as_ref();
                seen.is_some_and(|seen| match &listed.version {
                    Some(version) => seen.version.as_ref() == Some(version),
                    None => listed.etag.is_some() && seen.etag == listed.etag,
                })
            }) =>
        {
            Trouble::Store(unproved.error)
        }
        trouble => trouble,
    }
}
