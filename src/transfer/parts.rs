/*! A large object: read, hashed and written in parts, many at once.

Where the source's own part layout is known, the parts follow it, so that each digest serves both
ends. Where the source has one MD5 of the whole, it is computed along the contiguous front of what
has arrived, while later parts are still on their way, within the memory budget.
*/

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::Range;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::attempt::{Trouble, of_target};
use super::source_proof::{self, Expected, KnownLayout};
use super::whole::grown;
use super::{Done, Transferrer, Work, target_proof};
use crate::context::Reserved;
use crate::context::cancelled;
use crate::digest::{
    Algorithm, Checksum, Digest, Hashers, Integrity, Method, Proof, Verdict, Why, combine_crc,
    composite,
};
use crate::event::Event;
use crate::examine::Layout;
use crate::store::{Content, Head, Part, Put, Read, SourceFacts, StoreError, StoredPart, Upload};

/// Moves the object in parts.
pub(super) async fn transfer(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let plan = Scheme::of(via, work).await?;
    let put = via.put_of(&work.entry, Some(&plan.head), work.entry.modified);
    let upload = via.target.begin(&put).await.map_err(of_target)?;
    let plan = Scheme {
        unasked: target_proof::unasked(via, &put, &*upload),
        ..plan
    };
    match run(via, work, &plan, &*upload).await {
        Ok(moved) => finish(via, work, &plan, &put, moved, upload).await,
        Err(trouble) => {
            give_up(upload).await;
            Err(trouble)
        }
    }
}

/// How the object will be moved.
struct Scheme {
    /// What the source says of it.
    head: Head,
    /// The parts it is read and written in.
    layout: Layout,
    /// The parts its ETag speaks of, if it does; equal to `layout` then.
    known: Option<KnownLayout>,
    /// The digests of the whole that it is stored with, to be computed along the front.
    front: Vec<Algorithm>,
    /// The checksum the source stores.
    stored_checksum: Option<Checksum>,
    /// The checksum the target keeps although it was not asked to, where nothing else proves what
    /// it has.
    unasked: Option<Algorithm>,
}

impl Scheme {
    async fn of(via: &Transferrer, work: &Work) -> Result<Self, Trouble> {
        let entry = &work.entry;
        let head = match via.asked_head(work).await? {
            Some(head) => head,
            None => Head {
                size: entry.size,
                modified: entry.modified,
                etag: entry.etag.clone(),
                etag_is_digest: true,
                version: None,
                checksums: Vec::new(),
                unknown_checksum: None,
                content_type: None,
                metadata: BTreeMap::new(),
                file_id: None,
            },
        };
        let wanted = Layout::for_upload(entry.size, via.pair.multipart_chunksize);
        let stored_checksum = source_proof::expected_checksum(via, Some(&head));
        let mut front = Vec::new();
        let mut of_parts = matches!(stored_checksum, Some(Checksum::Composite { .. }));
        if let Expected::ETag(etag) = source_proof::expected(via, &head) {
            if etag.parts().is_none() {
                front.push(Algorithm::Md5);
            } else {
                of_parts = true;
            }
        }
        if let Some(Checksum::Whole(stored)) = stored_checksum
            && !stored.algorithm().is_crc()
        {
            front.push(stored.algorithm());
        }
        let mut known = match work.layout {
            _ if !of_parts => None,
            Some(layout) => Some(KnownLayout {
                layout,
                confirmed: true,
            }),
            None => source_proof::layout_of(via, &entry.key, &head).await?,
        };
        // parts too large to be held at once cannot be followed
        known = known.filter(|known| known.layout.part_size <= via.budget.bytes() / 2);
        let layout = known.map_or(wanted, |known| known.layout);
        Ok(Self {
            head,
            layout,
            known,
            front,
            stored_checksum,
            unasked: None,
        })
    }

    fn algorithms(&self, via: &Transferrer) -> Vec<Algorithm> {
        let mut algorithms = via.algorithms();
        // a directory needs the parts' MD5s only for an ETag made of them
        if via.target.keeps_no_digests() && self.known.is_none() {
            algorithms.retain(|algorithm| *algorithm != Algorithm::Md5);
        }
        algorithms.extend(self.stored_checksum.map(|checksum| checksum.algorithm()));
        algorithms.extend(self.unasked);
        algorithms
    }
}

/// What was read of one part and taken by the target.
struct Moved {
    stored: StoredPart,
    digests: Vec<Digest>,
    head: Head,
}

/// All parts, in order, and the digests along the front.
struct AllMoved {
    parts: Vec<Moved>,
    front: Vec<Digest>,
}

impl AllMoved {
    /// The digest of the whole under an algorithm, if the front computed it.
    fn front(&self, algorithm: Algorithm) -> Option<Checksum> {
        let mut front = self.front.iter();
        let found = front.find(|digest| digest.algorithm() == algorithm);
        found.copied().map(Checksum::Whole)
    }
}

/// Reads and writes all parts. They start in order, as memory and parallelism allow.
async fn run(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    upload: &dyn Upload,
) -> Result<AllMoved, Trouble> {
    let algorithms = plan.algorithms(via);
    let mut front = (!plan.front.is_empty()).then(|| Front::new(&plan.front));
    let mut waiting = plan.layout.parts();
    let mut next = waiting.next();
    let mut flying = FuturesUnordered::new();
    let mut parts: BTreeMap<NonZeroU16, Moved> = BTreeMap::new();
    loop {
        // a part is only begun with a place among the parts in flight and memory for its bytes
        let begin = async {
            let (number, range) = next.clone()?;
            let place = via.parts.to_begin().await;
            let to_read = via.parts.to_read().await;
            let reserved = via.budget.reserve(range.end - range.start).await;
            Some((number, range, (place, to_read), reserved))
        };
        tokio::select! {
            biased;
            begun = begin, if next.is_some() => {
                let Some((number, range, (place, to_read), reserved)) = begun else { continue };
                if via.stop.is_cancelled() {
                    return Err(cancelled(work.entry.key.as_str()).into());
                }
                next = waiting.next();
                let (algorithms, keep) = (&algorithms, front.is_some());
                flying.push(async move {
                    let expected = via.desk.expect();
                    let content = read(via, work, range.clone()).await?;
                    drop(to_read);
                    let bytes = &content.bytes;
                    let digests = via.desk.digests(expected, bytes, algorithms).await;
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
    let mut tries = 0;
    let stored = loop {
        let stored = upload.put_part(&part).await.map_err(of_target)?;
        match target_proof::damaged_part(via, &stored, &part.digests) {
            None => break stored,
            Some(verdict) if tries >= via.pair.force_retry.0 => {
                return Err(Trouble::Damaged(verdict));
            }
            Some(_) => tries += 1,
        }
    };
    via.sinks.emit(&Event::Moved {
        bytes: part.bytes.len() as u64,
    });
    Ok((
        Moved {
            stored,
            digests: part.digests,
            head: content.head,
        },
        part.bytes,
    ))
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
    let source = match verify_source(via, work, plan, &moved).await {
        Ok(source) => source,
        Err(trouble) => {
            give_up(upload).await;
            return Err(trouble);
        }
    };
    let under = |algorithm: Algorithm| -> Option<Vec<(Digest, u64)>> {
        moved
            .parts
            .iter()
            .map(|part| {
                let digest = part.digests.iter().find(|d| d.algorithm() == algorithm)?;
                Some((*digest, part.stored.size))
            })
            .collect()
    };
    let digests = |parts: Vec<(Digest, u64)>| -> Vec<Digest> {
        parts.into_iter().map(|(digest, _)| digest).collect()
    };
    let etag = under(Algorithm::Md5).and_then(|parts| composite(&digests(parts)));
    let additional = put.checksum.and_then(|algorithm| {
        let parts = under(algorithm)?;
        if put.keeps_whole(algorithm) {
            combine_crc(&parts).map(Checksum::Whole)
        } else {
            composite(&digests(parts))
        }
    });
    let unasked = plan.unasked.and_then(under);
    let whole = match additional {
        Some(Checksum::Whole(digest)) => Some(digest),
        _ => None,
    };
    let head = moved
        .parts
        .first()
        .map_or(&plan.head, |part| &part.head)
        .clone();
    let stored_parts = moved.parts.into_iter().map(|part| part.stored).collect();
    let stored = upload
        .complete(stored_parts, whole)
        .await
        .map_err(of_target)?;
    // a checksum that nobody asked for is used where it is there
    let additional = additional.or_else(|| {
        let parts = unasked?;
        let kept = stored.checksums.iter();
        let whole = Checksum::Whole(combine_crc(&parts)?);
        (kept
            .clone()
            .any(|kept| kept.algorithm() == whole.algorithm()))
        .then_some(whole)
    });
    let target = target_proof::of_stored(via, &stored, etag, additional);
    let facts = SourceFacts {
        key: work.entry.key.clone(),
        size: work.entry.size,
        modified: head.modified,
        etag: head.etag,
        version: head.version,
        checksum: additional.or(plan.stored_checksum),
    };
    let settled = stored
        .settle(facts, source.and(target))
        .map_err(Trouble::from)?;
    let parts = Some((plan.layout.count(), plan.layout.part_size));
    Ok(Done {
        settled,
        parts,
        server_side: false,
    })
}

/// Nothing is published that differs from what the source stores.
async fn verify_source(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    moved: &AllMoved,
) -> Result<Integrity, Trouble> {
    // the parts' own answers tell whether the ETag is a digest; the listing cannot
    let head = moved.parts.first().map_or(&plan.head, |part| &part.head);
    let of_parts = |stored: Checksum| {
        let parts: Option<Vec<(Digest, u64)>> = moved
            .parts
            .iter()
            .map(|part| {
                let mut digests = part.digests.iter();
                let digest = digests.find(|digest| digest.algorithm() == stored.algorithm())?;
                Some((*digest, part.stored.size))
            })
            .collect();
        source_proof::of_parts(stored, &parts?)
    };
    let etag = match source_proof::expected(via, head) {
        Expected::Nothing => None,
        Expected::Unusable(why) => Some(Proof::impossible(why)),
        Expected::ETag(etag) => Some(
            match (
                Checksum::of_etag(etag),
                moved.front(Algorithm::Md5),
                plan.known,
            ) {
                (Some(stored @ Checksum::Whole(_)), Some(front), _) => {
                    Proof::compare(front, stored, Method::Recomputed)
                }
                (Some(stored), _, Some(known)) => match of_parts(stored) {
                    Some((computed, method)) if computed == stored || known.confirmed => {
                        judge(via, work, plan, computed, (stored, method)).await?
                    }
                    // a guess that did not come true: the layout or the bytes are to blame
                    Some(_) => blame(via, work, head, known).await?,
                    None => Proof::impossible(Why::LayoutUnknown),
                },
                _ => Proof::impossible(Why::LayoutUnknown),
            },
        ),
    };
    let checksum = match plan.stored_checksum {
        None => source_proof::unknown_checksum(via, &plan.head),
        Some(stored) => Some(match (of_parts(stored), moved.front(stored.algorithm())) {
            (_, Some(front)) if matches!(stored, Checksum::Whole(_)) => {
                Proof::compare(front, stored, Method::Recomputed)
            }
            (Some((computed, method)), _) => {
                judge(via, work, plan, computed, (stored, method)).await?
            }
            (None, _) => Proof::impossible(Why::LayoutUnknown),
        }),
    };
    let integrity = Integrity { etag, checksum };
    match integrity.verdict() {
        mismatch @ Verdict::Mismatch { .. } => Err(Trouble::Damaged(mismatch)),
        Verdict::Verified(_) | Verdict::Unverifiable(_) => Ok(integrity),
    }
}

/// Compares what the parts make. A difference counts only if the object is cut into just these
/// parts; otherwise it proves nothing.
async fn judge(
    via: &Transferrer,
    work: &Work,
    plan: &Scheme,
    computed: Checksum,
    (stored, method): (Checksum, Method),
) -> Result<Proof, Trouble> {
    let of_parts = matches!(stored, Checksum::Composite { .. });
    if computed == stored
        || !of_parts
        || source_proof::is_cut_so(via, &work.entry.key, plan.layout).await?
    {
        return Ok(Proof::compare(computed, stored, method));
    }
    match plan.known {
        Some(known) if !known.confirmed => blame(via, work, &plan.head, known).await,
        _ => Ok(Proof::impossible(Why::LayoutUnknown)),
    }
}

/// Asks the store for the parts: the same as guessed begins again as confirmed, so that a
/// difference counts; others begin again with those; no answer proves nothing.
async fn blame(
    via: &Transferrer,
    work: &Work,
    head: &Head,
    known: KnownLayout,
) -> Result<Proof, Trouble> {
    match source_proof::ask(via, &work.entry.key, head).await? {
        Some(layout) => {
            tracing::debug!(key = %work.entry.key, ?known, ?layout, "the parts were asked for");
            Err(Trouble::Layout(layout))
        }
        None => Ok(Proof::impossible(Why::LayoutUnknown)),
    }
}

/// Leaves nothing behind; a failure to do so is told, and does not hide the first trouble.
async fn give_up(upload: Box<dyn Upload>) {
    if let Err(error) = upload.abort().await {
        tell_leftover(&error);
    }
}

pub(super) fn tell_leftover(error: &StoreError) {
    tracing::warn!(%error, "a multipart upload could not be aborted");
}

/// Digests of the whole, fed with parts as soon as all before them have been.
struct Front {
    state: Hashing,
    next: u16,
    early: BTreeMap<u16, (Bytes, Reserved)>,
}

enum Hashing {
    Idle(Box<Hashers>),
    /// A part is being hashed on the blocking pool.
    Running(tokio::task::JoinHandle<Box<Hashers>>),
}

impl Front {
    fn new(algorithms: &[Algorithm]) -> Self {
        Self {
            state: Hashing::Idle(Box::new(Hashers::new(algorithms.iter().copied()))),
            next: 1,
            early: BTreeMap::new(),
        }
    }

    /// Hands a part over; it is kept until its turn.
    fn take(&mut self, number: NonZeroU16, bytes: Bytes, reserved: Reserved) {
        self.early.insert(number.get(), (bytes, reserved));
    }

    /// Whether there is a part to hash now.
    fn is_busy(&self) -> bool {
        matches!(self.state, Hashing::Running(_)) || self.early.contains_key(&self.next)
    }

    /// Hashes the next part if it is there. May be dropped at any point and called again.
    async fn step(&mut self) {
        if let Hashing::Idle(hasher) = &self.state {
            let Some((bytes, reserved)) = self.early.remove(&self.next) else {
                return;
            };
            let mut hasher = hasher.clone();
            self.state = Hashing::Running(tokio::task::spawn_blocking(move || {
                hasher.update(&bytes);
                drop(reserved);
                hasher
            }));
        }
        if let Hashing::Running(running) = &mut self.state {
            let hasher = running.await.expect("hashing does not panic");
            self.state = Hashing::Idle(hasher);
            self.next += 1;
        }
    }

    fn finish(self) -> Vec<Digest> {
        match self.state {
            Hashing::Idle(hasher) => hasher.finish(),
            Hashing::Running(_) => Vec::new(),
        }
    }
}
