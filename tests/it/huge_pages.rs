//! Huge pages: a run has them while it moves what fills them.

use std::fs;

use s3sync::sandbox::{Action, Rule};

use crate::support::{case, skipped};
use crate::world::{NEVER, World, until};

/// Whether a process may have them, as the kernel says.
fn has_huge_pages(process: &str) -> Option<bool> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|it| it.strip_prefix("THP_enabled:"));
    Some(line?.trim() == "1")
}

#[test]
fn huge_pages_are_for_large_objects() {
    if has_huge_pages("self") != Some(true) {
        return skipped("huge_pages", "there are none here");
    }
    for (bytes, expected) in [(1000, false), (2 << 20, true)] {
        case(format_args!("an object of {bytes} bytes"));
        let world = World::new();
        world.bucket("first");
        world.tree("tree").file("a", bytes);
        let late = Rule::new(Action::Delay(NEVER));
        world.faults().add(late.operation("PutObject"));
        let running = world.job().pair("pair", "tree", "s3://first/").start();
        until("the object is on its way", || {
            world.faults().calls("PutObject") >= 1
        });
        assert_eq!(has_huge_pages(&running.id().to_string()), Some(expected));
    }
}

#[test]
fn what_a_run_starts_has_huge_pages() {
    if has_huge_pages("self") != Some(true) {
        return skipped("huge_pages", "there are none here");
    }
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10);
    let hook = "\n[[hooks]]\nat = \"before\"\nscope = \"job\"\nrun = [\"cp\", \"/proc/self/status\", \"status\"]\n";
    let ran = world
        .job()
        .pair("pair", "tree", "s3://first/")
        .text(hook)
        .run();
    ran.exit(0);
    let status = fs::read_to_string(world.path("status")).expect("what the hook wrote");
    assert!(status.contains("THP_enabled:\t1"), "{status}");
}
