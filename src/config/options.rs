/*! The option table: every option of s3sync, once.

A row that ends in `.not_yet()` is known by name only: said with any value but its default it is
refused as not supported yet, never as unknown and never in silence.
*/

use super::option::Fits::{BothS3, SourceLocal, SourceS3, TargetS3};
use super::option::Flag::{File, Millis, Repeated, Says, SaysWith, Value};
use super::option::Kind::{
    Bool, Duration, Endpoint, List, Location, Name, Number, Pairs, Path, Secret, Size, Table, Text,
    Word,
};
use super::option::{Kind, OptionRow};

/// The row of a path.
pub(super) fn find(path: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.path == path)
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
const ALGORITHM: Kind = Word {
    now: &["CRC64NVME", "SHA256"],
    later: &[
        "SHA1",
        "CRC32",
        "CRC32C",
        "SHA512",
        "MD5",
        "XXHASH64",
        "XXHASH3",
        "XXHASH128",
    ],
};
const UNBUILT_WORD: Kind = Text;
const REGEXES: Kind = List;
const TIME: Kind = Text;

const AWS: &str = "AWS configuration";
const SOURCE: &str = "Source";
const TARGET: &str = "Target";
const CHECKING: &str = "Update checking";
const VERIFICATION: &str = "Verification";
const PERFORMANCE: &str = "Performance";
const MULTIPART: &str = "Multipart";
const RETRY: &str = "Retries and timeouts";
const METADATA: &str = "Metadata and headers";
const LOGGING: &str = "Logging";
const REHEARSAL: &str = "Rehearsal and reports";
const ADVANCED: &str = "Advanced";

const fn pair(path: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow::pair(path, kind, help)
}

const fn job(path: &'static str, kind: Kind, help: &'static str) -> OptionRow {
    OptionRow::job(path, kind, help)
}

/// A pair's option that is not built yet.
const fn later(path: &'static str, kind: Kind, flags: &'static [super::option::Flag]) -> OptionRow {
    OptionRow::pair(path, kind, "not supported yet")
        .flags(flags)
        .not_yet()
}

/// A job's option that is not built yet.
const fn later_job(path: &'static str, kind: Kind) -> OptionRow {
    OptionRow::job(path, kind, "not supported yet").not_yet()
}

/// All of them, in the order `--help` and `resolved.json` show them.
#[rustfmt::skip]
pub static OPTIONS: &[OptionRow] = &[
    // --- the pair itself
    pair("source.url", Location, "where from: a directory, one file, or s3://bucket[/prefix]"),
    pair("target.url", Location, "where to: a directory or s3://bucket[/prefix]"),
    pair("after", Pairs, "pairs that run before this one").pair_only().default("[]"),
    pair("dry_run", Bool, "decide everything and change nothing; the report is the same")
        .default("false").flags(&[Says("dry-run", "true"), Says("no-dry-run", "false")]),
    pair("server_side_copy", Bool, "copy inside S3 (CopyObject, UploadPartCopy); both sides on S3")
        .default("false").fits(BothS3).flags(&[Says("server-side-copy", "true"), Says("no-server-side-copy", "false")]),

    // --- reaching S3
    pair("aws.config_file", Path, "the AWS configuration file").under(AWS).flags(&[Value("aws-config-file")]),
    pair("aws.shared_credentials_file", Path, "the AWS credentials file").under(AWS).flags(&[Value("aws-shared-credentials-file")]),

    pair("source.profile", Text, "the source's profile in the AWS files").under(AWS).fits(SourceS3).flags(&[Value("source-profile")]),
    pair("source.access_key", Secret, "the source's access key id").under(AWS).fits(SourceS3)
        .flags(&[Value("source-access-key"), File("source-access-key-file")]),
    pair("source.secret_access_key", Secret, "the source's secret access key").under(AWS).fits(SourceS3)
        .flags(&[Value("source-secret-access-key"), File("source-secret-access-key-file")]),
    pair("source.session_token", Secret, "the source's session token").under(AWS).fits(SourceS3)
        .flags(&[Value("source-session-token"), File("source-session-token-file")]),
    pair("target.profile", Text, "the target's profile in the AWS files").under(AWS).fits(TargetS3).flags(&[Value("target-profile")]),
    pair("target.access_key", Secret, "the target's access key id").under(AWS).fits(TargetS3)
        .flags(&[Value("target-access-key"), File("target-access-key-file")]),
    pair("target.secret_access_key", Secret, "the target's secret access key").under(AWS).fits(TargetS3)
        .flags(&[Value("target-secret-access-key"), File("target-secret-access-key-file")]),
    pair("target.session_token", Secret, "the target's session token").under(AWS).fits(TargetS3)
        .flags(&[Value("target-session-token"), File("target-session-token-file")]),

    pair("source.region", Text, "the source's region; otherwise as the AWS SDK finds it").under(SOURCE).fits(SourceS3).flags(&[Value("source-region")]),
    pair("source.endpoint_url", Endpoint, "the source's endpoint, where it is not AWS's").under(SOURCE).fits(SourceS3).flags(&[Value("source-endpoint-url")]),
    pair("source.force_path_style", Bool, "address the source as endpoint/bucket").default("false").under(SOURCE).fits(SourceS3)
        .flags(&[Says("source-force-path-style", "true"), Says("no-source-force-path-style", "false")]),
    pair("target.region", Text, "the target's region; otherwise as the AWS SDK finds it").under(TARGET).fits(TargetS3).flags(&[Value("target-region")]),
    pair("target.endpoint_url", Endpoint, "the target's endpoint, where it is not AWS's").under(TARGET).fits(TargetS3).flags(&[Value("target-endpoint-url")]),
    pair("target.force_path_style", Bool, "address the target as endpoint/bucket").default("false").under(TARGET).fits(TargetS3)
        .flags(&[Says("target-force-path-style", "true"), Says("no-target-force-path-style", "false")]),

    later("source.no_sign_request", Bool, &[Says("source-no-sign-request", "true"), Says("source-sign-request", "false")]).default("false"),
    later("source.accelerate", Bool, &[Says("source-accelerate", "true"), Says("no-source-accelerate", "false")]).default("false"),
    later("target.accelerate", Bool, &[Says("target-accelerate", "true"), Says("no-target-accelerate", "false")]).default("false"),
    later("source.request_payer", Bool, &[Says("source-request-payer", "true"), Says("no-source-request-payer", "false")]).default("false"),
    later("target.request_payer", Bool, &[Says("target-request-payer", "true"), Says("no-target-request-payer", "false")]).default("false"),
    later("target.storage_class", UNBUILT_WORD, &[Value("storage-class")]),
    later("target.acl", UNBUILT_WORD, &[Value("acl")]),
    later("target.sse", UNBUILT_WORD, &[Value("sse")]),
    later("target.sse_kms_key_id", Text, &[Value("sse-kms-key-id")]),
    later("source.sse_c", UNBUILT_WORD, &[Value("source-sse-c")]),
    later("source.sse_c_key", Secret, &[Value("source-sse-c-key"), File("source-sse-c-key-file")]),
    later("source.sse_c_key_md5", Text, &[Value("source-sse-c-key-md5")]),
    later("target.sse_c", UNBUILT_WORD, &[Value("target-sse-c")]),
    later("target.sse_c_key", Secret, &[Value("target-sse-c-key"), File("target-sse-c-key-file")]),
    later("target.sse_c_key_md5", Text, &[Value("target-sse-c-key-md5")]),

    // --- what is looked at
    later("filter.mtime_before", TIME, &[Value("filter-mtime-before")]),
    later("filter.mtime_after", TIME, &[Value("filter-mtime-after")]),
    later("filter.smaller_size", ANY_SIZE, &[Value("filter-smaller-size")]),
    later("filter.larger_size", ANY_SIZE, &[Value("filter-larger-size")]),
    later("filter.include", List, &[]).default("[]"),
    later("filter.exclude", List, &[]).default("[]"),
    later("filter.keys_from", Path, &[]),
    later("filter.include_regex", REGEXES, &[Value("filter-include-regex")]).default("[]"),
    later("filter.exclude_regex", REGEXES, &[Value("filter-exclude-regex")]).default("[]"),
    later("filter.include_content_type_regex", REGEXES, &[Value("filter-include-content-type-regex")]).default("[]"),
    later("filter.exclude_content_type_regex", REGEXES, &[Value("filter-exclude-content-type-regex")]).default("[]"),
    later("filter.include_metadata_regex", REGEXES, &[Value("filter-include-metadata-regex")]).default("[]"),
    later("filter.exclude_metadata_regex", REGEXES, &[Value("filter-exclude-metadata-regex")]).default("[]"),
    later("filter.include_tag_regex", REGEXES, &[Value("filter-include-tag-regex")]).default("[]"),
    later("filter.exclude_tag_regex", REGEXES, &[Value("filter-exclude-tag-regex")]).default("[]"),

    // --- what counts as changed
    pair("check.mode", Word { now: &["mtime"], later: &["size", "etag", "checksum", "mtime_and_etag", "mtime_and_checksum", "always"] },
        "how changes are found; mtime: missing, or the size differs, or the source is newer")
        .default("mtime").under(CHECKING).flags(&[
            Says("check-size", "size"),
            Says("check-etag", "etag"),
            SaysWith("check-additional-checksum", "checksum", "check.checksum_algorithm"),
            Says("check-mtime-and-etag", "mtime_and_etag"),
            SaysWith("check-mtime-and-additional-checksum", "mtime_and_checksum", "check.checksum_algorithm"),
            Says("remove-modified-filter", "always"),
        ]),
    later("check.on_unverifiable", UNBUILT_WORD, &[]).default("skip"),
    later("check.checksum_algorithm", UNBUILT_WORD, &[]),
    later("check.head_each_target", Bool, &[Says("head-each-target", "true"), Says("no-head-each-target", "false")]).default("false"),
    later("check.metadata", Bool, &[Says("report-metadata-sync-status", "true"), Says("no-report-metadata-sync-status", "false")]).default("false"),
    later("check.tagging", Bool, &[Says("report-tagging-sync-status", "true"), Says("no-report-tagging-sync-status", "false")]).default("false"),
    later("check.annotations", Bool, &[Says("report-annotations-sync-status", "true"), Says("no-report-annotations-sync-status", "false")]).default("false"),

    // --- proof
    pair("checksum.algorithm", ALGORITHM, "the additional checksum of uploads: CRC64NVME or SHA256").under(VERIFICATION).fits(TargetS3)
        .flags(&[Value("additional-checksum-algorithm")]),
    later("checksum.full_object", Bool, &[Says("full-object-checksum", "true"), Says("no-full-object-checksum", "false")]).default("false"),
    pair("checksum.download", Bool, "ask for stored additional checksums and verify them when downloading").default("false")
        .under(VERIFICATION).fits(SourceS3).flags(&[Says("enable-additional-checksum", "true"), Says("no-enable-additional-checksum", "false")]),
    later("checksum.express_one_zone_default", Bool,
        &[Says("disable-express-one-zone-additional-checksum", "false"), Says("express-one-zone-additional-checksum", "true")]).default("true"),
    pair("verify.unverifiable", Word { now: &["warn", "accept", "fail"], later: &[] },
        "what becomes of an object that cannot be proved: warn, accept or fail").default("warn").under(VERIFICATION),
    pair("verify.etag", Bool, "compare ETags").default("true").under(VERIFICATION)
        .flags(&[Says("disable-etag-verify", "false"), Says("etag-verify", "true")]),
    pair("verify.multipart", Bool, "compare ETags of multipart objects").default("true").under(VERIFICATION)
        .flags(&[Says("disable-multipart-verify", "false"), Says("multipart-verify", "true")]),
    pair("verify.checksum", Bool, "compare additional checksums").default("true").under(VERIFICATION)
        .flags(&[Says("disable-additional-checksum-verify", "false"), Says("additional-checksum-verify", "true")]),

    // --- how much at once
    pair("performance.worker_size", SMALL_NUMBER, "objects in flight").default("16").under(PERFORMANCE).flags(&[Value("worker-size")]),
    pair("performance.max_parallel_uploads", SMALL_NUMBER, "parts in flight").default("16").under(PERFORMANCE).flags(&[Value("max-parallel-uploads")]),
    pair("performance.max_parallel_listings", SMALL_NUMBER, "listing requests in flight").default("16").under(PERFORMANCE).flags(&[Value("max-parallel-listings")]),
    pair("performance.max_parallel_listing_max_depth", SMALL_NUMBER, "levels of `/` at which a listing may be split").default("2")
        .under(PERFORMANCE).flags(&[Value("max-parallel-listing-max-depth")]),
    pair("performance.object_listing_queue_size", Number { min: 1, max: 4_294_967_295 }, "entries listed ahead, at most").default("200000")
        .under(PERFORMANCE).flags(&[Value("object-listing-queue-size")]),
    pair("performance.max_keys", Number { min: 1, max: 32_767 }, "keys in a page of a listing; above 1000 counts as 1000").default("1000")
        .under(PERFORMANCE).flags(&[Value("max-keys")]),
    later("performance.allow_parallel_listings_in_express_one_zone", Bool,
        &[Says("allow-parallel-listings-in-express-one-zone", "true"), Says("no-allow-parallel-listings-in-express-one-zone", "false")]).default("false"),
    later("performance.rate_limit_objects", Number { min: 10, max: u64::MAX }, &[Value("rate-limit-objects")]),
    later("performance.rate_limit_bandwidth", BANDWIDTH, &[Value("rate-limit-bandwidth")]),
    job("limits.memory", Size { min: 16 * MIB, max: u64::MAX }, "bytes of content the process holds at once").default("192MiB")
        .under(PERFORMANCE).flags(&[Value("memory-limit")]),
    later_job("limits.workers", SMALL_NUMBER),
    later_job("limits.bandwidth", BANDWIDTH),
    later_job("limits.objects", ANY_NUMBER),

    pair("multipart.threshold", PART_SIZE, "objects of this size and above go in parts").default("8MiB").under(MULTIPART).flags(&[Value("multipart-threshold")]),
    pair("multipart.chunksize", PART_SIZE, "size of a part; grows by itself past 10,000 parts").default("8MiB").under(MULTIPART).flags(&[Value("multipart-chunksize")]),
    later("multipart.auto_chunksize", Bool, &[Says("auto-chunksize", "true"), Says("no-auto-chunksize", "false")]).default("false"),
    // its default is the one that is not built: saying it would promise what does not happen
    later("multipart.resume", Bool, &[]).default("false"),

    // --- when things go wrong
    pair("retry.aws_max_attempts", Number { min: 1, max: 4_294_967_295 }, "attempts of an S3 operation, the first included").default("10")
        .under(RETRY).flags(&[Value("aws-max-attempts")]),
    pair("retry.initial_backoff", ANY_DURATION, "the first pause at most; it doubles from there").default("100ms")
        .under(RETRY).flags(&[Millis("initial-backoff-milliseconds")]),
    pair("retry.force_retry_count", Number { min: 0, max: 4_294_967_295 }, "how often a damaged or changed object is begun again").default("5")
        .under(RETRY).flags(&[Value("force-retry-count")]),
    pair("retry.force_retry_interval", ANY_DURATION, "the pause before it is begun again").default("1s")
        .under(RETRY).flags(&[Millis("force-retry-interval-milliseconds")]),
    later("timeout.operation", SOME_DURATION, &[Millis("operation-timeout-milliseconds")]),
    later("timeout.operation_attempt", SOME_DURATION, &[Millis("operation-attempt-timeout-milliseconds")]),
    pair("timeout.connect", SOME_DURATION, "how long connecting may take").default("5s").under(RETRY).flags(&[Millis("connect-timeout-milliseconds")]),
    pair("timeout.read", SOME_DURATION, "how long the server may be silent").default("60s").under(RETRY).flags(&[Millis("read-timeout-milliseconds")]),

    // --- what is written beside the bytes
    pair("metadata.guess_mime_type", Bool, "guess the Content-Type of local files by their extension").default("true").under(METADATA).fits(SourceLocal)
        .flags(&[Says("no-guess-mime-type", "false"), Says("guess-mime-type", "true")]),
    later("metadata.cache_control", Text, &[Value("cache-control")]),
    later("metadata.content_disposition", Text, &[Value("content-disposition")]),
    later("metadata.content_encoding", Text, &[Value("content-encoding")]),
    later("metadata.content_language", Text, &[Value("content-language")]),
    later("metadata.content_type", Text, &[Value("content-type")]),
    later("metadata.expires", TIME, &[Value("expires")]),
    later("metadata.website_redirect", Text, &[Value("website-redirect")]),
    later("metadata.user", Table, &[Value("metadata")]).default("{}"),
    later("metadata.sync_system", Bool, &[Says("no-sync-system-metadata", "false"), Says("sync-system-metadata", "true")]).default("true"),
    later("metadata.sync_user_defined", Bool, &[Says("no-sync-user-defined-metadata", "false"), Says("sync-user-defined-metadata", "true")]).default("true"),
    later("metadata.put_last_modified", Bool, &[Says("put-last-modified-metadata", "true"), Says("no-put-last-modified-metadata", "false")]).default("false"),
    later("tagging.set", Table, &[Value("tagging")]).default("{}"),
    later("tagging.copy", Bool, &[Says("disable-tagging", "false"), Says("tagging-copy", "true")]).default("true"),
    later("tagging.on_denied", UNBUILT_WORD, &[]).default("fail"),
    later("tagging.sync_latest", Bool, &[Says("sync-latest-tagging", "true"), Says("no-sync-latest-tagging", "false")]).default("false"),
    later("annotations.sync", Bool, &[Says("enable-sync-object-annotations", "true"), Says("no-enable-sync-object-annotations", "false")]).default("false"),
    later("annotations.check_etag", Bool, &[Says("disable-check-annotation-etag", "false"), Says("check-annotation-etag", "true")]).default("true"),
    later("annotations.sync_latest", Bool, &[Says("sync-latest-object-annotations", "true"), Says("no-sync-latest-object-annotations", "false")]).default("false"),
    later("versioning.enabled", Bool, &[Says("enable-versioning", "true"), Says("no-enable-versioning", "false")]).default("false"),
    later("versioning.point_in_time", TIME, &[Value("point-in-time")]),

    // --- deletion
    later("delete.enabled", Bool, &[Says("delete", "true"), Says("no-delete", "false")]).default("false"),
    later("delete.excluded", Bool, &[Says("delete-excluded", "true"), Says("no-delete-excluded", "false")]).default("false"),
    later("delete.max_objects", ANY_NUMBER, &[Value("max-delete")]),
    later("delete.max_percent", Number { min: 0, max: 100 }, &[]).default("50"),
    later("delete.min_source_objects", ANY_NUMBER, &[]).default("1"),
    later("delete.require_source_marker", Text, &[]),
    later("delete.on_errors", UNBUILT_WORD, &[]).default("withhold"),
    later("delete.bare_prefix", Bool, &[]).default("false"),

    later("conditional.if_match", Bool, &[Says("if-match", "true"), Says("no-if-match", "false")]).default("false"),
    later("conditional.if_none_match", Bool, &[Says("if-none-match", "true"), Says("no-if-none-match", "false")]).default("false"),
    later("conditional.copy_source_if_match", Bool, &[Says("copy-source-if-match", "true"), Says("no-copy-source-if-match", "false")]).default("false"),

    // --- finer points
    pair("local.ignore_symlinks", Bool, "leave symbolic links out instead of following them").default("false").under(ADVANCED).fits(SourceLocal)
        .flags(&[Says("ignore-symlinks", "true"), Says("no-ignore-symlinks", "false")]),
    later("warnings.as_error", Bool, &[Says("warn-as-error", "true"), Says("no-warn-as-error", "false")]).default("false"),
    later("warnings.ignore_glacier", Bool, &[Says("ignore-glacier-warnings", "true"), Says("no-ignore-glacier-warnings", "false")]).default("false"),
    later("protocol.stalled_stream_protection", Bool, &[Says("disable-stalled-stream-protection", "false"), Says("stalled-stream-protection", "true")]).default("true"),
    pair("protocol.payload_signing", Word { now: &["auto", "always", "never"], later: &[] },
        "sign the payload too: auto (over plain http only), always or never").default("auto").under(ADVANCED).fits(TargetS3)
        .flags(&[Says("disable-payload-signing", "never"), Says("payload-signing", "always")]),
    pair("protocol.content_md5_header", Bool, "send Content-MD5 with every upload request").default("true").under(ADVANCED).fits(TargetS3)
        .flags(&[Says("disable-content-md5-header", "false"), Says("content-md5-header", "true")]),
    later("lua.filter_script", Path, &[Value("filter-callback-lua-script")]),
    later("lua.preprocess_script", Path, &[Value("preprocess-callback-lua-script")]),
    later("lua.event_script", Path, &[Value("event-callback-lua-script")]),
    later("lua.allow_os_library", Bool, &[Says("allow-lua-os-library", "true"), Says("no-allow-lua-os-library", "false")]).default("false"),
    later("lua.allow_unsafe_vm", Bool, &[Says("allow-lua-unsafe-vm", "true"), Says("no-allow-lua-unsafe-vm", "false")]).default("false"),
    later("lua.vms", SMALL_NUMBER, &[]).default("1"),
    later("lua.on_error", UNBUILT_WORD, &[]).default("fail_pair"),
    later("lua.vm_memory_limit", ANY_SIZE, &[Value("lua-vm-memory-limit")]).default("64MiB"),
    later("lua.callback_timeout", ANY_DURATION, &[Millis("lua-callback-timeout-milliseconds")]).default("10s"),

    // --- the whole job
    job("version", Number { min: 1, max: 1 }, "the version of the job file's format").default("1"),
    job("job.name", Name, "the job's name; otherwise the file's stem"),
    later_job("job.max_parallel_pairs", SMALL_NUMBER).default("1"),
    later_job("job.on_pair_failure", UNBUILT_WORD).default("continue"),
    later_job("job.timeout", SOME_DURATION),
    later_job("job.shutdown_grace", ANY_DURATION),
    job("sandbox.dir", Path, "rehearse on an embedded S3 that keeps its buckets here").under(REHEARSAL).flags(&[Value("sandbox")]),
    job("report.dir", Path, "where runs leave their reports").under(REHEARSAL),
    job("report.level", Word { now: &["acts", "errors_only", "all"], later: &[] }, "how much evidence is written").default("acts").under(REHEARSAL),
    later_job("report.keep", SOME_DURATION),
    later_job("lock.on_conflict", UNBUILT_WORD),
    later_job("lock.wait", ANY_DURATION),
    later_job("include", List).default("[]"),
    later_job("vars", Table).default("{}"),
    later_job("hooks", List).default("[]"),

    job("log.level", Word { now: &["off", "error", "warn", "info", "debug", "trace"], later: &[] }, "how much is logged").default("warn").under(LOGGING)
        .flags(&[Repeated("verbose", 'v', &["info", "debug", "trace"]), Repeated("quiet", 'q', &["error", "off"])]),
    job("log.format", Word { now: &["text", "json"], later: &[] }, "log text, or JSON records").default("text").under(LOGGING)
        .flags(&[Says("json-tracing", "json"), Says("no-json-tracing", "text")]),
    job("log.color", Bool, "use colour on a terminal").default("true").under(LOGGING)
        .flags(&[Says("disable-color-tracing", "false"), Says("color-tracing", "true")]),
    job("log.stderr", Bool, "log to stderr in the plain form too").default("false").under(LOGGING)
        .flags(&[Says("tracing-stderr", "true"), Says("no-tracing-stderr", "false")]),
    job("log.progress", Bool, "show progress and the final line").default("true").under(LOGGING)
        .flags(&[Says("show-no-progress", "false"), Says("show-progress", "true")]),
    later_job("log.aws_sdk", Bool).default("false").flags(&[Says("aws-sdk-tracing", "true"), Says("no-aws-sdk-tracing", "false")]),
    later_job("log.span_events", Bool).default("false").flags(&[Says("span-events-tracing", "true"), Says("no-span-events-tracing", "false")]),
];
