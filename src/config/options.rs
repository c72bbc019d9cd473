/*! The option table: every option of s3sync, once.

What options say of each other (`excludes`, `needs`) is in `conflicts`.
*/

use std::collections::HashMap;
use std::sync::LazyLock;

use super::grants::Grant;
use super::grants::When::{OnDirectoryBucket, OnS3};
use super::option::Fits::{BothS3, SourceLocal, SourceS3, TargetS3};
use super::option::Flag::{File, Millis, Repeated, Says, SaysWith, Value};
use super::option::Kind::{
    Bool, Duration, Endpoint, Files, Globs, Header, Hooks, Location, Metadata, Name, Number, Pairs,
    Path, Program, Redirect, Regexes, Secret, SecretKey, Size, Tags, Text, Time, Variables, Word,
    Words,
};
use super::option::{Kind, OptionRow};

/// The row of a path.
pub(super) fn find(path: &str) -> Option<&'static OptionRow> {
    static BY_PATH: LazyLock<HashMap<&str, &OptionRow>> =
        LazyLock::new(|| OPTIONS.iter().map(|row| (row.path, row)).collect());
    BY_PATH.get(path).copied()
}

/// Paths that may be written shorter: `source = "URL"`, `delete = true`.
pub(super) fn unfold(path: &str) -> &str {
    match path {
        "source" => "source.url",
        "target" => "target.url",
        "delete" => "delete.enabled",
        _ => path,
    }
}

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

const ANY_SIZE: Kind = Size {
    min: 0,
    max: u64::MAX,
};
const PART_SIZE: Kind = Size {
    min: 5 * MIB,
    max: 5 * GIB,
};
const BANDWIDTH: Kind = Size {
    min: MIB,
    max: 100 * GIB,
};
const SMALL_NUMBER: Kind = Number {
    min: 1,
    max: 65_535,
};
const ANY_NUMBER: Kind = Number {
    min: 0,
    max: u64::MAX,
};
const ANY_DURATION: Kind = Duration { min_millis: 0 };
const SOME_DURATION: Kind = Duration { min_millis: 1 };
const CHECK_MODES: Kind = Word(&[
    "mtime",
    "size",
    "etag",
    "checksum",
    "mtime_and_etag",
    "mtime_and_checksum",
    "always",
]);
const STORAGE_CLASSES: Kind = Word(&[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
]);
const CANNED_ACLS: Kind = Word(&[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]);
const CHECKSUM_ALGORITHMS: Kind = Word(&[
    "SHA256",
    "SHA1",
    "CRC32",
    "CRC32C",
    "CRC64NVME",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
]);
/// Outcomes of a run or a pair that a hook may wait for.
const OUTCOMES: Kind = Words(&[
    "success",
    "warning",
    "failed",
    "guard",
    "locked",
    "timeout",
    "interrupted",
]);
const AWS: &str = "AWS configuration";
const SOURCE: &str = "Source";
const TARGET: &str = "Target";
const CHECKING: &str = "Update checking";
const VERIFICATION: &str = "Verification";
const PERFORMANCE: &str = "Performance";
const MULTIPART: &str = "Multipart";
const RETRY: &str = "Retries and timeouts";
const METADATA: &str = "Metadata and headers";
const FILTERING: &str = "Filtering";
const TAGGING: &str = "Tagging";
const ANNOTATIONS: &str = "Object annotations";
const VERSIONING: &str = "Versioning";
const ENCRYPTION: &str = "Encryption";
const DELETION: &str = "Deletion";
const LUA: &str = "Lua scripts";
const JOB: &str = "The job";
const LOGGING: &str = "Logging";
const REHEARSAL: &str = "Rehearsal and reports";
const ADVANCED: &str = "Advanced";

const fn pair(path: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow::pair(path, kind, help)
}

const fn job(path: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow::job(path, kind, help)
}

const fn hook(path: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow::hook(path, kind, help).under(JOB)
}

/// A flag that says `true`, and its opposite.
macro_rules! switch {
    ($on:literal) => {
        switch!($on, concat!("no-", $on))
    };
    ($on:literal, $off:expr) => {
        &[Says($on, "true"), Says($off, "false")]
    };
}

/// A flag that says `false`, and its opposite.
macro_rules! inverse {
    ($off:literal, $on:literal) => {
        &[Says($off, "false"), Says($on, "true")]
    };
}

/// All of them, in the order `--help` and `resolved.json` show them.
#[rustfmt::skip]
pub static OPTIONS: &[OptionRow] = &[
    // --- the pair itself
    pair("source.url", Location, "where from: a directory, one file, or s3://bucket[/prefix]")
        .grants(&[
            Grant::new(OnS3).source(&["s3:ListBucket", "s3:GetObject"]),
            Grant::new(OnDirectoryBucket).source(&["s3express:CreateSession"]),
        ]),
    pair("target.url", Location, "where to: a directory or s3://bucket[/prefix]")
        .grants(&[
            Grant::new(OnS3).target(&["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion where it keeps versions"]),
            Grant::new(OnDirectoryBucket).target(&["s3express:CreateSession"]),
        ]),
    pair("after", Pairs, "pairs that run before this one").default("[]").pair_only(),
    pair("dry_run", Bool, "decide everything and change nothing; the report is the same")
        .default("false").flags(switch!("dry-run")),
    pair("server_side_copy", Bool, "copy inside S3 (CopyObject, UploadPartCopy); both sides on S3")
        .grants(&[
            Grant::is("true").target(&["s3:GetObject on the source", "s3:GetObjectTagging on the source"]),
        ])
        .default("false").fits(BothS3).flags(switch!("server-side-copy")),

    // --- reaching S3
    pair("aws.config_file", Path, "the AWS configuration file").under(AWS).flags(&[Value("aws-config-file")]),
    pair("aws.shared_credentials_file", Path, "the AWS credentials file")
        .under(AWS).flags(&[Value("aws-shared-credentials-file")]),

    pair("source.profile", Text, "the source's profile in the AWS files")
        .under(AWS).fits(SourceS3).flags(&[Value("source-profile")]),
    pair("source.access_key", Secret, "the source's access key id")
        .under(AWS).fits(SourceS3).flags(&[Value("source-access-key"), File("source-access-key-file")]),
    pair("source.secret_access_key", Secret, "the source's secret access key")
        .under(AWS).fits(SourceS3).flags(&[Value("source-secret-access-key"), File("source-secret-access-key-file")]),
    pair("source.session_token", Secret, "the source's session token")
        .under(AWS).fits(SourceS3).flags(&[Value("source-session-token"), File("source-session-token-file")]),
    pair("target.profile", Text, "the target's profile in the AWS files")
        .under(AWS).fits(TargetS3).flags(&[Value("target-profile")]),
    pair("target.access_key", Secret, "the target's access key id")
        .under(AWS).fits(TargetS3).flags(&[Value("target-access-key"), File("target-access-key-file")]),
    pair("target.secret_access_key", Secret, "the target's secret access key")
        .under(AWS).fits(TargetS3).flags(&[Value("target-secret-access-key"), File("target-secret-access-key-file")]),
    pair("target.session_token", Secret, "the target's session token")
        .under(AWS).fits(TargetS3).flags(&[Value("target-session-token"), File("target-session-token-file")]),

    pair("source.region", Text, "the source's region; otherwise as the AWS SDK finds it")
        .under(SOURCE).fits(SourceS3).flags(&[Value("source-region")]),
    pair("source.endpoint_url", Endpoint, "the source's endpoint, where it is not AWS's")
        .under(SOURCE).fits(SourceS3).flags(&[Value("source-endpoint-url")]),
    pair("source.force_path_style", Bool, "address the source as endpoint/bucket")
        .default("false").under(SOURCE).fits(SourceS3).flags(switch!("source-force-path-style")),
    pair("target.region", Text, "the target's region; otherwise as the AWS SDK finds it")
        .under(TARGET).fits(TargetS3).flags(&[Value("target-region")]),
    pair("target.endpoint_url", Endpoint, "the target's endpoint, where it is not AWS's")
        .under(TARGET).fits(TargetS3).flags(&[Value("target-endpoint-url")]),
    pair("target.force_path_style", Bool, "address the target as endpoint/bucket")
        .default("false").under(TARGET).fits(TargetS3).flags(switch!("target-force-path-style")),

    pair("source.no_sign_request", Bool, "send anonymous requests to the source, for public buckets")
        .default("false").under(AWS).fits(SourceS3).flags(switch!("source-no-sign-request", "source-sign-request")),
    pair("source.accelerate", Bool, "reach the source through S3 Transfer Acceleration")
        .default("false").under(SOURCE).fits(SourceS3).flags(switch!("source-accelerate")),
    pair("target.accelerate", Bool, "reach the target through S3 Transfer Acceleration")
        .default("false").under(TARGET).fits(TargetS3).flags(switch!("target-accelerate")),
    pair("source.request_payer", Bool, "pay for the requests to the source")
        .default("false").under(SOURCE).fits(SourceS3).flags(switch!("source-request-payer")),
    pair("target.request_payer", Bool, "pay for the requests to the target")
        .default("false").under(TARGET).fits(TargetS3).flags(switch!("target-request-payer")),
    pair("target.storage_class", STORAGE_CLASSES, "the storage class of what is written; unset: from S3 to S3 the source's")
        .under(TARGET).fits(TargetS3).flags(&[Value("storage-class")]),
    pair("target.acl", CANNED_ACLS, "the canned ACL of what is written")
        .grants(&[
            Grant::set().target(&["s3:PutObjectAcl"]),
        ])
        .under(TARGET).fits(TargetS3).flags(&[Value("acl")]),
    pair("target.sse", Word(&["AES256", "aws:kms", "aws:kms:dsse"]), "server-side encryption of what is written")
        .grants(&[
            Grant::is("aws:kms").target(&["kms:GenerateDataKey", "kms:Decrypt"]),
            Grant::is("aws:kms:dsse").target(&["kms:GenerateDataKey", "kms:Decrypt"]),
        ])
        .under(ENCRYPTION).fits(TargetS3).flags(&[Value("sse")]),
    pair("target.sse_kms_key_id", Text, "the KMS key it is encrypted with")
        .under(ENCRYPTION).fits(TargetS3).flags(&[Value("sse-kms-key-id")]),
    pair("source.sse_c", Word(&["AES256"]), "the source is encrypted with a key of yours (SSE-C)")
        .under(ENCRYPTION).fits(SourceS3).flags(&[Value("source-sse-c")]),
    pair("source.sse_c_key", SecretKey, "the source's SSE-C key, 256 bits in base64")
        .under(ENCRYPTION).fits(SourceS3).flags(&[Value("source-sse-c-key"), File("source-sse-c-key-file")]),
    pair("source.sse_c_key_md5", Text, "the MD5 of the source's SSE-C key, in base64; computed when not given")
        .under(ENCRYPTION).fits(SourceS3).flags(&[Value("source-sse-c-key-md5")]),
    pair("target.sse_c", Word(&["AES256"]), "encrypt what is written with a key of yours (SSE-C)")
        .under(ENCRYPTION).fits(TargetS3).flags(&[Value("target-sse-c")]),
    pair("target.sse_c_key", SecretKey, "the target's SSE-C key, 256 bits in base64")
        .under(ENCRYPTION).fits(TargetS3).flags(&[Value("target-sse-c-key"), File("target-sse-c-key-file")]),
    pair("target.sse_c_key_md5", Text, "the MD5 of the target's SSE-C key, in base64; computed when not given")
        .under(ENCRYPTION).fits(TargetS3).flags(&[Value("target-sse-c-key-md5")]),

    // --- what is looked at
    pair("filter.mtime_before", Time, "only what was modified before this time")
        .under(FILTERING).flags(&[Value("filter-mtime-before")]),
    pair("filter.mtime_after", Time, "only what was modified at this time or later")
        .under(FILTERING).flags(&[Value("filter-mtime-after")]),
    pair("filter.smaller_size", ANY_SIZE, "only what is smaller than this")
        .under(FILTERING).flags(&[Value("filter-smaller-size")]),
    pair("filter.larger_size", ANY_SIZE, "only what is this large or larger")
        .under(FILTERING).flags(&[Value("filter-larger-size")]),
    pair("filter.include", Globs, "only keys that match one of these globs: `*` and `?` stop at a slash, `**` does not, `{a,b}` is either; a glob is on the whole key below the prefix (`**/*.jpg`, `photos/**`)")
        .default("[]").under(FILTERING).flags(&[Value("filter-include")]),
    pair("filter.exclude", Globs, "no keys that match one of these globs (`**/node_modules/**`); a directory of which one matches everything is not looked into")
        .default("[]").under(FILTERING).flags(&[Value("filter-exclude")]),
    pair("filter.keys_from", Path, "exactly the keys of this file, in place of a listing: one a line or NUL-separated, relative to the source, or a CSV of S3 Inventory or S3 Batch; which it is is found out")
        .under(FILTERING).flags(&[Value("filter-keys-from")]),
    pair("filter.include_regex", Regexes, "only keys (below the prefix) that match one of these")
        .default("[]").under(FILTERING).flags(&[Value("filter-include-regex")]),
    pair("filter.exclude_regex", Regexes, "no keys (below the prefix) that match one of these")
        .default("[]").under(FILTERING).flags(&[Value("filter-exclude-regex")]),
    pair("filter.include_content_type_regex", Regexes, "only what has a Content-Type that matches one of these")
        .default("[]").under(FILTERING).flags(&[Value("filter-include-content-type-regex")]),
    pair("filter.exclude_content_type_regex", Regexes, "nothing that has a Content-Type that matches one of these")
        .default("[]").under(FILTERING).flags(&[Value("filter-exclude-content-type-regex")]),
    pair("filter.include_metadata_regex", Regexes, "only what has user-defined metadata (k1=v1,k2=v2, sorted) that match one of these")
        .default("[]").under(FILTERING).fits(SourceS3).flags(&[Value("filter-include-metadata-regex")]),
    pair("filter.exclude_metadata_regex", Regexes, "nothing that has user-defined metadata (k1=v1,k2=v2, sorted) that match one of these")
        .default("[]").under(FILTERING).fits(SourceS3).flags(&[Value("filter-exclude-metadata-regex")]),
    pair("filter.include_tag_regex", Regexes, "only what has tags (k1=v1&k2=v2, sorted) that match one of these")
        .grants(&[
            Grant::set().source(&["s3:GetObjectTagging", "s3:GetObjectVersionTagging where it keeps versions"]),
        ])
        .default("[]").under(FILTERING).fits(SourceS3).flags(&[Value("filter-include-tag-regex")]),
    pair("filter.exclude_tag_regex", Regexes, "nothing that has tags (k1=v1&k2=v2, sorted) that match one of these")
        .grants(&[
            Grant::set().source(&["s3:GetObjectTagging", "s3:GetObjectVersionTagging where it keeps versions"]),
        ])
        .default("[]").under(FILTERING).fits(SourceS3).flags(&[Value("filter-exclude-tag-regex")]),

    // --- what counts as changed
    pair("check.mode", CHECK_MODES, "how changes are found; mtime: missing, or the size differs, or the source is newer")
        .default("mtime").under(CHECKING).flags(&[
            Says("check-size", "size"),
            Says("check-etag", "etag"),
            SaysWith("check-additional-checksum", "checksum", "check.checksum_algorithm"),
            Says("check-mtime-and-etag", "mtime_and_etag"),
            SaysWith("check-mtime-and-additional-checksum", "mtime_and_checksum", "check.checksum_algorithm"),
            Says("remove-modified-filter", "always"),
        ])
        .meanings(&[
            ("size", "transfer what has another size, whatever its time"),
            ("etag", "transfer what has another ETag; local files are read"),
            ("checksum", "transfer what has another checksum; local files are read"),
            ("mtime_and_etag", "as --check-etag, but look only at what is newer or has another size"),
            ("mtime_and_checksum", "as --check-additional-checksum, but look only at what is newer or has another size"),
            ("always", "transfer everything, changed or not"),
        ]),
    pair("check.on_unverifiable", Word(&["skip", "transfer", "fail"]), "what becomes of an object of equal size whose content cannot be compared: skip, transfer or fail")
        .default("skip").under(CHECKING),
    pair("check.checksum_algorithm", CHECKSUM_ALGORITHMS, "the checksum that the two checksum modes compare")
        .under(CHECKING),
    pair("check.head_each_target", Bool, "ask the target for each object (HEAD) instead of listing it")
        .default("false").under(CHECKING).flags(switch!("head-each-target")),
    pair("check.metadata", Bool, "compare metadata too, when only comparing")
        .default("false").under(CHECKING).fits(BothS3).flags(switch!("report-metadata-sync-status")),
    pair("check.tagging", Bool, "compare tags too, when only comparing")
        .grants(&[
            Grant::is("true").source(&["s3:GetObjectTagging"]).target(&["s3:GetObjectTagging"]),
        ])
        .default("false").under(CHECKING).fits(BothS3).flags(switch!("report-tagging-sync-status")),
    pair("check.annotations", Bool, "compare annotations too, when only comparing")
        .grants(&[
            Grant::is("true").source(&["s3:ListObjectAnnotations"]).target(&["s3:ListObjectAnnotations"]),
        ])
        .default("false").under(CHECKING).fits(BothS3).flags(switch!("report-annotations-sync-status")),

    // --- proof
    pair("checksum.algorithm", CHECKSUM_ALGORITHMS, "the additional checksum of uploads")
        .under(VERIFICATION).fits(TargetS3).flags(&[Value("additional-checksum-algorithm")]),
    pair("checksum.full_object", Bool, "checksums of whole objects for multipart uploads (CRCs only; CRC64NVME always is)")
        .default("false").under(VERIFICATION).fits(TargetS3).flags(switch!("full-object-checksum")),
    pair("checksum.download", Bool, "ask for stored additional checksums and verify them when downloading")
        .default("false").under(VERIFICATION).fits(SourceS3).flags(switch!("enable-additional-checksum")),
    pair("checksum.express_one_zone_default", Bool, "prove by a checksum what has no MD5 for an ETag (KMS, DSSE, SSE-C, directory buckets): uploads send CRC64NVME, downloads verify what S3 stores")
        .default("true").under(VERIFICATION).flags(inverse!("disable-express-one-zone-additional-checksum", "express-one-zone-additional-checksum")),
    pair("verify.unverifiable", Word(&["warn", "accept", "fail"]), "what becomes of an object that cannot be proved: warn, accept or fail")
        .default("warn").under(VERIFICATION),
    pair("verify.etag", Bool, "compare ETags")
        .default("true").under(VERIFICATION).flags(inverse!("disable-etag-verify", "etag-verify")),
    pair("verify.multipart", Bool, "compare ETags of multipart objects")
        .default("true").under(VERIFICATION).flags(inverse!("disable-multipart-verify", "multipart-verify")),
    pair("verify.checksum", Bool, "compare additional checksums")
        .default("true").under(VERIFICATION).flags(inverse!("disable-additional-checksum-verify", "additional-checksum-verify")),

    // --- how much at once
    pair("performance.worker_size", SMALL_NUMBER, "objects in flight")
        .default("16").under(PERFORMANCE).flags(&[Value("worker-size")]),
    pair("performance.max_parallel_uploads", SMALL_NUMBER, "parts in flight")
        .default("16").under(PERFORMANCE).flags(&[Value("max-parallel-uploads")]),
    pair("performance.max_parallel_listings", SMALL_NUMBER, "listing requests in flight")
        .default("16").under(PERFORMANCE).flags(&[Value("max-parallel-listings")]),
    pair("performance.max_parallel_listing_max_depth", SMALL_NUMBER, "levels of `/` at which a listing may be split")
        .default("2").under(PERFORMANCE).flags(&[Value("max-parallel-listing-max-depth")]),
    pair("performance.object_listing_queue_size", Number { min: 1, max: 4_294_967_295 }, "entries listed ahead, at most")
        .default("200000").under(PERFORMANCE).flags(&[Value("object-listing-queue-size")]),
    pair("performance.max_keys", Number { min: 1, max: 32_767 }, "keys in a page of a listing; above 1000 counts as 1000")
        .default("1000").under(PERFORMANCE).flags(&[Value("max-keys")]),
    pair("performance.allow_parallel_listings_in_express_one_zone", Bool, "split listings of directory buckets too")
        .default("false").under(PERFORMANCE).flags(switch!("allow-parallel-listings-in-express-one-zone")),
    pair("performance.rate_limit_objects", Number { min: 10, max: 4_294_967_295 }, "objects written, copied or deleted per second, at most")
        .under(PERFORMANCE).flags(&[Value("rate-limit-objects")]),
    pair("performance.rate_limit_bandwidth", BANDWIDTH, "bytes of content per second over the network, at most")
        .under(PERFORMANCE).flags(&[Value("rate-limit-bandwidth")]),
    job("limits.memory", Size { min: 16 * MIB, max: u64::MAX }, "bytes of content the process holds at once")
        .default("192MiB").under(PERFORMANCE).flags(&[Value("memory-limit")]),
    job("limits.workers", SMALL_NUMBER, "objects in flight in the whole process")
        .under(PERFORMANCE),
    job("limits.bandwidth", BANDWIDTH, "bytes of content per second over the network, of the whole process").under(PERFORMANCE),
    job("limits.objects", Number { min: 1, max: u64::MAX }, "objects written, copied or deleted per second by the whole process")
        .under(PERFORMANCE),

    pair("multipart.threshold", PART_SIZE, "objects of this size and above go in parts")
        .default("8MiB").under(MULTIPART).flags(&[Value("multipart-threshold")]),
    pair("multipart.chunksize", PART_SIZE, "size of a part; grows by itself past 10,000 parts")
        .default("8MiB").under(MULTIPART).flags(&[Value("multipart-chunksize")]),
    pair("multipart.auto_chunksize", Bool, "find the part layout of the other side with requests, one for each part")
        .grants(&[
            Grant::is("true").source(&["s3:GetObjectAttributes"]).target(&["s3:GetObjectAttributes"]),
        ])
        .default("false").under(MULTIPART).flags(switch!("auto-chunksize")),
    pair("multipart.resume", Bool, "go on with the confirmed parts of an interrupted upload")
        .grants(&[
            Grant::is("true").target(&["s3:ListMultipartUploadParts"]),
        ])
        .default("true").under(MULTIPART),

    // --- when things go wrong
    pair("retry.aws_max_attempts", Number { min: 1, max: 4_294_967_295 }, "attempts of an S3 operation, the first included")
        .default("10").under(RETRY).flags(&[Value("aws-max-attempts")]),
    pair("retry.initial_backoff", ANY_DURATION, "the first pause at most; it doubles from there")
        .default("100ms").under(RETRY).flags(&[Millis("initial-backoff-milliseconds")]),
    pair("retry.force_retry_count", Number { min: 0, max: 4_294_967_295 }, "how often a damaged or changed object is begun again")
        .default("5").under(RETRY).flags(&[Value("force-retry-count")]),
    pair("retry.force_retry_interval", ANY_DURATION, "the pause before it is begun again")
        .default("1s").under(RETRY).flags(&[Millis("force-retry-interval-milliseconds")]),
    pair("timeout.operation", ANY_DURATION, "how long an operation may take, its retries included, 0 for no limit")
        .under(RETRY).flags(&[Millis("operation-timeout-milliseconds")]),
    pair("timeout.operation_attempt", ANY_DURATION, "how long one attempt of an operation may take, 0 for no limit")
        .under(RETRY).flags(&[Millis("operation-attempt-timeout-milliseconds")]),
    pair("timeout.connect", ANY_DURATION, "how long connecting may take, 0 for no limit")
        .default("5s").under(RETRY).flags(&[Millis("connect-timeout-milliseconds")]),
    pair("timeout.read", ANY_DURATION, "how long the socket may be silent, 0 for no limit; copies inside S3 and the completion of uploads get 15 minutes")
        .default("60s").under(RETRY).flags(&[Millis("read-timeout-milliseconds")]),

    // --- what is written beside the bytes
    pair("metadata.guess_mime_type", Bool, "guess the Content-Type of local files by their extension")
        .default("true").under(METADATA).fits(SourceLocal).flags(inverse!("no-guess-mime-type", "guess-mime-type")),
    pair("metadata.cache_control", Header, "Cache-Control of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("cache-control")]),
    pair("metadata.content_disposition", Header, "Content-Disposition of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("content-disposition")]),
    pair("metadata.content_encoding", Header, "Content-Encoding of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("content-encoding")]),
    pair("metadata.content_language", Header, "Content-Language of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("content-language")]),
    pair("metadata.content_type", Header, "Content-Type of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("content-type")]),
    pair("metadata.expires", Time, "Expires of what is written")
        .under(METADATA).fits(TargetS3).flags(&[Value("expires")]),
    pair("metadata.website_redirect", Redirect, "where a website redirects what is written to (x-amz-website-redirect-location)")
        .under(METADATA).fits(TargetS3).flags(&[Value("website-redirect")]),
    pair("metadata.user", Metadata, "user-defined metadata of what is written, in place of the source's")
        .default("{}").under(METADATA).fits(TargetS3).flags(&[Value("metadata")]),
    pair("metadata.sync_system", Bool, "copy system metadata (Content-Type, Cache-Control and the like) from S3 to S3")
        .default("true").under(METADATA).fits(BothS3).flags(inverse!("no-sync-system-metadata", "sync-system-metadata")),
    pair("metadata.sync_user_defined", Bool, "copy user-defined metadata from S3 to S3")
        .default("true").under(METADATA).fits(BothS3).flags(inverse!("no-sync-user-defined-metadata", "sync-user-defined-metadata")),
    pair("metadata.put_last_modified", Bool, "keep the source's time as metadata s3sync_origin_last_modified")
        .default("false").under(METADATA).fits(TargetS3).flags(switch!("put-last-modified-metadata")),
    pair("tagging.set", Tags, "tags of what is written, in place of the source's")
        .grants(&[
            Grant::set().target(&["s3:PutObjectTagging"]),
        ])
        .default("{}").under(TAGGING).fits(TargetS3).flags(&[Value("tagging")]),
    pair("tagging.copy", Bool, "copy tags from S3 to S3")
        .grants(&[
            Grant::is("true").source(&["s3:GetObjectTagging", "s3:GetObjectVersionTagging where it keeps versions"]).target(&["s3:PutObjectTagging"]),
        ])
        .default("true").under(TAGGING).flags(inverse!("disable-tagging", "tagging-copy")),
    pair("tagging.on_denied", Word(&["fail", "skip"]), "what becomes of an object whose tags may not be read: fail, or skip the tags")
        .default("fail").under(TAGGING).fits(BothS3),
    pair("tagging.sync_latest", Bool, "bring the tags of unchanged objects up to date too")
        .grants(&[
            Grant::is("true").source(&["s3:GetObjectTagging"]).target(&["s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectTagging"]),
        ])
        .default("false").under(TAGGING).fits(BothS3).flags(switch!("sync-latest-tagging")),
    pair("annotations.sync", Bool, "copy object annotations from S3 to S3")
        .grants(&[
            Grant::is("true").source(&["s3:ListObjectAnnotations", "s3:GetObjectAnnotation"]).target(&["s3:ListObjectAnnotations", "s3:PutObjectAnnotation", "s3:DeleteObjectAnnotation"]),
        ])
        .default("false").under(ANNOTATIONS).fits(BothS3).flags(switch!("enable-sync-object-annotations")),
    pair("annotations.check_etag", Bool, "compare annotations by their ETags")
        .default("true").under(ANNOTATIONS).flags(inverse!("disable-check-annotation-etag", "check-annotation-etag")),
    pair("annotations.sync_latest", Bool, "bring the annotations of unchanged objects up to date too")
        .grants(&[
            Grant::is("true").source(&["s3:ListObjectAnnotations", "s3:GetObjectAnnotation"]).target(&["s3:ListObjectAnnotations", "s3:PutObjectAnnotation", "s3:DeleteObjectAnnotation"]),
        ])
        .default("false").under(ANNOTATIONS).fits(BothS3).flags(switch!("sync-latest-object-annotations")),
    pair("versioning.enabled", Bool, "copy every version, oldest first")
        .grants(&[
            Grant::is("true").source(&["s3:GetBucketVersioning", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"]).target(&["s3:GetBucketVersioning", "s3:ListBucketVersions", "s3:GetObjectVersion"]),
        ])
        .default("false").under(VERSIONING).fits(BothS3).flags(switch!("enable-versioning")),
    pair("versioning.point_in_time", Time, "the source as it was at this time")
        .grants(&[
            Grant::set().source(&["s3:GetBucketVersioning", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetObjectVersionTagging"]),
        ])
        .under(VERSIONING).fits(SourceS3).flags(&[Value("point-in-time")]),

    // --- deletion
    pair("delete.enabled", Bool, "delete what the target has and the source has not")
        .default("false").under(DELETION).flags(switch!("delete")),
    pair("delete.excluded", Bool, "delete what filters reject, too")
        .default("false").under(DELETION).flags(switch!("delete-excluded")),
    pair("delete.max_objects", ANY_NUMBER, "with more candidates than this, delete none")
        .under(DELETION).flags(&[Value("max-delete")]),
    pair("delete.max_percent", Number { min: 0, max: 100 }, "with more candidates than this share of the target (from 20 objects up), in percent, delete none")
        .default("50").under(DELETION),
    pair("delete.min_source_objects", ANY_NUMBER, "with fewer objects in the source than this, delete none")
        .default("1").under(DELETION),
    pair("delete.require_source_marker", Text, "without this key in the source, delete none")
        .under(DELETION),
    pair("delete.on_errors", Word(&["withhold", "proceed"]), "after a failed object: withhold all deletions, or proceed")
        .default("withhold").under(DELETION),
    pair("delete.bare_prefix", Bool, "delete below a prefix that does not end in `/`, where s3://b/photos means photos-old too")
        .default("false").under(DELETION).fits(TargetS3),

    pair("conditional.if_match", Bool, "write only over the object that was listed (If-Match)")
        .default("false").under(ADVANCED).fits(TargetS3).flags(switch!("if-match")),
    pair("conditional.if_none_match", Bool, "write only where nothing is (If-None-Match: *)")
        .default("false").under(ADVANCED).fits(TargetS3).flags(switch!("if-none-match")),
    pair("conditional.copy_source_if_match", Bool, "copy only the object that was listed (x-amz-copy-source-if-match)")
        .default("false").under(ADVANCED).fits(BothS3).flags(switch!("copy-source-if-match")),

    // --- finer points
    pair("local.ignore_symlinks", Bool, "leave symbolic links out instead of following them")
        .default("false").under(ADVANCED).fits(SourceLocal).flags(switch!("ignore-symlinks")),
    pair("warnings.as_error", Bool, "count warnings as errors")
        .default("false").under(ADVANCED).flags(switch!("warn-as-error")),
    pair("warnings.ignore_glacier", Bool, "do not warn of archived objects")
        .default("false").under(ADVANCED).flags(switch!("ignore-glacier-warnings")),
    pair("protocol.stalled_stream_protection", Bool, "cut connections over which nothing of a body moves for timeout.read")
        .default("true").under(ADVANCED).flags(inverse!("disable-stalled-stream-protection", "stalled-stream-protection")),
    pair("protocol.payload_signing", Word(&["auto", "always", "never"]), "sign the payload too: auto (over plain http only), always or never")
        .default("auto").under(ADVANCED).fits(TargetS3).flags(&[Says("disable-payload-signing", "never"), Says("payload-signing", "always")]),
    pair("protocol.content_md5_header", Bool, "send Content-MD5 with every upload request")
        .default("true").under(ADVANCED).fits(TargetS3).flags(&[Says("disable-content-md5-header", "false"), Says("content-md5-header", "true")]),
    pair("lua.filter_script", Path, "a script that decides what goes: `filter(object)`")
        .under(LUA).flags(&[Value("filter-callback-lua-script")]),
    pair("lua.preprocess_script", Path, "a script that changes what an object carries, or leaves it out: `preprocess_callback(source, upload)`")
        .under(LUA).fits(TargetS3).flags(&[Value("preprocess-callback-lua-script")]),
    pair("lua.event_script", Path, "a script that hears what happens: `on_event(event)`; `s3sync lua check FILE` tries any of them")
        .under(LUA).flags(&[Value("event-callback-lua-script")]),
    pair("lua.allow_os_library", Bool, "let scripts use Lua's os and io libraries")
        .default("false").under(LUA).flags(switch!("allow-lua-os-library")),
    pair("lua.allow_unsafe_vm", Bool, "let scripts load C modules")
        .default("false").under(LUA).flags(switch!("allow-lua-unsafe-vm")),
    pair("lua.vms", Number { min: 1, max: 64 }, "virtual machines for each kind of script")
        .default("1").under(LUA),
    pair("lua.on_error", Word(&["fail_pair", "fail_object"]), "what a failing filter or preprocess script fails: fail_pair or fail_object")
        .default("fail_pair").under(LUA),
    pair("lua.vm_memory_limit", Size { min: 0, max: 5 * GIB }, "memory of each script, 0 for no limit")
        .default("64MiB").under(LUA).flags(&[Value("lua-vm-memory-limit")]),
    pair("lua.callback_timeout", ANY_DURATION, "how long a call of a script may take, 0 for no limit")
        .default("10s").under(LUA).flags(&[Millis("lua-callback-timeout-milliseconds")]),

    // --- the whole job
    job("version", Number { min: 1, max: 1 }, "the version of the job file's format")
        .default("1").file_only().under(JOB),
    job("job.name", Name, "the job's name; otherwise the file's stem").under(JOB),
    job("job.max_parallel_pairs", SMALL_NUMBER, "pairs that run side by side")
        .default("1").under(JOB),
    job("job.on_pair_failure", Word(&["continue", "stop"]), "after a failed pair: continue with the others, or stop")
        .default("continue").under(JOB),
    job("job.timeout", SOME_DURATION, "how long the job may take; then it is stopped in order").under(JOB),
    job("job.shutdown_grace", ANY_DURATION, "how long objects in flight may take after a signal")
        .default("20s").under(JOB),
    job("sandbox.dir", Path, "rehearse on an embedded S3 that keeps its buckets here")
        .under(REHEARSAL).flags(&[Value("sandbox")]),
    job("report.dir", Path, "where runs leave their reports").under(REHEARSAL),
    job("report.level", Word(&["acts", "errors_only", "all"]), "how much evidence is written")
        .default("acts").under(REHEARSAL),
    job("report.keep", SOME_DURATION, "how long after their start the reports of runs are kept; for good when not said").under(REHEARSAL),
    job("lock.on_conflict", Word(&["fail", "wait", "skip"]), "when the job runs already: fail, wait, or skip this run")
        .default("fail").under(JOB),
    job("lock.wait", ANY_DURATION, "how long to wait for the other run, 0 for as long as it takes")
        .default("0s").under(JOB),
    job("include", Files, "job files to read first; this one wins over them")
        .default("[]").file_only().under(JOB),
    job("vars", Variables, "texts that ${vars.NAME} stands for").default("{}").under(JOB),
    job("hooks", Hooks, "programs to run before and after").file_only().under(JOB),
    hook("hooks.at", Word(&["before", "after"]), "when"),
    hook("hooks.scope", Word(&["job", "pair"]), "around the whole job, or each pair").default("job"),
    hook("hooks.on", OUTCOMES, "after only: which outcomes; every one when not said"),
    hook("hooks.run", Program, "the program and its arguments, no shell"),
    hook("hooks.timeout", SOME_DURATION, "how long it may take").default("1m"),
    hook("hooks.on_error", Word(&["fail", "warn", "ignore"]), "when it fails: fail the job, warn, or ignore it")
        .default("warn"),

    job("log.level", Word(&["off", "error", "warn", "info", "debug", "trace"]), "how much is logged")
        .default("warn").under(LOGGING).flags(&[Repeated("verbose", 'v', &["info", "debug", "trace"]), Repeated("quiet", 'q', &["error", "off"])]),
    job("log.format", Word(&["text", "json"]), "log text, or JSON records")
        .default("text").under(LOGGING).flags(&[Says("json-tracing", "json"), Says("no-json-tracing", "text")]),
    job("log.color", Bool, "use colour on a terminal")
        .default("true").under(LOGGING).flags(inverse!("disable-color-tracing", "color-tracing")),
    job("log.stderr", Bool, "log to stderr in the plain form too")
        .default("false").under(LOGGING).flags(switch!("tracing-stderr")),
    job("log.progress", Bool, "show progress and the final line")
        .default("true").under(LOGGING).flags(inverse!("show-no-progress", "show-progress")),
    job("log.aws_sdk", Bool, "log what the AWS SDK does")
        .default("false").under(LOGGING).flags(switch!("aws-sdk-tracing")),
    job("log.span_events", Bool, "log when spans begin and end")
        .default("false").under(LOGGING).flags(switch!("span-events-tracing")),
];
