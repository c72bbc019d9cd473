//! Listings that other people's servers write: whole ones are read as they were written, and as the
//! SDK reads them; what is damaged harms nobody.

use std::fmt::Write as _;

use aws_sdk_s3::config::{Credentials, Region, SharedHttpClient};
use aws_sdk_s3::primitives::{DateTimeFormat, SdkBody};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::page::{self, RawPage, RawRow};
use super::version_page;
use crate::chance::{damaged, holds};
use crate::object::{ETag, ListedChecksum, StorageClass, Timestamp};

/// What is put into a page that is damaged.
const WORDS: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "&",
    "&amp;",
    "&#0;",
    "&#xD800;",
    "&#1114112;",
    "&nbsp;",
    "%",
    "%zz",
    "%FF",
    "%00",
    "+",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?x?>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
    "\u{feff}",
    "\0",
    "<Contents>",
    "</Contents>",
    "<Contents/>",
    "<Key>",
    "</Key>",
    "<Key/>",
    "<Size>",
    "-1",
    "1e9",
    "18446744073709551616",
    "<CommonPrefixes><Prefix>",
    "<Version>",
    "</Version>",
    "<DeleteMarker/>",
    "<IsTruncated>true</IsTruncated>",
    "<NextContinuationToken>",
    "<EncodingType>url</EncodingType>",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "2026-02-30T00:00:00.000Z",
    "</ListBucketResult>",
    "<ListBucketResult>",
    "</ListVersionsResult>",
    "<Marker/>",
    "<x:Key xmlns:x='y'>",
];

fn key() -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        4 => prop::sample::select("ab/.-+%&<>\"' ]é\u{3000}💥\u{200e}\\".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    // what XML 1.0 has no way to say is percent-encoded or not said at all
    let key = prop::collection::vec(letter, 1..12);
    key.prop_map(|letters| letters.into_iter().filter(|c| !c.is_control()).collect())
        .prop_filter("a key has letters", |key: &String| !key.is_empty())
        .prop_filter("not of XML", |key: &String| {
            !key.contains(['\u{fffe}', '\u{ffff}'])
        })
}

fn row() -> impl Strategy<Value = RawRow> {
    let etag = "[0-9a-f]{32}(-[1-9][0-9]{0,3})?|[a-z]{1,9}";
    let class = prop::sample::select(vec!["GLACIER", "GLACIER_IR", "NEW_ONE"]);
    let checksum = prop::sample::select(vec!["CRC32", "SHA256", "CRC64NVME"]);
    (
        key(),
        any::<u32>(),
        (0..253_402_300_799_i64, 0..1000_u32),
        prop::option::of(etag),
        prop::option::of(class),
        prop::option::of((checksum, any::<bool>())),
    )
        .prop_map(
            |(key, size, (seconds, millis), etag, class, checksum)| RawRow {
                key,
                size: u64::from(size),
                modified: Timestamp::new(seconds, millis * 1_000_000),
                etag: etag.map(|text| ETag::parse(&text)),
                storage_class: class.map(StorageClass::new),
                checksum: checksum.and_then(|(name, whole)| {
                    let kind = if whole { "FULL_OBJECT" } else { "COMPOSITE" };
                    Some(ListedChecksum::new(name)?.over(kind))
                }),
            },
        )
}

fn raw_page() -> impl Strategy<Value = RawPage> {
    (
        prop::collection::vec(row(), 0..5),
        prop::collection::vec(key(), 0..3),
        any::<bool>(),
        prop::option::of("[A-Za-z0-9+/=]{1,20}"),
    )
        .prop_map(|(rows, common_prefixes, truncated, next_token)| RawPage {
            rows,
            common_prefixes,
            truncated,
            next_token,
            ..RawPage::default()
        })
}

/// How a server writes what is the same.
#[derive(Debug, Clone, Copy)]
struct Hand {
    /// Keys percent-encoded, in one of the two ways servers have.
    encodes: Option<bool>,
    /// Indented.
    spaced: bool,
    cdata: bool,
    /// Characters as numbers.
    numbered: bool,
}

fn hand() -> impl Strategy<Value = Hand> {
    let parts = (
        prop::option::of(any::<bool>()),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    parts.prop_map(|(encodes, spaced, cdata, numbered)| Hand {
        encodes,
        spaced,
        cdata,
        numbered,
    })
}

impl Hand {
    fn write(self, page: &RawPage) -> String {
        let gap = if self.spaced { "\n    " } else { "" };
        let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix></Prefix>".to_owned();
        let mut element = |name: &str, text: &str| {
            let _ = write!(xml, "{gap}<{name}>{text}</{name}>");
        };
        element("KeyCount", &page.rows.len().to_string());
        element("IsTruncated", &page.truncated.to_string());
        if self.encodes.is_some() {
            element("EncodingType", "url");
        }
        if let Some(token) = &page.next_token {
            element("NextContinuationToken", token);
        }
        for row in &page.rows {
            let mut text = format!(
                "<Key>{}</Key>{gap}<LastModified>{}</LastModified>",
                self.key(&row.key),
                row.modified.rfc3339_millis()
            );
            if let Some(etag) = &row.etag {
                let _ = write!(text, "{gap}<ETag>&quot;{etag}&quot;</ETag>");
            }
            if let Some(checksum) = row.checksum {
                let _ = write!(
                    text,
                    "<ChecksumAlgorithm>{}</ChecksumAlgorithm><ChecksumType>{}</ChecksumType>",
                    checksum.algorithm(),
                    checksum.kind().unwrap_or_default()
                );
            }
            let class = row
                .storage_class
                .as_ref()
                .map_or("STANDARD", StorageClass::as_str);
            let _ = write!(
                text,
                "<Size>{}</Size>{gap}<StorageClass>{class}</StorageClass><Owner><ID>x</ID></Owner>",
                row.size
            );
            element("Contents", &text);
        }
        for prefix in &page.common_prefixes {
            element(
                "CommonPrefixes",
                &format!("<Prefix>{}</Prefix>", self.key(prefix)),
            );
        }
        xml + gap + "</ListBucketResult>"
    }

    fn key(self, key: &str) -> String {
        match self.encodes {
            Some(plus) => {
                let encoded = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
                if plus {
                    encoded.replace("%20", "+")
                } else {
                    encoded
                }
            }
            None if self.cdata => format!("<![CDATA[{}]]>", key.replace("]]>", "]]]]><![CDATA[>")),
            None if self.numbered => key
                .chars()
                .flat_map(|c| ["&#".to_owned(), u32::from(c).to_string(), ";".to_owned()])
                .collect(),
            None => key
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
        }
    }
}

/// Answers everything with this.
#[derive(Debug, Clone)]
struct Canned(Bytes);

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200.try_into().expect("a status");
        let response = HttpResponse::new(status, SdkBody::from(self.0.clone()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The SDK passes such sections over, text and all.
fn is_read_by_the_sdk(xml: &str) -> bool {
    !xml.contains("<![CDATA[")
}

/// The page as the SDK reads it; `None` where it refuses it.
fn by_the_sdk(xml: &str) -> Option<RawPage> {
    let canned = SharedHttpConnector::new(Canned(Bytes::from(xml.to_owned())));
    let http: SharedHttpClient = http_client_fn(move |_, _| canned.clone());
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "a test"))
        .http_client(http)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let answer = runtime
        .block_on(client.list_objects_v2().bucket("b").send())
        .ok()?;
    let is_encoded = answer.encoding_type().is_some();
    let decoded = |key: &str| {
        let mut key = key.to_owned();
        if is_encoded {
            page::decode(&mut key).ok()?;
        }
        Some(key)
    };
    let mut read = RawPage {
        truncated: answer.is_truncated() == Some(true),
        next_token: answer.next_continuation_token().map(str::to_owned),
        ..RawPage::default()
    };
    for object in answer.contents() {
        let time = object.last_modified()?.fmt(DateTimeFormat::DateTime).ok()?;
        let class = object.storage_class().map(|class| class.as_str());
        let kind = object.checksum_type().map_or("", |kind| kind.as_str());
        let checksum = object.checksum_algorithm().first();
        read.rows.push(RawRow {
            key: decoded(object.key()?)?,
            size: u64::try_from(object.size()?).ok()?,
            modified: Timestamp::parse(&time).ok()?,
            etag: object.e_tag().map(ETag::parse),
            storage_class: class
                .filter(|class| *class != "STANDARD")
                .map(StorageClass::new),
            checksum: checksum
                .and_then(|it| ListedChecksum::new(it.as_str()))
                .map(|it| it.over(kind)),
        });
    }
    for prefix in answer.common_prefixes() {
        read.common_prefixes.push(decoded(prefix.prefix()?)?);
    }
    Some(read)
}

#[test]
fn a_page_is_read_as_it_was_written_and_as_the_sdk_reads_it() {
    holds(2, (raw_page(), hand()), |(written, hand)| {
        let xml = hand.write(&written);
        assert_eq!(page::parse(xml.as_bytes()).as_ref(), Ok(&written), "{xml}");
        if is_read_by_the_sdk(&xml) {
            assert_eq!(
                by_the_sdk(&xml).as_ref(),
                Some(&written),
                "by the SDK: {xml}"
            );
        }
    });
}

/// A page that was cut off anywhere is no page, and never one with fewer keys.
#[test]
fn a_page_that_is_cut_off_is_refused_wherever_that_is() {
    holds(4, (raw_page(), hand()), |(written, hand)| {
        let xml = hand.write(&written);
        let versions = xml
            .replace("ListBucketResult", "ListVersionsResult")
            .replace("Contents>", "Version>")
            .replace("</Key>", "</Key><VersionId>v</VersionId>");
        for end in 0..xml.len() {
            assert!(
                page::parse(&xml.as_bytes()[..end]).is_err(),
                "{}",
                &xml[..end]
            );
        }
        for end in 0..versions.len() {
            let cut = &versions.as_bytes()[..end];
            assert!(
                version_page::parse(cut).is_err(),
                "{}",
                String::from_utf8_lossy(cut)
            );
        }
    });
}

/// Pages of both kinds as servers write them.
fn pages() -> Vec<Vec<u8>> {
    let row = |key: &str| RawRow {
        size: 7,
        etag: Some(ETag::parse("d41d8cd98f00b204e9800998ecf8427e-2")),
        checksum: ListedChecksum::new("SHA256").map(|it| it.over("COMPOSITE")),
        ..RawRow::bare(key)
    };
    let page = RawPage {
        rows: vec![row("a b/c%"), row("a&b"), row("é/💥")],
        common_prefixes: vec!["p/q r/".to_owned()],
        truncated: true,
        next_token: Some("1/x==".to_owned()),
        ..RawPage::default()
    };
    let plain = Hand {
        encodes: None,
        spaced: true,
        cdata: false,
        numbered: false,
    };
    let hands = [
        plain,
        Hand {
            encodes: Some(true),
            ..plain
        },
        Hand {
            cdata: true,
            ..plain
        },
        Hand {
            numbered: true,
            spaced: false,
            ..plain
        },
    ];
    let versions = r"<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>b+c</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker><Version><Key>a%2Bb</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><LastModified>2026-02-28T23:59:59.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>7</Size><StorageClass>GLACIER</StorageClass></Version><DeleteMarker><Key>b+c</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><LastModified>2026-01-31T00:00:00Z</LastModified></DeleteMarker></ListVersionsResult>";
    let written = hands.map(|hand| hand.write(&page).into_bytes());
    written
        .into_iter()
        .chain([versions.as_bytes().to_vec()])
        .collect()
}

/// A page that is damaged is refused, or has all keys that the SDK finds there. It may have more:
/// where a text is no XML, behind a stray `]]>` for one, the SDK ends without a word.
#[test]
fn a_damaged_page_is_refused_or_has_what_the_sdk_finds_there() {
    holds(1, damaged(pages(), WORDS), |xml| {
        drop(version_page::parse(&xml));
        let Ok(read) = page::parse(&xml) else {
            return;
        };
        let text = String::from_utf8(xml.to_vec()).expect("what was read is text");
        if !is_read_by_the_sdk(&text) {
            return;
        }
        if let Some(by_the_sdk) = by_the_sdk(&text) {
            let keys = |page: &RawPage| -> Vec<String> {
                page.rows.iter().map(|row| row.key.clone()).collect()
            };
            let (ours, theirs) = (keys(&read), keys(&by_the_sdk));
            assert!(ours.starts_with(&theirs), "{ours:?} {theirs:?}\n{text}");
        }
    });
}

/// A key that is lost in what is read would be deleted at the target.
#[test]
fn a_page_in_which_one_key_would_hide_another_is_refused() {
    for rows in [
        "<Contents><Key>a</Key><Contents><Key>b</Key></Contents></Contents>",
        "<Contents><Key>a</Key><Key>b</Key></Contents>",
        "<Contents><Key>a</Key></Content><Contents><Key>b</Key></Contents>",
    ] {
        let xml =
            format!("<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>");
        page::parse(xml.as_bytes()).expect_err(rows);
    }
}

#[test]
fn any_bytes_at_all_are_answered() {
    holds(1, prop::collection::vec(any::<u8>(), 0..200), |bytes| {
        drop(page::parse(&bytes));
        drop(version_page::parse(&bytes));
    });
}
