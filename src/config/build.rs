//! A pair as the engine gets it, from what counts in the end.

use std::path::PathBuf;
use std::sync::Arc;

use super::filters::filters;
use super::lua::lua;
use super::merged::Merged;
use super::metadata::metadata;
use super::resolved::{
    Annotations, Beside, By, Check, CheckMode, Compared, Conditional, OfTarget, OnDenied,
    OnUndecided, OnUnverifiable, Pair, Performance, Rate, SourceSpec, Tagging, TargetSpec, Verify,
    Versions, Warnings, WrittenTags,
};
use super::sides::{Side, encryption, s3_settings};
use crate::digest::Algorithm;
use crate::object::StorageClass;
use crate::store::local::{LocalSourceSettings, LocalTargetSettings};

/// Builds a pair of two sides and the digest of its settings; `never_list` are the directories the run itself writes to.
pub(super) fn build(
    name: &str,
    source: Side,
    target: Side,
    merged: &Merged,
    digest: &str,
    never_list: &[PathBuf],
) -> Pair {
    let checksum = checksum(&target, merged);
    let versions = versions(merged);
    let is_bucket = target.is_s3();
    let tagging = tagging(&source, &target, merged);
    Pair {
        name: name.to_owned(),
        after: merged.value("after"),
        source: match source {
            Side::Local(root) => SourceSpec::Local(LocalSourceSettings {
                root,
                ignore_symlinks: merged.value("local.ignore_symlinks"),
                never_list: never_list.to_vec(),
            }),
            Side::S3(location) => SourceSpec::S3(Box::new(s3_settings(location, "source", merged))),
        },
        target: match target {
            Side::Local(root) => TargetSpec::Local(LocalTargetSettings {
                root,
                never_list: never_list.to_vec(),
            }),
            Side::S3(location) => TargetSpec::S3(Box::new(s3_settings(location, "target", merged))),
        },
        server_side_copy: merged.value("server_side_copy"),
        versions,
        check: check(merged, versions),
        checksum,
        checksum_full_object: merged.value("checksum.full_object"),
        checksum_download: merged.value("checksum.download"),
        checksum_of_opaque: merged.value("checksum.express_one_zone_default"),
        verify: Verify {
            etag: merged.value("verify.etag"),
            multipart: merged.value("verify.multipart"),
            checksum: merged.value("verify.checksum"),
            unverifiable: match merged.value::<String>("verify.unverifiable").as_str() {
                "accept" => OnUnverifiable::Accept,
                "fail" => OnUnverifiable::Fail,
                _ => OnUnverifiable::Warn,
            },
        },
        conditional: Conditional {
            target: match (
                is_bucket && merged.value("conditional.if_match"),
                is_bucket && merged.value("conditional.if_none_match"),
            ) {
                (true, _) => OfTarget::Listed,
                (false, true) => OfTarget::Nothing,
                (false, false) => OfTarget::Anything,
            },
            only_listed_source: merged.value("conditional.copy_source_if_match"),
        },
        warnings: Warnings {
            as_error: merged.value("warnings.as_error"),
            ignore_archived: merged.value("warnings.ignore_glacier"),
        },
        performance: Performance {
            worker_size: merged.value("performance.worker_size"),
            max_parallel_uploads: merged.value("performance.max_parallel_uploads"),
            max_parallel_listings: merged.value("performance.max_parallel_listings"),
            rate: Rate {
                objects: merged.optional("performance.rate_limit_objects"),
                bandwidth: merged.optional("performance.rate_limit_bandwidth"),
            },
        },
        multipart_threshold: merged.value("multipart.threshold"),
        multipart_chunksize: merged.value("multipart.chunksize"),
        multipart_resume: merged.value("multipart.resume"),
        force_retry: (
            merged.value("retry.force_retry_count"),
            merged.duration("retry.force_retry_interval"),
        ),
        auto_chunksize: merged.value("multipart.auto_chunksize"),
        metadata: metadata(merged),
        storage_class: merged
            .optional::<String>("target.storage_class")
            .map(|name| StorageClass::new(&name)),
        acl: merged.optional::<String>("target.acl").map(Into::into),
        tagging,
        annotations: annotations(merged),
        filters: Arc::new(filters(merged)),
        lua: Arc::new(lua(merged)),
        digest: digest.to_owned(),
    }
}

fn versions(merged: &Merged) -> Versions {
    match merged.optional("versioning.point_in_time") {
        Some(time) => Versions::AsOf(time),
        None if merged.value("versioning.enabled") => Versions::All,
        None => Versions::Latest,
    }
}

fn check(merged: &Merged, versions: Versions) -> Check {
    let by_checksum = algorithm(merged, "check.checksum_algorithm").map(By::Checksum);
    let mode = match (merged.value::<String>("check.mode").as_str(), by_checksum) {
        ("size", _) => CheckMode::Size,
        ("etag", _) => CheckMode::Content(By::ETag),
        ("mtime_and_etag", _) => CheckMode::MtimeAndContent(By::ETag),
        ("checksum", Some(by)) => CheckMode::Content(by),
        ("mtime_and_checksum", Some(by)) => CheckMode::MtimeAndContent(by),
        ("always", _) => CheckMode::Always,
        // what the past is copied over may be newer
        _ if matches!(versions, Versions::AsOf(_)) => CheckMode::Always,
        // a checksum mode without an algorithm was refused
        _ => CheckMode::Mtime,
    };
    Check {
        mode,
        on_unverifiable: match merged.value::<String>("check.on_unverifiable").as_str() {
            "transfer" => OnUndecided::Transfer,
            "fail" => OnUndecided::Fail,
            _ => OnUndecided::Skip,
        },
        head_each_target: merged.value("check.head_each_target"),
        compared: match mode {
            CheckMode::Size => Compared::Size,
            CheckMode::Content(by) | CheckMode::MtimeAndContent(by) => Compared::Content(by),
            CheckMode::Mtime | CheckMode::Always => {
                Compared::Content(by_checksum.unwrap_or(By::ETag))
            }
        },
        beside: Beside {
            metadata: merged.value("check.metadata"),
            tagging: merged.value("check.tagging"),
            annotations: merged.value("check.annotations"),
        },
    }
}

/// Directories and directory buckets have no tags.
fn tagging(source: &Side, target: &Side, merged: &Merged) -> Tagging {
    let keeps = |side: &Side| side.is_s3() && !side.is_directory_bucket();
    let set = merged.table("tagging.set");
    let tags = if !keeps(target) || !merged.value::<bool>("tagging.copy") {
        WrittenTags::None
    } else if !set.is_empty() {
        WrittenTags::Set(set)
    } else if keeps(source) {
        WrittenTags::Copied
    } else {
        WrittenTags::None
    };
    Tagging {
        tags,
        on_denied: match merged.value::<String>("tagging.on_denied").as_str() {
            "skip" => OnDenied::Skip,
            _ => OnDenied::Fail,
        },
        sync_latest: merged.value("tagging.sync_latest"),
    }
}

fn annotations(merged: &Merged) -> Annotations {
    let sync_latest = merged.value("annotations.sync_latest");
    Annotations {
        carried: sync_latest || merged.value("annotations.sync"),
        sync_latest,
        check_etag: merged.value("annotations.check_etag"),
    }
}

fn algorithm(merged: &Merged, path: &str) -> Option<Algorithm> {
    merged
        .optional::<String>(path)
        .and_then(|name| name.parse().ok())
}

/// The additional checksum of uploads: the user's, or the one without which nothing would be
/// proved. A copy inside S3 keeps what its source has.
fn checksum(target: &Side, merged: &Merged) -> Option<Algorithm> {
    if let Some(named) = algorithm(merged, "checksum.algorithm") {
        return Some(named);
    }
    let wanted = merged.value::<bool>("checksum.express_one_zone_default")
        && target.is_s3()
        && !merged.value::<bool>("server_side_copy");
    let opaque = target.is_directory_bucket() || encryption("target", merged).hides_digests();
    (wanted && opaque).then_some(Algorithm::Crc64Nvme)
}
