//! The merge of two listings: each key once, with what each side has of it.

use std::cmp::Ordering;

use super::cursor::Cursor;
use super::row::Row;
use crate::object::Entry;
use crate::store::StoreError;

/// One key, and the sides that have it.
#[derive(Debug, Clone)]
pub enum Joined<E = Entry> {
    /// Both have it.
    Both {
        /// What the source listed.
        source: E,
        /// What the target listed.
        target: E,
    },
    /// Only the source has it.
    OnlySource(E),
    /// Only the target has it.
    OnlyTarget(E),
    /// The target has it; the source's directory it would be in cannot be read.
    Hidden(E),
}

/// Two listings, read side by side in the order of their names.
#[derive(Debug)]
pub(super) struct Join<E: Row> {
    pub(super) source: Cursor<E>,
    pub(super) target: Cursor<E>,
    /// The source's entry the target is being searched for; here and not in a variable, so that it
    /// is not lost when the target's listing fails or nobody waits for the next key any more.
    pending: Option<E>,
}

impl<E: Row> Join<E> {
    pub(super) fn new(source: Cursor<E>, target: Cursor<E>) -> Self {
        Self {
            source,
            target,
            pending: None,
        }
    }

    /// The next key in order; `None` when both sides are completely listed.
    pub(super) async fn next(&mut self) -> Result<Option<Joined<E>>, StoreError> {
        if self.pending.is_none() {
            self.pending = self.source.next().await?;
        }
        let target = self.target.next().await?;
        let (source, target) = match (self.pending.take(), target) {
            (None, target) => return Ok(target.map(|target| self.only_target(target))),
            (Some(source), None) => return Ok(Some(Joined::OnlySource(source))),
            (Some(source), Some(target)) => (source, target),
        };
        let order = (self.source.name_of(&source)).cmp(self.target.name_of(&target));
        Ok(Some(match order {
            Ordering::Equal => Joined::Both { source, target },
            Ordering::Less => {
                self.target.hold(target);
                Joined::OnlySource(source)
            }
            Ordering::Greater => {
                self.pending = Some(source);
                self.only_target(target)
            }
        }))
    }

    fn only_target(&mut self, target: E) -> Joined<E> {
        if self.source.hides(target.key()) {
            Joined::Hidden(target)
        } else {
            Joined::OnlyTarget(target)
        }
    }

    /// What the source has listed and was not given out yet.
    pub(super) fn undecided(&mut self) -> impl Iterator<Item = E> + '_ {
        self.pending.take().into_iter().chain(self.source.rest())
    }
}
