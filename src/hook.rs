/*! What users have a say in: which objects go, what they carry, and who hears of it.

The traits here are implemented in Rust by whoever embeds the library, and by scripts. A pair has
any number of each ([`Hooks`]); those of the program are asked before the scripts.
*/

mod announcer;
mod backlog;
mod error;
mod event;
mod filter;
mod function;
mod preprocess;
mod script;
mod told;

#[doc(hidden)]
pub use announcer::{Announcer, Ended};
pub use async_trait::async_trait;
#[doc(hidden)]
pub use backlog::Backlog;
pub use error::{Fails, HookError};
pub use event::{AtEnd, EventHook, EventKind, EventStats, HookEvent, WrittenBytes};
pub use filter::{Candidate, FilterHook};
pub use function::{EventFn, FilterFn, PreprocessFn, event_fn, filter_fn, preprocess_fn};

pub use crate::digest::{Algorithm, Checksum};
pub use crate::event::{Rule, SkipReason};
pub use crate::object::{Attributes, ETag, Entry, ObjectKey, StorageClass, Tags, Timestamp};
pub use crate::store::Details;
pub use preprocess::{PreprocessHook, Preprocessed, SourceObject, UploadMetadata};
#[doc(hidden)]
pub use script::ScriptFact;

use std::sync::Arc;

/// Everything users have a say with in one pair.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// Asked in this order; the first to reject an object is the one it counts for.
    pub filters: Vec<Arc<dyn FilterHook>>,
    /// Asked in this order about what is written to S3, each about what the one before left.
    pub preprocess: Vec<Arc<dyn PreprocessHook>>,
    /// Told in this order what happens.
    pub events: Vec<Arc<dyn EventHook>>,
}

impl Hooks {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and after its other filters this one.
    #[must_use]
    pub fn filter(mut self, filter: impl FilterHook + 'static) -> Self {
        self.filters.push(Arc::new(filter));
        self
    }

    /// The same, and after its other preprocess hooks this one.
    #[must_use]
    pub fn preprocess(mut self, preprocess: impl PreprocessHook + 'static) -> Self {
        self.preprocess.push(Arc::new(preprocess));
        self
    }

    /// The same, and after its other listeners this one.
    #[must_use]
    pub fn event(mut self, event: impl EventHook + 'static) -> Self {
        self.events.push(Arc::new(event));
        self
    }

    /// The same, and after them those.
    #[must_use]
    pub fn followed_by(mut self, those: Self) -> Self {
        self.filters.extend(those.filters);
        self.preprocess.extend(those.preprocess);
        self.events.extend(those.events);
        self
    }
}
