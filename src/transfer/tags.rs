//! The tags an object is written with.

use std::sync::atomic::Ordering;

use super::{Transferrer, Work};
use crate::config::{OnDenied, WrittenTags};
use crate::object::{ObjectVersion, Tags};
use crate::store::{Brings, Copied, CopySource, ErrorKind, Head, Put, StoreError};

/// The same with its tags, for a copy that passes through here or is made of parts. `head` is what
/// the source said of what is copied: it is only asked for tags if it told that there are any.
pub(super) async fn with_tags(
    via: &Transferrer,
    work: &Work,
    head: &Head,
    put: Put,
) -> Result<Put, StoreError> {
    let tags = match &via.pair.tagging.tags {
        WrittenTags::None => Tags::new(),
        WrittenTags::Set(tags) => tags.clone(),
        WrittenTags::Copied if head.tag_count.is_none_or(|count| count == 0) => Tags::new(),
        WrittenTags::Copied => {
            let of = ObjectVersion {
                key: &work.entry.key,
                version: head.version.as_deref().or(work.entry.version.as_deref()),
            };
            let read = readable(via, via.source.tags(of).await)?;
            work.is_untagged.store(read.is_none(), Ordering::Relaxed);
            read.unwrap_or_default()
        }
    };
    Ok(Put { tags, ..put })
}

/// Copies an object at once. S3 takes tags along by itself, and refuses the copy where they may
/// not be read without saying that it is for them.
pub(super) async fn copy(
    via: &Transferrer,
    work: &Work,
    put: &Put,
    from: &CopySource,
) -> Result<Copied, StoreError> {
    let (tags, brings_tags) = match &via.pair.tagging.tags {
        WrittenTags::None => (Tags::new(), false),
        WrittenTags::Set(tags) => (tags.clone(), false),
        WrittenTags::Copied => (Tags::new(), true),
    };
    let put = Put {
        tags,
        ..put.clone()
    };
    let brings = Brings {
        tags: brings_tags,
        annotations: via.pair.annotations.carried,
    };
    let from = CopySource {
        brings,
        ..from.clone()
    };
    let error = match via.target.copy(&put, &from).await {
        Ok(copied) => return Ok(copied),
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
    work.is_untagged.store(true, Ordering::Relaxed);
    via.target.copy(&put, &from).await
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
