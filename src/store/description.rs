//! What a store is called, and what it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Versioning;

/// What a store is called in messages and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `s3://bucket/prefix`, or the directory's path.
    pub url: String,
    /// What it is.
    pub kind: StoreKind,
    /// The prefix that whole keys have before the relative key; empty for a directory.
    pub prefix: String,
    /// The region, of a bucket whose region is known.
    pub region: Option<String>,
    /// The endpoint, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Whether it keeps what is overwritten, once that was asked.
    pub versioning: Option<Versioning>,
}

/// What a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A bucket and a prefix.
    S3,
    /// A directory, or one file.
    Local,
    /// A map in memory.
    Memory,
}
