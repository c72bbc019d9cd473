//! An object copied inside S3: the bytes never pass through here.

use futures::{StreamExt as _, TryStreamExt as _};

use super::attempt::{Trouble, of_target};
use super::parts::tell_leftover;
use super::{Done, Transferrer, Work, source_proof};
use crate::context::cancelled;
use crate::digest::{Checksum, Integrity, Method, Proof, Verdict, Why};
use crate::event::Event;
use crate::examine::Layout;
use crate::object::ETag;
use crate::store::{
    CopySource, ErrorKind, Head, Put, SourceFacts, StoreError, Stored, StoredPart, Upload,
};

/// What one CopyObject takes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>.
const MAX_COPY: u64 = 5 << 30;

/// Copies the object in one request, or part by part where it was uploaded in parts, so that it
/// keeps its ETag.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let entry = &work.entry;
    if via.stop.is_cancelled() {
        return Err(cancelled(entry.key.as_str()).into());
    }
    let Some(from) = via.source.copy_source(&entry.key) else {
        return Err(StoreError::unsupported("copy", "the source is not in S3").into());
    };
    let from = CopySource {
        if_match: entry.etag.clone(),
        ..from
    };
    let (stored, layout) = if let Some((layout, head)) = layout(via, work).await? {
        let put = via.put_of(entry, Some(&head), entry.modified);
        (in_parts(via, &put, &from, layout).await?, Some(layout))
    } else {
        let put = via.put_of(entry, None, entry.modified);
        let stored = via.target.copy(&put, &from).await?;
        via.sinks.emit(&Event::Moved { bytes: entry.size });
        (stored, None)
    };
    let integrity = Integrity {
        etag: prove(via, work, &stored).await?,
        checksum: None,
    };
    let facts = SourceFacts {
        key: entry.key.clone(),
        size: entry.size,
        modified: entry.modified,
        etag: entry.etag.clone(),
        version: None,
        checksum: None,
    };
    let settled = stored.settle(facts, integrity).map_err(Trouble::from)?;
    let parts = layout.map(|layout| (layout.count(), layout.part_size));
    Ok(Done {
        settled,
        parts,
        server_side: true,
    })
}

/// The parts to copy: those the object was uploaded in; for one put in one piece that is too large
/// for one copy, parts of the user's size.
async fn layout(via: &Transferrer, work: &Work) -> Result<Option<(Layout, Head)>, Trouble> {
    let entry = &work.entry;
    let in_parts = entry
        .etag
        .as_ref()
        .is_some_and(|etag| etag.parts().is_some());
    if !in_parts && entry.size <= MAX_COPY {
        return Ok(None);
    }
    // what CopyObject would bring along has to be given to a multipart upload
    let head = via.source.head(&entry.key, false).await?;
    let known = source_proof::layout_of(via, &entry.key, &head).await?;
    let layout = match (known, entry.size <= MAX_COPY) {
        (Some(known), _) => Some(known.layout),
        (None, true) => None,
        (None, false) => Some(Layout::for_upload(entry.size, via.pair.multipart_chunksize)),
    };
    Ok(layout
        .filter(|layout| layout.size > 0)
        .map(|layout| (layout, head)))
}

async fn in_parts(
    via: &Transferrer,
    put: &Put,
    from: &CopySource,
    layout: Layout,
) -> Result<Stored, Trouble> {
    let upload = via.target.begin(put).await.map_err(of_target)?;
    match copy_parts(via, &*upload, from, layout).await {
        Ok(parts) => Ok(upload.complete(parts, None).await.map_err(of_target)?),
        Err(error) => {
            if let Err(also) = upload.abort().await {
                tell_leftover(&also);
            }
            Err(error.into())
        }
    }
}

async fn copy_parts(
    via: &Transferrer,
    upload: &dyn Upload,
    from: &CopySource,
    layout: Layout,
) -> Result<Vec<StoredPart>, StoreError> {
    let at_once = usize::from(via.pair.performance.max_parallel_uploads);
    futures::stream::iter(layout.parts())
        .map(|(number, range)| async move {
            let _place = via.parts.acquire().await.expect("never closed");
            if via.stop.is_cancelled() {
                return Err(cancelled(&from.key));
            }
            let copied = upload.copy_part(number, from, range).await?;
            via.sinks.emit(&Event::Moved { bytes: copied.size });
            Ok(copied)
        })
        .buffered(at_once)
        .try_collect()
        .await
}

/// Compares the ETags both ends keep. Equal ones prove sameness; a difference proves nothing
/// before it is known that both are digests.
async fn prove(
    via: &Transferrer,
    work: &Work,
    stored: &Stored,
) -> Result<Option<Proof>, StoreError> {
    let verify = via.pair.verify;
    let in_parts = work
        .entry
        .etag
        .as_ref()
        .is_some_and(|etag| etag.parts().is_some());
    if !verify.etag || (in_parts && !verify.multipart) {
        return Ok(None);
    }
    let (Some(source), Some(target)) = (&work.entry.etag, &stored.etag) else {
        return Ok(Some(Proof::impossible(Why::EndpointCannot)));
    };
    let (Some(ours), Some(theirs)) = (Checksum::of_etag(source), Checksum::of_etag(target)) else {
        return Ok(Some(Proof::impossible(Why::OpaqueETag)));
    };
    let proof = Proof::compare(ours, theirs, Method::ComparedStored);
    let Verdict::Mismatch { .. } = proof.verdict else {
        return Ok(Some(proof));
    };
    if !stored.etag_is_digest {
        return Ok(Some(Proof::impossible(Why::OpaqueETag)));
    }
    match via.source.head(&work.entry.key, false).await {
        Ok(head) if !head.etag_is_digest => Ok(Some(Proof::impossible(Why::OpaqueETag))),
        // parts of unequal sizes have another ETag when copied in equal ones
        Ok(_) if matches!(source, ETag::MultipartShaped { .. }) => {
            Ok(Some(Proof::impossible(Why::LayoutUnknown)))
        }
        Ok(head) if head.etag.as_ref() != Some(source) => Err(StoreError::new(
            "copy",
            work.entry.key.as_str(),
            ErrorKind::Changed,
            "the source object was replaced while it was copied",
        )),
        Ok(_) => Ok(Some(proof)),
        Err(error) if error.kind.is_fatal() => Err(error),
        // the copy is there: not to be told why it differs is no failure of its own
        Err(_) => Ok(Some(Proof::impossible(Why::EndpointCannot))),
    }
}
