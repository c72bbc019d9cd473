//! What only the target has: who may say that it goes, and which of it may.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Direction, Names, Rules};
use crate::config::{Excluded, Pair};
use crate::event::{Event, Extraneous, Listed, Sinks};
use crate::filter::{Filters, Ruling};
use crate::hook::Fails;
use crate::object::{Entry, ObjectKey};
use crate::store::StoreError;

/// So many keys are asked about at once where somebody has to be asked.
const ASKED_AT_ONCE: usize = 256;

/// The right to have objects of the target deleted. Only a pair that asked for deletion gives it.
#[derive(Debug, Clone, Copy)]
pub struct DeletePermit {
    excluded: Excluded,
}

/// One object of the target that may be deleted. Only a [`DeletePermit`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    key: ObjectKey,
    target: Listed,
    because: Extraneous,
}

/// What a plan has seen that deletions depend on, for whoever decides on them.
#[derive(Debug, Default)]
pub struct Survey {
    in_scope: AtomicU64,
    has_marker: AtomicBool,
    is_complete: AtomicBool,
}

/// What a pair may delete, and how it is told from the rest.
#[derive(Debug, Clone)]
pub struct Superfluous {
    /// The right to say so.
    pub permit: DeletePermit,
    /// The key of the source that is looked for, if one is.
    pub marker: Option<Arc<str>>,
    /// Where it is written what was seen.
    pub survey: Arc<Survey>,
}

impl DeletePermit {
    /// That of a pair, if it asked for deletion.
    pub fn of(pair: &Pair) -> Option<Self> {
        let excluded = pair.deletion.as_ref()?.excluded;
        Some(Self { excluded })
    }

    /// One that no pair gave.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            excluded: Excluded::Kept,
        }
    }

    /// Whether what filters reject is deleted, too.
    pub fn takes_excluded(self) -> bool {
        self.excluded == Excluded::Deleted
    }

    /// An object of the target that may be deleted.
    pub fn deletion(self, key: ObjectKey, target: Listed, because: Extraneous) -> Deletion {
        Deletion {
            key,
            target,
            because,
        }
    }
}

impl Deletion {
    /// Its key, as the target has it.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// What the target listed.
    pub fn target(&self) -> &Listed {
        &self.target
    }

    /// Why it may be deleted.
    pub fn because(&self) -> Extraneous {
        self.because
    }

    /// All of it, to be told of.
    pub fn into_parts(self) -> (ObjectKey, Listed, Extraneous) {
        (self.key, self.target, self.because)
    }
}

impl Survey {
    /// How many objects of the target the pair is about: those that no filter keeps out.
    pub fn in_scope(&self) -> u64 {
        self.in_scope.load(Ordering::Relaxed)
    }

    /// Whether the source lists the key that was looked for.
    pub fn has_marker(&self) -> bool {
        self.has_marker.load(Ordering::Relaxed)
    }

    /// Whether both sides were listed to their ends, and everything was decided on.
    pub fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    fn forget(&self) {
        self.in_scope.store(0, Ordering::Relaxed);
        self.has_marker.store(false, Ordering::Relaxed);
        self.is_complete.store(false, Ordering::Release);
    }

    fn one_more(&self) {
        self.in_scope.fetch_add(1, Ordering::Relaxed);
    }
}

/// Finds the candidates in what both listings tell.
#[derive(Debug)]
pub(super) struct Finder {
    wanted: Superfluous,
    filters: Filters,
    rules: Rules,
    sinks: Sinks,
    /// To be asked about.
    waiting: Vec<Entry>,
    found: VecDeque<Deletion>,
    /// Whether it was told that what is missing cannot be told.
    is_blind: bool,
}

impl Finder {
    pub(super) fn new(wanted: Superfluous, filters: Filters, rules: Rules, sinks: Sinks) -> Self {
        Self {
            wanted,
            filters,
            rules,
            sinks,
            waiting: Vec::new(),
            found: VecDeque::new(),
            is_blind: false,
        }
    }

    /// The next candidate that is known to be one.
    pub(super) fn next(&mut self) -> Option<Deletion> {
        self.found.pop_front()
    }

    /// Looks at a key of the source, and at what the target has under it; `name` is what it is
    /// compared by.
    pub(super) fn has(
        &mut self,
        source: &Entry,
        name: &str,
        is_admitted: bool,
        target: Option<&Entry>,
    ) {
        let survey = &self.wanted.survey;
        if let Some(marker) = self.wanted.marker.as_deref()
            && (marker == source.key.as_str() || marker == name)
        {
            survey.has_marker.store(true, Ordering::Relaxed);
        }
        if target.is_some() && (is_admitted || self.wanted.permit.takes_excluded()) {
            survey.one_more();
        }
    }

    /// Takes the target's copy of what a filter rejects, if those are wanted.
    pub(super) fn excluded(&mut self, target: Entry) {
        if self.wanted.permit.takes_excluded() {
            self.add(target, Extraneous::Excluded);
        }
    }

    /// Takes what only the target has, unless a filter keeps it out. An error ends the pair.
    pub(super) async fn missing(&mut self, target: Entry) -> Result<(), StoreError> {
        // directories of the source have no markers there
        if self.rules.direction == Direction::LocalToS3
            && target.key.is_directory_marker()
            && target.size == 0
        {
            return Ok(());
        }
        if self.wanted.permit.takes_excluded() || self.filters.is_empty() {
            self.admitted(target);
        } else if self.filters.asks() {
            self.waiting.push(target);
            if self.waiting.len() >= ASKED_AT_ONCE {
                self.ask().await?;
            }
        } else {
            let ruling = self.filters.of_candidate(&self.names().candidate(&target));
            let other = self.names().other_candidate(&target);
            // what is kept out under either name is no business of ours
            let ruling = match (ruling, other) {
                (Ruling::Admitted, Some(other)) => self.filters.of_candidate(&other),
                (ruling, _) => ruling,
            };
            self.rule(target, ruling)?;
        }
        Ok(())
    }

    /// Takes that only the target has a name, where names that differ may be one: the source may
    /// have it written in another way, so that nothing is known to be missing.
    pub(super) fn cannot_tell(&mut self) {
        if !std::mem::replace(&mut self.is_blind, true) {
            let message = "the target directory takes names that differ for one, so that what the source does not have cannot be told: nothing of that is deleted";
            let message = message.to_owned();
            self.sinks.emit(&Event::Warning { message });
        }
    }

    /// Asks about those that wait for it. An error ends the pair.
    pub(super) async fn ask(&mut self) -> Result<(), StoreError> {
        let names = self.names();
        let candidates = self.waiting.iter().map(|target| names.candidate(target));
        let mut rulings = self.filters.of_all(candidates.collect()).await.into_iter();
        let others = self.waiting.iter();
        let others = others.filter_map(|target| names.other_candidate(target));
        let mut others = match others.collect::<Vec<_>>() {
            none if none.is_empty() => None,
            others => Some(self.filters.of_all(others).await.into_iter()),
        };
        for target in std::mem::take(&mut self.waiting) {
            let ruling = rulings.next().unwrap_or_else(Ruling::unanswered);
            let other = others.as_mut();
            let other = other.map(|it| it.next().unwrap_or_else(Ruling::unanswered));
            let ruling = match (ruling, other) {
                (Ruling::Admitted, Some(other)) => other,
                (ruling, _) => ruling,
            };
            self.rule(target, ruling)?;
        }
        Ok(())
    }

    /// Forgets what it has found: both sides are listed once more.
    pub(super) fn begin_anew(&mut self) {
        self.waiting.clear();
        self.found.clear();
        self.wanted.survey.forget();
    }

    /// Whether some wait to be asked about.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes that nothing more comes, on either side.
    pub(super) fn end(&self) {
        self.wanted
            .survey
            .is_complete
            .store(true, Ordering::Release);
    }

    fn names(&self) -> Names {
        self.rules.names
    }

    fn rule(&mut self, target: Entry, ruling: Ruling) -> Result<(), StoreError> {
        let key = target.key.as_str();
        match ruling {
            Ruling::Admitted => self.admitted(target),
            Ruling::Rejected(_) => {}
            Ruling::Failed(error) if error.fails == Fails::Object => {
                // no object of the source, so that it can neither fail nor be counted as one
                let error = error.in_the("filter", key);
                let message = format!("{error}; only the target has it, and it is not deleted");
                self.sinks.emit(&Event::Warning { message });
            }
            Ruling::Failed(error) => return Err(error.in_the("filter", key)),
        }
        Ok(())
    }

    /// What the filters let pass is to be like the source, which does not have it.
    fn admitted(&mut self, target: Entry) {
        self.wanted.survey.one_more();
        self.add(target, Extraneous::Missing);
    }

    fn add(&mut self, target: Entry, because: Extraneous) {
        let listed = Listed::from(&target);
        let deletion = self.wanted.permit.deletion(target.key, listed, because);
        self.found.push_back(deletion);
    }
}
