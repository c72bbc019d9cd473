//! The answers S3 gives instead of a result.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// A result of an S3 operation.
pub(super) type Result<T> = std::result::Result<T, S3Error>;

/// An error under S3's own code, with the status given.
pub(super) fn error(status: u16, code: &'static str, message: impl Into<String>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message.into());
    error
        .set_status_code(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    error
}

/// 400 InvalidRequest.
pub(super) fn invalid_request(message: impl Into<String>) -> S3Error {
    error(400, "InvalidRequest", message)
}

/// 400 InvalidArgument.
pub(super) fn invalid_argument(message: impl Into<String>) -> S3Error {
    error(400, "InvalidArgument", message)
}

/// 400 MalformedXML.
pub(super) fn malformed_xml() -> S3Error {
    error(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// 403 AccessDenied.
pub(super) fn access_denied() -> S3Error {
    error(403, "AccessDenied", "Access Denied")
}

/// 404 NoSuchKey.
pub(super) fn no_such_key() -> S3Error {
    error(404, "NoSuchKey", "The specified key does not exist.")
}

/// 404 NoSuchUpload.
pub(super) fn no_such_upload() -> S3Error {
    error(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

/// 412 PreconditionFailed.
pub(super) fn precondition_failed() -> S3Error {
    error(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// 501 NotImplemented.
pub(super) fn not_implemented(what: &str) -> S3Error {
    error(
        501,
        "NotImplemented",
        format!("the sandbox does not implement {what}"),
    )
}

/// 500 InternalError, for what the disk below refused.
pub(super) fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    let mut failure = error(500, "InternalError", cause.to_string());
    failure.set_source(Box::new(cause));
    failure
}
