//! A version is brought over once: whatever becomes of an answer, and whatever the target keeps.

use rustix::process::Signal;
use s3sync::sandbox::{Action, Moment, Rule, When};

use crate::world::{Run, World, content, until};

const MIB: usize = 1 << 20;

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

/// The ids of the source's versions that the target's were made from, oldest first; `None` of
/// delete markers.
fn origins(world: &World) -> Vec<Option<String>> {
    let history = world.history("second").into_iter();
    history
        .map(|version| {
            version.etag.as_ref()?;
            world.metadata_of("second", &version, "s3sync_origin_version_id")
        })
        .collect()
}

/// The ids of the versions in the source; `None` of delete markers.
fn ids(world: &World) -> Vec<Option<String>> {
    let history = world.history("first").into_iter();
    history
        .map(|version| version.etag.map(|_| version.id))
        .collect()
}

#[test]
fn a_lost_answer_doubles_no_version() {
    for (server_side, operation) in [
        ("false", "PutObject"),
        ("true", "CopyObject"),
        ("false", "CompleteMultipartUpload"),
        ("false", "DeleteObject"),
    ] {
        for (when, moment) in [
            (When::Nth(1), Moment::After),
            (When::Every(2), Moment::After),
            (When::Every(2), Moment::Before),
        ] {
            let name = format!("{operation} {when:?} {moment:?}");
            let world = world();
            if operation == "CompleteMultipartUpload" {
                let large = content("large", 5 * MIB + 1);
                world.put_in_parts("first", "dir/a", &large, &[5 * MIB, 1]);
            }
            world.remove("first", "dir/a");
            let when = match (operation, when) {
                // there is but one
                ("DeleteObject", When::Every(_)) => When::Nth(1),
                _ => when,
            };
            let rule = Rule::new(Action::Close(moment)).operation(operation);
            world.faults().add(rule.key("copy/a").when(when));
            let ran = every_version(&world, server_side)
                .set("multipart.threshold", "\"5MiB\"")
                .run();
            let versions = ids(&world).len() - 1;
            ran.exit(0).transferred(versions).all_proved();
            assert_eq!(origins(&world), ids(&world), "{name}: {}", ran.told());
            let at_target: Vec<_> = world
                .history("second")
                .into_iter()
                .map(|it| it.id)
                .collect();
            let lines = ran.pair("pair").evidence();
            let told: Vec<_> = lines
                .iter()
                .map(|line| line["target"]["version_id"].as_str().map(str::to_owned))
                .collect();
            let at_target: Vec<_> = at_target.into_iter().map(Some).collect();
            assert_eq!(told, at_target, "{name}: the evidence names them");

            world.faults().clear();
            let again = every_version(&world, server_side).run();
            again.exit(0).transferred(0).all_proved();
        }
    }
}

#[test]
fn a_version_whose_fate_cannot_be_asked_is_not_sent_again() {
    let world = world();
    let faults = world.faults();
    let lost = Rule::new(Action::Close(Moment::After)).operation("PutObject");
    faults.add(lost.key("copy/a").when(When::First(1)));
    let denied = Action::Refuse {
        status: 403,
        code: "AccessDenied".to_owned(),
        retry_after: None,
    };
    let denied = Rule::new(denied).operation("HeadObject");
    faults.add(denied.key("copy/a"));
    let ran = every_version(&world, "false").run();
    ran.exit(1).transferred(0).says("was not answered");
    faults.clear();
    assert_eq!(origins(&world), ids(&world)[..1]);

    let again = every_version(&world, "false").run();
    again.exit(0).transferred(2).all_proved();
    assert_eq!(origins(&world), ids(&world));
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

#[test]
fn a_stopped_run_does_not_go_on_deleting() {
    let world = world();
    world.remove("first", "dir/a");
    let faults = world.faults();
    let before = faults.calls("DeleteObject");
    let refusal = Action::Refuse {
        status: 500,
        code: "InternalError".to_owned(),
        retry_after: None,
    };
    faults.add(Rule::new(refusal).operation("DeleteObject"));
    let running = every_version(&world, "false")
        .set("retry.initial_backoff", "\"500ms\"")
        .start();
    until("it is being tried", || {
        faults.calls("DeleteObject") >= before + 3
    });
    running.signal(Signal::TERM);
    running.wait().exit(143);
    let tried = faults.calls("DeleteObject") - before;
    assert!(tried < 10, "tried {tried} times");
}
