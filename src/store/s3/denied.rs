//! What a HEAD that is denied means: its answer has no body, and so no word on why.

use std::sync::atomic::Ordering;

use super::{S3Store, read};
use crate::object::ObjectVersion;
use crate::store::{ErrorKind, Head, Read, StoreError};

/// What the store says of an object. Where it denies that in no words, the object's first byte is
/// asked for, until it was once said that it is the object that is denied: credentials that are
/// wrong are to end everything, and not to leave out each object.
pub(super) async fn head(
    store: &S3Store,
    of: ObjectVersion<'_>,
    checksums: bool,
) -> Result<Head, StoreError> {
    let denied = match read::head(store, of, checksums).await {
        Err(error) if error.kind == ErrorKind::AccessDenied && is_wordless(&error) => error,
        answer => return answer,
    };
    if store.0.denies_objects.load(Ordering::Relaxed) {
        return Err(denied);
    }
    let first = Read {
        key: of.key.clone(),
        version: of.version.map(Into::into),
        range: Some(0..1),
        expected: 1,
        if_match: None,
        hash: Vec::new(),
    };
    match read::read(store, &first).await {
        Err(error) if error.kind == ErrorKind::Fatal => Err(error),
        Err(error) if error.kind == ErrorKind::AccessDenied => {
            store.0.denies_objects.store(true, Ordering::Relaxed);
            Err(denied)
        }
        Ok(_) | Err(_) => Err(denied),
    }
}

/// Whether its code is the status alone.
fn is_wordless(error: &StoreError) -> bool {
    error.code.as_deref() == Some("HTTP 403")
}
