//! Who says which objects go.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::HookError;
use crate::event::Rule;
use crate::object::Entry;

/// An object as a filter sees it: what the listing told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// What was listed.
    pub entry: Entry,
    /// Whether it is the latest version of its key.
    pub is_latest: bool,
    /// Whether it is no object but the mark that one was deleted.
    pub is_delete_marker: bool,
}

/// Decides which objects go, after every filter of the configuration let them pass.
///
/// Objects come in the order of the listing, each once, while nothing else is asked of this hook.
#[async_trait]
pub trait FilterHook: Send + Sync + fmt::Debug {
    /// What rejected objects are counted under; [`Rule::of_hook`] makes one.
    fn rule(&self) -> Arc<Rule>;

    /// Whether an object goes.
    async fn filter(&self, candidate: &Candidate) -> Result<bool, HookError>;

    /// The same for several at once, one answer for each. After an error that fails the pair the
    /// answers may end.
    async fn filter_all(&self, candidates: Vec<Candidate>) -> Vec<Result<bool, HookError>> {
        let mut answers = Vec::with_capacity(candidates.len());
        for candidate in &candidates {
            answers.push(self.filter(candidate).await);
        }
        answers
    }
}

impl From<&Entry> for Candidate {
    fn from(entry: &Entry) -> Self {
        Self {
            entry: entry.clone(),
            is_latest: true,
            is_delete_marker: false,
        }
    }
}
