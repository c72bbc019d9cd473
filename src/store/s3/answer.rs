//! What S3 answers, as ours: each of its answers says the same things of an object, by the same
//! names, and is read in one place.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ArchiveStatus, ChecksumType, ServerSideEncryption};

use crate::digest::{Algorithm, Checksum, Digest};
use crate::object::{ETag, StorageClass, Timestamp};

/// The checksum fields of an answer of the SDK: algorithms and values, those that are not there
/// left out.
macro_rules! checksum_texts {
    ($output:expr) => {{
        use $crate::digest::Algorithm;
        let output = &$output;
        [
            (Algorithm::Crc32, output.checksum_crc32()),
            (Algorithm::Crc32c, output.checksum_crc32_c()),
            (Algorithm::Crc64Nvme, output.checksum_crc64_nvme()),
            (Algorithm::Sha1, output.checksum_sha1()),
            (Algorithm::Sha256, output.checksum_sha256()),
            (Algorithm::Sha512, output.checksum_sha512()),
            (Algorithm::Md5, output.checksum_md5()),
            (Algorithm::XxHash64, output.checksum_xxhash64()),
            (Algorithm::XxHash3, output.checksum_xxhash3()),
            (Algorithm::XxHash128, output.checksum_xxhash128()),
        ]
        .into_iter()
        .filter_map(|(algorithm, text)| Some((algorithm, text?)))
    }};
}
pub(super) use checksum_texts;

/// What HEAD and GET answer of an object of this size.
macro_rules! head_of {
    ($store:expr, $output:expr, $unknown:expr, $size:expr) => {{
        use $crate::store::s3::answer;
        let output = &$output;
        let etag = output.e_tag().map($crate::object::ETag::parse);
        $crate::store::Head {
            size: $size,
            modified: answer::timestamp(output.last_modified()),
            etag_is_digest: $store.etag_is_digest(
                output.server_side_encryption(),
                output.sse_customer_algorithm(),
            ),
            version: output.version_id().map(Into::into),
            checksums: answer::checksums(
                answer::checksum_texts!(output),
                output.checksum_type(),
                etag.as_ref(),
            ),
            etag,
            unknown_checksum: $unknown,
            attributes: $crate::object::Attributes {
                content_type: output.content_type().map(str::to_owned),
                cache_control: output.cache_control().map(str::to_owned),
                content_disposition: output.content_disposition().map(str::to_owned),
                content_encoding: output.content_encoding().map(str::to_owned),
                content_language: output.content_language().map(str::to_owned),
                expires: output.expires_string().map(str::to_owned),
                website_redirect: output.website_redirect_location().map(str::to_owned),
                user: answer::lower_case(output.metadata()),
            },
            storage_class: output
                .storage_class()
                .map(|class| $crate::object::StorageClass::new(class.as_str())),
            is_archived: false,
            tag_count: output
                .tag_count()
                .and_then(|count| u32::try_from(count).ok()),
            file_id: None,
            details: ($store.0.settings.tells_details)
                .then(|| Box::new(answer::details_of!(output))),
        }
    }};
}
pub(super) use head_of;

/// What HEAD and GET answer of an object beside that.
macro_rules! details_of {
    ($output:expr) => {{
        let output = $output;
        macro_rules! text {
            ($field:ident) => {
                output.$field().map(str::to_owned)
            };
        }
        macro_rules! word {
            ($field:ident) => {
                output.$field().map(|word| word.as_str().to_owned())
            };
        }
        $crate::store::Details {
            accept_ranges: text!(accept_ranges),
            bucket_key_enabled: output.bucket_key_enabled(),
            checksum_type: word!(checksum_type),
            content_range: text!(content_range),
            missing_meta: output.missing_meta(),
            object_lock_legal_hold_status: word!(object_lock_legal_hold_status),
            object_lock_mode: word!(object_lock_mode),
            object_lock_retain_until_date: output
                .object_lock_retain_until_date()
                .map(|time| answer::timestamp(Some(time))),
            parts_count: output.parts_count(),
            replication_status: word!(replication_status),
            request_charged: word!(request_charged),
            restore: text!(restore),
            server_side_encryption: word!(server_side_encryption),
            sse_customer_algorithm: text!(sse_customer_algorithm),
            sse_customer_key_md5: text!(sse_customer_key_md5),
            ssekms_key_id: text!(ssekms_key_id),
        }
    }};
}
pub(super) use details_of;

/// Whether an object of which HEAD says this has to be restored before it can be read:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>. `restore` is there where
/// somebody has asked for that, and names a date once it is done.
pub(super) fn is_archived(
    class: Option<&str>,
    restore: Option<&str>,
    archive: Option<&ArchiveStatus>,
) -> bool {
    let is_in_archive =
        archive.is_some() || class.is_some_and(|class| StorageClass::new(class).is_archive());
    is_in_archive && !restore.is_some_and(|restore| restore.contains("ongoing-request=\"false\""))
}

/// What a write answers of an object of this size: what is said of the object itself in `$object`,
/// what of the request in `$output`, and under which SSE-C algorithm it was written.
macro_rules! stored_of {
    ($store:expr, $output:expr, $object:expr, $customer:expr, $size:expr) => {{
        use $crate::store::s3::answer;
        let (output, object) = (&$output, &$object);
        let etag = object.e_tag().map($crate::object::ETag::parse);
        $crate::store::Stored {
            size: $size,
            etag_is_digest: $store.etag_is_digest(output.server_side_encryption(), $customer),
            version: output.version_id().map(Into::into),
            checksums: answer::checksums(
                answer::checksum_texts!(object),
                object.checksum_type(),
                etag.as_ref(),
            ),
            etag,
            request_id: answer::request_id(output),
        }
    }};
}
pub(super) use stored_of;

/// What is answered of a part: of the part itself in `$part`, of the request in `$output`.
macro_rules! part_of {
    ($store:expr, $output:expr, $part:expr, $number:expr, $checksum:expr, $size:expr) => {{
        use $crate::store::s3::answer;
        let (output, part) = (&$output, &$part);
        $crate::store::StoredPart {
            number: $number,
            etag: part.e_tag().map($crate::object::ETag::parse),
            etag_is_digest: $store.etag_is_digest(
                output.server_side_encryption(),
                output.sse_customer_algorithm(),
            ),
            checksum: answer::digest_under(answer::checksum_texts!(part), $checksum),
            size: $size,
        }
    }};
}
pub(super) use part_of;

/// Whether an ETag made under this encryption is worth what its shape says:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>.
pub(super) fn etag_is_digest(
    encryption: Option<&ServerSideEncryption>,
    customer_algorithm: Option<&str>,
) -> bool {
    customer_algorithm.is_none() && matches!(encryption, None | Some(ServerSideEncryption::Aes256))
}

/// A time of the SDK as ours.
pub(super) fn timestamp(time: Option<&DateTime>) -> Timestamp {
    time.map_or(Timestamp::new(0, 0), |time| {
        Timestamp::new(time.secs(), time.subsec_nanos())
    })
}

/// Stored checksums, parsed. A server may say only by the type that a value is a composite, and
/// leave out of how many parts: then it is of as many as the ETag's. If it says neither of an object
/// in parts, only the algorithm may tell; where that has both kinds, the value says nothing.
pub(super) fn checksums<'a>(
    texts: impl Iterator<Item = (Algorithm, &'a str)>,
    kind: Option<&ChecksumType>,
    etag: Option<&ETag>,
) -> Vec<Checksum> {
    texts
        .filter_map(
            |(algorithm, text)| match (Checksum::parse(algorithm, text)?, kind) {
                (Checksum::Whole(digest), Some(ChecksumType::Composite)) => {
                    let parts = etag.and_then(ETag::parts)?;
                    Some(Checksum::Composite { digest, parts })
                }
                (Checksum::Whole(digest), None) => match etag.and_then(ETag::parts) {
                    Some(parts) if !algorithm.is_crc() => {
                        Some(Checksum::Composite { digest, parts })
                    }
                    Some(_) if !algorithm.is_always_full_object() => None,
                    Some(_) | None => Some(Checksum::Whole(digest)),
                },
                (checksum, _) => Some(checksum),
            },
        )
        .collect()
}

/// The digest under one algorithm, if it is among them.
pub(super) fn digest_under<'a>(
    mut texts: impl Iterator<Item = (Algorithm, &'a str)>,
    wanted: Option<Algorithm>,
) -> Option<Digest> {
    texts
        .find(|(algorithm, _)| Some(*algorithm) == wanted)
        .and_then(|(algorithm, text)| Digest::from_base64(algorithm, text))
}

/// User metadata with its keys in lower case.
pub(super) fn lower_case(metadata: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    metadata
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// S3's request id, where the answer names one.
pub(super) fn request_id(output: &impl RequestId) -> Option<String> {
    output.request_id().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::digest;

    #[test]
    fn an_archived_object_can_be_read_once_it_is_restored() {
        let done = "ongoing-request=\"false\", expiry-date=\"Fri, 23 Dec 2012 00:00:00 GMT\"";
        let under_way = "ongoing-request=\"true\"";
        let tiered = ArchiveStatus::DeepArchiveAccess;
        for (class, restore, archive, expected) in [
            (None, None, None, false),
            (Some("GLACIER"), None, None, true),
            (Some("DEEP_ARCHIVE"), None, None, true),
            (Some("GLACIER"), Some(under_way), None, true),
            (Some("GLACIER"), Some(done), None, false),
            (Some("GLACIER_IR"), None, None, false),
            (Some("INTELLIGENT_TIERING"), None, None, false),
            (Some("INTELLIGENT_TIERING"), None, Some(&tiered), true),
            (
                Some("INTELLIGENT_TIERING"),
                Some(under_way),
                Some(&tiered),
                true,
            ),
        ] {
            let seen = is_archived(class, restore, archive);
            assert_eq!(seen, expected, "{class:?} {restore:?} {archive:?}");
        }
    }

    #[test]
    fn a_composite_is_known_by_its_count_or_by_its_type() {
        let sum = digest(Algorithm::Sha256, b"a");
        let text = sum.base64();
        let counted = format!("{text}-3");
        let three = ETag::parse("\"0123456789abcdef0123456789abcdef-3\"");
        let whole = Some(Checksum::Whole(sum));
        let composite = Checksum::parse(Algorithm::Sha256, &counted);
        let kinds = [ChecksumType::Composite, ChecksumType::FullObject];
        let [of_parts, of_all] = kinds.each_ref().map(Some);
        for (text, kind, etag, expected) in [
            (&text, None, None, whole),
            (&text, of_all, Some(&three), whole),
            (&counted, None, None, composite),
            (&counted, of_parts, None, composite),
            (&text, of_parts, Some(&three), composite),
            (&text, of_parts, None, None),
            // nobody says which it is, and a SHA of the whole there is none
            (&text, None, Some(&three), composite),
        ] {
            let texts = [(Algorithm::Sha256, text.as_str())].into_iter();
            let seen = checksums(texts, kind, etag);
            assert_eq!(seen.first().copied(), expected, "{text} {kind:?} {etag:?}");
        }
        for (algorithm, expected) in [(Algorithm::Crc32, 0), (Algorithm::Crc64Nvme, 1)] {
            let text = digest(algorithm, b"a").base64();
            let texts = [(algorithm, text.as_str())].into_iter();
            let seen = checksums(texts, None, Some(&three));
            assert_eq!(seen.len(), expected, "{algorithm}");
        }
    }
}
