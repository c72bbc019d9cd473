//! Answers that say of an object what is not so.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::BodyExt as _;
use s3s::{Body, StdError};

use super::checksums::element;
use crate::digest::Algorithm;

/// Another ETag of the same shape, in the header and in XML.
pub(super) async fn of_etag(mut response: Response<Body>) -> Result<Response<Body>, StdError> {
    alter(response.headers_mut(), "etag", |tag| {
        tag.find(|c: char| c.is_ascii_hexdigit())
    });
    in_xml(response, &["ETag"]).await
}

/// Another checksum under the same algorithm, in the header and in XML.
pub(super) async fn of_checksum(mut response: Response<Body>) -> Result<Response<Body>, StdError> {
    for algorithm in Algorithm::ALL {
        alter(response.headers_mut(), algorithm.header(), |_| Some(0));
    }
    in_xml(response, &Algorithm::ALL.map(element)).await
}

/// The checksum under the name of an algorithm that S3 does not have.
pub(super) fn of_algorithm(headers: &mut HeaderMap) {
    for algorithm in Algorithm::ALL {
        if let Some(value) = headers.remove(algorithm.header()) {
            headers.insert(HeaderName::from_static("x-amz-checksum-blake3"), value);
        }
    }
}

/// XML without the elements of this name.
pub(super) async fn without(
    response: Response<Body>,
    element: &str,
) -> Result<Response<Body>, StdError> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    of_text(response, |text| {
        let mut pieces = text.split(&open);
        let mut left = pieces.next().unwrap_or_default().to_owned();
        left.extend(pieces.filter_map(|piece| Some(piece.split_once(&close)?.1)));
        left
    })
    .await
}

/// Another text in place of the answer's.
pub(super) async fn of_text(
    response: Response<Body>,
    other: impl FnOnce(&str) -> String,
) -> Result<Response<Body>, StdError> {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let text = other(std::str::from_utf8(&bytes)?);
    parts.headers.remove("content-length");
    Ok(Response::from_parts(parts, Body::from(text)))
}

/// A page of a listing whose objects come from the last to the first.
pub(super) fn turned_round(page: &str) -> String {
    let (open, close) = ("<Contents>", "</Contents>");
    let (Some(from), Some(to)) = (page.find(open), page.rfind(close)) else {
        return page.to_owned();
    };
    let to = to + close.len();
    let mut objects: Vec<&str> = page[from..to].split_inclusive(close).collect();
    objects.reverse();
    format!("{}{}{}", &page[..from], objects.concat(), &page[to..])
}

fn alter(headers: &mut HeaderMap, name: &'static str, place: impl Fn(&str) -> Option<usize>) {
    let text = headers.get(name).and_then(|value| value.to_str().ok());
    let Some((text, at)) = text.and_then(|text| Some((text, place(text)?))) else {
        return;
    };
    if let Ok(value) = HeaderValue::try_from(other(text, at)) {
        headers.insert(name, value);
    }
}

async fn in_xml(response: Response<Body>, elements: &[&str]) -> Result<Response<Body>, StdError> {
    let kind = response.headers().get("content-type");
    if kind.is_none_or(|kind| kind != "application/xml") {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let mut text = String::from_utf8(bytes.to_vec())?;
    for element in elements {
        let open = format!("<{element}>");
        if let Some(start) = text.find(&open) {
            let start = start + open.len();
            let quotes = ["&quot;", "\""].into_iter();
            let quote = quotes
                .filter(|quote| text[start..].starts_with(quote))
                .map(str::len);
            text = other(&text, start + quote.sum::<usize>());
        }
    }
    parts.headers.remove("content-length");
    Ok(Response::from_parts(parts, Body::from(text)))
}

/// The text with another letter or digit at this place.
fn other(text: &str, at: usize) -> String {
    let replacement = if text[at..].starts_with('a') {
        "b"
    } else {
        "a"
    };
    format!("{}{replacement}{}", &text[..at], &text[at + 1..])
}
