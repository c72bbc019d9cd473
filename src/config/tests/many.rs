//! Jobs of many pairs, and what their targets have to do with each other.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use crate::effort::spent;

/// What is wrong with a job of this text.
fn wrong(text: &str) -> String {
    let settings = settings(text, &environment(&[]), &FlagValues::default());
    settings
        .problems()
        .map_or_else(String::new, |problems| problems.to_string())
}

/// Pairs with these lines each.
fn pairs(count: usize, lines: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "[pairs.p{number}]\nsource = '/a'\n{}", lines(number));
        text
    })
}

#[test]
fn a_job_has_a_bounded_number_of_pairs() {
    let text = (0..10_001).fold(String::from("[pairs]\n"), |mut text, number| {
        let _ = writeln!(text, "p{number} = {{}}");
        text
    });
    let problems = job(&text, &environment(&[]), &FlagValues::default()).expect_err("too many");
    assert_eq!(problems.len(), 1, "{problems}");
    let said = problems.to_string();
    assert!(
        said.starts_with("error: 10001 pairs in one job, and 10000 are the most"),
        "{said}"
    );
    assert!(said.contains("more jobs"), "{said}");

    let sides = (0..10_001).map(|number| {
        (
            format!("S3SYNC_PAIRS__P{number}__SOURCE").into(),
            "/a".into(),
        )
    });
    let environment = Environment::new(sides, "/");
    let problems = from_environment(&environment, &FlagValues::default()).expect_err("too many");
    assert_eq!(problems.len(), 1, "{problems}");
}

#[test]
fn what_is_wrong_with_many_pairs_is_found_in_bearable_time() {
    let before = spent();
    let chain = pairs(3000, |number| {
        format!(
            "target = 's3://b/{number}/'\nafter = ['p{}']",
            (number + 1) % 3000
        )
    });
    assert!(wrong(&chain).contains("pairs wait for each other: p0 after p1 after p2"));
    let apart = pairs(3000, |number| {
        format!("target = 's3://b/{number}/'\ndelete = true")
    });
    assert_eq!(wrong(&apart), "");
    let together = pairs(3000, |_| "target = 's3://b/'\ndelete = true".to_owned());
    assert!(wrong(&together).contains("the targets of `p0` and `p1` overlap, and `p0` deletes"));
    let took = spent().saturating_sub(before);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// Statement 54: overlapping targets with deletion are refused at validation
#[test]
fn targets_that_overlap_are_found_however_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a folder");
    std::fs::create_dir(root.join("real")).expect("a folder");
    std::os::unix::fs::symlink("real", root.join("link")).expect("a link");
    let root = root.display();
    let old = "target.endpoint_url = 'https://old.example.com'";
    for (one, two, is_found) in [
        (
            format!("target = '{root}/T'"),
            format!("target = '{root}/T/sub'"),
            true,
        ),
        (
            format!("target = '{root}/T'"),
            format!("target = '{root}/Tt'"),
            false,
        ),
        (
            format!("target = '{root}/T'"),
            format!("target = '{root}/x/../T/sub'"),
            true,
        ),
        (
            format!("target = '{root}/real/sub'"),
            format!("target = '{root}/link'"),
            true,
        ),
        (
            format!("target = '{root}/real'"),
            format!("target = '{root}/link/../new'"),
            false,
        ),
        (
            "target = '/'".to_owned(),
            format!("target = '{root}/T'"),
            true,
        ),
        (
            "target = 's3://b/a'".to_owned(),
            "target = 's3://b/ab/'".to_owned(),
            true,
        ),
        (
            "target = 's3://b/a/'".to_owned(),
            "target = 's3://b/b/'".to_owned(),
            false,
        ),
        (
            "target = 's3://b/'".to_owned(),
            "target = 's3://c/'".to_owned(),
            false,
        ),
        (
            format!("target.url = 's3://b/'\n{old}"),
            "target.url = 's3://b/'\ntarget.endpoint_url = 'https://OLD.example.com:443/'"
                .to_owned(),
            true,
        ),
        (
            format!("target.url = 's3://b/'\n{old}"),
            "target.url = 's3://b/'".to_owned(),
            false,
        ),
    ] {
        for (deleting, beside) in [(&one, &two), (&two, &one)] {
            let text = format!(
                "[pairs.first]\nsource = 's3://from/'\n{deleting}\ndelete = {{ enabled = true, bare_prefix = true }}\n\
                 [pairs.second]\nsource = 's3://from/'\n{beside}\n"
            );
            let said = wrong(&text);
            let words = "the targets of `first` and `second` overlap, and `first` deletes";
            assert_eq!(said.contains(words), is_found, "{text}\n{said}");
        }
    }
}

#[test]
fn an_endpoint_is_the_same_in_other_words() {
    let old = "https://old.example.com";
    for (other, is_same) in [
        ("https://old.example.com/", true),
        ("https://OLD.example.com:443", true),
        ("https://old.example.com:8443", false),
        ("http://old.example.com", false),
        ("https://old.example.com/s3", false),
        ("https://new.example.com", false),
    ] {
        let text = format!(
            "[pairs.a]\nsource = {{ url = 's3://b/x/', endpoint_url = '{old}' }}\n\
             target = {{ url = 's3://b/x/', endpoint_url = '{other}' }}\n"
        );
        let said = wrong(&text);
        assert_eq!(said.contains("are the same"), is_same, "{other}: {said}");
        let text = text.replacen("'s3://b/x/'", "'s3://c/x/'", 1);
        let said = wrong(&format!("{text}server_side_copy = true\n"));
        assert_eq!(
            said.contains("no S3 copies from another"),
            !is_same,
            "{other}: {said}"
        );
    }
}
