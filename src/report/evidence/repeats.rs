//! Keys that may stand in a file more than once, found in the memory of a bitmap.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Bits of the map: 8 MiB.
const BITS: u64 = 1 << 26;

/// For each key that stands on several lines, the last of them.
///
/// What the map cannot tell from a repeated key (one in a thousand at a million keys, one in
/// fifteen at ten million) costs its own 16 bytes and changes nothing.
#[derive(Debug, Default)]
pub struct Repeats {
    seen: Vec<u64>,
    last: HashMap<u64, u64>,
}

impl Repeats {
    /// Notes the key of a line. Lines are noted in their order.
    pub(super) fn note(&mut self, key: &str, line: u64) {
        let hash = hash(key);
        if self.seen.is_empty() {
            self.seen = vec![0; usize::try_from(BITS / 64).unwrap_or_default()];
        }
        let mut known = true;
        for bit in [hash % BITS, (hash >> 32) % BITS] {
            let word = usize::try_from(bit / 64).unwrap_or_default();
            let mask = 1 << (bit % 64);
            known &= self.seen[word] & mask != 0;
            self.seen[word] |= mask;
        }
        if known {
            self.last.insert(hash, line);
        }
    }

    /// Whether a later line is about the same key.
    pub fn supersedes(&self, key: &str, line: u64) -> bool {
        self.last.get(&hash(key)).is_some_and(|last| *last > line)
    }

    /// Forgets what is only needed while lines are noted.
    pub(super) fn settled(mut self) -> Self {
        self.seen = Vec::new();
        self
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_a_key_counts() {
        let mut repeats = Repeats::default();
        let keys = ["a", "b", "a", "c", "a", "b"];
        for (line, key) in (1..).zip(keys) {
            repeats.note(key, line);
        }
        let repeats = repeats.settled();
        let counts: Vec<u64> = (1..)
            .zip(keys)
            .filter(|(line, key)| !repeats.supersedes(key, *line))
            .map(|(line, _)| line)
            .collect();
        assert_eq!(counts, [4, 5, 6]);
    }
}
