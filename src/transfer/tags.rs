//! The tags an object is written with.

use std::sync::atomic::Ordering;

use super::{Transferrer, Work};
use crate::config::{OnDenied, SourceSpec, WrittenTags};
use crate::object::Tags;
use crate::plan::Direction;
use crate::store::{Brings, Copied, CopySource, ErrorKind, Head, Meter as _, Put, StoreError};

/// The same with its tags, for a copy that passes through here or is made of parts. `head` is what
/// the source said of what is copied: it is only asked for tags where there may be any.
pub(super) async fn with_tags(
    via: &Transferrer,
    work: &Work,
    head: &Head,
    put: Put,
) -> Result<Put, StoreError> {
    work.is_untagged.store(false, Ordering::Relaxed);
    let tags = match &via.pair.tagging.tags {
        WrittenTags::None => Tags::new(),
        WrittenTags::Set(tags) => tags.clone(),
        WrittenTags::Copied if let Some(tags) = &work.tags => tags.clone(),
        WrittenTags::Copied if !may_have_some(via, head) => Tags::new(),
        WrittenTags::Copied => {
            let told = told(via, head, via.source.tags(work.of(head)).await);
            let read = readable(via, told)?;
            work.is_untagged.store(read.is_none(), Ordering::Relaxed);
            read.unwrap_or_default()
        }
    };
    Ok(Put { tags, ..put })
}

/// Whether an object may have tags. S3 tells how many there are only to those who may read them, so
/// that nothing told may mean that they are withheld, of this object and not of the next: each of
/// which nothing is told is asked.
fn may_have_some(via: &Transferrer, head: &Head) -> bool {
    match head.tag_count {
        Some(count) => count > 0,
        None => via.direction == Direction::S3ToS3 && !via.has_no_tags.load(Ordering::Relaxed),
    }
}

/// What came of asking for them. A source that knows no tags has none, and is not asked again; nor
/// is one that tells them to nobody who asks without a name.
fn told(
    via: &Transferrer,
    head: &Head,
    tags: Result<Tags, StoreError>,
) -> Result<Tags, StoreError> {
    match tags {
        Err(error) if head.tag_count.is_none() && error.kind == ErrorKind::Unsupported => {
            via.has_no_tags.store(true, Ordering::Relaxed);
            Ok(Tags::new())
        }
        Err(error)
            if head.tag_count.is_none()
                && error.kind == ErrorKind::AccessDenied
                && is_anonymous(&via.pair.source) =>
        {
            if !via.has_no_tags.swap(true, Ordering::Relaxed) {
                let what = "the tags of the source's objects";
                via.sinks
                    .lost(what, "the source tells none to anonymous requests");
            }
            Ok(Tags::new())
        }
        other => other,
    }
}

fn is_anonymous(source: &SourceSpec) -> bool {
    matches!(source, SourceSpec::S3(settings) if settings.anonymous)
}

/// Copies an object at once. S3 takes tags along by itself, and refuses the copy where they may
/// not be read without saying that it is for them.
pub(super) async fn copy(
    via: &Transferrer,
    work: &Work,
    put: &Put,
    from: &CopySource,
) -> Result<Copied, StoreError> {
    let is_said = !via.preprocess.is_empty();
    if !is_said {
        work.is_untagged.store(false, Ordering::Relaxed);
    }
    let (tags, brings_tags) = match &via.pair.tagging.tags {
        // who was asked about the object has seen them
        _ if is_said => (put.tags.clone(), false),
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
    match readable(via, via.source.tags(work.entry.at()).await) {
        Ok(None) => {}
        Err(of_tags) if of_tags.kind == ErrorKind::AccessDenied => return Err(of_tags),
        // something else may not be done
        Ok(Some(_)) | Err(_) => return Err(error),
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
