/*! What the listings do not tell: a request, or a look at the content.

The workers look, not the plan: [`Examiner::answer`] says whether an object is to be transferred,
[`Examiner::compare`] whether two objects are the same, for a run that only compares. Both take
cheap evidence first: what the listings say, then a HEAD, and a read last.
*/

mod answer;
mod layout;

pub use answer::{Answer, ORIGIN_LAST_MODIFIED};
pub use layout::{Layout, candidates};

use crate::config::{Check, Pair};
use crate::context::{Context, Ends};
use crate::digest::Likeness;
use crate::object::Entry;
use crate::plan::Examine;
use crate::store::StoreError;

/// Looks into what the listings of one pair do not tell.
#[derive(Debug)]
pub struct Examiner {
    ends: Ends,
    context: Context,
    #[allow(dead_code, reason = "the comparing modes read it")]
    check: Check,
    /// The part size this pair uploads with: the first guess at another's.
    chunksize: u64,
    #[allow(dead_code, reason = "the comparing modes read it")]
    depth: Depth,
}

/// How far a part layout is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is known and what size and part count allow: no requests.
    Inferred,
    /// Also by asking for part 1, for every part, and for the object's attributes.
    Asked,
}

impl Examiner {
    /// For one pair.
    pub fn new(ends: Ends, pair: &Pair, context: &Context, depth: Depth) -> Self {
        Self {
            ends,
            context: context.clone(),
            check: pair.check,
            chunksize: pair.multipart_chunksize,
            depth,
        }
    }

    /// Whether the object is to be transferred.
    pub async fn answer(&self, examine: &Examine) -> Result<Answer, StoreError> {
        answer::answer(self, examine).await
    }

    /// Whether two objects of one key are the same, by what [`Check::compared`] names.
    pub async fn compare(&self, _source: &Entry, _target: &Entry) -> Result<Likeness, StoreError> {
        Err(StoreError::unsupported(
            "compare",
            "contents cannot be compared yet",
        ))
    }
}
