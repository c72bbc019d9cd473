//! What an error means for the object it is about, and for the pair.

use crate::event::{Event, FailReason, SkipReason};
use crate::object::Entry;
use crate::plan::Direction;
use crate::store::{ErrorKind, StoreError};

/// What became of an object that met an error.
#[derive(Debug)]
pub struct Conclusion {
    /// To be told of the object.
    pub event: Event,
    /// The error, where it ends the pair: nothing else of it would work.
    pub ends_pair: Option<StoreError>,
}

/// Draws the conclusion; the object was begun so many times.
pub fn conclude(
    source: &Entry,
    error: StoreError,
    direction: Direction,
    attempts: u32,
) -> Conclusion {
    let ends_pair = ends_pair(error.kind).then(|| error.clone());
    let event = match meaning(&error, direction) {
        Meaning::Skipped(reason) => Event::Skipped {
            key: source.key.as_str().to_owned(),
            source: Some(source.into()),
            reason,
            message: Some(error.to_string()),
        },
        Meaning::Stopped => Event::NotAttempted {
            key: source.key.clone(),
            source: source.into(),
        },
        Meaning::Failed(reason) => Event::Failed {
            key: source.key.clone(),
            source: Some(source.into()),
            reason,
            error: Box::new(error),
            attempts,
        },
    };
    Conclusion { event, ends_pair }
}

/// Whether nothing else of a pair would work after an error of this kind.
pub fn ends_pair(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Fatal | ErrorKind::NoSpace | ErrorKind::TooManyOpenFiles
    )
}

enum Meaning {
    Skipped(SkipReason),
    Stopped,
    Failed(FailReason),
}

fn meaning(error: &StoreError, direction: Direction) -> Meaning {
    use Meaning::{Failed, Skipped, Stopped};

    match error.kind {
        ErrorKind::NotFound => Skipped(SkipReason::SourceVanished),
        ErrorKind::AccessDenied
            if direction == Direction::LocalToS3 && error.operation == "open" =>
        {
            Skipped(SkipReason::UnreadableFile)
        }
        // the object itself may be read
        ErrorKind::AccessDenied if error.operation == "GetObjectTagging" => {
            Failed(FailReason::TagsDenied)
        }
        ErrorKind::AccessDenied if error.operation == "ListObjectAnnotations" => {
            Failed(FailReason::Annotations)
        }
        ErrorKind::AccessDenied => Skipped(SkipReason::AccessDenied),
        ErrorKind::Archived => Skipped(SkipReason::Archived),
        ErrorKind::PreconditionFailed => Skipped(SkipReason::PreconditionFailed),
        ErrorKind::UnsafeKey => Skipped(SkipReason::UnsafeKey),
        ErrorKind::Occupied => Skipped(SkipReason::ShadowedKey),
        ErrorKind::Cancelled => Stopped,
        ErrorKind::Transient | ErrorKind::Unsupported | ErrorKind::Other
            if error.operation == "ListObjectAnnotations" =>
        {
            Failed(FailReason::Annotations)
        }
        kind @ (ErrorKind::NoSpace
        | ErrorKind::Changed
        | ErrorKind::Transient
        | ErrorKind::Corrupted
        | ErrorKind::Fatal
        | ErrorKind::TooManyOpenFiles
        | ErrorKind::Unsupported
        | ErrorKind::Other) => Failed(FailReason::of(kind)),
    }
}
