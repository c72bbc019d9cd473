//! Which additional checksums the endpoint takes and tells: learnt from its answers, and told once
//! where it does not.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::S3Store;
use crate::digest::{Algorithm, Checksum};
use crate::store::{ErrorKind, StoreError};

/// What was learnt of an endpoint so far.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Requests that ask for these fail, and without them do not.
    refused: Mutex<BTreeSet<Algorithm>>,
    /// It takes these, and its answers to writes are silent about them.
    untold: Mutex<BTreeSet<Algorithm>>,
}

/// Makes a request that asks for an additional checksum: once more without it where the endpoint
/// refuses that, and without it at once from then on. Tells with which checksum it was done.
pub(super) async fn asking_for<T, F>(
    store: &S3Store,
    wanted: Option<Algorithm>,
    request: impl Fn(Option<Algorithm>) -> F,
) -> Result<(T, Option<Algorithm>), StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let kept = &store.0.kept;
    let wanted = wanted.filter(|algorithm| !lock(&kept.refused).contains(algorithm));
    let Some(algorithm) = wanted else {
        return Ok((request(None).await?, None));
    };
    let refusal = match request(wanted).await {
        Ok(done) => return Ok((done, wanted)),
        Err(error) if may_be_of_the_checksum(&error) => error,
        Err(error) => return Err(error),
    };
    let Ok(done) = request(None).await else {
        return Err(refusal);
    };
    if lock(&kept.refused).insert(algorithm) {
        let what = format!("{algorithm} checksums of what is written");
        store.0.meter.lost(&what, &refusal.to_string());
    }
    Ok((done, None))
}

impl S3Store {
    /// Notes whether the answer to a write tells the checksum that was asked for.
    pub(super) fn note_checksum(
        &self,
        operation: &str,
        asked: Option<Algorithm>,
        told: &[Checksum],
    ) {
        let is_told = |algorithm| told.iter().any(|kept| kept.algorithm() == algorithm);
        let Some(algorithm) = asked.filter(|algorithm| !is_told(*algorithm)) else {
            return;
        };
        if lock(&self.0.kept.untold).insert(algorithm) {
            self.0.meter.lost(
                &format!("proof of what is written by its {algorithm} checksum"),
                &format!("the answer to {operation} does not tell the checksum"),
            );
        }
    }
}

/// What a server says to a header it does not take: that is not one of S3's answers about the
/// object, the bucket, or who asks.
fn may_be_of_the_checksum(error: &StoreError) -> bool {
    matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Other)
}

fn lock<T>(learnt: &Mutex<T>) -> MutexGuard<'_, T> {
    learnt.lock().unwrap_or_else(PoisonError::into_inner)
}
