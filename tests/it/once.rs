//! A version is brought over once: whatever becomes of an answer, and whatever the target keeps.

use s3sync::sandbox::{Action, Rule};

use crate::world::{Run, World, content};

/// Two buckets that keep versions, with three of one key in the first.
fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    for n in 0..3 {
        world.put("first", "dir/a", &content(&format!("a {n}"), 1000 + n));
    }
    world
}

fn every_version<'w>(world: &'w World, server_side: &str) -> Run<'w> {
    world
        .job()
        .pair("pair", "s3://first/dir/", "s3://second/copy/")
        .set("versioning.enabled", "true")
        .set("server_side_copy", server_side)
}

#[test]
fn a_target_that_keeps_no_user_metadata_gets_one_version_and_no_more() {
    for (server_side, key) in [("false", "dir/b"), ("true", "dir/b"), ("false", "dir/a")] {
        let world = world();
        for n in 0..3 {
            world.put("first", key, &content(&format!("b {n}"), 2000 + n));
        }
        for name in ["version_id", "last_modified"] {
            let header = format!("x-amz-meta-s3sync_origin_{name}");
            world.faults().add(Rule::new(Action::Ignore(header)));
        }
        let before = world.history("second").len();
        let ran = every_version(&world, server_side).run();
        ran.exit(1)
            .transferred(1)
            .says("keeps no user metadata")
            .says("versioning.enabled");
        let pair = ran.pair("pair");
        assert_eq!(pair.count("not_attempted"), 5, "{}", ran.told());
        assert_eq!(
            world.history("second").len(),
            before + 1,
            "{server_side} {key}"
        );
    }
}
