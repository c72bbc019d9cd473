//! One checksum in the making, whatever pieces its content comes in.

use super::layout::Parts;
use crate::digest::{Algorithm, Checksum, Digest, Hasher, composite};

/// One checksum to make of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// By which algorithm.
    pub algorithm: Algorithm,
    /// The parts of a composite; a digest of the whole when `None`.
    pub parts: Option<Parts>,
}

impl Wanted {
    /// The checksum of a content that is all there.
    pub fn of(self, content: &[u8]) -> Checksum {
        let mut line = Line::new(self);
        line.update(content);
        line.finish()
    }
}

/// A checksum that is fed with a content from its beginning, a piece at a time.
#[derive(Debug)]
pub struct Line {
    wanted: Wanted,
    hasher: Hasher,
    /// Digests of the parts that are complete.
    digests: Vec<Digest>,
    /// Bytes the part under way still lacks.
    lacks: u64,
}

impl Line {
    /// Of a content of which nothing has come yet.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            hasher: Hasher::new(wanted.algorithm),
            digests: Vec::new(),
            lacks: wanted
                .parts
                .as_ref()
                .map_or(u64::MAX, |parts| parts.length(0)),
            wanted,
        }
    }

    /// What it makes.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Takes the next piece.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.lacks == 0 {
                self.begin_part();
                continue;
            }
            let taken = usize::try_from(self.lacks).map_or(bytes.len(), |n| n.min(bytes.len()));
            let (these, rest) = bytes.split_at(taken);
            self.hasher.update(these);
            self.lacks -= taken as u64;
            bytes = rest;
        }
    }

    fn begin_part(&mut self) {
        let next = Hasher::new(self.wanted.algorithm);
        let done = std::mem::replace(&mut self.hasher, next);
        self.digests.push(done.finish());
        let parts = self.wanted.parts.as_ref();
        // what is longer than its parts would be a part more, and compare as different
        self.lacks = parts.map_or(u64::MAX, |parts| parts.length(self.digests.len()));
    }

    /// The checksum of all that came.
    pub fn finish(mut self) -> Checksum {
        let last = self.hasher.finish();
        if self.wanted.parts.is_none() {
            return Checksum::Whole(last);
        }
        self.digests.push(last);
        composite(&self.digests).expect("at most 10,000 parts of one algorithm")
    }
}
