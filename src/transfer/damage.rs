//! Proved damage, as the report has it.

use std::fmt::Write as _;

use crate::digest::{Axis, Mismatch};
use crate::event::FailReason;
use crate::object::Entry;
use crate::store::{ErrorKind, StoreError};

/// The report's reason and words for proved damage. `endpoint` is one that is not AWS's own, if
/// there is any: its ETags may be no digests, which only the user can know.
pub(super) fn told(
    source: &Entry,
    mismatch: &Mismatch,
    endpoint: Option<&str>,
) -> (FailReason, StoreError) {
    let Mismatch { axis, sent, stored } = mismatch;
    let what = match axis {
        Axis::ETag => "ETag".to_owned(),
        Axis::Checksum => sent.algorithm().to_string(),
    };
    let mut message = format!("{what} mismatch: {sent:?} was computed, {stored:?} is stored");
    if let (Axis::ETag, Some(endpoint)) = (axis, endpoint) {
        let _ = write!(
            message,
            "; if {endpoint} gives ETags that are no MD5s, set verify.etag to false"
        );
    }
    (
        reason_of(mismatch),
        StoreError::new("verify", source.key.as_str(), ErrorKind::Corrupted, message),
    )
}

/// The report's reason for damage.
pub(super) fn reason_of(mismatch: &Mismatch) -> FailReason {
    match mismatch.axis {
        Axis::ETag => FailReason::ETagMismatch,
        Axis::Checksum => FailReason::ChecksumMismatch,
    }
}
