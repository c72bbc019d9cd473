/*! Filters on what only the object itself tells, asked of what would be transferred.

Its media type and user metadata take one HEAD, its tags one GetObjectTagging, each only where a
filter is on them, and what was told is not asked for again by the transfer. It is the source's own
that counts, before anything is set or left out on the way. Where it cannot be learnt, the object
fails: it must neither go nor stay out by guess. `tagging.on_denied` is about tags that are not
copied, not about those that decide.

What was judged is what goes: the bytes are read with If-Match, and an object that was replaced
meanwhile is judged again. One that was written over by itself with other metadata keeps its ETag:
the answer that brings its bytes is held to the filters too. Tags may be changed at any time without
a trace; those that were judged are those that are written, unless S3 itself takes them along.
*/

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::dress;
use crate::config::{Metadata, Pair};
use crate::context::{Context, Ends, cancelled};
use crate::event::Sinks;
use crate::filter::{Filters, LateFilters, Ruling};
use crate::hook::Hooks;
use crate::object::{Attributes, Entry, ObjectVersion, Tags};
use crate::plan::{Direction, Leave};
use crate::store::{ErrorKind, Head, Meter as _, Source, StoreError};

/// The late filters of a pair, and where they learn what they have to know.
#[derive(Debug)]
pub(crate) struct Late {
    filters: LateFilters,
    /// Those on what a listing tells, for an object that is not the listed one any more.
    listed: Filters,
    source: Arc<dyn Source>,
    direction: Direction,
    metadata: Metadata,
    /// Whether a HEAD asks for checksums as well, for those who come after.
    checksums: bool,
    sinks: Sinks,
    stop: CancellationToken,
    /// Whether the source said that it knows no tags.
    has_no_tags: AtomicBool,
}

/// What was told of an object while it was judged.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) head: Option<Head>,
    pub(super) tags: Option<Tags>,
}

/// What the late filters say of an object.
#[derive(Debug)]
pub(super) enum Judged {
    /// It goes.
    Goes(Told),
    /// It is left where it is.
    Stays(Leave),
}

impl Late {
    /// For a pair between these ends. With `checksums` the source is asked for those as well when
    /// it is asked.
    pub(crate) fn new(ends: &Ends, pair: &Pair, context: &Context, checksums: bool) -> Self {
        Self {
            filters: LateFilters::new(&pair.filters),
            listed: Filters::new(&pair.filters, &Hooks::default()),
            source: Arc::clone(&ends.source),
            direction: ends.direction,
            metadata: pair.metadata.clone(),
            checksums,
            sinks: context.sinks.clone(),
            stop: context.stop.clone(),
            has_no_tags: AtomicBool::new(false),
        }
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Whether they have to ask for anything: files are judged by their names.
    pub(crate) fn asks(&self) -> bool {
        !self.is_empty() && self.direction != Direction::LocalToS3
    }

    /// Why an object that would go is left where it is, if it is.
    pub(crate) async fn left(&self, source: &Entry) -> Result<Option<Leave>, StoreError> {
        Ok(match self.judge(source, None).await? {
            Judged::Goes(_) => None,
            Judged::Stays(leave) => Some(leave),
        })
    }

    /// Why an object is left whose path belongs to the first of the others that goes. One that is
    /// not there any more does not.
    pub(crate) async fn left_behind(
        &self,
        source: &Entry,
        others: &[Entry],
    ) -> Result<Option<Leave>, StoreError> {
        for other in others {
            match self.left(other).await {
                Ok(None) => {
                    let shadowed = || Leave::shadowed(source.clone(), other.key.as_str());
                    return Ok(Some(self.left(source).await?.unwrap_or_else(shadowed)));
                }
                Ok(Some(_)) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Judges an object that took the place of the one that was judged: its size and time too.
    pub(super) async fn judge_anew(
        &self,
        source: &Entry,
        head: Head,
    ) -> Result<Judged, StoreError> {
        match self.listed.of_entry(source) {
            Ruling::Admitted => self.judge(source, Some(head)).await,
            ruling => Ok(judged(source, ruling, Told::default(), None)),
        }
    }

    /// Judges an object of which the source has said this, if anything.
    pub(super) async fn judge(
        &self,
        source: &Entry,
        head: Option<Head>,
    ) -> Result<Judged, StoreError> {
        let mut told = Told { head, tags: None };
        if self.is_empty() {
            return Ok(Judged::Goes(told));
        }
        if self.stop.is_cancelled() {
            return Err(cancelled(source.key.as_str()));
        }
        if self.direction == Direction::LocalToS3 {
            let attributes = dress::guessed(&self.metadata, &source.key);
            let ruling = self.filters.of_attributes(&attributes);
            return Ok(judged(source, ruling, told, Some(&attributes)));
        }
        if self.filters.want_attributes() {
            let head = match told.head.take() {
                Some(head) => head,
                None => self.source.head(source.at(), self.checksums).await?,
            };
            let ruling = self.filters.of_attributes(&head.attributes);
            told.head = Some(head);
            if ruling != Ruling::Admitted {
                return Ok(judged(source, ruling, told, None));
            }
        }
        if !self.filters.want_tags() {
            return Ok(Judged::Goes(told));
        }
        let tags = self.tags(source, told.head.as_ref()).await?;
        let ruling = self.filters.of_tags(&tags);
        told.tags = Some(tags);
        Ok(judged(source, ruling, told, None))
    }

    /// Whether an object that was admitted would be with what is told of it now.
    pub(super) fn still_admits(&self, head: &Head) -> bool {
        self.direction == Direction::LocalToS3
            || self.filters.of_attributes(&head.attributes) == Ruling::Admitted
    }

    /// The tags of an object. A source that knows no tags has none, which is told once.
    async fn tags(&self, source: &Entry, head: Option<&Head>) -> Result<Tags, StoreError> {
        let has_none = head.and_then(|head| head.tag_count) == Some(0);
        if has_none || self.has_no_tags.load(Ordering::Relaxed) {
            return Ok(Tags::new());
        }
        let version = head.and_then(|head| head.version.as_deref());
        let of = ObjectVersion {
            key: &source.key,
            version: version.or(source.version.as_deref()),
        };
        match self.source.tags(of).await {
            Err(error) if error.kind == ErrorKind::Unsupported => {
                if !self.has_no_tags.swap(true, Ordering::Relaxed) {
                    let what = "filtering by tags: every object counts as one without";
                    self.sinks.lost(what, &error.to_string());
                }
                Ok(Tags::new())
            }
            Err(error) if error.kind == ErrorKind::AccessDenied => Err(StoreError {
                message: format!(
                    "{}; without its tags the tag filters cannot tell whether it goes",
                    error.message
                ),
                ..error
            }),
            other => other,
        }
    }
}

/// What follows from a ruling on what was told, or on these attributes of a file.
fn judged(source: &Entry, ruling: Ruling, told: Told, guessed: Option<&Attributes>) -> Judged {
    let source = source.clone();
    match ruling {
        Ruling::Admitted => Judged::Goes(told),
        Ruling::Rejected(by) => {
            let attributes = told.head.as_ref().map(|head| &head.attributes);
            let seen = LateFilters::seen(&by, guessed.or(attributes), told.tags.as_ref());
            Judged::Stays(Leave::Filtered { source, by, seen })
        }
        Ruling::Failed(error) => Judged::Stays(Leave::Unfiltered { source, error }),
    }
}
