//! One side of the merge: a listing read entry by entry, counted and checked for its order.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::event::{Event, Side, Sinks, SkipReason};
use crate::filter::{Filters, Ruling};
use crate::hook::{Candidate, Fails};
use crate::object::{Entry, History, ObjectKey};
use crate::store::{ErrorKind, Oddity, OddityKind, Page, StoreError};

/// What a listing is made of: one for each key.
pub(super) trait Row {
    /// The key.
    fn key(&self) -> &ObjectKey;

    /// How many objects it counts for.
    fn count(&self) -> u64;

    /// The sum of their sizes.
    fn bytes(&self) -> u64;

    /// What filters look at; `None` of what is more than one object.
    fn entry(&self) -> Option<&Entry>;
}

impl Row for Entry {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn count(&self) -> u64 {
        1
    }

    fn bytes(&self) -> u64 {
        self.size
    }

    fn entry(&self) -> Option<&Entry> {
        Some(self)
    }
}

impl Row for History {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    fn count(&self) -> u64 {
        self.versions.len() as u64 + u64::from(self.marker.is_some())
    }

    fn bytes(&self) -> u64 {
        self.versions.iter().map(|version| version.size).sum()
    }

    fn entry(&self) -> Option<&Entry> {
        None
    }
}

/// So many objects are asked about at once where somebody has to be asked.
const ASKED_AT_ONCE: usize = 256;

/// A listing and how far it was read.
pub(super) struct Cursor<E> {
    listing: BoxStream<'static, Result<Page<E>, StoreError>>,
    side: Side,
    /// Compare keys without one leading slash, as a directory has them.
    strip: bool,
    page: std::vec::IntoIter<E>,
    filters: Filters,
    /// Taken from the page, and being asked about.
    asked: VecDeque<E>,
    /// The answers, as far as they are there.
    rulings: VecDeque<Ruling>,
    /// What the filters say of the entry given out last.
    ruling: Ruling,
    /// The name of the entry read last, to check the order.
    last: Option<ObjectKey>,
    done: bool,
    started: Instant,
    sinks: Sinks,
    /// An entry that was read and belongs to a later key.
    held: Option<E>,
    /// Directories that could not be read, in order, as far as keys in them may come.
    unreadable: VecDeque<String>,
}

impl<E> fmt::Debug for Cursor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({:?} at {:?})", self.side, self.last)
    }
}

impl<E: Row> Cursor<E> {
    pub(super) fn new(
        listing: BoxStream<'static, Result<Page<E>, StoreError>>,
        side: Side,
        strip: bool,
        started: Instant,
        sinks: Sinks,
    ) -> Self {
        Self {
            listing,
            side,
            strip,
            page: Vec::new().into_iter(),
            filters: Filters::default(),
            asked: VecDeque::new(),
            rulings: VecDeque::new(),
            ruling: Ruling::Admitted,
            last: None,
            done: false,
            started,
            sinks,
            held: None,
            unreadable: VecDeque::new(),
        }
    }

    /// The same, with what these filters say of each entry.
    pub(super) fn admitting(self, filters: Filters) -> Self {
        Self { filters, ..self }
    }

    /// What the filters say of the entry given out last.
    pub(super) fn take_ruling(&mut self) -> Ruling {
        std::mem::replace(&mut self.ruling, Ruling::Admitted)
    }

    /// What an entry is compared by.
    pub(super) fn name_of<'a>(&self, entry: &'a E) -> &'a str {
        self.comparable(entry.key())
    }

    fn comparable<'a>(&self, key: &'a ObjectKey) -> &'a str {
        if self.strip {
            key.unslashed()
        } else {
            key.as_str()
        }
    }

    /// The next entry in order.
    pub(super) async fn next(&mut self) -> Result<Option<E>, StoreError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        loop {
            if let Some((entry, ruling)) = self.next_listed().await {
                let ruled = self.check_order(&entry).and_then(|()| match ruling {
                    Ruling::Failed(error) if error.fails == Fails::Pair => {
                        Err(error.in_the("filter", entry.key().as_str()))
                    }
                    ruling => Ok(ruling),
                });
                match ruled {
                    Ok(ruling) => self.ruling = ruling,
                    Err(error) => {
                        // listed, and never decided on
                        self.held = Some(entry);
                        return Err(error);
                    }
                }
                return Ok(Some(entry));
            }
            if self.done || !self.turn_page().await? {
                return Ok(None);
            }
        }
    }

    /// The next entry of the page, and what the filters say of it.
    async fn next_listed(&mut self) -> Option<(E, Ruling)> {
        if !self.filters.asks() {
            let entry = self.page.next()?;
            let ruling = if self.filters.is_empty() {
                Ruling::Admitted
            } else {
                entry
                    .entry()
                    .map_or(Ruling::Admitted, |entry| self.filters.of_entry(entry))
            };
            return Some((entry, ruling));
        }
        if self.asked.is_empty() {
            self.asked.extend(self.page.by_ref().take(ASKED_AT_ONCE));
        }
        if self.rulings.is_empty() {
            // they are kept here, where they are counted when nobody waits for the answer any more
            let candidates = (self.asked.iter().filter_map(Row::entry))
                .map(Candidate::from)
                .collect();
            self.rulings = self.filters.of_all(candidates).await.into();
        }
        let entry = self.asked.pop_front()?;
        Some((entry, self.rulings.pop_front().unwrap_or(Ruling::Admitted)))
    }

    /// Gives an entry back, to be the next one again.
    pub(super) fn hold(&mut self, entry: E) {
        debug_assert!(self.held.is_none(), "one entry can be given back");
        self.held = Some(entry);
    }

    /// What was listed and not read yet.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = E> + '_ {
        (self.held.take().into_iter())
            .chain(self.asked.drain(..))
            .chain(self.page.by_ref())
    }

    async fn turn_page(&mut self) -> Result<bool, StoreError> {
        let Some(page) = self.listing.next().await else {
            self.done = true;
            let elapsed = self.started.elapsed();
            self.sinks.emit(&Event::ListingDone {
                side: self.side,
                elapsed,
            });
            return Ok(false);
        };
        let Page {
            entries,
            oddities,
            is_one_object,
        } = page?;
        if is_one_object {
            self.sinks.emit(&Event::OneObject { side: self.side });
        }
        let odd = oddities
            .iter()
            .filter(|oddity| SkipReason::of_oddity(oddity.kind).is_some());
        self.sinks.emit(&Event::Listed {
            side: self.side,
            entries: entries.iter().map(Row::count).sum::<u64>() + odd.count() as u64,
            bytes: entries.iter().map(Row::bytes).sum(),
        });
        for oddity in oddities {
            self.tell(oddity);
        }
        self.page = entries.into_iter();
        Ok(true)
    }

    /// Whether a key is in a directory that could not be read. Keys come in ascending order.
    pub(super) fn hides(&mut self, key: &ObjectKey) -> bool {
        let key = key.as_str();
        while let Some(first) = self.unreadable.front() {
            if key.starts_with(first.as_str()) {
                return true;
            }
            if key < first.as_str() {
                return false;
            }
            self.unreadable.pop_front();
        }
        false
    }

    fn tell(&mut self, oddity: Oddity) {
        let Oddity {
            name,
            kind,
            message,
        } = oddity;
        match (SkipReason::of_oddity(kind), self.side) {
            (Some(reason), Side::Source) => {
                self.sinks.emit(&Event::Skipped {
                    key: name,
                    source: None,
                    reason,
                    message,
                });
            }
            (None, side) => {
                debug_assert_eq!(kind, OddityKind::UnreadableDirectory);
                self.unreadable.push_back(name.clone());
                self.sinks.emit(&Event::SubtreeUnreadable { name, side });
            }
            // what stands in the target and is no object of ours
            (Some(_), Side::Target) => {}
        }
    }

    fn check_order(&mut self, entry: &E) -> Result<(), StoreError> {
        if let Some(last) = &self.last
            && self.comparable(entry.key()) < self.comparable(last)
        {
            let message = format!(
                "the listing is not in order: `{}` comes after `{last}`; keys may be missing from such a listing, so nothing more is done by it",
                entry.key()
            );
            return Err(StoreError::new("list", "", ErrorKind::Fatal, message));
        }
        self.last = Some(entry.key().clone());
        Ok(())
    }
}
