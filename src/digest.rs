/*! What proves that bytes arrived: digests, the checksums S3 makes of them, and verdicts.

A [`Digest`] is over one run of bytes. S3 keeps one [`Checksum`] per object: of the whole object,
or a *composite*, which is the digest of the parts' digests. An ETag is the same thing under
another name (MD5, whole or composite), so both kinds of evidence end in one [`Verdict`].

See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>.
*/

mod algorithm;
mod batch;
mod combine;
mod hasher;
mod integrity;
mod likeness;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use batch::{MOST_AT_ONCE, enough_at_once, md5_each};
pub use combine::{combine_crc, composite};
pub use hasher::{Hasher, Hashers, digest};
pub use integrity::{Axis, Integrity, Method, Mismatch, Proof};
pub use likeness::{Comparison, Likeness};

use std::fmt;
use std::num::NonZeroU16;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object::ETag;

/// The digest of one run of bytes under one algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl Digest {
    /// From the digest's bytes, big-endian for CRCs and XXHashes as S3 has them. `None` if their
    /// number is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.len() {
            return None;
        }
        let mut padded = [0; 64];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Self {
            algorithm,
            bytes: padded,
        })
    }

    /// From its form in `x-amz-checksum-*` and `Content-MD5` headers.
    pub fn from_base64(algorithm: Algorithm, text: &str) -> Option<Self> {
        Self::from_bytes(algorithm, &STANDARD.decode(text).ok()?)
    }

    /// The algorithm that made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.len()]
    }

    /// The form headers carry.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// The form ETags carry.
    pub fn hex(&self) -> String {
        hex::encode(self.as_bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.base64())
    }
}

/// What S3 keeps of an object's content: a digest of all of it, or of its parts' digests.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// Over the whole object (checksum type FULL_OBJECT, or an object put in one request).
    Whole(Digest),
    /// Over the concatenated digests of the parts (checksum type COMPOSITE).
    Composite {
        /// The digest of digests.
        digest: Digest,
        /// How many parts there were.
        parts: NonZeroU16,
    },
}

impl Checksum {
    /// Reads a stored value: base64, followed by `-N` when it is a composite of N parts.
    pub fn parse(algorithm: Algorithm, text: &str) -> Option<Self> {
        match text.rsplit_once('-') {
            Some((digest, parts)) => Some(Self::Composite {
                digest: Digest::from_base64(algorithm, digest)?,
                parts: parts.parse().ok()?,
            }),
            None => Digest::from_base64(algorithm, text).map(Self::Whole),
        }
    }

    /// What an ETag of this shape would prove if it is a digest at all.
    pub fn of_etag(etag: &ETag) -> Option<Self> {
        let md5 = |bytes: &[u8; 16]| Digest::from_bytes(Algorithm::Md5, bytes);
        match etag {
            ETag::Md5Shaped(bytes) => md5(bytes).map(Self::Whole),
            ETag::MultipartShaped { md5_of_md5s, parts } => {
                md5(md5_of_md5s).map(|digest| Self::Composite {
                    digest,
                    parts: *parts,
                })
            }
            ETag::Opaque(_) => None,
        }
    }

    /// An MD5, of the whole or of parts, as an ETag has it.
    pub fn etag_text(&self) -> String {
        match self {
            Self::Whole(digest) => digest.hex(),
            Self::Composite { digest, parts } => format!("{}-{parts}", digest.hex()),
        }
    }

    /// The digest inside.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Whole(digest) | Self::Composite { digest, .. } => digest,
        }
    }

    /// The algorithm of the digest inside.
    pub fn algorithm(&self) -> Algorithm {
        self.digest().algorithm()
    }
}

/// Base64, with `-N` behind a composite: the form S3 stores and reports.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(digest) => f.write_str(&digest.base64()),
            Self::Composite { digest, parts } => write!(f, "{}-{parts}", digest.base64()),
        }
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.algorithm())
    }
}

/// What comparing a computed with a stored checksum showed. Three values, never two: what could
/// not be compared is neither right nor wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Both are the same.
    Verified(Checksum),
    /// They are comparable, and differ.
    Mismatch {
        /// What was computed from the bytes that moved.
        sent: Checksum,
        /// What the store says it has.
        stored: Checksum,
    },
    /// They cannot be compared.
    Unverifiable(Why),
}

/// Why nothing could be proved.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The object was uploaded in parts whose sizes are not known.
    LayoutUnknown,
    /// The ETag is not an MD5: SSE-KMS, SSE-C, a directory bucket, or a server with its own tags.
    #[serde(rename = "opaque_etag")]
    OpaqueETag,
    /// The store keeps a checksum under an algorithm this program does not know.
    AlgorithmUnknown,
    /// The endpoint keeps or tells no checksum.
    EndpointCannot,
    /// The object keeps no checksum under the algorithm it was to be compared by.
    NoChecksum,
    /// It may not be read.
    Denied,
    /// The user switched this verification off.
    SwitchedOff,
}

impl Why {
    /// The word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LayoutUnknown => "layout_unknown",
            Self::OpaqueETag => "opaque_etag",
            Self::AlgorithmUnknown => "algorithm_unknown",
            Self::EndpointCannot => "endpoint_cannot",
            Self::NoChecksum => "no_checksum",
            Self::Denied => "denied",
            Self::SwitchedOff => "switched_off",
        }
    }
}

impl Verdict {
    /// The word reports use.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Mismatch { .. } => "mismatch",
            Self::Unverifiable(_) => "unverifiable",
        }
    }

    /// Whether it says one way or the other.
    pub fn is_decided(&self) -> bool {
        match self {
            Self::Verified(_) | Self::Mismatch { .. } => true,
            Self::Unverifiable(_) => false,
        }
    }

    /// How bad it is: 0 verified, 1 unverifiable, 2 mismatch.
    fn rank(&self) -> u8 {
        match self {
            Self::Verified(_) => 0,
            Self::Unverifiable(_) => 1,
            Self::Mismatch { .. } => 2,
        }
    }

    /// Compares what was computed with what is stored; different kinds of checksum cannot be.
    pub fn compare(sent: Checksum, stored: Checksum) -> Self {
        let same_kind = sent.algorithm() == stored.algorithm()
            && match (&sent, &stored) {
                (Checksum::Whole(_), Checksum::Whole(_)) => true,
                (Checksum::Composite { parts: a, .. }, Checksum::Composite { parts: b, .. }) => {
                    a == b
                }
                (Checksum::Whole(_), Checksum::Composite { .. })
                | (Checksum::Composite { .. }, Checksum::Whole(_)) => false,
            };
        if !same_kind {
            Self::Unverifiable(Why::LayoutUnknown)
        } else if sent == stored {
            Self::Verified(sent)
        } else {
            Self::Mismatch { sent, stored }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn md5(data: &[u8]) -> Digest {
        digest(Algorithm::Md5, data)
    }

    #[test]
    fn checksums_read_back_what_they_print() {
        for algorithm in Algorithm::ALL {
            let whole = Checksum::Whole(digest(algorithm, b"abc"));
            assert_eq!(
                Checksum::parse(algorithm, &whole.to_string()),
                Some(whole),
                "{algorithm}"
            );
            let parts = [digest(algorithm, b"a"), digest(algorithm, b"b")];
            let composite = composite(&parts).expect("two parts");
            assert_eq!(
                Checksum::parse(algorithm, &composite.to_string()),
                Some(composite),
                "{algorithm}"
            );
        }
    }

    #[test]
    fn a_verdict_is_a_mismatch_only_between_comparable_checksums() {
        let whole = Checksum::Whole(md5(b"a"));
        let other = Checksum::Whole(md5(b"b"));
        let parts = composite(&[md5(b"a")]).expect("one part");
        assert_eq!(Verdict::compare(whole, whole), Verdict::Verified(whole));
        assert_eq!(
            Verdict::compare(whole, other),
            Verdict::Mismatch {
                sent: whole,
                stored: other
            }
        );
        assert_eq!(
            Verdict::compare(whole, parts),
            Verdict::Unverifiable(Why::LayoutUnknown)
        );
    }
}
