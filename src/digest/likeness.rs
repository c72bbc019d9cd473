//! What comparing the two ends of one object showed, nothing having been transferred.

use super::{Algorithm, Proof, Verdict};

/// Two objects compared along each kind of evidence, each `None` where it was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// By the ETag.
    pub etag: Option<Comparison>,
    /// By the additional checksum.
    pub checksum: Option<Comparison>,
    /// By an additional checksum of another algorithm than the one asked for: no stand-in for that,
    /// but what it proves of the content is proved.
    pub aside: Option<Comparison>,
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
        // what was asked for says why, where nothing decides
        let mut verdicts = self.evidence().map(|one| &one.proof.verdict);
        let first = verdicts.clone().next()?;
        verdicts
            .clone()
            .find(|verdict| matches!(verdict, Verdict::Mismatch { .. }))
            .or_else(|| verdicts.find(|verdict| matches!(verdict, Verdict::Verified(_))))
            .or(Some(first))
            .cloned()
    }

    /// All that was looked at.
    pub fn evidence(&self) -> impl Iterator<Item = &Comparison> + Clone {
        self.etag.iter().chain(&self.checksum).chain(&self.aside)
    }
}
