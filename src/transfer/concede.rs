/*! What a target cannot do, and an object can be moved without.

Three things of a pair's are of that kind: copies inside S3, where the bytes can go through here
instead; the storage class that the source has, where the bucket's own does as well; and the tags of
what is unchanged, where either end knows none. A class the user names is not: to be refused it is
an error. What is conceded is learnt from an object that was refused with it and moved or left
without it, once for copies and tags and once for each class, and told as a guarantee that is lost.
*/

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::trouble::Trouble;
use super::{Done, Transferrer, Work, attempt};
use crate::event::Sinks;
use crate::object::StorageClass;
use crate::store::{ErrorKind, Meter as _, StoreError};

/// What was conceded to a target so far.
#[derive(Debug, Default)]
pub(super) struct Conceded {
    copies: AtomicBool,
    classes: Mutex<HashSet<StorageClass>>,
    tags: AtomicBool,
}

impl Conceded {
    /// Whether the target does not take this class of a source.
    pub(super) fn class(&self, class: &StorageClass) -> bool {
        self.classes().contains(class)
    }

    /// Whether the tags of unchanged objects cannot be brought up to date.
    pub(super) fn tags(&self) -> bool {
        self.tags.load(Ordering::Relaxed)
    }

    /// Notes that they cannot be, and tells it the first time.
    pub(super) fn concede_tags(&self, sinks: &Sinks, refusal: &StoreError) {
        if !self.tags.swap(true, Ordering::Relaxed) {
            let what = "the tags of unchanged objects: they are left as they are";
            sinks.lost(what, &refusal.to_string());
        }
    }

    fn classes(&self) -> MutexGuard<'_, HashSet<StorageClass>> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The class of its source that an object was last to be written in.
#[derive(Debug, Default)]
pub(super) struct KeptClass(Mutex<Option<StorageClass>>);

impl KeptClass {
    /// Notes it; `None` where it is not written in one.
    pub(super) fn note(&self, class: Option<StorageClass>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = class;
    }

    fn take(&self) -> Option<StorageClass> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Moves the object once, in the first of the ways that the target does not refuse.
pub(super) async fn attempt(via: &Transferrer, work: &Work) -> Result<Done, Trouble> {
    let inside = via.pair.server_side_copy && !via.conceded.copies.load(Ordering::Relaxed);
    let refusal = match with_a_class(via, work, inside).await {
        Err(Trouble::Store(error)) if inside && is_of_copies(&error) => error,
        other => return other,
    };
    let done = with_a_class(via, work, false).await?;
    if !via.conceded.copies.swap(true, Ordering::Relaxed) {
        let what = "copies inside S3: the bytes go through this machine";
        via.sinks.lost(what, &refusal.to_string());
    }
    Ok(done)
}

async fn with_a_class(via: &Transferrer, work: &Work, inside: bool) -> Result<Done, Trouble> {
    work.kept_class.note(None);
    let refusal = match attempt::attempt(via, work, inside).await {
        Err(Trouble::Store(error)) if may_be_of_the_class(&error) => error,
        other => return other,
    };
    let Some(class) = work.kept_class.take() else {
        return Err(refusal.into());
    };
    let plain = Work {
        without_class: true,
        ..work.clone()
    };
    match attempt::attempt(via, &plain, inside).await {
        Err(Trouble::Store(error)) if may_be_of_the_class(&error) => Err(refusal.into()),
        Err(trouble) => Err(trouble),
        Ok(done) => {
            let what = format!(
                "the storage class {class} of the source: objects of it get the target's own"
            );
            if via.conceded.classes().insert(class) {
                via.sinks.lost(&what, &refusal.to_string());
            }
            Ok(done)
        }
    }
}

/// Whether the target says that it does not copy.
fn is_of_copies(error: &StoreError) -> bool {
    let copies = matches!(error.operation, "CopyObject" | "UploadPartCopy");
    let is_unheard_of = error.code.as_deref() == Some("MethodNotAllowed");
    copies && (error.kind == ErrorKind::Unsupported || is_unheard_of)
}

/// Whether the target may say that it does not know the class.
fn may_be_of_the_class(error: &StoreError) -> bool {
    let writes = matches!(
        error.operation,
        "PutObject" | "CreateMultipartUpload" | "CopyObject"
    );
    let is_named = error.code.as_deref() == Some("InvalidStorageClass");
    writes && (is_named || error.kind == ErrorKind::Unsupported)
}
