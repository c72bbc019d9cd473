//! Why a key is left as it is, and how that is told.

use std::sync::Arc;

use crate::event::{Event, Rule, SkipReason};
use crate::filter::Ruling;
use crate::hook::HookError;
use crate::object::Entry;

/// Why a key is left as it is.
#[derive(Debug, Clone)]
pub enum Leave {
    /// The target has it already.
    Unchanged {
        /// What the source listed.
        source: Entry,
        /// What the target listed.
        target: Entry,
    },
    /// A filter keeps it out.
    Filtered {
        /// What the source listed.
        source: Entry,
        /// Which one.
        by: Arc<Rule>,
        /// What that looked at, where no listing tells it.
        seen: Option<String>,
    },
    /// No filter could tell whether it goes.
    Unfiltered {
        /// What the source listed.
        source: Entry,
        /// Why not.
        error: HookError,
    },
    /// It cannot be brought over.
    Skip {
        /// What the source listed.
        source: Entry,
        /// Why not.
        reason: SkipReason,
        /// In words, where there is more to say.
        message: Option<String>,
    },
}

impl Leave {
    /// The path of a key is that of this one, on the target's file system.
    pub fn folded(source: Entry, by: &str) -> Self {
        Self::Skip {
            source,
            reason: SkipReason::ShadowedKey,
            message: Some(format!(
                "the target's file system takes its path for that of `{by}`, which differs in case or in its normal form only"
            )),
        }
    }

    /// The path of a key is already taken by this one.
    pub fn shadowed(source: Entry, by: &str) -> Self {
        Self::Skip {
            source,
            reason: SkipReason::ShadowedKey,
            message: Some(format!("the path is already taken by the key `{by}`")),
        }
    }

    /// What the filters do not admit.
    pub(super) fn by_filters(source: Entry, ruling: Ruling) -> Self {
        match ruling {
            Ruling::Rejected(by) => Self::Filtered {
                source,
                by,
                seen: None,
            },
            Ruling::Failed(error) => Self::Unfiltered { source, error },
            Ruling::Admitted => unreachable!("what is admitted is not left by filters"),
        }
    }
}

/// The event of a key that is left.
impl From<Leave> for Event {
    fn from(leave: Leave) -> Self {
        match leave {
            Leave::Unchanged { source, target } => Self::Unchanged {
                source: (&source).into(),
                target: (&target).into(),
                key: source.key,
            },
            Leave::Filtered { source, by, seen } => Self::Filtered {
                source: Some((&source).into()),
                key: source.key.as_str().to_owned(),
                by,
                seen,
            },
            Leave::Unfiltered { source, error } => Self::unfiltered(&source, &error),
            Leave::Skip {
                source,
                reason,
                message,
            } => Self::Skipped {
                source: Some((&source).into()),
                key: source.key.as_str().to_owned(),
                reason,
                message,
            },
        }
    }
}

impl Event {
    /// A filter keeps an object out.
    pub fn filtered(source: &Entry, by: &Arc<Rule>) -> Self {
        Self::Filtered {
            key: source.key.as_str().to_owned(),
            source: Some(source.into()),
            by: Arc::clone(by),
            seen: None,
        }
    }

    /// No filter could tell whether an object goes.
    pub fn unfiltered(source: &Entry, error: &HookError) -> Self {
        Self::Failed {
            key: source.key.clone(),
            source: Some(source.into()),
            reason: error.reason(),
            error: Box::new(error.in_the("filter", source.key.as_str())),
            attempts: 1,
        }
    }
}
