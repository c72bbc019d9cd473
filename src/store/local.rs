/*! A directory as a store.

Listing walks the tree in byte order of keys (`walk`); reading is one blocking hop that opens,
reads, hashes and looks twice whether the file stood still (`read`); writing goes to a temporary
file beside its target, which is synced and renamed (`temporary`), in directories that are
resolved beneath the root without following a symbolic link out of it (`beneath`).
*/

mod beneath;
mod blocking;
mod crew;
mod directories;
mod folding;
mod look;
mod markers;
mod names;
mod probe;
mod reached;
mod read;
mod remove;
mod source;
mod sweep;
mod target;
mod temporary;
mod upload;
mod walk;

pub use probe::{probe_source, probe_target};
pub use source::LocalSource;
pub use target::LocalTarget;
pub use temporary::remove_temporary_files;
pub(super) use walk::escaped;

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
