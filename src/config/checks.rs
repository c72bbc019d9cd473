//! What is wrong with a pair although every single value is right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::layer::Layer;
use super::merged::Merged;
use super::problem::{Place, Problem};
use super::setting::Setting;
use super::sides::{Side, endpoint};
use crate::digest::{Algorithm, digest};
use crate::object::Timestamp;

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
            let same_place = source.bucket == target.bucket
                && endpoint("source", merged) == endpoint("target", merged);
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
    let apart = endpoint("source", merged) != endpoint("target", merged);
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

/// Finds an MD5 that is not the one of its SSE-C key.
pub(super) fn sse_c_keys(merged: &Merged, problems: &mut Vec<Problem>) {
    for side in ["source", "target"] {
        let [key, md5] = ["sse_c_key", "sse_c_key_md5"].map(|option| format!("{side}.{option}"));
        let said = merged.optional::<String>(&md5);
        let Some((secret, said)) = merged.secret(&key).zip(said) else {
            continue;
        };
        let decoded = STANDARD.decode(secret.expose()).map(Zeroizing::new);
        if decoded.is_ok_and(|bytes| digest(Algorithm::Md5, &bytes).base64() != said) {
            problems.push(
                Problem::new(
                    format!("`{md5}` is not the MD5 of `{key}`"),
                    &merged.place(&md5),
                )
                .remedy("one of them is another key's; left out, the MD5 is computed")
                .against(&merged.place(&key), "the key"),
            );
        }
    }
}

/// Finds a past that is still to come.
pub(super) fn point_in_time(
    pair: &str,
    merged: &Merged,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) {
    let path = "versioning.point_in_time";
    if let Some(time) = merged
        .optional::<Timestamp>(path)
        .filter(|time| *time > now)
    {
        let message = format!("`{path}` of `{pair}` is {time}, which is later than now, {now}");
        problems.push(
            Problem::new(message, &merged.place(path))
                .remedy("for the source as it is, leave it out"),
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

/// Finds bounds between which nothing is: the run would leave out everything.
pub(super) fn bounds(pair: &str, merged: &Merged, problems: &mut Vec<Problem>) {
    let (before, after) = ("filter.mtime_before", "filter.mtime_after");
    if let Some(times) = merged
        .optional::<Timestamp>(before)
        .zip(merged.optional::<Timestamp>(after))
        && times.0 <= times.1
    {
        let message = format!(
            "no time is before `{before}` of `{pair}`, {}, and not before `{after}`, {}",
            times.0, times.1
        );
        problems.push(
            Problem::new(message, &merged.place(before))
                .remedy("nothing would pass both; swap them, or leave one out")
                .against(&merged.place(after), "said here"),
        );
    }
    let (smaller, larger) = ("filter.smaller_size", "filter.larger_size");
    let most = merged.optional::<u64>(smaller);
    if let Some(sizes) = most.zip(merged.optional::<u64>(larger))
        && sizes.0 <= sizes.1
    {
        let message = format!(
            "no size is smaller than `{smaller}` of `{pair}`, {} bytes, and at least `{larger}`, {} bytes",
            sizes.0, sizes.1
        );
        problems.push(
            Problem::new(message, &merged.place(smaller))
                .remedy("nothing would pass both; swap them, or leave one out")
                .against(&merged.place(larger), "said here"),
        );
    } else if most == Some(0) {
        let message = format!("nothing is smaller than `{smaller}` of `{pair}`, 0 bytes");
        problems.push(
            Problem::new(message, &merged.place(smaller))
                .remedy("leave it out, or say a size; `filter.exclude = [\"**\"]` leaves out all"),
        );
    }
}

/// Finds files that options name and that are not there.
pub(super) fn files(source: &Side, merged: &Merged, problems: &mut Vec<Problem>) {
    for path in [
        "lua.filter_script",
        "lua.preprocess_script",
        "lua.event_script",
        "filter.keys_from",
    ] {
        let Some(file) = merged.path(path).filter(|file| !file.is_file()) else {
            continue;
        };
        let what = if file.exists() {
            "no file"
        } else {
            "not there"
        };
        let message = format!("`{path}` is `{}`, which is {what}", file.display());
        let problem = Problem::new(message, &merged.place(path));
        problems.push(if file.file_name().is_some_and(|name| name == "-") {
            problem.remedy("standard input is not read, as a run by itself has none; name a file")
        } else {
            problem
        });
    }
    if let Side::Local(path) = source
        && merged.value::<bool>("delete.enabled")
        && path.is_file()
    {
        let message = "`delete.enabled` with a source that is a single file";
        problems.push(
            Problem::new(message, &merged.place("delete.enabled"))
                .remedy("it would delete everything else at the target; name a directory")
                .against(&merged.place("source.url"), "the source"),
        );
    }
}

/// Finds hooks that do not say when they run, or what, or wait for an outcome before there is one.
pub(super) fn hooks(hooks: &[(Place, Layer)], problems: &mut Vec<Problem>) {
    for (place, hook) in hooks {
        for (key, example) in [
            ("at", "\"before\" or \"after\""),
            ("run", "[\"/usr/local/bin/notify\", \"nightly\"]"),
        ] {
            let path = format!("hooks.{key}");
            if hook.get(&path).is_none() && !hook.is_broken(&path) {
                let problem = Problem::new(format!("a hook without `{key}`"), place);
                problems.push(problem.remedy(format!("write {key} = {example}")));
            }
        }
        let is_before = hook
            .get("hooks.at")
            .is_some_and(|at| at.setting == Setting::Text("before".to_owned()));
        if let (Some(on), true) = (hook.get("hooks.on"), is_before) {
            let message = "`on` of a hook that runs before: there is no outcome yet";
            problems.push(Problem::new(message, &on.place).remedy("leave it out"));
        }
    }
}

/// Finds deletion below a prefix that is no directory: `s3://b/photos` means `photos-old/` too.
pub(super) fn bare_prefix(pair: &str, target: &Side, merged: &Merged, problems: &mut Vec<Problem>) {
    let Side::S3(location) = target else {
        return;
    };
    let is_bare = !location.prefix.is_empty() && !location.prefix.ends_with('/');
    if is_bare
        && merged.value::<bool>("delete.enabled")
        && !merged.value::<bool>("delete.bare_prefix")
    {
        let message =
            format!("`delete.enabled` of `{pair}` with a target prefix that does not end in `/`");
        let remedy = format!(
            "it means every key that begins with `{}`; write a `/` at its end, or say delete.bare_prefix = true",
            location.prefix
        );
        problems.push(
            Problem::new(message, &merged.place("delete.enabled"))
                .remedy(remedy)
                .against(&merged.place("target.url"), "the target"),
        );
    }
}
