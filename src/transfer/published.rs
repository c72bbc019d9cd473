//! What was published and is not sound: it is distrusted, and taken back.

use super::Transferrer;
use super::trouble::Unproved;
use crate::event::{Event, FailReason};
use crate::object::{Entry, ObjectKey};
use crate::store::{Stored, Withdrawn};

/// What becomes of an object that is distrusted.
pub(super) const AGAIN: &str = "it is sent again by every run until it is proved";

/// What becomes of a damaged version that was sent again and is sound now.
pub(super) const BELOW: &str =
    "the object was sent again, and that version stays below the new one until you remove it";

impl Transferrer {
    /// What was published must not count as unchanged.
    pub(super) fn distrust(&self, source: &Entry, stored: &Stored, reason: FailReason) {
        self.sinks.emit(&Event::Distrusted {
            key: source.key.clone(),
            etag: stored.etag.clone(),
            version: stored.version.clone(),
            reason,
        });
    }

    /// The same of what may have been published.
    pub(super) fn distrust_unproved(&self, source: &Entry, unproved: &Unproved) {
        let seen = unproved.seen.as_ref();
        self.sinks.emit(&Event::Distrusted {
            key: source.key.clone(),
            etag: seen.and_then(|seen| seen.etag.clone()),
            version: seen.and_then(|seen| seen.version.clone()),
            reason: FailReason::Unverifiable,
        });
    }

    /// Takes back what was published and is damaged: better absent than wrong. Says whether
    /// anything was there and all of it is gone, and what is to be told of it in words; `stays` says
    /// what becomes of what stays.
    pub(super) async fn withdraw(
        &self,
        source: &Entry,
        published: &[Stored],
        stays: &str,
    ) -> (bool, Vec<String>) {
        let key = &source.key;
        let mut told = Vec::new();
        let mut is_gone = !published.is_empty();
        // the newest first, so that nothing damaged comes to light again
        for stored in published.iter().rev() {
            let (gone, message) = match self.target.withdraw(key, stored).await {
                Ok(Withdrawn::Removed) => (
                    true,
                    format!("`{key}` was damaged on its way; it was removed from the target"),
                ),
                Ok(Withdrawn::Absent) => (
                    true,
                    format!("`{key}` was damaged on its way; the target does not have it any more"),
                ),
                Ok(Withdrawn::Other) => (
                    false,
                    format!(
                        "`{key}` was damaged on its way and was not removed: what the target has now is not what it told of it; {stays}"
                    ),
                ),
                Err(error) => (
                    false,
                    format!(
                        "{} is damaged at the target and could not be removed: {error}; {stays}",
                        version_of(key, stored)
                    ),
                ),
            };
            is_gone &= gone;
            told.push(message);
        }
        (is_gone, told)
    }
}

fn version_of(key: &ObjectKey, stored: &Stored) -> String {
    stored.version.as_ref().map_or_else(
        || format!("`{key}`"),
        |it| format!("version {it} of `{key}`"),
    )
}
