//! One pair, as the report has it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counts;
use super::words::{HttpStatus, Sha256, Time};
use crate::config::ReportLevel;
use crate::event::Guard;
use crate::report::Status;
use crate::store::{StoreKind, Versioning};

/// One pair.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// Its state.
    pub status: Status,
    /// Why, where the state alone does not say it.
    pub status_reason: Option<String>,
    /// SHA-256 over its settings that are not secret.
    #[schemars(with = "Sha256")]
    pub settings_digest: String,
    /// The scripts that have a say in it.
    #[serde(default)]
    pub scripts: Vec<Script>,
    /// Where from.
    pub source: End,
    /// Where to.
    pub target: End,
    /// When it began.
    #[schemars(with = "Option<Time>")]
    pub started_at: Option<String>,
    /// When it ended.
    #[schemars(with = "Option<Time>")]
    pub finished_at: Option<String>,
    /// How long its phases took.
    pub phases_ms: Phases,
    /// Objects.
    pub counts: Counts,
    /// Bytes.
    pub bytes: Bytes,
    /// How fast.
    pub throughput: Throughput,
    /// How long single things took: `object_end_to_end`, and each operation of S3.
    pub latency_ms: BTreeMap<String, LatencyMs>,
    /// Requests.
    pub requests: Requests,
    /// Repeated requests.
    pub retries: Retries,
    /// Repeated because the server asked for fewer.
    pub throttled: u64,
    /// What the endpoints could not do.
    pub guarantees_lost: Vec<GuaranteeLost>,
    /// The first warnings.
    pub warnings_sample: Vec<Sample>,
    /// The first errors.
    pub errors_sample: Vec<Sample>,
    /// What was decided on deleting; `null` where the pair does not delete, or is not that far.
    #[serde(default)]
    pub deletion: Option<Deletion>,
    /// The evidence; `null` before the pair begins.
    pub evidence: Option<EvidenceFile>,
}

/// What was decided on deleting what only the target has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deletion {
    /// What withholds all of it; `null` where nothing does.
    pub guard: Option<Guard>,
    /// That in words, with its numbers.
    pub message: Option<String>,
    /// How many objects of the target the pair is about: those that no filter keeps out.
    pub target_objects: u64,
    /// The file with one line for each candidate, relative to the report's directory.
    pub plan: Option<String>,
}

/// A script as it was when the run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    /// `filter`, `preprocess` or `event`.
    pub kind: String,
    /// Its file.
    pub path: String,
    /// SHA-256 of what was in it.
    #[schemars(with = "Sha256")]
    pub sha256: String,
}

/// One end of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// `s3://bucket/prefix`, or a path.
    pub url: String,
    /// What it is.
    pub kind: StoreKind,
    /// The bucket's region, where it is known.
    pub region: Option<String>,
    /// The endpoint, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// The bucket's versioning, where it was asked for.
    pub versioning: Option<Versioning>,
}

/// How long the phases took; they overlap.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// Until both sides were listed.
    pub list: Option<u64>,
    /// Until the last transfer.
    pub transfer: Option<u64>,
    /// The deletions.
    pub delete: Option<u64>,
}

/// Sums of sizes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Bytes {
    /// Of the transferred objects; in a dry run, of the planned.
    pub transferred: u64,
    /// Of everything the source listed.
    pub source_listed: u64,
}

/// How fast.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Transferred bytes over the pair's duration.
    pub bytes_per_sec_avg: u64,
    /// Transferred objects over the pair's duration.
    pub objects_per_sec_avg: u64,
    /// Over time.
    pub series: Series,
}

/// Throughput in consecutive intervals.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The length of an interval.
    pub interval_ms: u64,
    /// Bytes taken by the target in each, those of unfinished and repeated objects included.
    pub bytes: Vec<u64>,
    /// Objects completed in each.
    pub objects: Vec<u64>,
}

/// Durations of one kind.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LatencyMs {
    /// How many.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// What one in a hundred exceeded.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// Requests that were sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// By S3's name of the operation.
    pub by_operation: BTreeMap<String, u64>,
    /// By HTTP status; `unanswered` where none came.
    #[schemars(with = "BTreeMap<HttpStatus, u64>")]
    pub by_status: BTreeMap<String, u64>,
}

/// Requests that were sent again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Retries {
    /// All of them.
    pub count: u64,
    /// Objects that were begun more than once.
    pub objects_retried: u64,
    /// By the code that made it necessary.
    pub by_code: BTreeMap<String, u64>,
    /// Time spent waiting before them, over all tasks.
    pub wait_ms: u64,
}

/// Something an endpoint could not do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GuaranteeLost {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One warning or error in full.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The object it is about.
    pub key: Option<String>,
    /// What was tried.
    pub operation: Option<String>,
    /// S3's or the system's code, or our word for the reason.
    pub code: Option<String>,
    /// In words.
    pub message: String,
    /// S3's request id.
    pub request_id: Option<String>,
}

/// The file with one line for each object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceFile {
    /// Its path, relative to the report's directory.
    pub path: String,
    /// How much is in it.
    pub level: ReportLevel,
    /// Lines in it, the trailer not counted.
    pub lines: u64,
    /// SHA-256 of the complete file, trailer included; `null` while it is written, or if writing
    /// it failed.
    #[schemars(with = "Option<Sha256>")]
    pub sha256: Option<String>,
}
