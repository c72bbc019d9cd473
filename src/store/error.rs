//! What may go wrong in a store, sorted by what may be done about it.

use std::fmt;
use std::time::Duration;

/// A failed operation: which, on what, why, and whether it may be tried again.
#[derive(Debug, Clone)]
pub struct StoreError {
    /// What was tried: an S3 operation's name (`PutObject`) or a verb (`open`).
    pub operation: &'static str,
    /// On what: a key or a path; empty where the operation has no object.
    pub subject: String,
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// S3's error code (`NoSuchBucket`) or the system's (`ENOSPC`), where there is one.
    pub code: Option<String>,
    /// The cause in words.
    pub message: String,
    /// S3's request id.
    pub request_id: Option<String>,
    /// How long the server asked to wait (Retry-After).
    pub retry_after: Option<Duration>,
}

/// Kinds of failure, by what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The network, the server, throttling, a broken or damaged body: try again.
    Transient,
    /// The object is not there (any more).
    NotFound,
    /// The object is not what was listed (If-Match failed, the file changed).
    Changed,
    /// This object may not be read or written.
    AccessDenied,
    /// A condition the user asked for did not hold.
    PreconditionFailed,
    /// The object is archived and not restored.
    Archived,
    /// The bytes that arrived at the store are not those sent (BadDigest): try again.
    Corrupted,
    /// Something else is where the file should be: a directory, or a file in place of one.
    Occupied,
    /// The key cannot be written to this kind of store.
    UnsafeKey,
    /// Nothing will work: credentials, no such bucket, region, endpoint. Ends the pair.
    Fatal,
    /// The disk or the quota is full. Ends the pair.
    NoSpace,
    /// Too many open files.
    TooManyOpenFiles,
    /// The store cannot do this.
    Unsupported,
    /// Stopped on request.
    Cancelled,
    /// Anything else; not worth trying again.
    Other,
}

/// What an archived object is told with.
pub const NOT_RESTORED: &str =
    "it is archived and not restored; once it is (RestoreObject), a run transfers it";

/// The code of a listing that is not in order.
const OUT_OF_ORDER: &str = "OutOfOrder";

impl ErrorKind {
    /// Whether the same request may work later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Transient | Self::Corrupted)
    }

    /// Whether nothing else of the pair would work either.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::Fatal | Self::NoSpace | Self::TooManyOpenFiles)
    }
}

/// Whether an error code means "too many requests".
pub fn asks_for_fewer(code: &str) -> bool {
    matches!(
        code,
        "SlowDown"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "ServiceUnavailable"
            | "HTTP 503"
            | "HTTP 429"
    ) || code.contains("Throttl")
        || code.contains("TooManyRequests")
}

impl StoreError {
    /// An error with the least there is to say.
    pub fn new(
        operation: &'static str,
        subject: impl Into<String>,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            subject: subject.into(),
            kind,
            code: None,
            message: message.into(),
            request_id: None,
            retry_after: None,
        }
    }

    /// Whether S3 met another writer of the key and did nothing. A write at once may be tried
    /// again; an upload in parts has to begin again.
    pub fn is_conflict(&self) -> bool {
        self.code.as_deref() == Some("ConditionalRequestConflict")
    }

    /// A listing whose keys do not come in the order they have to: keys may be missing from what
    /// was made of it. It ends the pair, unless both sides can be listed once more and sorted.
    pub fn out_of_order(
        operation: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: Some(OUT_OF_ORDER.to_owned()),
            ..Self::new(operation, subject, ErrorKind::Fatal, message)
        }
    }

    /// Whether it is a listing that is not in order.
    pub fn is_out_of_order(&self) -> bool {
        self.kind == ErrorKind::Fatal && self.code.as_deref() == Some(OUT_OF_ORDER)
    }

    /// The store has no such operation.
    pub fn unsupported(operation: &'static str, message: &str) -> Self {
        Self::new(operation, "", ErrorKind::Unsupported, message)
    }

    /// From a file operation, sorted by the system's error number.
    pub fn io(operation: &'static str, subject: impl Into<String>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let number = error.raw_os_error();
        let named = |errno: rustix::io::Errno| number == Some(errno.raw_os_error());
        let (kind, message) = if named(rustix::io::Errno::MFILE) || named(rustix::io::Errno::NFILE)
        {
            (
                ErrorKind::TooManyOpenFiles,
                "too many open files; raise the limit (`ulimit -n`, LimitNOFILE=) or lower performance.worker_size".to_owned(),
            )
        } else {
            let kind = match error.kind() {
                Io::NotFound => ErrorKind::NotFound,
                Io::PermissionDenied => ErrorKind::AccessDenied,
                // nothing else could be written either
                Io::ReadOnlyFilesystem => ErrorKind::Fatal,
                Io::StorageFull | Io::QuotaExceeded => ErrorKind::NoSpace,
                Io::IsADirectory | Io::NotADirectory | Io::DirectoryNotEmpty => ErrorKind::Occupied,
                Io::Interrupted | Io::TimedOut => ErrorKind::Transient,
                _ => ErrorKind::Other,
            };
            let text = error.to_string();
            (
                kind,
                text.split(" (os error")
                    .next()
                    .unwrap_or(&text)
                    .to_lowercase(),
            )
        };
        let code = number.map(|n| format!("errno {n}"));
        Self {
            code,
            ..Self::new(operation, subject, kind, message)
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if !self.subject.is_empty() {
            write!(f, " `{}`", self.subject)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(code) = self
            .code
            .as_deref()
            .filter(|code| !code.starts_with("errno"))
        {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}
