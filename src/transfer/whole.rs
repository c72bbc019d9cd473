//! A small object: read at once, hashed in the same pass, written at once.

use super::attempt::Trouble;
use super::{Done, Transferrer, Work, source_proof, target_proof};
use crate::digest::{Algorithm, Checksum, Verdict};
use crate::store::{ErrorKind, Read, SourceFacts, StoreError};

/// Moves the object in one read and one write.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let entry = &work.entry;
    let _reserved = via.budget.reserve(entry.size).await;
    if via.stop.is_cancelled() {
        return Err(cancelled(entry.key.as_str()).into());
    }
    let asked = via.asked_head(work).await?;
    let stored_checksum = source_proof::expected_checksum(via, asked.as_ref());
    let mut hash = via.algorithms();
    hash.extend(stored_checksum.map(|checksum| checksum.algorithm()));
    let read = Read {
        key: entry.key.clone(),
        // without an ETag to hold it to, a file that grew is not read beyond what was listed
        range: entry.etag.is_none().then_some(0..entry.size),
        if_match: entry.etag.clone(),
        hash,
    };
    let content = via.source.read(&read).await?;
    if content.head.size != entry.size {
        return Err(grown(entry.key.as_str()).into());
    }
    let source = source_proof::of_bytes(
        via,
        &content.head,
        stored_checksum,
        &content.bytes,
        &content.digests,
    );
    if let mismatch @ Verdict::Mismatch { .. } = source.verdict() {
        return Err(Trouble::Damaged(mismatch));
    }

    let put = via.put_of(entry, Some(&content.head), content.head.modified);
    let stored = via
        .target
        .put(&put, content.bytes, &content.digests)
        .await?;
    let under = |algorithm: Algorithm| {
        content
            .digests
            .iter()
            .find(|digest| digest.algorithm() == algorithm)
            .copied()
            .map(Checksum::Whole)
    };
    let checksum = put.checksum.and_then(under);
    let target = target_proof::of_stored(via, &stored, under(Algorithm::Md5), checksum);
    let facts = SourceFacts {
        key: entry.key.clone(),
        size: entry.size,
        modified: content.head.modified,
        etag: content.head.etag,
        version: content.head.version,
        checksum: checksum.or(stored_checksum),
    };
    let settled = stored
        .settle(facts, source.and(target))
        .map_err(Trouble::Published)?;
    Ok(Done {
        settled,
        parts: None,
        server_side: false,
    })
}

/// The object was stopped on request.
pub(super) fn cancelled(key: &str) -> StoreError {
    StoreError::new("transfer", key, ErrorKind::Cancelled, "the run was stopped")
}

/// The file is not as long as it was listed.
pub(super) fn grown(key: &str) -> StoreError {
    StoreError::new(
        "read",
        key,
        ErrorKind::Changed,
        "its size changed since it was listed",
    )
}
