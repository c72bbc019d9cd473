//! What an object can carry, for those who say it while the job runs: the same limits as a job
//! file has.

use super::OPTIONS;
use super::option::Kind;
use super::setting::is_redirect;
use super::tables;
use crate::object::{Attributes, StorageClass, Tags};

/// What is wrong with a canned ACL, if anything is.
pub fn wrong_acl(acl: &str) -> Option<String> {
    wrong_word("target.acl", acl).map(|known| format!("`{acl}` is no canned ACL; {known}"))
}

/// What is wrong with a storage class, if anything is.
pub fn wrong_class(class: &StorageClass) -> Option<String> {
    let wrong = wrong_word("target.storage_class", class.as_str());
    wrong.map(|known| format!("`{class}` is no storage class; {known}"))
}

/// What is wrong with headers and user metadata, if anything is.
pub fn wrong_attributes(attributes: &Attributes) -> Option<String> {
    let headers = [
        ("cache_control", &attributes.cache_control),
        ("content_disposition", &attributes.content_disposition),
        ("content_encoding", &attributes.content_encoding),
        ("content_language", &attributes.content_language),
        ("content_type", &attributes.content_type),
        ("website_redirect_location", &attributes.website_redirect),
    ];
    for (name, value) in headers {
        let is_wrong = |text: &String| text.chars().any(char::is_control);
        if value.as_ref().is_some_and(is_wrong) {
            return Some(format!(
                "{name} has control characters, which no header may have"
            ));
        }
    }
    let redirect = attributes.website_redirect.as_ref();
    if let Some(redirect) = redirect.filter(|redirect| !is_redirect(redirect)) {
        return Some(format!(
            "website_redirect_location must be a path from the website's root (`/…`), or an http:// or https:// URL, not `{redirect}`"
        ));
    }
    let wrong = tables::check(Kind::Metadata, &attributes.user).err();
    wrong.map(|wrong| format!("metadata {wrong}"))
}

/// What is wrong with tags, if anything is.
pub fn wrong_tags(tags: &Tags) -> Option<String> {
    let wrong = tables::check(Kind::Tags, tags).err();
    wrong.map(|wrong| format!("tagging {wrong}"))
}

fn wrong_word(path: &str, word: &str) -> Option<String> {
    let row = OPTIONS.iter().find(|row| row.path == path);
    match row.expect("an option").kind {
        Kind::Word(words) if !words.contains(&word) => {
            Some(format!("it may be {}", words.join(", ")))
        }
        _ => None,
    }
}
