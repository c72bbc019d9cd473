//! How an object was moved.

use std::time::Duration;

use super::Cause;

/// How an object was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conduct {
    /// Why it was transferred.
    pub because: Cause,
    /// Whether the target had the key before.
    pub replaced: bool,
    /// Whether S3 copied it without the bytes passing through here.
    pub server_side: bool,
    /// Number of its parts, and the size of each but the last if they are of one, when it went in
    /// parts.
    pub parts: Option<(u16, Option<u64>)>,
    /// How many of the parts an earlier run had sent, and were found to be those of the object.
    pub resumed: u16,
    /// How often the object was begun: 1 when all went well.
    pub attempts: u32,
    /// From the start of the first attempt to the proof.
    pub elapsed: Duration,
    /// Whether it went without its tags, which may not be read.
    pub is_untagged: bool,
}
