//! Closures as hooks.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Candidate, EventHook, FilterHook, HookError, HookEvent};
use super::{PreprocessHook, Preprocessed, SourceObject, UploadMetadata};
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

/// A closure that changes what an object carries, or leaves it out.
pub struct PreprocessFn<F> {
    name: String,
    changes: F,
}

/// A preprocess hook of a closure, which messages call by this name. It is called on the threads of
/// the runtime, and so must not block.
///
/// ```
/// use s3sync::hook::{Hooks, Preprocessed, preprocess_fn};
///
/// let hooks = Hooks::new().preprocess(preprocess_fn("owner", |source, upload| {
///     if source.size > 5_000_000_000 {
///         return Ok(Preprocessed::Skip);
///     }
///     upload.metadata.insert("owner".into(), "web".into());
///     Ok(Preprocessed::Proceed)
/// }));
/// ```
pub fn preprocess_fn<F>(name: impl Into<String>, changes: F) -> PreprocessFn<F>
where
    F: Fn(&SourceObject, &mut UploadMetadata) -> Result<Preprocessed, HookError> + Send + Sync,
{
    PreprocessFn {
        name: name.into(),
        changes,
    }
}

#[async_trait]
impl<F> PreprocessHook for PreprocessFn<F>
where
    F: Fn(&SourceObject, &mut UploadMetadata) -> Result<Preprocessed, HookError> + Send + Sync,
{
    async fn preprocess(
        &self,
        source: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError> {
        (self.changes)(source, upload)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl<F> fmt::Debug for PreprocessFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreprocessFn").field(&self.name).finish()
    }
}

impl<F> fmt::Debug for FilterFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterFn").field(&self.rule).finish()
    }
}

/// A closure that hears what happens.
pub struct EventFn<F> {
    name: String,
    hears: F,
}

/// A listener of a closure, which warnings call by this name. It is called on the threads of the
/// runtime, and so must not block.
///
/// ```
/// use s3sync::hook::{EventKind, Hooks, event_fn};
///
/// let hooks = Hooks::new().event(event_fn("printer", |event| {
///     if event.kind == EventKind::SyncComplete {
///         println!("{} has arrived", event.key.as_deref().unwrap_or_default());
///     }
///     Ok(())
/// }));
/// ```
pub fn event_fn<F>(name: impl Into<String>, hears: F) -> EventFn<F>
where
    F: Fn(&HookEvent) -> Result<(), HookError> + Send + Sync,
{
    EventFn {
        name: name.into(),
        hears,
    }
}

#[async_trait]
impl<F> EventHook for EventFn<F>
where
    F: Fn(&HookEvent) -> Result<(), HookError> + Send + Sync,
{
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn on_event(&self, event: &HookEvent) -> Result<(), HookError> {
        (self.hears)(event)
    }
}

impl<F> fmt::Debug for EventFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventFn").field(&self.name).finish()
    }
}
