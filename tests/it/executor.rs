//! Pairs in order and side by side, what one means for the others, and the time of a job.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Ran, Run, World};

/// Three directories and a bucket for each.
fn world() -> World {
    let world = World::new();
    for name in ["first", "second", "third"] {
        world.bucket(name);
        world.tree(name).file("a", 10).file("b", 20);
    }
    world
}

fn three(world: &World) -> Run<'_> {
    world
        .job()
        .pair("first", "first", "s3://first/")
        .pair("second", "second", "s3://second/")
        .pair("third", "third", "s3://third/")
}

/// What each pair came to, in the report's order.
fn statuses(ran: &Ran) -> String {
    let pairs = ran.report["pairs"].as_array().expect("pairs").iter();
    let words = pairs.map(|pair| {
        let of = |key: &str| pair[key].as_str().expect("a word").to_owned();
        format!("{}: {}", of("name"), of("status"))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Statement 51: of three pairs the second fails, the third runs, and the exit code is the worst.
#[test]
fn a_failed_pair_is_no_other_pairs_failure() {
    for most in ["1", "3"] {
        case(format_args!("{most} at once"));
        let world = world();
        fs::remove_dir_all(world.path("second")).expect("it was there");
        let ran = three(&world)
            .text(&format!("[job]\nmax_parallel_pairs = {most}\n"))
            .run();
        ran.exit(1).transferred(4);
        assert_eq!(
            statuses(&ran),
            "first: success, second: failed, third: success"
        );
        assert_eq!(world.objects("third", "").len(), 2);
        let order = ["first", "second", "third"].map(|name| ran.stdout.find(&format!("\n{name} ")));
        assert!(order.is_sorted() && order[0].is_some(), "{}", ran.stdout);
    }
}

/// Statement 51: those that were not attempted say so.
#[test]
fn after_a_failed_pair_the_rest_is_left_where_that_is_asked_for() {
    let world = world();
    fs::remove_dir_all(world.path("first")).expect("it was there");
    let ran = three(&world)
        .text("[job]\non_pair_failure = \"stop\"\n")
        .run();
    ran.exit(1).transferred(0).says("not_attempted");
    assert_eq!(
        statuses(&ran),
        "first: failed, second: not_attempted, third: not_attempted"
    );
    let reason = &ran.pair("third").report["status_reason"];
    assert_eq!(
        *reason,
        "not attempted: `first` ended as failed (job.on_pair_failure)"
    );
    assert_eq!(world.faults().calls("PutObject"), 0);
}

/// Each of two pairs waits, before it begins, for the other.
#[test]
fn pairs_run_side_by_side() {
    let world = world();
    let hook = world.path("meet");
    let script = "#!/bin/sh\ncase $S3SYNC_RUN_PAIR in first) cat there; echo > back;; *) echo > there; cat back;; esac\n";
    fs::write(&hook, script).expect("a script");
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("a program");
    for name in ["there", "back"] {
        let made = std::process::Command::new("mkfifo")
            .arg(world.path(name))
            .status();
        assert!(made.expect("mkfifo").success());
    }
    let hooks =
        "\n[[hooks]]\nat = \"before\"\nscope = \"pair\"\nrun = [\"./meet\"]\non_error = \"fail\"\n";
    let ran = world
        .job()
        .pair("first", "first", "s3://first/")
        .pair("second", "second", "s3://second/")
        .text("[job]\nmax_parallel_pairs = 2\n")
        .text(hooks)
        .run();
    ran.exit(0).transferred(4).all_proved();
}

#[test]
fn pairs_side_by_side_share_one_budget() {
    let world = world();
    for name in ["first", "second"] {
        for n in 0..8 {
            world.tree(name).file(&format!("n{n}"), 100);
        }
    }
    let two = |limits: &str| {
        let run = world.job().pair("first", "first", "s3://first/").pair(
            "second",
            "second",
            "s3://second/",
        );
        run.text(&format!(
            "[job]\nmax_parallel_pairs = 2\n[limits]\n{limits}\n"
        ))
        .run()
    };
    // one object at a time, and each takes its time
    let late = Rule::new(Action::Delay(Duration::from_millis(100)));
    world
        .faults()
        .add(late.operation("PutObject").when(When::Always));
    let ran = two("workers = 1");
    ran.exit(0).transferred(20).all_proved();
    let took = ran.report["run"]["duration_ms"]
        .as_u64()
        .expect("a duration");
    assert!(took >= 2000, "{took} ms: {}", ran.told());

    world.faults().clear();
    for name in ["first", "second"] {
        world.tree(name).file("large", 40 << 20);
    }
    // a part of each is all there is room for
    two("memory = \"16MiB\"")
        .exit(0)
        .transferred(2)
        .all_proved();
}

#[test]
fn a_pair_begins_when_those_it_comes_after_have_ended() {
    let world = world();
    world.tree("down");
    for most in ["1", "4"] {
        case(format_args!("{most} at once"));
        let ran = world
            .job()
            .pair("last", "s3://first/", "down")
            .set("after", "[\"again\", \"up\"]")
            .pair("up", "first", "s3://first/")
            .pair("again", "second", "s3://first/again/")
            .text(&format!("[job]\nmax_parallel_pairs = {most}\n"))
            .run();
        ran.exit(0);
        let time = |name: &str, key: &str| {
            let time = ran.pair(name).report[key].as_str();
            time.expect("a time").to_owned()
        };
        for before in ["up", "again"] {
            assert!(
                time("last", "started_at") >= time(before, "finished_at"),
                "{}",
                ran.told()
            );
        }
        assert_eq!(statuses(&ran), "last: success, up: success, again: success");
    }
    assert_eq!(world.tree("down").files().len(), 4);

    // asked for alone, it waits for nobody
    world.tree("first").file("new", 5);
    let alone = world
        .job()
        .pair("last", "s3://first/", "down")
        .set("after", "[\"up\"]");
    let alone = alone
        .pair("up", "first", "s3://first/")
        .arguments(&["--pair", "last"])
        .run();
    alone.exit(0).transferred(0);
    assert_eq!(statuses(&alone), "last: success");
}

#[test]
fn a_job_is_stopped_when_its_time_is_up() {
    let world = world();
    world.tree("first").file("large", 24 << 20);
    let late = Rule::new(Action::Delay(NEVER));
    world
        .faults()
        .add(late.operation("UploadPart").when(When::Nth(2)));
    let hook = "\n[[hooks]]\nat = \"after\"\non = [\"timeout\"]\nrun = [\"sh\", \"-c\", \"echo $S3SYNC_RUN_STATUS $S3SYNC_RUN_EXIT_CODE > told\"]\n";
    let ran = three(&world)
        .set("performance.max_parallel_uploads", "1")
        .text("[job]\ntimeout = \"2s\"\n")
        .text(hook)
        .run();
    ran.exit(6).says("job.timeout");
    assert_eq!(ran.report["run"]["status"], "timeout", "{}", ran.told());
    assert_eq!(ran.report["run"]["interrupted_by"], serde_json::Value::Null);
    assert_eq!(
        statuses(&ran),
        "first: timeout, second: timeout, third: timeout"
    );
    let told = fs::read_to_string(world.path("told")).expect("the hook ran");
    assert_eq!(told, "timeout 6\n");
    assert_eq!(world.uploads("first"), [""; 0], "nothing is left half done");
    assert_eq!(world.get("first", "large"), None);

    world.faults().clear();
    three(&world).run().exit(0).all_proved();
    assert!(world.get("first", "large").is_some());
}
