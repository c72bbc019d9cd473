//! Directories as they are found: with links that somebody plants, names that are one, disks that are
//! full, limits, and no permission.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use s3sync::engine::run_between;
use s3sync::event::SkipReason;
use s3sync::object::Timestamp;
use s3sync::plan::Direction;
use s3sync::store::memory::MemoryStore;
use s3sync::store::{ErrorKind, Folding, Removal, Target as _};

use crate::engine_room::{Told, context, ends, pair};
use crate::local_files::{Mounted, as_nobody, is_root, names, source, target, tree};
use crate::support::{Listed, case, key, read, removals, skipped, write};
use crate::world::{World, content, same};

const BOTH: Folding = Folding {
    case: true,
    normal_form: true,
};

/// What a target lists, to be removed as it is.
async fn listed(root: &Path) -> Vec<Removal> {
    let listed = Listed::of(&target(root)).await;
    listed.entries.iter().map(Removal::from).collect()
}

fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

// --- links

/// Statement 38: a link that leads out is never written through, nor deleted through, whenever it
/// is planted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_planted_during_the_run_lead_nowhere() {
    let outside = tree(&["x", "sub/x", "y"]);
    let dir = tree(&["d/x", "d/sub/x"]);
    let (root, there) = (dir.path().to_owned(), outside.path().to_owned());
    let stop = Arc::new(AtomicBool::new(false));
    let planter = std::thread::spawn({
        let (root, there, stop) = (root.clone(), there.clone(), Arc::clone(&stop));
        move || {
            let mut planted = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                // whoever writes has a chance to make it again
                for _ in 0..1000 {
                    if root.join("d").is_dir() {
                        break;
                    }
                    std::thread::yield_now();
                }
                let _ = fs::rename(root.join("d"), root.join(format!("hold-{planted}")));
                if symlink(&there, root.join("d")).is_ok() {
                    planted += 1;
                    std::thread::yield_now();
                    let _ = fs::remove_file(root.join("d"));
                }
            }
            planted
        }
    });
    let target = target(&root);
    let (mut written, mut refused) = (0, 0);
    for round in 0..400 {
        for name in ["d/x", "d/sub/x", "d/new"] {
            match write(&target, name, format!("ours {round}")).await {
                Ok(()) => written += 1,
                Err(error) => {
                    let expected = [
                        ErrorKind::UnsafeKey,
                        ErrorKind::NotFound,
                        ErrorKind::Occupied,
                    ];
                    assert!(expected.contains(&error.kind), "{error}");
                    refused += 1;
                }
            }
        }
        let all = ["d/x", "d/sub/x", "d/y", "d/new"].map(key);
        for result in target.delete(&removals(&all)).await.expect("results") {
            if let Err(error) = result {
                assert_eq!(error.kind, ErrorKind::UnsafeKey, "{error}");
                refused += 1;
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let planted = planter.join().expect("the planter");
    case(format_args!(
        "{planted} planted, {written} written, {refused} refused"
    ));
    assert!(planted > 0);
    write(&target, "d/x", "ours")
        .await
        .expect("the way is free");
    assert_eq!(names(&there), ["sub", "sub/x", "x", "y"]);
    for name in ["x", "sub/x", "y"] {
        let bytes = fs::read_to_string(there.join(name)).expect("a file");
        assert_eq!(bytes, name, "it is as it was");
    }
}

/// Statement 38: what a link in the target leads to is not deleted under the link's name, be it
/// inside or outside.
#[tokio::test]
async fn nothing_is_deleted_through_a_link() {
    let outside = tree(&["precious"]);
    let dir = tree(&["real/x", "file"]);
    let root = dir.path();
    symlink("real", root.join("alias")).expect("a link");
    symlink("file", root.join("to-file")).expect("a link");
    symlink(outside.path(), root.join("out")).expect("a link");
    symlink(outside.path().join("precious"), root.join("to-precious")).expect("a link");
    let all = listed(root).await;
    let keys: Vec<_> = all.iter().map(|removal| removal.key.as_str()).collect();
    assert_eq!(keys, ["alias/x", "file", "real/x", "to-file"]);

    let target = target(root);
    for (text, kind) in [
        ("alias/x", Some(ErrorKind::UnsafeKey)),
        ("out/precious", Some(ErrorKind::UnsafeKey)),
        // the link itself goes, and what it leads to stays
        ("to-file", None),
        ("to-precious", None),
    ] {
        let removal = all.iter().find(|removal| removal.key.as_str() == text);
        let removal = removal.cloned().unwrap_or_else(|| (&key(text)).into());
        let result = target.delete(&[removal]).await.expect("a result").remove(0);
        let error = result.err();
        assert_eq!(
            error.as_ref().map(|error| error.kind),
            kind,
            "{text}: {error:?}"
        );
    }
    assert_eq!(names(root), ["alias", "file", "out", "real", "real/x"]);
    assert!(outside.path().join("precious").exists());
    // what was listed was behind the link
    symlink("file", root.join("to-file")).expect("a link");
    let to_file = listed(root).await.pop().expect("the last");
    fs::remove_file(root.join("to-file")).expect("it is another one now");
    symlink("real/x", root.join("to-file")).expect("a link");
    let error = target.delete(&[to_file]).await.expect("a result").remove(0);
    let error = error.expect_err("it leads elsewhere");
    assert_eq!(error.kind, ErrorKind::PreconditionFailed, "{error}");
}

/// What the source has under the name of a link is not deleted under its own name, which the source
/// does not have: the target has it once. When the link is gone it is like everything else.
#[tokio::test]
async fn what_a_link_leads_to_stays_while_it_is_listed_under_both_names() {
    let dir = tree(&["real/sub/x", "real/y", "file", "other"]);
    let root = dir.path();
    symlink("real", root.join("alias")).expect("a link");
    symlink("file", root.join("to-file")).expect("a link");
    let candidates = ["file", "other", "real/sub/x", "real/y"].map(key);
    let target_with_links = target(root);
    let all = Listed::of(&target_with_links).await.entries;
    let removals: Vec<Removal> = (all.iter())
        .filter(|entry| candidates.contains(&entry.key))
        .map(Removal::from)
        .collect();
    let results = target_with_links.delete(&removals).await.expect("results");
    let stays = Some(ErrorKind::PreconditionFailed);
    let kinds: Vec<_> = (results.iter())
        .map(|result| result.as_ref().err().map(|error| error.kind))
        .collect();
    assert_eq!(kinds, [stays, None, stays, stays], "{results:?}");
    let left = [
        "alias",
        "file",
        "real",
        "real/sub",
        "real/sub/x",
        "real/y",
        "to-file",
    ];
    assert_eq!(names(root), left);

    fs::remove_file(root.join("alias")).expect("a link");
    fs::remove_file(root.join("to-file")).expect("a link");
    let without = target(root);
    Listed::of(&without).await;
    let results = without.delete(&removals).await.expect("results");
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(names(root), [""; 0]);
}

/// Statement 44: fifos and the like are no errors, and nobody waits for whoever writes to one.
#[tokio::test]
async fn what_took_the_place_of_a_file_stays() {
    let dir = tree(&["a", "b/x", "c/x", "d"]);
    let root = dir.path();
    let all = listed(root).await;
    fs::remove_file(root.join("a")).expect("a file");
    make_fifo(&root.join("a"));
    fs::remove_dir_all(root.join("b")).expect("a directory");
    make_fifo(&root.join("b"));
    fs::remove_file(root.join("c/x")).expect("a file");
    fs::create_dir(root.join("c/x")).expect("a directory");
    fs::write(root.join("d"), "longer than it was").expect("a file");
    let results = target(root).delete(&all).await.expect("results");
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind))
        .collect();
    let stays = Some(ErrorKind::PreconditionFailed);
    assert_eq!(kinds, [stays, None, None, stays], "{results:?}");
    assert_eq!(names(root), ["a", "b", "c", "c/x", "d"]);
    for (at, words) in [(0, "fifo"), (3, "replaced or written to")] {
        let error = results[at].as_ref().expect_err("it stays").to_string();
        assert!(error.contains(words), "{error}");
    }
    // one that was a file when it was listed
    let error = read(&source(root), "a").await.expect_err("no file");
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
}

/// Statement 40: a directory that the source has as a key stays, though the last file in it goes.
#[tokio::test]
async fn a_directory_that_is_a_key_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path();
    let target = target(root);
    for (text, bytes) in [
        ("kept/", ""),
        ("kept/x", "x"),
        ("kept/a/b", "x"),
        ("goes/x", "x"),
    ] {
        write(&target, text, bytes.to_owned()).await.expect(text);
    }
    let files: Vec<_> = listed(root).await;
    for result in target.delete(&files).await.expect("results") {
        result.expect("it goes");
    }
    assert_eq!(names(root), ["kept"]);
    for result in target
        .delete(&removals(&[key("kept/")]))
        .await
        .expect("results")
    {
        result.expect("it goes");
    }
    assert_eq!(names(root), [""; 0]);
}

// --- names

/// Statement 39: of keys that are one name on the file system the first in order arrives, on every
/// run the same, and the others are told.
#[tokio::test]
async fn of_keys_that_are_one_name_the_first_arrives() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = MemoryStore::new();
    let all = [
        "A/x", "README", "Readme", "a/x", "a/y", "b", "e\u{301}", "readme", "z/Q", "z/q/r",
        "\u{e9}",
    ];
    for text in all {
        store.insert(
            &key(text),
            text.to_owned(),
            Timestamp::new(1_000_000_000, 0),
        );
    }
    for (folding, arrive) in [
        (BOTH, &["A/x", "README", "b", "e\u{301}", "z/Q"][..]),
        (Folding::NONE, &all[..]),
    ] {
        let root = dir.path().join(format!("{}", folding.case));
        let to = target(&root).folding_like(folding);
        for run in 0..2 {
            case(format_args!("{folding:?} {run}"));
            let told = Arc::new(Told::default());
            let stores = ends(&store, &to, Direction::S3ToLocal);
            run_between(stores, &pair(), &context(&told))
                .await
                .expect("a run");
            let arrived: Vec<_> = told.transferred();
            let arrived: Vec<_> = arrived.iter().map(|key| key.as_str()).collect();
            assert_eq!(arrived, if run == 0 { arrive } else { &[] });
            let skipped = told.skipped();
            assert_eq!(skipped.len(), all.len() - arrive.len(), "{skipped:?}");
            for (key, reason) in skipped {
                assert!(!arrive.contains(&&*key), "{key}");
                assert_eq!(reason, SkipReason::ShadowedKey, "{key}");
            }
        }
        for text in arrive {
            let seen = read(&to, text).await.expect(text).bytes;
            assert_eq!(seen, *text);
        }
    }
}

/// The target had the file under another spelling: that is the one just written, and no key of its
/// own that could go.
#[tokio::test]
async fn a_file_just_written_is_not_deleted_under_another_name() {
    let dir = tree(&["Readme", "other"]);
    let to = target(dir.path()).folding_like(BOTH);
    let all = listed(dir.path()).await;
    write(&to, "README", "new").await.expect("a put");
    let results = to.delete(&all).await.expect("results");
    let error = results[0].as_ref().expect_err("it stays");
    assert_eq!(error.kind, ErrorKind::PreconditionFailed);
    assert!(
        error.to_string().contains("the file of another key"),
        "{error}"
    );
    assert!(results[1].is_ok());
    assert_eq!(names(dir.path()), ["README", "Readme"]);
}

/// The probe leaves nothing, writes nothing where it must not, and finds that this machine's disks
/// tell names apart.
#[tokio::test]
async fn whether_names_fold_is_found_out_without_a_trace() {
    for (name, may_write) in [("there", true), ("there", false), ("missing", true)] {
        case(format_args!("{name} {may_write}"));
        let dir = tree(&["there/File"]);
        let root = dir.path().join(name);
        let before = fs::metadata(dir.path().join("there")).expect("a directory");
        let folding = target(&root).folding(may_write).await;
        if cfg!(target_os = "linux") {
            assert_eq!(folding, Folding::NONE);
        }
        assert_eq!(names(dir.path()), ["there", "there/File"]);
        let after = fs::metadata(dir.path().join("there")).expect("a directory");
        let is_untouched =
            (before.mtime(), before.mtime_nsec()) == (after.mtime(), after.mtime_nsec());
        assert_eq!(is_untouched, !(may_write && name == "there"));
    }
}

/// Statement 36: names of 255 bytes, and paths longer than a path may be, come and go like others.
#[tokio::test]
async fn long_names_and_paths_are_like_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut root = dir.path().to_owned();
    while root.as_os_str().len() < 3850 {
        root.push("d".repeat(200));
    }
    fs::create_dir_all(&root).expect("directories");
    let keys = [
        "n".repeat(255),
        [&*"m".repeat(255), &"m".repeat(255), &"m".repeat(255), "x"].join("/"),
        [&*"\u{3042}".repeat(85), "x"].join("/"),
    ];
    let target = target(&root);
    for text in &keys {
        write(&target, text, "content").await.expect("a put");
        write(&target, text, "content again").await.expect("a put");
        let seen = read(&source(&root), text).await.expect("a read").bytes;
        assert_eq!(seen, "content again");
    }
    let removals = listed(&root).await;
    assert_eq!(removals.len(), 3);
    for result in target.delete(&removals).await.expect("results") {
        result.expect("it goes");
    }
    let left = fs::read_dir(&root).expect("the root").count();
    assert_eq!(left, 0, "no directory, no temporary file");
}

/// Statement 5: times before 1970 and far ahead are kept, and the second run does nothing.
/// Statement 6: down and up again moves nothing.
#[test]
fn times_beyond_every_border_go_up_and_down_once() {
    let world = World::new();
    world.bucket("times");
    let tree = world.tree("tree");
    for (name, seconds) in [
        ("1901", -2_147_483_649),
        ("1965", -157_766_400),
        ("1970", 0),
        ("2038", 2_147_483_648),
        ("2076", 3_345_062_400),
        ("2107", 4_323_456_000),
        ("2300", 10_413_792_000),
    ] {
        tree.file(name, 100).touch(name, seconds);
    }
    let run = |pair: (&str, &str), transferred: usize| {
        for count in [transferred, 0] {
            let ran = world.job().pair("pair", pair.0, pair.1).run();
            ran.exit(0).transferred(count);
        }
    };
    run(("tree", "s3://times/"), 7);
    run(("s3://times/", "down"), 7);
    run(("down", "s3://times/"), 0);
    same(&tree.files(), &world.tree("down").files());
}

// --- disks and limits

/// Statement 34: a disk that is full leaves the old file, and nothing partial; the pair stops.
#[test]
fn a_full_disk_ends_the_pair_with_the_old_files_intact() {
    let test = "a_full_disk_ends_the_pair_with_the_old_files_intact";
    let world = World::new();
    world.bucket("full");
    let down = world.tree("down");
    let Some(_mounted) = Mounted::tmpfs(Path::new(down.path()), "2m") else {
        return skipped(test, "mounting a small tmpfs is not allowed here");
    };
    down.write("old-large", b"precious")
        .write("old-small", b"precious");
    world.put("full", "old-large", &content("large", 12 << 20));
    for number in 0..60 {
        world.put(
            "full",
            &format!("new/{number:02}"),
            &content("new", 100 << 10),
        );
    }
    world.put("full", "old-small", &content("small", 900 << 10));
    let ran = world
        .job_in_small_parts()
        .pair("down", "s3://full/", "down")
        .run();
    assert!(!ran.has_ended(0) && !ran.has_ended(101), "{}", ran.told());
    let pair = ran.pair("down");
    assert!(ran.told().contains("no space left"), "{}", ran.told());
    assert!(pair.number("/counts/not_attempted") > 20, "{}", ran.told());
    assert_eq!(
        fs::read(down.join("old-large")).expect("a file"),
        b"precious"
    );
    for name in names(Path::new(down.path())) {
        assert!(!name.contains(".s3sync-"), "{name} is left");
        if name.starts_with("new/") {
            let bytes = fs::read(down.join(&name)).expect("a file");
            assert_eq!(bytes, content("new", 100 << 10), "{name}");
        }
    }
}

#[test]
fn a_read_only_disk_ends_the_pair_with_one_error() {
    let test = "a_read_only_disk_ends_the_pair_with_one_error";
    let world = World::new();
    world.bucket("first");
    let down = world.tree("down");
    let Some(_mounted) = Mounted::tmpfs(Path::new(down.path()), "2m") else {
        return skipped(test, "mounting a small tmpfs is not allowed here");
    };
    down.write("old", b"old");
    for number in 0..40 {
        world.put("first", &format!("{number:02}"), b"x");
    }
    world.put("first", "old", b"old");
    let mount = Command::new("mount")
        .args(["-o", "remount,ro", down.path()])
        .status();
    assert!(mount.is_ok_and(|status| status.success()), "remounted");
    let ran = world.job().pair("down", "s3://first/", "down").run();
    assert!(!ran.has_ended(0) && !ran.has_ended(101), "{}", ran.told());
    assert!(ran.told().contains("read-only file"), "{}", ran.told());
    let failed = ran.pair("down").count("failed");
    assert!(failed <= 32, "no more than were under way: {failed}");
    assert_eq!(fs::read(down.join("old")).expect("a file"), b"old");
}

/// `ulimit -f` brings a signal along that ends a process which does not expect it.
#[test]
fn a_file_beyond_the_users_limit_fails_alone() {
    let world = World::new();
    world.bucket("first");
    for number in 0..5 {
        world.put("first", &format!("small-{number}"), &content("small", 1000));
    }
    world.put("first", "large", &content("large", 6 << 20));
    world.put("first", "parts", &content("parts", 12 << 20));
    let down = world.tree("down");
    down.write("large", b"old");
    // in blocks of 512 bytes or of 1 KiB
    let limited = ["sh", "-c", "ulimit -f 4096; exec \"$@\"", "sh"];
    let run = world
        .job_in_small_parts()
        .pair("down", "s3://first/", "down");
    let ran = run.through(&limited).run();
    assert!(!ran.has_ended(0) && !ran.has_ended(101), "{}", ran.told());
    ran.transferred(5);
    assert!(ran.told().contains("file too large"), "{}", ran.told());
    assert_eq!(ran.pair("down").count("failed"), 2, "{}", ran.told());
    assert_eq!(fs::read(down.join("large")).expect("a file"), b"old");
    assert_eq!(names(Path::new(down.path())).len(), 6, "nothing partial");
}

/// A deep tree under few open files: it works, or it says what there is too little of.
#[test]
fn few_open_files_are_enough_or_said() {
    let world = World::new();
    world.bucket("first");
    let tree = world.tree("tree");
    for number in 0..80 {
        tree.file(&format!("{:02}/a/b/c/{number}", number % 40), 2000);
    }
    for (way, limit) in [("up", 256), ("down", 256), ("up", 24), ("down", 24)] {
        case(format_args!("{way} {limit}"));
        let limited = format!("ulimit -n {limit}; exec \"$@\"");
        let (from, to) = match way {
            "up" => ("tree", format!("s3://first/{limit}/")),
            _ => ("s3://first/256/", format!("down-{limit}")),
        };
        let run = world.job().pair("pair", from, &to);
        let ran = run.through(&["sh", "-c", &limited, "sh"]).run();
        assert!(!ran.stderr.contains("panicked"), "{}", ran.told());
        if limit == 256 {
            ran.exit(0).transferred(80);
        } else if !ran.has_ended(0) {
            assert!(ran.told().contains("oo many open files"), "{}", ran.told());
        }
    }
}

// --- permissions

/// What we write has the permissions of any new file, and of the file it replaces.
#[test]
fn new_files_obey_the_umask_and_others_keep_their_permissions() {
    let world = World::new();
    world.bucket("first");
    let down = world.tree("down");
    for (name, size) in [
        ("new", 10),
        ("dir/new", 10),
        ("parts", 11 << 20),
        ("script", 10),
    ] {
        world.put("first", name, &content(name, size));
    }
    down.write("script", b"#!/bin/sh");
    fs::set_permissions(down.join("script"), fs::Permissions::from_mode(0o755)).expect("a mode");
    for (umask, file, dir) in [
        ("027", 0o640, 0o750),
        ("077", 0o600, 0o700),
        ("000", 0o666, 0o777),
    ] {
        let masked = format!("umask {umask}; exec \"$@\"");
        let run = world
            .job_in_small_parts()
            .pair("down", "s3://first/", "down");
        run.through(&["sh", "-c", &masked, "sh"]).run().exit(0);
        let mode = |name: &str| {
            let status = fs::metadata(down.join(name)).expect("a file");
            status.permissions().mode() & 0o7777
        };
        let seen = ["new", "parts", "dir/new", "dir", "script"].map(mode);
        assert_eq!(
            seen,
            [file, file, file, dir, 0o755],
            "umask {umask}: {seen:?}"
        );
        for name in ["new", "parts"] {
            fs::remove_file(down.join(name)).expect("a file");
        }
        fs::remove_dir_all(down.join("dir")).expect("a directory");
    }
}

/// Permissions bind nobody who is root, so root becomes nobody for this one.
#[tokio::test]
async fn what_may_not_be_changed_stays_and_is_told() {
    let name = "what_may_not_be_changed_stays_and_is_told";
    if is_root() {
        return as_nobody(&format!("local_care::{name}"));
    }
    let dir = tree(&["closed/x", "fixed/x", "fixed/sub/x", "free/x"]);
    let root = dir.path();
    let forbid = |path: &str, mode| {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let all = listed(root).await;
    forbid("closed", 0o000);
    forbid("fixed", 0o555);
    let target = target(root);
    let mut written = Vec::new();
    for text in ["closed/x", "closed/new", "fixed/x", "fixed/new", "free/new"] {
        written.push(write(&target, text, "new").await.err());
    }
    let results = target.delete(&all).await.expect("results");
    forbid("closed", 0o755);
    forbid("fixed", 0o755);
    let kinds: Vec<_> = written
        .iter()
        .map(|error| error.as_ref().map(|e| e.kind))
        .collect();
    let denied = Some(ErrorKind::AccessDenied);
    assert_eq!(kinds, [denied, denied, denied, denied, None], "{written:?}");
    for (removal, result) in all.iter().zip(&results) {
        let expected = match removal.key.as_str() {
            "closed/x" | "fixed/x" => denied,
            _ => None,
        };
        let seen = result.as_ref().err().map(|error| error.kind);
        assert_eq!(seen, expected, "{removal:?}: {result:?}");
    }
    // an empty directory in one that is fixed stays, and that is no error of its file
    assert_eq!(
        names(root),
        [
            "closed",
            "closed/x",
            "fixed",
            "fixed/sub",
            "fixed/x",
            "free",
            "free/new"
        ]
    );
}

/// The same through the built binary: each object has its error, and the others arrive.
#[test]
fn a_directory_that_may_not_be_written_is_an_error_of_its_objects() {
    let name = "a_directory_that_may_not_be_written_is_an_error_of_its_objects";
    if is_root() {
        return as_nobody(&format!("local_care::{name}"));
    }
    let world = World::new();
    world.bucket("first");
    for name in ["fixed/new", "fixed/old", "free/new"] {
        world.put("first", name, b"new");
    }
    let down = world.tree("down");
    down.write("fixed/old", b"precious");
    fs::set_permissions(down.join("fixed"), fs::Permissions::from_mode(0o555)).expect("a mode");
    let ran = world.job().pair("down", "s3://first/", "down").run();
    fs::set_permissions(down.join("fixed"), fs::Permissions::from_mode(0o755)).expect("a mode");
    ran.exit(1).transferred(1);
    for key in ["fixed/new", "fixed/old"] {
        let line = ran.pair("down").line(key).to_string();
        assert!(line.contains("permission denied"), "{line}");
    }
    let seen = names(Path::new(down.path()));
    assert_eq!(seen, ["fixed", "fixed/old", "free", "free/new"]);
    assert_eq!(
        fs::read(down.join("fixed/old")).expect("a file"),
        b"precious"
    );
}
