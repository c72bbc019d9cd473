//! The storage class: the user's, or from S3 to S3 the source's.

use super::super::{Transferrer, Work};
use crate::object::StorageClass;
use crate::plan::Direction;
use crate::store::Head;

/// Classes that objects have because of where they are, and nowhere else.
const OF_A_PLACE: [&str; 5] = [
    "EXPRESS_ONEZONE",
    "OUTPOSTS",
    "SNOW",
    "FSX_OPENZFS",
    "FSX_ONTAP",
];

/// The class an object is written in; the target's own when `None`.
pub(super) fn of(via: &Transferrer, work: &Work, head: &Head) -> Option<StorageClass> {
    if via.pair.storage_class.is_some() || via.direction != Direction::S3ToS3 {
        return via.pair.storage_class.clone();
    }
    if work.without_class {
        return None;
    }
    // an endpoint may tell it in listings alone
    let kept = head.storage_class.as_ref();
    let kept = kept.or(work.entry.storage_class.as_ref());
    let kept = kept
        .filter(|class| !OF_A_PLACE.contains(&class.as_str()))
        .filter(|_| !via.pair.target.is_directory_bucket())
        .filter(|class| !via.conceded.class(class))
        .cloned();
    work.kept_class.note(kept.clone());
    kept
}
