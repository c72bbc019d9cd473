//! What S3 tells of an object that no copy carries.

use crate::object::Timestamp;

/// What an answer to HEAD or GET says beside what a copy needs of it, each as S3 writes it:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// `accept-ranges`.
    pub accept_ranges: Option<String>,
    /// Whether a key of the bucket's encrypts it (SSE-KMS).
    pub bucket_key_enabled: Option<bool>,
    /// Whether its checksum is of the whole (`FULL_OBJECT`) or of its parts (`COMPOSITE`).
    pub checksum_type: Option<String>,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// How many entries of its user metadata no header can carry.
    pub missing_meta: Option<i32>,
    /// `ON` or `OFF`.
    pub object_lock_legal_hold_status: Option<String>,
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub object_lock_mode: Option<String>,
    /// How long it is locked.
    pub object_lock_retain_until_date: Option<Timestamp>,
    /// Of how many parts it is.
    pub parts_count: Option<i32>,
    /// How far its replication is.
    pub replication_status: Option<String>,
    /// Who was charged for the request.
    pub request_charged: Option<String>,
    /// How far it is restored.
    pub restore: Option<String>,
    /// How it is encrypted.
    pub server_side_encryption: Option<String>,
    /// The algorithm of the user's key (SSE-C).
    pub sse_customer_algorithm: Option<String>,
    /// The MD5 of the user's key (SSE-C).
    pub sse_customer_key_md5: Option<String>,
    /// The key that encrypts it (SSE-KMS).
    pub ssekms_key_id: Option<String>,
}
