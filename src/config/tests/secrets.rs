//! Secrets arrive where they sign, and nowhere else.

use super::*;

const CANARY: &str = "canary-9f31";

#[test]
fn a_secret_shows_in_nothing_that_is_written() {
    let text = format!(
        "[pairs.photos]\nsource = '/a'\n[pairs.photos.target]\nurl = 's3://b/'\naccess_key = '{CANARY}'\n"
    );
    let environment = environment(&[("S3SYNC_TARGET__SECRET_ACCESS_KEY", CANARY)]);
    let mut flags = FlagValues::default();
    flags.set(format!("target.session_token={CANARY}"));
    let job = job(&text, &environment, &flags).expect("a job");
    for shown in [
        format!("{job:?}"),
        job.resolved.to_json().to_string(),
        format!("{environment:?}"),
        format!("{flags:?}"),
    ] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let secrets: Vec<&str> = job.secrets.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        secrets,
        [
            "pairs.photos.target.access_key",
            "pairs.photos.target.secret_access_key",
            "pairs.photos.target.session_token"
        ]
    );
    assert_eq!(job.secrets[1].1, "env S3SYNC_TARGET__SECRET_ACCESS_KEY");
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    let keys = target.keys.as_ref().expect("keys");
    assert_eq!(keys.secret_access_key.expose(), CANARY);
    assert_eq!(
        keys.session_token.as_ref().expect("a token").expose(),
        CANARY
    );
}

#[test]
fn the_digest_is_of_settings_and_not_of_secrets() {
    let with = |key: &str, region: &str| {
        let text = format!(
            "[pairs.photos]\nsource = '/a'\n[pairs.photos.target]\nurl = 's3://b/'\nregion = '{region}'\naccess_key = '{key}'\nsecret_access_key = 'k'\n"
        );
        let job = job(&text, &environment(&[]), &FlagValues::default()).expect("a job");
        assert_eq!(job.digest.len(), 64);
        (job.digest, job.pairs[0].digest.clone())
    };
    assert_eq!(with("a", "r"), with("b", "r"));
    assert_ne!(with("a", "r").0, with("a", "s").0);
    assert_ne!(with("a", "r").1, with("a", "s").1);
}

#[test]
fn secrets_come_from_files_and_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{CANARY}\n")).expect("written");
    let path = file.to_str().expect("UTF-8");
    let text = format!(
        "[pairs.photos]\nsource = '/a'\n[pairs.photos.target]\nurl = 's3://b/'\naccess_key = {{ env = 'MY_ID' }}\nsession_token = {{ file = '{path}' }}\n"
    );
    let environment = environment(&[
        ("MY_ID", CANARY),
        ("S3SYNC_TARGET__SECRET_ACCESS_KEY_FILE", path),
    ]);
    let job = job(&text, &environment, &FlagValues::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    let TargetSpec::S3(target) = &job.pairs[0].target else {
        panic!("a bucket");
    };
    let keys = target.keys.as_ref().expect("keys");
    for secret in [
        Some(&keys.access_key),
        Some(&keys.secret_access_key),
        keys.session_token.as_ref(),
    ] {
        assert_eq!(secret.expect("said").expose(), CANARY);
    }
}
