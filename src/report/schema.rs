/*! `report.json`, version 1, as types.

Times are RFC 3339 in UTC with milliseconds, durations integer milliseconds, sizes integer bytes;
what is absent is `null`; nothing is text made for people.
*/

mod counts;
mod document;
mod hook;
mod pair;
mod words;

pub use counts::{
    AgreementCounts, AxisCounts, ChecksumAgreementCounts, ChecksumCounts, Compared, Counts,
    Deleted, FilterCount, Filtered, Listed, ReasonCount, Skipped, Transferred, Verified,
    VerifiedObjects,
};
pub(super) use document::document;
pub use hook::Hook;
pub use pair::{
    Bytes, Deletion, End, EvidenceFile, GuaranteeLost, LatencyMs, Pair, Phases, Requests, Retries,
    Sample, Script, Series, Throughput,
};
use words::{Sha256, signals};
pub(super) use words::{Time, exit_codes};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Status;

/// The version of this format; it changes when a reader would have to.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON Schema of `report.json`.
pub fn report_schema() -> serde_json::Value {
    document::<Report>("report", SCHEMA_VERSION)
}

/// What a run did, pair by pair: `report.json` in the run's directory.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// The program.
    pub tool: Tool,
    /// The machine.
    pub host: Host,
    /// The process.
    pub process: Process,
    /// The run.
    pub run: Run,
    /// Where its settings came from.
    pub config: Config,
    /// All pairs together. The warnings are also those of the run itself, of what runs around its pairs.
    pub totals: Totals,
    /// The programs that were run before and after, in the order they ended.
    #[serde(default)]
    pub hooks: Vec<Hook>,
    /// Each pair, in the order of the job.
    pub pairs: Vec<Pair>,
}

/// The program that ran.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, where the build knew it.
    pub commit: Option<String>,
    /// The platform it was built for, where the build knew it.
    pub target: Option<String>,
    /// The compiler, where the build knew it.
    pub rustc: Option<String>,
    /// The features it was built with.
    pub features: Vec<String>,
}

/// The machine it ran on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name.
    pub hostname: String,
    /// Its operating system.
    pub os: String,
    /// Its processor architecture.
    pub arch: String,
    /// Processors this process may use.
    pub cpus: u64,
}

/// The process it ran in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The most memory it held.
    pub peak_rss_bytes: Option<u64>,
    /// Processor time in user mode.
    pub cpu_user_ms: Option<u64>,
    /// Processor time in the kernel.
    pub cpu_system_ms: Option<u64>,
}

/// The run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// A UUID of version 7: ids order by time.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// The job's name.
    pub job: String,
    /// The command: `run`, `sync`, …
    pub command: String,
    /// What started it.
    pub trigger: Trigger,
    /// Whether it only decided.
    pub dry_run: bool,
    /// The id of the run whose failed objects it attempts, and no others; `null` for all other runs.
    #[serde(default)]
    #[schemars(extend("format" = "uuid"))]
    pub retries_of: Option<String>,
    /// When it began.
    #[schemars(with = "Time")]
    pub started_at: String,
    /// When it ended.
    #[schemars(with = "Option<Time>")]
    pub finished_at: Option<String>,
    /// When this was written.
    #[schemars(with = "Time")]
    pub heartbeat_at: String,
    /// How long it took, or has taken.
    pub duration_ms: u64,
    /// Its state.
    pub status: Status,
    /// Why, where the state alone does not say it.
    pub status_reason: Option<String>,
    /// What the process ended with.
    #[schemars(schema_with = "exit_codes")]
    pub exit_code: Option<u8>,
    /// The signal that ended it.
    #[schemars(schema_with = "signals")]
    pub interrupted_by: Option<String>,
}

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Somebody at a terminal.
    Terminal,
    /// A scheduler, a script: standard input is no terminal.
    Unattended,
}

/// Where the settings came from; never what the secret ones are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Config {
    /// The job file's path; `null` for the command line.
    pub origin: Option<String>,
    /// SHA-256 over the settings that are not secret.
    #[schemars(with = "Sha256")]
    pub digest: String,
    /// Names of environment variables and flags that set something.
    pub non_file_origins: Vec<String>,
    /// The secret settings that are set, and where.
    pub secrets: Vec<SecretOrigin>,
}

/// A secret setting that is set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SecretOrigin {
    /// The setting.
    pub path: String,
    /// Where it was set.
    pub origin: String,
}

/// All pairs together. The warnings are also those of the run itself, of what runs around its pairs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Objects.
    pub counts: Counts,
    /// Bytes.
    pub bytes: Bytes,
    /// Requests.
    pub requests: Requests,
    /// Repeated requests.
    pub retries: Retries,
    /// Repeated because the server asked for fewer.
    pub throttled: u64,
}

#[cfg(test)]
mod tests;
