//! How many objects a run that only compares found to be the same.

use std::collections::BTreeMap;

use super::counts::add_each;
use crate::digest::{Algorithm, Comparison, Verdict, Why};
use crate::event::{Compared, Sameness};

/// What was compared, and what it showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparisons {
    /// Objects of the source that are the same in the target.
    pub matches: u64,
    /// Objects of the source that differ from the target's.
    pub mismatch: u64,
    /// Objects of the source the target does not have.
    pub not_found: u64,
    /// Objects of the source of which nothing tells.
    pub unknown: u64,
    /// Keys the source does not have.
    pub only_in_target: u64,
    /// Of the mismatches: told by their sizes.
    pub size_differs: u64,
    /// By ETag.
    pub etag: Agreement,
    /// By additional checksum.
    pub checksum: Agreement,
    /// The additional checksum's algorithm, as last seen.
    pub algorithm: Option<Algorithm>,
    /// Objects of which nothing tells, by the reason.
    pub unknown_by: BTreeMap<Why, u64>,
}

/// What one kind of evidence showed, of the objects on both sides whose contents were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreement {
    /// The same.
    pub matches: u64,
    /// Different.
    pub mismatch: u64,
    /// Not comparable.
    pub unknown: u64,
}

impl Comparisons {
    /// Objects of the source that were compared.
    pub fn total(&self) -> u64 {
        self.matches + self.mismatch + self.not_found + self.unknown
    }

    /// Keys in which the sides differ, or may.
    pub fn differences(&self) -> u64 {
        self.mismatch + self.not_found + self.unknown + self.only_in_target
    }

    /// Counts one key.
    pub fn count(&mut self, compared: &Compared) {
        *match compared.sameness() {
            Sameness::Matches => &mut self.matches,
            Sameness::Mismatch => &mut self.mismatch,
            Sameness::NotFound => &mut self.not_found,
            Sameness::OnlyInTarget => &mut self.only_in_target,
            Sameness::Unknown => &mut self.unknown,
        } += 1;
        if let (Some(source), Some(target)) = (&compared.source, &compared.target) {
            self.size_differs += u64::from(source.size != target.size);
        }
        if let Some(why) = compared.why_unknown() {
            *self.unknown_by.entry(why).or_default() += 1;
        }
        if let Some(likeness) = &compared.likeness {
            self.etag.count(likeness.etag.as_ref());
            self.checksum.count(likeness.checksum.as_ref());
            let algorithm = likeness.checksum.as_ref().map(|one| one.algorithm);
            self.algorithm = algorithm.or(self.algorithm);
        }
    }

    /// Adds another pair's.
    pub(super) fn add(&mut self, other: &Self) {
        self.matches += other.matches;
        self.mismatch += other.mismatch;
        self.not_found += other.not_found;
        self.unknown += other.unknown;
        self.only_in_target += other.only_in_target;
        self.size_differs += other.size_differs;
        self.etag.add(other.etag);
        self.checksum.add(other.checksum);
        self.algorithm = other.algorithm.or(self.algorithm);
        add_each(&mut self.unknown_by, &other.unknown_by);
    }
}

impl Agreement {
    fn count(&mut self, comparison: Option<&Comparison>) {
        match comparison.map(|one| &one.proof.verdict) {
            None => {}
            Some(Verdict::Verified(_)) => self.matches += 1,
            Some(Verdict::Mismatch { .. }) => self.mismatch += 1,
            Some(Verdict::Unverifiable(_)) => self.unknown += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.matches += other.matches;
        self.mismatch += other.mismatch;
        self.unknown += other.unknown;
    }
}
