/*! Writers at work while their objects are copied: what arrives is entirely the old or entirely the
new, with what lies beside it, and the next run brings the new.
*/

use std::time::Duration;

use s3sync::object::Timestamp;
use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Run, World, content, until};

const MIB: usize = 1 << 20;

/// In parts.
const LARGE: usize = 5 * MIB + 1;

/// Listings have whole seconds: what comes so much later has another one.
const A_SECOND: Duration = Duration::from_millis(1100);

fn world() -> World {
    let world = World::new();
    world.bucket("source");
    world.bucket("target");
    for (key, size) in [("small", 1000), ("large", LARGE)] {
        put(&world, key, size, "old");
    }
    world
}

/// Writes an object of which everything says which one it is, in the bucket and in the tree.
fn put(world: &World, key: &str, size: usize, which: &'static str) {
    let bytes = content(&format!("{key} {which}"), size);
    let tree = world.tree("tree");
    tree.write(key, &bytes);
    if which == "new" {
        tree.touch_now(key);
    }
    if size < LARGE {
        world.put("source", key, &bytes);
    } else {
        let sizes = [5 * MIB, size - 5 * MIB];
        world.put_in_parts("source", key, &bytes, &sizes);
    }
    world.tag("source", key, &[("which", which)]);
}

fn run<'w>(world: &'w World, way: &str) -> Run<'w> {
    let run = world.job_in_small_parts();
    match way {
        "up" => run.pair("pair", "tree", "s3://target/"),
        "client" => run.pair("pair", "s3://source/", "s3://target/"),
        _ => run
            .pair("pair", "s3://source/", "s3://target/")
            .set("server_side_copy", "true"),
    }
}

/// What the target has: the old, the new, or a mixture.
fn which(world: &World, way: &str, key: &str, size: usize) -> &'static str {
    let bytes = world.get("target", key).expect("it is there");
    let tags = world.tags("target", key);
    let all = |which: &str| {
        let tagged = way == "up" || tags.get("which").map(String::as_str) == Some(which);
        tagged && bytes == content(&format!("{key} {which}"), size)
    };
    match (all("old"), all("new")) {
        (true, _) => "old",
        (_, true) => "new",
        _ => "a mixture",
    }
}

#[test]
fn what_is_written_over_while_it_is_copied_comes_with_the_next_run_at_the_latest() {
    for (way, key, size, operation, late) in [
        ("up", "small", 1000, "PutObject", true),
        ("up", "large", LARGE, "CompleteMultipartUpload", true),
        ("client", "small", 1000, "PutObject", true),
        ("client", "small", 1000, "GetObjectTagging", true),
        ("client", "large", LARGE, "CompleteMultipartUpload", true),
        ("client", "large", LARGE, "CreateMultipartUpload", true),
        ("server", "small", 1000, "CopyObject", true),
        ("server", "small", 1000, "CopyObject", false),
        ("server", "large", LARGE, "CompleteMultipartUpload", true),
        ("server", "large", LARGE, "GetObjectTagging", true),
    ] {
        case(format_args!(
            "{way}: {key}, at {operation}, before it {late}"
        ));
        let world = world();
        world.faults().forget_calls();
        let action = if late {
            Action::Delay
        } else {
            Action::DelayAnswer
        };
        let pause = Rule::new(action(NEVER)).operation(operation).key(key);
        world.faults().add(pause.when(When::First(1)));
        let before = world.faults().calls(operation);
        let running = run(&world, way).start();
        until("it is under way", || {
            world.faults().calls(operation) > before
        });
        // the rule has struck: what the test itself writes is not delayed
        put(&world, key, size, "new");
        std::thread::sleep(A_SECOND);
        world.faults().let_go();
        let first = running.wait();
        first.exit(0);
        let second = run(&world, way).run();
        second.exit(0);
        let seen = which(&world, way, key, size);
        assert_eq!(seen, "new", "{}{}", first.told(), second.told());
        run(&world, way).run().exit(0).transferred(0);
    }
}

/// What takes the place of an object is another one: what it is listed by is asked again.
#[test]
fn what_is_written_over_by_something_the_filters_keep_out_does_not_go() {
    for (way, key, operation) in [
        ("up", "large", "CreateMultipartUpload"),
        ("client", "small", "GetObject"),
        ("server", "small", "CopyObject"),
    ] {
        for filter in [
            ("filter.smaller_size", "6000000"),
            ("filter.mtime_before", "now"),
        ] {
            case(format_args!("{way}: {filter:?}"));
            let world = world();
            std::thread::sleep(A_SECOND);
            let now = format!("{:?}", Timestamp::now().to_string());
            let value = if filter.1 == "now" { &now } else { filter.1 };
            world.faults().forget_calls();
            let pause = Rule::new(Action::Delay(NEVER)).operation(operation);
            world.faults().add(pause.key(key).when(When::First(1)));
            let running = run(&world, way).set(filter.0, value).start();
            until("it is under way", || world.faults().calls(operation) > 0);
            std::thread::sleep(A_SECOND);
            put(&world, key, 6_000_001, "new");
            world.faults().let_go();
            let ran = running.wait();
            ran.exit(0).transferred(1);
            let filtered = ran.pair("pair").count("filtered/total");
            assert_eq!(filtered, 1, "{}", ran.told());
            assert_eq!(world.get("target", key), None, "{}", ran.told());
        }
    }
}
