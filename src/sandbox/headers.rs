//! What an upload says about its object in headers, and how a read tells it.

use http::HeaderMap;

use super::bucket::{Bucket, State};
use super::error::{Result, error, invalid_argument, invalid_request};
use super::object::{Attributes, Object, Version};
use super::response::{Answer, quoted};
use super::{tags, times};
use crate::object::encoded_words;

/// Headers an object keeps as they came.
const SYSTEM: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    WEBSITE_REDIRECT,
];

/// Kept like the others, but never copied.
pub(super) const WEBSITE_REDIRECT: &str = "x-amz-website-redirect-location";

const STORAGE_CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
];

const CANNED_ACLS: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
];

const USER: &str = "x-amz-meta-";

/// S3's limit for names and values of user metadata together.
const MOST_USER_METADATA: usize = 2048;

/// Reads all attributes of an upload.
pub(super) fn attributes(
    headers: &HeaderMap,
    bucket: &Bucket,
    state: &State,
) -> Result<Attributes> {
    let mut attributes = metadata(headers)?;
    attributes.storage_class = storage_class(headers, bucket)?;
    attributes.tags = tags::of_header(headers)?;
    attributes.acl = acl(headers)?;
    (attributes.retention, attributes.legal_hold) = lock(headers, state)?;
    Ok(attributes)
}

/// Reads system and user metadata only.
pub(super) fn metadata(headers: &HeaderMap) -> Result<Attributes> {
    let mut attributes = Attributes::default();
    let mut user_size = 0;
    for (name, raw) in headers {
        let value = String::from_utf8_lossy(raw.as_bytes()).into_owned();
        if let Some(name) = name.as_str().strip_prefix(USER) {
            let value = told(raw.as_bytes());
            user_size += name.len() + value.len();
            match attributes
                .user
                .iter_mut()
                .find(|(earlier, _)| earlier == name)
            {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => attributes.user.push((name.to_owned(), value)),
            }
        } else if let Some(value) = kept(name.as_str(), value) {
            attributes.system.push((name.as_str().to_owned(), value));
        }
    }
    if user_size > MOST_USER_METADATA {
        return Err(error(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(attributes)
}

/// User metadata as it is told: S3 reads bytes beyond ASCII as Latin-1, and writes what they mean in
/// encoded words.
fn told(raw: &[u8]) -> String {
    let text: String = raw.iter().copied().map(char::from).collect();
    encoded_words(&text)
}

/// The storage class asked for; `None` for the standard one. A directory bucket has only its own.
pub(super) fn storage_class(headers: &HeaderMap, bucket: &Bucket) -> Result<Option<String>> {
    match text(headers, "x-amz-storage-class") {
        None if bucket.is_directory() => Ok(Some("EXPRESS_ONEZONE".to_owned())),
        None | Some("STANDARD") => Ok(None),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(Some(class.to_owned())),
        Some(_) => Err(error(
            400,
            "InvalidStorageClass",
            "The storage class you specified is not valid",
        )),
    }
}

/// The canned ACL asked for.
pub(super) fn acl(headers: &HeaderMap) -> Result<Option<String>> {
    match text(headers, "x-amz-acl") {
        None => Ok(None),
        Some(acl) if CANNED_ACLS.contains(&acl) => Ok(Some(acl.to_owned())),
        Some(_) => Err(invalid_argument("Invalid canned ACL")),
    }
}

/// A retention's mode and date, and a legal hold.
type Lock = (Option<(String, String)>, Option<String>);

/// The object lock asked for.
pub(super) fn lock(headers: &HeaderMap, state: &State) -> Result<Lock> {
    let mode = text(headers, "x-amz-object-lock-mode");
    let until = text(headers, "x-amz-object-lock-retain-until-date");
    let legal_hold = text(headers, "x-amz-object-lock-legal-hold").map(str::to_owned);
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(mode), Some(until)) => Some((mode.to_owned(), until.to_owned())),
        _ => {
            return Err(invalid_argument(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            ));
        }
    };
    let asked = retention.is_some() || legal_hold.is_some();
    if asked && !state.settings.contains_key("object-lock") {
        return Err(invalid_request(
            "Bucket is missing Object Lock Configuration",
        ));
    }
    Ok((retention, legal_hold))
}

/// Tells everything about an object that a read tells, but for length, checksums and tags.
pub(super) fn tell(answer: &mut Answer, state: &State, version: &Version, object: &Object) {
    let attributes = &object.attributes;
    answer.set("accept-ranges", "bytes");
    answer.set("last-modified", times::http(version.modified));
    answer.set("etag", quoted(&object.etag));
    answer.set("content-type", "binary/octet-stream");
    answer.set_some("x-amz-version-id", state.told_id(&version.id));
    for (name, value) in &attributes.system {
        answer.set(name, value);
    }
    for (name, value) in &attributes.user {
        answer.set(&format!("{USER}{name}"), value);
    }
    answer.set_some("x-amz-storage-class", attributes.storage_class.as_ref());
    if let Some(until) = object.restored_until {
        let date = times::http(until);
        answer.set(
            "x-amz-restore",
            format!("ongoing-request=\"false\", expiry-date=\"{date}\""),
        );
    }
    if let Some((mode, until)) = &attributes.retention {
        answer.set("x-amz-object-lock-mode", mode);
        answer.set("x-amz-object-lock-retain-until-date", until);
    }
    answer.set_some(
        "x-amz-object-lock-legal-hold",
        attributes.legal_hold.as_ref(),
    );
    object.encryption.tell(answer);
}

/// What is kept of a header; the encoding of the transfer is no part of the object.
fn kept(name: &str, value: String) -> Option<String> {
    if !SYSTEM.contains(&name) {
        return None;
    }
    if name != "content-encoding" {
        return Some(value);
    }
    let encodings: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
        .collect();
    (!encodings.is_empty()).then(|| encodings.join(","))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
