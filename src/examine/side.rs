//! One end of a comparison, and what its store keeps of the object.

use crate::digest::{Algorithm, Checksum, Why};
use crate::object::{ETag, Entry};
use crate::store::{ErrorKind, Head, Source, StoreError};

/// One end of a comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    /// Where the object is.
    pub(super) store: &'a dyn Source,
    /// What is known of it: as listed, or as a HEAD told.
    pub(super) entry: &'a Entry,
    /// Whether it is the target's.
    pub(super) is_target: bool,
}

/// Why a comparison came to no end.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The target does not have the object any more.
    TargetGone,
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Side<'_> {
    /// What the store keeps of the object: one HEAD.
    pub(super) async fn kept(&self) -> Result<Kept, Obstacle> {
        let head = self.store.head(self.entry.at(), true).await;
        self.kept_of(head.map_err(|error| self.obstacle(error))?)
    }

    /// What a HEAD told of the object, if it is still as long as it was listed.
    pub(super) fn kept_of(&self, head: Head) -> Result<Kept, Obstacle> {
        if head.size != self.entry.size {
            return Err(self.changed("its size changed since it was listed"));
        }
        Ok(Kept {
            etag: head.etag,
            etag_is_digest: head.etag_is_digest,
            checksums: head.checksums,
        })
    }

    /// That the object is still the one its store told this of. What is asked piece by piece may
    /// be of two objects, and a difference that shows is none then.
    pub(super) async fn confirm(&self, kept: &Kept) -> Result<(), Obstacle> {
        let head = self.store.head(self.entry.at(), false).await;
        let head = head.map_err(|error| self.obstacle(error))?;
        if head.size == self.entry.size && head.etag == kept.etag {
            return Ok(());
        }
        Err(self.changed("it was overwritten while it was compared"))
    }

    /// The object is not what it was.
    pub(super) fn changed(&self, how: &str) -> Obstacle {
        let key = self.entry.key.as_str();
        StoreError::new("compare", key, ErrorKind::Changed, how).into()
    }

    /// An error of this end's store.
    pub(super) fn obstacle(&self, error: StoreError) -> Obstacle {
        if self.is_target && error.kind == ErrorKind::NotFound {
            Obstacle::TargetGone
        } else {
            Obstacle::Store(error)
        }
    }
}

/// What a store keeps of an object's content.
#[derive(Debug)]
pub(super) struct Kept {
    etag: Option<ETag>,
    etag_is_digest: bool,
    checksums: Vec<Checksum>,
}

/// Checksums to fall back on, the quickest to compute first.
const BY_SPEED: [Algorithm; 10] = [
    Algorithm::Crc64Nvme,
    Algorithm::Crc32c,
    Algorithm::Crc32,
    Algorithm::XxHash3,
    Algorithm::XxHash128,
    Algorithm::XxHash64,
    Algorithm::Sha256,
    Algorithm::Sha1,
    Algorithm::Md5,
    Algorithm::Sha512,
];

impl Kept {
    /// The ETag as S3 writes it, without quotes.
    pub(super) fn etag_text(&self) -> Option<String> {
        self.etag.as_ref().map(ETag::to_string)
    }

    /// The digest the ETag is, or why it is none.
    pub(super) fn etag(&self) -> Result<Checksum, Why> {
        self.etag
            .as_ref()
            .filter(|_| self.etag_is_digest)
            .and_then(Checksum::of_etag)
            .ok_or(Why::OpaqueETag)
    }

    /// The additional checksum under an algorithm.
    pub(super) fn under(&self, algorithm: Algorithm) -> Result<Checksum, Why> {
        self.checksums
            .iter()
            .find(|kept| kept.algorithm() == algorithm)
            .copied()
            .ok_or(Why::NoChecksum)
    }

    /// The additional checksums of the whole object, the quickest to compute first.
    pub(super) fn wholes(&self) -> impl Iterator<Item = Checksum> {
        self.by_speed()
            .filter(|kept| matches!(kept, Checksum::Whole(_)))
    }

    /// All additional checksums, those of the whole object first.
    pub(super) fn all(&self) -> impl Iterator<Item = Checksum> {
        let composites = self
            .by_speed()
            .filter(|kept| matches!(kept, Checksum::Composite { .. }));
        self.wholes().chain(composites)
    }

    fn by_speed(&self) -> impl Iterator<Item = Checksum> {
        let kept = BY_SPEED.into_iter();
        kept.filter_map(|algorithm| self.under(algorithm).ok())
    }
}
