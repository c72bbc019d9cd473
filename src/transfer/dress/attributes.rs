//! Headers and user metadata: the user's, before those of the source.

use super::super::Work;
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
    pub(super) lost: Option<String>,
}

/// The attributes of an object whose source says this of it.
pub(super) fn of(metadata: &Metadata, direction: Direction, work: &Work, head: &Head) -> Dressed {
    let mut dressed = match direction {
        Direction::S3ToLocal => return Dressed::from(Attributes::default()),
        Direction::S3ToS3 => copied(metadata, &head.attributes),
        Direction::LocalToS3 => Dressed::from(guessed(metadata, &work.entry.key)),
    };
    let attributes = &mut dressed.attributes;
    attributes.put_on(&metadata.set);
    // what is not of now is not told by the target's own time
    let is_ahead = direction == Direction::LocalToS3 && head.modified > Timestamp::now();
    if metadata.put_last_modified || is_ahead {
        let time = head.modified.rfc3339_offset();
        let user = &mut attributes.user;
        user.insert(ORIGIN_LAST_MODIFIED.to_owned(), time);
    }
    dressed
}

impl From<Attributes> for Dressed {
    fn from(attributes: Attributes) -> Self {
        Self {
            attributes,
            lost: None,
        }
    }
}

/// Those of the source that are carried.
fn copied(metadata: &Metadata, source: &Attributes) -> Dressed {
    let mut attributes = source.clone();
    let mut lost = None;
    if !metadata.copy_user {
        attributes.user.clear();
    }
    if metadata.copy_system {
        attributes.content_encoding = source.content_encoding.as_deref().and_then(of_content);
        let time = source.expires.as_deref().map(|text| {
            let time = Timestamp::parse_http(text).ok();
            time.map(Timestamp::http)
                .ok_or_else(|| format!("its Expires `{text}` is no time, and is not copied"))
        });
        let wanted = metadata.set.expires.is_none();
        (attributes.expires, lost) = match time {
            None => (None, None),
            Some(Ok(time)) => (Some(time), None),
            Some(Err(words)) => (None, wanted.then_some(words)),
        };
    } else {
        attributes = Attributes {
            user: attributes.user,
            ..Attributes::default()
        };
    }
    Dressed { attributes, lost }
}

/// What a file says of itself: by its name.
fn guessed(metadata: &Metadata, key: &ObjectKey) -> Attributes {
    let guess = || mime_guess::from_path(key.as_str()).first_or_octet_stream();
    Attributes {
        content_type: (metadata.guess_mime_type).then(|| guess().essence_str().to_owned()),
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
