//! A small object: read at once, hashed in the same pass, written at once.

use super::trouble::{Trouble, of_target};
use super::{
    Done, Transferrer, Work, Written, annotations, dress, preprocess, source_proof, tags,
    target_proof,
};
use crate::context::cancelled;
use crate::digest::{Algorithm, Checksum, digest};
use crate::store::{Content, ErrorKind, Read, SourceFacts, StoreError};

/// Moves the object in one read and one write.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let entry = &work.entry;
    let _reserved = via.budget.reserve(entry.size).await;
    if via.stop.is_cancelled() {
        return Err(cancelled(entry.key.as_str()).into());
    }
    let mut hash = via.algorithms();
    if via.pair.checksum_download {
        // what most objects carry; another one is computed when it turns up
        hash.push(Algorithm::Crc64Nvme);
    }
    let read = Read {
        key: entry.key.clone(),
        version: entry.version.clone(),
        // without an ETag to hold it to, a file that grew is not read beyond what was listed
        range: entry.etag.is_none().then_some(0..entry.size),
        expected: entry.size,
        if_match: entry.etag.clone(),
        hash,
    };
    let mut content = via.source.read(&read).await?;
    if content.head.size != entry.size {
        return Err(grown(entry.key.as_str()).into());
    }
    if !via.late.still_admits(&content.head) {
        return Err(redressed(entry.key.as_str()).into());
    }
    let stored_checksum = source_proof::expected_checksum(via, &content.head);
    if let Some(Checksum::Whole(stored)) = stored_checksum {
        compute(&mut content, stored.algorithm()).await;
    }
    let source = source_proof::of_content(via, work, &content).await?;
    if let Some(mismatch) = source.mismatch() {
        return Err(Trouble::Damaged(mismatch));
    }

    let put = dress::put_of(via, work, &content.head).await?;
    let put = tags::with_tags(via, work, &content.head, put).await?;
    let put = preprocess::asked(via, work, &content.head, put).await?;
    let annotations = annotations::ahead(via, work, &content.head).await?;
    let mut stored = via
        .target
        .put(&put, content.bytes.clone(), &content.digests)
        .await
        .map_err(of_target)?;
    via.wrote(work, Written::whole(&content.head));
    // a directory gives none: the download's is the one to ask about
    stored.request_id = stored.request_id.or(content.request_id.take());
    let unasked = target_proof::unasked_of(via, &put, &stored);
    if let Some(algorithm) = unasked {
        compute(&mut content, algorithm).await;
    }
    if via.target.keeps_no_digests() {
        // what a directory does not keep is kept of it: so a file can be verified again later
        let computed = content.digests.iter().copied().map(Checksum::Whole);
        stored.checksums.extend(computed);
    }
    let under = |algorithm: Algorithm| {
        content
            .digests
            .iter()
            .find(|digest| digest.algorithm() == algorithm)
            .copied()
            .map(Checksum::Whole)
    };
    let checksum = put.checksum.or(unasked).and_then(under);
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
        .map_err(Trouble::from)?;
    Ok(Done {
        settled,
        parts: None,
        resumed: 0,
        server_side: false,
        annotations: Some(annotations),
    })
}

/// Adds a digest that the read did not make, off the async threads.
async fn compute(content: &mut Content, algorithm: Algorithm) {
    let made = content
        .digests
        .iter()
        .any(|made| made.algorithm() == algorithm);
    if !made {
        let bytes = content.bytes.clone();
        let computed = tokio::task::spawn_blocking(move || digest(algorithm, &bytes));
        content.digests.extend(computed.await);
    }
}

/// The object has other metadata than filters judged.
fn redressed(key: &str) -> StoreError {
    StoreError::new(
        "read",
        key,
        ErrorKind::Changed,
        "its metadata changed since filters looked at it",
    )
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
