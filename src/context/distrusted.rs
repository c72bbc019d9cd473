//! Keys whose objects at the target are known to be damaged, or were never proved.

use std::collections::HashSet;
use std::sync::Arc;

use crate::event::Cause;
use crate::object::ObjectKey;
use crate::plan::Decision;

/// What earlier runs of the job have left at the target and do not trust. Whatever a comparison
/// says of it, it is brought over again.
#[derive(Debug, Clone, Default)]
pub struct Distrusted(Arc<HashSet<ObjectKey>>);

impl Distrusted {
    /// These keys, relative to the pair's roots.
    pub fn new(keys: impl IntoIterator<Item = ObjectKey>) -> Self {
        Self(Arc::new(keys.into_iter().collect()))
    }

    /// Whether a key is one of these.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.0.contains(key)
    }

    /// The decision on a key, which for one of these is to transfer it.
    pub fn overrule(&self, decision: Decision) -> Decision {
        if !self.0.is_empty() && decision.key().is_some_and(|key| self.0.contains(key)) {
            decision.forced(Cause::Distrusted)
        } else {
            decision
        }
    }
}
