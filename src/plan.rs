/*! What is to be done with each key, and why: decided while both sides are being listed.

Both listings come in ascending byte order of key, where one side is a directory of the names it
gives them. [`Plan`] merges them, sees each key once, and
makes a [`Decision`] of it, in the memory of one page for each side. Nothing here sends a request:
what a listing cannot tell is a [`Decision::Examine`], which the workers look into.
*/

mod compare;
mod cursor;
mod decided;
mod extraneous;
mod folded;
mod join;
mod row;
mod shadow;
mod versions;

pub use self::extraneous::{DeletePermit, Deletion, Superfluous, Survey};
pub use self::join::Joined;
pub use self::versions::{KeyVersions, Step, VersionPlan};

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use self::compare::compare;
use self::cursor::Cursor;
use self::decided::Decided;
use self::extraneous::Finder;
use self::folded::Folded;
use self::join::Join;
use self::shadow::{Shadow, Taken};
use crate::config::{By, Check};
use crate::event::{Cause, Event, Listed, Rule, Side, Sinks, SkipReason};
use crate::filter::{Filters, Ruling};
use crate::hook::{Candidate, Fails, HookError};
use crate::object::{Entry, LocalKey, ObjectKey, Timestamp};
use crate::store::{Folding, Listing, StoreError};

/// What is to be done with one key of the source.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Bring it over.
    Transfer(Transfer),
    /// The listings do not tell: ask or read first.
    Examine(Examine),
    /// Leave it.
    Leave(Leave),
    /// Delete it at the target, once it is known that everything may be deleted that is to be.
    Delete(Deletion),
    /// Say whether both sides are the same: the run only compares.
    Compare(Joined),
    /// Its path may be taken: that is for the late filters to say.
    Behind(Behind),
}

impl Decision {
    /// The key it is about, where the source has it.
    pub fn key(&self) -> Option<&ObjectKey> {
        self.source().map(|source| &source.key)
    }

    /// What the source has, if it has it.
    pub fn source(&self) -> Option<&Entry> {
        match self {
            Self::Transfer(Transfer { source, .. })
            | Self::Examine(Examine { source, .. })
            | Self::Leave(
                Leave::Unchanged { source, .. }
                | Leave::Filtered { source, .. }
                | Leave::Unfiltered { source, .. }
                | Leave::Skip { source, .. },
            )
            | Self::Compare(Joined::Both { source, .. } | Joined::OnlySource(source)) => {
                Some(source)
            }
            Self::Delete(_) | Self::Compare(Joined::OnlyTarget(_) | Joined::Hidden(_)) => None,
            Self::Behind(behind) => behind.otherwise.source(),
        }
    }

    /// What the target has under the key, as far as its listing tells.
    pub fn target(&self) -> Option<Listed> {
        match self {
            Self::Transfer(transfer) => transfer.replaces.clone(),
            Self::Examine(examine) => examine.target.as_ref().map(Into::into),
            Self::Leave(Leave::Unchanged { target, .. })
            | Self::Compare(
                Joined::Both { target, .. } | Joined::OnlyTarget(target) | Joined::Hidden(target),
            ) => Some(target.into()),
            Self::Delete(deletion) => Some(deletion.target().clone()),
            Self::Behind(behind) => behind.otherwise.target(),
            Self::Leave(Leave::Filtered { .. } | Leave::Unfiltered { .. } | Leave::Skip { .. })
            | Self::Compare(Joined::OnlySource(_)) => None,
        }
    }

    /// The same, or a transfer where the object would be left as unchanged or looked into.
    /// What cannot be brought over is not, and what is only compared is compared.
    #[must_use]
    pub fn forced(self, because: Cause) -> Self {
        let (source, replaces) = match self {
            Self::Leave(Leave::Unchanged { source, target }) => (source, Some(target)),
            Self::Examine(Examine { source, target, .. }) => (source, target),
            Self::Behind(Behind { others, otherwise }) => {
                return Self::Behind(Behind {
                    others,
                    otherwise: Box::new(otherwise.forced(because)),
                });
            }
            other @ (Self::Transfer(_) | Self::Leave(_) | Self::Delete(_) | Self::Compare(_)) => {
                return other;
            }
        };
        Self::Transfer(Transfer {
            source,
            replaces: replaces.as_ref().map(Into::into),
            because,
        })
    }
}

/// One object to bring over.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// What the source listed.
    pub source: Entry,
    /// What the target has under the key, if it has it.
    pub replaces: Option<Listed>,
    /// Why.
    pub because: Cause,
}

/// One object whose path in a directory belongs to another one, should that go.
#[derive(Debug, Clone)]
pub struct Behind {
    /// Those that may take its path, in order. If one of them goes, this one cannot.
    pub others: Vec<Entry>,
    /// What is to be done if none of them goes.
    pub otherwise: Box<Decision>,
}

/// One object on which the listings are silent.
#[derive(Debug, Clone)]
pub struct Examine {
    /// What the source listed.
    pub source: Entry,
    /// What the target listed; `None` where it is not listed but asked for each key.
    pub target: Option<Entry>,
    /// What is to be found out.
    pub question: Question,
}

/// What an examination is to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Both were written in the same second and have the same size: is it the same content?
    SameSecond,
    /// The source's time lies in the future: is it the one that was stored with the target?
    FutureTime,
    /// Is it the same content, by this evidence?
    Content(By),
    /// What does the target have under the key, and what follows from it?
    Target,
}

/// Why a key is left as it is.
#[derive(Debug, Clone)]
pub enum Leave {
    /// The target has it already.
    Unchanged {
        /// What the source listed.
        source: Entry,
        /// What the target listed.
        target: Entry,
    },
    /// A filter keeps it out.
    Filtered {
        /// What the source listed.
        source: Entry,
        /// Which one.
        by: Arc<Rule>,
        /// What that looked at, where no listing tells it.
        seen: Option<String>,
    },
    /// No filter could tell whether it goes.
    Unfiltered {
        /// What the source listed.
        source: Entry,
        /// Why not.
        error: HookError,
    },
    /// It cannot be brought over.
    Skip {
        /// What the source listed.
        source: Entry,
        /// Why not.
        reason: SkipReason,
        /// In words, where there is more to say.
        message: Option<String>,
    },
}

impl Leave {
    /// The path of a key is that of this one, on the target's file system.
    pub fn folded(source: Entry, by: &str) -> Self {
        Self::Skip {
            source,
            reason: SkipReason::ShadowedKey,
            message: Some(format!(
                "the target's file system takes its path for that of `{by}`, which differs in case or in its normal form only"
            )),
        }
    }

    /// The path of a key is already taken by this one.
    pub fn shadowed(source: Entry, by: &str) -> Self {
        Self::Skip {
            source,
            reason: SkipReason::ShadowedKey,
            message: Some(format!("the path is already taken by the key `{by}`")),
        }
    }
}

/// What the kind of a pair means for its plan.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What the run is for.
    pub aim: Aim,
    /// How changes are found.
    pub check: Check,
    /// Which kinds of store stand at both ends.
    pub direction: Direction,
    /// Times later than this lie in the future.
    pub now: Timestamp,
    /// How filters know what only the target has.
    pub names: Names,
    /// Whether late filters may yet keep out what is decided to go.
    pub is_provisional: bool,
}

/// By which key of the source an object would be called that only the target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// By that of the target.
    #[default]
    Same,
    /// By that and a slash before it: the source's prefix is a directory's name without its slash,
    /// and the target is a directory.
    Slashed,
}

impl Names {
    fn candidate(self, target: &Entry) -> Candidate {
        let mut candidate = Candidate::from(target);
        if self == Self::Slashed
            && let Ok(key) = ObjectKey::new(format!("/{}", target.key))
        {
            candidate.entry.key = key;
        }
        candidate
    }

    /// The same under another name that the source may have had for it: without a slash of its own
    /// the prefix is where other names begin as well.
    fn other_candidate(self, target: &Entry) -> Option<Candidate> {
        (self == Self::Slashed).then(|| Candidate::from(target))
    }
}

impl Rules {
    /// The decision on a key that both sides have.
    pub fn decide(&self, source: Entry, target: Entry) -> Decision {
        compare::decide(self, source, target)
    }
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aim {
    /// To make the target like the source.
    #[default]
    Sync,
    /// To say where they differ: every key of both sides is a [`Decision::Compare`].
    Compare,
}

/// Which kinds of store stand at both ends of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A directory to a bucket: the target's times are those of the upload.
    LocalToS3,
    /// A bucket to a directory: files carry the source's time.
    S3ToLocal,
    /// A bucket to a bucket: the target's times are those of the copy.
    S3ToS3,
}

/// How both sides are listed once more, where one of them is not in order.
pub type Relist = Box<dyn Fn(Unsorted) -> (Listing, Listing) + Send + Sync>;

/// Which sides have an order of their own, so that they are sorted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsorted {
    /// The source.
    pub source: bool,
    /// The target.
    pub target: bool,
}

/// A plan in the making: the merge of two listings.
pub struct Plan {
    join: Join<Entry>,
    /// Where it can be begun anew.
    anew: Option<Anew>,
    rules: Rules,
    filters: Filters,
    shadow: Shadow,
    folded: Option<Folded>,
    sinks: Sinks,
    /// Where what only the target has may be deleted.
    finder: Option<Finder>,
}

impl Plan {
    /// Begins both listings. `sinks` hear of every page, and of what is listed but no object.
    pub fn new(
        source: Listing,
        target: Listing,
        rules: Rules,
        filters: Filters,
        sinks: &Sinks,
    ) -> Self {
        let started = Instant::now();
        let strip = rules.direction == Direction::S3ToLocal;
        let source = Cursor::new(source, Side::Source, strip, started, sinks.clone());
        let source = source.admitting(filters.clone());
        let source = if rules.aim == Aim::Compare {
            source.remembering_the_unseen()
        } else {
            source
        };
        let target = Cursor::new(target, Side::Target, false, started, sinks.clone());
        Self {
            join: Join::new(source, target),
            anew: None,
            rules,
            filters,
            shadow: Shadow::new(rules.is_provisional),
            folded: None,
            sinks: sinks.clone(),
            finder: None,
        }
    }

    /// The same, and decides as well on what only the target has.
    #[must_use]
    pub fn deleting(mut self, wanted: Superfluous) -> Self {
        self.join.mind_what_is_no_entry();
        let (filters, sinks) = (self.filters.clone(), self.sinks.clone());
        Self {
            finder: Some(Finder::new(wanted, filters, self.rules, sinks)),
            ..self
        }
    }

    /// The same; it can [begin anew](Self::begin_anew).
    #[must_use]
    pub fn relisting(mut self, relist: Relist) -> Self {
        self.join.source.remember_what_it_tells();
        self.join.target.remember_what_it_tells();
        let anew = Anew {
            relist,
            unsorted: Unsorted::default(),
            decided: Decided::new(self.rules.direction == Direction::S3ToLocal),
        };
        Self {
            anew: Some(anew),
            ..self
        }
    }

    /// The same for a target that does not see these differences between names. Of keys that are
    /// one there the first counts, also where late filters may yet keep it out.
    #[must_use]
    pub fn folding(self, folding: Folding) -> Self {
        Self {
            folded: Folded::new(folding),
            ..self
        }
    }

    /// After a listing turned out to be in no order: begins once more, that side sorted. What was
    /// decided on is not decided on again, and each object counts once. `false` where that cannot
    /// be: the error that was returned is the end of it.
    ///
    /// What is being done must be done before: the target is listed as it is now.
    pub fn begin_anew(&mut self) -> bool {
        let Some(anew) = self.anew.take() else {
            return false;
        };
        let Some(anew) = anew.with(&self.join) else {
            return false;
        };
        let (entries, bytes) = if self.join.source.counts() {
            let left = self.join.undecided();
            left.fold((0, 0), |(count, sum), entry| (count + 1, sum + entry.size))
        } else {
            (0, 0)
        };
        self.sinks.emit(&Event::Relisted { entries, bytes });
        let (source, target) = (anew.relist)(anew.unsorted);
        let plan = Self::new(
            source,
            target,
            self.rules,
            self.filters.clone(),
            &self.sinks,
        );
        let Join { source, target, .. } = plan.join;
        let source = source.once_more(&mut self.join.source);
        let target = target.once_more(&mut self.join.target);
        self.join = Join::new(source, target);
        if let Some(finder) = &mut self.finder {
            finder.begin_anew();
        }
        self.shadow = plan.shadow;
        self.folded = self.folded.take().and_then(Folded::anew);
        self.anew = Some(anew);
        true
    }

    /// The decision on the next key; `None` when both sides are completely listed.
    /// An error means that a listing failed or broke its order: what was decided stands, and
    /// nothing more can be, unless the plan [begins anew](Self::begin_anew).
    pub async fn next(&mut self) -> Result<Option<Decision>, StoreError> {
        loop {
            if let Some(deletion) = self.finder.as_mut().and_then(Finder::next) {
                return Ok(Some(Decision::Delete(deletion)));
            }
            let Some(joined) = self.join.next().await? else {
                match &mut self.finder {
                    Some(finder) if finder.waits() => finder.ask().await?,
                    Some(finder) => {
                        finder.end();
                        return Ok(None);
                    }
                    None => return Ok(None),
                }
                continue;
            };
            let is_known = self.note(&joined);
            if is_known && matches!(joined, Joined::OnlyTarget(_) | Joined::Hidden(_)) {
                continue;
            }
            let decision = match self.admit(joined).await? {
                Admission::Decided(decision) => decision,
                Admission::Open(joined) => self.decide(joined),
            };
            if let Some(decision) = decision.filter(|_| !is_known) {
                return Ok(Some(decision));
            }
        }
    }

    /// Takes down that a key is decided on; whether it was before this plan began anew. What the
    /// source had then is not missing there now, whatever it lists.
    fn note(&mut self, joined: &Joined) -> bool {
        let Some(Anew { decided, .. }) = &mut self.anew else {
            return false;
        };
        match joined {
            Joined::Both { source, .. } | Joined::OnlySource(source) => {
                let key = source.key.as_str();
                let is_known = decided.has(key);
                decided.add(key);
                if !is_known && !self.join.source.counts() {
                    self.sinks.emit(&Event::listed(source));
                }
                is_known
            }
            Joined::OnlyTarget(target) | Joined::Hidden(target) => {
                decided.has_name(target.key.as_str())
            }
        }
    }

    /// What the filters say of a key. Those that only the target has are asked about where they
    /// are to be compared.
    async fn admit(&mut self, joined: Joined) -> Result<Admission, StoreError> {
        let only_target = match &joined {
            Joined::Both { source, .. } | Joined::OnlySource(source) => {
                let ruling = self.join.source.take_ruling();
                self.survey(&joined, &ruling);
                return Ok(match ruling {
                    Ruling::Admitted => Admission::Open(joined),
                    ruling => {
                        Admission::Decided(Some(Decision::Leave(left(source.clone(), ruling))))
                    }
                });
            }
            Joined::OnlyTarget(target) | Joined::Hidden(target) => target,
        };
        if let Some(finder) = &mut self.finder {
            if self.folded.is_some() {
                finder.cannot_tell();
            } else if matches!(joined, Joined::OnlyTarget(_))
                && !self.join.source.stands_for(&only_target.key)
            {
                finder.missing(only_target.clone()).await?;
            }
            return Ok(Admission::Decided(None));
        }
        if self.join.source.could_not_tell(&only_target.key) {
            return Ok(Admission::Decided(None));
        }
        if self.rules.aim == Aim::Sync || self.filters.is_empty() {
            return Ok(Admission::Open(joined));
        }
        let candidate = self.rules.names.candidate(only_target);
        let rulings = self.filters.of_all(vec![candidate]).await;
        Ok(match rulings.into_iter().next() {
            Some(Ruling::Admitted) | None => Admission::Open(joined),
            Some(Ruling::Rejected(_)) => Admission::Decided(None),
            Some(Ruling::Failed(error)) if error.fails == Fails::Object => {
                // no object of the source, so that it can neither fail nor be counted as one
                let error = error.in_the("filter", only_target.key.as_str());
                let message = format!("{error}; only the target has it, and it was not compared");
                self.sinks.emit(&Event::Warning { message });
                Admission::Decided(None)
            }
            Some(Ruling::Failed(error)) => {
                return Err(error.in_the("filter", only_target.key.as_str()));
            }
        })
    }

    /// Takes what the source has under a key, for the deletions.
    fn survey(&mut self, joined: &Joined, ruling: &Ruling) {
        let Some(finder) = &mut self.finder else {
            return;
        };
        let (source, target) = match joined {
            Joined::Both { source, target } => (source, Some(target)),
            Joined::OnlySource(source) => (source, None),
            Joined::OnlyTarget(_) | Joined::Hidden(_) => return,
        };
        let name = self.join.source.name_of(source);
        finder.has(source, name, *ruling == Ruling::Admitted, target);
        if let (Ruling::Rejected(_), Some(target)) = (ruling, target) {
            finder.excluded(target.clone());
        }
    }

    /// What the source has listed and this plan has not decided on: to be counted when a run
    /// ends early.
    pub fn undecided(&mut self) -> impl Iterator<Item = Entry> + '_ {
        let counts = self.join.source.counts();
        let (anew, sinks) = (&mut self.anew, &self.sinks);
        self.join.undecided().filter(move |entry| {
            if counts {
                return true;
            }
            let decided = anew.as_mut().map(|anew| &mut anew.decided);
            let is_known = decided.is_some_and(|decided| decided.has(entry.key.as_str()));
            if !is_known {
                sinks.emit(&Event::listed(entry));
            }
            !is_known
        })
    }

    /// What is to be done with a key; `None` for one that only the target has, unless it is to be
    /// compared.
    fn decide(&mut self, joined: Joined) -> Option<Decision> {
        let (Joined::Both { source, .. } | Joined::OnlySource(source)) = &joined else {
            return self.decide_alone(joined);
        };
        if self.rules.direction != Direction::S3ToLocal {
            return self.decide_alone(joined);
        }
        if let Some((reason, message)) = unfit_for_a_directory(source) {
            return Some(Decision::Leave(Leave::Skip {
                source: source.clone(),
                reason,
                message: Some(message),
            }));
        }
        let name = self.join.source.name_of(source);
        if let Some(by) = self.folded.as_mut().and_then(|folded| folded.of(name)) {
            return Some(Decision::Leave(Leave::folded(source.clone(), &by)));
        }
        match self.shadow.of(name, source) {
            None => self.decide_alone(joined),
            Some(Taken::By(by)) => Some(Decision::Leave(Leave::shadowed(source.clone(), &by))),
            Some(Taken::ByOneThatGoes(others)) => {
                let otherwise = Box::new(self.decide_alone(joined)?);
                Some(Decision::Behind(Behind { others, otherwise }))
            }
        }
    }

    /// The same, whatever other keys there are.
    fn decide_alone(&self, joined: Joined) -> Option<Decision> {
        match (self.rules.aim, joined) {
            (Aim::Sync, Joined::Both { source, target }) => {
                // where the target is asked for each key, it is listed only for what is deleted
                let target = Some(target).filter(|_| !self.rules.check.head_each_target);
                Some(compare(&self.rules, source, target))
            }
            (Aim::Sync, Joined::OnlySource(source)) => Some(compare(&self.rules, source, None)),
            // Where these may be deleted, that was decided before. Whatever is below a directory
            // that was not walked comes as one that only the target has, and is rejected like the
            // rest of the excluded, never taken for missing.
            (Aim::Sync, Joined::OnlyTarget(_) | Joined::Hidden(_)) => None,
            (Aim::Compare, joined) => Some(Decision::Compare(joined)),
        }
    }
}

/// Why a key cannot be a file in any directory, if it cannot.
fn unfit_for_a_directory(source: &Entry) -> Option<(SkipReason, String)> {
    if source.key.is_directory_marker() && source.size > 0 {
        let message = "a key that ends in `/` and has content cannot be a directory".to_owned();
        return Some((SkipReason::IncompatibleKey, message));
    }
    let error = LocalKey::new(&source.key).err()?;
    Some((SkipReason::UnsafeKey, error.to_string()))
}

impl From<&Entry> for Listed {
    fn from(entry: &Entry) -> Self {
        Self {
            size: entry.size,
            modified: entry.modified,
            etag: entry.etag.clone(),
            version: entry.version.clone(),
        }
    }
}

/// What the filters make of a key.
enum Admission {
    /// It is decided on already; `None` where nobody need hear of it.
    Decided(Option<Decision>),
    /// It is to be decided on.
    Open(Joined),
}

fn left(source: Entry, ruling: Ruling) -> Leave {
    match ruling {
        Ruling::Rejected(by) => Leave::Filtered {
            source,
            by,
            seen: None,
        },
        Ruling::Failed(error) => Leave::Unfiltered { source, error },
        Ruling::Admitted => unreachable!("what is admitted is not left by filters"),
    }
}

/// What a plan needs to begin anew.
struct Anew {
    relist: Relist,
    unsorted: Unsorted,
    decided: Decided,
}

impl Anew {
    /// The same after these listings ended; `None` where what is to be sorted was sorted.
    fn with(mut self, join: &Join<Entry>) -> Option<Self> {
        let known = [&mut self.unsorted.source, &mut self.unsorted.target];
        let mut is_new = false;
        for (known, cursor) in known.into_iter().zip([&join.source, &join.target]) {
            is_new |= cursor.is_out_of_order() && !*known;
            *known |= cursor.is_out_of_order();
        }
        if !is_new {
            return None;
        }
        self.decided = match self.decided.begin_anew() {
            Ok(decided) => decided,
            Err(error) => {
                tracing::warn!(%error, "what was decided on could not be kept for a second listing");
                return None;
            }
        };
        Some(self)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("join", &self.join)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Event {
    /// One object of the source is listed.
    fn listed(source: &Entry) -> Self {
        Self::Listed {
            side: Side::Source,
            entries: 1,
            odd: 0,
            bytes: source.size,
        }
    }

    /// A filter keeps an object out.
    pub fn filtered(source: &Entry, by: &Arc<Rule>) -> Self {
        Self::Filtered {
            key: source.key.as_str().to_owned(),
            source: Some(source.into()),
            by: Arc::clone(by),
            seen: None,
        }
    }

    /// No filter could tell whether an object goes.
    pub fn unfiltered(source: &Entry, error: &HookError) -> Self {
        Self::Failed {
            key: source.key.clone(),
            source: Some(source.into()),
            reason: error.reason(),
            error: Box::new(error.in_the("filter", source.key.as_str())),
            attempts: 1,
        }
    }
}

/// The event of a key that is left.
impl From<Leave> for Event {
    fn from(leave: Leave) -> Self {
        match leave {
            Leave::Unchanged { source, target } => Self::Unchanged {
                source: (&source).into(),
                target: (&target).into(),
                key: source.key,
            },
            Leave::Filtered { source, by, seen } => Self::Filtered {
                source: Some((&source).into()),
                key: source.key.as_str().to_owned(),
                by,
                seen,
            },
            Leave::Unfiltered { source, error } => Self::unfiltered(&source, &error),
            Leave::Skip {
                source,
                reason,
                message,
            } => Self::Skipped {
                source: Some((&source).into()),
                key: source.key.as_str().to_owned(),
                reason,
                message,
            },
        }
    }
}
