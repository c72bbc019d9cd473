//! What a run locks, and who it is: the content of a lock's file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::Extent;
use crate::object::Timestamp;
use crate::report::RunReport;

/// The version of this form.
const VERSION: u32 = 1;

/// A lock: what it is on, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    v: u32,
    subject: Subject,
    job: String,
    run: String,
    pid: u32,
    host: String,
    since: String,
}

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Subject {
    /// The job of a name.
    Job { name: String },
    /// A job without a name of its own, by its sources and targets.
    Sides { digest: String },
    /// What is below a path, which is percent-encoded where it is no text.
    Directory { path: String },
    /// What begins with a prefix.
    Prefix {
        endpoint: Option<String>,
        bucket: String,
        prefix: String,
    },
}

impl Claim {
    /// What is the same for all locks of a run.
    pub(super) fn of_run(job: &str, report: &RunReport) -> Self {
        Self {
            v: VERSION,
            subject: Subject::of_job(job),
            job: job.to_owned(),
            run: report.id().to_owned(),
            pid: std::process::id(),
            host: report.host().hostname.clone(),
            since: Timestamp::now().rfc3339_millis(),
        }
    }

    /// The same on something else.
    pub(super) fn on(self, subject: Subject) -> Self {
        Self { subject, ..self }
    }

    /// The run whose it is.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Whether the two cannot be held at once. What one run does at once is its own affair.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        self.run != other.run && self.subject.meets(&other.subject)
    }

    /// Why this was not to be had; nothing is known of a holder whose file cannot be read.
    pub(super) fn refused_by(&self, holder: Option<&Self>) -> String {
        let what = match &self.subject {
            Subject::Job { name } => format!("another run of the job `{name}` is at work"),
            Subject::Sides { .. } => {
                "another run with this source and this target is at work".to_owned()
            }
            Subject::Directory { .. } | Subject::Prefix { .. } => {
                "another run writes to the target".to_owned()
            }
        };
        let Some(holder) = holder else {
            return what;
        };
        let (mut job, mut place) = (String::new(), String::new());
        if holder.job != self.job {
            job = format!(" of the job `{}`", holder.job);
        }
        if let Some(url) = holder.subject.url() {
            place = format!(" to {url}");
        }
        format!(
            "{what}: run {}{job}{place}, process {} on {}, since {}",
            holder.run, holder.pid, holder.host, holder.since
        )
    }

    /// As it stands in a file.
    pub(super) fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("words and numbers are JSON");
        line.push(b'\n');
        line
    }

    /// From a file; one of another version means nothing here.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let claim: Self = serde_json::from_slice(bytes).ok()?;
        (claim.v == VERSION).then_some(claim)
    }
}

impl Subject {
    pub(super) fn of_job(name: &str) -> Self {
        Self::Job {
            name: name.to_owned(),
        }
    }

    pub(super) fn of_sides(sides: impl Iterator<Item = (Extent, Extent)>) -> Self {
        let sides: BTreeSet<_> = sides.collect();
        let mut digest = Sha256::new();
        // the form tells where each begins and ends
        digest.update(format!("{sides:?}"));
        Self::Sides {
            digest: hex::encode(digest.finalize()),
        }
    }

    pub(super) fn of_target(extent: Extent) -> Self {
        match extent {
            Extent::Local(path) => Self::Directory {
                path: encoded(&path),
            },
            Extent::S3 {
                endpoint,
                bucket,
                prefix,
            } => Self::Prefix {
                endpoint,
                bucket,
                prefix,
            },
        }
    }

    fn extent(&self) -> Option<Extent> {
        match self {
            Self::Job { .. } | Self::Sides { .. } => None,
            Self::Directory { path } => Some(Extent::Local(decoded(path))),
            Self::Prefix {
                endpoint,
                bucket,
                prefix,
            } => Some(Extent::S3 {
                endpoint: endpoint.clone(),
                bucket: bucket.clone(),
                prefix: prefix.clone(),
            }),
        }
    }

    fn url(&self) -> Option<String> {
        match self {
            Self::Job { .. } | Self::Sides { .. } => None,
            Self::Directory { path } => Some(decoded(path).display().to_string()),
            Self::Prefix { bucket, prefix, .. } => Some(format!("s3://{bucket}/{prefix}")),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        match (self.extent(), other.extent()) {
            (Some(own), Some(other)) => own.overlaps(&other),
            (None, None) => self == other,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// What a path has percent-encoded: the sign itself, and bytes that are no text.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

fn encoded(path: &std::path::Path) -> String {
    percent_encode(path.as_os_str().as_bytes(), ENCODED).to_string()
}

fn decoded(path: &str) -> PathBuf {
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    PathBuf::from(OsString::from_vec(bytes))
}
