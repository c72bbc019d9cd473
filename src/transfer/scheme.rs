//! How a large object will be moved: in which parts, and what is hashed on the way.

use std::num::NonZeroU16;

use tokio::sync::OnceCell;

use super::source_proof::{self, Expected};
use super::trouble::Trouble;
use super::{Transferrer, Work};
use crate::digest::{Algorithm, Checksum, Digest, Method, combine_crc, composite};
use crate::examine::{Cut, Layout, Parts, Wanted};
use crate::object::{Attributes, Entry};
use crate::plan::Direction;
use crate::store::{ErrorKind, Head};

/// How an object will be moved.
pub(super) struct Scheme {
    /// What the source says of it.
    pub(super) head: Head,
    /// The parts it is read and written in.
    pub(super) parts: Parts,
    /// Where the source is cut, if a value it stores is made of its parts. It is moved in these
    /// parts if they can be held and written.
    pub(super) cut: Option<Cut>,
    /// What the source stores and only a pass along the front can make.
    pub(super) front: Vec<Wanted>,
    /// The checksum the target keeps although it was not asked to, where nothing else proves what
    /// it has.
    pub(super) unasked: Option<Algorithm>,
    /// What the source said when it was asked for its checksum: before anything was read, or once
    /// what was read said that the ETag proves nothing. `None` if it would not say.
    asked: OnceCell<Option<Head>>,
}

impl Scheme {
    /// For an object that is about to be moved.
    pub(super) async fn of(via: &Transferrer, work: &Work) -> Result<Self, Trouble> {
        let entry = &work.entry;
        let asked = via.asked_head(work).await?;
        let head = asked.clone().unwrap_or_else(|| listed(entry));
        let etag = match source_proof::expected(via, &head) {
            Expected::ETag(etag) => Checksum::of_etag(etag),
            Expected::Nothing | Expected::Unusable(_) => None,
        };
        let stored = etag
            .into_iter()
            .chain(source_proof::expected_checksum(via, &head));
        let count = stored.clone().find_map(|stored| parts_of(&stored));
        let cut = match (count, &work.parts) {
            (None, _) => None,
            (Some(_), Some(parts)) => Some(Cut {
                parts: parts.clone(),
                is_told: true,
            }),
            (Some(count), None) => via.examiner.likely_parts(entry, count).await?,
        };
        let followed = cut.as_ref().map(|cut| &cut.parts);
        let followed = followed.filter(|parts| can_follow(via, parts)).cloned();
        let front = stored.filter_map(|stored| {
            let parts = match stored {
                Checksum::Whole(whole) if whole.algorithm().is_crc() => return None,
                Checksum::Composite { .. } if followed.is_some() => return None,
                Checksum::Whole(_) => None,
                Checksum::Composite { .. } => Some(cut.as_ref()?.parts.clone()),
            };
            Some(Wanted {
                algorithm: stored.algorithm(),
                parts,
            })
        });
        let front = front.collect();
        Ok(Self {
            head,
            parts: followed.unwrap_or_else(|| own_parts(via, entry.key.as_str(), entry.size)),
            cut,
            front,
            unasked: None,
            asked: OnceCell::new_with(asked.map(Some)),
        })
    }

    /// The digests to make of each part; `head` is what was said of the object with one.
    pub(super) async fn algorithms(
        &self,
        via: &Transferrer,
        work: &Work,
        head: &Head,
    ) -> Result<Vec<Algorithm>, Trouble> {
        let mut algorithms = via.algorithms();
        let of_parts = |etag: &Checksum| parts_of(etag).is_some() && self.is_followed();
        let etag = head.etag.as_ref().and_then(Checksum::of_etag);
        // a directory needs the parts' MD5s only for an ETag made of them
        if via.target.keeps_no_digests() && !etag.as_ref().is_some_and(of_parts) {
            algorithms.retain(|algorithm| *algorithm != Algorithm::Md5);
        }
        let stored = self.stored_checksum(via, work, head).await?;
        let stored = stored.filter(|stored| {
            of_parts(stored) || parts_of(stored).is_none() && stored.algorithm().is_crc()
        });
        algorithms.extend(stored.map(|stored| stored.algorithm()));
        algorithms.extend(self.unasked);
        Ok(algorithms)
    }

    /// The checksum to compare with. If what was read shows that nothing else is proof, and the
    /// source was not asked for it, it is now, once; a checksum that other digests are needed for
    /// than parts have, begins the object again.
    async fn stored_checksum(
        &self,
        via: &Transferrer,
        work: &Work,
        head: &Head,
    ) -> Result<Option<Checksum>, Trouble> {
        if source_proof::is_opaque(head) && source_proof::wants_checksum(via, head) {
            self.asked.get_or_try_init(|| ask(via, work)).await?;
        }
        Ok(self.checksum(via))
    }

    /// The checksum to compare with, as far as it is known.
    pub(super) fn checksum(&self, via: &Transferrer) -> Option<Checksum> {
        source_proof::expected_checksum(via, self.told()?)
    }

    /// What the source told when it was asked.
    pub(super) fn told(&self) -> Option<&Head> {
        self.asked.get()?.as_ref()
    }

    /// What the digests of the parts make of the kind of a stored value, and how.
    pub(super) fn made_of(
        &self,
        stored: Checksum,
        parts: &[(Digest, u64)],
    ) -> Option<(Checksum, Method)> {
        match stored {
            Checksum::Whole(_) => Some((Checksum::Whole(combine_crc(parts)?), Method::FullObject)),
            Checksum::Composite { .. } if self.is_followed() => {
                let digests: Vec<Digest> = parts.iter().map(|(digest, _)| *digest).collect();
                Some((composite(&digests)?, Method::Composite))
            }
            Checksum::Composite { .. } => None,
        }
    }

    /// Whether it is moved in the source's own parts.
    fn is_followed(&self) -> bool {
        self.cut.as_ref().is_some_and(|cut| cut.parts == self.parts)
    }
}

/// Parts of the user's size, or larger ones where S3 would not take so many; that is said.
pub(super) fn own_parts(via: &Transferrer, key: &str, size: u64) -> Parts {
    let wanted = via.pair.multipart_chunksize;
    let layout = Layout::for_upload(size, wanted);
    if layout.part_size > wanted {
        tracing::info!(
            key,
            size,
            part_size = layout.part_size,
            chunksize = wanted,
            "parts of multipart.chunksize would be more than 10,000: larger ones are made"
        );
    }
    layout.into()
}

/// What a listing says of an object.
fn listed(entry: &Entry) -> Head {
    Head {
        size: entry.size,
        modified: entry.modified,
        etag: entry.etag.clone(),
        etag_is_digest: true,
        version: None,
        checksums: Vec::new(),
        unknown_checksum: None,
        attributes: Attributes::default(),
        storage_class: entry.storage_class.clone(),
        is_archived: false,
        tag_count: None,
        file_id: None,
        details: None,
    }
}

/// Of how many parts a value is.
fn parts_of(stored: &Checksum) -> Option<NonZeroU16> {
    match stored {
        Checksum::Whole(_) => None,
        Checksum::Composite { parts, .. } => Some(*parts),
    }
}

/// Parts too large to be held at once cannot be followed, nor those that S3 would not take.
fn can_follow(via: &Transferrer, parts: &Parts) -> bool {
    let is_legal = via.direction == Direction::S3ToLocal || parts.may_be_uploaded();
    is_legal && parts.largest() <= via.budget.bytes() / 2
}

/// Asks the source for its checksum. What it will not tell proves nothing, and is no failure.
async fn ask(via: &Transferrer, work: &Work) -> Result<Option<Head>, Trouble> {
    let head = match via.source.head(work.entry.at(), true).await {
        Ok(head) if head.etag == work.entry.etag => head,
        // the parts' own answers tell what happened to it
        Ok(_) => return Ok(None),
        Err(error) if error.kind.is_fatal() || error.kind == ErrorKind::Cancelled => {
            return Err(error.into());
        }
        Err(_) => return Ok(None),
    };
    match source_proof::expected_checksum(via, &head) {
        Some(Checksum::Whole(whole)) if whole.algorithm().is_crc() => Ok(Some(head)),
        None => Ok(Some(head)),
        Some(_) => Err(Trouble::Asked(Box::new(head))),
    }
}
