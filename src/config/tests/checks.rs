//! What is wrong with pairs although every single value is right.

use super::*;
use crate::object::Timestamp;

/// What is said of a pair between two buckets.
fn told(options: &str, environment: &Environment) -> String {
    let text = format!("[pairs.x]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\n{options}\n");
    let settings = settings(&text, environment, &FlagValues::default());
    settings
        .problems()
        .map_or_else(String::new, |problems| problems.to_string())
}

#[test]
fn a_point_in_time_has_passed() {
    let now = Timestamp::parse("2026-02-03T12:00:00Z").expect("a time");
    let environment = environment(&[]).started_at(now);
    for (time, wrong) in [
        ("2026-02-03T12:00:00Z", ""),
        (
            "2026-02-03T14:00:00+01:00",
            "error: `versioning.point_in_time` of `x` is 2026-02-03T13:00:00Z, which is later than now, 2026-02-03T12:00:00Z",
        ),
    ] {
        let told = told(&format!("versioning.point_in_time = {time}"), &environment);
        assert_eq!(told.lines().next().unwrap_or_default(), wrong, "{time}");
    }
}

#[test]
fn a_directory_bucket_is_not_asked_for_what_it_has_not() {
    for (option, is_for_all_buckets) in [
        ("target.storage_class = 'STANDARD'", false),
        ("target.storage_class = 'GLACIER_IR'", false),
        ("target.acl = 'public-read'", false),
        ("metadata.website_redirect = '/elsewhere'", false),
        ("target.storage_class = 'EXPRESS_ONEZONE'", true),
        ("metadata.cache_control = 'no-store'", true),
    ] {
        for (bucket, is_well) in [("b", true), ("b--use1-az4--x-s3", is_for_all_buckets)] {
            let text =
                format!("[pairs.x]\nsource.url = '/a'\ntarget.url = 's3://{bucket}/'\n{option}\n");
            let settings = settings(&text, &environment(&[]), &FlagValues::default());
            let told = settings.problems().map(|problems| problems.to_string());
            let told = told.unwrap_or_default();
            let refused = told.contains("excludes a target that is a directory bucket");
            assert_eq!(refused, !is_well, "{option}, {bucket}: {told}");
            assert_eq!(told.is_empty(), is_well, "{option}, {bucket}: {told}");
        }
    }
}

#[test]
fn an_md5_is_that_of_its_key() {
    // `md5sum` of the key's 32 bytes, in base64
    let (key, md5) = (example(Kind::SecretKey), "hRasmdxgYDKV3nvbahU1MA==");
    for side in ["source", "target"] {
        let said = |key: &str, md5: &str| {
            let options = format!(
                "{side}.sse_c = 'AES256'\n{side}.sse_c_key = '{key}'\n{side}.sse_c_key_md5 = '{md5}'"
            );
            told(&options, &environment(&[]))
        };
        assert_eq!(said(key, md5), "");
        let wrong = said(key, "1B2M2Y8AsgTpgAmY7PhCfg==");
        let first = format!("error: `{side}.sse_c_key_md5` is not the MD5 of `{side}.sse_c_key`");
        assert_eq!(wrong.lines().next(), Some(&*first), "{wrong}");
        assert!(!wrong.contains(key), "{wrong}");
    }
}

#[test]
fn if_match_looks_at_the_target() {
    let always = "conditional.if_match = true\ncheck.mode = 'always'";
    let told = |more: &str| told(&format!("{always}\n{more}"), &environment(&[]));
    assert_eq!(told("check.head_each_target = true"), "");
    let alone = told("");
    let first = "error: `conditional.if_match` without another `check.mode` than \"always\" or `check.head_each_target`";
    assert_eq!(alone.lines().next(), Some(first), "{alone}");
}

#[test]
fn something_is_between_the_bounds_of_filters() {
    for (options, wrong) in [
        (
            "filter.mtime_before = 2026-01-02T00:00:00Z\nfilter.mtime_after = 2026-01-01T00:00:00Z",
            "",
        ),
        (
            "filter.mtime_before = 2026-01-01T00:00:00Z\nfilter.mtime_after = 2026-01-01T00:00:00Z",
            "error: no time is before `filter.mtime_before` of `x`, 2026-01-01T00:00:00Z, and not before `filter.mtime_after`, 2026-01-01T00:00:00Z",
        ),
        ("filter.smaller_size = 11\nfilter.larger_size = 10", ""),
        (
            "filter.smaller_size = 10\nfilter.larger_size = 10",
            "error: no size is smaller than `filter.smaller_size` of `x`, 10 bytes, and at least `filter.larger_size`, 10 bytes",
        ),
        ("filter.smaller_size = 1", ""),
        (
            "filter.smaller_size = 0",
            "error: nothing is smaller than `filter.smaller_size` of `x`, 0 bytes",
        ),
        ("filter.larger_size = 0", ""),
    ] {
        let told = told(options, &environment(&[]));
        assert_eq!(told.lines().next().unwrap_or_default(), wrong, "{options}");
    }
}
