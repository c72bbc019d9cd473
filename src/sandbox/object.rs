//! What the sandbox keeps of an object: one record per version, written to the journal as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::blobs::Segment;
use super::checksums::{Kind, StoredChecksum};
use super::encryption::Encryption;

/// The version id of an object that was put while versioning was off or suspended.
pub(super) const NULL_VERSION: &str = "null";

/// One version of a key: an object or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    /// `null`, or as random as S3's.
    pub(super) id: String,
    pub(super) modified: Timestamp,
    /// Nothing for a delete marker.
    pub(super) object: Option<Object>,
}

/// An object's content and everything said about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    /// Without its quotes.
    pub(super) etag: String,
    pub(super) size: u64,
    /// Where the content is, in order.
    pub(super) segments: Vec<Segment>,
    /// The parts it was uploaded in; empty when it came in one request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    pub(super) checksum: Option<StoredChecksum>,
    pub(super) encryption: Encryption,
    pub(super) attributes: Attributes,
    /// Until when a restored copy of an archived object can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restored_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, Annotation>,
}

/// One part of a multipart object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) number: u16,
    pub(super) size: u64,
    /// Base64, without a count; in the object's algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) checksum: Option<String>,
}

/// What an upload says about its object besides the content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Attributes {
    /// `content-type` and the like, by header name. Lists, because a map of one entry takes half
    /// a kilobyte, a million times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<(String, String)>,
    /// User metadata, without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) user: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) storage_class: Option<String>,
    /// A canned ACL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acl: Option<String>,
    /// `mode` and `until` of a retention, as the headers give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) legal_hold: Option<String>,
}

/// A named payload beside an object's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Annotation {
    pub(super) etag: String,
    /// Base64.
    pub(super) payload: String,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
    pub(super) checksum: StoredChecksum,
}

impl Version {
    /// The object, unless this is a delete marker.
    pub(super) fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// Whether this is a delete marker.
    pub(super) fn is_marker(&self) -> bool {
        self.object.is_none()
    }
}

impl Object {
    /// The storage class, `STANDARD` when nothing else was asked for.
    pub(super) fn storage_class(&self) -> &str {
        self.attributes
            .storage_class
            .as_deref()
            .unwrap_or("STANDARD")
    }

    /// Whether the content has to be restored before it can be read.
    pub(super) fn is_archived(&self) -> bool {
        matches!(self.storage_class(), "GLACIER" | "DEEP_ARCHIVE")
            && self
                .restored_until
                .is_none_or(|until| until < Timestamp::now())
    }

    /// Whether the stored checksum is one of the parts' checksums.
    pub(super) fn has_composite_checksum(&self) -> bool {
        self.checksum
            .as_ref()
            .is_some_and(|checksum| checksum.kind == Kind::Composite)
    }

    /// The runs of bytes that hold `length` bytes from `start`.
    pub(super) fn slice(&self, start: u64, length: u64) -> Vec<Segment> {
        let mut slices = Vec::new();
        let (mut skip, mut left) = (start, length);
        for segment in &self.segments {
            if left == 0 {
                break;
            }
            if skip >= segment.length {
                skip -= segment.length;
                continue;
            }
            let taken = (segment.length - skip).min(left);
            slices.push(Segment {
                offset: segment.offset + skip,
                length: taken,
                ..*segment
            });
            (skip, left) = (0, left - taken);
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::super::blobs::BlobId;
    use super::*;

    #[test]
    fn a_slice_runs_across_segments() {
        let segment = |id, offset, length| Segment {
            blob: BlobId(id),
            offset,
            length,
        };
        let object = Object {
            etag: String::new(),
            size: 30,
            segments: vec![segment(1, 0, 10), segment(2, 5, 10), segment(3, 0, 10)],
            parts: Vec::new(),
            checksum: None,
            encryption: Encryption::default(),
            attributes: Attributes::default(),
            restored_until: None,
            annotations: BTreeMap::new(),
        };
        assert_eq!(object.slice(0, 30), object.segments);
        assert_eq!(object.slice(9, 2), [segment(1, 9, 1), segment(2, 5, 1)]);
        assert_eq!(object.slice(12, 3), [segment(2, 7, 3)]);
        assert_eq!(object.slice(30, 0), []);
    }
}
