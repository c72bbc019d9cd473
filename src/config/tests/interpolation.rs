//! `${…}` in job files, and `[vars]`.

use super::*;

/// What a pair's `target.profile` comes to.
fn profile(said: &str, variables: &[(&str, &str)], flags: &FlagValues) -> Result<String, Problems> {
    let text = format!(
        "[vars]\nbucket = 'acme'\nown = '${{OWN:-none}}'\nboth = '${{vars.bucket}}-${{vars.own}}'\nempty = ''
         unused = 'x'\n[pairs.photos]\nsource = '/srv'\ntarget.url = 's3://b/'\ntarget.profile = {said}\n"
    );
    let environment = environment(variables)
        .started_at(crate::object::Timestamp::parse("2026-02-03T23:59:59Z").expect("a time"));
    let job = job(&text, &environment, flags)?;
    let value = job.resolved.to_json();
    let value = &value["pairs"]["photos"]["settings"]["target.profile"];
    assert_eq!(
        value["origin"], "jobs/test.toml:10:1 pairs.photos.target.profile",
        "what is filled in is said where it stands"
    );
    Ok(value["value"].as_str().expect("text").to_owned())
}

#[test]
fn texts_are_filled_in() {
    let variables = [
        ("HOME", "/home/me"),
        ("EMPTY", ""),
        ("HOSTILE", "${HOME} $${X} \\ \" '"),
    ];
    for (said, value) in [
        ("'plain $ $1 {x}'", "plain $ $1 {x}"),
        ("'${HOME}'", "/home/me"),
        ("\"<${HOME}>\"", "</home/me>"),
        ("'''\n${HOME}'''", "/home/me"),
        ("'${HOME:-x}'", "/home/me"),
        ("'${HOME:?x}'", "/home/me"),
        ("'${NONE:-x y}'", "x y"),
        ("'a${NONE:-}'", "a"),
        ("'${EMPTY:-x}'", "x"),
        ("'${NONE:-${EMPTY:-${HOME}}}'", "/home/me"),
        ("'${NONE:-${vars.bucket}/x}'", "acme/x"),
        ("'$${HOME}'", "${HOME}"),
        ("'$$${HOME}'", "$${HOME}"),
        ("'^.*\\.tmp$'", "^.*\\.tmp$"),
        ("'${vars.bucket}'", "acme"),
        ("'${vars.own}'", "none"),
        ("'${vars.both}'", "acme-none"),
        ("'a${vars.empty:-}'", "a"),
        ("'${vars.none:-x}'", "x"),
        (
            "'${s3sync.job}/${s3sync.pair}/${s3sync.date}'",
            "test/photos/2026-02-03",
        ),
        // what is filled in is not looked at again
        ("'${HOSTILE}'", "${HOME} $${X} \\ \" '"),
    ] {
        let seen = profile(said, &variables, &FlagValues::default());
        assert_eq!(
            seen.unwrap_or_else(|it| panic!("{said}: {it}")),
            value,
            "{said}"
        );
    }
}

#[test]
fn what_is_not_set_is_an_error_and_never_nothing() {
    for (said, message) in [
        ("'${NONE}'", "`NONE` is not set"),
        ("'${EMPTY}'", "`EMPTY` is empty, which counts as not set"),
        ("'${EMPTY:?say it}'", "say it"),
        ("'${NONE:-${EMPTY}}'", "`EMPTY` is empty"),
        ("'${vars.none}'", "`vars.none` is not set"),
        (
            "'${vars.empty}'",
            "`vars.empty` is empty, which counts as not set",
        ),
        ("'${vars.empty:?say it}'", "say it"),
        ("'${vars.bucke}'", "did you mean ${vars.bucket}?"),
        ("'${BUCKET}'", "did you mean ${vars.bucket}?"),
        ("'${vars.region}'", "did you mean ${REGION}?"),
    ] {
        let variables = [("EMPTY", ""), ("REGION", "r")];
        let problems = profile(said, &variables, &FlagValues::default()).expect_err(said);
        assert_eq!(problems.len(), 1, "{said}: {problems}");
        assert!(problems.to_string().contains(message), "{said}: {problems}");
    }
}

#[test]
fn variables_are_layered() {
    let set = |assignment: &str| {
        let mut flags = FlagValues::default();
        flags.set(assignment);
        flags
    };
    let environment = [("S3SYNC_VARS__BUCKET", "env"), ("S3SYNC_VARS__EMPTY", "")];
    for (variables, flags, value) in [
        (&[][..], FlagValues::default(), "acme-none"),
        (&[("OWN", "mine")][..], FlagValues::default(), "acme-mine"),
        (&environment, FlagValues::default(), "env-none"),
        (&environment, set("vars.bucket=a=${b}"), "a=${b}-none"),
        (&[], set("vars.own="), "acme-"),
    ] {
        let seen = profile("'${vars.both:-x}'", variables, &flags);
        match seen {
            Ok(seen) => assert_eq!(seen, value, "{variables:?} {flags:?}"),
            // an empty one is not set, whoever says it
            Err(problems) => {
                assert_eq!(value, "acme-", "{problems}");
                assert!(
                    problems.to_string().contains("`vars.own` is empty"),
                    "{problems}"
                );
            }
        }
    }
    // a variable that only the environment says
    let seen = profile(
        "'${vars.new}'",
        &[("S3SYNC_VARS__NEW", "x")],
        &FlagValues::default(),
    );
    assert_eq!(seen.expect("said"), "x");
    for (variables, flags, message) in [
        (
            &[("S3SYNC_VARS__2ND", "x")][..],
            FlagValues::default(),
            "error: `2nd` cannot be a variable's name\n --> environment variable S3SYNC_VARS__2ND\n  = lower-case letters, digits and `_`, beginning with a letter",
        ),
        (
            &[],
            set("vars.Bucket=x"),
            "error: `Bucket` cannot be a variable's name\n --> flag --set vars.Bucket\n  = lower-case letters, digits and `_`, beginning with a letter",
        ),
        (
            &[("S3SYNC_VARS_BUCKET", "x")],
            FlagValues::default(),
            "error: unknown variable `S3SYNC_VARS_BUCKET`\n --> environment variable S3SYNC_VARS_BUCKET\n  = did you mean S3SYNC_VARS__BUCKET?",
        ),
        (
            &[("S3SYNC_VARS", "x")],
            FlagValues::default(),
            "error: `vars` belongs in a job file\n --> environment variable S3SYNC_VARS\n  = say one variable: S3SYNC_VARS__NAME=… or --set vars.NAME=…",
        ),
        (
            &[],
            set("include=x"),
            "error: `include` belongs in a job file\n --> flag --set include\n  = write include = [\"common.toml\"] in it",
        ),
    ] {
        let problems = profile("'x'", variables, &flags).expect_err(message);
        assert_eq!(problems.to_string(), message);
    }
}

#[test]
fn a_replaced_variable_is_not_filled_in_but_must_be_well_formed() {
    let flags = {
        let mut flags = FlagValues::default();
        flags.set("vars.a=flag");
        flags
    };
    let pair = "[pairs.photos]\nsource = '/srv/${vars.a}'\ntarget = 's3://b/'\n";
    let text = format!("[vars]\na = '${{NOBODY:?say vars.a}}'\n{pair}");
    let job_of = |text: &str, flags: &FlagValues| job(text, &environment(&[]), flags);
    assert!(job_of(&text, &flags).is_ok());
    assert!(job_of(&text, &FlagValues::default()).is_err());
    let text = format!("[vars]\na = '${{NOBODY'\n{pair}");
    let problems = job_of(&text, &flags).expect_err("not well formed");
    assert!(
        problems.to_string().contains("jobs/test.toml:2:6"),
        "{problems}"
    );
}

#[test]
fn variables_without_a_file_are_refused() {
    let mut flags = FlagValues::default();
    flags.set("vars.a=x");
    let problems = adhoc("src", "s3://b/", &environment(&[]), &flags).expect_err("no file");
    assert_eq!(
        problems.to_string(),
        "error: `vars.a` has no file to stand in\n --> flag --set vars.a\n  = variables are for job files: write the value itself"
    );
    // one of the environment may be for another job
    let environment = environment(&[("S3SYNC_VARS__A", "x")]);
    let problems =
        adhoc("src", "s3://b/", &environment, &FlagValues::default()).expect_err("no file");
    assert!(
        problems.to_string().contains("has no file to stand in"),
        "{problems}"
    );
}

#[test]
fn every_kind_of_value_can_be_filled_in() {
    let text = "[vars]\nfalse = 'no'\neight = '8'\n[job]\nname = 'nightly-${SITE}'
        [report]\ndir = 'reports/${s3sync.job}'\n[defaults]\nverify.etag = '${vars.false}'
        performance.worker_size = '${vars.eight}'\nmultipart.chunksize = '${vars.eight}MiB'
        timeout.read = '${vars.eight}s'\nsource.region = '${s3sync.pair}-${s3sync.job}'
        verify.unverifiable = '${HOW:-fail}'\naws.config_file = '${s3sync.pair}/config'
        [pairs.one]\nsource = 's3://${s3sync.pair}/'\ntarget = '/one'
        [pairs.two]\nsource = 's3://${s3sync.pair}/'\ntarget = '/two'\nafter = ['${FIRST}']\n";
    let variables = [("SITE", "ams"), ("FIRST", "one")];
    let job = job(text, &environment(&variables), &FlagValues::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(job.name, "nightly-ams");
    assert_eq!(job.report.dir, Path::new("/srv/jobs/reports/nightly-ams"));
    for (pair, path, value) in [
        ("one", "verify.etag", "false"),
        ("one", "performance.worker_size", "8"),
        ("one", "multipart.chunksize", "\"8MiB\""),
        ("one", "timeout.read", "\"8s\""),
        ("one", "verify.unverifiable", "\"fail\""),
        ("one", "source.region", "\"one-nightly-ams\""),
        ("two", "source.region", "\"two-nightly-ams\""),
        ("one", "aws.config_file", "\"/srv/jobs/one/config\""),
        ("two", "aws.config_file", "\"/srv/jobs/two/config\""),
        ("two", "source.url", "\"s3://two/\""),
        ("two", "after", "[\"one\"]"),
    ] {
        let shown = job.resolved.to_json();
        let shown = &shown["pairs"][pair]["settings"][path]["value"];
        assert_eq!(shown.to_string(), value, "{pair} {path}");
    }
}

#[test]
fn the_jobs_name_is_the_one_that_counts() {
    let text = "[job]\nname = 'file'\n[pairs.a]\nsource = '/a'\ntarget = 's3://${s3sync.job}/'\n";
    let mut flags = FlagValues::default();
    let url = |variables: &[(&str, &str)], flags: &FlagValues| {
        let job = job(text, &environment(variables), flags).expect("a job");
        assert!(
            job.resolved.to_json()["pairs"]["a"]["settings"]["target.url"]["value"]
                == format!("s3://{}/", job.name)
        );
        job.name
    };
    let variables = [("S3SYNC_JOB__NAME", "environment")];
    assert_eq!(url(&[], &flags), "file");
    assert_eq!(url(&variables, &flags), "environment");
    flags.set("job.name=flag");
    assert_eq!(url(&variables, &flags), "flag");
}

#[test]
fn a_secret_that_is_filled_in_stays_one() {
    const CANARY: &str = "canary-9f31";
    let text = "[vars]\nmy_token = '${TOKEN}'\n[pairs.a]\nsource = '/a'\n[pairs.a.target]\nurl = 's3://b/'
        access_key = '${ID}'\nsecret_access_key = '${vars.my_token}'\nsession_token = { env = '${NAME}' }\n";
    let variables = [("TOKEN", CANARY), ("ID", CANARY), ("NAME", "TOKEN")];
    let job_of = |text: &str| job(text, &environment(&variables), &FlagValues::default());
    let job = job_of(text).unwrap_or_else(|problems| panic!("{problems}"));
    for shown in [format!("{job:?}"), job.resolved.to_json().to_string()] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    let keys = target.keys.as_ref().expect("keys");
    assert_eq!(keys.secret_access_key.expose(), CANARY);
    assert_eq!(
        keys.session_token.as_ref().expect("a token").expose(),
        CANARY
    );
    // and where it is wrong, no message quotes it
    for value in [
        "verify.etag = '${TOKEN}'",
        "timeout.read = '${vars.my_token}'",
        "performance.worker_size = '1${NONE:-${TOKEN}}'",
        "verify.unverifiable = '${TOKEN}'",
        "source.url = 'gs://${TOKEN}/'",
        "source.url = 's3:///${TOKEN}'",
        "source.endpoint_url = '${TOKEN}'",
        "after = '${TOKEN}'",
        "job.name = '${TOKEN}/'",
    ] {
        let text =
            format!("[vars]\nmy_token = '${{TOKEN}}'\n[pairs.a]\ntarget = 's3://b/'\n{value}\n");
        let problems = job_of(&text).expect_err(value);
        for said in [problems.to_string(), problems.to_json().to_string()] {
            assert!(!said.contains(CANARY), "{value}:\n{said}");
        }
    }
}

#[test]
fn variables_that_grow_or_go_on_have_an_end() {
    use std::fmt::Write as _;
    let mut laughs = String::from("[vars]\na0 = 'ha ha ha ha'\n");
    let mut chain = String::from("[vars]\na0 = 'x'\n");
    for number in 1..50 {
        let before = number - 1;
        writeln!(
            laughs,
            "a{number} = '${{vars.a{before}}}${{vars.a{before}}}'"
        )
        .expect("a string");
    }
    for number in 1..5000 {
        writeln!(chain, "a{number} = '${{vars.a{}}}'", number + 1).expect("a string");
    }
    chain.push_str("a5000 = '${vars.a0}'\n");
    for (text, message) in [
        (laughs, "the text becomes longer than 1MiB"),
        (chain, "more than 64 variables need each other in a row"),
    ] {
        let text = text + "[pairs.a]\nsource = '/a'\ntarget = 's3://b/'\n";
        let problems = job(&text, &environment(&[]), &FlagValues::default()).expect_err(message);
        assert!(problems.to_string().contains(message), "{problems}");
    }
}
