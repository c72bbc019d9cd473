//! What people read of an explanation, letter for letter.

use super::*;

const JOB: &str = r#"version = 1
[vars]
bucket = "${BUCKET:-acme}"
api_token = "canary-1"
[defaults]
performance.worker_size = 64
checksum.algorithm = "CRC64NVME"
delete.max_percent = 10
[pairs.photos]
source = "/srv/photos"
target.url = "s3://${vars.bucket}/photos/"
target.access_key = "canary-2"
target.secret_access_key = { env = "PHOTO_KEY" }
metadata.user = { team = "photos" }
[pairs.down]
source = "s3://acme/photos/"
target = "/srv/copy"
[[hooks]]
at = "after"
on = ["failed"]
run = ["/usr/local/bin/notify", "nightly"]
"#;

fn explained(question: &Question<'_>) -> Explanation {
    let variables = [
        ("PHOTO_KEY", "canary-3"),
        ("S3SYNC_PERFORMANCE__WORKER_SIZE", "32"),
        ("S3SYNC_VARS__BUCKET", "elsewhere"),
        ("HOME", "/home/me"),
    ];
    let mut flags = FlagValues::default();
    let row = options::find("performance.worker_size").expect("a row");
    flags.say(row, &row.flags[0], "8");
    let settings = settings(JOB, &environment(&variables), &flags);
    settings.explain(question).expect("there is such a thing")
}

/// Statement 53: the same option in file, env and flag → flag; `explain` shows the chain, secrets
/// redacted.
#[test]
fn what_is_not_the_default_with_its_whole_chain() {
    let question = Question {
        changed: true,
        ..Question::default()
    };
    let text = explained(&question).to_text();
    let (head, settings) = text.split_once("  vars.").expect("settings");
    assert!(
        head.starts_with("job test\n  from    jobs/test.toml\n  digest  "),
        "{head}"
    );
    assert_eq!(
        format!("  vars.{settings}"),
        r#"  vars.api_token = "[redacted]"  jobs/test.toml:4:1 vars.api_token
  vars.bucket = "elsewhere"      env S3SYNC_VARS__BUCKET
    over "${BUCKET:-acme}"       jobs/test.toml:3:1 vars.bucket

hook 1
  hooks.at = "after"                                jobs/test.toml:19:1 hooks.at
  hooks.on = ["failed"]                             jobs/test.toml:20:1 hooks.on
  hooks.run = ["/usr/local/bin/notify", "nightly"]  jobs/test.toml:21:1 hooks.run

pair photos
  source.url = "/srv/photos"             jobs/test.toml:10:1 pairs.photos.source.url
  target.url = "s3://elsewhere/photos/"  jobs/test.toml:11:1 pairs.photos.target.url
  target.access_key = [redacted]         jobs/test.toml:12:1 pairs.photos.target.access_key
  target.secret_access_key = [redacted] (variable PHOTO_KEY)
                                         jobs/test.toml:13:1 pairs.photos.target.secret_access_key
  checksum.algorithm = "CRC64NVME"       jobs/test.toml:7:1 defaults.checksum.algorithm
  performance.worker_size = 8            flag --worker-size
    over 32                              env S3SYNC_PERFORMANCE__WORKER_SIZE
    over 64                              jobs/test.toml:6:1 defaults.performance.worker_size
    over 16                              built-in
  metadata.user.team = "photos"          jobs/test.toml:14:19 pairs.photos.metadata.user.team
  delete.max_percent = 10                jobs/test.toml:8:1 defaults.delete.max_percent
    over 50                              built-in

pair down
  source.url = "s3://acme/photos/"  jobs/test.toml:16:1 pairs.down.source.url
  target.url = "/srv/copy"          jobs/test.toml:17:1 pairs.down.target.url
  performance.worker_size = 8       flag --worker-size
    over 32                         env S3SYNC_PERFORMANCE__WORKER_SIZE
    over 64                         jobs/test.toml:6:1 defaults.performance.worker_size
    over 16                         built-in
  delete.max_percent = 10           jobs/test.toml:8:1 defaults.delete.max_percent
    over 50                         built-in
  checksum.algorithm means nothing here: it wants a target on S3 (jobs/test.toml:7:1 defaults.checksum.algorithm)
"#
    );
}

#[test]
fn one_option_of_one_pair() {
    for (pair, key, shown) in [
        (
            Some("photos"),
            Some("performance.worker_size"),
            "
pair photos
  performance.worker_size = 8  flag --worker-size
    over 32                    env S3SYNC_PERFORMANCE__WORKER_SIZE
    over 64                    jobs/test.toml:6:1 defaults.performance.worker_size
    over 16                    built-in
",
        ),
        (
            None,
            Some("source"),
            "
pair photos
  source.url = \"/srv/photos\"  jobs/test.toml:10:1 pairs.photos.source.url

pair down
  source.url = \"s3://acme/photos/\"  jobs/test.toml:16:1 pairs.down.source.url
",
        ),
    ] {
        let question = Question {
            pair,
            key,
            changed: true,
        };
        let text = explained(&question).to_text();
        let shown_there = text.split_once("\n\n").map_or("", |(_, rest)| rest);
        assert_eq!(format!("\n{shown_there}"), shown, "{pair:?} {key:?}");
    }
}

#[test]
fn nothing_secret_is_explained_in_any_form() {
    let explanation = explained(&Question::default());
    for shown in [
        explanation.to_text(),
        explanation.to_json().to_string(),
        explanation.to_toml(&TomlStyle::default()),
        format!("{explanation:?}"),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn a_question_about_nothing_is_answered_with_what_there_is() {
    let settings = settings(
        JOB,
        &environment(&[("PHOTO_KEY", "k")]),
        &FlagValues::default(),
    );
    for (pair, key, said) in [
        (
            Some("photo"),
            None,
            "no pair is called `photo`: did you mean `photos`?",
        ),
        (
            Some("zzz"),
            None,
            "no pair is called `zzz`: there is photos, down",
        ),
        (
            Some("photos"),
            Some("performance.worker_siz"),
            "no option is called `performance.worker_siz`: did you mean `performance.worker_size`?",
        ),
        (
            Some("reprt.dir"),
            None,
            "no option is called `reprt.dir`: did you mean `report.dir`?",
        ),
    ] {
        let question = Question {
            pair,
            key,
            changed: false,
        };
        assert_eq!(settings.explain(&question).err().as_deref(), Some(said));
    }
}
