/*! A large object: read, hashed and written in parts, many at once.

Where the source's own parts are known, the object is moved in these, so that each digest serves
both ends. What they cannot make (one MD5 of the whole, or of parts that cannot be followed) is
computed along the contiguous front of what has arrived, while later parts are still on their way,
within the memory budget.
*/

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::front::Front;
use super::joined::Joined;
use super::resume::{self, Filling};
use super::scheme::Scheme;
use super::trouble::{Trouble, of_completion, of_target};
use super::whole::grown;
use super::{
    Done, Transferrer, Work, Written, annotations, dress, parts_proof, preprocess, tags,
    target_proof,
};
use crate::context::cancelled;
use crate::digest::{Checksum, Digest};
use crate::examine::Wanted;
use crate::store::{Content, Head, Part, Put, Read, SourceFacts, StoredPart, Upload};

/// Moves the object in parts.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let mut plan = Scheme::of(via, work).await?;
    let put = dress::put_of(via, work, &plan.head).await?;
    let put = tags::with_tags(via, work, &plan.head, put).await?;
    let put = preprocess::asked(via, work, &plan.head, put).await?;
    let filling = Filling::Read(plan.parts.size());
    let upload = resume::begin(via, work, &put, filling).await;
    let upload = upload.map_err(of_target)?;
    plan.unasked = target_proof::unasked(via, &put, &*upload);
    match run(via, work, &plan, &*upload).await {
        Ok(moved) => finish(via, work, &plan, &put, moved, upload).await,
        Err(trouble) => {
            give_up(upload).await;
            Err(trouble)
        }
    }
}

/// What was read of one part and taken by the target.
pub(super) struct Moved {
    pub(super) stored: StoredPart,
    pub(super) digests: Vec<Digest>,
    pub(super) head: Head,
    /// Whether an earlier run had sent it.
    is_resumed: bool,
}

/// All parts, in order, and what was made along the front.
pub(super) struct AllMoved {
    pub(super) parts: Vec<Moved>,
    pub(super) front: Vec<(Wanted, Checksum)>,
}

/// Reads and writes all parts. They start in order, as memory and parallelism allow.
async fn run(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    upload: &dyn Upload,
) -> Result<AllMoved, Trouble> {
    let mut front = (!plan.front.is_empty()).then(|| Front::new(&plan.front));
    let mut waiting = plan.parts.ranges();
    let mut next = waiting.next();
    let mut flying = FuturesUnordered::new();
    let mut parts: BTreeMap<NonZeroU16, Moved> = BTreeMap::new();
    loop {
        // a part is only begun with a place among the parts in flight and memory for its bytes
        let begin = async {
            let (number, range) = next.clone()?;
            via.backlog.room().await;
            let place = via.parts.to_begin().await;
            let to_read = via.parts.to_read().await;
            let reserved = via.budget.reserve(range.end - range.start).await;
            Some((number, range, (place, to_read), reserved))
        };
        tokio::select! {
            biased;
            // also when all are on their way: nobody waits for what is given up anyway
            () = via.stop.cancelled(), if next.is_some() || !flying.is_empty() => {
                return Err(cancelled(work.entry.key.as_str()).into());
            }
            begun = begin, if next.is_some() => {
                let Some((number, range, (place, to_read), reserved)) = begun else { continue };
                next = waiting.next();
                let keep = front.is_some();
                flying.push(async move {
                    let expected = via.desk.expect();
                    let content = read(via, work, range.clone()).await?;
                    drop(to_read);
                    let bytes = &content.bytes;
                    let algorithms = plan.algorithms(via, work, &content.head).await?;
                    let digests = via.desk.digests(expected, bytes, &algorithms).await;
                    let content = Content { digests, ..content };
                    let (moved, bytes) = write(via, work, upload, (number, range), content).await?;
                    drop(place);
                    Ok::<_, Trouble>((moved, keep.then_some((bytes, reserved))))
                });
            }
            Some(landed) = flying.next() => {
                let (moved, bytes) = landed?;
                let number = moved.stored.number;
                parts.insert(number, moved);
                if let (Some(front), Some((bytes, reserved))) = (&mut front, bytes) {
                    front.take(number, bytes, reserved);
                }
            }
            () = hash_front(&mut front), if front.as_ref().is_some_and(Front::is_busy) => {}
            else => break,
        }
    }
    let parts: Vec<Moved> = parts.into_values().collect();
    if let [first, rest @ ..] = &parts[..]
        && rest.iter().any(|part| !part.head.same_content(&first.head))
    {
        return Err(grown(work.entry.key.as_str()).into());
    }
    Ok(AllMoved {
        parts,
        front: front.map(Front::finish).unwrap_or_default(),
    })
}

async fn hash_front(front: &mut Option<Front>) {
    if let Some(front) = front {
        front.step().await;
    }
}

/// One part, read.
async fn read(via: &Transferrer, work: &Work, range: Range<u64>) -> Result<Content, Trouble> {
    let entry = &work.entry;
    let read = Read {
        key: entry.key.clone(),
        version: entry.version.clone(),
        expected: range.end - range.start,
        range: Some(range),
        if_match: entry.etag.clone(),
        // parts are hashed together, not each as it is read
        hash: Vec::new(),
    };
    let content = via.source.read(&read).await?;
    if content.head.size != entry.size {
        return Err(grown(entry.key.as_str()).into());
    }
    Ok(content)
}

/// One part, written and compared.
async fn write(
    via: &Transferrer,
    work: &Work,
    upload: &dyn Upload,
    (number, range): (NonZeroU16, Range<u64>),
    content: Content,
) -> Result<(Moved, Bytes), Trouble> {
    let _place = via.parts.to_write().await;
    // it was read ahead, and may have waited here for long
    if via.stop.is_cancelled() {
        return Err(cancelled(work.entry.key.as_str()).into());
    }
    let part = Part {
        number,
        offset: range.start,
        bytes: content.bytes,
        digests: content.digests,
    };
    let had = upload.has(&part);
    let is_resumed = had.is_some();
    let stored = match had {
        Some(had) => had,
        None => send(via, upload, &part).await?,
    };
    if !is_resumed {
        let written = Written {
            head: &content.head,
            bytes: part.bytes.len() as u64,
            part: Some((number, upload)),
        };
        via.wrote(work, written);
    }
    Ok((
        Moved {
            stored,
            digests: part.digests,
            head: content.head,
            is_resumed,
        },
        part.bytes,
    ))
}

/// Sends a part until the target has taken just that.
async fn send(via: &Transferrer, upload: &dyn Upload, part: &Part) -> Result<StoredPart, Trouble> {
    let mut tries = 0;
    loop {
        let stored = upload.put_part(part).await.map_err(of_target)?;
        match target_proof::damaged_part(via, &stored, &part.digests) {
            None => return Ok(stored),
            Some(mismatch) if tries >= via.pair.force_retry.0 => {
                return Err(Trouble::Damaged(mismatch));
            }
            Some(_) => tries += 1,
        }
    }
}

/// Compares with the source, publishes, compares with the target.
async fn finish(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    put: &Put,
    moved: AllMoved,
    upload: Box<dyn Upload>,
) -> Result<Done, Trouble> {
    let head = moved
        .parts
        .first()
        .map_or(&plan.head, |part| &part.head)
        .clone();
    let ready = async {
        let source = parts_proof::prove(via, work, plan, &moved).await?;
        Ok((source, annotations::ahead(via, work, &head).await?))
    };
    let (source, annotations) = match ready.await {
        Ok(ready) => ready,
        Err(trouble) => {
            give_up(upload).await;
            return Err(trouble);
        }
    };
    let joined = Joined::of(&moved.parts, plan, put);
    let resumed = moved.parts.iter().filter(|part| part.is_resumed).count();
    let stored_parts = moved.parts.into_iter().map(|part| part.stored).collect();
    let stored = upload
        .complete(stored_parts, joined.whole())
        .await
        .map_err(of_completion)?;
    let additional = joined.told(&stored);
    let target = target_proof::of_stored(via, &stored, joined.etag, additional);
    let facts = SourceFacts {
        key: work.entry.key.clone(),
        size: work.entry.size,
        modified: head.modified,
        etag: head.etag,
        version: head.version,
        checksum: additional.or(plan.checksum(via)),
    };
    let settled = stored
        .settle(facts, source.and(target))
        .map_err(Trouble::from)?;
    let parts = if via.target.keeps_no_digests() {
        // a file is not cut: these are the parts that its checksum is made of
        plan.cut.as_ref().map_or(&plan.parts, |cut| &cut.parts)
    } else {
        &plan.parts
    };
    let parts = Some((parts.count(), parts.size()));
    Ok(Done {
        settled,
        parts,
        resumed: u16::try_from(resumed).unwrap_or(u16::MAX),
        server_side: false,
        annotations: Some(annotations),
    })
}

/// Leaves nothing behind; a failure to do so is told, and does not hide the first trouble.
pub(super) async fn give_up(upload: Box<dyn Upload>) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%error, "a multipart upload could not be aborted");
    }
}
