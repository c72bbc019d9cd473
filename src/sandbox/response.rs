//! An answer under construction.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{Body, S3Response};

/// Status, headers and body of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Answer {
    /// An answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            headers: HeaderMap::new(),
            body: Body::empty(),
        }
    }

    /// Sets a header; one whose name or value HTTP cannot carry is left out.
    pub(super) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name),
            HeaderValue::from_bytes(value.as_ref().as_bytes()),
        ) {
            self.headers.insert(name, value);
        }
    }

    /// Sets a header if there is a value.
    pub(super) fn set_some(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

impl From<Answer> for S3Response<Body> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::with_status(answer.body, answer.status);
        response.headers = answer.headers;
        response
    }
}

/// 200 with an XML document.
pub(super) fn xml(document: String) -> Answer {
    let mut answer = Answer::empty(200);
    answer.set("content-type", "application/xml");
    answer.body = Body::from(document);
    answer
}

/// An ETag as headers and XML have it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
