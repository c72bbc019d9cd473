use std::path::Path;

use super::*;
use crate::report::locks_directory;

fn report(dir: &Path) -> std::sync::Arc<RunReport> {
    RunReport::unwritten(&crate::job::tests::job(dir, &[]), "run")
}

fn prefix(prefix: &str) -> Subject {
    Subject::of_target(Extent::S3 {
        endpoint: None,
        bucket: "b".to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn directory(path: &str) -> Subject {
    Subject::of_target(Extent::Local(path.into()))
}

#[test]
fn what_excludes_what() {
    let dir = tempfile::tempdir().expect("tempdir");
    let sides = |source: &str| {
        Subject::of_sides([(Extent::Local(source.into()), Extent::Local("/t".into()))].into_iter())
    };
    for (held, asked, excludes) in [
        (Subject::of_job("a"), Subject::of_job("a"), true),
        (Subject::of_job("a"), Subject::of_job("b"), false),
        (Subject::of_job("a"), prefix("a"), false),
        (sides("/s"), sides("/s"), true),
        (sides("/s"), sides("/u"), false),
        (prefix("a/"), prefix("a/"), true),
        (prefix("a/"), prefix("a/b/"), true),
        (prefix("a/b/"), prefix("a/"), true),
        (prefix("a/"), prefix("b/"), false),
        (directory("/a"), directory("/a/b"), true),
        (directory("/a"), directory("/ab"), false),
        (directory("/100%\u{e4}"), directory("/100%\u{e4}/b"), true),
    ] {
        let registry = Registry::below(dir.path());
        let claim =
            |subject: &Subject| Claim::of_run("job", &report(dir.path())).on(subject.clone());
        let claim_of = |verdict| match verdict {
            Ok(Verdict::Taken(taken)) => Some(taken),
            Ok(Verdict::Anothers(holder)) => {
                assert!(holder.is_some(), "it is told who");
                None
            }
            Err(error) => panic!("{error}"),
        };
        let first = claim_of(registry.claim("x", &claim(&held)));
        let second = claim_of(registry.claim("x", &claim(&asked)));
        assert!(first.is_some(), "{held:?}");
        assert_eq!(second.is_none(), excludes, "{held:?} {asked:?}");
        drop(first);
        assert!(
            claim_of(registry.claim("x", &claim(&asked))).is_some() || !excludes,
            "{held:?} is let go"
        );
    }
}

#[test]
fn the_pairs_of_one_run_do_not_exclude_each_other() {
    let dir = tempfile::tempdir().expect("tempdir");
    let registry = Registry::below(dir.path());
    let run = Claim::of_run("job", &report(dir.path()));
    let taken: Vec<_> = [("one", "a/"), ("two", "a/b/"), ("three", "a/")]
        .into_iter()
        .map(|(name, place)| registry.claim(name, &run.clone().on(prefix(place))))
        .collect();
    assert!(
        taken
            .iter()
            .all(|verdict| matches!(verdict, Ok(Verdict::Taken(_))))
    );
    drop(taken);
    let left = std::fs::read_dir(locks_directory(dir.path())).expect("a directory");
    let left: Vec<_> = left
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    assert_eq!(left, ["mutex"], "nothing is left of what was let go");
}

#[test]
fn what_a_killed_run_left_is_in_nobodys_way() {
    let dir = tempfile::tempdir().expect("tempdir");
    let registry = Registry::below(dir.path());
    let killed = Claim::of_run("job", &report(dir.path())).on(prefix("a/"));
    let locks = locks_directory(dir.path());
    std::fs::create_dir_all(&locks).expect("a directory");
    for (name, content) in [
        ("killed-x.lock", killed.to_line()),
        ("half.lock", b"{\"v\":1,".to_vec()),
    ] {
        std::fs::write(locks.join(name), content).expect("a file");
    }
    let claim = Claim::of_run("job", &report(dir.path())).on(prefix("a/"));
    let verdict = registry.claim("x", &claim).expect("it works");
    assert!(matches!(verdict, Verdict::Taken(_)), "{verdict:?}");
    assert_eq!(std::fs::read_dir(&locks).expect("a directory").count(), 2);
}

#[test]
fn a_lock_that_a_cleaner_removed_is_put_back_unless_another_was_faster() {
    let dir = tempfile::tempdir().expect("tempdir");
    let registry = Registry::below(dir.path());
    let claim = || Claim::of_run("job", &report(dir.path())).on(Subject::of_job("job"));
    let take = || match registry.claim("job", &claim()).expect("it works") {
        Verdict::Taken(taken) => Some(taken),
        Verdict::Anothers(_) => None,
    };
    let clean = || std::fs::remove_dir_all(locks_directory(dir.path())).expect("removed");
    let mut first = take().expect("free");
    clean();
    first.renew().expect("put back");
    assert!(take().is_none(), "it is held again");
    clean();
    let second = take().expect("nobody is seen to hold it");
    let trouble = first.renew().expect_err("another has it");
    assert!(
        trouble.contains("another run of the job `job`"),
        "{trouble}"
    );
    drop(first);
    assert!(take().is_none(), "what the second holds stays");
    drop(second);
    assert!(take().is_some());
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("tempdir");
    std::fs::write(locks_directory(dir.path()), "a file").expect("a file");
    let registry = Registry::below(dir.path());
    let claim = Claim::of_run("job", &report(dir.path()));
    let error = registry.claim("job", &claim).expect_err("no directory");
    let told = error.to_string();
    assert!(
        told.contains("locks`") && told.contains("report.dir"),
        "{told}"
    );
}
