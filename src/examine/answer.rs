//! Is the object to be transferred?

use super::side::Obstacle;
use super::{Examiner, Kept};
use crate::config::{By, CheckMode};
use crate::digest::{Verdict, Why};
use crate::event::{Cause, Listed};
use crate::object::Entry;
use crate::plan::{Decision, Direction, Examine, Leave, Question};
use crate::store::{ErrorKind, Head, StoreError};

/// User metadata that carries a source's time which lies after the upload's own.
pub const ORIGIN_LAST_MODIFIED: &str = "s3sync_origin_last_modified";

/// User metadata that names the source's version.
pub const ORIGIN_VERSION: &str = "s3sync_origin_version_id";

/// What an examination found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The target has it already.
    Unchanged(Listed),
    /// It is to be brought over.
    Transfer {
        /// Why.
        because: Cause,
        /// What the target has under the key, if it has it.
        replaces: Option<Listed>,
    },
    /// Of equal size, and nothing tells whether the content is the same.
    Undecided {
        /// What the target has.
        target: Listed,
        /// Why it cannot be told.
        why: Why,
    },
}

/// Finds out what the question asks.
pub(super) async fn answer(via: &Examiner, examine: &Examine) -> Result<Answer, StoreError> {
    let answer = match &examine.target {
        Some(target) => question(via, examine.question, &examine.source, target, None).await,
        None => ask_target(via, &examine.source).await,
    };
    match answer {
        Ok(answer) => Ok(answer),
        Err(Obstacle::TargetGone) => Ok(Answer::missing()),
        // no longer what was listed: the transfer looks again, and has its retries
        Err(Obstacle::Store(error)) if error.kind == ErrorKind::Changed => Ok(Answer::Transfer {
            because: Cause::Undecided,
            replaces: examine.target.as_ref().map(Into::into),
        }),
        Err(Obstacle::Store(error)) => Err(error),
    }
}

/// Answers a question about two objects. `head` is what the target's store told of its object, if
/// it was asked.
async fn question(
    via: &Examiner,
    question: Question,
    source: &Entry,
    target: &Entry,
    head: Option<Head>,
) -> Result<Answer, Obstacle> {
    match question {
        Question::FutureTime => future_time(via, source, target, head).await,
        // by time nothing else is asked for checksums, so a HEAD did not tell them
        Question::SameSecond => match content(via, By::ETag, source, target, None).await? {
            Answer::Undecided { target, .. } => Ok(Answer::Transfer {
                because: Cause::Undecided,
                replaces: Some(target),
            }),
            answer => Ok(answer),
        },
        Question::Content(by) => content(via, by, source, target, head).await,
        Question::Target => ask_target(via, source).await,
    }
}

/// Asks what the target has under the key, and goes on as the plan does with what it lists.
async fn ask_target(via: &Examiner, source: &Entry) -> Result<Answer, Obstacle> {
    let down = via.ends.direction == Direction::S3ToLocal;
    if down && source.key.is_directory_marker() {
        return Ok(Answer::missing());
    }
    let wants_checksums = matches!(
        via.check.mode,
        CheckMode::Content(_) | CheckMode::MtimeAndContent(_)
    );
    let head = match via
        .ends
        .target
        .head_in_words((&source.key).into(), wants_checksums)
        .await
    {
        Ok(head) => head,
        // what stands in the way of a file is for the transfer to tell
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Occupied) => {
            return Err(Obstacle::TargetGone);
        }
        Err(error) => return Err(error.into()),
    };
    let target = Entry {
        key: source.key.clone(),
        size: head.size,
        modified: head.modified,
        etag: head.etag.clone(),
        version: head.version.clone(),
        storage_class: head.storage_class.clone(),
        checksum: None,
    };
    match via.rules().decide(source.clone(), target.clone()) {
        Decision::Transfer(transfer) => Ok(Answer::Transfer {
            because: transfer.because,
            replaces: transfer.replaces,
        }),
        Decision::Leave(Leave::Unchanged { .. }) => Ok(Answer::Unchanged((&target).into())),
        Decision::Examine(examine) => {
            let asked = Box::pin(question(via, examine.question, source, &target, Some(head)));
            asked.await
        }
        Decision::Leave(_) | Decision::Delete(_) | Decision::Compare(_) | Decision::Behind(_) => {
            unreachable!("two entries of one key are compared")
        }
    }
}

/// The target keeps the source's time as metadata, if this program wrote it.
async fn future_time(
    via: &Examiner,
    source: &Entry,
    target: &Entry,
    head: Option<Head>,
) -> Result<Answer, Obstacle> {
    let head = if let Some(head) = head {
        head
    } else {
        let (_, side) = via.sides(source, target);
        let head = via.ends.target.head(target.at(), false).await;
        head.map_err(|error| side.obstacle(error))?
    };
    let kept = head.attributes.user.get(ORIGIN_LAST_MODIFIED);
    if kept == Some(&source.modified.rfc3339_offset()) {
        Ok(Answer::Unchanged(target.into()))
    } else {
        Ok(Answer::Transfer {
            because: Cause::Newer,
            replaces: Some(target.into()),
        })
    }
}

/// Compares contents of equal size.
async fn content(
    via: &Examiner,
    by: By,
    source: &Entry,
    target: &Entry,
    head: Option<Head>,
) -> Result<Answer, Obstacle> {
    let ends = via.sides(source, target);
    let known: Option<Kept> = head.map(|head| ends.1.kept_of(head)).transpose()?;
    let listed = || target.into();
    Ok(match via.look(by, ends, known).await?.verdict() {
        Some(Verdict::Verified(_)) => Answer::Unchanged(listed()),
        Some(Verdict::Mismatch { .. }) => Answer::Transfer {
            because: match by {
                By::ETag => Cause::ETagDiffers,
                By::Checksum(_) => Cause::ChecksumDiffers,
            },
            replaces: Some(listed()),
        },
        Some(Verdict::Unverifiable(why)) => Answer::Undecided {
            target: listed(),
            why,
        },
        None => Answer::Undecided {
            target: listed(),
            why: Why::EndpointCannot,
        },
    })
}

impl Answer {
    fn missing() -> Self {
        Self::Transfer {
            because: Cause::Missing,
            replaces: None,
        }
    }
}
