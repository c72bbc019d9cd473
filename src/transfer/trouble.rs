//! What may go wrong with an attempt at an object.

use std::fmt;

use super::preprocess::Left;
use crate::digest::Mismatch;
use crate::examine::Parts;
use crate::hook::HookError;
use crate::plan::Leave;
use crate::store::{ErrorKind, Head, Incomplete, Rejected, StoreError, Stored};

/// Why an attempt did not work.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A store refused or failed.
    Store(StoreError),
    /// The bytes were damaged on the way; nothing was published.
    Damaged(Mismatch),
    /// The bytes were damaged on the way, and the target has them.
    Published(Box<Rejected>),
    /// The target may have the object or not: it was asked to publish it and did not say.
    Unproved(Box<Unproved>),
    /// The object's parts are not as they seemed: begin again with these.
    Parts(Parts),
    /// What proves the object is known only now: begin again with what the source told.
    Asked(Box<Head>),
    /// The source has another object now, which is left where it is.
    Filtered(Box<Leave>),
    /// A hook leaves it out.
    Left(Left),
    /// A hook failed on it.
    Hook(HookError),
}

impl Trouble {
    /// Whether nothing went wrong: more is known now than before, which happens once.
    pub(super) fn is_news(&self) -> bool {
        matches!(self, Self::Parts(_) | Self::Asked(_))
    }

    /// Whether beginning the object again may help. Transient errors were retried already, each
    /// by itself, and have used their attempts up.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Store(error) => match error.kind {
                ErrorKind::Changed => true,
                // the bytes were damaged on the way, and the store has published nothing
                ErrorKind::Corrupted => error.operation == "CompleteMultipartUpload",
                // another writer came in between
                ErrorKind::Transient => {
                    error.is_conflict() && error.operation == "CompleteMultipartUpload"
                }
                _ => false,
            },
            Self::Damaged(_)
            | Self::Published(_)
            | Self::Unproved(_)
            | Self::Parts(_)
            | Self::Asked(_) => true,
            Self::Filtered(_) | Self::Left(_) | Self::Hook(_) => false,
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Rejected> for Trouble {
    fn from(rejected: Rejected) -> Self {
        Self::Published(Box::new(rejected))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Damaged(_) | Self::Published(_) => {
                f.write_str("the bytes were damaged on the way")
            }
            Self::Unproved(unproved) => unproved.error.fmt(f),
            Self::Parts(_) => f.write_str("its parts are of other sizes than they seemed"),
            Self::Asked(_) => f.write_str("its ETag proves nothing"),
            Self::Filtered(_) => f.write_str("filters keep out what the source has now"),
            Self::Left(_) => f.write_str("a hook leaves it out"),
            Self::Hook(error) => error.fmt(f),
        }
    }
}

/// What is known of an object that may have been published.
#[derive(Debug)]
pub(super) struct Unproved {
    pub(super) error: StoreError,
    /// What the target has under the key now, where it could be asked.
    pub(super) seen: Option<Stored>,
    /// Whether that was made by this attempt and is damaged.
    pub(super) is_own: bool,
}

impl Unproved {
    /// Its error, with what is known of the target.
    pub(super) fn told(self) -> StoreError {
        let Self { error, seen, .. } = self;
        let known = if seen.is_some() {
            "what the target has now is not proved to be what was sent"
        } else {
            "the target could not be asked whether it has it"
        };
        StoreError {
            // it is not known that it did not hold
            kind: match error.kind {
                ErrorKind::PreconditionFailed => ErrorKind::Other,
                kind => kind,
            },
            message: format!("{}; {known}", error.message),
            ..error
        }
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

/// What an upload that could not be completed is to an attempt.
pub(super) fn of_completion(incomplete: Incomplete) -> Trouble {
    match incomplete {
        Incomplete::Undone(error) => of_target(error).into(),
        Incomplete::Unproved {
            error,
            seen,
            is_own,
        } => Trouble::Unproved(Box::new(Unproved {
            error: of_target(error),
            seen: seen.map(|seen| *seen),
            is_own,
        })),
    }
}
