//! Are two objects annotated alike?

use super::Examiner;
use super::beside::of_target;
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

/// By ETag where the user wants that and ETags are digests, otherwise by time and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    ETag,
    Time,
}

/// Lists both. Whether ETags are digests is only asked where it matters.
pub(super) async fn compare(
    via: &Examiner,
    source: ObjectVersion<'_>,
    target: ObjectVersion<'_>,
) -> Result<AnnotationsCompared, StoreError> {
    let (from, to) = (&via.ends.source, &via.ends.target);
    let (ours, theirs) = futures::join!(from.annotations(source), to.annotations(target));
    let (ours, theirs) = (ours?, theirs.map_err(of_target)?);
    let by = if !via.annotations_by_etag {
        By::Time
    } else if ours.iter().any(|(name, one)| {
        let other = theirs.get(name);
        other.is_some_and(|other| is_same(one, other, By::Time) && !is_same(one, other, By::ETag))
    }) {
        let (ours, theirs) = futures::join!(from.head(source, false), to.head(target, false));
        let are_digests = ours?.etag_is_digest && theirs.map_err(of_target)?.etag_is_digest;
        if are_digests { By::ETag } else { By::Time }
    } else {
        By::ETag
    };
    let differs = |(name, one): &(&String, &Annotation)| {
        let other = theirs.get(*name);
        !other.is_some_and(|other| is_same(one, other, by))
    };
    let names = |(name, _): (&String, &Annotation)| name.clone();
    let differing = ours.iter().filter(differs).map(names).collect();
    let extra = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
    Ok(AnnotationsCompared {
        differing,
        extra: extra.map(names).collect(),
        source: ours,
        target: theirs,
    })
}

fn is_same(one: &Annotation, other: &Annotation, by: By) -> bool {
    one.size == other.size
        && match by {
            By::ETag => one.etag.is_some() && one.etag == other.etag,
            By::Time => one.modified <= other.modified,
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
                true,
            ),
            (
                "written again with the same",
                annotation(1, 9, a),
                annotation(1, 5, a),
                true,
                false,
            ),
            (
                "encrypted anew",
                annotation(1, 5, a),
                annotation(1, 9, b),
                false,
                true,
            ),
            (
                "longer",
                annotation(2, 5, a),
                annotation(1, 9, b),
                false,
                false,
            ),
        ] {
            assert_eq!(is_same(&one, &other, By::ETag), by_etag, "{what}");
            assert_eq!(is_same(&one, &other, By::Time), by_time, "{what}");
        }
    }
}
