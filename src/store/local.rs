//! A directory as a store.

use std::path::PathBuf;

/// A directory or single file to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSourceSettings {
    /// The directory, or one file, which keeps its name as the key.
    pub root: PathBuf,
    /// Leave symbolic links out instead of following them.
    pub ignore_symlinks: bool,
    /// Directories never listed: where this run writes its report, its sandbox and its locks.
    pub never_list: Vec<PathBuf>,
}

/// A directory to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTargetSettings {
    /// The directory; it is made when the first file is written.
    pub root: PathBuf,
    /// Directories never listed: where this run writes its report, its sandbox and its locks.
    pub never_list: Vec<PathBuf>,
}
