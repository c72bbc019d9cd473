//! Where a pair writes to, by a name that stays the same from run to run.

use crate::config::{Job, Pair, TargetSpec};

/// A target as the job says it: not the port that a sandbox has this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What stands before a relative key in the name of an object: `s3://bucket/prefix`, `/path/`.
    pub(super) root: String,
    /// Where that is, if not at AWS or in this machine's files.
    pub(super) endpoint: Option<String>,
}

impl Place {
    /// Of a pair whose places are still those the job says.
    pub(super) fn of_target(job: &Job, pair: &Pair) -> Self {
        let (root, endpoint) = match &pair.target {
            TargetSpec::Local(local) => (format!("{}/", local.root.display()), None),
            TargetSpec::S3(s3) => (s3.location.url(), s3.endpoint_url.clone()),
        };
        let sandbox = job.sandbox.as_ref().filter(|_| root.starts_with("s3://"));
        let endpoint = match (sandbox, endpoint) {
            (None, endpoint) => endpoint,
            (Some(sandbox), None) => Some(format!("sandbox {}", sandbox.dir.display())),
            (Some(sandbox), Some(of)) => {
                Some(format!("sandbox {} for {of}", sandbox.dir.display()))
            }
        };
        Self { root, endpoint }
    }

    /// The bucket or the directory itself, without the prefix.
    pub(super) fn store(&self) -> &str {
        match self.root.strip_prefix("s3://") {
            Some(rest) => {
                let bucket = rest.find('/').unwrap_or(rest.len());
                &self.root[.."s3://".len() + bucket]
            }
            None => &self.root,
        }
    }
}
