//! What an upload has left behind whose completion did not work.

use std::fmt;

use super::{StoreError, Stored};

/// Why an upload is not complete, and whether anything of it may be seen.
#[derive(Debug, Clone)]
pub enum Incomplete {
    /// Nothing was published: the key is as it was.
    Undone(StoreError),
    /// It may have been published: no answer told, and what the key has now does not prove that it
    /// is what was sent.
    Unproved {
        /// What the completion failed with.
        error: StoreError,
        /// What the key has now, where that could be asked.
        seen: Option<Box<Stored>>,
        /// Whether that is what this upload made, and is not what was sent.
        is_own: bool,
    },
}

impl From<StoreError> for Incomplete {
    fn from(error: StoreError) -> Self {
        Self::Undone(error)
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undone(error) | Self::Unproved { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for Incomplete {}
