//! Whether a key still has the object that was listed.

use super::delete::Wanted;
use super::{S3Store, read};
use crate::store::{ErrorKind, Head, Still, StoreError};

/// What a look at a key found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The object that was listed.
    Listed,
    /// Nothing.
    Gone,
    /// It may not be looked at: what was listed is all that is known.
    Denied,
}

/// Looks; that something else is there is a [`ErrorKind::PreconditionFailed`].
pub(super) async fn look(store: &S3Store, wanted: &Wanted) -> Result<Seen, StoreError> {
    let head = match read::head(store, (&wanted.key).into(), false).await {
        Ok(head) => head,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Seen::Gone),
        Err(error) if error.kind == ErrorKind::AccessDenied => return Ok(Seen::Denied),
        Err(error) => return Err(error),
    };
    if (wanted.still.as_ref()).is_none_or(|still| is_listed(still, &head)) {
        return Ok(Seen::Listed);
    }
    Err(replaced("HeadObject", &wanted.full_key))
}

/// Whether it is what was listed: by its ETag, or by size and time where none was listed. A HEAD
/// tells the time to the second.
fn is_listed(still: &Still, head: &Head) -> bool {
    match &still.etag {
        Some(_) => head.etag == still.etag,
        None => head.size == still.size && head.modified.seconds() == still.modified.seconds(),
    }
}

/// Something else is there than what was listed.
pub(super) fn replaced(operation: &'static str, full_key: &str) -> StoreError {
    StoreError::new(
        operation,
        full_key,
        ErrorKind::PreconditionFailed,
        "it was replaced since it was listed, and stays",
    )
}
