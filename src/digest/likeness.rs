//! What comparing the two ends of one object showed, nothing having been transferred.

use super::{Algorithm, Proof, Verdict};

/// Two objects compared along each kind of evidence, each `None` where it was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// By the ETag.
    pub etag: Option<Comparison>,
    /// By the additional checksum.
    pub checksum: Option<Comparison>,
}

/// One kind of evidence, as both ends have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The source's value as S3 writes it, without quotes; what a file would have. `None` where
    /// there is none or it could not be made.
    pub source: Option<String>,
    /// The target's.
    pub target: Option<String>,
    /// What the values are made by; an ETag's is MD5.
    pub algorithm: Algorithm,
    /// What they prove, and how.
    pub proof: Proof,
}

impl Likeness {
    /// What all evidence together says: one mismatch is a mismatch; otherwise one match is enough.
    /// `None` where nothing was compared.
    pub fn verdict(&self) -> Option<Verdict> {
        let integrity = super::Integrity {
            etag: self.etag.as_ref().map(|one| one.proof.clone()),
            checksum: self.checksum.as_ref().map(|one| one.proof.clone()),
        };
        (self.etag.is_some() || self.checksum.is_some()).then(|| integrity.verdict())
    }
}
