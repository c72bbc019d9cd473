//! How many objects a run that only compares found to be the same.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::add_each;
use crate::digest::{Algorithm, Comparison, Verdict, Why};
use crate::event::{Compared, Facet, Sameness, Unverifiable};

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
    /// Keys of the target below a directory of the source that cannot be read.
    pub unreadable: u64,
    /// Of the mismatches: told by their sizes.
    pub size_differs: u64,
    /// By ETag.
    pub etag: Agreement,
    /// By additional checksum.
    pub checksum: Agreement,
    /// By metadata.
    pub metadata: Agreement,
    /// By tags.
    pub tagging: Agreement,
    /// By annotations.
    pub annotations: Agreement,
    /// The algorithms of the additional checksums.
    pub algorithms: BTreeSet<Algorithm>,
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

    /// The algorithm of all additional checksums, where it is one: the one that was asked for, or
    /// what made up for ETags.
    pub fn algorithm(&self) -> Option<Algorithm> {
        let mut algorithms = self.algorithms.iter();
        algorithms
            .next()
            .filter(|_| algorithms.next().is_none())
            .copied()
    }

    /// Keys in which the sides differ, or may.
    pub fn differences(&self) -> u64 {
        self.mismatch + self.not_found + self.unknown + self.only_in_target + self.unreadable
    }

    /// Those that are warnings.
    pub fn warnings(&self, unverifiable: Unverifiable) -> u64 {
        match unverifiable {
            Unverifiable::Warns => self.differences(),
            Unverifiable::IsAccepted => self.differences() - self.unknown,
        }
    }

    /// Counts one key.
    pub fn count(&mut self, compared: &Compared) {
        *match compared.sameness() {
            Sameness::Matches => &mut self.matches,
            Sameness::Mismatch => &mut self.mismatch,
            Sameness::NotFound => &mut self.not_found,
            Sameness::OnlyInTarget => &mut self.only_in_target,
            Sameness::UnreadableDirectory => &mut self.unreadable,
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
            self.algorithms.extend(algorithm);
        }
        let beside = &compared.beside;
        self.metadata.count_facet(beside.metadata.as_ref());
        self.tagging.count_facet(beside.tagging.as_ref());
        self.annotations.count_facet(beside.annotations.as_ref());
    }

    /// Adds another pair's.
    pub(super) fn add(&mut self, other: &Self) {
        self.matches += other.matches;
        self.mismatch += other.mismatch;
        self.not_found += other.not_found;
        self.unknown += other.unknown;
        self.only_in_target += other.only_in_target;
        self.unreadable += other.unreadable;
        self.size_differs += other.size_differs;
        self.etag.add(other.etag);
        self.checksum.add(other.checksum);
        self.metadata.add(other.metadata);
        self.tagging.add(other.tagging);
        self.annotations.add(other.annotations);
        self.algorithms.extend(&other.algorithms);
        add_each(&mut self.unknown_by, &other.unknown_by);
    }
}

impl Agreement {
    /// Counts what one comparison showed, if there was one.
    pub fn count(&mut self, comparison: Option<&Comparison>) {
        match comparison.map(|one| &one.proof.verdict) {
            None => {}
            Some(Verdict::Verified(_)) => self.matches += 1,
            Some(Verdict::Mismatch { .. }) => self.mismatch += 1,
            Some(Verdict::Unverifiable(_)) => self.unknown += 1,
        }
    }

    /// Counts what lies beside the content of one object, if it was looked at.
    pub fn count_facet<T>(&mut self, facet: Option<&Facet<T>>) {
        match facet.map(Facet::sameness) {
            None => {}
            Some(Sameness::Matches) => self.matches += 1,
            Some(Sameness::Unknown) => self.unknown += 1,
            Some(_) => self.mismatch += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.matches += other.matches;
        self.mismatch += other.mismatch;
        self.unknown += other.unknown;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::digest::{Likeness, Proof};
    use crate::object::ObjectKey;

    fn compared(algorithm: Option<Algorithm>) -> Compared {
        let checksum = algorithm.map(|algorithm| Comparison {
            source: None,
            target: None,
            algorithm,
            proof: Proof::impossible(Why::NoChecksum),
        });
        Compared {
            key: ObjectKey::new("k").expect("short"),
            source: None,
            target: None,
            is_source_unreadable: false,
            likeness: Some(Likeness {
                checksum,
                ..Likeness::default()
            }),
            beside: crate::event::Beside::default(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn an_algorithm_is_told_where_it_is_the_only_one_whatever_comes_last() {
        let (sha, crc) = (Some(Algorithm::Sha256), Some(Algorithm::Crc64Nvme));
        for (seen, expected) in [
            (&[None][..], None),
            (&[sha, None], sha),
            (&[sha, sha], sha),
            (&[sha, crc], None),
            (&[crc, sha, crc], None),
        ] {
            let mut counted = Comparisons::default();
            let mut added = Comparisons::default();
            for one in seen {
                counted.count(&compared(*one));
                let mut pair = Comparisons::default();
                pair.count(&compared(*one));
                added.add(&pair);
            }
            assert_eq!(counted.algorithm(), expected, "{seen:?}");
            assert_eq!(added, counted, "{seen:?}");
        }
    }
}
