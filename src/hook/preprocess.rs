//! Who changes what an object carries, or leaves it out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::HookError;
use crate::digest::Checksum;
use crate::event::SkipReason;
use crate::object::{Attributes, ETag, ObjectKey, StorageClass, Tags, Timestamp};
use crate::store::Details;

/// What the source says of an object that is about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceObject {
    /// The pair it belongs to.
    pub pair: Arc<str>,
    /// Its key, relative to both ends.
    pub key: ObjectKey,
    /// The whole key it is written under, the target's prefix included.
    pub target_key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When its content was last changed.
    pub last_modified: Timestamp,
    /// Its entity tag; a file has none.
    pub e_tag: Option<ETag>,
    /// Its version, in a versioned bucket.
    pub version_id: Option<Arc<str>>,
    /// The checksums that were told of it.
    pub checksums: Vec<Checksum>,
    /// Its headers and user metadata; of a file, the type that its name says.
    pub attributes: Attributes,
    /// Its storage class, where that is not `STANDARD`.
    pub storage_class: Option<StorageClass>,
    /// How many tags it has, where that is told.
    pub tag_count: Option<u32>,
    /// What else S3 tells of it; nothing of a file.
    pub details: Details,
}

/// What an object is written with beside its bytes. `None` and what is empty is not written: S3
/// then has its own way with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadMetadata {
    /// A canned ACL by S3's name for it.
    pub acl: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Expires`.
    pub expires: Option<Timestamp>,
    /// User metadata, keys without `x-amz-meta-`. What s3sync itself notes there of the source is
    /// written whatever becomes of it here.
    pub metadata: BTreeMap<String, String>,
    /// Whether whoever asks says that they pay for it.
    pub request_payer: bool,
    /// The storage class.
    pub storage_class: Option<StorageClass>,
    /// The tags, decoded.
    pub tagging: Tags,
    /// `x-amz-website-redirect-location`.
    pub website_redirect_location: Option<String>,
}

/// What becomes of an object that a hook was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preprocessed {
    /// It is written, with what the hook left of its metadata.
    Proceed,
    /// It is not written.
    Skip,
}

/// Changes what an object carries before it is written to S3, or leaves it out: never its key or
/// its content.
///
/// It is asked once about each object that is to be written, after every filter let it pass, and
/// again only if the source turns out to be another object than was asked about. Several hooks are
/// asked one after the other, each about what the one before left. It is asked about several
/// objects at the same time, not about files that are written to a directory, and not in a dry run
/// or a check. A stop, and an error that fails the pair, drop what is being asked.
#[async_trait]
pub trait PreprocessHook: Send + Sync + fmt::Debug {
    /// Looks at an object, and changes what it carries.
    async fn preprocess(
        &self,
        source: &SourceObject,
        upload: &mut UploadMetadata,
    ) -> Result<Preprocessed, HookError>;

    /// What messages call it: the name of its type.
    fn name(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }

    /// The error of having left something that cannot be written.
    #[doc(hidden)]
    fn refused(&self, why: &str) -> HookError {
        HookError::new(format!("{}: {why}", self.name()))
    }

    /// Why an object is skipped that it leaves out.
    #[doc(hidden)]
    fn skips_as(&self) -> SkipReason {
        SkipReason::HookCancelled
    }
}
