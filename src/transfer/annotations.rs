//! Annotations on their way: what S3 does not take along by itself is read and written here.

use std::sync::atomic::Ordering;

use futures::{StreamExt as _, TryStreamExt as _};

use super::trouble::{Trouble, of_target};
use super::{Done, Transferrer, Work};
use crate::context::cancelled;
use crate::digest::{Algorithm, Digest, digest};
use crate::event::{Annotated, Event, FailReason, Fate, Tagged};
use crate::examine::AnnotationsCompared;
use crate::object::{ETag, ObjectKey, ObjectVersion};
use crate::store::{AnnotationContent, AnnotationTag, Annotations, ErrorKind, Head, StoreError};

/// The annotations an object is to have that is about to be published without them. From now until
/// it has them it is distrusted, so that no other run takes it for unchanged if this one comes to
/// grief in between. `head` is what the source said of what is published.
pub(super) async fn ahead(
    via: &Transferrer,
    work: &Work,
    head: &Head,
) -> Result<Annotations, StoreError> {
    if !via.pair.annotations.carried {
        return Ok(Annotations::new());
    }
    let annotations = via.source.annotations(work.of(head)).await?;
    // what is distrusted for worse stays so
    let is_news = !annotations.is_empty() && !work.is_distrusted;
    if is_news && !work.owes_annotations.swap(true, Ordering::Relaxed) {
        via.sinks.emit(&Event::Distrusted {
            key: work.entry.key.clone(),
            etag: None,
            version: None,
            reason: FailReason::Annotations,
        });
    }
    Ok(annotations)
}

/// Whether an object was refused as it was to be published, so that there is nothing that could lack
/// its annotations. Whatever else went wrong, it may have been published.
pub(super) fn is_refusal(trouble: &Trouble) -> bool {
    let Trouble::Store(error) = trouble else {
        return false;
    };
    let publishes = matches!(error.operation, "PutObject" | "CompleteMultipartUpload");
    let refuses = [ErrorKind::AccessDenied, ErrorKind::PreconditionFailed];
    publishes && refuses.contains(&error.kind)
}

/// Brings the annotations of an object along that has just arrived.
pub(super) async fn bring_along(
    via: &Transferrer,
    work: &Work,
    done: &Done,
) -> Result<(), StoreError> {
    if !via.pair.annotations.carried {
        return Ok(());
    }
    let (facts, stored) = (done.settled.source(), done.settled.stored());
    let from = ObjectVersion {
        key: &facts.key,
        version: facts.version.as_deref(),
    };
    let to = ObjectVersion {
        key: &facts.key,
        version: stored.version.as_deref(),
    };
    let distrust = || {
        let is_told = work.is_distrusted || work.owes_annotations.load(Ordering::Relaxed);
        if !is_told {
            via.sinks.emit(&Event::Distrusted {
                key: facts.key.clone(),
                etag: stored.etag.clone(),
                version: stored.version.clone(),
                reason: FailReason::Annotations,
            });
        }
    };
    let compared = match &done.annotations {
        // a new object has none
        Some(source) => Ok(AnnotationsCompared::with_none(source.clone())),
        None => via.examiner.annotations(from, to).await,
    };
    match compared {
        Ok(compared) if compared.is_alike() => Ok(()),
        Ok(compared) => {
            distrust();
            bring(via, from, to, &compared).await
        }
        Err(error) => {
            distrust();
            Err(error)
        }
    }
}

/// Makes the annotations of the target those of the source.
pub(super) async fn bring(
    via: &Transferrer,
    from: ObjectVersion<'_>,
    to: ObjectVersion<'_>,
    compared: &AnnotationsCompared,
) -> Result<(), StoreError> {
    let at_once = usize::from(via.pair.performance.max_parallel_uploads);
    futures::stream::iter(compared.differing.clone())
        .map(|name| async move {
            let size = compared.source.get(&name).map_or(0, |one| one.size);
            write(via, from, to, &name, size).await
        })
        .buffer_unordered(at_once)
        .try_collect::<()>()
        .await?;
    futures::stream::iter(compared.extra.clone())
        .map(|name| async move { remove(via, from, to, &name).await })
        .buffer_unordered(at_once)
        .try_collect::<()>()
        .await
}

async fn write(
    via: &Transferrer,
    from: ObjectVersion<'_>,
    to: ObjectVersion<'_>,
    name: &str,
    size: u64,
) -> Result<(), StoreError> {
    let room = async {
        // memory before a place, as parts do
        let reserved = via.budget.reserve(size).await;
        (reserved, via.parts.to_annotate().await)
    };
    let _room = tokio::select! {
        room = room => room,
        () = via.stop.cancelled() => return Err(cancelled(from.key.as_str())),
    };
    let tell = |fate| tell(via, from, to, name, fate);
    let mut tries = 0;
    loop {
        stopped(via, from.key)?;
        let content = match via.source.annotation(from, name).await {
            Ok(content) => content,
            // it was removed since it was listed
            Err(error) if error.code.as_deref() == Some("NoSuchAnnotation") => {
                return remove(via, from, to, name).await;
            }
            Err(error) => return Err(error),
        };
        let bytes = content.bytes.clone();
        let stored = via.target.put_annotation(to, name, bytes).await;
        let stored = stored.map_err(of_target)?;
        let tagged = Tagged {
            size: content.bytes.len() as u64,
            source: content.etag.etag.clone(),
            target: stored.etag.clone(),
        };
        let verdict = verdict(via, &content, &stored);
        if verdict != Some(false) {
            tell(Fate::Written(tagged.clone()));
        }
        match verdict {
            None => return Ok(()),
            Some(true) => {
                tell(Fate::Verified(tagged));
                return Ok(());
            }
            Some(false) => {}
        }
        tell(Fate::Mismatched(tagged.clone()));
        if tries >= via.pair.force_retry.0 {
            let shown = |etag: &Option<ETag>| etag.as_ref().map_or("none".into(), ETag::quoted);
            let message = format!(
                "the annotation `{name}` has the ETag {} in the source and {} in the target",
                shown(&tagged.source),
                shown(&tagged.target)
            );
            return Err(StoreError::new(
                "verify",
                from.key.as_str(),
                ErrorKind::Corrupted,
                message,
            ));
        }
        tries += 1;
    }
}

/// Whether the ETags of both sides are those of the bytes that passed through here; `None` where
/// neither tells, or nobody wants to know.
fn verdict(via: &Transferrer, content: &AnnotationContent, stored: &AnnotationTag) -> Option<bool> {
    if !via.pair.annotations.check_etag {
        return None;
    }
    let md5 = digest(Algorithm::Md5, &content.bytes);
    let [source, target] = [&content.etag, stored].map(|tag| fits(tag, &md5));
    match (source, target) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(true) && other.unwrap_or(true)),
    }
}

fn fits(tag: &AnnotationTag, md5: &Digest) -> Option<bool> {
    match &tag.etag {
        Some(ETag::Md5Shaped(told)) if tag.is_digest => {
            Some(Digest::from_bytes(Algorithm::Md5, told) == Some(*md5))
        }
        _ => None,
    }
}

async fn remove(
    via: &Transferrer,
    from: ObjectVersion<'_>,
    to: ObjectVersion<'_>,
    name: &str,
) -> Result<(), StoreError> {
    stopped(via, from.key)?;
    let removed = via.target.delete_annotation(to, name).await;
    removed.map_err(of_target)?;
    tell(via, from, to, name, Fate::Removed);
    Ok(())
}

fn tell(via: &Transferrer, from: ObjectVersion<'_>, to: ObjectVersion<'_>, name: &str, fate: Fate) {
    via.sinks.emit(&Event::Annotated(Box::new(Annotated {
        key: from.key.clone(),
        source_version: from.version.map(Into::into),
        target_version: to.version.map(Into::into),
        name: name.to_owned(),
        fate,
    })));
}

fn stopped(via: &Transferrer, key: &ObjectKey) -> Result<(), StoreError> {
    if via.stop.is_cancelled() {
        return Err(cancelled(key.as_str()));
    }
    Ok(())
}
