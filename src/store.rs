/*! Stores: where entries are listed, read and written.

A [`Source`] can be listed and read, a [`Target`] written to as well. There are three: a directory
([`local`]), a bucket and prefix ([`s3`]) and a map in memory ([`memory`], the reference the others
are tested against). What can be switched on is a wrapper around a store, never an `if` inside one.

Reads are bounded: [`Source::read`] brings a whole small object, or one range of a large one, into
memory and hashes it in the same pass. So a retry re-reads nothing, and what a transfer holds is
known before it starts.

Every operation retries by itself, in one place ([`retry`]), because a listing needs that as much
as a put and no import may point up to `transfer`.
*/

mod annotations;
mod buffers;
mod copied;
mod description;
mod details;
mod error;
mod folding;
mod halt;
mod head;
mod huge_pages;
mod incomplete;
mod left;
mod left_out;
pub mod local;
pub mod memory;
mod meter;
pub mod named;
mod overdue;
mod pace;
mod pages;
mod parts;
mod probe;
mod put;
mod read;
mod removal;
pub mod retry;
pub mod s3;
mod secret;
mod settled;
mod sort;
mod source;
mod target;
mod throttle;
mod to_its_end;
mod upload;
mod versioning;

pub use self::annotations::{Annotation, AnnotationContent, AnnotationTag, Annotations};
pub use self::copied::{Brings, Copied, CopySource};
pub use self::description::{Description, StoreKind};
pub use self::details::Details;
pub use self::error::{ErrorKind, NOT_RESTORED, StoreError, asks_for_fewer};
pub use self::folding::Folding;
pub use self::halt::{Halt, Halting};
pub use self::head::Head;
pub use self::huge_pages::{grant as grant_huge_pages, withhold as withhold_huge_pages};
pub use self::incomplete::Incomplete;
pub use self::left::{
    DirectoryId, LeftFiles, LeftUpload, Swept, Unheard, UnheardUpload, Unwitnessed, Witness,
};
pub use self::left_out::LeavesOut;
pub use self::meter::{Meter, Unmetered};
pub use self::pace::{Pace, Stream};
pub use self::pages::{Listing, Looked, Oddity, OddityKind, Page};
pub use self::parts::{Part, PartLayout, StoredPart, ToldPart};
pub use self::probe::{Answer, Finding};
pub use self::put::{Condition, Payer, Put};
pub use self::read::{Content, Read};
pub use self::removal::{Removal, Removed, Still};
pub use self::secret::Secret;
pub use self::settled::{Rejected, Settled, SourceFacts, Stored, Withdrawn};
pub use self::source::Source;
pub use self::target::Target;
pub use self::throttle::Throttle;
pub use self::upload::Upload;
pub use self::versioning::{Histories, Versioning};
