//! Whether and when what only the target has is deleted.

use super::merged::Merged;

/// That a pair deletes what its target has and its source has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// Delete what filters reject, too.
    pub excluded: Excluded,
    /// What withholds all deletions of a run.
    pub guards: Guards,
}

/// What becomes of the target's copy of a key that filters reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Excluded {
    /// It is none of the pair's business.
    #[default]
    Kept,
    /// It is deleted like what the source does not have.
    Deleted,
}

/// What withholds all deletions of a run, decided over all of them before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    /// More candidates than this.
    pub max_objects: Option<u64>,
    /// A larger share than this of the target's objects, in percent, where there are enough to
    /// speak of shares.
    pub max_percent: u64,
    /// Fewer objects in the source than this, filtered or not.
    pub min_source_objects: u64,
    /// A source that does not list this key.
    pub source_marker: Option<String>,
    /// What a failed object means.
    pub on_errors: OnErrors,
}

/// What a failed object means for the deletions of its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnErrors {
    /// All of them are withheld.
    #[default]
    Withhold,
    /// Nothing: it is not deleted itself.
    Proceed,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_objects: None,
            max_percent: 50,
            min_source_objects: 1,
            source_marker: None,
            on_errors: OnErrors::Withhold,
        }
    }
}

/// The deletion of a pair, if it asked for any.
pub(super) fn deletion(merged: &Merged) -> Option<Deletion> {
    if !merged.value::<bool>("delete.enabled") {
        return None;
    }
    Some(Deletion {
        excluded: if merged.value("delete.excluded") {
            Excluded::Deleted
        } else {
            Excluded::Kept
        },
        guards: Guards {
            max_objects: merged.optional("delete.max_objects"),
            max_percent: merged.value("delete.max_percent"),
            min_source_objects: merged.value("delete.min_source_objects"),
            source_marker: merged.optional("delete.require_source_marker"),
            on_errors: match merged.value::<String>("delete.on_errors").as_str() {
                "proceed" => OnErrors::Proceed,
                _ => OnErrors::Withhold,
            },
        },
    })
}
