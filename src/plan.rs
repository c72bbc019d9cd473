/*! What is to be done with each key, and why: decided while both sides are being listed.

Both listings come in ascending byte order of key, where one side is a directory of the names it
gives them. [`Plan`] merges them, sees each key once, and
makes a [`Decision`] of it, in the memory of one page for each side. Nothing here sends a request:
what a listing cannot tell is a [`Decision::Examine`], which the workers look into.
*/

mod admission;
mod anew;
mod compare;
mod cursor;
mod decided;
mod decision;
mod extraneous;
mod folded;
mod join;
mod leave;
mod row;
mod rules;
mod shadow;
mod versions;

pub use self::anew::{Relist, Unsorted};
pub use self::decision::{Behind, Decision, Examine, Question, Transfer};
pub use self::extraneous::{DeletePermit, Deletion, Superfluous, Survey};
pub use self::join::Joined;
pub use self::leave::Leave;
pub use self::rules::{Aim, Direction, Names, Rules};
pub use self::versions::{KeyVersions, Step, VersionPlan};

use std::fmt;
use std::time::Instant;

use self::admission::Admission;
use self::anew::Anew;
use self::compare::compare;
use self::cursor::Cursor;
use self::extraneous::Finder;
use self::folded::Folded;
use self::join::Join;
use self::shadow::{Shadow, Taken};
use crate::event::{Side, Sinks, SkipReason};
use crate::filter::Filters;
use crate::object::{Entry, LocalKey};
use crate::store::{Folding, Listing, StoreError};

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

    /// The same for a target that does not see these differences between names. Of keys that are
    /// one there the first counts, also where late filters may yet keep it out.
    #[must_use]
    pub fn folding(self, folding: Folding) -> Self {
        Self {
            folded: Folded::new(folding),
            ..self
        }
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

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("join", &self.join)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
