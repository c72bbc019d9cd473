//! Refusals whose words may mean anything: one may be of its object, or of a bad moment.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::{Lack, is_refusal, lock};
use crate::store::StoreError;
use crate::store::s3::S3Store;

/// What was refused once in such words, and taken without it.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<BTreeSet<Lack>>);

/// What a refusal taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::s3) enum Learning {
    /// The endpoint does not do it.
    Learnt,
    /// It did not do it this time.
    ThisTime,
}

impl S3Store {
    /// Notes that the endpoint refused this, and took the same request without it. In words of
    /// what it does not know that is proof; in others it is when it comes a second time, with no
    /// [`success`](Self::does) in between.
    pub(in crate::store::s3) fn learn_from(&self, lack: Lack, refusal: &StoreError) -> Learning {
        let is_clear = is_refusal(refusal) || lack.is_named_in(refusal);
        if is_clear || !lock(&self.0.learnt.doubts.0).insert(lack) {
            self.learn(lack, &refusal.to_string());
            return Learning::Learnt;
        }
        Learning::ThisTime
    }

    /// Notes that the endpoint does it: what it refused before was of something else.
    pub(in crate::store::s3) fn does(&self, lack: Lack) {
        lock(&self.0.learnt.doubts.0).remove(&lack);
    }
}

impl Lack {
    /// Whether a refusal says that it is for this.
    fn is_named_in(self, refusal: &StoreError) -> bool {
        let words: &[&str] = match self {
            Self::Checksum(_) => &["checksum", "algorithm"],
            // S3 wanted an MD5 of these requests once, and some servers do still
            Self::Batches => &["md5", "checksum"],
            Self::Extra(_)
            | Self::Keeping(_)
            | Self::Told(_)
            | Self::DigestETags
            | Self::Conditions
            | Self::DeleteConditions
            | Self::ListedETags
            | Self::ListV2
            | Self::EncodedKeys
            | Self::Parts => &[],
        };
        let code = refusal.code.as_deref().unwrap_or_default();
        let said = [code, &refusal.message].map(str::to_ascii_lowercase);
        words
            .iter()
            .any(|word| said.iter().any(|said| said.contains(word)))
    }
}
