//! An object copied inside S3: the bytes never pass through here.

use super::trouble::Trouble;
use super::{
    Done, Transferrer, Work, Written, archived, condition, copy_proof, dress, part_copies,
    preprocess, tags,
};
use crate::context::cancelled;
use crate::store::{Copied, CopySource, ErrorKind, Head, SourceFacts, StoreError};

/// What one CopyObject takes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>.
pub(super) const MAX_COPY: u64 = 5 << 30;

/// Copies the object in one request, or part by part where it was uploaded in parts, so that it
/// keeps its ETag.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let entry = &work.entry;
    if via.stop.is_cancelled() {
        return Err(cancelled(entry.key.as_str()).into());
    }
    let Some(from) = via.source.copy_source(entry.at()) else {
        return Err(StoreError::unsupported("copy", "the source is not in S3").into());
    };
    let from = CopySource {
        if_match: entry.etag.clone(),
        ..from
    };
    // S3 itself would bring along some of what the object has, and to parts nothing
    let source = head(via, work).await?;
    let mut put = dress::put_of(via, work, &source).await?;
    if !via.preprocess.is_empty() {
        // the hooks are to see them, and may change them
        put = tags::with_tags(via, work, &source, put).await?;
        put = preprocess::asked(via, work, &source, put).await?;
    }
    let was_in_parts = entry.etag.as_ref().and_then(|etag| etag.parts()).is_some();
    let made = if was_in_parts || entry.size > MAX_COPY {
        part_copies::copy(via, work, &put, &from, &source).await?
    } else {
        None
    };
    let parts = made.as_ref().map(|made| made.parts);
    let (copied, annotations) = if let Some(made) = made {
        let copied = Copied {
            stored: made.stored,
            of: source.version.clone(),
        };
        (copied, Some(made.annotations))
    } else {
        let copied = match tags::copy(via, work, &put, &from).await {
            Ok(copied) => copied,
            Err(error) => return Err(condition::of_copy(via, work, error).await.into()),
        };
        via.wrote(work, Written::whole(&source));
        // S3 takes annotations along by itself
        (copied, None)
    };
    let proved = copy_proof::prove(via, work, &copied, &source, parts.is_some()).await?;
    let facts = SourceFacts {
        key: entry.key.clone(),
        size: entry.size,
        modified: entry.modified,
        etag: entry.etag.clone(),
        version: copied.of,
        checksum: proved.source_checksum,
    };
    let settled = copied
        .stored
        .settle(facts, proved.integrity)
        .map_err(Trouble::from)?;
    Ok(Done {
        settled,
        parts,
        resumed: 0,
        server_side: true,
        annotations,
    })
}

/// What the source says of the object, which must be the one that was listed. What was told before
/// is not asked for again.
async fn head(via: &Transferrer, work: &Work) -> Result<Head, StoreError> {
    let entry = &work.entry;
    let head = match &work.head {
        Some(head) => head.clone(),
        None => via.source.head(entry.at(), true).await?,
    };
    let head = archived::readable(entry, head)?;
    if entry.etag.is_some() && head.etag != entry.etag {
        return Err(replaced(work));
    }
    Ok(head)
}

/// The source has another object than the one that was to be copied.
pub(super) fn replaced(work: &Work) -> StoreError {
    StoreError::new(
        "copy",
        work.entry.key.as_str(),
        ErrorKind::Changed,
        "the source object was replaced since it was listed",
    )
}
