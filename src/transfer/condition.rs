//! What has to hold of the target for an object to be written, from one attempt to the next.

use super::server_side::replaced;
use super::trouble::Trouble;
use super::{Transferrer, Work};
use crate::config::OfTarget;
use crate::event::Listed;
use crate::store::{Condition, ErrorKind, Meter as _, StoreError, Stored};

/// What the user wants to hold of a key of which this is known; an error where it is known already
/// that it does not.
pub(super) fn first(
    via: &Transferrer,
    key: &str,
    listed: Option<&Listed>,
) -> Result<Condition, StoreError> {
    match (via.pair.conditional.target, listed) {
        (OfTarget::Anything, _) | (OfTarget::Listed, None) => Ok(Condition::None),
        (OfTarget::Nothing, None) => Ok(Condition::Absent),
        (OfTarget::Nothing, Some(_)) => Err(StoreError::new(
            "write",
            key,
            ErrorKind::PreconditionFailed,
            "the target had an object under this key when it was looked at (If-None-Match)",
        )),
        (OfTarget::Listed, Some(listed)) => {
            if let Some(etag) = &listed.etag {
                return Ok(Condition::Has(etag.clone()));
            }
            via.sinks.lost(
                "writing only over the object that was listed (conditional.if_match)",
                "the target lists objects without ETags",
            );
            Ok(Condition::None)
        }
    }
}

impl Work {
    /// The next attempt replaces what this one left, and nothing else.
    pub(super) fn replacing(&mut self, own: Option<&Stored>) {
        if let Some(etag) = own.and_then(|own| own.etag.as_ref())
            && self.condition != Condition::None
        {
            self.condition = Condition::Has(etag.clone());
        }
    }
}

/// What a failed condition means: that the source is another than was listed, is one where the user
/// says so; and after an attempt that may have written the object (`in_doubt`), nobody can tell
/// whose object it was that failed the next.
pub(super) fn weighed(via: &Transferrer, trouble: Trouble, in_doubt: bool) -> Trouble {
    let Trouble::Store(error) = trouble else {
        return trouble;
    };
    let only_listed = via.pair.conditional.only_listed_source;
    Trouble::Store(match error.kind {
        ErrorKind::Changed if only_listed && via.pair.server_side_copy => StoreError {
            kind: ErrorKind::PreconditionFailed,
            ..error
        },
        ErrorKind::PreconditionFailed if in_doubt => StoreError {
            kind: ErrorKind::Other,
            message: format!(
                "{}, after an attempt that may have written it",
                error.message
            ),
            ..error
        },
        _ => error,
    })
}

/// What a refused copy was refused for: its source is not the one that was listed any more, or the
/// target is not what the condition wants.
pub(super) async fn of_copy(via: &Transferrer, work: &Work, error: StoreError) -> StoreError {
    let may_be_the_targets = work.condition != Condition::None;
    let message = match error.kind {
        ErrorKind::PreconditionFailed => error.message.clone(),
        ErrorKind::NotFound if may_be_the_targets => {
            "the target does not have the object any more that was listed (If-Match)".to_owned()
        }
        _ => return error,
    };
    match via.source.head(work.entry.at(), false).await {
        Ok(head) if head.etag == work.entry.etag => StoreError {
            kind: ErrorKind::PreconditionFailed,
            message,
            ..error
        },
        Ok(_) => replaced(work),
        Err(error) => error,
    }
}
