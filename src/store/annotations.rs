//! Annotations: named payloads beside an object's content, which S3 keeps with a version:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html>.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::object::{ETag, Timestamp};

/// The annotations of an object by their names.
pub type Annotations = BTreeMap<String, Annotation>;

/// What a listing says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Length in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Timestamp,
    /// Its entity tag.
    pub etag: Option<ETag>,
}

/// One that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationContent {
    /// Its payload; S3 takes 1 MiB at most.
    pub bytes: Bytes,
    /// Its entity tag.
    pub etag: AnnotationTag,
}

/// The entity tag of an annotation, and what it is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnnotationTag {
    /// The tag, where the store told one.
    pub etag: Option<ETag>,
    /// Whether it is worth what its shape says: false under SSE-KMS and DSSE.
    pub is_digest: bool,
}
