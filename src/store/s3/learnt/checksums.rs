//! Which additional checksums the endpoint takes and tells.

use super::{Lack, Learning};
use crate::digest::{Algorithm, Checksum};
use crate::object::ETag;
use crate::store::s3::S3Store;
use crate::store::{ErrorKind, StoreError, Stored};

/// Makes a request that asks for an additional checksum: once more without it where the endpoint
/// refuses that, and without it at once from then on, if it is the checksum that was refused.
/// Tells with which checksum it was done.
pub(in crate::store::s3) async fn asking_for<T, F>(
    store: &S3Store,
    wanted: Option<Algorithm>,
    request: impl Fn(Option<Algorithm>) -> F,
) -> Result<(T, Option<Algorithm>), StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let wanted = wanted.filter(|algorithm| !store.lacks(Lack::Checksum(*algorithm)));
    let Some(algorithm) = wanted else {
        return Ok((request(None).await?, None));
    };
    let refusal = match request(wanted).await {
        Ok(done) => {
            store.does(Lack::Checksum(algorithm));
            return Ok((done, wanted));
        }
        Err(error) if may_be_of_the_checksum(&error) => error,
        Err(error) => return Err(error),
    };
    let Ok(done) = request(None).await else {
        return Err(refusal);
    };
    match store.learn_from(Lack::Checksum(algorithm), &refusal) {
        Learning::Learnt => {}
        Learning::ThisTime => {
            let what = format!("the {algorithm} checksum of `{}`", refusal.subject);
            store.0.meter.lost(&what, &refusal.to_string());
        }
    }
    Ok((done, None))
}

impl S3Store {
    /// Notes whether the answer to a write proves it: by the checksum that was asked for, and by
    /// its ETag unless the user's own choice of encryption makes that something else.
    pub(in crate::store::s3) fn note_proofs(
        &self,
        operation: &str,
        asked: Option<Algorithm>,
        stored: &Stored,
    ) {
        let is_told = |algorithm| {
            let mut told = stored.checksums.iter().map(Checksum::algorithm);
            told.any(|told| told == algorithm)
        };
        if let Some(algorithm) = asked.filter(|algorithm| !is_told(*algorithm)) {
            let why = format!("the answer to {operation} does not tell the checksum");
            self.learn(Lack::Told(algorithm), &why);
        }
        let has_digests =
            !self.0.settings.location.is_directory_bucket() && !self.encryption().hides_digests();
        let is_digest = stored.etag_is_digest
            && stored
                .etag
                .as_ref()
                .is_some_and(|etag| !matches!(etag, ETag::Opaque(_)));
        if has_digests && !is_digest {
            let why = if stored.etag_is_digest {
                format!("the answer to {operation} has an ETag that is no MD5")
            } else {
                "the endpoint encrypts what is written, so that its ETag is no MD5".to_owned()
            };
            self.learn(Lack::DigestETags, &why);
        }
    }
}

/// What a server may say to a header it does not take: that is none of the failures that are known
/// to have another cause.
fn may_be_of_the_checksum(error: &StoreError) -> bool {
    matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Other)
}
