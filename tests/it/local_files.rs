//! What is special about directories: odd files, links, times, writers at work, full disks.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt as _;
use s3sync::digest::{Algorithm, digest};
use s3sync::object::Timestamp;
use s3sync::store::local::{LocalSource, LocalSourceSettings, LocalTarget, LocalTargetSettings};
use s3sync::store::{ErrorKind, LeavesOut, OddityKind, Part, Read, Source, Target as _};
use tempfile::TempDir;

use crate::support::{Listed, key, put, read, removals, skipped, write};

pub(crate) fn source(root: &Path) -> LocalSource {
    LocalSource::new(LocalSourceSettings {
        root: root.to_owned(),
        ignore_symlinks: false,
        never_list: Vec::new(),
    })
}

pub(crate) fn target(root: &Path) -> LocalTarget {
    LocalTarget::new(LocalTargetSettings {
        root: root.to_owned(),
        never_list: Vec::new(),
    })
}

/// A directory with files, each with its own path as content.
pub(crate) fn tree(paths: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for path in paths {
        plant(&dir.path().join(path), path);
    }
    dir
}

fn plant(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, content).expect("a file");
}

/// Everything in a directory by its relative path, hidden files too.
pub(crate) fn names(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a directory") {
            let entry = entry.expect("an entry");
            let path = entry.path();
            let name = path.strip_prefix(root).expect("below").to_string_lossy();
            names.push(name.into_owned());
            if entry.file_type().expect("a type").is_dir() {
                open.push(path);
            }
        }
    }
    names.sort();
    names
}

// --- listing

#[tokio::test]
async fn a_source_must_be_there_and_a_target_need_not() {
    let dir = tree(&["file"]);
    let missing = dir.path().join("missing");
    let error = Listed::of(&source(&missing)).await.error;
    let error = error.expect("a source that is not there");
    assert_eq!(error.kind, ErrorKind::Fatal);
    assert!(error.to_string().contains("no such directory"), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");

    let listed = Listed::of(&target(&missing)).await;
    assert!(listed.error.is_none() && listed.entries.is_empty());
    assert!(!missing.exists(), "listing makes nothing");

    let error = Listed::of(&target(&dir.path().join("file"))).await.error;
    assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Fatal));
}

#[tokio::test]
async fn a_single_file_is_a_source_of_one_entry() {
    let dir = tree(&["dir/only.txt", "dir/other"]);
    let source = source(&dir.path().join("dir/only.txt"));
    assert_eq!(Listed::of(&source).await.keys(), ["only.txt"]);
    let seen = read(&source, "only.txt").await.expect("a read");
    assert_eq!(seen.bytes, "dir/only.txt");
    let error = read(&source, "other").await.expect_err("outside");
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// Statement 43: a local name that is not UTF-8 is told, escaped.
/// Statement 44: fifos, sockets and devices are counted.
#[tokio::test]
async fn special_files_are_counted_and_names_that_are_no_text_escaped() {
    let dir = tree(&["a", "d/z"]);
    let root = dir.path();
    let fifo = root.join("d/fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo").success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
    symlink("d/fifo", root.join("to-fifo")).expect("a link");
    plant(&root.join(OsStr::from_bytes(b"d/caf\xe9")), "x");
    plant(&root.join(OsStr::from_bytes(b"\xff\xfedir/x")), "x");

    let listed = Listed::of(&source(root)).await;
    assert_eq!(listed.keys(), ["a", "d/z"]);
    assert_eq!(
        listed.odd(),
        [
            ("d/caf\\xe9", OddityKind::NotUtf8),
            ("d/fifo", OddityKind::SpecialFile),
            ("socket", OddityKind::SpecialFile),
            ("to-fifo", OddityKind::SpecialFile),
            ("\\xff\\xfedir/", OddityKind::NotUtf8),
        ]
    );
    // a fifo must not make anybody wait for its writer
    let error = read(&source(root), "d/fifo").await.expect_err("no file");
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// Statement 44: directory symlink loops end.
#[tokio::test]
async fn links_are_followed_and_loops_end() {
    let outside = tree(&["linked/x"]);
    let dir = tree(&["a/b/file", "z"]);
    let root = dir.path();
    symlink("..", root.join("a/b/up")).expect("a link");
    symlink(".", root.join("self")).expect("a link");
    symlink("a/b", root.join("shortcut")).expect("a link");
    symlink("nowhere", root.join("broken")).expect("a link");
    symlink("circle", root.join("circle")).expect("a link");
    symlink("z", root.join("to-z")).expect("a link");
    symlink(outside.path().join("linked"), root.join("outside")).expect("a link");

    let followed = Listed::of(&source(root)).await;
    assert_eq!(
        followed.keys(),
        ["a/b/file", "outside/x", "shortcut/file", "to-z", "z"]
    );
    assert_eq!(
        followed.odd(),
        [
            ("a/b/up/", OddityKind::NotFollowed),
            ("broken", OddityKind::NotFollowed),
            ("circle", OddityKind::NotFollowed),
            ("self/", OddityKind::NotFollowed),
            ("shortcut/up/b/", OddityKind::NotFollowed),
        ]
    );
    let seen = read(&source(root), "outside/x").await.expect("a read");
    assert_eq!(seen.bytes, "linked/x");

    let ignoring = LocalSource::new(LocalSourceSettings {
        root: root.to_owned(),
        ignore_symlinks: true,
        never_list: Vec::new(),
    });
    assert_eq!(Listed::of(&ignoring).await.keys(), ["a/b/file", "z"]);
    let error = read(&ignoring, "to-z").await.expect_err("left out");
    assert_eq!(error.kind, ErrorKind::NotFound);

    // what a target could not write through, it does not list either
    assert_eq!(
        Listed::of(&target(root)).await.keys(),
        ["a/b/file", "shortcut/file", "to-z", "z"]
    );
}

#[tokio::test]
async fn what_a_run_writes_itself_is_not_listed() {
    let dir = tree(&[
        "reports/run/report.json",
        "data/reports/kept",
        ".s3sync-0123456789abcdef.tmp",
        "data/.s3sync-fedcba9876543210.tmp",
        "data/.s3sync-mine.tmp",
    ]);
    let root = dir.path();
    symlink("reports", root.join("alias")).expect("a link");
    let expected = ["data/.s3sync-mine.tmp", "data/reports/kept"];
    // said in another way than the walk comes along
    let never_list = vec![root.join("data/../reports"), root.join("never/made")];
    let source = LocalSource::new(LocalSourceSettings {
        root: root.to_owned(),
        ignore_symlinks: false,
        never_list: never_list.clone(),
    });
    let target = LocalTarget::new(LocalTargetSettings {
        root: root.to_owned(),
        never_list,
    });
    assert_eq!(Listed::of(&source).await.keys(), expected);
    assert_eq!(Listed::of(&target).await.keys(), expected);
}

#[tokio::test]
async fn a_name_too_long_for_a_key_is_odd() {
    let long = "n".repeat(250);
    let dir = tree(&["z"]);
    let mut deep = dir.path().to_owned();
    for _ in 0..4 {
        deep.push(&long);
    }
    // 4 * 251 bytes so far, 20 left
    plant(&deep.join("f".repeat(20)), "x");
    plant(&deep.join("g".repeat(21)), "x");
    plant(&deep.join("h".repeat(20)).join("x"), "x");
    plant(&deep.join("i".repeat(18)).join("x"), "x");

    let listed = Listed::of(&source(dir.path())).await;
    let above = format!("{long}/{long}/{long}/{long}/");
    let keys = [
        format!("{above}{}", "f".repeat(20)),
        format!("{above}{}/x", "i".repeat(18)),
        "z".to_owned(),
    ];
    assert_eq!(listed.keys(), keys);
    assert_eq!(
        listed.odd(),
        [
            (
                &*format!("{above}{}", "g".repeat(21)),
                OddityKind::KeyTooLong
            ),
            (
                &*format!("{above}{}/", "h".repeat(20)),
                OddityKind::KeyTooLong
            ),
        ]
    );
}

/// Permissions bind nobody who is root, so root becomes nobody for this one.
#[tokio::test]
async fn an_unreadable_directory_is_told_and_the_rest_goes_on() {
    let name = "an_unreadable_directory_is_told_and_the_rest_goes_on";
    if is_root() {
        return as_nobody(&format!("local_files::{name}"));
    }
    let dir = tree(&["a/x", "closed/x", "dark/x", "z"]);
    let root = dir.path();
    let forbid = |path: Option<&str>, mode| {
        let path = path.map_or(root.to_owned(), |path| root.join(path));
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, permissions).expect("permissions");
    };
    forbid(Some("closed"), 0o000);
    // it can be read, and nothing in it can be looked at
    forbid(Some("dark"), 0o444);
    forbid(Some("z"), 0o000);
    let listed = Listed::of(&source(root)).await;
    let error = read(&source(root), "z").await.expect_err("may not be read");
    forbid(Some("closed"), 0o755);
    forbid(Some("dark"), 0o755);

    assert_eq!(error.kind, ErrorKind::AccessDenied);
    assert!(listed.error.is_none());
    assert_eq!(listed.keys(), ["a/x", "z"]);
    assert_eq!(
        listed.odd(),
        [
            ("closed/", OddityKind::UnreadableDirectory),
            ("dark/", OddityKind::UnreadableDirectory),
        ]
    );

    forbid(None, 0o000);
    let listed = Listed::of(&source(root)).await;
    let listed_target = Listed::of(&target(root)).await;
    forbid(None, 0o755);
    for listed in [listed, listed_target] {
        let error = listed.error.expect("an unreadable root is an error");
        assert_eq!(error.kind, ErrorKind::Fatal, "{error}");
    }
}

pub(crate) fn is_root() -> bool {
    let status = fs::metadata("/proc/self").expect("this process");
    std::os::unix::fs::MetadataExt::uid(&status) == 0
}

/// Runs one test of this binary again as a user without rights.
pub(crate) fn as_nobody(test: &str) {
    use std::os::unix::process::CommandExt as _;
    let this = std::env::current_exe().expect("this binary");
    let output = Command::new(this)
        .args(["--exact", test])
        .current_dir("/")
        .env("TMPDIR", "/tmp")
        .uid(65534)
        .gid(65534)
        .output();
    match output {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        ),
        Err(error) => skipped(test, &format!("cannot run as nobody: {error}")),
    }
}

#[tokio::test]
async fn a_listing_nobody_reads_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    for i in 0..5_000 {
        fs::write(dir.path().join(i.to_string()), "").expect("a file");
    }
    let mut listing = source(dir.path()).list();
    let first = listing.next().await.expect("a page").expect("a page");
    assert_eq!(first.entries.len(), 1000);
    // the runtime waits for its blocking threads, so that a walk that went on would hang here
    drop(listing);
}

// --- reading

#[tokio::test]
async fn a_file_that_is_written_to_is_never_read_as_a_mixture() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("f");
    let length = 4 << 20;
    fs::write(&path, vec![0; length]).expect("a file");
    let source = source(dir.path());
    let hash = Read {
        key: key("f"),
        version: None,
        range: None,
        expected: length as u64,
        if_match: None,
        hash: vec![Algorithm::Md5, Algorithm::Sha1],
    };
    let end = AtomicBool::new(false);
    let file = fs::OpenOptions::new().write(true).open(&path);
    let file = file.expect("the file");
    let runtime = tokio::runtime::Handle::current();
    let reads: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for value in (0..=u8::MAX).cycle() {
                for offset in (0..length as u64).step_by(PIECE) {
                    if end.load(Ordering::Relaxed) {
                        return;
                    }
                    let written = file.write_all_at(&vec![value; PIECE], offset);
                    written.expect("a write");
                }
            }
        });
        let reader = scope.spawn(|| {
            let reads = (0..10).map(|_| runtime.block_on(source.read(&hash)));
            let reads = reads.collect();
            end.store(true, Ordering::Relaxed);
            reads
        });
        reader.join().expect("the reader")
    });
    for read in &reads {
        match read {
            // what the file was at one moment: the new value as far as the writer had come
            Ok(seen) => {
                let values = seen.bytes.chunk_by(|a, b| a == b).map(|run| run[0]);
                let values: Vec<_> = values.collect();
                let is_one_moment = match values[..] {
                    [_] => true,
                    [new, old] => new == old.wrapping_add(1),
                    _ => false,
                };
                assert!(is_one_moment, "half old, half new: {values:?}");
            }
            Err(error) => assert_eq!(error.kind, ErrorKind::Changed, "{error}"),
        }
    }
    assert!(
        reads.iter().any(Result::is_err),
        "the writer never hit a read"
    );
}

/// What the writer at work writes at a time.
const PIECE: usize = 64 << 10;

#[tokio::test]
async fn a_replaced_file_is_another_file() {
    let dir = tree(&["f"]);
    let path = dir.path().join("f");
    let time = fs::metadata(&path).and_then(|status| status.modified());
    let time = time.expect("a time");
    let source = source(dir.path());
    let before = source
        .head((&key("f")).into(), false)
        .await
        .expect("a head");
    let other = dir.path().join("g");
    fs::write(&other, "g").expect("a file");
    let file = fs::File::options().write(true).open(&other);
    file.and_then(|file| file.set_modified(time))
        .expect("a time");
    fs::rename(&other, &path).expect("a rename");
    let after = source
        .head((&key("f")).into(), false)
        .await
        .expect("a head");
    assert_eq!((before.size, before.modified), (after.size, after.modified));
    assert!(!before.same_content(&after));
}

// --- writing

#[tokio::test]
async fn times_long_ago_and_far_ahead_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let target = target(dir.path());
    for (text, seconds, nanos) in [
        ("1965", -157_766_400, 250_000_001),
        ("1970", 0, 0),
        ("2009", 1_234_567_890, 999_999_999),
        ("2076", 3_345_062_400, 1),
    ] {
        let time = Timestamp::new(seconds, nanos);
        let mut what = put(text, 1);
        what.modified = time;
        let md5 = digest(Algorithm::Md5, b"x");
        let stored = target.put(&what, Bytes::from("x"), &[md5]).await;
        assert_eq!(stored.expect(text).size, 1);
        let head = target.head((&key(text)).into(), false).await.expect(text);
        assert_eq!(head.modified, time, "{text}");
        let kept = fs::metadata(dir.path().join(text)).and_then(|status| status.modified());
        assert_eq!(kept.expect(text), time.to_system_time(), "{text}");
    }
    let listed = Listed::of(&source(dir.path())).await;
    assert_eq!(
        listed.entries[0].modified,
        Timestamp::new(-157_766_400, 250_000_001)
    );
}

/// Statement 38: a link in the target that leads out is never written through.
#[tokio::test]
async fn nothing_is_written_through_a_link_that_leads_out() {
    let outside = tree(&["precious", "d/precious"]);
    let dir = tree(&["real/x"]);
    let root = dir.path();
    symlink(outside.path(), root.join("absolute")).expect("a link");
    let up: PathBuf = root
        .components()
        .skip(1)
        .map(|_| "..")
        .collect::<PathBuf>()
        .join(outside.path().strip_prefix("/").expect("absolute"));
    symlink(&up, root.join("relative")).expect("a link");
    symlink(outside.path().join("precious"), root.join("file")).expect("a link");
    symlink(outside.path().join("missing"), root.join("dangling")).expect("a link");
    symlink("real", root.join("inside")).expect("a link");
    let target = target(root);

    for text in [
        "absolute/precious",
        "absolute/new",
        "relative/precious",
        "relative/d/new",
        "absolute/made/new",
    ] {
        let error = write(&target, text, "evil").await.expect_err(text);
        assert_eq!(error.kind, ErrorKind::UnsafeKey, "{text}: {error}");
        assert!(error.message.contains("symbolic link"), "{text}: {error}");
        let begun = target.begin(&put(text, 4)).await.map(drop);
        assert_eq!(begun.expect_err(text).kind, ErrorKind::UnsafeKey, "{text}");
        let deleted = target
            .delete(&[(&key(text)).into()])
            .await
            .expect("a delete");
        assert!(deleted[0].is_err(), "{text}");
        assert!(read(&target, text).await.is_err(), "{text}");
    }
    // a link in the file's own place is replaced, not followed
    for text in ["file", "dangling"] {
        write(&target, text, "mine").await.expect(text);
        let kind = fs::symlink_metadata(root.join(text))
            .expect(text)
            .file_type();
        assert!(kind.is_file(), "{text}");
    }
    write(&target, "inside/y", "mine")
        .await
        .expect("a link that stays inside");
    assert!(root.join("real/y").exists());

    assert_eq!(names(outside.path()), ["d", "d/precious", "precious"]);
    let precious = fs::read_to_string(outside.path().join("precious"));
    assert_eq!(precious.expect("still there"), "precious");
}

/// Statement 37: keys that lead out of the root are refused.
#[tokio::test]
async fn unsafe_keys_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().join("root");
    let target = target(&root);
    for text in [
        "../x",
        "a/../../x",
        "..",
        "a//b",
        "//a",
        "a/./b",
        "",
        "/",
        "nul\0",
        "d/\0/x",
    ] {
        let error = write(&target, text, "evil").await.expect_err(text);
        assert_eq!(error.kind, ErrorKind::UnsafeKey, "{text:?}: {error}");
        assert!(target.begin(&put(text, 1)).await.is_err(), "{text:?}");
        let deleted = target
            .delete(&[(&key(text)).into()])
            .await
            .expect("a delete");
        assert!(deleted[0].is_err(), "{text:?}");
        assert!(read(&target, text).await.is_err(), "{text:?}");
    }
    assert!(names(dir.path()).is_empty());
    write(&target, "/abs", "x")
        .await
        .expect("one leading slash goes");
    assert_eq!(names(&root), ["abs"]);
}

/// Statement 39: of a key `a` and a key `a/b` one has the path.
#[tokio::test]
async fn a_file_and_a_directory_of_one_name_exclude_each_other() {
    let dir = tree(&["file", "dir/x"]);
    let target = target(dir.path());
    for (text, culprit) in [
        ("file/x", "/file`"),
        ("file/x/y", "/file`"),
        ("dir", "/dir`"),
    ] {
        let error = write(&target, text, "x").await.expect_err(text);
        assert_eq!(error.kind, ErrorKind::Occupied, "{text}: {error}");
        assert!(error.message.contains(culprit), "{text}: {error}");
    }
    let error = write(&target, "file/", "").await.expect_err("a directory");
    assert_eq!(error.kind, ErrorKind::Occupied, "{error}");
    assert_eq!(names(dir.path()), ["dir", "dir/x", "file"]);
}

/// Statement 40: a `dir/` marker makes a directory.
#[tokio::test]
async fn markers_are_directories() {
    let dir = tempfile::tempdir().expect("a directory");
    let target = target(dir.path());
    for _ in 0..2 {
        write(&target, "a/b/", "").await.expect("a directory");
    }
    assert_eq!(names(dir.path()), ["a", "a/b"]);
    assert!(Listed::of(&target).await.entries.is_empty());
    assert_eq!(
        target
            .head((&key("a/b/")).into(), false)
            .await
            .expect("a head")
            .size,
        0
    );
    let error = write(&target, "a/c/", "x").await.expect_err("content");
    assert_eq!(error.kind, ErrorKind::UnsafeKey);

    write(&target, "a/b/x", "x").await.expect("a file");
    let keys = [key("a/b/")];
    for result in target.delete(&removals(&keys)).await.expect("a delete") {
        result.expect("what is not empty stays");
    }
    assert_eq!(names(dir.path()), ["a", "a/b", "a/b/x"]);
}

#[tokio::test]
async fn deleting_takes_emptied_directories_along() {
    let dir = tree(&["a/b/c/x", "a/b/y", "z/x"]);
    let target = target(dir.path());
    for (text, left) in [
        ("a/b/c/x", &["a", "a/b", "a/b/y", "z", "z/x"][..]),
        ("a/b/y", &["z", "z/x"]),
        ("z", &["z", "z/x"]),
        ("z/x", &[]),
    ] {
        for result in target.delete(&[(&key(text)).into()]).await.expect(text) {
            result.expect(text);
        }
        assert_eq!(names(dir.path()), left, "{text}");
    }
    assert!(dir.path().exists(), "the root stays");
    // a directory it has known, removed and needs again
    write(&target, "a/b/c/x", "x").await.expect("a file");
    fs::remove_dir_all(dir.path().join("a")).expect("removed by somebody else");
    write(&target, "a/b/c/x", "x").await.expect("a file");
    target.flush().await.expect("synced");
}

#[tokio::test]
async fn a_replaced_file_keeps_its_permissions() {
    let dir = tree(&["script"]);
    let path = dir.path().join("script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4711)).expect("permissions");
    write(&target(dir.path()), "script", "new")
        .await
        .expect("a put");
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o711, "{mode:o}");
}

#[tokio::test]
async fn an_upload_given_up_leaves_no_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let target = target(dir.path());
    let part = Part {
        number: std::num::NonZeroU16::MIN,
        offset: 0,
        bytes: Bytes::from("half"),
        digests: Vec::new(),
    };
    for give_up in ["abort", "drop", "complete too early"] {
        let upload = target.begin(&put("k", 8)).await.expect("an upload");
        let stored = upload.put_part(&part).await.expect("a part");
        assert_eq!(names(dir.path()).len(), 1, "one temporary file");
        match give_up {
            "abort" => upload.abort().await.expect("the end of it"),
            "drop" => drop(upload),
            _ => assert!(upload.complete(vec![stored], None).await.is_err()),
        }
        assert!(names(dir.path()).is_empty(), "{give_up}");
    }
    let upload = target.begin(&put("k", 2)).await.expect("an upload");
    assert!(upload.put_part(&part).await.is_err(), "beyond the end");
}

/// Statement 34: the old file is intact, and nothing partial is left.
#[tokio::test]
async fn a_full_disk_leaves_the_old_file() {
    let test = "a_full_disk_leaves_the_old_file";
    let dir = tempfile::tempdir().expect("a directory");
    let Some(_mounted) = Mounted::tmpfs(dir.path(), "1m") else {
        return skipped(test, "mounting a small tmpfs is not allowed here");
    };
    let target = target(dir.path());
    write(&target, "old", "precious").await.expect("it fits");
    let error = write(&target, "old", vec![1; 4 << 20]).await;
    let error = error.expect_err("it does not fit");
    assert_eq!(error.kind, ErrorKind::NoSpace, "{error}");
    // an upload shows it before the first byte
    let error = target.begin(&put("old", 4 << 20)).await.map(drop);
    let error = error.expect_err("it does not fit");
    assert_eq!(error.kind, ErrorKind::NoSpace, "{error}");
    assert_eq!(names(dir.path()), ["old"]);
    let old = read(&target, "old").await.expect("a read");
    assert_eq!(old.bytes, "precious");
}

/// A file system that is there until the end of the test.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    pub(crate) fn tmpfs(at: &Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // lazily: the target still has the directory open
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Leaves out one directory, and notes which it was asked about.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<String>>);

impl LeavesOut for Asked {
    fn leaves_out(&self, directory: &str) -> bool {
        self.0.lock().expect("a list").push(directory.to_owned());
        directory == "cache/" || directory == "a/cache/"
    }
}

#[tokio::test]
async fn what_is_left_out_is_not_even_opened() {
    let dir = tree(&[
        "a/x",
        "a/cache/y",
        "a/cache.txt",
        "cache/sub/z",
        "cache/w",
        "b",
    ]);
    // it could not be
    for name in ["cache/sub", "cache"] {
        let closed = fs::Permissions::from_mode(0o000);
        fs::set_permissions(dir.path().join(name), closed).expect("a directory");
    }
    let asked = Arc::new(Asked::default());
    let settings = LocalSourceSettings {
        root: dir.path().to_owned(),
        ignore_symlinks: false,
        never_list: Vec::new(),
    };
    let source = LocalSource::leaving_out(settings, Some(asked.clone()));
    let listed = Listed::of(&source).await;
    for name in ["cache", "cache/sub"] {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(dir.path().join(name), open).expect("a directory");
    }
    assert_eq!(listed.keys(), ["a/cache.txt", "a/x", "b"]);
    let left_out = OddityKind::LeftOut;
    assert_eq!(listed.odd(), [("a/cache/", left_out), ("cache/", left_out)]);
    let asked = asked.0.lock().expect("a list");
    assert_eq!(
        *asked,
        ["a/", "a/cache/", "cache/"],
        "nothing below was looked at"
    );
}
