//! Checksums along the front of an object whose parts come in any order.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::context::Reserved;
use crate::digest::Checksum;
use crate::examine::{Line, Wanted};

/// So much goes through all lines before the next: it stays in the cache.
const PIECE: usize = 32 << 10;

/// Checksums that are fed with parts as soon as all before them have been: of the whole, or of
/// other parts than those the object is moved in.
pub(super) struct Front {
    state: Hashing,
    next: u16,
    early: BTreeMap<u16, (Bytes, Reserved)>,
}

enum Hashing {
    Idle(Vec<Line>),
    /// A part is being hashed on the blocking pool.
    Running(JoinHandle<Vec<Line>>),
}

impl Front {
    pub(super) fn new(wanted: &[Wanted]) -> Self {
        Self {
            state: Hashing::Idle(wanted.iter().cloned().map(Line::new).collect()),
            next: 1,
            early: BTreeMap::new(),
        }
    }

    /// Hands a part over; it is kept until its turn.
    pub(super) fn take(&mut self, number: NonZeroU16, bytes: Bytes, reserved: Reserved) {
        self.early.insert(number.get(), (bytes, reserved));
    }

    /// Whether there is a part to hash now.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, Hashing::Running(_)) || self.early.contains_key(&self.next)
    }

    /// Hashes the next part if it is there. May be dropped at any point and called again.
    pub(super) async fn step(&mut self) {
        if let Hashing::Idle(lines) = &mut self.state {
            let Some((bytes, reserved)) = self.early.remove(&self.next) else {
                return;
            };
            let mut lines = std::mem::take(lines);
            self.state = Hashing::Running(spawn_blocking(move || {
                for piece in bytes.chunks(PIECE) {
                    for line in &mut lines {
                        line.update(piece);
                    }
                }
                drop(reserved);
                lines
            }));
        }
        if let Hashing::Running(running) = &mut self.state {
            let lines = running.await.expect("hashing does not panic");
            self.state = Hashing::Idle(lines);
            self.next += 1;
        }
    }

    /// What was made of all parts.
    pub(super) fn finish(self) -> Vec<(Wanted, Checksum)> {
        match self.state {
            Hashing::Idle(lines) => lines
                .into_iter()
                .map(|line| (line.wanted().clone(), line.finish()))
                .collect(),
            Hashing::Running(_) => Vec::new(),
        }
    }
}
