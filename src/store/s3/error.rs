//! The SDK's errors become ours in one function, for every operation alike.

use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::exchange::Silence;
use super::region::named;
use super::{S3Settings, proxy, trust};
use crate::store::{Description, ErrorKind, NOT_RESTORED, StoreError};

pub(super) type SdkError<E> = aws_sdk_s3::error::SdkError<E, HttpResponse>;

/// What `operation` on `subject` failed with.
pub(super) fn convert<E>(
    operation: &'static str,
    subject: &str,
    store: &Description,
    error: &SdkError<E>,
) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let date = error
        .raw_response()
        .and_then(|response| response.headers().get("date"));
    let retry_after = error
        .raw_response()
        .and_then(|response| response.headers().get("retry-after"))
        .and_then(|text| wait_of(text, date));
    let code = error.code().map(str::to_owned);
    let request_id = error.request_id().map(str::to_owned);
    let kind = kind_of(status, code.as_deref(), error);
    let refused_by = refusing_proxy(status, store, error);
    let kind = if refused_by.is_some() {
        ErrorKind::Fatal
    } else {
        kind
    };
    let message = match (&code, kind) {
        _ if refused_by.is_some() => refused_by.unwrap_or_default(),
        (Some(code), _) if code == "InvalidRequest" && wants_key(error.message()) => WANTS_KEY.to_owned(),
        _ if let Some(region) = named(error).filter(|region| Some(region) != store.region.as_ref()) => {
            elsewhere(&region, store)
        }
        (Some(code), _) if code == "InvalidRequest" && wants_no_key(error.message()) => WANTS_NO_KEY.to_owned(),
        (Some(_), ErrorKind::Archived) => NOT_RESTORED.to_owned(),
        (Some(code), _) => {
            remedy(code, store).unwrap_or_else(|| plain(error.message().unwrap_or(code)))
        }
        (None, _) if caused_by::<CredentialsError, _>(error) => format!(
            "no credentials for {}: {}; set a profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or this side's access_key",
            store.url,
            chain(error)
        ),
        (None, ErrorKind::NotFound) => "not found".to_owned(),
        (None, ErrorKind::AccessDenied) => "access denied".to_owned(),
        (None, ErrorKind::TooManyOpenFiles) => "too many open files; raise the limit (`ulimit -n`, LimitNOFILE=) or lower performance.worker_size".to_owned(),
        // the answer to a HEAD has no body that could say more
        (None, _) if status == Some(400) && operation == "HeadObject" => "refused without a reason: an object encrypted with SSE-C wants its key (this side's sse_c and sse_c_key), one that is not takes none, and credentials may have expired".to_owned(),
        (None, _) => {
            let words = chain(error);
            if words.contains(BAD_CERTIFICATE) {
                format!("{words}; {}", trust::remedy())
            } else {
                words
            }
        }
    };
    let code = code.or_else(|| status.map(|status| format!("HTTP {status}")));
    StoreError {
        code,
        request_id,
        retry_after,
        ..StoreError::new(operation, subject, kind, message)
    }
}

/// What to say of a bucket that is not where it was asked for.
fn elsewhere(region: &str, store: &Description) -> String {
    let asked = store.region.as_deref().unwrap_or("none");
    format!(
        "the bucket is in the region `{region}`, and `{asked}` was asked; set the region of this side (source.region or target.region) to \"{region}\""
    )
}

pub(super) const WANTS_KEY: &str =
    "the object is encrypted with SSE-C and wants its key: this side's sse_c and sse_c_key";

/// The same with what the settings have to do with it, where they may.
pub(super) fn advised(error: StoreError, settings: &S3Settings) -> StoreError {
    let is_of_an_object = matches!(
        error.operation,
        "GetObject" | "HeadObject" | "GetObjectAttributes"
    );
    let advice = match error.kind {
        ErrorKind::AccessDenied if settings.anonymous => {
            "; it is asked for anonymously (source.no_sign_request), and not everyone may"
        }
        ErrorKind::AccessDenied
            if is_of_an_object && settings.encryption.customer_key().is_some() =>
        {
            "; if this side's sse_c_key is not the one the object was encrypted with, set that"
        }
        _ => return error,
    };
    StoreError {
        message: format!("{}{advice}", error.message),
        ..error
    }
}

/// Whether this is what S3 says where an object's key was not given.
fn wants_key(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.contains("stored using a form of Server Side Encryption"))
}

const WANTS_NO_KEY: &str =
    "the object is not encrypted with SSE-C: leave this side's sse_c and sse_c_key out";

/// Whether this is what S3 says where an object has no key, and one was given.
fn wants_no_key(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.contains("parameters are not applicable to this object"))
}

/// What TLS says of a server that cannot prove who it is.
const BAD_CERTIFICATE: &str = "invalid peer certificate";

/// How long a server asks to wait: a number of seconds or a date (RFC 9110, 10.2.3), which is by
/// the server's clock where it tells it.
fn wait_of(text: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let read = |text: &str| DateTime::from_str(text.trim(), DateTimeFormat::HttpDate).ok();
    let then = read(text)?.as_secs_f64();
    let now = date.and_then(read).map_or_else(
        || DateTime::from(SystemTime::now()).as_secs_f64(),
        |date| date.as_secs_f64(),
    );
    Duration::try_from_secs_f64((then - now).max(0.0)).ok()
}

/// What a proxy says that lets nothing through for us.
fn refusing_proxy<E>(
    status: Option<u16>,
    store: &Description,
    error: &SdkError<E>,
) -> Option<String>
where
    E: Error + 'static,
{
    let tunnelled = status.is_none() && chain(error).contains("proxy authorization required");
    if status != Some(407) && !tunnelled {
        return None;
    }
    let proxy = proxy::to(store.endpoint.as_deref()).ok().flatten();
    Some(proxy.map_or_else(
        || "a proxy on the way refuses us (407)".to_owned(),
        |proxy| proxy.refusal(),
    ))
}

/// Nothing moved on the connection for so long.
pub(super) fn silent(
    operation: &'static str,
    subject: &str,
    silence: Silence,
    limit: Duration,
) -> StoreError {
    let (what, option) = match silence {
        Silence::Body => ("the connection took nothing for", "timeout.read"),
        Silence::Answer => ("no answer within", "timeout.read"),
        Silence::Connection => ("no answer within", "timeout.connect"),
    };
    StoreError {
        code: Some("Timeout".to_owned()),
        ..StoreError::new(
            operation,
            subject,
            ErrorKind::Transient,
            format!("{what} {limit:?} ({option})"),
        )
    }
}

/// The body of an answer ended early or broke off.
pub(super) fn broken_body(operation: &'static str, subject: &str, what: String) -> StoreError {
    StoreError {
        code: Some("IncompleteBody".to_owned()),
        ..StoreError::new(operation, subject, ErrorKind::Transient, what)
    }
}

/// Nobody has ever answered at the endpoint: not worth another key.
pub(super) fn unreachable(error: StoreError, store: &Description) -> StoreError {
    let place = store.endpoint.as_deref().unwrap_or("S3");
    let proxy = proxy::to(store.endpoint.as_deref()).ok().flatten();
    let through = proxy.map_or_else(String::new, |proxy| format!(" through {proxy}"));
    let message = format!(
        "{place} does not answer{through}: {}; check endpoint_url, the network and the proxy settings",
        error.message
    );
    StoreError {
        kind: ErrorKind::Fatal,
        message,
        ..error
    }
}

fn kind_of<E>(status: Option<u16>, code: Option<&str>, error: &SdkError<E>) -> ErrorKind
where
    E: Error + 'static,
{
    if let Some(kind) = code.and_then(kind_of_code) {
        return kind;
    }
    match status {
        Some(404) => ErrorKind::NotFound,
        Some(403) => ErrorKind::AccessDenied,
        Some(412) => ErrorKind::PreconditionFailed,
        Some(301 | 307 | 401) => ErrorKind::Fatal,
        Some(501) => ErrorKind::Unsupported,
        Some(408 | 429 | 500..=599) => ErrorKind::Transient,
        // a success that could not be read: broken off, or not S3's XML
        Some(200..=299) => ErrorKind::Transient,
        Some(_) => ErrorKind::Other,
        None => unanswered(error),
    }
}

/// What kind of failure an error code of S3 stands for, where it stands for one by itself.
pub(super) fn kind_of_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "NoSuchKey" | "NotFound" | "NoSuchUpload" | "NoSuchVersion" => ErrorKind::NotFound,
        "NoSuchBucket"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "RequestTimeTooSkewed"
            | "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "InvalidBucketName"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId" => ErrorKind::Fatal,
        "AccessDenied" | "Forbidden" => ErrorKind::AccessDenied,
        "InvalidObjectState" | "ObjectNotInActiveTierError" => ErrorKind::Archived,
        "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" => ErrorKind::Corrupted,
        "PreconditionFailed" => ErrorKind::PreconditionFailed,
        "InternalError"
            | "SlowDown"
            | "ServiceUnavailable"
            | "RequestTimeout"
            | "IncompleteBody"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequests"
            | "OperationAborted"
            // a name that S3's own directory has not everywhere yet
            | "TemporaryRedirect"
            | "ConditionalRequestConflict" => ErrorKind::Transient,
        "NotImplemented" => ErrorKind::Unsupported,
        _ => return None,
    })
}

/// Sorts a request that got no answer: never sent, or lost on the way.
fn unanswered<E: Error + 'static>(error: &SdkError<E>) -> ErrorKind {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && StoreError::io("", "", io).kind == ErrorKind::TooManyOpenFiles
        {
            return ErrorKind::TooManyOpenFiles;
        }
        cause = current.source();
    }
    if caused_by::<CredentialsError, _>(error) {
        return ErrorKind::Fatal;
    }
    match error {
        SdkError::ConstructionFailure(_) => ErrorKind::Fatal,
        SdkError::DispatchFailure(_) if chain(error).contains(BAD_CERTIFICATE) => ErrorKind::Fatal,
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            ErrorKind::Transient
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => ErrorKind::Fatal,
        _ => ErrorKind::Transient,
    }
}

/// Whether an error of type `C` is among the causes.
fn caused_by<C: Error + 'static, E: Error + 'static>(error: &E) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<C>() {
            return true;
        }
        cause = current.source();
    }
    false
}

/// What to do about an error that ends the pair.
fn remedy(code: &str, store: &Description) -> Option<String> {
    let region = store.region.as_deref().unwrap_or("none");
    Some(match code {
        "NoSuchBucket" => format!("there is no such bucket: {}", store.url),
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "the access key is not known here; check the profile or the keys of this side"
                .to_owned()
        }
        "SignatureDoesNotMatch" => {
            "the secret access key does not fit the access key; check the keys of this side"
                .to_owned()
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "the credentials have expired; log in again or renew the session token".to_owned()
        }
        "RequestTimeTooSkewed" => {
            "this machine's clock differs too much from the server's; set it".to_owned()
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" => {
            format!("the bucket is in another region than `{region}`; set the region of this side")
        }
        _ => return None,
    })
}

/// S3's sentence in the house's form: no full stop, first letter small.
pub(super) fn plain(message: &str) -> String {
    let message = message.trim_end_matches('.');
    if message == "Access Denied" {
        return "access denied".to_owned();
    }
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Layers of the SDK and the HTTP client that only say that something below them failed.
const EMPTY_WORDS: [&str; 8] = [
    "dispatch failure",
    "io error",
    "other",
    "service error",
    "timeout",
    "client error (Connect)",
    "client error (SendRequest)",
    "an error occurred while loading credentials",
];

/// The causes from the outermost to the innermost, each once, without the layers that tell
/// nothing.
fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut last = String::new();
    let mut cause = Some(error);
    while let Some(current) = cause {
        let words = current.to_string();
        let words = words.split(" (os error").next().unwrap_or(&words);
        cause = current.source();
        let empty = cause.is_some() && EMPTY_WORDS.contains(&words);
        if !empty && !last.contains(words) {
            let separator = if text.is_empty() { "" } else { ": " };
            let _ = write!(text, "{separator}{}", plain(words));
            words.clone_into(&mut last);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_ask_to_wait_in_seconds_or_until_a_date() {
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        for (text, date, seconds) in [
            ("3", None, Some(3)),
            (" 120 ", date, Some(120)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", date, Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", date, Some(0)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", None, Some(0)),
            ("soon", date, None),
            ("-1", date, None),
        ] {
            let wait = wait_of(text, date).map(|wait| wait.as_secs());
            assert_eq!(wait, seconds, "{text}, {date:?}");
        }
    }
}
