//! A closure as a filter.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Candidate, FilterHook, HookError};
use crate::event::Rule;

/// A closure that decides which objects go.
pub struct FilterFn<F> {
    rule: Arc<Rule>,
    passes: F,
}

/// A filter of a closure that says of each object whether it goes. What it rejects is counted under
/// `hook` and this name. It is called on the threads of the runtime, and so must not block.
///
/// ```
/// use s3sync::hook::{Hooks, filter_fn};
///
/// let hooks = Hooks::new().filter(filter_fn("no drafts", |object| {
///     !object.entry.key.as_str().contains("/drafts/") && object.entry.size > 0
/// }));
/// ```
pub fn filter_fn<F>(name: impl Into<String>, passes: F) -> FilterFn<F>
where
    F: Fn(&Candidate) -> bool + Send + Sync,
{
    FilterFn {
        rule: Rule::of_hook(name),
        passes,
    }
}

#[async_trait]
impl<F> FilterHook for FilterFn<F>
where
    F: Fn(&Candidate) -> bool + Send + Sync,
{
    fn rule(&self) -> Arc<Rule> {
        Arc::clone(&self.rule)
    }

    async fn filter(&self, candidate: &Candidate) -> Result<bool, HookError> {
        Ok((self.passes)(candidate))
    }
}

impl<F> fmt::Debug for FilterFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterFn").field(&self.rule).finish()
    }
}
