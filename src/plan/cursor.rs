//! One side of the merge: a listing read entry by entry, counted and checked for its order.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::time::Instant;

use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::row::{Row, Ruled as _};
use crate::event::{Event, FailReason, Side, Sinks, SkipReason};
use crate::filter::Filters;
use crate::object::ObjectKey;
use crate::store::{ErrorKind, Oddity, OddityKind, Page, StoreError};

/// So many objects are asked about at once where somebody has to be asked.
const ASKED_AT_ONCE: u64 = 256;

/// A listing and how far it was read.
pub(super) struct Cursor<E: Row> {
    listing: BoxStream<'static, Result<Page<E>, StoreError>>,
    side: Side,
    /// Compare keys without one leading slash, as a directory has them.
    strip: bool,
    page: std::vec::IntoIter<E>,
    filters: Filters,
    /// Taken from the page, and being asked about.
    asked: VecDeque<E>,
    /// The answers, as far as they are there.
    rulings: VecDeque<E::Ruled>,
    /// What the filters say of the entry given out last.
    ruling: E::Ruled,
    /// The name of the entry read last, to check the order.
    last: Option<ObjectKey>,
    done: bool,
    started: Instant,
    sinks: Sinks,
    /// An entry that was read and belongs to a later key.
    held: Option<E>,
    /// Directories that could not be read, in order, as far as keys in them may come.
    unreadable: VecDeque<String>,
    /// Keys of which the store could not tell anything, in order; `None` where nobody asks.
    unseen: Option<VecDeque<String>>,
    /// Whether what is listed is counted page by page.
    counts: bool,
    /// The names of what was told of that is no entry; `None` where nobody lists it once more.
    told: Option<HashSet<String>>,
    /// The same of an earlier listing.
    told_before: HashSet<String>,
    is_out_of_order: bool,
    /// Names of what was met and is no entry, as far as their keys may come; `None` where nobody
    /// asks.
    no_entries: Option<BTreeSet<String>>,
}

impl<E: Row> fmt::Debug for Cursor<E> {
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
            ruling: E::Ruled::default(),
            last: None,
            done: false,
            started,
            sinks,
            held: None,
            unreadable: VecDeque::new(),
            unseen: None,
            counts: true,
            told: None,
            told_before: HashSet::new(),
            is_out_of_order: false,
            no_entries: None,
        }
    }

    /// Remembers from now on what it tells, for a listing [once more](Self::once_more).
    pub(super) fn remember_what_it_tells(&mut self) {
        self.told = Some(HashSet::new());
    }

    /// The same for a side that was listed before as this one: what was told is not told again,
    /// and each entry counts where it is decided on.
    pub(super) fn once_more(self, before: &mut Self) -> Self {
        let mut told_before = std::mem::take(&mut before.told_before);
        told_before.extend(before.told.take().into_iter().flatten());
        // what has vanished meanwhile, or can be read meanwhile, is not missing either
        let no_entries = before.no_entries.take().map(|_| {
            let names = told_before.iter().map(|name| {
                let name = name.trim_end_matches('/');
                self.bare(name)
            });
            names
                .flat_map(|name| [name.to_owned(), format!("{name}/")])
                .collect()
        });
        Self {
            no_entries,
            counts: self.side == Side::Target,
            told: Some(HashSet::new()),
            told_before,
            ..self
        }
    }

    fn bare<'a>(&self, name: &'a str) -> &'a str {
        if self.strip {
            name.trim_start_matches('/')
        } else {
            name
        }
    }

    /// Whether it ended because it is not in order.
    pub(super) fn is_out_of_order(&self) -> bool {
        self.is_out_of_order
    }

    /// Whether its pages are counted as they come.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// The same, with what these filters say of each entry.
    pub(super) fn admitting(self, filters: Filters) -> Self {
        Self { filters, ..self }
    }

    /// The same; it can be asked of which keys it [could not tell](Self::could_not_tell).
    pub(super) fn remembering_the_unseen(self) -> Self {
        Self {
            unseen: Some(VecDeque::new()),
            ..self
        }
    }

    /// From now on it can be asked for which keys something [stands](Self::stands_for) that is no
    /// entry. What is only one object is refused: it has nothing to say of other keys.
    pub(super) fn mind_what_is_no_entry(&mut self) {
        self.no_entries = Some(BTreeSet::new());
    }

    /// What the filters say of the entry given out last.
    pub(super) fn take_ruling(&mut self) -> E::Ruled {
        std::mem::take(&mut self.ruling)
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
                let checked = self
                    .check_order(&entry)
                    .and_then(|()| match ruling.failure() {
                        Some(error) => Err(error.in_the("filter", entry.key().as_str())),
                        None => Ok(()),
                    });
                if let Err(error) = checked {
                    self.is_out_of_order = error.is_out_of_order();
                    // listed, and never decided on
                    self.held = Some(entry);
                    return Err(error);
                }
                self.ruling = ruling;
                return Ok(Some(entry));
            }
            if self.done || !self.turn_page().await? {
                return Ok(None);
            }
        }
    }

    /// The next entry of the page, and what the filters say of it.
    async fn next_listed(&mut self) -> Option<(E, E::Ruled)> {
        if !self.filters.asks() {
            let entry = self.page.next()?;
            let ruling = if self.filters.is_empty() {
                E::Ruled::default()
            } else {
                entry.ruled_by(&self.filters)
            };
            return Some((entry, ruling));
        }
        if self.asked.is_empty() {
            let mut count = 0;
            while count < ASKED_AT_ONCE
                && let Some(entry) = self.page.next()
            {
                count += entry.count();
                self.asked.push_back(entry);
            }
        }
        if self.rulings.is_empty() {
            // they are kept here, where they are counted when nobody waits for the answer any more
            let candidates = self.asked.iter().flat_map(Row::candidates).collect();
            let mut rulings = self.filters.of_all(candidates).await.into_iter();
            let ruled = self.asked.iter().map(|entry| entry.ruled(&mut rulings));
            self.rulings = ruled.collect();
        }
        self.asked.pop_front().zip(self.rulings.pop_front())
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
            mut oddities,
            failures,
            is_one_object,
        } = page.inspect_err(|error| self.is_out_of_order = error.is_out_of_order())?;
        for oddity in &oddities {
            self.mind(oddity);
        }
        oddities.retain(|oddity| self.is_new(oddity));
        if is_one_object {
            if self.no_entries.is_some() {
                return Err(only_one_object());
            }
            self.sinks.emit(&Event::OneObject { side: self.side });
        }
        let odd = oddities
            .iter()
            .filter(|oddity| SkipReason::of_oddity(oddity.kind).is_some());
        let odd = odd.count() as u64 + failures.len() as u64;
        let (count, bytes) = if self.counts {
            let count: u64 = entries.iter().map(Row::count).sum();
            (count, entries.iter().map(Row::bytes).sum())
        } else {
            (0, 0)
        };
        self.sinks.emit(&Event::Listed {
            side: self.side,
            entries: count + odd,
            odd,
            bytes,
        });
        for oddity in oddities {
            self.tell(oddity);
        }
        for (key, error) in failures {
            self.fail(key, error);
        }
        self.page = entries.into_iter();
        Ok(true)
    }

    /// Whether the store could not tell of a key. Keys come in ascending order.
    pub(super) fn could_not_tell(&mut self, key: &ObjectKey) -> bool {
        let Some(unseen) = &mut self.unseen else {
            return false;
        };
        while unseen
            .front()
            .is_some_and(|first| first.as_str() < key.as_str())
        {
            unseen.pop_front();
        }
        unseen.front().is_some_and(|first| first == key.as_str())
    }

    /// Takes down what is no entry, whether it was told of or not.
    fn mind(&mut self, oddity: &Oddity) {
        let Some(names) = &mut self.no_entries else {
            return;
        };
        // its name is its whole key, and it says nothing of the keys below the prefix
        if oddity.kind == OddityKind::KeyIsPrefix {
            return;
        }
        if oddity.kind == OddityKind::NotFollowed {
            names.insert(format!("{}/", oddity.name));
            names.insert(oddity.name.clone());
            return;
        }
        let name = match (SkipReason::of_oddity(oddity.kind), self.strip) {
            (Some(_), true) => oddity.name.trim_start_matches('/'),
            (Some(_), false) => &oddity.name,
            // what is below it is hidden; of one that was not opened, nobody knows that it is a
            // directory
            (None, _) if oddity.kind == OddityKind::UnreadableDirectory => {
                oddity.name.trim_end_matches('/')
            }
            (None, _) => return,
        };
        names.insert(name.to_owned());
    }

    /// Whether something was met under this name, or above it, that is no entry: a special file, a
    /// file that has vanished, a directory likewise. Keys come in ascending order.
    pub(super) fn stands_for(&mut self, key: &ObjectKey) -> bool {
        let Some(names) = &mut self.no_entries else {
            return false;
        };
        let key = key.as_str();
        while let Some(first) = names.first() {
            if first == key || first.ends_with('/') && key.starts_with(first.as_str()) {
                return true;
            }
            if first.as_str() > key {
                return false;
            }
            names.pop_first();
        }
        false
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

    fn fail(&mut self, key: ObjectKey, error: StoreError) {
        debug_assert_eq!(self.side, Side::Source, "of a target, all has to be told");
        if let Some(by) = self.filters.of_name(key.as_str()) {
            return self.sinks.emit(&Event::Filtered {
                key: key.as_str().to_owned(),
                source: None,
                by,
                seen: None,
            });
        }
        let name = self.comparable(&key).to_owned();
        if let Some(unseen) = &mut self.unseen {
            unseen.push_back(name);
        }
        self.sinks.emit(&Event::Failed {
            key,
            source: None,
            reason: FailReason::of(error.kind),
            error: Box::new(error),
            attempts: 1,
        });
    }

    /// Whether it was not told of yet. Where a directory cannot be read, it is known once more.
    fn is_new(&mut self, oddity: &Oddity) -> bool {
        if let Some(told) = &mut self.told {
            told.insert(oddity.name.clone());
        }
        let is_new = !self.told_before.contains(&oddity.name);
        let hides = oddity.kind == OddityKind::UnreadableDirectory;
        if !is_new && hides && self.filters.of_oddity(oddity).is_none() {
            self.unreadable.push_back(oddity.name.clone());
        }
        is_new
    }

    fn tell(&mut self, oddity: Oddity) {
        // no object, and nobody's business but of deletions
        if oddity.kind == OddityKind::NotFollowed {
            return;
        }
        let by = self.filters.of_oddity(&oddity);
        let Oddity {
            name,
            kind,
            message,
        } = oddity;
        match (SkipReason::of_oddity(kind), self.side, by) {
            (Some(_), Side::Source, Some(by)) => {
                self.sinks.emit(&Event::Filtered {
                    key: name,
                    source: None,
                    by,
                    seen: None,
                });
            }
            (Some(reason), Side::Source, None) => {
                self.sinks.emit(&Event::Skipped {
                    key: name,
                    source: None,
                    reason,
                    message,
                });
            }
            // of what is below it, a target has only keys that the same filter rejects: deletion
            // takes them for excluded, not for missing.
            (None, Side::Source, Some(by)) => self.sinks.emit(&Event::NotWalked { name, by }),
            (None, side, _) => {
                debug_assert_eq!(kind, OddityKind::UnreadableDirectory);
                self.unreadable.push_back(name.clone());
                self.sinks.emit(&Event::SubtreeUnreadable { name, side });
            }
            // what stands in the target and is no object of ours
            (Some(_), Side::Target, _) => {}
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
            return Err(StoreError::out_of_order("list", "", message));
        }
        self.last = Some(entry.key().clone());
        Ok(())
    }
}

/// One object says nothing of what other keys there should be.
fn only_one_object() -> StoreError {
    let message = "the source is a single object, and `delete.enabled` would delete everything else at the target; name a prefix that ends in `/`";
    StoreError::new("list", "", ErrorKind::Fatal, message)
}
