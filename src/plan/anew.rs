//! Listings that begin anew: what was decided on before is not decided on again.

use super::decided::Decided;
use super::folded::Folded;
use super::join::Join;
use super::{Direction, Joined, Plan};
use crate::event::{Event, Side};
use crate::object::Entry;
use crate::store::Listing;

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

impl Plan {
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

    /// Takes down that a key is decided on; whether it was before this plan began anew. What the
    /// source had then is not missing there now, whatever it lists.
    pub(super) fn note(&mut self, joined: &Joined) -> bool {
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
}

/// What a plan needs to begin anew.
pub(super) struct Anew {
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
}
