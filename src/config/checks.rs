//! What is wrong with a pair although every single value is right.

use super::draft::Draft;
use super::layer::Layer;
use super::merged::Merged;
use super::problem::{Place, Problem};
use super::setting::Setting;
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
        problems.push(Problem::new(message, &merged.place(path)));
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

/// Finds targets that overlap while one of their pairs deletes: it would delete what the other
/// has written.
pub(super) fn deletions(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let deletes = |draft: &&Draft| draft.merged.value::<bool>("delete.enabled");
    for deleting in drafts.iter().filter(deletes) {
        for other in drafts.iter().filter(|other| other.name != deleting.name) {
            // two that delete are told once
            if deletes(&other) && other.name < deleting.name {
                continue;
            }
            let (Some(one), Some(two)) = (&deleting.target, &other.target) else {
                continue;
            };
            if !overlap(one, two, &deleting.merged, &other.merged) {
                continue;
            }
            let message = format!(
                "the targets of `{}` and `{}` overlap, and `{}` deletes",
                deleting.name, other.name, deleting.name
            );
            problems.push(
                Problem::new(message, &deleting.merged.place("target.url"))
                    .remedy("choose targets apart from each other, or switch deletion off")
                    .against(&other.merged.place("target.url"), "the other target"),
            );
        }
    }
}

fn overlap(one: &Side, two: &Side, of_one: &Merged, of_two: &Merged) -> bool {
    match (one, two) {
        (Side::Local(one), Side::Local(two)) => one.starts_with(two) || two.starts_with(one),
        (Side::S3(one), Side::S3(two)) => {
            let endpoint = |merged: &Merged| merged.optional::<String>("target.endpoint_url");
            one.bucket == two.bucket
                && endpoint(of_one) == endpoint(of_two)
                && (one.prefix.starts_with(&two.prefix) || two.prefix.starts_with(&one.prefix))
        }
        _ => false,
    }
}
