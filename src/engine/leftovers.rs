//! What runs leave at a target that were killed: removed when the next one begins, as far as it
//! cannot be gone on with, and otherwise when that has ended without it.

use crate::config::Pair;
use crate::context::{Context, Ends, Left, Leftover};
use crate::event::Event;
use crate::store::{ErrorKind, StoreError, Swept, Unheard};

/// Before anything is listed: temporary files, and uploads that nothing goes on with.
pub(super) async fn before(ends: &Ends, pair: &Pair, context: &Context) {
    let left = context.journal.untaken();
    let left = left.into_iter().filter(|left| match &left.what {
        Left::Upload(_) => !pair.multipart_resume,
        Left::Unheard(_) | Left::TemporaryFiles(_) => true,
    });
    clean(ends, context, left.collect()).await;
}

/// When nothing is at work any more: uploads that were not gone on with, and those of this run that
/// could not be ended in their time. A run that was stopped leaves the former to the next.
pub(super) async fn after(ends: &Ends, context: &Context) {
    let mut left = context.journal.unended();
    if !context.stop.is_cancelled() {
        left.extend(
            context
                .journal
                .untaken()
                .into_iter()
                .filter(|left| !matches!(left.what, Left::TemporaryFiles(_))),
        );
    }
    clean(ends, context, left).await;
}

async fn clean(ends: &Ends, context: &Context, left: Vec<Leftover>) {
    let mut remaining = left.len();
    for Leftover { entry, what, .. } in left {
        match remove(ends, &what).await {
            Ok(Remains::Nothing) => context.journal.ended(entry),
            Ok(Remains::Later) => {}
            Ok(Remains::Told(message)) => context.sinks.emit(&Event::Warning { message }),
            Err(error) => {
                // what fails by itself, and what will fail for all others as well
                let is_of_all = error.kind.is_fatal()
                    || matches!(error.kind, ErrorKind::Transient | ErrorKind::Cancelled);
                let many = if is_of_all { remaining } else { 1 };
                let message = in_words(&what, many, &error);
                context.sinks.emit(&Event::Warning { message });
                if is_of_all {
                    return;
                }
            }
        }
        remaining -= 1;
    }
}

/// What is left of it now.
enum Remains {
    /// Nothing: it can be forgotten.
    Nothing,
    /// It stays for a later run to look at.
    Later,
    /// It stays, and this is to be said.
    Told(String),
}

/// Removes it; what cannot be told apart from something of somebody else's stays, and that is said.
async fn remove(ends: &Ends, what: &Left) -> Result<Remains, StoreError> {
    match what {
        Left::Upload(upload) => {
            ends.target.end_left(upload).await?;
            tracing::info!(key = upload.key, "ended an upload that was left behind");
        }
        Left::Unheard(unheard) => match ends.target.end_unheard(unheard).await? {
            Unheard::Ended => {}
            Unheard::MayBeAnothers => {
                tracing::info!(
                    key = unheard.key,
                    "an upload may have been left behind, or be somebody else's who has just begun; a later run looks again"
                );
                return Ok(Remains::Later);
            }
            Unheard::OneOf(many) => {
                return Ok(Remains::Told(format!(
                    "one of {many} uploads of `{}` may have been left by a run that was killed, and which one cannot be told: abort those that are nobody's",
                    unheard.key
                )));
            }
        },
        Left::TemporaryFiles(files) => match ends.target.sweep(files).await? {
            Swept::Clean(removed) => {
                tracing::info!(removed, "removed temporary files of a run that was killed");
            }
            Swept::NotThere => {
                tracing::info!(
                    "the directory is not there, or not the one, that a run which was killed has left temporary files in; a later run looks again"
                );
                return Ok(Remains::Later);
            }
        },
    }
    Ok(Remains::Nothing)
}

fn in_words(what: &Left, many: usize, error: &StoreError) -> String {
    let what = match what {
        Left::Upload(upload) => format!(
            "the multipart upload {} of `{}`",
            upload.upload_id, upload.key
        ),
        Left::Unheard(unheard) => {
            format!("a multipart upload of `{}`, if it is there,", unheard.key)
        }
        Left::TemporaryFiles(_) => "temporary files".to_owned(),
    };
    let others = match many {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    format!(
        "{what}{others} of a run that was cut off cannot be removed: {error}; the next run tries again"
    )
}
