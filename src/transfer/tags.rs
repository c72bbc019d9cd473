//! The tags an object is written with.

use super::{Transferrer, Work};
use crate::config::{OnDenied, WrittenTags};
use crate::object::{Entry, ObjectVersion, Tags};
use crate::store::{Brings, Copied, CopySource, ErrorKind, Head, Put, StoreError};

/// The tags of a copy that passes through here or is made of parts, and whether it has to do
/// without those of the source, which may not be read. `head` is what the source said of what is
/// copied: it is only asked for tags if it told that there are any.
pub(super) async fn of(
    via: &Transferrer,
    entry: &Entry,
    head: &Head,
) -> Result<(Tags, bool), StoreError> {
    match &via.pair.tagging.tags {
        WrittenTags::None => Ok((Tags::new(), false)),
        WrittenTags::Set(tags) => Ok((tags.clone(), false)),
        WrittenTags::Copied if head.tag_count.is_none_or(|count| count == 0) => {
            Ok((Tags::new(), false))
        }
        WrittenTags::Copied => {
            let version = head.version.as_deref().or(entry.version.as_deref());
            let key = &entry.key;
            let read = readable(via, via.source.tags(ObjectVersion { key, version }).await)?;
            Ok((read.clone().unwrap_or_default(), read.is_none()))
        }
    }
}

/// Copies an object at once. S3 takes tags along by itself, and refuses the copy where they may
/// not be read without saying that it is for them.
pub(super) async fn copy(
    via: &Transferrer,
    work: &Work,
    put: Put,
    from: CopySource,
) -> Result<(Copied, bool), StoreError> {
    let (tags, brings_tags) = match &via.pair.tagging.tags {
        WrittenTags::None => (Tags::new(), false),
        WrittenTags::Set(tags) => (tags.clone(), false),
        WrittenTags::Copied => (Tags::new(), true),
    };
    let put = Put { tags, ..put };
    let brings = Brings {
        tags: brings_tags,
        annotations: via.pair.annotations.carried,
    };
    let from = CopySource { brings, ..from };
    let error = match via.target.copy(&put, &from).await {
        Ok(copied) => return Ok((copied, false)),
        Err(error) => error,
    };
    if error.kind != ErrorKind::AccessDenied || !brings_tags {
        return Err(error);
    }
    if readable(via, via.source.tags(work.entry.at()).await)?.is_some() {
        // something else may not be done
        return Err(error);
    }
    let brings = Brings {
        tags: false,
        ..brings
    };
    let from = CopySource { brings, ..from };
    Ok((via.target.copy(&put, &from).await?, true))
}

/// The source's tags, or `None` where they may not be read and the user accepts that.
pub(super) fn readable(
    via: &Transferrer,
    tags: Result<Tags, StoreError>,
) -> Result<Option<Tags>, StoreError> {
    match (tags, via.pair.tagging.on_denied) {
        (Ok(tags), _) => Ok(Some(tags)),
        (Err(error), OnDenied::Skip) if error.kind == ErrorKind::AccessDenied => Ok(None),
        (Err(error), OnDenied::Skip | OnDenied::Fail) => Err(error),
    }
}
