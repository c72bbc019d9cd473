//! The XML of a ListObjectVersions answer:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>.

use super::elements::{Elements, Step};
use super::page::{decode, not_utf8, number, time, truth};
use crate::object::{ETag, ListedChecksum, StorageClass, Timestamp};

/// A page as the server wrote it: whole keys, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawVersions {
    /// Versions and delete markers, by key and then as they were listed: the newest first.
    pub(super) rows: Vec<RawVersion>,
    /// Where to go on; `None` on the last page.
    pub(super) next: Option<Place>,
    /// Whether there is more.
    pub(super) truncated: bool,
}

/// Where a page ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Its last key.
    pub(super) key: String,
    /// Its last version; `None` where all of the key was listed.
    pub(super) version: Option<String>,
}

/// One version or delete marker of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawVersion {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) is_latest: bool,
    pub(super) modified: Timestamp,
    /// What it has; `None` of a delete marker.
    pub(super) content: Option<RawContent>,
}

/// What a version has and a delete marker has not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawContent {
    pub(super) size: u64,
    pub(super) etag: Option<ETag>,
    pub(super) storage_class: Option<StorageClass>,
    pub(super) checksum: Option<ListedChecksum>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Root,
    Version,
    DeleteMarker,
    Key,
    VersionId,
    IsLatest,
    Modified,
    Size,
    ETag,
    StorageClass,
    Algorithm,
    ChecksumType,
    Truncated,
    NextKey,
    NextVersion,
    EncodingType,
    Other,
}

fn meaning(name: &str) -> Name {
    match name {
        "ListVersionsResult" => Name::Root,
        "Version" => Name::Version,
        "DeleteMarker" => Name::DeleteMarker,
        "Key" => Name::Key,
        "VersionId" => Name::VersionId,
        "IsLatest" => Name::IsLatest,
        "LastModified" => Name::Modified,
        "Size" => Name::Size,
        "ETag" => Name::ETag,
        "StorageClass" => Name::StorageClass,
        "ChecksumAlgorithm" => Name::Algorithm,
        "ChecksumType" => Name::ChecksumType,
        "IsTruncated" => Name::Truncated,
        "NextKeyMarker" => Name::NextKey,
        "NextVersionIdMarker" => Name::NextVersion,
        "EncodingType" => Name::EncodingType,
        _ => Name::Other,
    }
}

/// Reads an answer; what is wrong with it comes back in words.
pub(super) fn parse(xml: &[u8]) -> Result<RawVersions, String> {
    let xml = std::str::from_utf8(xml).map_err(|_| not_utf8())?;
    let mut elements = Elements::of(xml, meaning);
    let mut page = RawVersions::default();
    let (mut next_key, mut next_version) = (None, None);
    let (mut root, mut complete, mut url_encoded) = (false, false, false);
    let mut row: Option<Partial> = None;
    while let Some(step) = elements.next()? {
        let name = match step {
            Step::Open(Name::Root) => {
                root = true;
                continue;
            }
            Step::Open(Name::Version | Name::DeleteMarker) => {
                row = Some(Partial::default());
                continue;
            }
            Step::Open(_) => continue,
            Step::Close(name) => name,
        };
        let text = std::mem::take(&mut elements.text);
        match (&mut row, name) {
            (_, Name::Root) => complete = true,
            (row, Name::Version | Name::DeleteMarker) => {
                let row = row.take().unwrap_or_default();
                page.rows.push(row.whole(name == Name::DeleteMarker)?);
            }
            (Some(row), Name::Key) => row.key = Some(text),
            (Some(row), Name::VersionId) => row.id = Some(text),
            (Some(row), Name::IsLatest) => row.is_latest = text == "true",
            (Some(row), Name::Modified) => row.modified = Some(time(&text)?),
            (Some(row), Name::Size) => row.size = Some(number(&text)?),
            (Some(row), Name::ETag) => row.etag = Some(ETag::parse(&text)),
            (Some(row), Name::StorageClass) if text != "STANDARD" => {
                row.storage_class = Some(StorageClass::new(&text));
            }
            // of several the first
            (Some(row), Name::Algorithm) if row.checksum.is_none() => {
                row.checksum = ListedChecksum::new(&text);
            }
            (Some(row), Name::ChecksumType) => {
                row.checksum = row.checksum.map(|it| it.over(&text));
            }
            (None, Name::Truncated) => page.truncated = truth(&text)?,
            (None, Name::NextKey) => next_key = Some(text),
            (None, Name::NextVersion) => next_version = Some(text),
            (None, Name::EncodingType) => url_encoded = text == "url",
            _ => {}
        }
    }
    if !root {
        return Err("the answer is no listing (no ListVersionsResult)".to_owned());
    }
    if !complete {
        return Err("the listing ends in the middle".to_owned());
    }
    if url_encoded {
        let keys = page.rows.iter_mut().map(|row| &mut row.key);
        for key in keys.chain(&mut next_key) {
            decode(key)?;
        }
    }
    in_order(&mut page.rows)?;
    page.next = next_key.filter(|key| !key.is_empty()).map(|key| Place {
        key,
        version: next_version.filter(|id| !id.is_empty()),
    });
    Ok(page)
}

/// Some servers list all delete markers of a page behind its versions; each kind must be in order.
fn in_order(rows: &mut [RawVersion]) -> Result<(), String> {
    if rows.is_sorted_by(|a, b| a.key <= b.key) {
        return Ok(());
    }
    for marker in [false, true] {
        let keys = rows.iter().filter(|row| row.content.is_none() == marker);
        if !keys.is_sorted_by(|a, b| a.key <= b.key) {
            return Err("the listing of versions is not in order".to_owned());
        }
    }
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(())
}

#[derive(Default)]
struct Partial {
    key: Option<String>,
    id: Option<String>,
    is_latest: bool,
    modified: Option<Timestamp>,
    size: Option<u64>,
    etag: Option<ETag>,
    storage_class: Option<StorageClass>,
    checksum: Option<ListedChecksum>,
}

impl Partial {
    fn whole(self, is_marker: bool) -> Result<RawVersion, String> {
        let key = self.key.ok_or("the listing has a version without a key")?;
        let content = match (is_marker, self.size) {
            (true, _) => None,
            (false, Some(size)) => Some(RawContent {
                size,
                etag: self.etag,
                storage_class: self.storage_class,
                checksum: self.checksum,
            }),
            (false, None) => return Err(format!("the listing has no size for `{key}`")),
        };
        match (self.id, self.modified) {
            (Some(id), Some(modified)) if !id.is_empty() => Ok(RawVersion {
                id,
                is_latest: self.is_latest,
                modified,
                content,
                key,
            }),
            _ => Err(format!("the listing has no version id or time for `{key}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><KeyMarker/><VersionIdMarker/>
<NextKeyMarker>b+c</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker><MaxKeys>3</MaxKeys>
<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<Version><Key>a%2Bb</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><LastModified>2026-02-28T23:59:59.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>7</Size><Owner><ID>x</ID></Owner><StorageClass>GLACIER</StorageClass></Version>
<DeleteMarker><Key>b+c</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><LastModified>2026-01-31T00:00:00Z</LastModified><Owner><ID>x</ID></Owner></DeleteMarker>
<Version><Key>b+c</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest><LastModified>2026-01-30T00:00:00Z</LastModified><ETag>"x"</ETag><Size>0</Size><StorageClass>STANDARD</StorageClass></Version>
</ListVersionsResult>"#;

    #[test]
    fn a_page_with_everything() {
        let page = parse(PAGE.as_bytes()).expect("a page");
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| (row.key.as_str(), row.id.as_str(), row.is_latest))
            .collect();
        assert_eq!(
            rows,
            [
                ("a+b", "null", true),
                ("b c", "v2", true),
                ("b c", "v1", false)
            ]
        );
        let content = page.rows[0].content.as_ref().expect("a version");
        assert_eq!(content.size, 7);
        assert_eq!(content.storage_class, Some(StorageClass::new("GLACIER")));
        assert_eq!(page.rows[1].content, None);
        let content = page.rows[2].content.as_ref().expect("a version");
        assert_eq!(content.etag, Some(ETag::Opaque("x".into())));
        assert_eq!(content.storage_class, None);
        let next = page.next.expect("more");
        assert_eq!(
            (next.key.as_str(), next.version.as_deref()),
            ("b c", Some("v1"))
        );
        assert!(page.truncated);
    }

    fn version(element: &str, key: &str, id: &str) -> String {
        format!(
            "<{element}><Key>{key}</Key><VersionId>{id}</VersionId><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></{element}>"
        )
    }

    fn page_of(rows: &[(&str, &str, &str)]) -> Result<RawVersions, String> {
        let rows: Vec<String> = rows
            .iter()
            .map(|(element, key, id)| version(element, key, id))
            .collect();
        let xml = format!("<ListVersionsResult>{}</ListVersionsResult>", rows.concat());
        parse(xml.as_bytes())
    }

    #[test]
    fn markers_behind_all_versions_are_put_in_their_place() {
        let page = page_of(&[
            ("Version", "a", "1"),
            ("Version", "b+", "2"),
            ("DeleteMarker", "a", "3"),
        ]);
        let ids: Vec<_> = page
            .expect("a page")
            .rows
            .into_iter()
            .map(|row| (row.key, row.id))
            .collect();
        let expected = [("a", "1"), ("a", "3"), ("b+", "2")];
        assert_eq!(ids, expected.map(|(key, id)| (key.into(), id.into())));
    }

    #[test]
    fn what_is_no_whole_listing_is_refused() {
        for (xml, words) in [
            (String::new(), "no listing"),
            ("<ListBucketResult/>".to_owned(), "no listing"),
            (
                PAGE.trim_end_matches("</ListVersionsResult>").to_owned(),
                "ends in the middle",
            ),
            (
                format!(
                    "<ListVersionsResult>{}</ListVersionsResult>",
                    version("Version", "a", "")
                ),
                "no version id",
            ),
            (
                "<ListVersionsResult><Version><Key>a</Key></Version></ListVersionsResult>"
                    .to_owned(),
                "no size",
            ),
        ] {
            let error = parse(xml.as_bytes()).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
        let error = page_of(&[("Version", "b", "1"), ("Version", "a", "2")]);
        assert!(error.expect_err("no order").contains("not in order"));
        let empty = parse(b"<ListVersionsResult/>").expect("a page");
        assert_eq!(empty, RawVersions::default());
    }
}
