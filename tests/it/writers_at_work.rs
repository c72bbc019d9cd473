//! Sources that change while they are read, and disks that fill up while they are written.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Run, World, content, until};

const MIB: usize = 1 << 20;
const LARGE: usize = 20 * MIB;

fn up(world: &World) -> Run<'_> {
    world
        .job_in_small_parts()
        .set("performance.max_parallel_uploads", "1")
        .pair("pair", "tree", "s3://second/")
}

/// Statement 21: a local file that grows, shrinks or is replaced during upload → no completed
/// object matches neither old nor new.
#[test]
fn a_file_that_changes_while_it_is_uploaded_is_the_old_or_the_new() {
    let old = content("old", LARGE);
    for (name, new) in [
        ("grows", [&old[..], b"more"].concat()),
        ("shrinks", old[..LARGE - 7 * MIB].to_vec()),
        ("is rewritten", content("new", LARGE)),
        ("is replaced", content("other", LARGE / 2)),
    ] {
        for nth in [1, 2, 4] {
            case(format_args!("{name}, at part {nth}"));
            let world = World::new();
            world.bucket("second");
            let tree = world.tree("tree");
            tree.write("large", &old);
            let late = Rule::new(Action::Delay(NEVER));
            let late = late.operation("UploadPart").when(When::Nth(nth));
            world.faults().add(late);
            let running = up(&world).start();
            until("that part", || world.faults().calls("UploadPart") >= nth);
            if name == "is replaced" {
                tree.write("beside", &new);
                fs::rename(tree.join("beside"), tree.join("large")).expect("a rename");
            } else {
                fs::write(tree.join("large"), &new).expect("a file");
            }
            world.faults().let_go();
            let ran = running.wait();
            let seen = world.get("second", "large");
            let is_one_of = |seen: &Vec<u8>| *seen == old || *seen == new;
            assert!(seen.as_ref().is_none_or(is_one_of), "{}", ran.told());
            assert_eq!(world.uploads("second"), [""; 0], "{}", ran.told());
            world.faults().clear();
            up(&world).run().exit(0);
            assert!(world.get("second", "large") == Some(new.clone()), "{name}");
        }
    }
}

/// Statement 21: after the retries `source_changed`.
#[test]
fn a_file_that_never_rests_fails_and_says_why() {
    let world = World::new();
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("large", LARGE).file("small", 10);
    let stop = Arc::new(AtomicBool::new(false));
    let (path, until_then) = (tree.join("large"), Arc::clone(&stop));
    let writer = std::thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).open(path).expect("a file");
        while !until_then.load(Ordering::Relaxed) {
            file.write_all(b"x").expect("a byte");
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
    let ran = up(&world).set("retry.force_retry_count", "1").run();
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("the writer");
    ran.exit(1).transferred(1);
    let line = ran.pair("pair").line("large");
    assert_eq!(line["outcome"], "failed", "{}", ran.told());
    assert_eq!(line["reason"], "source_changed", "{}", ran.told());
    assert_eq!(world.get("second", "large"), None);
    assert_eq!(world.uploads("second"), [""; 0]);
}

/// Statement 22: a local file that vanishes between listing and open → `source_vanished`, the run
/// goes on.
#[test]
fn a_file_that_vanishes_behind_the_listing_is_left_out() {
    let world = World::new();
    world.bucket("second");
    let tree = world.tree("tree");
    for n in 0..20 {
        tree.file(&format!("f{n:02}"), 100);
    }
    let late = Rule::new(Action::Delay(NEVER));
    let late = late.operation("PutObject").when(When::First(2));
    world.faults().add(late);
    let run = world.job().set("performance.worker_size", "2");
    let running = run.pair("pair", "tree", "s3://second/").start();
    until("the first is on its way", || {
        world.faults().calls("PutObject") >= 2
    });
    fs::remove_file(tree.join("f19")).expect("a file");
    world.faults().let_go();
    let ran = running.wait();
    ran.exit(3).transferred(19);
    let line = ran.pair("pair").line("f19");
    assert_eq!(line["reason"], "source_vanished", "{}", ran.told());
    assert_eq!(world.get("second", "f19"), None);
    world.faults().clear();
    let run = world.job().pair("pair", "tree", "s3://second/");
    run.run().exit(0).transferred(0);
}

/// Statement 34: disk full in a download → the old file intact, nothing partial, the pair stops
/// instead of failing N more files.
#[test]
fn a_full_disk_ends_the_pair_and_damages_nothing() {
    let world = World::new();
    world.bucket("first");
    let down = world.tree("down");
    let Some(_mounted) = Mounted::tmpfs(Path::new(down.path()), "12m") else {
        return crate::support::skipped(
            "a_full_disk_ends_the_pair_and_damages_nothing",
            "mounting a small tmpfs is not allowed here",
        );
    };
    down.file("f00", 100).file("large", MIB);
    for n in 0..30 {
        let key = format!("f{n:02}");
        world.put("first", &key, &content(&key, 3 * MIB));
    }
    world.put("first", "large", &content("new", 2 * MIB));
    let job = || {
        world
            .job()
            .set("performance.worker_size", "2")
            .pair("pair", "s3://first/", "down")
    };
    let ran = job().run();
    ran.exit(1).says("no space left");
    let pair = ran.pair("pair");
    assert!(pair.count("failed") <= 4, "{}", ran.told());
    assert!(pair.count("not_attempted") > 20, "{}", ran.told());
    for (key, seen) in down.files() {
        let is_old = match &*key {
            "f00" => seen == content("f00", 100),
            "large" => seen == content("large", MIB),
            _ => false,
        };
        let is_new = world.get("first", &key).as_ref() == Some(&seen);
        assert!(is_old || is_new, "{key} is neither, {}", ran.told());
    }
    // once there is room, the next run goes on
    for n in 1..30 {
        world.remove("first", &format!("f{n:02}"));
        let _ = fs::remove_file(down.join(format!("f{n:02}")));
    }
    job().run().exit(0);
    assert!(down.files()["large"] == content("new", 2 * MIB));
}

/// A file system that is there until the end of the test.
struct Mounted<'p>(&'p Path);

impl<'p> Mounted<'p> {
    fn tmpfs(at: &'p Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}
