//! The job as the executor gets it: every value decided, illegal combinations unsayable.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deletion::Deletion;
use super::execution::Execution;
use super::filters::Filters;
use super::lua::LuaSettings;
use super::programs::ProgramHooks;
use super::record::Resolved;
use super::stand_ins::StandIn;
use crate::digest::Algorithm;
use crate::object::{Attributes, StorageClass, Tags, Timestamp};
use crate::store::local::{LocalSourceSettings, LocalTargetSettings};
use crate::store::s3::S3Settings;

/// One job, ready to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name: the file's stem, `adhoc` for one pair from the command line.
    pub name: String,
    /// Where it came from.
    pub origin: Origin,
    /// Its pairs in the order they are named.
    pub pairs: Vec<Pair>,
    /// The names of all pairs it has, also of those that are not to run now.
    pub pair_names: Vec<String>,
    /// In which order they run, and until when.
    pub execution: Execution,
    /// The programs that are run before and after.
    pub hooks: ProgramHooks,
    /// Bounds of the whole process.
    pub limits: Limits,
    /// What is left behind.
    pub report: Report,
    /// What to do where another run holds a lock.
    pub lock: OnConflict,
    /// The embedded endpoint, if the job is to be rehearsed.
    pub sandbox: Option<SandboxSettings>,
    /// What is logged.
    pub log: Log,
    /// How long what is under way may take once the run was stopped.
    pub shutdown_grace: std::time::Duration,
    /// Decide everything, change nothing.
    pub dry_run: bool,
    /// SHA-256 over the non-secret settings, hexadecimal.
    pub digest: String,
    /// Where values came from that no file says: environment names and flags, as written.
    pub non_file_origins: Vec<String>,
    /// Paths of secret options that are set, and where from; never their values.
    pub secrets: Vec<(String, String)>,
    /// Every setting with its origin, secrets redacted: the content of `resolved.json`.
    pub resolved: Resolved,
}

/// Where a job came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A job file.
    File(PathBuf),
    /// The command line: `sync SOURCE TARGET`.
    CommandLine,
    /// The program that embeds the library.
    Program,
    /// The environment alone: `S3SYNC_JOB_TOML`, or `S3SYNC_SOURCE` and `S3SYNC_TARGET`.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::CommandLine => f.write_str("the command line"),
            Self::Program => f.write_str("the program"),
            Self::Environment => f.write_str("the environment"),
        }
    }
}

/// One source and one target with their settings.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// Pairs that run before it.
    pub after: Vec<String>,
    /// Where from.
    pub source: SourceSpec,
    /// Where to.
    pub target: TargetSpec,
    /// Copy inside S3. Only true when both sides are S3.
    pub server_side_copy: bool,
    /// Which versions of the source count.
    pub versions: Versions,
    /// How changes are found.
    pub check: Check,
    /// The additional checksum of uploads.
    pub checksum: Option<Algorithm>,
    /// Keep it of the whole object also where that is uploaded in parts: CRCs only.
    pub checksum_full_object: bool,
    /// Ask for and verify stored additional checksums when downloading.
    pub checksum_download: bool,
    /// Verify them also unasked where the ETag is no digest.
    pub checksum_of_opaque: bool,
    /// What is verified.
    pub verify: Verify,
    /// What must hold for an object to be written.
    pub conditional: Conditional,
    /// What warnings are worth.
    pub warnings: Warnings,
    /// How much at once.
    pub performance: Performance,
    /// From this size on objects go in parts, in bytes.
    pub multipart_threshold: u64,
    /// The size of a part in bytes; grows by itself past 10,000 parts.
    pub multipart_chunksize: u64,
    /// Go on with the parts of an interrupted upload that are confirmed.
    pub multipart_resume: bool,
    /// How often a whole object is begun again after damage or change, and the pause before it.
    pub force_retry: (u32, Duration),
    /// Find the part layout of the other side with requests.
    pub auto_chunksize: bool,
    /// The headers and user metadata of what is written.
    pub metadata: Metadata,
    /// The storage class of what is written; from S3 to S3 the source's when `None`.
    pub storage_class: Option<StorageClass>,
    /// The canned ACL of what is written.
    pub acl: Option<Arc<str>>,
    /// What tags are written.
    pub tagging: Tagging,
    /// What becomes of annotations.
    pub annotations: Annotations,
    /// What is left out.
    pub filters: Arc<Filters>,
    /// Whether and when what only the target has is deleted; never where nothing is said.
    pub deletion: Option<Deletion>,
    /// Its scripts.
    pub lua: Arc<LuaSettings>,
    /// Non-secret settings as a digest, hexadecimal.
    pub digest: String,
}

/// Where entries come from.
#[derive(Debug, Clone)]
pub enum SourceSpec {
    /// A directory, or one file.
    Local(LocalSourceSettings),
    /// A bucket and prefix.
    S3(Box<S3Settings>),
}

/// Where they go.
#[derive(Debug, Clone)]
pub enum TargetSpec {
    /// A directory.
    Local(LocalTargetSettings),
    /// A bucket and prefix.
    S3(Box<S3Settings>),
}

impl TargetSpec {
    /// Whether it is a directory bucket.
    pub fn is_directory_bucket(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::S3(settings) => settings.location.is_directory_bucket(),
        }
    }
}

/// The headers and user metadata of what is written to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What is set, in place of the source's: each header by itself, user metadata as one.
    pub set: Attributes,
    /// Copy headers from S3 to S3.
    pub copy_system: bool,
    /// Copy user metadata from S3 to S3.
    pub copy_user: bool,
    /// Keep the source's time as user metadata.
    pub put_last_modified: bool,
    /// Guess the media type of local files by their extension.
    pub guess_mime_type: bool,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            set: Attributes::default(),
            copy_system: true,
            copy_user: true,
            put_last_modified: false,
            guess_mime_type: true,
        }
    }
}

/// Which versions of the source count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// The latest of each key.
    #[default]
    Latest,
    /// All of them, each added to the target's: both sides keep versions.
    All,
    /// The one each key had at this time.
    AsOf(Timestamp),
}

/// How changes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// By what.
    pub mode: CheckMode,
    /// What becomes of an object of equal size whose content cannot be compared.
    pub on_unverifiable: OnUndecided,
    /// Ask the target for each object instead of listing it.
    pub head_each_target: bool,
    /// What a run that only compares looks at beside the size.
    pub compared: Compared,
    /// And beside the content.
    pub beside: Beside,
}

/// What a run that only compares looks at beside the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// Headers and user metadata.
    pub metadata: bool,
    /// Tags.
    pub tagging: bool,
    /// Annotations.
    pub annotations: bool,
}

/// What a run that only compares looks at beside the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Nothing.
    Size,
    /// The content.
    Content(By),
}

impl Default for Compared {
    fn default() -> Self {
        Self::Content(By::ETag)
    }
}

/// By what changes are found. A missing object or another size is always a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckMode {
    /// The source is newer; ties in the second are examined.
    #[default]
    Mtime,
    /// Nothing else.
    Size,
    /// The content differs.
    Content(By),
    /// The source is not older, and the content differs.
    MtimeAndContent(By),
    /// Everything counts as changed.
    Always,
}

/// What content is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The ETag, where it is a digest.
    ETag,
    /// The stored additional checksum of this algorithm.
    Checksum(Algorithm),
}

/// What must hold for an object to be written; where it does not, the object is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditional {
    /// Of its key at the target.
    pub target: OfTarget,
    /// Copy inside S3 only the object that was listed, and none that replaced it since.
    pub only_listed_source: bool,
}

/// What must hold of a key at the target for it to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfTarget {
    /// Nothing.
    #[default]
    Anything,
    /// It has the object that was listed there; where none was, nothing.
    Listed,
    /// It has no object.
    Nothing,
}

/// What warnings are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warnings {
    /// A pair with warnings has failed.
    pub as_error: bool,
    /// That an object is archived is no warning.
    pub ignore_archived: bool,
}

/// What becomes of an object of equal size whose content cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUndecided {
    /// It is left, with a warning.
    #[default]
    Skip,
    /// It is transferred.
    Transfer,
    /// It fails.
    Fail,
}

/// What tags are written, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tagging {
    /// Which.
    pub tags: WrittenTags,
    /// What becomes of an object whose tags may not be read.
    pub on_denied: OnDenied,
    /// Bring the tags of unchanged objects up to date. Only true where tags are copied.
    pub sync_latest: bool,
}

/// Which tags objects are written with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WrittenTags {
    /// None.
    #[default]
    None,
    /// The source's; from S3 to S3 only.
    Copied,
    /// These.
    Set(Tags),
}

/// What becomes of an object whose tags may not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDenied {
    /// It fails.
    #[default]
    Fail,
    /// It goes without them, with a warning.
    Skip,
}

/// What becomes of annotations. Nothing unless both sides are S3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Annotations {
    /// What is transferred takes its annotations along.
    pub carried: bool,
    /// Those of unchanged objects are brought up to date. Only true with `carried`.
    pub sync_latest: bool,
    /// Compare and verify them by their ETags where those are digests; by time otherwise.
    pub check_etag: bool,
}

/// What is verified, and what happens to what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify {
    /// Compare ETags.
    pub etag: bool,
    /// Compare ETags of multipart objects.
    pub multipart: bool,
    /// Compare additional checksums.
    pub checksum: bool,
    /// What a verdict `unverifiable` means for the object.
    pub unverifiable: OnUnverifiable,
}

/// What a verdict `unverifiable` means for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnverifiable {
    /// Transferred, with a warning.
    #[default]
    Warn,
    /// Transferred.
    Accept,
    /// Failed.
    Fail,
}

/// How much happens at once in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Performance {
    /// Objects in flight.
    pub worker_size: u16,
    /// Parts in flight.
    pub max_parallel_uploads: u16,
    /// Requests in flight that list, or ask what is under named keys.
    pub max_parallel_listings: u16,
    /// How fast.
    pub rate: Rate,
}

/// How fast things may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Objects written, copied or deleted, per second.
    pub objects: Option<u64>,
    /// Bytes of content over the network, per second.
    pub bandwidth: Option<u64>,
}

/// Bounds of the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of content held at once.
    pub memory: u64,
    /// Objects in flight, over all pairs.
    pub workers: Option<u16>,
    /// How fast all pairs together may go.
    pub rate: Rate,
}

/// What a run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The directory that holds a folder for each job.
    pub dir: PathBuf,
    /// How much evidence is written.
    pub level: ReportLevel,
    /// For how long after their start the reports of runs are kept; for good when `None`.
    pub keep: Option<Duration>,
}

/// What a run does whose job or target another run is at work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It ends `locked`, which is an exit code of its own.
    #[default]
    Fail,
    /// It ends `locked`, and all is well.
    Skip,
    /// It waits so long for each lock, or as long as it takes, and then ends `locked`.
    Wait(Option<Duration>),
}

/// How much evidence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportLevel {
    /// Failures, warnings and what could not be verified.
    ErrorsOnly,
    /// Also everything transferred or skipped.
    #[default]
    Acts,
    /// Also everything unchanged.
    All,
}

/// The embedded endpoint a job is rehearsed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSettings {
    /// Where its buckets are kept.
    pub dir: PathBuf,
    /// Buckets that have another name there: two endpoints have one of the same name.
    pub stand_ins: Vec<StandIn>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `-2` nothing, `-1` errors, `0` warnings, `1` info, `2` debug, `3` trace.
    pub level: i8,
    /// JSON records instead of text.
    pub json: bool,
    /// Colour on a terminal.
    pub color: bool,
    /// Logs to stderr even in the plain form, which otherwise logs to stdout.
    pub stderr: bool,
    /// Show progress and the final line.
    pub progress: bool,
    /// Log what the AWS SDK does as well.
    pub aws_sdk: bool,
    /// Log when spans begin and end.
    pub span_events: bool,
}
