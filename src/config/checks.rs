//! What is wrong with a pair although every single value is right.

use super::merged::Merged;
use super::problem::Problem;
use super::sides::Side;

/// Finds what a pair's two sides cannot do together.
pub(super) fn sides(
    pair: &str,
    source: &Side,
    target: &Side,
    merged: &Merged,
    problems: &mut Vec<Problem>,
) {
    let (from, to) = (merged.place("source.url"), merged.place("target.url"));
    match (source, target) {
        (Side::Local(_), Side::Local(_)) => problems.push(
            Problem::new(
                format!("not supported: both sides of `{pair}` are local"),
                &to,
            )
            .remedy("one side must be s3://…; copy with cp or rsync")
            .against(&from, "the source"),
        ),
        (Side::S3(source), Side::S3(target)) => {
            let endpoint = |side| merged.optional::<String>(side);
            let same_place = source.bucket == target.bucket
                && endpoint("source.endpoint_url") == endpoint("target.endpoint_url");
            let what = if source.prefix == target.prefix {
                "are the same"
            } else if target.prefix.starts_with(&source.prefix) {
                "overlap: the source contains the target"
            } else if source.prefix.starts_with(&target.prefix) {
                "overlap: the target contains the source"
            } else {
                return;
            };
            if same_place {
                problems.push(
                    Problem::new(format!("source and target of `{pair}` {what}"), &to)
                        .remedy("a prefix is every key that begins with it; choose another prefix or bucket")
                        .against(&from, "the source"),
                );
            }
        }
        (Side::Local(_), Side::S3(_)) | (Side::S3(_), Side::Local(_)) => {}
    }
}

/// Finds a copy inside S3 that would have to leave it: the target's endpoint is asked to copy, and
/// knows its own buckets only.
pub(super) fn server_side_copy(
    pair: &str,
    source: &Side,
    target: &Side,
    merged: &Merged,
    problems: &mut Vec<Problem>,
) {
    let endpoint = |side| merged.optional::<String>(side);
    let apart = endpoint("source.endpoint_url") != endpoint("target.endpoint_url");
    let both_s3 = source.is_s3() && target.is_s3();
    if both_s3 && apart && merged.value::<bool>("server_side_copy") {
        let message = format!(
            "the two sides of `{pair}` have different endpoints, and no S3 copies from another"
        );
        problems.push(
            Problem::new(message, &merged.place("server_side_copy"))
                .remedy("copy through the client (server_side_copy = false)"),
        );
    }
}

/// Finds objects and parts that would have to be held at once and are larger than the memory for
/// them.
pub(super) fn memory(pair: &str, merged: &Merged, memory: u64, problems: &mut Vec<Problem>) {
    for path in ["multipart.threshold", "multipart.chunksize"] {
        if merged.value::<u64>(path) > memory {
            let message =
                format!("`{path}` of `{pair}` is more than `limits.memory` ({memory} bytes)");
            problems.push(
                Problem::new(message, &merged.place(path))
                    .remedy("lower it, or raise limits.memory (--memory-limit)"),
            );
        }
    }
}

/// Finds keys that are incomplete, or given beside a profile.
pub(super) fn credentials(side: &str, merged: &Merged, problems: &mut Vec<Problem>) {
    let path = |option: &str| format!("{side}.{option}");
    let [id, key, token, profile] = [
        "access_key",
        "secret_access_key",
        "session_token",
        "profile",
    ]
    .map(path);
    if [&id, &key, &token, &profile]
        .iter()
        .any(|path| merged.is_broken(path))
    {
        return;
    }
    let needs = |has: &str, lacks: &str| merged.is_said(has) && !merged.is_said(lacks);
    for (has, lacks) in [(&id, &key), (&key, &id), (&token, &id)] {
        if needs(has, lacks) {
            problems.push(
                Problem::new(format!("`{has}` without `{lacks}`"), &merged.place(has))
                    .remedy(format!("say `{lacks}` too")),
            );
            return;
        }
    }
    if merged.is_said(&id) && merged.is_said(&profile) {
        problems.push(
            Problem::new(
                format!("`{profile}` and `{id}` exclude each other"),
                &merged.place(&profile),
            )
            .remedy("keep one of them")
            .against(&merged.place(&id), "the key"),
        );
    }
}
