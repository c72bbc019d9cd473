/*! Exactly the keys somebody names, in place of a listing: each is asked for by its name.

The names come from a file ([`Keys::File`], which may have millions), or are given
([`Keys::These`]). They are put into the order that the other side has, each once, and asked for
many at a time; what comes of it looks like any other listing, so that nothing behind it has to
know.
*/

mod csv;
mod file;
mod form;
#[cfg(test)]
mod fuzz;
mod line;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;

use self::file::Reading;
use self::line::Line;
use super::s3::KeyOrder;
use super::sort::{Sorted, sorting};
use super::to_its_end::to_its_end;
use super::{
    ErrorKind, Head, Listing, Looked, Oddity, OddityKind, Page, Source, StoreError, StoreKind,
    Target,
};
use crate::object::{Entry, ObjectKey};

/// Which keys are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Those a file names: one a line, separated by NUL, or the first two columns of a CSV.
    File {
        /// The file.
        path: PathBuf,
        /// Of them only these.
        only: Option<Arc<[ObjectKey]>>,
    },
    /// These. One that is not there is passed over in silence.
    These(Arc<[ObjectKey]>),
}

/// How keys are asked for.
#[derive(Clone)]
pub struct Asking {
    /// Which.
    pub keys: Keys,
    /// The order in which they are handed on.
    pub order: KeyOrder,
    /// So many at once.
    pub at_once: usize,
    /// Hears what is wrong with the names as a whole.
    pub warn: Arc<dyn Fn(String) + Send + Sync>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asking({:?}, {} at once)", self.keys, self.at_once)
    }
}

/// Files looked at at once: each look has a thread, and each thread its share of memory.
const THREADS: usize = 8;

/// Keys in a page.
const PAGE: usize = 1000;

/// What a source has under the keys, as a listing of it.
pub fn list(source: Arc<dyn Source>, asking: Asking) -> Listing {
    let role = match asking.keys {
        Keys::File { .. } => Role::Source,
        Keys::These(_) => Role::Quiet,
    };
    pages(asking, source, role)
}

/// What a target has under the keys that are asked of the source, as a listing of it. `strip` is
/// whether it has them without one leading slash.
pub fn list_target(target: Arc<dyn Target>, asking: Asking, strip: bool) -> Listing {
    let warn: Arc<dyn Fn(String) + Send + Sync> = Arc::new(|_| {});
    // told already of the source
    let asking = Asking { warn, ..asking };
    pages(asking, target, Role::Target { strip })
}

/// Whose keys they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Every name is accounted for.
    Source,
    /// What is not there is not told.
    Quiet,
    /// Neither; and what cannot be told of one key, cannot be told of the target.
    Target { strip: bool },
}

type Pages = mpsc::Sender<Result<Page, StoreError>>;

/// Asks in a task of its own, which ends when nobody listens any more.
fn pages(asking: Asking, of: Arc<dyn Source>, role: Role) -> Listing {
    let begin = async move {
        let (out, pages) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(error) = to_its_end(ask_all(asking, of, role, &out)).await {
                // nobody listening is no loss
                let _ = out.send(Err(error)).await;
            }
        });
        futures::stream::unfold(pages, |mut pages| async {
            pages.recv().await.map(|page| (page, pages))
        })
    };
    futures::stream::once(begin).flatten().boxed()
}

async fn ask_all(
    asking: Asking,
    of: Arc<dyn Source>,
    role: Role,
    out: &Pages,
) -> Result<(), StoreError> {
    let dir = std::env::temp_dir();
    let at_once = match of.describe().kind {
        StoreKind::Local => asking.at_once.min(THREADS),
        StoreKind::S3 | StoreKind::Memory => asking.at_once,
    };
    let at_once = at_once.max(1);
    let sorted = match &asking.keys {
        Keys::File { path, only } => {
            let reading = Reading {
                path: path.clone(),
                only: only.clone(),
                place: form::Place::of(&of.describe()),
                order: asking.order,
                dir: dir.clone(),
                // what is no key is told of the source
                oddities: (role == Role::Source).then(|| out.clone()),
            };
            let (sorted, outside) = reading.run().await?;
            if let Some(outside) = outside {
                (asking.warn)(outside);
            }
            sorted
        }
        Keys::These(keys) => file::sorted(keys, asking.order, &dir)?,
    };
    let mut answers = chunks(sorted)
        .map_ok(|lines| futures::stream::iter(lines).map(Ok))
        .try_flatten()
        .map_ok(|line| {
            let of = Arc::clone(&of);
            // a task of its own: it goes on also while nobody takes what comes of it
            let asked = tokio::spawn(async move { ask(&*of, &line, role).await });
            async move {
                asked.await.unwrap_or_else(|failure| {
                    let message = format!("it ended without an answer: {failure}");
                    Err(StoreError::new("look", "", ErrorKind::Fatal, message))
                })
            }
        })
        .try_buffered(at_once)
        .try_ready_chunks(PAGE)
        .boxed();
    // of names that are one name for the target, the first counts
    let mut last: Option<ObjectKey> = None;
    while let Some(chunk) = answers.next().await {
        let (chunk, failed) = match chunk {
            Ok(chunk) => (chunk, None),
            Err(futures::stream::TryReadyChunksError(chunk, error)) => (chunk, Some(error)),
        };
        let mut page = Page::default();
        for answer in chunk {
            match answer {
                Answer::Nothing => {}
                Answer::Looked(Looked::Entry(entry)) if last.as_ref() == Some(&entry.key) => {}
                Answer::Looked(Looked::Entry(entry)) => {
                    last = Some(entry.key.clone());
                    page.entries.push(entry);
                }
                Answer::Looked(Looked::Oddity(oddity)) => page.oddities.push(oddity),
                Answer::Failed(key, error) => page.failures.push((key, error)),
            }
        }
        let is_empty =
            page.entries.is_empty() && page.oddities.is_empty() && page.failures.is_empty();
        if !is_empty && out.send(Ok(page)).await.is_err() {
            return Ok(());
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(())
}

/// Sorted names, read a page at a time where nobody waits for the disk.
fn chunks(
    sorted: Sorted<Line>,
) -> impl futures::Stream<Item = Result<Vec<Line>, StoreError>> + Send {
    futures::stream::try_unfold(sorted, |mut sorted| async move {
        let dir = std::env::temp_dir();
        let (lines, sorted) = sorting(&dir, move || {
            let lines: Vec<Line> = sorted.by_ref().take(PAGE).collect::<Result<_, _>>()?;
            Ok((lines, sorted))
        })
        .await?;
        Ok((!lines.is_empty()).then_some((lines, sorted)))
    })
}

/// What comes of asking for one key.
enum Answer {
    /// There is nothing to say.
    Nothing,
    /// What a listing would have of it.
    Looked(Looked),
    /// The store could not tell, of this one.
    Failed(ObjectKey, StoreError),
}

/// What is under one key.
async fn ask(of: &dyn Source, line: &Line, role: Role) -> Result<Answer, StoreError> {
    let looked = match role {
        Role::Target { strip } => {
            let looked = ask_target(of, &line.key, strip).await?;
            return Ok(looked.map_or(Answer::Nothing, Answer::Looked));
        }
        Role::Source | Role::Quiet => of.look(&line.key).await,
    };
    Ok(match looked {
        Ok(entry @ Looked::Entry(_)) => Answer::Looked(entry),
        Ok(Looked::Oddity(oddity)) if role == Role::Quiet && oddity.kind == OddityKind::Absent => {
            Answer::Nothing
        }
        Ok(Looked::Oddity(oddity)) => Answer::Looked(Looked::Oddity(line.named(oddity))),
        // nothing would come of asking for the others
        Err(error) if error.kind.is_fatal() || error.kind == ErrorKind::Cancelled => {
            return Err(error);
        }
        Err(error) => Answer::Failed(line.key.clone(), error),
    })
}

async fn ask_target(
    of: &dyn Source,
    key: &ObjectKey,
    strip: bool,
) -> Result<Option<Looked>, StoreError> {
    // a directory has no key of its own
    if strip && key.is_directory_marker() {
        return Ok(None);
    }
    let key = if strip {
        ObjectKey::new(key.unslashed()).expect("shorter than a key")
    } else {
        key.clone()
    };
    match of.head((&key).into(), false).await {
        Ok(head) => Ok(Some(Looked::Entry(entry(&key, head)))),
        Err(error) => match error.kind {
            ErrorKind::NotFound | ErrorKind::Occupied | ErrorKind::UnsafeKey => Ok(None),
            _ => Err(error),
        },
    }
}

/// What a listing would have of a key, by what its store answers when it is asked for it.
pub(super) fn looked(
    key: &ObjectKey,
    answer: Result<Head, StoreError>,
) -> Result<Looked, StoreError> {
    let error = match answer {
        Ok(head) => return Ok(Looked::Entry(entry(key, head))),
        Err(error) => error,
    };
    let kind = match error.kind {
        ErrorKind::NotFound | ErrorKind::Occupied => OddityKind::Absent,
        // what is refused for no reason we know, an object under a key of somebody's, say, is no
        // reason to do nothing about all others
        ErrorKind::AccessDenied | ErrorKind::Other | ErrorKind::Unsupported => OddityKind::Denied,
        ErrorKind::UnsafeKey => OddityKind::UnsafeName,
        ErrorKind::Transient
        | ErrorKind::Changed
        | ErrorKind::PreconditionFailed
        | ErrorKind::Archived
        | ErrorKind::Corrupted
        | ErrorKind::Fatal
        | ErrorKind::NoSpace
        | ErrorKind::TooManyOpenFiles
        | ErrorKind::Cancelled => return Err(error),
    };
    Ok(Looked::Oddity(Oddity {
        name: key.as_str().to_owned(),
        kind,
        message: Some(error.to_string()),
    }))
}

/// Listings name no version, so that what is read is the latest.
fn entry(key: &ObjectKey, head: Head) -> Entry {
    Entry {
        key: key.clone(),
        size: head.size,
        modified: head.modified,
        etag: head.etag,
        version: None,
        storage_class: head.storage_class,
        checksum: None,
    }
}
