//! What a write was refused for whose condition did not hold, and whether it was refused at all: an
//! attempt whose answer was lost may have written the very object that fails the next one.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use super::S3Store;
use super::completion::{Expected, Likeness};
use crate::object::ObjectKey;
use crate::store::{Condition, ErrorKind, Head, Source as _, StoreError, Stored};

/// The error in the words of the condition, where it says that this did not hold.
pub(super) fn refused(error: StoreError, condition: &Condition) -> StoreError {
    let is_absent = || {
        let code = error.code.as_deref();
        error.kind == ErrorKind::NotFound && code != Some("NoSuchUpload")
    };
    let message = match condition {
        Condition::Has(_) if error.kind == ErrorKind::PreconditionFailed => {
            "the target has another object than the one that was listed (If-Match)"
        }
        Condition::Has(_) if is_absent() => {
            "the target does not have the object any more that was listed (If-Match)"
        }
        Condition::Absent if error.kind == ErrorKind::PreconditionFailed => {
            "the target has an object under this key (If-None-Match)"
        }
        Condition::None | Condition::Has(_) | Condition::Absent => return error,
    };
    StoreError {
        kind: ErrorKind::PreconditionFailed,
        message: message.to_owned(),
        ..error
    }
}

/// Whether an attempt that failed like this may have been carried out. One that met another writer
/// was not.
pub(super) fn may_be_done(error: &StoreError) -> bool {
    error.kind == ErrorKind::Transient && !error.is_conflict()
}

/// Finds out whose object it is that fails a write's condition, after an attempt that may have been
/// carried out: one of the same content is what was sent.
pub(super) async fn settle(
    store: &S3Store,
    key: &ObjectKey,
    expected: &Expected,
    error: StoreError,
) -> Result<Stored, StoreError> {
    let unclear = |what: &str| StoreError {
        kind: ErrorKind::Other,
        message: format!(
            "{}; an attempt before was not answered, and {what}",
            error.message
        ),
        ..error.clone()
    };
    match store.head(key.into(), true).await {
        Ok(head) => match expected.against(&head) {
            Likeness::Same => Ok(stored(head)),
            Likeness::Other => Err(error),
            Likeness::Unknown => Err(unclear("nothing tells whether the object is what it sent")),
        },
        Err(gone) if gone.kind == ErrorKind::NotFound => Err(error),
        Err(silent) => Err(unclear(&format!("the target cannot be asked: {silent}"))),
    }
}

/// What the target has, as the answer would have said that was lost.
pub(super) fn stored(head: Head) -> Stored {
    Stored {
        size: head.size,
        etag: head.etag,
        etag_is_digest: head.etag_is_digest,
        version: head.version,
        checksums: head.checksums,
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ETag;

    #[test]
    fn a_refusal_is_told_in_the_words_of_its_condition() {
        let has = Condition::Has(ETag::parse("d41d8cd98f00b204e9800998ecf8427e"));
        for (condition, kind, code, expected) in [
            (
                &has,
                ErrorKind::PreconditionFailed,
                "PreconditionFailed",
                "another object",
            ),
            (&has, ErrorKind::NotFound, "NoSuchKey", "any more"),
            (&has, ErrorKind::NotFound, "NoSuchUpload", "no"),
            (&has, ErrorKind::Transient, "SlowDown", "no"),
            (
                &Condition::Absent,
                ErrorKind::PreconditionFailed,
                "PreconditionFailed",
                "an object",
            ),
            (&Condition::Absent, ErrorKind::NotFound, "NoSuchKey", "no"),
            (
                &Condition::None,
                ErrorKind::PreconditionFailed,
                "PreconditionFailed",
                "no",
            ),
        ] {
            let error = StoreError {
                code: Some(code.to_owned()),
                ..StoreError::new("PutObject", "k", kind, "no")
            };
            let told = refused(error, condition);
            assert!(
                told.message.contains(expected),
                "{condition:?} {code}: {told}"
            );
            let meant = if expected == "no" {
                kind
            } else {
                ErrorKind::PreconditionFailed
            };
            assert_eq!(told.kind, meant, "{condition:?} {code}");
        }
    }
}
