//! S3 gives every error a message; what `s3s` refuses by itself has none.

use http::Response;
use http_body_util::BodyExt as _;
use s3s::{Body, StdError};

/// S3's words for what is refused before an operation is reached.
const WORDS: [(&str, &str); 8] = [
    ("AccessDenied", "Access Denied"),
    (
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
    (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidURI", "Couldn't parse the specified URI."),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    ),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
];

/// The answer, with a message where it is an error without one.
pub(super) async fn given(response: Response<Body>) -> Result<Response<Body>, StdError> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let Some(text) = std::str::from_utf8(&bytes).ok().and_then(told) else {
        return Ok(Response::from_parts(parts, Body::from(bytes)));
    };
    parts.headers.remove("content-length");
    Ok(Response::from_parts(parts, Body::from(text)))
}

/// The error with a message; `None` where it has one, or is none.
fn told(xml: &str) -> Option<String> {
    if xml.contains("<Message>") {
        return None;
    }
    let (before, after) = xml.split_once("</Code>")?;
    let (_, code) = before.rsplit_once("<Code>")?;
    let words = WORDS.iter().find(|(known, _)| *known == code);
    let words = words.map_or(code, |(_, words)| words);
    Some(format!("{before}</Code><Message>{words}</Message>{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_words_is_given_some() {
        for (xml, expected) in [
            (
                "<Error><Code>InvalidURI</Code></Error>",
                Some(
                    "<Error><Code>InvalidURI</Code><Message>Couldn't parse the specified URI.</Message></Error>",
                ),
            ),
            (
                "<Error><Code>Other</Code><RequestId>1</RequestId></Error>",
                Some(
                    "<Error><Code>Other</Code><Message>Other</Message><RequestId>1</RequestId></Error>",
                ),
            ),
            (
                "<Error><Code>Other</Code><Message>x</Message></Error>",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(told(xml).as_deref(), expected, "{xml}");
        }
    }
}
