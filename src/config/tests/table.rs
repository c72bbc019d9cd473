//! The table is complete, nothing of it is accepted and ignored, and what is explained can be run.

use super::*;

/// What `job` has of a setting that makes a difference, without what merely records it.
fn decided(job: &Job) -> String {
    let mut job = job.clone();
    job.digest.clear();
    job.non_file_origins.clear();
    job.secrets.clear();
    for pair in &mut job.pairs {
        pair.digest.clear();
    }
    format!("{job:?}")
}

/// A job of one pair that an option has a meaning for, with what it needs beside it.
fn text_for(row: &OptionRow) -> &'static str {
    match (row.path, row.fits) {
        // without comparing content it needs a source that has parts
        ("multipart.auto_chunksize", _) => {
            "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = '/b'\n"
        }
        (
            "checksum.express_one_zone_default"
            | "performance.allow_parallel_listings_in_express_one_zone",
            _,
        ) => "[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b--use1-az4--x-s3/'\n",
        ("target.sse_kms_key_id", _) => {
            "[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b/'\ntarget.sse = 'aws:kms'\n"
        }
        ("lock.wait", _) => {
            "lock.on_conflict = 'wait'\n[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b/'\n"
        }
        ("conditional.copy_source_if_match", _) => {
            "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\nserver_side_copy = true\n"
        }
        // without deletion there is nothing to guard
        (
            "delete.excluded"
            | "delete.max_objects"
            | "delete.max_percent"
            | "delete.min_source_objects"
            | "delete.require_source_marker"
            | "delete.on_errors",
            _,
        ) => "[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b/'\ndelete.enabled = true\n",
        // from a directory there is nothing to copy
        ("tagging.copy", _) => "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\n",
        (_, Fits::SourceS3) => {
            "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = '/b'\nsource.secret_access_key = 'k'\nsource.access_key = 'k'\n"
        }
        (_, Fits::BothS3) => "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\n",
        _ => {
            "[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b/'\ntarget.secret_access_key = 'k'\ntarget.access_key = 'k'\nchecksum.algorithm = 'CRC64NVME'\n"
        }
    }
}

/// A value that is not the option's default.
fn other_value(row: &OptionRow) -> &'static str {
    match (row.path, row.kind) {
        ("source.url", _) => "/elsewhere",
        (
            "lua.filter_script" | "lua.preprocess_script" | "lua.event_script" | "filter.keys_from",
            _,
        ) => "Cargo.toml",
        ("checksum.algorithm", _) => "SHA256",
        (_, Kind::Bool) if row.default == Some("true") => "false",
        (_, Kind::Word(words)) => {
            let another = words.iter().find(|word| row.default != Some(**word));
            another.expect("another")
        }
        ("log.level", _) => "debug",
        (_, kind) => example(kind),
    }
}

/// The job with an option said for its pair, or for itself.
fn saying(row: &OptionRow) -> Settings {
    let text = text_for(row);
    let excludes_keys = row.path.ends_with(".profile") || row.path == "source.no_sign_request";
    let text = if excludes_keys {
        text.split("source.secret")
            .next()
            .and_then(|text| text.split("target.secret").next())
    } else {
        Some(text)
    };
    let mut flags = FlagValues::default();
    let pair = if row.scope == Scope::Job {
        ""
    } else {
        "pairs.one."
    };
    flags.set(format!("{pair}{}={}", row.path, other_value(row)));
    settings(text.expect("the text"), &environment(&[]), &flags)
}

fn sayable() -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS
        .iter()
        .filter(|row| matches!(row.scope, Scope::Job | Scope::Pair) && row.path != "vars")
}

#[test]
fn every_option_is_accepted_and_none_is_ignored() {
    // the options of SSE-C are said together or not at all, and what `bare_prefix` lets pass is
    // refused without it
    let is_apart =
        |row: &OptionRow| row.path.contains(".sse_c") || row.path == "delete.bare_prefix";
    for row in sayable().filter(|row| !is_apart(row)) {
        let plain = job(text_for(row), &environment(&[]), &FlagValues::default());
        let plain = plain.unwrap_or_else(|problems| panic!("{}: {problems}", row.path));
        let job = saying(row).into_job();
        let job = job.unwrap_or_else(|problems| panic!("{}: {problems}", row.path));
        // what secrets come to is shown by no job
        if !row.is_secret() {
            assert_ne!(
                decided(&job),
                decided(&plain),
                "{} is accepted and ignored",
                row.path
            );
        }
    }
}

#[test]
fn a_key_of_the_users_is_for_its_side() {
    use crate::store::Secret;
    use crate::store::s3::{CustomerKey, Encryption};
    let key = example(Kind::SecretKey);
    let expected = CustomerKey::new(Secret::new(key)).map(Encryption::Customer);
    for (side, md5) in [
        ("source", ""),
        ("target", ""),
        ("target", "hRasmdxgYDKV3nvbahU1MA=="),
    ] {
        let mut text = format!(
            "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\n{side}.sse_c = 'AES256'\n{side}.sse_c_key = '{key}'\n"
        );
        if !md5.is_empty() {
            text = format!("{text}{side}.sse_c_key_md5 = '{md5}'\n");
        }
        let job = job(&text, &environment(&[]), &FlagValues::default()).expect("a job");
        let [pair] = &job.pairs[..] else {
            panic!("one pair")
        };
        let (SourceSpec::S3(source), TargetSpec::S3(target)) = (&pair.source, &pair.target) else {
            panic!("two buckets")
        };
        let of = |name| {
            if name == side {
                expected.clone()
            } else {
                Some(Encryption::Bucket)
            }
        };
        assert_eq!(
            Some(source.encryption.clone()),
            of("source"),
            "{side} {md5}"
        );
        assert_eq!(
            Some(target.encryption.clone()),
            of("target"),
            "{side} {md5}"
        );
    }
}

#[test]
fn what_hides_its_etag_gets_a_checksum_by_default() {
    use crate::digest::Algorithm::{Crc64Nvme, Sha256};
    let key = format!(
        "target.sse_c = 'AES256'\ntarget.sse_c_key = '{}'",
        example(Kind::SecretKey)
    );
    for (target, options, expected) in [
        ("s3://b/", "", None),
        ("s3://b/", "target.sse = 'AES256'", None),
        ("s3://b/", "target.sse = 'aws:kms'", Some(Crc64Nvme)),
        ("s3://b/", "target.sse = 'aws:kms:dsse'", Some(Crc64Nvme)),
        ("s3://b/", &key, Some(Crc64Nvme)),
        ("s3://b--use1-az4--x-s3/", "", Some(Crc64Nvme)),
        (
            "s3://b--use1-az4--x-s3/",
            "checksum.express_one_zone_default = false",
            None,
        ),
        (
            "s3://b/",
            "target.sse = 'aws:kms'\nchecksum.algorithm = 'SHA256'",
            Some(Sha256),
        ),
        // what S3 copies keeps the checksum it has
        (
            "s3://b/",
            "target.sse = 'aws:kms'\nserver_side_copy = true",
            None,
        ),
    ] {
        let text =
            format!("[pairs.one]\nsource.url = 's3://a/'\ntarget.url = '{target}'\n{options}\n");
        let job = job(&text, &environment(&[]), &FlagValues::default()).expect("a job");
        assert_eq!(job.pairs[0].checksum, expected, "{target} {options}");
    }
}

#[test]
fn what_is_explained_as_toml_is_the_same_job() {
    for row in sayable().filter(|row| !row.is_secret()) {
        let settings = saying(row);
        for changed in [true, false] {
            let question = Question {
                changed,
                ..Question::default()
            };
            let text = settings
                .explain(&question)
                .expect("everything")
                .to_toml(&TomlStyle::default());
            let side = if row.fits == Fits::SourceS3 {
                "SOURCE"
            } else {
                "TARGET"
            };
            let names = ["ACCESS_KEY", "SECRET_ACCESS_KEY"]
                .map(|key| format!("S3SYNC_PAIRS__ONE__{side}__{key}"));
            // kept secrets are named, not shown
            let variables: Vec<(&str, &str)> = names
                .iter()
                .filter(|name| text.contains(*name))
                .map(|name| (name.as_str(), "k"))
                .collect();
            let again = super::settings(&text, &environment(&variables), &FlagValues::default());
            assert_eq!(again.digest, settings.digest, "{}:\n{text}", row.path);
            let problems =
                |settings: &Settings| settings.problems().map(|problems| problems.to_string());
            // with everything said, some options no longer lack another
            assert!(
                problems(&again).is_none() || problems(&settings).is_some(),
                "{}: {:?}\n{text}",
                row.path,
                problems(&again)
            );
        }
    }
}

#[test]
fn the_table_has_every_option_and_flag_that_is_specified() {
    let specified = include_str!("../../../tests/fixtures/specified.txt");
    let names = || specified.lines().filter(|line| !line.starts_with('#'));
    let flags: Vec<String> = OPTIONS
        .iter()
        .flat_map(|row| row.flags)
        .map(|flag| format!("--{}", flag.name()))
        .collect();
    // these say no option
    let others = ["--auto-complete-shell"];
    for name in names() {
        let is_there = if name.starts_with("--") {
            flags.iter().any(|flag| flag == name) || others.contains(&name)
        } else {
            options::find(name).is_some()
        };
        assert!(is_there, "{name} is specified, and not in the table");
    }
    // two have a flag in the specification and no path
    let unspecified = ["log.stderr", "log.progress"];
    for row in OPTIONS {
        let is_specified = names().any(|name| name == row.path) || unspecified.contains(&row.path);
        assert!(
            is_specified,
            "{} is in the table, and not specified",
            row.path
        );
        assert!(
            !row.help.is_empty() && !row.help.ends_with('.'),
            "{}",
            row.path
        );
    }
}

#[test]
fn the_template_is_a_job_with_every_option_in_it() {
    let text = template();
    job(&text, &environment(&[]), &FlagValues::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    for row in OPTIONS
        .iter()
        .filter(|row| row.scope != Scope::Hook && row.kind != Kind::Location)
    {
        let is_there = text.lines().any(|line| {
            let line = line.trim_start_matches("# ");
            line.starts_with(&format!("{} = ", row.path))
                || line == format!("[{}]", row.path)
                || line == "[[hooks]]" && row.path == "hooks"
        });
        assert!(is_there, "{} is not in the template", row.path);
    }
    // each line that is commented out is right as it stands
    for line in text
        .lines()
        .filter(|line| line.starts_with("# ") && line.contains(" = "))
    {
        let (path, value) = line
            .trim_start_matches("# ")
            .split_once(" = ")
            .expect("an assignment");
        let Some(row) = options::find(path) else {
            continue;
        };
        let at_top = matches!(row.scope, Scope::Job | Scope::File);
        let text = if at_top {
            format!("{path} = {value}\n[pairs.one]\nsource = '/a'\ntarget = 's3://b/'\n")
        } else if row.fits == Fits::SourceS3 || row.fits == Fits::BothS3 {
            format!(
                "[pairs.one]\nsource.url = 's3://a/'\ntarget.url = 's3://b/'\n{path} = {value}\n"
            )
        } else {
            format!("[pairs.one]\nsource.url = '/a'\ntarget.url = 's3://b/'\n{path} = {value}\n")
        };
        let problems = job(&text, &environment(&[]), &FlagValues::default()).err();
        let told = problems
            .map(|problems| problems.to_string())
            .unwrap_or_default();
        let is_fine = told.is_empty()
            || [
                "without `",
                "not there",
                "cannot read",
                "is to come from the file",
                "names no pair of this job",
            ]
            .iter()
            .any(|fine| told.contains(fine));
        assert!(is_fine, "{line}\n{told}");
    }
}
