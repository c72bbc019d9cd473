//! GetObject and HeadObject, and finding the version a request is about.

use std::sync::Arc;

use s3s::S3Error;

use super::bucket::{Bucket, State};
use super::checksums::{Kind, StoredChecksum};
use super::conditions::{Conditions, Outcome};
use super::encryption::CustomerKey;
use super::error::{
    Result, access_denied, error, invalid_argument, invalid_request, no_such_key,
    precondition_failed,
};
use super::object::{Object, Version};
use super::operation::Operation;
use super::request::Call;
use super::response::Answer;
use super::routes::{permit, versioned_action};
use super::store::Store;
use super::{headers, outflow, times};

/// An object that is there, and where it is.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) bucket: Arc<Bucket>,
    pub(super) version: Arc<Version>,
}

impl Located {
    /// The object.
    pub(super) fn object(&self) -> &Object {
        self.version.object().expect("located versions are objects")
    }
}

/// The object a request is about.
pub(super) fn locate(store: &Store, call: &Call) -> Result<Located> {
    let bucket = store.bucket(call.bucket())?;
    let version = Arc::clone(select(&bucket.read(), call.key(), call.version_id())?);
    Ok(Located { bucket, version })
}

/// The version of a key that is meant, which must be an object.
pub(super) fn select<'a>(
    state: &'a State,
    key: &str,
    id: Option<&str>,
) -> Result<&'a Arc<Version>> {
    let Some(version) = state.select(key, id) else {
        return Err(match id {
            None => no_such_key(),
            Some("null") => no_such_version(),
            Some(id) if id.len() == 32 => no_such_version(),
            Some(_) => invalid_argument("Invalid version id specified"),
        });
    };
    if !version.is_marker() {
        return Ok(version);
    }
    let mut told = Answer::empty(404);
    told.set("x-amz-delete-marker", "true");
    told.set("x-amz-version-id", &version.id);
    let mut refused = if id.is_some() {
        told.set("last-modified", times::http(version.modified));
        told.set("allow", "DELETE");
        error(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
    } else {
        no_such_key()
    };
    told.set("content-type", "application/xml");
    refused.set_headers(told.headers);
    Err(refused)
}

fn no_such_version() -> S3Error {
    error(
        404,
        "NoSuchVersion",
        "The specified version does not exist.",
    )
}

/// GetObject.
pub(super) fn object(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    if located.object().is_archived() {
        return Err(archived());
    }
    let (mut answer, extent) = described(store, &located, call)?;
    if let Some(Extent { start, length, .. }) = extent {
        answer.body = outflow::body(&store.blobs, located.object().slice(start, length));
    }
    Ok(answer)
}

/// HeadObject.
pub(super) fn head(store: &Store, call: &Call) -> Result<Answer> {
    let located = locate(store, call)?;
    Ok(described(store, &located, call)?.0)
}

/// The answer without its body. How many tags there are is told to those who may read them.
fn described(store: &Store, located: &Located, call: &Call) -> Result<(Answer, Option<Extent>)> {
    let (mut answer, extent) = describe(located, call)?;
    let tags = located.object().attributes.tags.len();
    if tags > 0 && may_read_tags(store, call) {
        answer.set("x-amz-tagging-count", tags.to_string());
    }
    Ok((answer, extent))
}

fn may_read_tags(store: &Store, call: &Call) -> bool {
    let action = versioned_action(Operation::GetObjectTagging, call.version_id().is_some());
    permit(store, call.anonymous, action, call.bucket(), call.key()).is_ok()
}

/// 403 InvalidObjectState.
pub(super) fn archived() -> S3Error {
    error(
        403,
        "InvalidObjectState",
        "The operation is not valid for the object's storage class",
    )
}

/// A run of an object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    start: u64,
    length: u64,
    /// The part it is, when one was asked for.
    part: Option<u16>,
    is_partial: bool,
}

/// The answer without its body, and what the body is; nothing when the client has it already.
fn describe(located: &Located, call: &Call) -> Result<(Answer, Option<Extent>)> {
    let (version, object) = (&located.version, located.object());
    object
        .encryption
        .admit(CustomerKey::of(&call.headers)?.as_ref())?;
    let state = located.bucket.read();
    match Conditions::of(&call.headers).check(&object.etag, version.modified) {
        Outcome::Go => {}
        Outcome::Failed => return Err(precondition_failed()),
        Outcome::NotModified => {
            let mut answer = Answer::empty(304);
            headers::tell(&mut answer, &state, version, object);
            answer.headers.remove("content-type");
            return Ok((answer, None));
        }
    }
    let extent = extent(call, object)?;
    let mut answer = Answer::empty(if extent.is_partial { 206 } else { 200 });
    headers::tell(&mut answer, &state, version, object);
    override_headers(&mut answer, call)?;
    answer.set("content-length", extent.length.to_string());
    if extent.is_partial {
        let last = extent.start + extent.length.saturating_sub(1);
        answer.set(
            "content-range",
            format!("bytes {}-{last}/{}", extent.start, object.size),
        );
    }
    if extent.part.is_some() && !object.parts.is_empty() {
        answer.set("x-amz-mp-parts-count", object.parts.len().to_string());
    }
    if call
        .header("x-amz-checksum-mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
        && let Some(checksum) = checksum_of(object, extent)
    {
        checksum.tell(&mut answer);
    }
    Ok((answer, Some(extent)))
}

/// The checksum of what is sent: of the object, or of the part, or none of another range.
fn checksum_of(object: &Object, extent: Extent) -> Option<StoredChecksum> {
    let whole = object.checksum.as_ref()?;
    match extent.part {
        Some(number) if !object.parts.is_empty() => {
            let part = object.parts.get(usize::from(number) - 1)?;
            Some(StoredChecksum {
                value: part.checksum.clone()?,
                ..whole.clone()
            })
        }
        _ if extent.length == object.size => Some(whole.clone()),
        _ => None,
    }
}

fn extent(call: &Call, object: &Object) -> Result<Extent> {
    let whole = Extent {
        start: 0,
        length: object.size,
        part: None,
        is_partial: false,
    };
    match (call.number::<u16>("partNumber")?, call.header("range")) {
        (Some(_), Some(_)) => Err(invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        )),
        (Some(number), None) => part_extent(number, object),
        (None, None) => Ok(whole),
        (None, Some(range)) => match parse_range(range, object.size) {
            Range::Ignored => Ok(whole),
            Range::Unsatisfiable => Err(unsatisfiable(object.size)),
            Range::Bytes { start, length } => Ok(Extent {
                start,
                length,
                part: None,
                is_partial: true,
            }),
        },
    }
}

fn part_extent(number: u16, object: &Object) -> Result<Extent> {
    let unsatisfiable = || {
        error(
            416,
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
        )
    };
    if !(1..=10_000).contains(&number) {
        return Err(invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive",
        ));
    }
    if object.parts.is_empty() {
        return match number {
            1 => Ok(Extent {
                start: 0,
                length: object.size,
                part: Some(1),
                is_partial: object.size > 0,
            }),
            _ => Err(unsatisfiable()),
        };
    }
    let index = usize::from(number) - 1;
    let part = object.parts.get(index).ok_or_else(unsatisfiable)?;
    let start = object.parts[..index].iter().map(|part| part.size).sum();
    Ok(Extent {
        start,
        length: part.size,
        part: Some(number),
        is_partial: true,
    })
}

/// 416 InvalidRange.
fn unsatisfiable(size: u64) -> S3Error {
    let mut told = Answer::empty(416);
    told.set("content-range", format!("bytes */{size}"));
    told.set("content-type", "application/xml");
    let mut refused = error(
        416,
        "InvalidRange",
        "The requested range is not satisfiable",
    );
    refused.set_headers(told.headers);
    refused
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Bytes {
        start: u64,
        length: u64,
    },
    Unsatisfiable,
    /// Not one range of bytes: S3 sends everything.
    Ignored,
}

fn parse_range(text: &str, size: u64) -> Range {
    let Some((first, last)) = text
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Range::Ignored;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => return Range::Ignored,
        (Ok(first), Ok(last)) => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(last)) if first.is_empty() => (size.saturating_sub(last), size),
        _ => return Range::Ignored,
    };
    if start >= end {
        Range::Unsatisfiable
    } else {
        Range::Bytes {
            start,
            length: end - start,
        }
    }
}

fn override_headers(answer: &mut Answer, call: &Call) -> Result<()> {
    for name in [
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    ] {
        if let Some(value) = call.query.get(&format!("response-{name}")) {
            if call.anonymous {
                return Err(access_denied());
            }
            answer.set(name, value);
        }
    }
    Ok(())
}

impl Located {
    /// Whether the checksum is over the whole content, so that a copy may keep it.
    pub(super) fn whole_checksum(&self) -> Option<&StoredChecksum> {
        self.object()
            .checksum
            .as_ref()
            .filter(|checksum| checksum.kind == Kind::FullObject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, size, expected) in [
            (
                "bytes=0-9",
                100,
                Range::Bytes {
                    start: 0,
                    length: 10,
                },
            ),
            (
                "bytes=90-",
                100,
                Range::Bytes {
                    start: 90,
                    length: 10,
                },
            ),
            (
                "bytes=90-200",
                100,
                Range::Bytes {
                    start: 90,
                    length: 10,
                },
            ),
            (
                "bytes=-5",
                100,
                Range::Bytes {
                    start: 95,
                    length: 5,
                },
            ),
            (
                "bytes=-500",
                100,
                Range::Bytes {
                    start: 0,
                    length: 100,
                },
            ),
            ("bytes=100-", 100, Range::Unsatisfiable),
            ("bytes=-0", 100, Range::Unsatisfiable),
            ("bytes=0-", 0, Range::Unsatisfiable),
            ("bytes=9-0", 100, Range::Ignored),
            ("bytes=0-1,5-6", 100, Range::Ignored),
            ("lines=0-1", 100, Range::Ignored),
        ] {
            assert_eq!(parse_range(text, size), expected, "{text} of {size}");
        }
    }
}
