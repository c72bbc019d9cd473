//! How an object is cut into parts.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;

/// S3's limits: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const MAX_PARTS: u64 = 10_000;
const MIN_PART: u64 = 5 * MIB;
const MAX_PART: u64 = 5 << 30;

const MIB: u64 = 1 << 20;

/// Part sizes that tools use by default, the likeliest first.
const COMMON_PART_SIZES: [u64; 20] = [
    8 * MIB,
    5 * MIB,
    16 * MIB,
    64 * MIB,
    10 * MIB,
    50 * MIB,
    100 * MIB,
    15 * MIB,
    20 * MIB,
    25 * MIB,
    32 * MIB,
    128 * MIB,
    6 * MIB,
    12 * MIB,
    17 * MIB,
    40 * MIB,
    200 * MIB,
    256 * MIB,
    512 * MIB,
    1024 * MIB,
];

/// Parts of one size, the last of which may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Length of the object in bytes.
    pub size: u64,
    /// Length of every part but the last.
    pub part_size: u64,
}

impl Layout {
    /// Parts of the wanted size, or larger ones where 10,000 of them would not do.
    pub fn for_upload(size: u64, wanted: u64) -> Self {
        let least = size.div_ceil(MAX_PARTS);
        let part_size = if least > wanted {
            least.next_multiple_of(MIB)
        } else {
            wanted
        };
        Self { size, part_size }
    }

    /// How many parts there are; an empty object is one empty part.
    pub fn count(self) -> u16 {
        u16::try_from(self.size.div_ceil(self.part_size).max(1)).unwrap_or(u16::MAX)
    }

    /// The parts with their numbers and bytes.
    pub fn parts(self) -> impl Iterator<Item = (NonZeroU16, Range<u64>)> {
        (1..=self.count()).map(move |number| {
            let start = u64::from(number - 1) * self.part_size;
            let number = NonZeroU16::new(number).expect("counted from one");
            (number, start..(start + self.part_size).min(self.size))
        })
    }

    /// Whether an object of so many parts may be cut like this.
    pub fn fits(self, parts: NonZeroU16) -> bool {
        self.count() == parts.get()
    }
}

/// The lengths of an object's parts, in order, whatever they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(Arc<[u64]>);

impl Parts {
    /// Parts of these lengths, if there are any and they add up to the size.
    pub(super) fn of_lengths(lengths: Vec<u64>, size: u64) -> Option<Self> {
        let sum = lengths
            .iter()
            .try_fold(0_u64, |sum, length| sum.checked_add(*length));
        let some = lengths.len() == 1 || !lengths.is_empty() && !lengths.contains(&0);
        let fit = some && lengths.len() as u64 <= MAX_PARTS && sum == Some(size);
        fit.then(|| Self(lengths.into()))
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        u16::try_from(self.0.len()).expect("at most 10,000")
    }

    /// The length of each but the last, if they are of one length and the last is no longer.
    pub fn size(&self) -> Option<u64> {
        let first = self.length(0);
        let (last, others) = self.0.split_last()?;
        let equal = others.iter().all(|length| *length == first);
        (equal && *last <= first).then_some(first)
    }

    /// The length of the largest.
    pub fn largest(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// The parts with their numbers and bytes.
    pub fn ranges(&self) -> impl Iterator<Item = (NonZeroU16, Range<u64>)> {
        let mut start = 0;
        (1..).zip(self.0.iter()).map(move |(number, length)| {
            let range = start..start + length;
            start = range.end;
            (NonZeroU16::new(number).expect("counted from one"), range)
        })
    }

    /// Whether S3 takes an upload in these parts: only the last may be small.
    pub fn may_be_uploaded(&self) -> bool {
        let (last, others) = self.0.split_last().expect("one at least");
        let range = MIN_PART..=MAX_PART;
        *last <= MAX_PART && others.iter().all(|length| range.contains(length))
    }

    /// The length of a part, counted from zero. Past the last, there is no end to it.
    pub(super) fn length(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(u64::MAX)
    }
}

/// Where an object is cut, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Its parts.
    pub parts: Parts,
    /// Whether they are known to be so, every one of them. If not, what they make proves nothing
    /// where it differs.
    pub is_told: bool,
}

impl From<Layout> for Parts {
    fn from(layout: Layout) -> Self {
        let lengths = layout.parts().map(|(_, bytes)| bytes.end - bytes.start);
        Self(lengths.collect())
    }
}

/// The layouts an object of this size and number of parts may have, the likeliest first.
pub fn candidates(size: u64, parts: NonZeroU16, wanted: u64) -> Vec<Layout> {
    let mut layouts: Vec<Layout> = Vec::new();
    let exact = size.div_ceil(u64::from(parts.get()));
    let sizes = std::iter::once(wanted).chain(COMMON_PART_SIZES);
    // a single part is the whole, whatever its size; grown parts are whole mebibytes
    for part_size in sizes.chain([exact.next_multiple_of(MIB), exact.max(1)]) {
        let layout = Layout { size, part_size };
        if layout.fits(parts) && !layouts.iter().any(|seen| seen.part_size == part_size) {
            layouts.push(layout);
        }
    }
    layouts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_object() {
        for (size, wanted, count, last) in [
            (8 * MIB, 8 * MIB, 1, 8 * MIB),
            (8 * MIB + 1, 8 * MIB, 2, 1),
            (24 * MIB + 7, 8 * MIB, 4, 7),
            (100_000 * MIB, 8 * MIB, 10_000, 10 * MIB),
            (0, 8 * MIB, 1, 0),
        ] {
            let layout = Layout::for_upload(size, wanted);
            let parts: Vec<_> = layout.parts().collect();
            assert_eq!(parts.len(), count, "{size}");
            assert_eq!(
                parts.last().map(|(_, bytes)| bytes.end - bytes.start),
                Some(last),
                "{size}"
            );
            assert_eq!(parts.last().map(|(_, bytes)| bytes.end), Some(size));
            assert!(
                parts.windows(2).all(|two| two[0].1.end == two[1].1.start),
                "{size}"
            );
        }
    }

    #[test]
    fn unequal_parts_cover_the_object_and_are_legal_but_for_the_last() {
        for (lengths, is_legal) in [
            (vec![5 * MIB, 7 * MIB + 1, 5 * MIB, 1], true),
            (vec![5 * MIB - 1, 7], false),
            (vec![1], true),
            (vec![0], true),
            (vec![(5 << 30) + 1, 1], false),
            (vec![5 * MIB, (5 << 30) + 1], false),
        ] {
            let size = lengths.iter().sum();
            let parts = Parts::of_lengths(lengths.clone(), size).expect("parts");
            assert_eq!(parts.may_be_uploaded(), is_legal, "{lengths:?}");
            assert_eq!(usize::from(parts.count()), lengths.len());
            let mut end = 0;
            for ((number, range), length) in parts.ranges().zip(&lengths) {
                assert_eq!((range.start, range.end - range.start), (end, *length));
                assert_eq!(lengths[usize::from(number.get()) - 1], *length);
                end = range.end;
            }
            assert_eq!(end, size, "{lengths:?}");
        }
    }

    #[test]
    fn other_tools_layouts_are_guessed() {
        for (size, part_size) in [
            (256 * MIB, 8 * MIB),
            (100 * MIB + 3, 5 * MIB),
            (100 * MIB + 3, 16 * MIB),
            (1000 * MIB, 17 * MIB),
            (60_000 * MIB, 6 * MIB),
        ] {
            let parts = NonZeroU16::new(Layout { size, part_size }.count()).expect("some");
            let sizes: Vec<_> = candidates(size, parts, 8 * MIB)
                .iter()
                .map(|layout| layout.part_size)
                .collect();
            assert!(sizes.contains(&part_size), "{size} {part_size}: {sizes:?}");
        }
    }
}
