//! One request, after its signature was checked.

use bytes::Bytes;
use futures::StreamExt as _;
use http::HeaderMap;
use s3s::{Body, S3Error, S3Request, TrailingHeaders};

use super::checksums::Claims;
use super::error::{Result, error, invalid_argument, invalid_request, not_implemented};
use super::faults::Tampering;
use super::operation::{Operation, Target};
use super::query::Query;
use crate::digest::{Algorithm, Hashers};

/// Bodies that are read whole (XML, policies, annotations) are not longer.
const SMALL_BODY: usize = 20 << 20;

/// A request, read as far as its body.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) trailers: Option<TrailingHeaders>,
    /// Whether it came without a signature.
    pub(super) anonymous: bool,
    /// What the faults want done to it.
    pub(super) tampering: Tampering,
}

impl Call {
    /// Reads what s3s passed on.
    pub(super) fn of(request: S3Request<Body>, host_bucket: Option<&str>) -> Result<Self> {
        let target = Target::of(host_bucket, request.uri.path())
            .ok_or_else(|| error(400, "InvalidURI", "Couldn't parse the specified URI."))?;
        let mut request = request;
        let tampering = request.extensions.get::<Tampering>();
        let tampering = tampering.cloned().unwrap_or_default();
        let mut query = Query::parse(request.uri.query().unwrap_or_default());
        for name in tampering.ignores() {
            request.headers.remove(name);
            query.forget(name);
        }
        let operation = Operation::of(&request.method, &target, &query, &request.headers)
            .ok_or_else(|| not_implemented("this operation"))?;
        Ok(Self {
            operation,
            target,
            query,
            headers: request.headers,
            body: request.input,
            trailers: request.trailing_headers,
            anonymous: request.credentials.is_none(),
            tampering,
        })
    }

    /// The bucket it is about.
    pub(super) fn bucket(&self) -> &str {
        self.target.bucket()
    }

    /// The key it is about.
    pub(super) fn key(&self) -> &str {
        self.target.key()
    }

    /// A header's value, if it is UTF-8.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The version it names.
    pub(super) fn version_id(&self) -> Option<&str> {
        self.query.filled("versionId")
    }

    /// A number in the query.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>> {
        match self.query.filled(name) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(invalid_argument(format!(
                    "Provided {name} not an integer or within integer range"
                ))),
            },
        }
    }

    /// A number in a header.
    pub(super) fn number_header(&self, name: &str) -> Result<Option<u64>> {
        match self.header(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| invalid_request(format!("Value for {name} header is invalid."))),
        }
    }

    /// `max-keys` and its like: 1000 unless less is asked for.
    pub(super) fn page_size(&self, name: &str) -> Result<usize> {
        let asked = self.number::<i64>(name)?.unwrap_or(1000);
        if asked < 0 {
            return Err(invalid_argument(format!(
                "Argument {name} must be an integer between 0 and 2147483647"
            )));
        }
        Ok(usize::try_from(asked).unwrap_or(1000).min(1000))
    }

    /// The whole body, verified, where the operation has a short one.
    pub(super) async fn small_body(&mut self) -> Result<Bytes> {
        let claims = Claims::of(&self.headers)?;
        self.claimed_body(&claims).await
    }

    /// The whole body, where S3 insists on a digest of it.
    pub(super) async fn proved_body(&mut self) -> Result<Bytes> {
        let claims = Claims::of(&self.headers)?;
        if !claims.any() {
            return Err(invalid_request(
                "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
            ));
        }
        self.claimed_body(&claims).await
    }

    /// The whole body, where checksum headers are about something else.
    pub(super) async fn unclaimed_body(&mut self) -> Result<Bytes> {
        self.claimed_body(&Claims::default()).await
    }

    async fn claimed_body(&mut self, claims: &Claims) -> Result<Bytes> {
        let mut hashers = Hashers::new([Algorithm::Md5].into_iter().chain(claims.algorithm()));
        let mut whole = Vec::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece.map_err(|cause| body_error(cause.as_ref()))?;
            hashers.update(&piece);
            whole.extend_from_slice(&piece);
            if whole.len() > SMALL_BODY {
                return Err(error(
                    400,
                    "MaxMessageLengthExceeded",
                    "Your request was too big.",
                ));
            }
        }
        let trailers = self.trailers.as_ref().and_then(TrailingHeaders::take);
        claims.verify(&hashers.finish(), trailers.as_ref())?;
        Ok(whole.into())
    }
}

/// What went wrong while a body was read.
///
/// The errors of s3s's body streams are private types, so their texts are all there is to go by.
pub(super) fn body_error(cause: &(dyn std::error::Error + Send + Sync)) -> S3Error {
    let text = cause.to_string();
    let has = |word: &str| text.contains(word);
    if has("Sha256Mismatch") {
        error(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if has("SignatureMismatch") {
        error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        )
    } else if has("FormatError") || has("TooLarge") || has("TooMany") {
        error(
            400,
            "InvalidChunkSizeError",
            "The request body is not well-formed aws-chunked content.",
        )
    } else {
        error(
            400,
            "IncompleteBody",
            "The request body terminated unexpectedly",
        )
    }
}
