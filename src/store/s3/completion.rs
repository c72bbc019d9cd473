//! Was an upload completed whose answer was lost? The object itself tells.

use crate::digest::{Algorithm, Checksum, Digest, composite};
use crate::object::ETag;
use crate::store::{Head, Put, StoredPart};

/// What the object has to be that these parts make.
#[derive(Debug)]
pub(super) struct Expected {
    size: u64,
    etag: Option<Checksum>,
    checksum: Option<Checksum>,
}

impl Expected {
    /// `whole` is the additional checksum of the whole object, where that is the kind it keeps.
    pub(super) fn of(put: &Put, parts: &[StoredPart], whole: Option<Digest>) -> Self {
        let md5 = |part: &StoredPart| match &part.etag {
            Some(ETag::Md5Shaped(md5)) if part.etag_is_digest => {
                Digest::from_bytes(Algorithm::Md5, md5)
            }
            _ => None,
        };
        let md5s: Option<Vec<Digest>> = parts.iter().map(md5).collect();
        let sums: Option<Vec<Digest>> = parts.iter().map(|part| part.checksum).collect();
        let keeps_whole = put.checksum.is_some_and(|of| put.keeps_whole(of));
        Self {
            size: parts.iter().map(|part| part.size).sum(),
            etag: md5s.and_then(|md5s| composite(&md5s)),
            checksum: match whole {
                Some(whole) => Some(Checksum::Whole(whole)),
                None if keeps_whole => None,
                None => sums.and_then(|sums| composite(&sums)),
            },
        }
    }

    /// Whether this is it. An ETag or a checksum must say so, and neither may say otherwise.
    pub(super) fn is(&self, head: &Head) -> bool {
        let etag = self
            .etag
            .filter(|_| head.etag_is_digest)
            .map(|expected| head.etag.as_ref().and_then(Checksum::of_etag) == Some(expected));
        let checksum = self.checksum.and_then(|expected| {
            let mut kept = head.checksums.iter();
            let kept = kept.find(|kept| kept.algorithm() == expected.algorithm())?;
            Some(*kept == expected)
        });
        let mut told = [etag, checksum].into_iter().flatten().peekable();
        head.size == self.size && told.peek().is_some() && told.all(|same| same)
    }
}
