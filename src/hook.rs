/*! What users have a say in: which objects go, what they carry, and who hears of it.

The traits here are implemented in Rust by whoever embeds the library, and by scripts. A pair has
any number of each ([`Hooks`]).
*/

mod error;
mod filter;
mod script;

pub use error::{Fails, HookError};
pub use filter::{Candidate, FilterHook};
pub use script::ScriptFact;

use std::sync::Arc;

/// Everything users have a say with in one pair.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// Asked in this order; the first to reject an object is the one it counts for.
    pub filters: Vec<Arc<dyn FilterHook>>,
}

impl Hooks {
    /// The same, and after them those.
    #[must_use]
    pub fn followed_by(mut self, those: Self) -> Self {
        self.filters.extend(those.filters);
        self
    }
}
