//! What requests say in headers: what an object is to have beside its bytes, and which of these
//! are asked for.

use std::ops::Range;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::RequestPayer;

use crate::object::ETag;
use crate::store::{Condition, Payer};

/// Sets headers, metadata, tags, storage class and ACL on any request that makes an object.
macro_rules! with_attributes {
    ($request:expr, $put:expr) => {{
        use aws_sdk_s3::types::{ObjectCannedAcl, StorageClass};
        use $crate::store::s3::headers;
        let put = $put;
        let attributes = &put.attributes;
        let mut request = $request
            .set_content_type(attributes.content_type.clone())
            .set_cache_control(attributes.cache_control.clone())
            .set_content_disposition(attributes.content_disposition.clone())
            .set_content_encoding(attributes.content_encoding.clone())
            .set_content_language(attributes.content_language.clone())
            .set_expires(headers::expires(attributes.expires.as_deref()))
            .set_website_redirect_location(attributes.website_redirect.clone())
            .set_tagging($crate::object::tagging(&put.tags))
            .set_storage_class(
                (put.storage_class.as_ref()).map(|it| StorageClass::from(it.as_str())),
            )
            .set_acl(put.acl.as_deref().map(ObjectCannedAcl::from))
            .set_request_payer(headers::payer(put.payer));
        for (name, value) in &attributes.user {
            request = request.metadata(name, value);
        }
        request
    }};
}
pub(super) use with_attributes;

/// Sets what must hold of the key, on the requests that publish an object.
macro_rules! with_condition {
    ($request:expr, $condition:expr) => {{
        use $crate::store::s3::headers;
        let condition = $condition;
        $request
            .set_if_match(headers::if_match(condition))
            .set_if_none_match(headers::if_none_match(condition))
    }};
}
pub(super) use with_condition;

/// `Expires` as the SDK takes it: a time. What S3 keeps may be any text; what is no time is left
/// out.
pub(super) fn expires(text: Option<&str>) -> Option<DateTime> {
    DateTime::from_str(text?, DateTimeFormat::HttpDate).ok()
}

/// Who pays for a request that belongs to a write, where that is said of this one alone.
pub(super) fn payer(payer: Payer) -> Option<RequestPayer> {
    match payer {
        Payer::Requester => Some(RequestPayer::Requester),
        Payer::AsEver | Payer::Owner => None,
    }
}

pub(super) fn if_match(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Has(etag) => Some(ETag::quoted(etag)),
        Condition::None | Condition::Absent => None,
    }
}

pub(super) fn if_none_match(condition: &Condition) -> Option<String> {
    (*condition == Condition::Absent).then(|| "*".to_owned())
}

/// The bytes of a range as the Range header has them, both ends included.
pub(super) fn range(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}
