//! Listings of objects and versions: paging, prefixes, delimiters and `encoding-type=url`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bucket::Bucket;
use super::checksums::Kind;
use super::error::{Result, invalid_argument, invalid_request};
use super::object::{NULL_VERSION, Object, Version};
use super::request::Call;
use super::response::{self, Answer, quoted};
use super::store::Store;
use super::times;
use super::xml::Writer;
use crate::digest::{Algorithm, digest};

/// The one owner of everything, as the elements inside `Owner`.
pub(super) const OWNER: &str = "<ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID><DisplayName>sandbox</DisplayName>";

/// What `encoding-type=url` leaves as it is, besides letters and digits.
const URL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/');

/// How keys are written in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    /// The encoding a request asks for.
    pub(super) fn of(call: &Call) -> Result<Self> {
        match call.query.filled("encoding-type") {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(invalid_argument(
                "Invalid Encoding Method specified in Request",
            )),
        }
    }

    /// A key in this encoding; a space becomes `+`.
    pub(super) fn encode(self, key: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => Cow::Borrowed(key),
            Self::Url => Cow::Owned(
                utf8_percent_encode(key, URL)
                    .to_string()
                    .replace("%20", "+"),
            ),
        }
    }

    /// Writes the element that tells it.
    pub(super) fn tell(self, xml: &mut Writer) {
        if self == Self::Url {
            xml.text("EncodingType", "url");
        }
    }
}

type Keys = BTreeMap<String, Vec<Arc<Version>>>;

/// One row of a page.
enum Row<'a> {
    Key(&'a str, &'a Arc<Version>),
    /// All keys that begin like this, up to and with the delimiter.
    Group(String),
}

impl Row<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Key(key, _) => key,
            Self::Group(group) => group,
        }
    }
}

/// Which keys a listing is about.
struct Scope<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

impl<'a> Scope<'a> {
    fn of(call: &'a Call) -> Self {
        Self {
            prefix: call.query.get("prefix").unwrap_or_default(),
            delimiter: call.query.filled("delimiter"),
        }
    }

    /// The group a key belongs to, if the delimiter puts it into one.
    fn group(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter?;
        let at = key[self.prefix.len()..].find(delimiter)?;
        Some(key[..self.prefix.len() + at + delimiter.len()].to_owned())
    }

    /// The keys in scope from a bound on, with those of a group reduced to one row. `each` says
    /// which of a key's versions are rows.
    fn rows<'k, I>(
        &self,
        keys: &'k Keys,
        from: Bound<String>,
        each: impl Fn(&'k str, &'k [Arc<Version>]) -> I,
    ) -> impl Iterator<Item = Row<'k>>
    where
        I: Iterator<Item = &'k Arc<Version>>,
    {
        let from = match from {
            Bound::Unbounded => Bound::Included(self.prefix.to_owned()),
            Bound::Included(key) | Bound::Excluded(key) if key.as_str() < self.prefix => {
                Bound::Included(self.prefix.to_owned())
            }
            bound => bound,
        };
        let mut range = keys.range::<str, _>((from.as_ref().map(String::as_str), Bound::Unbounded));
        let mut pending = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(row) = pending.next() {
                    return Some(row);
                }
                let (key, versions) = range
                    .next()
                    .filter(|(key, _)| key.starts_with(self.prefix))?;
                let mut versions = each(key, versions).peekable();
                if versions.peek().is_none() {
                    continue;
                }
                if let Some(group) = self.group(key) {
                    let from = after_group(&group);
                    range =
                        keys.range::<str, _>((from.as_ref().map(String::as_str), Bound::Unbounded));
                    return Some(Row::Group(group));
                }
                pending = versions
                    .map(|version| Row::Key(key, version))
                    .collect::<Vec<_>>()
                    .into_iter();
            }
        })
    }

    /// Where a listing goes on behind a row of this name.
    fn behind(&self, name: &str) -> Bound<String> {
        let is_group = name.starts_with(self.prefix)
            && self.delimiter.is_some_and(|delimiter| {
                name.len() > self.prefix.len() && name.ends_with(delimiter)
            })
            && self.group(name).as_deref() == Some(name);
        if is_group {
            after_group(name)
        } else {
            Bound::Excluded(name.to_owned())
        }
    }
}

/// Behind every key that begins with the group's name.
fn after_group(group: &str) -> Bound<String> {
    let mut next = group.to_owned();
    while let Some(last) = next.pop() {
        // The next character, over the gap of the surrogates.
        if let Some(higher) = (last as u32 + 1..=0x10_ffff).find_map(char::from_u32) {
            next.push(higher);
            return Bound::Included(next);
        }
    }
    Bound::Excluded(group.to_owned())
}

/// The latest version of a key, unless a delete marker hides it.
fn visible<'k>(_: &'k str, versions: &'k [Arc<Version>]) -> impl Iterator<Item = &'k Arc<Version>> {
    versions
        .last()
        .filter(|version| !version.is_marker())
        .into_iter()
}

/// A page, and whether there is more.
fn page<'k>(mut rows: impl Iterator<Item = Row<'k>>, limit: usize) -> (Vec<Row<'k>>, bool) {
    let page: Vec<_> = rows.by_ref().take(limit).collect();
    let is_truncated = limit > 0 && rows.next().is_some();
    (page, is_truncated)
}

/// ListObjects.
pub(super) fn objects(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let (scope, encoding, limit) = (
        Scope::of(call),
        Encoding::of(call)?,
        call.page_size("max-keys")?,
    );
    let marker = call.query.get("marker").unwrap_or_default();
    let from = if marker.is_empty() {
        Bound::Unbounded
    } else {
        scope.behind(marker)
    };
    let state = bucket.read();
    let (rows, is_truncated) = page(scope.rows(&state.keys, from, visible), limit);
    Ok(response::xml(Writer::document("ListBucketResult", |xml| {
        xml.text("Name", &bucket.name);
        xml.text("Prefix", encoding.encode(scope.prefix));
        xml.text("Marker", encoding.encode(marker));
        xml.text("MaxKeys", limit);
        xml.optional(
            "Delimiter",
            scope.delimiter.map(|delimiter| encoding.encode(delimiter)),
        );
        encoding.tell(xml);
        xml.text("IsTruncated", is_truncated);
        if is_truncated && scope.delimiter.is_some() {
            xml.optional(
                "NextMarker",
                rows.last().map(|row| encoding.encode(row.name())),
            );
        }
        write_rows(xml, &rows, encoding, true);
    })))
}

/// ListObjectsV2.
pub(super) fn objects_v2(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let (scope, encoding, limit) = (
        Scope::of(call),
        Encoding::of(call)?,
        call.page_size("max-keys")?,
    );
    let start_after = call.query.filled("start-after");
    if bucket.is_directory() {
        check_directory_rules(&scope, start_after)?;
    }
    let token = call.query.get("continuation-token");
    let behind = match token {
        Some(token) => Some(read_token(token)?),
        None => None,
    };
    let state = bucket.read();
    let (rows, is_truncated) = if bucket.is_directory() {
        shuffled_page(&bucket, &scope, &state.keys, behind.as_deref(), limit)
    } else {
        let from = match (&behind, start_after) {
            (Some(name), _) => scope.behind(name),
            (None, Some(key)) => Bound::Excluded(key.to_owned()),
            (None, None) => Bound::Unbounded,
        };
        page(scope.rows(&state.keys, from, visible), limit)
    };
    let next = rows
        .last()
        .filter(|_| is_truncated)
        .map(|row| URL_SAFE_NO_PAD.encode(row.name()));
    Ok(response::xml(Writer::document("ListBucketResult", |xml| {
        xml.text("Name", &bucket.name);
        xml.text("Prefix", encoding.encode(scope.prefix));
        xml.optional("ContinuationToken", token);
        xml.optional("NextContinuationToken", next);
        xml.optional("StartAfter", start_after.map(|key| encoding.encode(key)));
        xml.text("KeyCount", rows.len());
        xml.text("MaxKeys", limit);
        xml.optional(
            "Delimiter",
            scope.delimiter.map(|delimiter| encoding.encode(delimiter)),
        );
        encoding.tell(xml);
        xml.text("IsTruncated", is_truncated);
        write_rows(
            xml,
            &rows,
            encoding,
            call.query.get("fetch-owner") == Some("true"),
        );
    })))
}

/// What a directory bucket refuses:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
fn check_directory_rules(scope: &Scope<'_>, start_after: Option<&str>) -> Result<()> {
    let refusal = if !scope.prefix.is_empty() && !scope.prefix.ends_with('/') {
        "This bucket does not support a prefix that does not end in a delimiter"
    } else if scope.delimiter.is_some_and(|delimiter| delimiter != "/") {
        "This bucket does not support a delimiter other than '/'"
    } else if start_after.is_some() {
        "This bucket does not support start-after"
    } else {
        return Ok(());
    };
    Err(invalid_request(refusal))
}

fn read_token(token: &str) -> Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|name| String::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

/// A page of a directory bucket, which lists in an order of its own that is always the same.
fn shuffled_page<'k>(
    bucket: &Bucket,
    scope: &Scope<'_>,
    keys: &'k Keys,
    behind: Option<&str>,
    limit: usize,
) -> (Vec<Row<'k>>, bool) {
    let place = |name: &str| {
        digest(
            Algorithm::XxHash64,
            format!("{}/{name}", bucket.name).as_bytes(),
        )
        .hex()
    };
    let start = behind.map(place);
    let mut rows: Vec<_> = scope
        .rows(keys, Bound::Unbounded, visible)
        .map(|row| (place(row.name()), row))
        .filter(|(place, _)| start.as_ref().is_none_or(|start| place > start))
        .collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    page(rows.into_iter().map(|(_, row)| row), limit)
}

fn write_rows(xml: &mut Writer, rows: &[Row<'_>], encoding: Encoding, with_owner: bool) {
    for row in rows {
        if let Row::Key(key, version) = row
            && let Some(object) = version.object()
        {
            xml.element("Contents", |xml| {
                xml.text("Key", encoding.encode(key));
                write_object(xml, version, object);
                if with_owner {
                    xml.element("Owner", |xml| xml.raw(OWNER));
                }
            });
        }
    }
    write_groups(xml, rows, encoding);
}

fn write_groups(xml: &mut Writer, rows: &[Row<'_>], encoding: Encoding) {
    for row in rows {
        if let Row::Group(group) = row {
            xml.element("CommonPrefixes", |xml| {
                xml.text("Prefix", encoding.encode(group));
            });
        }
    }
}

fn write_object(xml: &mut Writer, version: &Version, object: &Object) {
    xml.text("LastModified", times::iso(version.modified));
    xml.text("ETag", quoted(&object.etag));
    if let Some(checksum) = &object.checksum {
        xml.text("ChecksumAlgorithm", checksum.algorithm);
        xml.text(
            "ChecksumType",
            if object.has_composite_checksum() {
                Kind::Composite
            } else {
                Kind::FullObject
            }
            .as_str(),
        );
    }
    xml.text("Size", object.size);
    xml.text("StorageClass", object.storage_class());
}

/// ListObjectVersions.
pub(super) fn versions(store: &Store, call: &Call) -> Result<Answer> {
    let bucket = store.bucket(call.bucket())?;
    let (scope, encoding, limit) = (
        Scope::of(call),
        Encoding::of(call)?,
        call.page_size("max-keys")?,
    );
    let key_marker = call.query.get("key-marker").unwrap_or_default();
    let id_marker = call.query.filled("version-id-marker");
    let from = match (key_marker, id_marker) {
        ("", Some(_)) => {
            return Err(invalid_argument(
                "A version-id marker cannot be specified without a key marker.",
            ));
        }
        ("", None) => Bound::Unbounded,
        (key, Some(_)) => Bound::Included(key.to_owned()),
        (key, None) => scope.behind(key),
    };
    let state = bucket.read();
    let each = |key: &str, versions: &[Arc<Version>]| match id_marker.filter(|_| key == key_marker)
    {
        Some(id) => older(versions, id),
        None => versions.len(),
    };
    let (rows, is_truncated) = page(
        scope.rows(&state.keys, from, |key, versions| {
            versions[..each(key, versions)].iter().rev()
        }),
        limit,
    );
    Ok(response::xml(Writer::document(
        "ListVersionsResult",
        |xml| {
            xml.text("Name", &bucket.name);
            xml.text("Prefix", encoding.encode(scope.prefix));
            xml.text("KeyMarker", encoding.encode(key_marker));
            xml.text("VersionIdMarker", id_marker.unwrap_or_default());
            if let Some(last) = rows.last().filter(|_| is_truncated) {
                xml.text("NextKeyMarker", encoding.encode(last.name()));
                if let Row::Key(_, version) = last {
                    xml.text("NextVersionIdMarker", &version.id);
                }
            }
            xml.text("MaxKeys", limit);
            xml.optional(
                "Delimiter",
                scope.delimiter.map(|delimiter| encoding.encode(delimiter)),
            );
            encoding.tell(xml);
            xml.text("IsTruncated", is_truncated);
            for row in &rows {
                let Row::Key(key, version) = row else {
                    continue;
                };
                let is_latest = state
                    .latest(key)
                    .is_some_and(|latest| latest.id == version.id);
                let element = if version.is_marker() {
                    "DeleteMarker"
                } else {
                    "Version"
                };
                xml.element(element, |xml| {
                    xml.text("Key", encoding.encode(key));
                    xml.text("VersionId", &version.id);
                    xml.text("IsLatest", is_latest);
                    match version.object() {
                        Some(object) => write_object(xml, version, object),
                        None => xml.text("LastModified", times::iso(version.modified)),
                    }
                    xml.element("Owner", |xml| xml.raw(OWNER));
                });
            }
            write_groups(xml, &rows, encoding);
        },
    )))
}

/// How many of a key's versions are older than the one with this id, which may be gone by now.
///
/// Ids grow with time, so a missing one still has its place.
fn older(versions: &[Arc<Version>], id: &str) -> usize {
    versions
        .iter()
        .position(|version| version.id == id)
        .unwrap_or_else(|| {
            versions
                .iter()
                .take_while(|version| version.id == NULL_VERSION || version.id.as_str() < id)
                .count()
        })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn keys(names: &[&str]) -> Keys {
        let marker = Arc::new(Version {
            id: "null".into(),
            modified: Timestamp::UNIX_EPOCH,
            object: None,
        });
        names
            .iter()
            .map(|name| ((*name).to_owned(), vec![Arc::clone(&marker)]))
            .collect()
    }

    fn names(scope: &Scope<'_>, keys: &Keys, from: Bound<String>) -> Vec<String> {
        scope
            .rows(keys, from, |_, versions| versions.iter())
            .map(|row| row.name().to_owned())
            .collect()
    }

    #[test]
    fn groups_stand_for_their_keys() {
        let keys = keys(&[
            "a",
            "a-b",
            "a.b",
            "a/",
            "a/b",
            "a/c/d",
            "a0",
            "b/x",
            "c\u{10ffff}/x",
            "d",
        ]);
        for (prefix, delimiter, from, expected) in [
            (
                "",
                None,
                Bound::Unbounded,
                "a a-b a.b a/ a/b a/c/d a0 b/x c\u{10ffff}/x d",
            ),
            (
                "",
                Some("/"),
                Bound::Unbounded,
                "a a-b a.b a/ a0 b/ c\u{10ffff}/ d",
            ),
            ("a/", Some("/"), Bound::Unbounded, "a/ a/b a/c/"),
            ("a", None, Bound::Excluded("a/b".to_owned()), "a/c/d a0"),
            ("a", Some("/"), Bound::Excluded("a/b".to_owned()), "a/ a0"),
            ("b", None, Bound::Excluded("a".to_owned()), "b/x"),
        ] {
            let scope = Scope { prefix, delimiter };
            assert_eq!(
                names(&scope, &keys, from.clone()).join(" "),
                expected,
                "{prefix:?} {delimiter:?} {from:?}"
            );
        }
    }

    #[test]
    fn pages_join_to_the_whole() {
        let keys = keys(&["a", "a/1", "a/2", "b", "b/1", "c"]);
        for delimiter in [None, Some("/")] {
            let scope = Scope {
                prefix: "",
                delimiter,
            };
            let whole = names(&scope, &keys, Bound::Unbounded);
            let mut paged: Vec<String> = Vec::new();
            while let Some(name) = {
                let from = paged
                    .last()
                    .map_or(Bound::Unbounded, |last| scope.behind(last));
                names(&scope, &keys, from).into_iter().next()
            } {
                paged.push(name);
            }
            assert_eq!(paged, whole, "{delimiter:?}");
        }
    }

    #[test]
    fn keys_are_encoded_as_s3_does() {
        assert_eq!(
            Encoding::Url.encode("a b+c/é~*-_.%"),
            "a+b%2Bc/%C3%A9%7E*-_.%25"
        );
    }
}
