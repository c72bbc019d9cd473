//! The XML of a ListObjectsV2 answer:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::object::{ETag, ListedChecksum, StorageClass, Timestamp};

/// A page as the server wrote it: whole keys, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawPage {
    /// Its objects.
    pub(super) rows: Vec<RawRow>,
    /// Prefixes that keys were rolled up to.
    pub(super) common_prefixes: Vec<String>,
    /// Whether there is more.
    pub(super) truncated: bool,
    /// Where to go on.
    pub(super) next_token: Option<String>,
    /// Where ListObjects says to go on; it does only where keys are rolled up.
    pub(super) next_marker: Option<String>,
    /// Whether it is an answer to ListObjects.
    pub(super) is_of_v1: bool,
}

impl RawPage {
    /// The last of its keys and prefixes.
    pub(super) fn last_key(&self) -> Option<String> {
        let key = self.rows.last().map(|row| &row.key);
        key.max(self.common_prefixes.last()).cloned()
    }
}

/// One object of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawRow {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
    pub(super) etag: Option<ETag>,
    pub(super) storage_class: Option<StorageClass>,
    pub(super) checksum: Option<ListedChecksum>,
}

#[cfg(test)]
impl RawRow {
    /// An empty object of this key.
    pub(super) fn bare(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            size: 0,
            modified: Timestamp::new(0, 0),
            etag: None,
            storage_class: None,
            checksum: None,
        }
    }
}

/// Which text is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    None,
    Key,
    Size,
    Modified,
    ETag,
    StorageClass,
    Algorithm,
    ChecksumType,
    CommonPrefix,
    Truncated,
    NextToken,
    NextMarker,
    EncodingType,
}

/// Reads an answer; what is wrong with it comes back in words.
pub(super) fn parse(xml: &[u8]) -> Result<RawPage, String> {
    let xml = std::str::from_utf8(xml).map_err(|_| not_utf8())?;
    let mut reader = Reader::from_str(xml);
    let mut page = RawPage::default();
    let mut url_encoded = false;
    let mut marker = false;
    let mut counted = false;
    let mut complete = false;
    let mut root = false;
    let mut within = Within::Root;
    let mut field = Field::None;
    let mut row = PartialRow::default();
    let mut text = String::new();
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("the listing is not XML: {error}"))?
        {
            Event::Start(tag) => {
                text.clear();
                field = Field::None;
                match (within, tag.name().as_ref()) {
                    (Within::Root, "ListBucketResult") => root = true,
                    (Within::Root, "Contents") => {
                        within = Within::Contents;
                        row = PartialRow::default();
                    }
                    (Within::Root, "CommonPrefixes") => within = Within::CommonPrefixes,
                    // the first would be lost
                    (Within::Contents, "Contents") => {
                        return Err("the listing has an object within an object".to_owned());
                    }
                    (Within::Contents, "Key") if row.key.is_some() => {
                        return Err("the listing has an object with two keys".to_owned());
                    }
                    (Within::Contents, "Key") => field = Field::Key,
                    (Within::Contents, "Size") => field = Field::Size,
                    (Within::Contents, "LastModified") => field = Field::Modified,
                    (Within::Contents, "ETag") => field = Field::ETag,
                    (Within::Contents, "StorageClass") => field = Field::StorageClass,
                    (Within::Contents, "ChecksumAlgorithm") => field = Field::Algorithm,
                    (Within::Contents, "ChecksumType") => field = Field::ChecksumType,
                    (Within::CommonPrefixes, "Prefix") => field = Field::CommonPrefix,
                    (Within::Root, "IsTruncated") => field = Field::Truncated,
                    (Within::Root, "NextContinuationToken") => field = Field::NextToken,
                    (Within::Root, "NextMarker") => field = Field::NextMarker,
                    (Within::Root, "Marker") => marker = true,
                    (Within::Root, "KeyCount") => counted = true,
                    (Within::Root, "EncodingType") => field = Field::EncodingType,
                    _ => {}
                }
            }
            Event::Text(piece) if field != Field::None => {
                text.push_str(&piece);
            }
            Event::CData(piece) if field != Field::None => {
                text.push_str(&piece);
            }
            Event::GeneralRef(reference) if field != Field::None => {
                let character = match reference
                    .resolve_char_ref()
                    .map_err(|error| format!("the listing has a bad character: {error}"))?
                {
                    Some(character) => character,
                    None => entity(&reference)?,
                };
                text.push(character);
            }
            Event::End(tag) => {
                match (within, tag.name().as_ref()) {
                    (Within::Contents, "Contents") => {
                        page.rows.push(std::mem::take(&mut row).whole()?);
                        within = Within::Root;
                    }
                    (Within::CommonPrefixes, "CommonPrefixes") => within = Within::Root,
                    (Within::Root, "ListBucketResult") => complete = true,
                    _ => match field {
                        Field::None => {}
                        Field::Key => row.key = Some(std::mem::take(&mut text)),
                        Field::Size => row.size = Some(number(&text)?),
                        Field::Modified => row.modified = Some(time(&text)?),
                        Field::ETag => row.etag = Some(ETag::parse(&text)),
                        Field::StorageClass if text == "STANDARD" => {}
                        Field::StorageClass => row.storage_class = Some(StorageClass::new(&text)),
                        // of several the first
                        Field::Algorithm if row.checksum.is_some() => {}
                        Field::Algorithm => row.checksum = ListedChecksum::new(&text),
                        Field::ChecksumType => {
                            row.checksum = row.checksum.map(|it| it.over(&text));
                        }
                        Field::CommonPrefix => page.common_prefixes.push(std::mem::take(&mut text)),
                        Field::Truncated => page.truncated = truth(&text)?,
                        Field::NextToken => page.next_token = Some(std::mem::take(&mut text)),
                        Field::NextMarker => page.next_marker = Some(std::mem::take(&mut text)),
                        Field::EncodingType => url_encoded = text == "url",
                    },
                }
                field = Field::None;
            }
            Event::Empty(tag) if tag.name().as_ref() == "ListBucketResult" => {
                (root, complete) = (true, true);
            }
            Event::Empty(tag) if tag.name().as_ref() == "Marker" => marker = true,
            Event::Eof => break,
            _ => {}
        }
    }
    if !root {
        return Err("the answer is no listing (no ListBucketResult)".to_owned());
    }
    if !complete {
        return Err("the listing ends in the middle".to_owned());
    }
    if url_encoded {
        for key in page
            .rows
            .iter_mut()
            .map(|row| &mut row.key)
            .chain(&mut page.common_prefixes)
            .chain(&mut page.next_marker)
        {
            decode(key)?;
        }
    }
    page.next_token = page.next_token.filter(|token| !token.is_empty());
    page.next_marker = page.next_marker.filter(|marker| !marker.is_empty());
    page.is_of_v1 = marker && !counted && page.next_token.is_none();
    Ok(page)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Root,
    Contents,
    CommonPrefixes,
}

#[derive(Default)]
struct PartialRow {
    key: Option<String>,
    size: Option<u64>,
    modified: Option<Timestamp>,
    etag: Option<ETag>,
    storage_class: Option<StorageClass>,
    checksum: Option<ListedChecksum>,
}

impl PartialRow {
    fn whole(self) -> Result<RawRow, String> {
        let key = self.key.ok_or("the listing has an object without a key")?;
        match (self.size, self.modified) {
            (Some(size), Some(modified)) => Ok(RawRow {
                size,
                modified,
                etag: self.etag,
                storage_class: self.storage_class,
                checksum: self.checksum,
                key,
            }),
            _ => Err(format!("the listing has no size or time for `{key}`")),
        }
    }
}

/// Undoes `encoding-type=url`: percent-encoding with `+` for a space.
pub(in crate::store::s3) fn decode(key: &mut String) -> Result<(), String> {
    if key.bytes().any(|byte| byte == b'+') {
        *key = key.replace('+', " ");
    }
    if key.bytes().any(|byte| byte == b'%') {
        *key = percent_decode_str(key)
            .decode_utf8()
            .map_err(|_| not_utf8())?
            .into_owned();
    }
    Ok(())
}

pub(super) fn entity(name: &str) -> Result<char, String> {
    Ok(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return Err(format!("the listing has an unknown entity `{name}`")),
    })
}

pub(super) fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("the listing has a size `{text}`"))
}

/// Reads whether there is more: what is not understood must not pass for the end.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" | "True" | "TRUE" | "1" => Ok(true),
        "false" | "False" | "FALSE" | "0" => Ok(false),
        _ => Err(format!(
            "the listing says `{text}` of whether there is more"
        )),
    }
}

/// Reads `2026-01-31T23:59:59.000Z` by its columns; any other form goes through the full parser.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    fast_time(text.as_bytes())
        .or_else(|| Timestamp::parse(text).ok())
        .ok_or_else(|| format!("the listing has a time `{text}`"))
}

fn fast_time(text: &[u8]) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| -> Option<i64> {
        text.get(from..to)?.iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + i64::from(byte - b'0'))
        })
    };
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    let nanos = match text.get(19..)? {
        b"Z" => 0,
        [b'.', a, b, c, b'Z'] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()) => {
            u32::from(a - b'0') * 100_000_000
                + u32::from(b - b'0') * 10_000_000
                + u32::from(c - b'0') * 1_000_000
        }
        _ => return None,
    };
    let separators = [text[4], text[7], text[10], text[13], text[16]];
    let valid = separators == *b"--T::"
        && (1..=12).contains(&month)
        && (1..=28).contains(&day) // later days differ by month: the full parser knows
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    // days since 1970-01-01, by Howard Hinnant's `days_from_civil`
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(Timestamp::new(
        ((days * 24 + hour) * 60 + minute) * 60 + second,
        nanos,
    ))
}

pub(super) fn not_utf8() -> String {
    "the listing is not UTF-8".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>p%2F</Prefix>
<KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextContinuationToken>1/&amp;x==</NextContinuationToken>
<Contents><Key>p/a+b%2Bc%25</Key><LastModified>2026-02-28T23:59:59.123Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>7</Size><Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>p/%E3%80%80</Key><LastModified>2026-01-31T00:00:00Z</LastModified><ETag>"x"</ETag><Size>0</Size></Contents>
<CommonPrefixes><Prefix>p/q+r/</Prefix></CommonPrefixes></ListBucketResult>"#;

    #[test]
    fn a_page_with_everything() {
        let page = parse(PAGE.as_bytes()).expect("a page");
        let keys: Vec<_> = page.rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(keys, ["p/a b+c%", "p/\u{3000}"]);
        assert_eq!(page.rows[0].size, 7);
        let sha256 = ListedChecksum::new("SHA256").map(|it| it.over("COMPOSITE"));
        assert_eq!(page.rows[0].checksum, sha256);
        assert_eq!(page.rows[1].checksum, None);
        assert_eq!(
            page.rows[0].modified.rfc3339_millis(),
            "2026-02-28T23:59:59.123Z"
        );
        assert_eq!(page.rows[1].modified.to_string(), "2026-01-31T00:00:00Z");
        assert_eq!(page.rows[1].etag, Some(ETag::Opaque("x".into())));
        assert_eq!(page.common_prefixes, ["p/q r/"]);
        assert!(page.truncated);
        assert_eq!(page.next_token.as_deref(), Some("1/&x=="));
    }

    #[test]
    fn an_answer_to_list_objects_goes_on_behind_a_key() {
        let xml = "<ListBucketResult><Marker/><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><Contents><Key>a+b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>";
        let rolled_up = "<NextMarker>c%2Bd%2F</NextMarker><CommonPrefixes><Prefix>c%2Bd%2F</Prefix></CommonPrefixes>";
        for (more, next_marker, last) in [("", None, "a b"), (rolled_up, Some("c+d/"), "c+d/")] {
            let page = parse(format!("{xml}{more}</ListBucketResult>").as_bytes()).expect("a page");
            assert!(page.is_of_v1, "{more}");
            assert_eq!(page.next_marker.as_deref(), next_marker);
            assert_eq!(page.last_key().as_deref(), Some(last));
        }
        assert!(!parse(PAGE.as_bytes()).expect("a page").is_of_v1);
    }

    #[test]
    fn without_url_encoding_keys_are_literal() {
        let xml = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%20&lt;&#x41;</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents></ListBucketResult>";
        let page = parse(xml.as_bytes()).expect("a page");
        assert_eq!(page.rows[0].key, "a+b%20<A");
        assert_eq!(page.rows[0].etag, None);
    }

    #[test]
    fn what_is_no_whole_listing_is_refused() {
        for (xml, words) in [
            ("", "no listing"),
            ("<html></html>", "no listing"),
            (
                PAGE.trim_end_matches("</ListBucketResult>"),
                "ends in the middle",
            ),
            (
                "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
                "no size",
            ),
            (
                "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
                "a size",
            ),
        ] {
            let error = parse(xml.as_bytes()).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(parse(b"<ListBucketResult/>"), Ok(RawPage::default()));
    }

    #[test]
    fn the_fast_clock_agrees_with_the_full_one() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "1969-12-28T23:59:59.999Z",
            "2000-02-28T12:30:45.500Z",
            "2024-03-01T00:00:00.000Z",
            "2026-11-22T17:13:47.123Z",
            "2076-01-01T00:00:00Z",
        ] {
            assert_eq!(
                fast_time(text.as_bytes()),
                Timestamp::parse(text).ok(),
                "{text}"
            );
        }
        for text in [
            "2026-01-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01 00:00:00Z",
            "",
        ] {
            assert_eq!(fast_time(text.as_bytes()), None, "{text}");
        }
    }
}
