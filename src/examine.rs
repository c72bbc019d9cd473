/*! What the listings do not tell: a request, or a look at the content.

The workers look, not the plan: [`Examiner::answer`] says whether an object is to be transferred,
[`Examiner::compare`] whether two objects are the same, for a run that only compares. Both take
cheap evidence first: what the listings say, then a HEAD, and a read last.
*/

mod annotations;
mod answer;
mod asked;
mod beside;
mod content;
mod file;
mod found;
mod layout;
mod line;
mod side;
mod stored;

pub use annotations::AnnotationsCompared;
pub use answer::{Answer, ORIGIN_LAST_MODIFIED, ORIGIN_VERSION};
pub use layout::{Cut, Layout, Parts, candidates};
pub use line::{Line, Wanted};

use std::num::NonZeroU16;

use self::side::{Kept, Obstacle, Side};
use crate::config::{By, Check, Compared, Pair};
use crate::context::{Context, Ends};
use crate::digest::Likeness;
use crate::event::Beside;
use crate::object::{Entry, ObjectVersion, Timestamp};
use crate::plan::{Aim, Direction, Examine, Names, Rules};
use crate::store::{ErrorKind, StoreError};

/// Looks into what the listings of one pair do not tell.
#[derive(Debug)]
pub struct Examiner {
    ends: Ends,
    context: Context,
    check: Check,
    /// The part size this pair uploads with: the first guess at another's.
    chunksize: u64,
    depth: Depth,
    /// Whether annotations are compared by their ETags, where those are digests.
    annotations_by_etag: bool,
    /// Times later than this lie in the future.
    now: Timestamp,
}

/// How far a part layout is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is known and what size and part count allow: no requests.
    Inferred,
    /// Also by asking for part 1, for every part, and for the object's attributes.
    Asked,
}

impl Examiner {
    /// For one pair.
    pub fn new(ends: Ends, pair: &Pair, context: &Context, depth: Depth) -> Self {
        Self {
            ends,
            context: context.clone(),
            check: pair.check,
            chunksize: pair.multipart_chunksize,
            depth,
            annotations_by_etag: pair.annotations.check_etag,
            now: Timestamp::now(),
        }
    }

    /// Whether the object is to be transferred.
    pub async fn answer(&self, examine: &Examine) -> Result<Answer, StoreError> {
        answer::answer(self, examine).await
    }

    /// Whether two objects of one key are the same, by what [`Check::compared`] names.
    ///
    /// What was asked for is always told; other evidence as well where the first decided nothing,
    /// or where it proves a difference. So [`Likeness::verdict`] is what is known of the content,
    /// whatever showed it. That either object changed or went away meanwhile is an error.
    pub async fn compare(&self, source: &Entry, target: &Entry) -> Result<Likeness, StoreError> {
        let Compared::Content(by) = self.check.compared else {
            return Ok(Likeness::default());
        };
        let ends = self.sides(source, target);
        let found = if source.size == target.size {
            self.look(by, ends, None).await
        } else {
            self.look_at_sizes(by, ends).await
        };
        found.map_err(|obstacle| {
            let gone = "the object went away since it was listed";
            match obstacle {
                Obstacle::Store(error) => error,
                Obstacle::TargetGone => {
                    StoreError::new("compare", target.key.as_str(), ErrorKind::NotFound, gone)
                }
            }
        })
    }

    /// Whether what lies beside the contents of two objects of one key is the same, as far as the
    /// user wants that compared. That either went away meanwhile is an error.
    pub async fn beside(&self, source: &Entry, target: &Entry) -> Result<Beside, StoreError> {
        beside::compare(self, source, target).await
    }

    /// Whether two objects are annotated alike.
    pub async fn annotations(
        &self,
        source: ObjectVersion<'_>,
        target: ObjectVersion<'_>,
    ) -> Result<AnnotationsCompared, StoreError> {
        annotations::compare(self, source, target).await
    }

    /// How an object of the source is most likely cut into so many parts; `None` where nothing
    /// tells. What is said of its parts is asked for whatever the [`Depth`]: whoever is about to
    /// read the object wants to read it once.
    pub async fn likely_parts(
        &self,
        source: &Entry,
        count: NonZeroU16,
    ) -> Result<Option<Cut>, StoreError> {
        asked::likely(self, self.source(source), count).await
    }

    /// The parts of an object of the source that has so many, as its store tells them.
    pub async fn told_parts(
        &self,
        source: &Entry,
        count: NonZeroU16,
    ) -> Result<Option<Parts>, StoreError> {
        asked::parts(self, self.source(source), count).await
    }

    /// Compares the content of two objects of equal size. `known` is what the target's store is
    /// known to keep.
    async fn look(
        &self,
        by: By,
        ends: (Side<'_>, Side<'_>),
        known: Option<Kept>,
    ) -> Result<Likeness, Obstacle> {
        match self.ends.direction {
            Direction::S3ToS3 => stored::compare(self, by, ends, known).await,
            Direction::LocalToS3 => file::compare(self, by, ends, known).await,
            // what is known of a file is its size
            Direction::S3ToLocal => file::compare(self, by, ends, None).await,
        }
    }

    /// Tells the values of two objects of different sizes, which are not the same.
    async fn look_at_sizes(
        &self,
        by: By,
        ends: (Side<'_>, Side<'_>),
    ) -> Result<Likeness, Obstacle> {
        match self.ends.direction {
            Direction::S3ToS3 => stored::resized(by, ends).await,
            Direction::LocalToS3 | Direction::S3ToLocal => file::resized(self, by, ends).await,
        }
    }

    fn sides<'a>(&'a self, source: &'a Entry, target: &'a Entry) -> (Side<'a>, Side<'a>) {
        let to = Side {
            store: &*self.ends.target,
            entry: target,
            is_target: true,
        };
        (self.source(source), to)
    }

    fn source<'a>(&'a self, entry: &'a Entry) -> Side<'a> {
        Side {
            store: &*self.ends.source,
            entry,
            is_target: false,
        }
    }

    fn is_source_local(&self) -> bool {
        self.ends.direction == Direction::LocalToS3
    }

    /// What the pair's plan goes by.
    fn rules(&self) -> Rules {
        Rules {
            aim: Aim::Sync,
            check: self.check,
            direction: self.ends.direction,
            now: self.now,
            names: Names::Same,
            is_provisional: false,
        }
    }
}
