//! Content that is nobody else's, and its comparison without printing megabytes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Bytes that look random; equal names and sizes give equal ones.
pub(crate) fn content(name: &str, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    fastrand::Rng::with_seed(fingerprint(name.as_bytes())).fill(&mut bytes);
    bytes
}

/// A number that stands for some bytes.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Asserts that two sides hold the same names with the same content.
pub(crate) fn same<K: Ord + Debug>(expected: &BTreeMap<K, Vec<u8>>, seen: &BTreeMap<K, Vec<u8>>) {
    let missing: Vec<_> = expected
        .keys()
        .filter(|key| !seen.contains_key(key))
        .collect();
    let extra: Vec<_> = seen
        .keys()
        .filter(|key| !expected.contains_key(key))
        .collect();
    let other: Vec<_> = expected
        .iter()
        .filter_map(|(key, bytes)| {
            let found = seen.get(key)?;
            (found != bytes).then_some((key, bytes.len(), found.len()))
        })
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty() && other.is_empty(),
        "missing {missing:?}, unexpected {extra:?}, of other content (key, expected and seen length) {other:?}"
    );
}
