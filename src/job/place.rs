//! Where a pair writes to, as it stands in files that later runs read.

use crate::config::{Extent, Job, Pair};

/// An [`Extent`] in words: its own form has paths that may be no text.
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
        match Extent::of_target(job, pair) {
            Extent::Local(path) => Self {
                root: format!("{}/", path.display()),
                endpoint: None,
            },
            Extent::S3 {
                endpoint,
                bucket,
                prefix,
            } => Self {
                root: format!("s3://{bucket}/{prefix}"),
                endpoint,
            },
        }
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
