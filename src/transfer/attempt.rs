//! One attempt at an object: which way it goes, and what it has made where it worked.

use super::trouble::Trouble;
use super::{Transferrer, Work, parts, server_side, whole};
use crate::store::{Annotations, Settled};

/// How an attempt that worked went.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) settled: Settled,
    pub(super) parts: Option<(u16, Option<u64>)>,
    /// How many of them an earlier run had sent.
    pub(super) resumed: u16,
    pub(super) server_side: bool,
    /// What the source has, where the target's object has none yet.
    pub(super) annotations: Option<Annotations>,
}

/// Moves the object once, inside S3 where `inside` says so.
pub(super) async fn attempt(via: &Transferrer, work: &Work, inside: bool) -> Result<Done, Trouble> {
    if inside {
        server_side::transfer(via, work).await
    } else if work.entry.size < via.pair.multipart_threshold {
        whole::transfer(via, work).await
    } else {
        parts::transfer(via, work).await
    }
}
