//! The headers and user metadata of what is written, from what counts in the end.

use super::merged::Merged;
use super::resolved::Metadata;
use crate::object::{Attributes, Timestamp, encoded_words};

/// Of a pair.
pub(super) fn metadata(merged: &Merged) -> Metadata {
    let header = |path: &str| merged.optional::<String>(path);
    let expires: Option<Timestamp> = merged.optional("metadata.expires");
    let user = merged.table("metadata.user").into_iter();
    Metadata {
        set: Attributes {
            content_type: header("metadata.content_type"),
            cache_control: header("metadata.cache_control"),
            content_disposition: header("metadata.content_disposition"),
            content_encoding: header("metadata.content_encoding"),
            content_language: header("metadata.content_language"),
            expires: expires.map(Timestamp::http),
            website_redirect: header("metadata.website_redirect"),
            // a header's name has no case, and its value is ASCII
            user: user
                .map(|(key, value)| (key.to_ascii_lowercase(), encoded_words(&value)))
                .collect(),
        },
        copy_system: merged.value("metadata.sync_system"),
        copy_user: merged.value("metadata.sync_user_defined"),
        put_last_modified: merged.value("metadata.put_last_modified"),
        guess_mime_type: merged.value("metadata.guess_mime_type"),
    }
}
