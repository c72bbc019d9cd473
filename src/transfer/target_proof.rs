//! Did what arrived equal what was sent?

use super::Transferrer;
use crate::digest::{Algorithm, Axis, Checksum, Integrity, Method, Mismatch, Proof, Verdict, Why};
use crate::object::ETag;
use crate::store::{Put, Stored, StoredPart, Upload};

/// Proof from what the target says of the object, against what was computed of the bytes sent.
pub(super) fn of_stored(
    via: &Transferrer,
    stored: &Stored,
    etag: Option<Checksum>,
    checksum: Option<Checksum>,
) -> Integrity {
    if via.target.keeps_no_digests() {
        return Integrity::default();
    }
    let verify = via.pair.verify;
    let multipart = matches!(etag, Some(Checksum::Composite { .. }));
    let wants_etag = verify.etag && (verify.multipart || !multipart);
    Integrity {
        etag: etag
            .filter(|_| wants_etag)
            .map(|computed| by_etag(stored, computed)),
        checksum: checksum
            .filter(|_| verify.checksum)
            .map(|computed| by_checksum(stored, computed)),
    }
}

/// The checksum S3 keeps of an upload that asked for none; wanted where its ETag will be opaque,
/// because the bucket encrypts so by default:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
pub(super) fn unasked(via: &Transferrer, put: &Put, upload: &dyn Upload) -> Option<Algorithm> {
    let unproved = put.checksum.is_none() && !upload.etag_is_digest();
    (unproved && via.pair.verify.checksum).then_some(Algorithm::Crc64Nvme)
}

/// The same of an object that was written at once, which tells by itself what it keeps.
pub(super) fn unasked_of(via: &Transferrer, put: &Put, stored: &Stored) -> Option<Algorithm> {
    let unproved = put.checksum.is_none() && !stored.etag_is_digest;
    let mut kept = stored.checksums.iter();
    let whole = kept.find(|kept| matches!(kept, Checksum::Whole(_)))?;
    (unproved && via.pair.verify.checksum).then(|| whole.algorithm())
}

fn by_etag(stored: &Stored, computed: Checksum) -> Proof {
    let Some(etag) = &stored.etag else {
        return Proof::impossible(Why::EndpointCannot);
    };
    match Checksum::of_etag(etag) {
        Some(kept) if stored.etag_is_digest => Proof::compare(computed, kept, method_of(&computed)),
        _ => Proof::impossible(Why::OpaqueETag),
    }
}

fn by_checksum(stored: &Stored, computed: Checksum) -> Proof {
    match stored
        .checksums
        .iter()
        .find(|kept| kept.algorithm() == computed.algorithm())
    {
        Some(kept) => Proof::compare(computed, *kept, method_of(&computed)),
        None => Proof::impossible(Why::EndpointCannot),
    }
}

fn method_of(computed: &Checksum) -> Method {
    match computed {
        Checksum::Whole(_) => Method::Recomputed,
        Checksum::Composite { .. } => Method::Composite,
    }
}

/// The mismatch a part shows before the object is completed from it, if it shows one.
pub(super) fn damaged_part(
    via: &Transferrer,
    stored: &StoredPart,
    digests: &[crate::digest::Digest],
) -> Option<Mismatch> {
    let verify = via.pair.verify;
    let computed = |algorithm| {
        digests
            .iter()
            .find(|digest| digest.algorithm() == algorithm)
            .copied()
            .map(Checksum::Whole)
    };
    let etag = stored
        .etag
        .as_ref()
        .filter(|etag| {
            let shaped = matches!(etag, ETag::Md5Shaped(_));
            verify.etag && verify.multipart && stored.etag_is_digest && shaped
        })
        .and_then(Checksum::of_etag);
    let checksum = stored
        .checksum
        .filter(|_| verify.checksum)
        .map(Checksum::Whole);
    let of = |axis: Axis, kept: Option<Checksum>| {
        let verdict = Verdict::compare(computed(kept?.algorithm())?, kept?);
        match verdict {
            Verdict::Mismatch { sent, stored } => Some(Mismatch { axis, sent, stored }),
            Verdict::Verified(_) | Verdict::Unverifiable(_) => None,
        }
    };
    of(Axis::ETag, etag).or_else(|| of(Axis::Checksum, checksum))
}
