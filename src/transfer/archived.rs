//! Objects that cannot be read before they are restored. A listing tells which may be such, and a
//! HEAD which are: nothing is begun at the target for one that is.

use super::Transferrer;
use crate::object::Entry;
use crate::store::{ErrorKind, Head, NOT_RESTORED, StoreError};

/// Whether the listing speaks of a class whose objects have to be restored.
pub(crate) fn may_be_archived(entry: &Entry) -> bool {
    let class = entry.storage_class.as_ref();
    class.is_some_and(|class| class.is_archive())
}

/// Asks for an object that may be archived, unless the source has `told` of it already: an error
/// where it is and was not restored. What the source said comes back where it is still of the
/// object that was listed.
pub(super) async fn look(
    via: &Transferrer,
    entry: &Entry,
    told: Option<Head>,
) -> Result<Option<Head>, StoreError> {
    let head = match told {
        Some(head) => head,
        None if may_be_archived(entry) => via.source.head(entry.at(), via.asks_checksums()).await?,
        None => return Ok(None),
    };
    let head = readable(entry, head)?;
    Ok(Some(head).filter(|head| head.etag == entry.etag))
}

/// What the source said of an object, unless that is that it cannot be read.
pub(super) fn readable(entry: &Entry, head: Head) -> Result<Head, StoreError> {
    if head.is_archived {
        let key = entry.key.as_str();
        return Err(StoreError::new(
            "HeadObject",
            key,
            ErrorKind::Archived,
            NOT_RESTORED,
        ));
    }
    Ok(head)
}
