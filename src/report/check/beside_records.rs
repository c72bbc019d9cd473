//! The records of what lies beside the content: names, order and forms of the predecessor's fields.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::event::{Facet, Headers};
use crate::object::{ETag, Tags};
use crate::store::{Annotation, Annotations};

const METADATA: &str = "METADATA_SYNC_STATUS";
const TAGGING: &str = "TAGGING_SYNC_STATUS";
const ANNOTATION: &str = "ANNOTATION_SYNC_STATUS";

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The record of one header: each has fields of its own name.
macro_rules! header {
    ($key:expr, $ends:expr, $name:literal, $of:expr, $source:ident, $target:ident) => {{
        let (source, target): &(&Headers, &Headers) = $ends;
        let (ours, theirs) = ($of(*source), $of(*target));
        tracing::info!(
            name = METADATA,
            type = "METADATA",
            metadata_name = $name,
            status = status(ours == theirs),
            key = $key,
            source_version_id = source.version.as_deref().unwrap_or_default(),
            target_version_id = target.version.as_deref().unwrap_or_default(),
            $source = ours.unwrap_or_default(),
            $target = theirs.unwrap_or_default(),
        );
    }};
}

/// A record for each header, one for all user metadata.
pub(super) fn metadata(key: &str, facet: &Facet<Headers>) {
    let Facet::Told { source, target, .. } = facet else {
        return;
    };
    let ends = &(source, target);
    header!(
        key,
        ends,
        "Content-Disposition",
        |it: &Headers| it.attributes.content_disposition.clone(),
        source_content_disposition,
        target_content_disposition
    );
    header!(
        key,
        ends,
        "Content-Encoding",
        |it: &Headers| it.attributes.content_encoding.clone(),
        source_content_encoding,
        target_content_encoding
    );
    header!(
        key,
        ends,
        "Content-Language",
        |it: &Headers| it.attributes.content_language.clone(),
        source_content_language,
        target_content_language
    );
    header!(
        key,
        ends,
        "Content-Type",
        |it: &Headers| it.attributes.content_type.clone(),
        source_content_type,
        target_content_type
    );
    header!(
        key,
        ends,
        "Cache-Control",
        |it: &Headers| it.attributes.cache_control.clone(),
        source_cache_control,
        target_cache_control
    );
    header!(
        key,
        ends,
        "Expires",
        |it: &Headers| it.attributes.expires.clone(),
        source_expires,
        target_expires
    );
    header!(
        key,
        ends,
        "x-amz-website-redirect-location",
        |it: &Headers| it.attributes.website_redirect.clone(),
        source_website_redirect,
        target_website_redirect
    );
    header!(
        key,
        ends,
        "x-amz-meta-",
        |it: &Headers| Some(user(it)),
        source_metadata,
        target_metadata
    );
}

/// The record of all tags.
pub(super) fn tagging(key: &str, facet: &Facet<Tags>) {
    let Facet::Told { source, target, .. } = facet else {
        return;
    };
    tracing::info!(
        name = TAGGING,
        type = "TAGGING",
        status = status(source == target),
        key,
        source_version_id = "",
        target_version_id = "",
        source_tagging = pairs(source, "&", encoded),
        target_tagging = pairs(target, "&", encoded),
    );
}

/// A record for each annotation; says how many are the same, and how many are not.
pub(super) fn annotations(key: &str, facet: &Facet<Annotations>) -> (u64, u64) {
    let Facet::Told {
        source,
        target,
        differs,
    } = facet
    else {
        return (0, 0);
    };
    let mut counts = (0, 0);
    let only_in_target = target.keys().filter(|name| !source.contains_key(*name));
    for name in source.keys().chain(only_in_target) {
        let is_same = !differs.contains(name);
        let count = if is_same {
            &mut counts.0
        } else {
            &mut counts.1
        };
        *count += 1;
        let (ours, theirs) = (source.get(name), target.get(name));
        let named = |one: Option<&Annotation>| one.map_or("", |_| name.as_str());
        // there is no field for the size of what is not there
        let sizes = (ours.map(|one| one.size), theirs.map(|one| one.size));
        tracing::info!(
            name = ANNOTATION,
            type = "ANNOTATION",
            status = status(is_same),
            key,
            source_version_id = "",
            target_version_id = "",
            source_annotation_name = named(ours),
            target_annotation_name = named(theirs),
            source_annotation_etag = etag(ours),
            target_annotation_etag = etag(theirs),
            source_annotation_size = sizes.0,
            target_annotation_size = sizes.1,
        );
    }
    counts
}

fn status(is_same: bool) -> &'static str {
    if is_same { "MATCHES" } else { "MISMATCH" }
}

fn etag(one: Option<&Annotation>) -> String {
    let etag = one.and_then(|one| one.etag.as_ref());
    etag.map(ETag::to_string).unwrap_or_default()
}

/// All user metadata as one text.
fn user(headers: &Headers) -> String {
    pairs(&headers.attributes.user, ",", str::to_owned)
}

fn pairs(table: &Tags, separator: &str, key_of: fn(&str) -> String) -> String {
    let pairs = table
        .iter()
        .map(|(key, value)| format!("{}={}", key_of(key), encoded(value)));
    pairs.collect::<Vec<_>>().join(separator)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
