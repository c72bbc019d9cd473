//! One try at one object: which way it goes, and what may go wrong.

use std::fmt;

use super::{Done, Transferrer, Work, parts, server_side, whole};
use crate::digest::{Algorithm, Verdict};
use crate::event::FailReason;
use crate::examine::Layout;
use crate::object::Entry;
use crate::store::{ErrorKind, Rejected, StoreError};

/// Why an attempt did not work.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A store refused or failed.
    Store(StoreError),
    /// The bytes were damaged on the way; nothing was published.
    Damaged(Verdict),
    /// The bytes were damaged on the way, and the target has them.
    Published(Box<Rejected>),
    /// The object's parts are not as they seemed: begin again with these.
    Layout(Layout),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Damaged(_) | Self::Published(_) => {
                f.write_str("the bytes were damaged on the way")
            }
            Self::Layout(_) => f.write_str("the parts are of another size"),
        }
    }
}

impl Trouble {
    /// Whether beginning the object again may help. Transient errors were retried already, each
    /// by itself, and have used their attempts up.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Store(error) => match error.kind {
                ErrorKind::Changed => true,
                // the bytes were damaged on the way, and the store has published nothing
                ErrorKind::Corrupted => error.operation == "CompleteMultipartUpload",
                _ => false,
            },
            Self::Damaged(_) | Self::Published(_) | Self::Layout(_) => true,
        }
    }
}

impl From<Rejected> for Trouble {
    fn from(rejected: Rejected) -> Self {
        Self::Published(Box::new(rejected))
    }
}

/// An error of the target. That something is not there, an upload or a directory, says nothing of
/// the source; and a directory that may not be written to is a failure, where S3's refusal of one
/// key is told and passed over.
pub(super) fn of_target(error: StoreError) -> StoreError {
    let by_the_system = error
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("errno"));
    match error.kind {
        ErrorKind::AccessDenied if by_the_system => StoreError {
            kind: ErrorKind::Other,
            ..error
        },
        ErrorKind::NotFound => StoreError {
            kind: ErrorKind::Other,
            ..error
        },
        _ => error,
    }
}

/// Moves the object once.
pub(super) async fn attempt(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    if via.pair.server_side_copy {
        server_side::transfer(via, work).await
    } else if work.entry.size < via.pair.multipart_threshold {
        whole::transfer(via, work).await
    } else {
        parts::transfer(via, work).await
    }
}

/// The report's reason and words for a proved mismatch.
pub(super) fn damage(source: &Entry, verdict: &Verdict) -> (FailReason, StoreError) {
    let (reason, message) = match verdict {
        Verdict::Mismatch { sent, stored } => {
            let reason = reason_of(verdict);
            let what = match reason {
                FailReason::ETagMismatch => "ETag".to_owned(),
                _ => sent.algorithm().to_string(),
            };
            (
                reason,
                format!("{what} mismatch: {sent:?} was computed, {stored:?} is stored"),
            )
        }
        Verdict::Verified(_) | Verdict::Unverifiable(_) => (
            FailReason::Other,
            "the object could not be settled".to_owned(),
        ),
    };
    (
        reason,
        StoreError::new("verify", source.key.as_str(), ErrorKind::Corrupted, message),
    )
}

/// The report's reason for a verdict against an object.
pub(super) fn reason_of(verdict: &Verdict) -> FailReason {
    match verdict {
        Verdict::Mismatch { sent, .. } if sent.algorithm() == Algorithm::Md5 => {
            FailReason::ETagMismatch
        }
        Verdict::Mismatch { .. } => FailReason::ChecksumMismatch,
        Verdict::Verified(_) | Verdict::Unverifiable(_) => FailReason::Other,
    }
}
