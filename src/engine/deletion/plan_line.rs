//! A line of a pair's delete plan, as it is written and read again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Extraneous, Guard};

/// The version of a line's form; it changes when a reader would have to.
pub const VERSION: u32 = 1;

/// One line of a pair's delete plan, `pairs/<name>.deletions.ndjson` in the run's directory: the
/// candidates, what was decided on all of them, and the trailer that ends the file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// An object that may be deleted.
    Candidate(Candidate),
    /// What was decided on all of them.
    Verdict(Verdict),
    /// The last line: without it the file is incomplete, and nothing was deleted.
    Trailer {
        /// How many lines stand before it.
        lines: u64,
        /// That it was written says so.
        #[schemars(extend("const" = true))]
        complete: bool,
    },
}

/// An object that may be deleted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Candidate {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    pub(super) v: u32,
    /// The pair.
    pub(super) pair: String,
    /// Relative to the target's prefix.
    pub(super) key: String,
    /// Why it may be.
    pub(super) reason: Extraneous,
    /// What the target listed.
    pub(super) target: Object,
}

/// What the target listed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Object {
    /// Its size in bytes.
    pub(super) size: u64,
    /// RFC 3339, for people.
    pub(super) last_modified: String,
    /// Seconds and nanoseconds since 1970: files have times that no text has.
    pub(super) modified: (i64, u32),
    /// As S3 writes it, in quotes; files have none.
    pub(super) etag: Option<String>,
    /// Its version, where versions are what is listed.
    pub(super) version_id: Option<String>,
}

/// What was decided on all candidates.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Verdict {
    /// The version of this form.
    #[schemars(extend("const" = VERSION))]
    pub(super) v: u32,
    /// The pair.
    pub(super) pair: String,
    /// How many there are; as far as they are known, where a listing failed.
    pub(super) candidates: u64,
    /// How many objects of the target the pair is about.
    pub(super) target_objects: u64,
    /// The guard that keeps all of them; `null` where they are deleted.
    pub(super) withheld: Option<Guard>,
    /// That in words, with its numbers.
    pub(super) message: Option<String>,
}
