//! Are two objects annotated alike?

use std::cmp::Ordering;

use futures::{StreamExt as _, TryStreamExt as _};

use super::Examiner;
use super::beside::gone_since_listed;
use crate::object::ObjectVersion;
use crate::store::{Annotation, Annotations, StoreError};

/// The annotations of two objects, and what it takes to make the second's like the first's.
#[derive(Debug, Default)]
pub struct AnnotationsCompared {
    /// What the source has.
    pub source: Annotations,
    /// What the target has.
    pub target: Annotations,
    /// Names that the target does not have, or has with something else; in order.
    pub differing: Vec<String>,
    /// Names that the source does not have; in order.
    pub extra: Vec<String>,
}

impl AnnotationsCompared {
    /// Of an object whose copy has none yet.
    pub fn with_none(source: Annotations) -> Self {
        Self {
            differing: source.keys().cloned().collect(),
            source,
            ..Self::default()
        }
    }

    /// Whether both are annotated alike.
    pub fn is_alike(&self) -> bool {
        self.differing.is_empty() && self.extra.is_empty()
    }
}

/// By ETag where the user wants that and ETags are digests, otherwise by size and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    ETag,
    Time,
}

/// Payloads of one object that are read at a time.
const AT_ONCE: usize = 4;

/// Lists both. Whether ETags are digests is only asked where it matters; what was written in the
/// same second and has no ETag to compare is read.
pub(super) async fn compare(
    via: &Examiner,
    source: ObjectVersion<'_>,
    target: ObjectVersion<'_>,
) -> Result<AnnotationsCompared, StoreError> {
    let (from, to) = (&via.ends.source, &via.ends.target);
    let (ours, theirs) = futures::join!(from.annotations(source), to.annotations(target));
    let (ours, theirs) = (ours?, theirs.map_err(gone_since_listed)?);
    let on_both = || {
        let ours = ours.iter();
        ours.filter_map(|(name, one)| Some((name, one, theirs.get(name)?)))
    };
    let only_etags_differ = |(_, one, other): (&String, &Annotation, &Annotation)| {
        is_same(one, other, By::ETag) == Some(false) && is_same(one, other, By::Time) != Some(false)
    };
    let by = if !via.annotations_by_etag {
        By::Time
    } else if on_both().any(only_etags_differ) {
        let (ours, theirs) = futures::join!(from.head(source, false), to.head(target, false));
        let are_digests = ours?.etag_is_digest && theirs.map_err(gone_since_listed)?.etag_is_digest;
        if are_digests { By::ETag } else { By::Time }
    } else {
        By::ETag
    };
    let missing = ours.keys().filter(|name| !theirs.contains_key(*name));
    let mut differing: Vec<String> = missing.cloned().collect();
    let mut ties = Vec::new();
    for (name, one, other) in on_both() {
        match is_same(one, other, by) {
            Some(true) => {}
            Some(false) => differing.push(name.clone()),
            None => ties.push(name.clone()),
        }
    }
    let read: Vec<Option<String>> = futures::stream::iter(ties)
        .map(|name| async move {
            let (ours, theirs) =
                futures::join!(from.annotation(source, &name), to.annotation(target, &name));
            let is_same = ours?.bytes == theirs.map_err(gone_since_listed)?.bytes;
            Ok::<_, StoreError>((!is_same).then_some(name))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    differing.extend(read.into_iter().flatten());
    differing.sort();
    let extra = theirs.keys().filter(|name| !ours.contains_key(*name));
    Ok(AnnotationsCompared {
        differing,
        extra: extra.cloned().collect(),
        source: ours,
        target: theirs,
    })
}

/// Whether two annotations are the same; `None` where that cannot be told: S3 tells whole seconds.
fn is_same(one: &Annotation, other: &Annotation, by: By) -> Option<bool> {
    if one.size != other.size {
        return Some(false);
    }
    match by {
        By::ETag => Some(one.etag.is_some() && one.etag == other.etag),
        By::Time => match one.modified.seconds().cmp(&other.modified.seconds()) {
            Ordering::Less => Some(true),
            Ordering::Equal => None,
            Ordering::Greater => Some(false),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ETag, Timestamp};

    fn annotation(size: u64, seconds: i64, etag: &str) -> Annotation {
        Annotation {
            size,
            modified: Timestamp::new(seconds, 0),
            etag: Some(ETag::parse(etag)),
        }
    }

    #[test]
    fn annotations_are_the_same_by_their_etag_or_by_size_and_time() {
        let (a, b) = (
            "d41d8cd98f00b204e9800998ecf8427e",
            "0cc175b9c0f1b6a831c399e269772661",
        );
        for (what, one, other, by_etag, by_time) in [
            (
                "alike",
                annotation(1, 5, a),
                annotation(1, 5, a),
                true,
                None,
            ),
            (
                "written again with the same",
                annotation(1, 9, a),
                annotation(1, 5, a),
                true,
                Some(false),
            ),
            (
                "encrypted anew",
                annotation(1, 5, a),
                annotation(1, 9, b),
                false,
                Some(true),
            ),
            (
                "longer",
                annotation(2, 5, a),
                annotation(1, 9, b),
                false,
                Some(false),
            ),
        ] {
            assert_eq!(is_same(&one, &other, By::ETag), Some(by_etag), "{what}");
            assert_eq!(is_same(&one, &other, By::Time), by_time, "{what}");
        }
    }
}
