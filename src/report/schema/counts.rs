//! Objects by outcome, as the report has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Why};
use crate::event::SkipReason;

/// Objects by outcome.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Entries listed.
    pub listed: Listed,
    /// Left out by filters.
    pub filtered: Filtered,
    /// Already at the target.
    pub unchanged: u64,
    /// Of the unchanged: their tags were brought up to date; in a dry run, planned.
    // reports of the first versions do not have it
    #[serde(default)]
    #[schemars(required)]
    pub tagged: u64,
    /// Of the unchanged: their annotations were brought up to date; in a dry run, planned.
    #[serde(default)]
    #[schemars(required)]
    pub annotated: u64,
    /// Moved; in a dry run, planned.
    pub transferred: Transferred,
    /// Compared by a run that only does that; all zero for any other.
    // reports of the first versions have none, and can be read all the same
    #[serde(default)]
    #[schemars(required)]
    pub compared: Compared,
    /// Left out because of their state.
    pub skipped: Skipped,
    /// Could not be transferred.
    pub failed: u64,
    /// Not reached before the pair ended.
    pub not_attempted: u64,
    /// Removed from the target.
    pub deleted: Deleted,
    /// What was proved.
    pub verified: Verified,
    /// What makes the status a warning.
    pub warnings: u64,
    /// What makes the status a failure.
    pub errors: u64,
    /// Whether `listed.source = filtered + unchanged + transferred + compared + skipped + failed +
    /// not_attempted + deleted.copied_markers`, and `deleted.candidates = deleted.total -
    /// deleted.copied_markers + deleted.withheld + deleted.changed + deleted.failed +
    /// deleted.not_attempted`.
    pub reconciled: bool,
}

/// Entries listed on each side.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Of the source.
    pub source: u64,
    /// Of the target.
    pub target: u64,
}

/// Objects left out by filters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Filtered {
    /// All of them.
    pub total: u64,
    /// By the filter that rejected them first.
    pub by: Vec<FilterCount>,
    /// Directories that were not looked into, because a filter rejects everything below them. What
    /// is there is neither listed nor in the total.
    // reports of the first versions do not have it
    #[serde(default)]
    #[schemars(required)]
    pub subtrees: u64,
}

/// Objects one filter left out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FilterCount {
    /// The filter's path in the job file.
    pub filter: String,
    /// Its value.
    pub value: String,
    /// Where it was set.
    pub origin: String,
    /// How many.
    pub count: u64,
    /// How many directories were not looked into because of it.
    #[serde(default)]
    #[schemars(required)]
    pub subtrees: u64,
}

/// Objects that moved.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Transferred {
    /// All of them.
    pub total: u64,
    /// To a key the target did not have.
    pub created: u64,
    /// Over an object the target had.
    pub updated: u64,
    /// Of the total: copied by S3 itself.
    pub server_side_copied: u64,
}

/// What comparing both sides showed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// Objects of the source, each counted once: the sum of the next four.
    pub total: u64,
    /// The same in the target, by everything that was looked at.
    pub matches: u64,
    /// Different in the target.
    pub mismatch: u64,
    /// Not in the target.
    pub not_found: u64,
    /// In both, and nothing tells whether they are the same.
    pub unknown: u64,
    /// Keys the source does not have; not in the total.
    pub only_in_target: u64,
    /// Keys of the target below a directory of the source that cannot be read; not in the total.
    #[serde(default)]
    pub unreadable: u64,
    /// Of the mismatches: told by their sizes.
    pub size_differs: u64,
    /// By ETag.
    pub etag: AgreementCounts,
    /// By additional checksum.
    pub checksum: ChecksumAgreementCounts,
    /// By metadata, where a check was to look at it.
    #[serde(default)]
    #[schemars(required)]
    pub metadata: AgreementCounts,
    /// By tags, likewise.
    #[serde(default)]
    #[schemars(required)]
    pub tagging: AgreementCounts,
    /// By annotations, likewise.
    #[serde(default)]
    #[schemars(required)]
    pub annotations: AgreementCounts,
    /// Objects of which nothing tells, by reason.
    pub unknown_by: Vec<ReasonCount<Why>>,
}

/// What one kind of evidence showed of the objects both sides have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AgreementCounts {
    /// The same.
    pub matches: u64,
    /// Different.
    pub mismatch: u64,
    /// Not comparable.
    pub unknown: u64,
}

/// What additional checksums showed of the objects both sides have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ChecksumAgreementCounts {
    /// S3's name of the algorithm: the one that was asked for, or the one that made up for ETags.
    /// `null` where none was used, or several were.
    pub algorithm: Option<Algorithm>,
    /// The results.
    #[serde(flatten)]
    pub results: AgreementCounts,
}

/// Objects left out because of their state.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// All of them.
    pub total: u64,
    /// By reason.
    pub by: Vec<ReasonCount<SkipReason>>,
}

/// Objects with one reason.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{R}Count")]
pub struct ReasonCount<R> {
    /// The reason.
    pub reason: R,
    /// How many.
    pub count: u64,
}

/// What was removed from the target.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// All of it.
    pub total: u64,
    /// Objects.
    pub objects: u64,
    /// Delete markers that were made in place of removing.
    pub delete_markers: u64,
    /// Of the delete markers: the source's own latest, brought over with its versions.
    // reports of the first versions have none, and can be read all the same
    #[serde(default)]
    #[schemars(required)]
    pub copied_markers: u64,
    /// What might have been removed.
    pub candidates: u64,
    /// Candidates a guard kept.
    pub withheld: u64,
    /// Candidates that were not what was listed any more, and stayed.
    #[serde(default)]
    #[schemars(required)]
    pub changed: u64,
    /// Candidates that could not be removed.
    #[serde(default)]
    #[schemars(required)]
    pub failed: u64,
    /// Candidates not reached before the pair ended.
    #[serde(default)]
    #[schemars(required)]
    pub not_attempted: u64,
}

/// What was proved.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Transferred objects by what all evidence together says.
    pub objects: VerifiedObjects,
    /// By ETag.
    pub etag: AxisCounts,
    /// By additional checksum.
    pub checksum: ChecksumCounts,
    /// Objects without any proof, by reason.
    pub not_verifiable_by: Vec<ReasonCount<Why>>,
}

/// Transferred objects with and without proof.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedObjects {
    /// At least one proof.
    pub verified: u64,
    /// None.
    pub not_verifiable: u64,
}

/// Results of comparing ETags.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AxisCounts {
    /// The same.
    pub matched: u64,
    /// Different: the object failed.
    pub mismatched: u64,
    /// Not comparable.
    pub not_verifiable: u64,
}

/// Results of comparing additional checksums.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChecksumCounts {
    /// S3's name of the algorithm; `null` where none was used.
    pub algorithm: Option<Algorithm>,
    /// The results.
    #[serde(flatten)]
    pub results: AxisCounts,
}
