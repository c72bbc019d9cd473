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
mod details;
mod error;
mod folding;
mod halt;
mod incomplete;
mod left;
mod left_out;
pub mod local;
pub mod memory;
pub mod named;
mod overdue;
mod pace;
mod probe;
mod removal;
pub mod retry;
pub mod s3;
mod secret;
mod settled;
mod sort;
mod throttle;
mod to_its_end;
mod versioning;

pub use annotations::{Annotation, AnnotationContent, AnnotationTag, Annotations};
pub use details::Details;
pub use error::{ErrorKind, NOT_RESTORED, StoreError, asks_for_fewer};
pub use folding::Folding;
pub use halt::{Halt, Halting};
pub use incomplete::Incomplete;
pub use left::{
    DirectoryId, LeftFiles, LeftUpload, Swept, Unheard, UnheardUpload, Unwitnessed, Witness,
};
pub use left_out::LeavesOut;
pub use pace::{Pace, Stream};
pub use probe::{Answer, Finding};
pub use removal::{Removal, Removed, Still};
pub use secret::Secret;
pub use settled::{Rejected, Settled, SourceFacts, Stored, Withdrawn};
pub use throttle::Throttle;
pub use versioning::{Histories, Versioning};

use std::fmt;
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Checksum, Digest};
use crate::object::{
    Attributes, ETag, Entry, ObjectKey, ObjectVersion, StorageClass, Tags, Timestamp,
};

/// The pages of a listing in ascending byte order of key, across pages too; a bucket that is
/// compared with a directory lists by the names keys have there ([`s3::KeyOrder`]). It ends after
/// the first error: a listing is complete only if it ended without one.
pub type Listing = BoxStream<'static, Result<Page, StoreError>>;

/// Some consecutive entries of a listing, or whatever else is listed key by key.
#[derive(Debug)]
pub struct Page<E = Entry> {
    /// In the listing's order.
    pub entries: Vec<E>,
    /// What stood among them and cannot be synchronized.
    pub oddities: Vec<Oddity>,
    /// What the store could not tell of keys that were asked for by their names.
    pub failures: Vec<(ObjectKey, StoreError)>,
    /// Whether the store is one object: its prefix is the whole key of the only entry, which has
    /// the last segment of it for a name.
    pub is_one_object: bool,
}

impl<E> Default for Page<E> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            oddities: Vec::new(),
            failures: Vec::new(),
            is_one_object: false,
        }
    }
}

/// Something a listing met that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The name it would have as a key; bytes that are not UTF-8 are written `\xNN`.
    pub name: String,
    /// What it is.
    pub kind: OddityKind,
    /// In words, where there is more to say.
    pub message: Option<String>,
}

/// Why something listed is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OddityKind {
    /// A fifo, socket or device.
    SpecialFile,
    /// A name that is not UTF-8.
    NotUtf8,
    /// A name longer than a key may be.
    KeyTooLong,
    /// A directory that cannot be read: nothing is known about what is below it.
    UnreadableDirectory,
    /// A directory that was not looked into ([`LeavesOut`]): nothing below it is wanted.
    LeftOut,
    /// A symbolic link that is not followed: it leads nowhere, or none is. It is no object, and
    /// what would stand there or below it is not known.
    NotFollowed,
    /// An object whose key equals the prefix, so that nothing is left of its name.
    KeyIsPrefix,
    /// A file or directory that went away between being listed and being looked at.
    Vanished,
    /// It was asked for by its name, and nothing is there.
    Absent,
    /// It was asked for by its name, and may not be looked at.
    Denied,
    /// Its name can be no path below the root.
    UnsafeName,
}

/// What a listing would have under a key that was asked for by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// An object.
    Entry(Entry),
    /// Something that is none, or nothing.
    Oddity(Oddity),
}

/// What a store says of one object by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length of the whole object in bytes, also when a range of it was read.
    pub size: u64,
    /// When the content was last changed.
    pub modified: Timestamp,
    /// The entity tag; a directory has none.
    pub etag: Option<ETag>,
    /// Whether the ETag is worth what its shape says: false under SSE-KMS, DSSE or SSE-C.
    pub etag_is_digest: bool,
    /// The version, in a versioned bucket.
    pub version: Option<Arc<str>>,
    /// Additional checksums the store keeps, where it was asked for them.
    pub checksums: Vec<Checksum>,
    /// The store's name for a checksum it keeps under an algorithm that is not known here.
    pub unknown_checksum: Option<String>,
    /// Its headers and user metadata, as far as the store keeps them.
    pub attributes: Attributes,
    /// Its storage class, where it is not `STANDARD`.
    pub storage_class: Option<StorageClass>,
    /// Whether it is archived and not restored, so that it cannot be read: only asking for it
    /// tells.
    pub is_archived: bool,
    /// How many tags it has; `None` where the store does not tell, as S3 does not of none.
    pub tag_count: Option<u32>,
    /// The file's identity (inode), so that a replaced file is told from a rewritten one.
    pub file_id: Option<u64>,
    /// What else S3 tells of it, where that is wanted.
    pub details: Option<Box<Details>>,
}

impl Head {
    /// Whether two looks at one key saw the same content: the same ETag, or for files the same
    /// file, size and time to the nanosecond.
    pub fn same_content(&self, other: &Self) -> bool {
        self.size == other.size
            && match (&self.etag, &other.etag) {
                (Some(a), Some(b)) => a == b,
                _ => self.modified == other.modified && self.file_id == other.file_id,
            }
    }
}

/// What to read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The object.
    pub key: ObjectKey,
    /// Which of its versions; the latest when `None`.
    pub version: Option<Arc<str>>,
    /// Bytes `start..end` of it; all of it when `None`.
    pub range: Option<Range<u64>>,
    /// How many bytes that are, as far as is known: they wait for their turn before they are asked
    /// for.
    pub expected: u64,
    /// Only if it still has this ETag; otherwise [`ErrorKind::Changed`].
    pub if_match: Option<ETag>,
    /// Digests to compute in the same pass.
    pub hash: Vec<Algorithm>,
}

/// Bytes that were read, and what was learnt with them.
#[derive(Debug, Clone)]
pub struct Content {
    /// The bytes asked for.
    pub bytes: Bytes,
    /// Their digests, in the order asked for.
    pub digests: Vec<Digest>,
    /// The object they came from.
    pub head: Head,
    /// S3's request id.
    pub request_id: Option<String>,
}

/// What to write beside the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Where to.
    pub key: ObjectKey,
    /// Length of the whole object in bytes.
    pub size: u64,
    /// The source's time: a directory's file gets it, a bucket's object does not.
    pub modified: Timestamp,
    /// Its headers and user metadata.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
    /// Its storage class; the bucket's own when `None`.
    pub storage_class: Option<StorageClass>,
    /// A canned ACL by S3's name for it; the bucket's own when `None`.
    pub acl: Option<Arc<str>>,
    /// What must hold of the key for it to be written.
    pub condition: Condition,
    /// The additional checksum the object is to carry.
    pub checksum: Option<Algorithm>,
    /// Whether that is of the whole object even where it is written in parts: CRCs only.
    pub full_object: bool,
    /// The entries of its user metadata that tell it from all else that is written under its key:
    /// an attempt whose answer was lost is looked for by them before it is made again. None where
    /// it does no harm to write it twice.
    pub known_by: &'static [&'static str],
    /// Who says that they pay for the request.
    pub payer: Payer,
}

/// Who says that they pay for writing an object, as buckets may demand.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payer {
    /// Whoever says so with all requests to the bucket.
    #[default]
    AsEver,
    /// Whoever asks.
    Requester,
    /// Nobody: the bucket's owner does.
    Owner,
}

/// What must hold of a key for it to be written; otherwise [`ErrorKind::PreconditionFailed`]. A
/// directory is never given any.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// It has this ETag (`If-Match`).
    Has(ETag),
    /// Nothing is there (`If-None-Match: *`).
    Absent,
}

impl Put {
    /// An object of this length with nothing beside its bytes.
    pub fn bare(key: ObjectKey, size: u64, modified: Timestamp) -> Self {
        Self {
            key,
            size,
            modified,
            attributes: Attributes::default(),
            tags: Tags::new(),
            storage_class: None,
            acl: None,
            condition: Condition::None,
            checksum: None,
            full_object: false,
            known_by: &[],
            payer: Payer::default(),
        }
    }

    /// Whether a checksum under this algorithm is kept of the whole object, however it is written.
    pub fn keeps_whole(&self, algorithm: Algorithm) -> bool {
        algorithm.is_always_full_object() || (self.full_object && algorithm.is_crc())
    }
}

/// One part of an upload: bytes, where they stand, and what they hash to.
#[derive(Debug, Clone)]
pub struct Part {
    /// 1 to 10,000.
    pub number: NonZeroU16,
    /// Where in the object the part begins.
    pub offset: u64,
    /// Its content.
    pub bytes: Bytes,
    /// Its digests: MD5 and the additional checksum, as far as they are wanted.
    pub digests: Vec<Digest>,
}

/// A part the store has taken, as the store tells it.
#[derive(Debug, Clone)]
pub struct StoredPart {
    /// 1 to 10,000.
    pub number: NonZeroU16,
    /// The part's ETag; a directory has none.
    pub etag: Option<ETag>,
    /// Whether the ETag is worth what its shape says: false under SSE-KMS, DSSE or SSE-C.
    pub etag_is_digest: bool,
    /// The additional checksum the store computed of it.
    pub checksum: Option<Digest>,
    /// Its length in bytes.
    pub size: u64,
}

/// The parts an object was uploaded in, as the store tells them, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartLayout {
    /// The ETag of the object that was told about.
    pub etag: Option<ETag>,
    /// Its parts; one at least.
    pub parts: Vec<ToldPart>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldPart {
    /// Its length in bytes.
    pub size: u64,
    /// Its additional checksum, where the store tells one.
    pub checksum: Option<Digest>,
}

/// What came of a copy inside S3.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an object that was stored must be settled"]
pub struct Copied {
    /// What the target has now.
    pub stored: Stored,
    /// The version that was copied, in a versioned bucket.
    pub of: Option<Arc<str>>,
}

/// Where an S3 object is, for a copy inside S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// The bucket.
    pub bucket: String,
    /// The whole key, prefix included, unencoded.
    pub key: String,
    /// The version to copy; the latest when `None`.
    pub version: Option<Arc<str>>,
    /// Copy only if the source still has this ETag.
    pub if_match: Option<ETag>,
    /// The user's key it is encrypted with (SSE-C).
    pub customer_key: Option<s3::CustomerKey>,
    /// Whether whoever asks has to say that they pay for it.
    pub requester_pays: bool,
    /// What S3 takes along by itself where it copies an object at once.
    pub brings: Brings,
}

/// What comes along with an object that is copied at once, beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brings {
    /// Its tags, in place of those of the [`Put`].
    pub tags: bool,
    /// Its annotations.
    pub annotations: bool,
}

const NO_TAGS: &str = "this store keeps no tags";
const NO_ANNOTATIONS: &str = "this store keeps no annotations";

/// A store that can be listed and read.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// What to call it in messages and reports.
    fn describe(&self) -> Description;

    /// Everything below the root, in order.
    fn list(&self) -> Listing;

    /// The same, put into order here whatever order it comes in: for a store whose
    /// [listing](Self::list) was not. It begins when all is listed.
    fn list_sorted(&self) -> Listing {
        self.list()
    }

    /// What the store says of one object; with `checksums` it is asked for those as well.
    async fn head(&self, of: ObjectVersion<'_>, checksums: bool) -> Result<Head, StoreError>;

    /// The same. Where a denial has no words, it is found out whether it is the credentials that
    /// are wrong, which ends everything, or the object that may not be looked at.
    async fn head_in_words(
        &self,
        of: ObjectVersion<'_>,
        checksums: bool,
    ) -> Result<Head, StoreError> {
        self.head(of, checksums).await
    }

    /// What a listing has under one key, without listing: an object is asked for.
    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        named::looked(key, self.head(key.into(), false).await)
    }

    /// Reads an object or a range of it, and hashes what it reads.
    async fn read(&self, read: &Read) -> Result<Content, StoreError>;

    /// The length of one part of a multipart object, where the store tells it
    /// (HEAD with `partNumber`).
    async fn part_size(
        &self,
        _of: ObjectVersion<'_>,
        _number: NonZeroU16,
    ) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// The parts of a multipart object, where the store tells them all at once.
    async fn parts(&self, _of: ObjectVersion<'_>) -> Result<Option<PartLayout>, StoreError> {
        Ok(None)
    }

    /// Every version of everything below the root; `None` where the store keeps none.
    fn histories(&self) -> Option<Histories> {
        None
    }

    /// Whether the store keeps what is overwritten and deleted.
    async fn versioning(&self) -> Result<Versioning, StoreError> {
        Ok(Versioning::Off)
    }

    /// The tags of an object.
    async fn tags(&self, _of: ObjectVersion<'_>) -> Result<Tags, StoreError> {
        Err(StoreError::unsupported("tags", NO_TAGS))
    }

    /// The annotations of an object, without their payloads.
    async fn annotations(&self, _of: ObjectVersion<'_>) -> Result<Annotations, StoreError> {
        Err(StoreError::unsupported("annotations", NO_ANNOTATIONS))
    }

    /// One annotation of an object.
    async fn annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
    ) -> Result<AnnotationContent, StoreError> {
        Err(StoreError::unsupported("annotation", NO_ANNOTATIONS))
    }

    /// Where the object is inside S3, if it is there.
    fn copy_source(&self, _of: ObjectVersion<'_>) -> Option<CopySource> {
        None
    }
}

/// A store that can be written to.
#[async_trait]
pub trait Target: Source {
    /// Writes a whole object at once. `digests` are those of `bytes`. When it returns, the object
    /// is complete under its key, or nothing has changed.
    async fn put(&self, put: &Put, bytes: Bytes, digests: &[Digest]) -> Result<Stored, StoreError>;

    /// Starts writing an object in parts. Nothing is visible before [`Upload::complete`].
    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError>;

    /// Goes on with an upload that an earlier run left behind, for an object that is to be written
    /// like this. `None` where it is not there any more.
    async fn resume(
        &self,
        _put: &Put,
        _left: &LeftUpload,
    ) -> Result<Option<Box<dyn Upload>>, StoreError> {
        Ok(None)
    }

    /// Ends an upload that was left behind. One that is not there counts as ended.
    async fn end_left(&self, _left: &LeftUpload) -> Result<(), StoreError> {
        Ok(())
    }

    /// Looks for an upload that was asked for and not heard of, and ends it.
    async fn end_unheard(&self, _unheard: &UnheardUpload) -> Result<Unheard, StoreError> {
        Ok(Unheard::Ended)
    }

    /// Removes temporary files, wherever they are below the root. Who makes some with the same
    /// token must not be at work.
    async fn sweep(&self, _left: &LeftFiles) -> Result<Swept, StoreError> {
        Ok(Swept::Clean(0))
    }

    /// Copies an object that is already inside S3, in one request (5 GiB at most).
    async fn copy(&self, _put: &Put, _from: &CopySource) -> Result<Copied, StoreError> {
        Err(StoreError::unsupported(
            "copy",
            "this store cannot copy by itself",
        ))
    }

    /// Removes objects; one result for each, in their order. One that is not there counts as
    /// removed, as S3 has it. An error in place of the results means that nothing is known of any.
    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError>;

    /// Deletes a key where what it had is kept; the id of the delete marker that hides it now.
    async fn mark_deleted(&self, _key: &ObjectKey) -> Result<Option<Arc<str>>, StoreError> {
        Err(StoreError::unsupported(
            "mark as deleted",
            "this store keeps no versions",
        ))
    }

    /// Gives an object these tags in place of those it has; none where there are none.
    async fn set_tags(&self, _of: ObjectVersion<'_>, _tags: &Tags) -> Result<(), StoreError> {
        Err(StoreError::unsupported("tag", NO_TAGS))
    }

    /// Writes an annotation of an object, and says what it has then. The bytes are proved to have
    /// arrived where the store can compare digests.
    async fn put_annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
        _bytes: Bytes,
    ) -> Result<AnnotationTag, StoreError> {
        Err(StoreError::unsupported("annotate", NO_ANNOTATIONS))
    }

    /// Removes an annotation of an object; one that is not there counts as removed.
    async fn delete_annotation(
        &self,
        _of: ObjectVersion<'_>,
        _name: &str,
    ) -> Result<(), StoreError> {
        Err(StoreError::unsupported("annotate", NO_ANNOTATIONS))
    }

    /// Takes back what this run has just stored, and only that: by its version, or only while the
    /// key still has its ETag. Whatever took its place meanwhile stays.
    async fn withdraw(&self, key: &ObjectKey, _stored: &Stored) -> Result<Withdrawn, StoreError> {
        let results = self.delete(&[key.into()]).await?;
        results.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Withdrawn::Removed)
    }

    /// Whether the whole of an object is proved before it can be seen (a directory), so that a
    /// caller need not compare what [`Target::put`] answers.
    fn keeps_no_digests(&self) -> bool {
        false
    }

    /// The digest that requests with a body are signed with. Given among a body's digests it need
    /// not be computed again where it would hold up others.
    fn signs_with(&self) -> Option<Algorithm> {
        None
    }

    /// Which differences between names it does not see. Where nothing may be written, what is there
    /// already has to tell it.
    async fn folding(&self, _may_write: bool) -> Folding {
        Folding::NONE
    }

    /// Makes durable what was written: called once, when nothing more will be. A bucket has
    /// nothing left to do; a directory syncs the directories files were renamed in.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An upload in parts that has begun. Dropping it without completing or aborting leaves a
/// multipart upload behind: the engine never does.
#[async_trait]
pub trait Upload: Send + Sync + fmt::Debug {
    /// Writes one part; parts may come in any order and at the same time.
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError>;

    /// Whether the ETags of its parts, and of the object, will be worth what their shapes say, as
    /// far as it is known yet.
    fn etag_is_digest(&self) -> bool {
        true
    }

    /// What S3 calls this upload.
    fn id(&self) -> Option<&str> {
        None
    }

    /// What another run needs to go on with it or to end it, where it outlives this one.
    fn left(&self) -> Option<LeftUpload> {
        None
    }

    /// The part as the store has it from an earlier run, where what it says of that proves that it
    /// is just this one: it need not be written again.
    fn has(&self, _part: &Part) -> Option<StoredPart> {
        None
    }

    /// Copies one part from inside S3.
    async fn copy_part(
        &self,
        _number: NonZeroU16,
        _from: &CopySource,
        _range: Range<u64>,
    ) -> Result<StoredPart, StoreError> {
        Err(StoreError::unsupported(
            "copy part",
            "this store cannot copy by itself",
        ))
    }

    /// Publishes the object. `parts` in ascending order; `whole` is the digest of all bytes under
    /// the additional algorithm where it is kept of the full object. The error says whether
    /// anything may have been published all the same.
    async fn complete(
        self: Box<Self>,
        parts: Vec<StoredPart>,
        whole: Option<Digest>,
    ) -> Result<Stored, Incomplete>;

    /// Gives up: nothing of it stays.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
}

/// What a store is called in messages and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `s3://bucket/prefix`, or the directory's path.
    pub url: String,
    /// What it is.
    pub kind: StoreKind,
    /// The prefix that whole keys have before the relative key; empty for a directory.
    pub prefix: String,
    /// The region, of a bucket whose region is known.
    pub region: Option<String>,
    /// The endpoint, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Whether it keeps what is overwritten, once that was asked.
    pub versioning: Option<Versioning>,
}

/// What a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A bucket and a prefix.
    S3,
    /// A directory, or one file.
    Local,
    /// A map in memory.
    Memory,
}

/// What stores tell while they work. `event` implements it; so no import points up.
pub trait Meter: Send + Sync + fmt::Debug {
    /// One request was answered, or failed without an answer (`status` is `None`).
    fn request(&self, operation: &'static str, status: Option<u16>, elapsed: Duration);
    /// A request is tried again after `wait`.
    fn retry(&self, operation: &'static str, code: &str, wait: Duration);
    /// Something the endpoint could not do, so that a guarantee is lost.
    fn lost(&self, what: &str, why: &str);
}

/// A meter that listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn request(&self, _: &'static str, _: Option<u16>, _: Duration) {}
    fn retry(&self, _: &'static str, _: &str, _: Duration) {}
    fn lost(&self, _: &str, _: &str) {}
}
