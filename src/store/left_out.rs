//! Directories nobody needs to look into.

use std::fmt;

/// Says of directories whether anything below them is wanted.
pub trait LeavesOut: Send + Sync + fmt::Debug {
    /// Whether nothing below a directory is wanted, whatever it is called. The name is relative to
    /// the root and ends in `/`. Called from a thread that may block; it must be quick.
    fn leaves_out(&self, directory: &str) -> bool;
}
