//! What a run that was killed leaves behind at a target: named so that another run can go on with
//! it, or end it, and touches nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Algorithm;

/// A multipart upload that was begun: what has to be known to go on with it or to end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftUpload {
    /// Its whole key, prefix included.
    pub key: String,
    /// What S3 calls it.
    pub upload_id: String,
    /// Whether the ETags of its parts are worth what their shapes say.
    pub etag_is_digest: bool,
    /// The additional checksum its parts carry.
    pub checksum: Option<Algorithm>,
}

/// A multipart upload that was asked for, and no answer was heard: it may be there or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnheardUpload {
    /// Its whole key, prefix included.
    pub key: String,
    /// When it was asked for, in seconds since 1970.
    pub since: i64,
    /// The additional checksum it was asked for with.
    pub checksum: Option<Algorithm>,
    /// The storage class it was asked for with.
    pub storage_class: Option<String>,
}

/// What became of an [`UnheardUpload`] that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheard {
    /// There was none, or it is ended now.
    Ended,
    /// There is one that may be somebody else's, who has just begun: it stays, and is to be looked for
    /// again.
    MayBeAnothers,
    /// There are so many that it may be, and which of them it is cannot be told: all of them stay.
    OneOf(usize),
}

/// Temporary files that were made below a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFiles {
    /// What their names have in common.
    pub token: String,
    /// Which directory it was, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<DirectoryId>,
}

/// Which directory it is, whatever its path leads to at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryId {
    /// Its file system; another number may be given to that when it is mounted again.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// What the file system calls itself wherever it is mounted, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system: Option<u64>,
}

/// What became of [`LeftFiles`] that were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// None is there any more; so many were removed.
    Clean(u64),
    /// Their directory is not there, or not the one it was: its disk may come back.
    NotThere,
}

/// Hears of temporary files before the first of them is made, so that they can be removed by
/// another run if this one cannot.
pub trait Witness: Send + Sync + fmt::Debug {
    /// They are about to be made. When it returns, that is written down as well as it can be.
    fn temporary_files(&self, files: LeftFiles);

    /// None with this token in its name is there any more.
    fn no_temporary_files(&self, token: &str);
}

/// A witness that remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwitnessed;

impl Witness for Unwitnessed {
    fn temporary_files(&self, _: LeftFiles) {}
    fn no_temporary_files(&self, _: &str) {}
}
