//! Headers and user metadata: the user's, before those of the source.

use std::collections::BTreeMap;

use crate::config::Metadata;
use crate::examine::ORIGIN_LAST_MODIFIED;
use crate::object::{Attributes, ObjectKey, Timestamp};
use crate::plan::Direction;
use crate::store::Head;

/// What an object gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dressed {
    pub(super) attributes: Attributes,
    /// What its source has and cannot be written, in words.
    pub(super) lost: Vec<String>,
}

/// The attributes of an object whose source says this of it.
pub(super) fn of(
    metadata: &Metadata,
    direction: Direction,
    key: &ObjectKey,
    head: &Head,
) -> Dressed {
    let mut dressed = match direction {
        Direction::S3ToLocal => return Dressed::from(Attributes::default()),
        Direction::S3ToS3 => copied(metadata, &head.attributes),
        Direction::LocalToS3 => Dressed::from(guessed(metadata, key)),
    };
    let attributes = &mut dressed.attributes;
    attributes.put_on(&metadata.set);
    if metadata.put_last_modified {
        attributes.user.extend([time_of(head)]);
    }
    attributes.user.extend(ahead(direction, head));
    dressed
}

/// The source's time, where it is not of now yet: the target's own time does not tell it.
pub(super) fn ahead(direction: Direction, head: &Head) -> BTreeMap<String, String> {
    let is_ahead = direction == Direction::LocalToS3 && head.modified > Timestamp::now();
    is_ahead.then(|| time_of(head)).into_iter().collect()
}

fn time_of(head: &Head) -> (String, String) {
    let time = head.modified.rfc3339_offset();
    (ORIGIN_LAST_MODIFIED.to_owned(), time)
}

/// The type of a file, by its name.
pub(in crate::transfer) fn guess(key: &ObjectKey) -> String {
    let guess = mime_guess::from_path(key.as_str()).first_or_octet_stream();
    guess.essence_str().to_owned()
}

impl From<Attributes> for Dressed {
    fn from(attributes: Attributes) -> Self {
        Self {
            attributes,
            lost: Vec::new(),
        }
    }
}

impl Dressed {
    /// Directory buckets serve no websites, and refuse to send anybody elsewhere.
    pub(super) fn without_redirect(&mut self) {
        if let Some(redirect) = self.attributes.website_redirect.take() {
            let lost = format!(
                "its website redirect `{redirect}` is not copied: a directory bucket keeps none"
            );
            self.lost.push(lost);
        }
    }
}

/// Those of the source that are carried.
fn copied(metadata: &Metadata, source: &Attributes) -> Dressed {
    let mut lost = Vec::new();
    let system = if metadata.copy_system {
        let expires = source.expires.as_deref().and_then(|text| {
            let time = Timestamp::parse_http(text).ok();
            if time.is_none() && metadata.set.expires.is_none() {
                lost.push(format!(
                    "its Expires `{text}` is no time, and is not copied"
                ));
            }
            time.map(Timestamp::http)
        });
        Attributes {
            content_encoding: source.content_encoding.as_deref().and_then(of_content),
            expires,
            ..source.clone()
        }
    } else {
        Attributes::default()
    };
    let user = if metadata.copy_user {
        source.user.clone()
    } else {
        BTreeMap::new()
    };
    Dressed {
        attributes: Attributes { user, ..system },
        lost,
    }
}

/// What a file says of itself: by its name.
pub(in super::super) fn guessed(metadata: &Metadata, key: &ObjectKey) -> Attributes {
    Attributes {
        content_type: (metadata.guess_mime_type).then(|| guess(key)),
        ..Attributes::default()
    }
}

/// A `Content-Encoding` without the encoding of the request that brought the object, which some
/// servers keep.
fn of_content(text: &str) -> Option<String> {
    let is_of_request = |encoding: &&str| encoding.trim().eq_ignore_ascii_case("aws-chunked");
    if !text.split(',').any(|encoding| is_of_request(&encoding)) {
        return Some(text.to_owned());
    }
    let rest = text.split(',').filter(|encoding| !is_of_request(encoding));
    let rest: Vec<&str> = rest.map(str::trim).filter(|it| !it.is_empty()).collect();
    (!rest.is_empty()).then(|| rest.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dressed(metadata: &Metadata, direction: Direction, key: &str, head: &Head) -> Dressed {
        let key = ObjectKey::new(key).expect("a key");
        of(metadata, direction, &key, head)
    }

    fn head(attributes: Attributes) -> Head {
        Head {
            size: 1,
            modified: Timestamp::new(1_600_000_000, 999_999_999),
            etag: None,
            etag_is_digest: false,
            version: None,
            checksums: Vec::new(),
            unknown_checksum: None,
            attributes,
            storage_class: None,
            tag_count: None,
            file_id: None,
            is_archived: false,
            details: None,
        }
    }

    #[test]
    fn the_encoding_of_a_request_is_none_of_the_object() {
        for (stored, copied) in [
            ("gzip", Some("gzip")),
            ("gzip , br", Some("gzip , br")),
            ("aws-chunked", None),
            ("AWS-Chunked,", None),
            ("aws-chunked,gzip", Some("gzip")),
            ("gzip, aws-chunked , br", Some("gzip,br")),
            ("x-aws-chunked", Some("x-aws-chunked")),
        ] {
            let head = head(Attributes {
                content_encoding: Some(stored.to_owned()),
                ..Attributes::default()
            });
            let seen = dressed(&Metadata::default(), Direction::S3ToS3, "k", &head);
            let seen = seen.attributes.content_encoding;
            assert_eq!(seen.as_deref(), copied, "{stored}");
        }
    }

    #[test]
    fn files_are_of_the_type_their_names_say() {
        for (key, kind) in [
            ("a.html", "text/html"),
            ("a.HTM", "text/html"),
            ("dir.d/a.css", "text/css"),
            ("a.js", "text/javascript"),
            ("a.json", "application/json"),
            ("a.txt", "text/plain"),
            ("a.csv", "text/csv"),
            ("a.xml", "text/xml"),
            ("a.svg", "image/svg+xml"),
            ("a.jpeg", "image/jpeg"),
            ("a.JPG", "image/jpeg"),
            ("a.png", "image/png"),
            ("a.webp", "image/webp"),
            ("a.mp4", "video/mp4"),
            ("a.pdf", "application/pdf"),
            ("a.zip", "application/zip"),
            ("a.tar.gz", "application/gzip"),
            ("a.parquet.unknown", "application/octet-stream"),
            ("no extension", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("html", "application/octet-stream"),
            ("größe.pdf", "application/pdf"),
        ] {
            let head = head(Attributes::default());
            let seen = dressed(&Metadata::default(), Direction::LocalToS3, key, &head);
            let seen = seen.attributes.content_type;
            assert_eq!(seen.as_deref(), Some(kind), "{key}");
        }
    }

    #[test]
    fn the_sources_time_is_kept_where_it_is_wanted_or_lies_ahead() {
        let ahead = Timestamp::new(4_000_000_000, 1);
        for (direction, put_last_modified, time, kept) in [
            (Direction::LocalToS3, false, None, None),
            (
                Direction::LocalToS3,
                true,
                None,
                Some("2020-09-13T12:26:40+00:00"),
            ),
            (
                Direction::LocalToS3,
                false,
                Some(ahead),
                Some("2096-10-02T07:06:40+00:00"),
            ),
            (Direction::S3ToS3, false, Some(ahead), None),
            (
                Direction::S3ToS3,
                true,
                None,
                Some("2020-09-13T12:26:40+00:00"),
            ),
            (Direction::S3ToLocal, true, None, None),
        ] {
            let metadata = Metadata {
                put_last_modified,
                ..Metadata::default()
            };
            let mut head = head(Attributes::default());
            head.modified = time.unwrap_or(head.modified);
            let user = dressed(&metadata, direction, "k", &head).attributes.user;
            let seen = user.get(ORIGIN_LAST_MODIFIED).map(String::as_str);
            assert_eq!(seen, kept, "{direction:?}, {put_last_modified}, {time:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_time_is_lost_where_nobody_says_another() {
        let set = Attributes {
            expires: Some("Sun, 02 Jan 2050 03:04:05 GMT".to_owned()),
            ..Attributes::default()
        };
        for (name, metadata, is_told) in [
            ("copied", Metadata::default(), true),
            (
                "set",
                Metadata {
                    set: set.clone(),
                    ..Metadata::default()
                },
                false,
            ),
            (
                "dropped",
                Metadata {
                    copy_system: false,
                    ..Metadata::default()
                },
                false,
            ),
        ] {
            let head = head(Attributes {
                expires: Some("-1".to_owned()),
                ..Attributes::default()
            });
            let seen = dressed(&metadata, Direction::S3ToS3, "k", &head);
            assert_eq!(seen.attributes.expires, metadata.set.expires, "{name}");
            assert_eq!(!seen.lost.is_empty(), is_told, "{name}");
        }
    }

    #[test]
    fn a_directory_bucket_sends_nobody_elsewhere() {
        for (redirect, is_told) in [(Some("/elsewhere"), true), (None, false)] {
            let head = head(Attributes {
                website_redirect: redirect.map(str::to_owned),
                cache_control: Some("no-store".to_owned()),
                ..Attributes::default()
            });
            let mut seen = dressed(&Metadata::default(), Direction::S3ToS3, "k", &head);
            seen.without_redirect();
            assert_eq!(seen.attributes.website_redirect, None, "{redirect:?}");
            assert_eq!(seen.attributes.cache_control.as_deref(), Some("no-store"));
            assert_eq!(!seen.lost.is_empty(), is_told, "{redirect:?}");
        }
    }
}
