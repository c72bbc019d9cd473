/*! One object from the source to the target, with its proof.

[`Transferrer::run`] takes a decision of the plan and ends in exactly one event for its key:
transferred, unchanged, skipped, failed or not attempted. An object goes in one piece
(`whole`), in parts (`parts`) or inside S3 (`server_side`); damage and change on the way begin
it again. Nothing is published that is known to be damaged, and nothing counts as transferred that
was not settled.
*/

mod annotations;
mod archived;
mod attempt;
mod concede;
mod condition;
mod copy_proof;
mod desk;
mod dress;
mod front;
mod late;
mod latest;
mod once_more;
mod origin;
mod overtaken;
mod part_copies;
mod parts;
mod parts_proof;
mod places;
mod preprocess;
mod resume;
mod scheme;
mod server_side;
mod source_proof;
mod tags;
mod target_proof;
mod whole;
mod written;

pub use self::once_more::{Ended, Failure};
pub use self::origin::{is_made_from, is_nameless, origin_of};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

pub(crate) use self::archived::may_be_archived;
pub(crate) use self::late::Late;
#[cfg(feature = "lua")]
pub(crate) use self::preprocess::wrong_change;

use self::attempt::{Trouble, Unproved};
use self::concede::{Conceded, KeptClass};
use self::desk::Desk;
use self::late::{Judged, Told};
use self::once_more::{Past, may_pass};
use self::places::Places;
use self::preprocess::{Preprocess, Said};
use self::written::Written;
use crate::config::{Excluded, OnUndecided, OnUnverifiable, Pair};
use crate::context::{Budget, Conclusion, Context, Ends, Journal, cancelled, conclude};
use crate::digest::{Algorithm, Mismatch, Verdict, Why};
use crate::event::{Cause, Conduct, Event, FailReason, Listed, Sinks, SkipReason};
use crate::examine::{Answer, Depth, Examiner, Parts};
use crate::hook::{Backlog, Fails, HookError};
use crate::object::{Entry, ObjectKey, ObjectVersion, Tags};
use crate::plan::{Behind, Decision, Direction, Examine, Leave, Transfer};
use crate::store::{
    Annotations, Condition, ErrorKind, Head, Put, Settled, Source, StoreError, Stored, Target,
    Withdrawn,
};

/// What retries of whole objects are counted under.
const OBJECT: &str = "object";

/// What becomes of an object that is distrusted.
const AGAIN: &str = "it is sent again by every run until it is proved";

/// What becomes of a damaged version that was sent again and is sound now.
const BELOW: &str =
    "the object was sent again, and that version stays below the new one until you remove it";

/// Carries objects of one pair.
#[derive(Debug)]
pub struct Transferrer {
    source: Arc<dyn Source>,
    target: Arc<dyn Target>,
    examiner: Examiner,
    pair: Pair,
    direction: Direction,
    budget: Budget,
    /// Parts in flight, over all objects of the pair.
    parts: Places,
    /// Where they are hashed.
    desk: Desk,
    sinks: Sinks,
    /// Whether they want every step.
    tells_steps: bool,
    /// What is told and was not heard yet.
    backlog: Backlog,
    stop: CancellationToken,
    /// Knows of uploads that earlier runs have left, and hears of those of this one.
    journal: Arc<dyn Journal>,
    dry_run: bool,
    /// What is asked of an object before it goes.
    late: Late,
    /// Who has a say in what is written beside the content.
    preprocess: Preprocess,
    /// What the target was found not to do.
    conceded: Conceded,
    /// Whether the source said that it knows no tags.
    has_no_tags: AtomicBool,
    /// Whether what filters reject at the target is deleted, so that it matters of unchanged
    /// objects, too.
    deletes_excluded: bool,
    /// Whether what stands in the place of an object may yet be deleted.
    waits_for_deletions: bool,
}

/// What became of an object, as far as it matters to what comes after it.
#[derive(Debug, Clone)]
pub enum Became {
    /// The target has it, as this version where it keeps versions; in a dry run it would have.
    Arrived(Option<Arc<str>>),
    /// The source does not have it any more, or has it where it cannot be read, or filters keep it
    /// out: nothing need wait for it.
    LeftOut,
    /// Filters that had to ask for more than the listing tells keep it out; the target has this
    /// under its key.
    Filtered(Option<Listed>),
    /// Something of another kind stands in its place in the directory, which deletions may clear:
    /// nothing was told of it yet.
    Blocked(Box<Transfer>),
    /// It was left where it is, or did not arrive.
    Stayed,
    /// It failed for a reason that may pass, more than once.
    Failed,
}

/// An object on its way.
#[derive(Debug, Clone)]
struct Work {
    /// What the source listed, or said when asked again.
    entry: Entry,
    /// Why it is brought over.
    because: Cause,
    /// What the source said when it was asked again.
    head: Option<Head>,
    /// Its tags, where filters had to know them.
    tags: Option<Tags>,
    /// The parts the source has it in, once they are known for sure.
    parts: Option<Parts>,
    /// Whether it was told what the object loses on its way.
    told: Arc<AtomicBool>,
    /// Whether it is written in the target's own storage class, which may not take the source's.
    without_class: bool,
    /// The source's class that it was last to be written in.
    kept_class: Arc<KeptClass>,
    /// What has to hold of its key at the target.
    condition: Condition,
    /// Whether it goes without its tags, which may not be read.
    is_untagged: Arc<AtomicBool>,
    /// Whether what the target has under its key is distrusted, and must be until it is proved.
    is_distrusted: bool,
    /// Whether it was said to be distrusted until it has its annotations.
    owes_annotations: Arc<AtomicBool>,
    /// What the hooks said of it, once they were asked.
    said: Arc<OnceLock<Said>>,
}

/// How an attempt that worked went.
#[derive(Debug)]
struct Done {
    settled: Settled,
    parts: Option<(u16, Option<u64>)>,
    /// How many of them an earlier run had sent.
    resumed: u16,
    server_side: bool,
    /// What the source has, where the target's object has none yet.
    annotations: Option<Annotations>,
}

impl Work {
    /// The first attempt at an object.
    fn on(entry: Entry, because: Cause, head: Option<Head>, condition: Condition) -> Self {
        Self {
            entry,
            because,
            head,
            tags: None,
            parts: None,
            told: Arc::default(),
            without_class: false,
            kept_class: Arc::default(),
            condition,
            is_untagged: Arc::default(),
            is_distrusted: because == Cause::Distrusted,
            owes_annotations: Arc::default(),
            said: Arc::default(),
        }
    }

    /// The version of which the source said this.
    fn of<'a>(&'a self, head: &'a Head) -> ObjectVersion<'a> {
        ObjectVersion {
            key: &self.entry.key,
            version: head.version.as_deref().or(self.entry.version.as_deref()),
        }
    }
}

impl Transferrer {
    /// For one pair.
    pub fn new(ends: Ends, pair: &Pair, context: &Context) -> Self {
        let parts = Places::new(usize::from(pair.performance.max_parallel_uploads));
        let depth = if pair.auto_chunksize {
            Depth::Asked
        } else {
            Depth::Inferred
        };
        let preprocess = Preprocess::new(&ends, pair, &context.hooks);
        Self {
            preprocess,
            examiner: Examiner::new(ends.clone(), pair, context, depth),
            late: Late::new(&ends, pair, context, asks_checksums(pair, ends.direction)),
            source: ends.source,
            target: ends.target,
            direction: ends.direction,
            desk: Desk::new(context.budget.clone(), parts.clone()),
            parts,
            pair: pair.clone(),
            budget: context.budget.clone(),
            sinks: context.sinks.clone(),
            tells_steps: context.sinks.wants_steps(),
            backlog: context.backlog.clone(),
            stop: context.stop.clone(),
            journal: context.journal.clone(),
            dry_run: context.dry_run,
            conceded: Conceded::default(),
            has_no_tags: AtomicBool::new(false),
            deletes_excluded: (pair.deletion.as_ref())
                .is_some_and(|deletion| deletion.excluded == Excluded::Deleted),
            waits_for_deletions: false,
        }
    }

    /// The same; what only a candidate for deletion blocks is [`Became::Blocked`].
    #[must_use]
    pub fn waiting_for_deletions(self) -> Self {
        Self {
            waits_for_deletions: self.direction == Direction::S3ToLocal,
            ..self
        }
    }

    /// Whether filters are asked of objects that need not go.
    pub fn judges_unchanged(&self) -> bool {
        self.deletes_excluded && !self.late.is_empty()
    }

    /// What is asked of an object before it goes.
    pub(crate) fn late(&self) -> &Late {
        &self.late
    }

    /// Carries a decision out and tells what came of it. An error is one that ends the pair; its
    /// object was told of all the same.
    pub async fn run(&self, decision: Decision) -> Result<Became, StoreError> {
        let ended = match self.begin(decision).await {
            Ok(became) => return Ok(became),
            Err(ended) => ended,
        };
        match ended {
            Ended::Failed(failure) => self.tell(*failure),
            Ended::Stopped(event) => self.sinks.emit(&event),
            Ended::Pair(error) => return Err(error),
        }
        Ok(Became::Stayed)
    }

    /// The same, but what failed for a reason that may pass is given back and not told: it is to be
    /// [begun once more](Self::begin_again) or [told](Self::tell). So is, of objects that the end
    /// of the run has stopped, that they were not attempted.
    pub async fn begin(&self, decision: Decision) -> Result<Became, Ended> {
        self.carry(decision, Past::default()).await
    }

    /// Begins once more what failed, and tells what comes of it, all attempts together. What is
    /// stopped meanwhile has failed as it had before. An error is one that ends the pair.
    pub async fn begin_again(&self, failure: Failure) -> Result<Became, StoreError> {
        let Failure {
            event,
            warnings,
            again,
        } = failure;
        let untold = |again| Failure {
            event,
            warnings,
            again,
        };
        let Some((decision, past)) = again.filter(|_| !self.stop.is_cancelled()) else {
            self.tell(untold(None));
            return Ok(Became::Stayed);
        };
        crate::store::Meter::retry(&self.sinks, OBJECT, OBJECT, std::time::Duration::ZERO);
        let ended = match self.carry(decision, past).await {
            Ok(became) => return Ok(became),
            Err(ended) => ended,
        };
        match ended {
            Ended::Failed(failure) => self.tell(*failure),
            Ended::Stopped(_) => self.tell(untold(None)),
            Ended::Pair(error) => return Err(error),
        }
        Ok(Became::Failed)
    }

    /// Tells of an object that has failed and is not begun any more.
    pub fn tell(&self, failure: Failure) {
        for event in failure.told() {
            self.sinks.emit(&event);
        }
    }

    async fn carry(&self, decision: Decision, past: Past) -> Result<Became, Ended> {
        let past_and_this = past.one_more();
        match decision {
            Decision::Leave(Leave::Unchanged { source, target }) => {
                let target_now = Listed::from(&target);
                let unchanged = Event::Unchanged {
                    key: source.key.clone(),
                    source: (&source).into(),
                    target: target_now.clone(),
                };
                let attempts = past_and_this.attempts;
                let left = self.unchanged(&source, target_now, unchanged, attempts);
                left.await.map_err(|ended| {
                    let same = || Decision::Leave(Leave::Unchanged { source, target });
                    ended.begun_with(|| (same(), past_and_this))
                })
            }
            Decision::Leave(leave) => {
                self.sinks.emit(&leave.into());
                Ok(Became::Stayed)
            }
            Decision::Transfer(transfer) => self.transfer(transfer, past).await,
            Decision::Examine(examine) => {
                let examined = self.examine(&examine, past).await;
                examined.map_err(|ended| {
                    ended.begun_with(|| (Decision::Examine(examine), past_and_this))
                })
            }
            Decision::Delete(_) => unreachable!("what is deleted is deleted after all transfers"),
            Decision::Compare(_) => unreachable!("a run that transfers does not only compare"),
            Decision::Behind(behind) => Box::pin(self.behind(behind, past)).await,
        }
    }

    /// What is done with an object depends on whether one of the others goes.
    async fn behind(&self, behind: Behind, past: Past) -> Result<Became, Ended> {
        let Behind { others, otherwise } = behind;
        let Some(source) = otherwise.source() else {
            return self.carry(*otherwise, past).await;
        };
        match self.late.left_behind(source, &others).await {
            Ok(None) => self.carry(*otherwise, past).await,
            Ok(Some(leave)) => Ok(self.leave(leave, otherwise.target())),
            Err(error) => {
                let past = past.one_more();
                let concluded = self.conclude(source, error.into(), past.attempts);
                concluded.map_err(|ended| {
                    let same = || Decision::Behind(Behind { others, otherwise });
                    ended.begun_with(|| (same(), past))
                })
            }
        }
    }

    /// Whether users' hooks leave out an object that is not to be written; if so, that is told. An
    /// error is one that ends the pair.
    pub async fn is_left_out(&self, source: &Entry) -> Result<bool, StoreError> {
        if self.preprocess.is_empty() || self.dry_run {
            return Ok(false);
        }
        let Err(trouble) = Box::pin(preprocess::leaves_out(self, source)).await else {
            return Ok(false);
        };
        match self.conclude(source, trouble, 1) {
            Ok(_) => {}
            Err(Ended::Failed(failure)) => self.tell(*failure),
            Err(Ended::Stopped(event)) => self.sinks.emit(&event),
            Err(Ended::Pair(error)) => return Err(error),
        }
        Ok(true)
    }

    async fn examine(&self, examine: &Examine, past: Past) -> Result<Became, Ended> {
        let attempts = past.attempts + 1;
        let answer = self.examiner.answer(examine).await;
        let source = &examine.source;
        match answer {
            Ok(Answer::Unchanged(target)) => {
                let unchanged = Event::Unchanged {
                    source: source.into(),
                    target: target.clone(),
                    key: source.key.clone(),
                };
                self.unchanged(source, target, unchanged, attempts).await
            }
            Ok(Answer::Transfer { because, replaces }) => {
                let transfer = Transfer {
                    source: source.clone(),
                    replaces,
                    because,
                };
                self.transfer(transfer, past).await
            }
            Ok(Answer::Undecided { target, why }) => {
                self.undecided(source, target, why, past).await
            }
            Err(error) => self.conclude(source, error.into(), attempts),
        }
    }

    /// Leaves an object as it is, unless filters keep it out and its copy is to be deleted.
    async fn unchanged(
        &self,
        source: &Entry,
        target: Listed,
        left: Event,
        attempts: u32,
    ) -> Result<Became, Ended> {
        if self.judges_unchanged() {
            match self.late.judge(source, None).await {
                Ok(Judged::Goes(_)) => {}
                Ok(Judged::Stays(leave)) => return Ok(self.leave(leave, Some(target))),
                Err(error) => return self.conclude(source, error.into(), attempts),
            }
        }
        latest::leave(self, source, &target, left, attempts).await
    }

    /// What becomes of an object whose content cannot be compared is the user's to say.
    async fn undecided(
        &self,
        source: &Entry,
        target: Listed,
        why: Why,
        past: Past,
    ) -> Result<Became, Ended> {
        let attempts = past.attempts + 1;
        match self.pair.check.on_unverifiable {
            OnUndecided::Skip => {
                let undecided = Event::Undecided {
                    source: source.into(),
                    target: target.clone(),
                    key: source.key.clone(),
                    why,
                };
                self.unchanged(source, target, undecided, attempts).await
            }
            OnUndecided::Transfer => {
                let transfer = Transfer {
                    source: source.clone(),
                    replaces: Some(target),
                    because: Cause::Undecided,
                };
                self.transfer(transfer, past).await
            }
            OnUndecided::Fail => {
                let message = format!("its content cannot be compared: {}", why.as_str());
                let error =
                    StoreError::new("compare", source.key.as_str(), ErrorKind::Other, message);
                self.failed(source, FailReason::Unverifiable, error, attempts)
            }
        }
    }

    async fn transfer(&self, transfer: Transfer, past: Past) -> Result<Became, Ended> {
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
        let because = *because;
        let before = past.attempts;
        let Told { head, tags } = match self.late.judge(source, None).await {
            Ok(Judged::Goes(told)) => told,
            Ok(Judged::Stays(leave)) => return Ok(self.leave(leave, replaces.clone())),
            Err(error) => return self.conclude(source, error.into(), before + 1),
        };
        let is_directory =
            self.direction == Direction::S3ToLocal && source.key.is_directory_marker();
        if is_directory {
            return self.make_directory(source, because).await;
        }
        let condition = match past.condition.clone() {
            Some(condition) => Ok(condition),
            None => condition::first(self, source.key.as_str(), replaces.as_ref()),
        };
        let condition = match condition {
            Ok(condition) => condition,
            Err(error) => return self.conclude(source, error.into(), before + 1),
        };
        let head = match archived::look(self, source, head).await {
            Ok(head) => head,
            Err(error) => return self.conclude(source, error.into(), before + 1),
        };
        if self.dry_run {
            self.started(source);
            self.sinks.emit(&Event::Planned {
                key: source.key.clone(),
                source: source.into(),
                because,
                replaces: replaces.clone(),
            });
            return Ok(Became::Arrived(None));
        }
        let started = Instant::now();
        let (again, pause) = self.pair.force_retry;
        let mut again = again.saturating_add(before);
        let mut work = Work {
            tags,
            said: Arc::clone(&past.said),
            is_distrusted: because == Cause::Distrusted || past.left_something(),
            ..Work::on(source.clone(), because, head, condition)
        };
        work.replacing(past.published.last());
        let is_conditional = work.condition != Condition::None;
        let owes_annotations = Arc::clone(&work.owes_annotations);
        let mut attempts = before + 1;
        let trouble = loop {
            past.attempts = attempts;
            past.said = Arc::clone(&work.said);
            let begun = Instant::now();
            self.started(&work.entry);
            let made = concede::attempt(self, &work).await;
            let overtaken = match &made {
                Ok(_) => overtaken::look(self, &work, begun).await,
                Err(_) => None,
            };
            let trouble = match (made, overtaken) {
                (Ok(done), Some(error)) => {
                    let stored = done.settled.stored();
                    self.distrust(source, stored, FailReason::SourceChanged);
                    work.replacing(Some(stored));
                    Trouble::Store(error)
                }
                (Ok(done), None) => {
                    let conduct = Conduct {
                        because,
                        replaced: replaces.is_some(),
                        server_side: done.server_side,
                        parts: done.parts,
                        resumed: done.resumed,
                        attempts,
                        elapsed: started.elapsed(),
                        is_untagged: work.is_untagged.load(Ordering::Relaxed),
                    };
                    let sound = done.settled.stored().version.clone();
                    let annotated = annotations::bring_along(self, &work, &done).await;
                    let ended = match annotated {
                        Ok(()) => self.arrived(source, done.settled, conduct),
                        Err(error) => self.not_annotated(source, error, attempts),
                    };
                    // versions below the sound one: what has none was overwritten
                    let published = &mut past.published;
                    published.retain(|stored| stored.version.is_some() && stored.version != sound);
                    let (_, warnings) = self.withdraw(source, published, BELOW).await;
                    published.clear();
                    for message in warnings {
                        self.sinks.emit(&Event::Warning { message });
                    }
                    return ended;
                }
                (Err(trouble), _) => {
                    // what was distrusted before is not left as it was
                    let trusted = replaces.as_ref();
                    let trusted = trusted.filter(|_| because != Cause::Distrusted);
                    let trouble = as_it_was(trouble, trusted);
                    condition::weighed(self, trouble, past.left_something())
                }
            };
            if let Trouble::Unproved(unproved) = &trouble {
                self.distrust_unproved(source, unproved);
                work.is_distrusted = true;
                past.in_doubt = !unproved.is_own;
                if let Some(own) = unproved.seen.as_ref().filter(|_| unproved.is_own) {
                    past.published
                        .retain(|stored| stored.version != own.version);
                    past.published.push(own.clone());
                }
            }
            self.tell_damage(&work.entry, &trouble);
            if let Trouble::Published(rejected) = &trouble {
                past.in_doubt = false;
                work.is_distrusted = true;
                self.distrust(
                    source,
                    &rejected.stored,
                    attempt::reason_of(&rejected.mismatch),
                );
                // each version stays until it is removed; without versions only the last is there
                past.published.retain(|stored| {
                    stored.version.is_some() && stored.version != rejected.stored.version
                });
                past.published.push(rejected.stored.clone());
            }
            work.replacing(past.published.last());
            // to know more is no failure, and happens once to each version of the source
            again += u32::from(trouble.is_news());
            if self.stop.is_cancelled() || attempts > again || !trouble.may_pass() {
                break trouble;
            }
            tracing::debug!(pair = self.pair.name, key = %source.key, %trouble, "beginning again");
            match self.look_again(work, trouble).await {
                Ok((next, counts)) => {
                    work = next;
                    if counts {
                        crate::store::Meter::retry(&self.sinks, OBJECT, OBJECT, pause);
                        tokio::select! {
                            () = tokio::time::sleep(pause) => {}
                            () = self.stop.cancelled() => {}
                        }
                    }
                }
                Err(trouble) => break trouble,
            }
            attempts += 1;
        };
        // whatever the last attempt ended with, what an earlier one left is still there
        let (is_gone, warnings) = self.withdraw(source, &past.published, AGAIN).await;
        if is_gone {
            let is_kept = |stored: &Stored| stored.version.is_some();
            let is_absent = !past.published.iter().all(is_kept);
            past.condition = (is_absent && is_conditional)
                .then_some(Condition::Absent)
                .or(past.condition.take());
            past.published.clear();
        }
        if is_gone && !past.in_doubt {
            let key = source.key.clone();
            self.sinks.emit(&Event::Withdrawn { key });
        }
        let is_owing = owes_annotations.load(Ordering::Relaxed);
        if is_owing && !is_gone && !past.left_something() && annotations::is_refusal(&trouble) {
            let key = source.key.clone();
            self.sinks.emit(&Event::Withdrawn { key });
        }
        if let Trouble::Store(error) = &trouble
            && self.may_yet_go(error)
        {
            for message in warnings {
                self.sinks.emit(&Event::Warning { message });
            }
            return Ok(blocked(source, because));
        }
        match self.conclude(source, trouble, attempts) {
            Err(ended) => Err(ended.warning(warnings, |event| self.sinks.emit(&event))),
            Ok(became) => {
                for message in warnings {
                    self.sinks.emit(&Event::Warning { message });
                }
                Ok(became)
            }
        }
    }

    /// Whether it is only that something else stands in the place of an object, which may yet be
    /// deleted.
    fn may_yet_go(&self, error: &StoreError) -> bool {
        self.waits_for_deletions && error.kind == ErrorKind::Occupied
    }

    /// What the next attempt begins with, and whether it should wait first.
    async fn look_again(&self, work: Work, trouble: Trouble) -> Result<(Work, bool), Trouble> {
        match trouble {
            Trouble::Parts(parts) => {
                let parts = Some(parts);
                Ok((Work { parts, ..work }, false))
            }
            Trouble::Asked(head) => {
                let head = Some(*head);
                Ok((Work { head, ..work }, false))
            }
            Trouble::Store(error) if error.kind == ErrorKind::Changed => {
                let checksums = self.asks_checksums();
                let head = self.source.head(work.entry.at(), checksums).await?;
                let entry = Entry {
                    size: head.size,
                    modified: head.modified,
                    etag: head.etag.clone(),
                    ..work.entry
                };
                // it is another than the one that was judged
                let Told { head, tags } = match self.late.judge_anew(&entry, head).await? {
                    Judged::Goes(told) => told,
                    Judged::Stays(leave) => return Err(Trouble::Filtered(Box::new(leave))),
                };
                Ok((
                    Work {
                        entry,
                        head,
                        tags,
                        parts: None,
                        // it is another object now
                        said: Arc::default(),
                        ..work
                    },
                    false,
                ))
            }
            Trouble::Store(_)
            | Trouble::Damaged(_)
            | Trouble::Published(_)
            | Trouble::Unproved(_)
            | Trouble::Filtered(_)
            | Trouble::Left(_)
            | Trouble::Hook(_) => Ok((work, true)),
        }
    }

    /// Tells of an object that is left where it is by the filters, and of which the target has
    /// this.
    fn leave(&self, leave: Leave, there: Option<Listed>) -> Became {
        let became = match &leave {
            Leave::Filtered { .. } => Became::Filtered(there),
            Leave::Unchanged { .. } | Leave::Unfiltered { .. } | Leave::Skip { .. } => {
                Became::Stayed
            }
        };
        self.sinks.emit(&leave.into());
        became
    }

    fn arrived(&self, listed: &Entry, settled: Settled, conduct: Conduct) -> Result<Became, Ended> {
        if let (Verdict::Unverifiable(why), OnUnverifiable::Fail) =
            (settled.integrity().verdict(), self.pair.verify.unverifiable)
        {
            let message = format!("it cannot be verified: {}", why.as_str());
            let error = StoreError::new("verify", listed.key.as_str(), ErrorKind::Other, message);
            let reason = FailReason::Unverifiable;
            self.distrust(listed, settled.stored(), reason);
            return self.failed(listed, reason, error, conduct.attempts);
        }
        let version = settled.stored().version.clone();
        self.sinks.emit(&Event::Transferred {
            settled: Box::new(settled),
            conduct,
        });
        Ok(Became::Arrived(version))
    }

    /// Tells of an object that has arrived, and not all of its annotations have.
    fn not_annotated(
        &self,
        source: &Entry,
        error: StoreError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        if error.kind == ErrorKind::Cancelled || error.kind.is_fatal() {
            return self.conclude(source, error.into(), attempts);
        }
        self.failed(source, FailReason::Annotations, error, attempts)
    }

    /// Tells what became of an object that did not arrive.
    fn conclude(&self, source: &Entry, trouble: Trouble, attempts: u32) -> Result<Became, Ended> {
        let error = match trouble {
            Trouble::Damaged(mismatch) => return self.damaged(source, &mismatch, attempts),
            Trouble::Published(rejected) => {
                return self.damaged(source, &rejected.mismatch, attempts);
            }
            // the run ends: otherwise it would have begun again
            Trouble::Parts(_) | Trouble::Asked(_) => cancelled(source.key.as_str()),
            // what the target has may be what an earlier attempt left: the next run sees
            Trouble::Filtered(leave) => return Ok(self.leave(*leave, None)),
            Trouble::Unproved(unproved) => unproved.told(),
            Trouble::Left(left) => {
                self.sinks.emit(&left.skipped(source));
                return Ok(Became::LeftOut);
            }
            Trouble::Hook(error) => return self.hook_failed(source, &error, attempts),
            Trouble::Store(error) => error,
        };
        let Conclusion { event, ends_pair } = conclude(source, error, self.direction, attempts);
        if let Some(error) = ends_pair {
            self.sinks.emit(&event);
            return Err(Ended::Pair(error));
        }
        match event {
            Event::Failed { reason, error, .. } => self.failed(source, reason, *error, attempts),
            stopped @ Event::NotAttempted { .. } => Err(Ended::Stopped(Box::new(stopped))),
            left => {
                self.sinks.emit(&left);
                Ok(match left {
                    Event::Skipped {
                        reason: SkipReason::SourceVanished | SkipReason::Archived,
                        ..
                    } => Became::LeftOut,
                    _ => Became::Stayed,
                })
            }
        }
    }

    /// Tells of an object that a hook failed on; an error is one that ends the pair.
    fn hook_failed(
        &self,
        source: &Entry,
        error: &HookError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        let told = error.in_the("preprocess", source.key.as_str());
        let became = self.failed(source, error.reason(), told.clone(), attempts)?;
        match error.fails {
            Fails::Object => Ok(became),
            Fails::Pair => Err(Ended::Pair(told)),
        }
    }

    fn damaged(&self, source: &Entry, mismatch: &Mismatch, attempts: u32) -> Result<Became, Ended> {
        let ends = [self.source.describe(), self.target.describe()];
        let endpoint = ends.iter().find_map(|end| end.endpoint.as_deref());
        let (reason, error) = attempt::damage(source, mismatch, endpoint);
        self.failed(source, reason, error, attempts)
    }

    /// Tells of an object that has failed, unless another moment may help.
    fn failed(
        &self,
        source: &Entry,
        reason: FailReason,
        error: StoreError,
        attempts: u32,
    ) -> Result<Became, Ended> {
        let passes = may_pass(reason, &error);
        let event = Event::Failed {
            key: source.key.clone(),
            source: Some(source.into()),
            reason,
            error: Box::new(error),
            attempts,
        };
        if passes {
            return Err(Ended::Failed(Box::new(Failure {
                event,
                warnings: Vec::new(),
                again: None,
            })));
        }
        self.sinks.emit(&event);
        Ok(Became::Stayed)
    }

    /// What was published must not count as unchanged.
    fn distrust(&self, source: &Entry, stored: &Stored, reason: FailReason) {
        self.sinks.emit(&Event::Distrusted {
            key: source.key.clone(),
            etag: stored.etag.clone(),
            version: stored.version.clone(),
            reason,
        });
    }

    /// The same of what may have been published.
    fn distrust_unproved(&self, source: &Entry, unproved: &Unproved) {
        let seen = unproved.seen.as_ref();
        self.sinks.emit(&Event::Distrusted {
            key: source.key.clone(),
            etag: seen.and_then(|seen| seen.etag.clone()),
            version: seen.and_then(|seen| seen.version.clone()),
            reason: FailReason::Unverifiable,
        });
    }

    /// Takes back what was published and is damaged: better absent than wrong. Says whether
    /// anything was there and all of it is gone, and what is to be told of it in words; `stays` says
    /// what becomes of what stays.
    async fn withdraw(
        &self,
        source: &Entry,
        published: &[Stored],
        stays: &str,
    ) -> (bool, Vec<String>) {
        let key = &source.key;
        let mut told = Vec::new();
        let mut is_gone = !published.is_empty();
        // the newest first, so that nothing damaged comes to light again
        for stored in published.iter().rev() {
            let (gone, message) = match self.target.withdraw(key, stored).await {
                Ok(Withdrawn::Removed) => (
                    true,
                    format!("`{key}` was damaged on its way; it was removed from the target"),
                ),
                Ok(Withdrawn::Absent) => (
                    true,
                    format!("`{key}` was damaged on its way; the target does not have it any more"),
                ),
                Ok(Withdrawn::Other) => (
                    false,
                    format!(
                        "`{key}` was damaged on its way and was not removed: what the target has now is not what it told of it; {stays}"
                    ),
                ),
                Err(error) => (
                    false,
                    format!(
                        "{} is damaged at the target and could not be removed: {error}; {stays}",
                        version_of(key, stored)
                    ),
                ),
            };
            is_gone &= gone;
            told.push(message);
        }
        (is_gone, told)
    }

    /// A marker becomes a directory, unless the run is dry; either way it is no object that moved.
    async fn make_directory(&self, marker: &Entry, because: Cause) -> Result<Became, Ended> {
        let put = Put::bare(marker.key.clone(), marker.size, marker.modified);
        let made = if self.dry_run {
            Ok(())
        } else {
            let nothing = bytes::Bytes::new();
            self.target.put(&put, nothing, &[]).await.map(|_| ())
        };
        match made {
            Ok(()) => {
                self.sinks.emit(&Event::Skipped {
                    key: marker.key.as_str().to_owned(),
                    source: Some(marker.into()),
                    reason: SkipReason::DirectoryMarker,
                    message: None,
                });
                Ok(Became::Arrived(None))
            }
            Err(error) if self.may_yet_go(&error) => Ok(blocked(marker, because)),
            Err(error) => self.conclude(marker, error.into(), 1),
        }
    }

    /// What has to be known of a large source object before it is read: its stored checksums, and
    /// what a multipart upload must be given at its beginning. One request at most; what was told
    /// before is not asked for again.
    async fn asked_head(&self, work: &Work) -> Result<Option<Head>, StoreError> {
        if let Some(head) = &work.head {
            return Ok(Some(head.clone()));
        }
        let checksums = self.pair.checksum_download && self.direction != Direction::LocalToS3;
        if checksums || self.direction == Direction::S3ToS3 {
            let checksums = self.asks_checksums();
            let head = self.source.head(work.entry.at(), checksums).await?;
            return archived::readable(&work.entry, head).map(Some);
        }
        Ok(None)
    }

    /// Whether the source's checksums are asked for with what else is.
    fn asks_checksums(&self) -> bool {
        asks_checksums(&self.pair, self.direction)
    }

    /// The digests a pass over the bytes has to make: MD5 for ETags, the additional one, and the
    /// one that requests are signed with.
    fn algorithms(&self) -> Vec<Algorithm> {
        let md5 = self.pair.verify.etag || self.direction != Direction::S3ToLocal;
        let checksum = match self.direction {
            Direction::S3ToLocal => None,
            Direction::LocalToS3 | Direction::S3ToS3 => self.pair.checksum,
        };
        md5.then_some(Algorithm::Md5)
            .into_iter()
            .chain(checksum)
            .chain(self.target.signs_with())
            .collect()
    }
}

/// Whether a source is asked for its checksums with what else it is asked for: a header more. A
/// copy inside S3 is proved by them.
fn asks_checksums(pair: &Pair, direction: Direction) -> bool {
    let may_be_wanted = pair.checksum_download || pair.checksum_of_opaque || pair.server_side_copy;
    may_be_wanted && direction != Direction::LocalToS3
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

/// An object that waits until it is known what may be deleted.
fn blocked(source: &Entry, because: Cause) -> Became {
    Became::Blocked(Box::new(Transfer {
        source: source.clone(),
        replaces: None,
        because,
    }))
}

fn version_of(key: &ObjectKey, stored: &Stored) -> String {
    stored.version.as_ref().map_or_else(
        || format!("`{key}`"),
        |it| format!("version {it} of `{key}`"),
    )
}
