//! An object on its way: what is known of it from one attempt to the next.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use super::concede::KeptClass;
use super::preprocess::Said;
use crate::event::Cause;
use crate::examine::Parts;
use crate::object::{Entry, ObjectVersion, Tags};
use crate::store::{Condition, Head};

/// An object on its way.
#[derive(Debug, Clone)]
pub(super) struct Work {
    /// What the source listed, or said when asked again.
    pub(super) entry: Entry,
    /// Why it is brought over.
    pub(super) because: Cause,
    /// What the source said when it was asked again.
    pub(super) head: Option<Head>,
    /// Its tags, where filters had to know them.
    pub(super) tags: Option<Tags>,
    /// The parts the source has it in, once they are known for sure.
    pub(super) parts: Option<Parts>,
    /// Whether it was told what the object loses on its way.
    pub(super) told: Arc<AtomicBool>,
    /// Whether it is written in the target's own storage class, which may not take the source's.
    pub(super) without_class: bool,
    /// The source's class that it was last to be written in.
    pub(super) kept_class: Arc<KeptClass>,
    /// What has to hold of its key at the target.
    pub(super) condition: Condition,
    /// Whether it goes without its tags, which may not be read.
    pub(super) is_untagged: Arc<AtomicBool>,
    /// Whether what the target has under its key is distrusted, and must be until it is proved.
    pub(super) is_distrusted: bool,
    /// Whether it was said to be distrusted until it has its annotations.
    pub(super) owes_annotations: Arc<AtomicBool>,
    /// What the hooks said of it, once they were asked.
    pub(super) said: Arc<OnceLock<Said>>,
}

impl Work {
    /// The first attempt at an object.
    pub(super) fn on(
        entry: Entry,
        because: Cause,
        head: Option<Head>,
        condition: Condition,
    ) -> Self {
        Self {
            entry,
            because,
            head,
            tags: None,
            parts: None,
            told: Arc::default(),
            without_class: false,
            kept_class: Arc::default(),
            condition,
            is_untagged: Arc::default(),
            is_distrusted: because == Cause::Distrusted,
            owes_annotations: Arc::default(),
            said: Arc::default(),
        }
    }

    /// The version of which the source said this.
    pub(super) fn of<'a>(&'a self, head: &'a Head) -> ObjectVersion<'a> {
        ObjectVersion {
            key: &self.entry.key,
            version: head.version.as_deref().or(self.entry.version.as_deref()),
        }
    }
}
