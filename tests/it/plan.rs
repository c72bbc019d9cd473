//! `plan`: what a run would do, and why; and nothing done.

use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Ran, Run, World};

/// Both buckets, and a tree of which one file is up already and one is up in another size.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    for name in ["a/same", "b-changed", "c new", "d/e/new"] {
        tree.file(name, 1000);
    }
    world.put("first", "p/a/same", &[0; 1000]);
    world.put("first", "p/b-changed", b"other");
    world.put("first", "p/only-there", b"x");
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("up", "tree", "s3://first/p/")
}

/// The lines of a plan in JSON that are of this type.
fn lines(ran: &Ran, kind: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str::<Value>(line).expect("a line of JSON");
    let lines = ran.stdout.lines().map(parse);
    lines.filter(|line| line["type"] == kind).collect()
}

/// What is decided on each key, and why.
fn decisions(lines: &[Value]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| json!([line["key"], line["action"], line["reason"]]))
        .collect()
}

/// Nothing was sent that changes anything, and nothing was left behind.
#[track_caller]
fn did_nothing(world: &World, ran: &Ran, mutations: usize) {
    assert_eq!(
        world.faults().mutations().len(),
        mutations,
        "{}",
        ran.told()
    );
    assert!(!world.path("reports").exists(), "{}", ran.told());
    assert!(!world.path("down").exists(), "{}", ran.told());
}

#[test]
fn a_plan_is_what_the_run_does_and_does_nothing() {
    for (source, target) in [
        ("tree", "s3://first/p/"),
        ("s3://first/p/", "down"),
        ("s3://first/p/", "s3://second/q/"),
        ("s3://second/", "s3://first/"),
    ] {
        case(format_args!("{source} {target}"));
        let world = world();
        world.tree("tree").file("same second", 1000);
        world.put(
            "first",
            "p/same second",
            &world.tree("tree").files()["same second"],
        );
        world.tree("tree").touch_now("same second");
        let job = world.job().pair("pair", source, target);
        let before = world.faults().mutations().len();
        let plan = job.clone().called("plan").arguments(&["--format", "json"]);
        let plan = plan.run();
        plan.exit(0);
        did_nothing(&world, &plan, before);

        let ran = job.run();
        ran.exit(0);
        let pair = ran.pair("pair");
        let planned = lines(&plan, "object");
        let done = pair.evidence();
        let sorted = |lines: &[Value]| {
            let mut decisions = decisions(lines);
            decisions.sort_by_key(Value::to_string);
            decisions
        };
        assert_eq!(sorted(&planned), sorted(&done), "{}", plan.told());
        let [summary] = &lines(&plan, "pair")[..] else {
            panic!("one summary: {}", plan.told());
        };
        for same in ["listed", "unchanged", "transferred", "skipped"] {
            // what S3 copied itself is known afterwards
            let counts = [&summary["counts"], &pair.report["counts"]];
            let [planned, done] = counts.map(|counts| match same {
                "transferred" => &counts[same]["total"],
                _ => &counts[same],
            });
            assert_eq!(planned, done, "{same}: {}", plan.told());
        }
        assert_eq!(summary["bytes"], pair.report["bytes"]);
    }
}

#[test]
fn people_read_columns_in_the_order_of_the_keys() {
    let world = world();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.path("tree/pipe\n"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .expect("a fifo");
    let one = up(&world).called("plan").run();
    one.exit(0);
    let tree = world.tree("tree");
    let root = std::fs::canonicalize(tree.path()).expect("a path");
    let root = root.display();
    let expected = format!(
        "\
up: {root} to s3://first/p/
skip      special_file                   -  pipe\\n
transfer  size_differs              1000 B  b-changed
transfer  missing_in_target         1000 B  c new
transfer  missing_in_target         1000 B  d/e/new
up: 3 to transfer, 2.9 KiB (2 missing_in_target, 1 size_differs); 1 skipped (1 special_file); 1 unchanged
"
    );
    assert_eq!(one.stdout, expected, "{}", one.told());
    assert_eq!(one.stderr, "", "{}", one.told());

    let two = up(&world).pair("later", "s3://first/p/", "s3://second/");
    let two = two.called("plan").run();
    two.exit(0)
        .says("up     transfer  missing_in_target         1000 B  c new\n")
        .says("later  transfer  missing_in_target            5 B  b-changed\n")
        .says("later: 3 to transfer, 1006 B (3 missing_in_target); 0 unchanged\n")
        .says("total: 6 to transfer, 3.9 KiB (5 missing_in_target, 1 size_differs)");

    let chosen = up(&world).pair("later", "s3://first/p/", "s3://second/");
    let chosen = chosen.called("plan").arguments(&["--pair", "later"]).run();
    chosen.exit(0).says("transfer  missing_in_target");
    assert!(!chosen.stdout.contains("up:"), "{}", chosen.told());
}

#[test]
fn a_source_and_a_target_are_planned_like_a_file() {
    let world = world();
    let before = world.faults().mutations().len();
    let ran = world.sync("tree", "s3://first/p/").called("plan").run();
    ran.exit(0)
        .says("tree to s3://first/p/\n")
        .says("transfer  size_differs              1000 B  b-changed\n")
        .says("3 to transfer");
    did_nothing(&world, &ran, before);
    let sandbox = world.path("rehearsal");
    let sandbox = sandbox.to_str().expect("a path");
    let sides = ["plan", "tree", "s3://elsewhere/p/", "--sandbox", sandbox];
    world.command(&sides).run().exit(0).says("4 to transfer");
}

#[test]
fn of_one_key_it_is_said_what_decides() {
    let world = world();
    for (key, words) in [
        (
            "b-changed",
            &[
                "transfer b-changed: size_differs\n",
                "  source  1,000 bytes, 2020-09-13T12:26:40Z, no ETag\n",
                "  target  5 bytes, 20",
                "ETag \"",
            ][..],
        ),
        (
            "c new",
            &[
                "transfer c new: missing_in_target\n",
                "  target  no such key\n",
            ],
        ),
        (
            "a/same",
            &["leave a/same: unchanged (same size, and the source is older)\n"],
        ),
        ("only-there", &["the source lists no key `only-there`"]),
        // paths to a file, under which nothing is listed
        ("/a/same", &["the source lists no key `/a/same`"]),
        ("a//same", &["the source lists no key `a//same`"]),
    ] {
        let ran = up(&world).called("plan").arguments(&["--key", key]).run();
        case(format_args!("{key}"));
        ran.exit(0);
        for word in words {
            ran.says(word);
        }
        assert!(!ran.stdout.contains("d/e/new"), "{}", ran.told());

        let json = ["--key", key, "--format", "json"];
        let ran = up(&world).called("plan").arguments(&json).run();
        ran.exit(0);
        let objects = lines(&ran, "object");
        assert!(
            objects.iter().all(|line| line["key"] == key),
            "{}",
            ran.told()
        );
        let listed = &lines(&ran, "pair")[0]["counts"]["listed"]["source"];
        assert_eq!(*listed, objects.len(), "{}", ran.told());
    }
}

#[test]
fn a_skip_is_a_warning_unless_another_key_was_asked_about() {
    let world = World::new();
    world.bucket("first");
    world.put("first", "a", b"1");
    world.put("first", "a/b", b"2");
    let down = || {
        world
            .job()
            .pair("down", "s3://first/", "down")
            .called("plan")
    };
    let all = down().run();
    all.exit(3)
        .says("skip      shadowed_key                 1 B  a/b  (");
    assert_eq!(all.stderr, "", "the plan says it: {}", all.told());
    let other = down().arguments(&["--key", "a"]).run();
    other.exit(0).says("transfer a: missing_in_target");
    let own = down().arguments(&["--key", "a/b"]).run();
    own.exit(3)
        .says("skip a/b: shadowed_key (the path is already taken by the key `a`)");
}

#[test]
fn a_pair_that_fails_is_said_and_the_others_are_planned() {
    let world = world();
    let job = || {
        let job = world.job().pair("gone", "tree", "s3://missing-bucket/");
        job.pair("up", "tree", "s3://first/p/").called("plan")
    };
    let ran = job().run();
    ran.exit(1)
        .says("gone: failed: ListObjectsV2 `s3://missing-bucket/`: there is no such bucket")
        .says("the plan is not complete; so far ")
        .says("up: 3 to transfer");
    let ran = job().arguments(&["--format", "json"]).run();
    ran.exit(1);
    let pairs = lines(&ran, "pair");
    assert_eq!(pairs[0]["status"], "failed", "{}", ran.told());
    assert_eq!(pairs[1]["status"], "success", "{}", ran.told());
    let [total] = &lines(&ran, "total")[..] else {
        panic!("one total: {}", ran.told());
    };
    assert_eq!(total["exit_code"], 1, "{}", ran.told());

    for wrong in [
        &["plan", "nowhere.toml"][..],
        &["plan", "s3://first/"],
        &["plan", "tree", "s3://first/", "down"],
        &["plan", "tree", "down"],
        &["plan", "tree", "s3://first/", "--format", "yaml"],
        &["plan"],
    ] {
        let ran = world.command(wrong).run();
        ran.exit(2);
        assert_eq!(ran.stdout, "", "{}", ran.told());
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let world = World::new();
    world.bucket("first");
    let tree = world.tree("tree");
    for n in 0..3000 {
        tree.file(&format!("{n:04}"), 0);
    }
    let script = "{ \"$@\"; echo \"exit $?\" >&2; } | head -n 2";
    let ran = up(&world)
        .called("plan")
        .through(&["sh", "-c", script, "sh"])
        .run();
    ran.exit(0);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.told());
    assert_eq!(ran.stderr, "exit 0\n", "{}", ran.told());

    let script = "\"$@\" > /dev/full";
    let full = up(&world)
        .called("plan")
        .through(&["sh", "-c", script, "sh"])
        .run();
    full.exit(1)
        .says("the plan could not be written to the end");
}

#[test]
fn what_runs_have_left_stays_as_it_is() {
    let world = world();
    let ran = up(&world).run();
    ran.exit(0);
    let seen = || {
        let latest = world.path("reports/job/latest");
        let history = std::fs::read(world.path("reports/job/history.ndjson"));
        let runs = std::fs::read_dir(world.path("reports/job")).expect("runs");
        (
            std::fs::read_link(latest).expect("a link"),
            history.expect("a history"),
            runs.count(),
        )
    };
    let before = seen();
    let plan = up(&world).called("plan").run();
    plan.exit(0).says("nothing to transfer; 4 unchanged");
    assert_eq!(seen(), before);
}

#[test]
fn one_key_is_asked_for_and_nothing_is_listed() {
    for (source, target, key, words) in [
        ("tree", "s3://first/p/", "b-changed", "size_differs"),
        ("s3://first/p/", "down", "a/same", "missing_in_target"),
        (
            "s3://first/p/",
            "s3://second/q/",
            "a/same",
            "missing_in_target",
        ),
    ] {
        case(format_args!("{source} {target}"));
        let world = world();
        world.faults().forget_calls();
        let job = world.job().pair("pair", source, target).called("plan");
        let ran = job.arguments(&["--key", key]).run();
        ran.exit(0).says(words).says("  filter  there is none\n");
        assert_eq!(world.faults().calls("ListObjectsV2"), 0, "{}", ran.told());
    }
    // only a listing tells that the prefix is the key of one object
    let world = world();
    let job = world.job().pair("pair", "s3://first/p/b-changed", "down");
    let ran = job.called("plan").arguments(&["--key", "b-changed"]).run();
    ran.exit(0).says("transfer b-changed: missing_in_target");
}

#[test]
fn of_one_key_each_filter_says_what_it_says() {
    let world = world();
    let job = || {
        let job = up(&world).set("filter.include", "[\"[bc]*\", \"{a,d}/**\"]");
        let job = job.set("filter.exclude", "[\"d/**\"]");
        let job = job.set("filter.larger_size", "10");
        job.set("filter.exclude_content_type_regex", "[\"^video/\"]")
            .called("plan")
    };
    let file = "job.toml:";
    for (key, said) in [
        ("c new", &["passes", "passes", "passes", "passes"][..]),
        ("d/e/new", &["passes", "rejects", "not_asked", "not_asked"]),
        ("a/same", &["passes", "passes", "passes", "not_asked"]),
    ] {
        case(format_args!("{key}"));
        let ran = job().arguments(&["--key", key]).run();
        ran.exit(0);
        for (filter, says) in [
            "filter.include = ",
            "filter.exclude = d/** (",
            "filter.larger_size = 10 (",
            "filter.exclude_content_type_regex = ^video/ (",
        ]
        .into_iter()
        .zip(said)
        {
            let says = says.replace('_', " ");
            ran.says(&format!("  filter  {says:<9}  {filter}"));
        }
        assert!(ran.stdout.contains(file), "{}", ran.told());

        let json = ["--key", key, "--format", "json"];
        let ran = job().arguments(&json).run();
        ran.exit(0);
        let seen: Vec<_> = lines(&ran, "filter");
        let seen: Vec<_> = seen.iter().map(|line| line["says"].clone()).collect();
        assert_eq!(seen, said, "{}", ran.told());
        // the whole plan decides the same
        let whole = job().arguments(&["--format", "json"]).run();
        let of_key = |ran: &Ran| {
            let mut lines = decisions(&lines(ran, "object"));
            lines.retain(|line| line[0] == key);
            lines
        };
        match key {
            "c new" => assert_eq!(of_key(&whole), of_key(&ran), "{}", whole.told()),
            // what is not walked has no line, and is named all the same when it is asked about
            "d/e/new" => {
                assert_eq!(of_key(&whole), [] as [Value; 0], "{}", whole.told());
                let expected = json!([key, "filter", "filter.exclude"]);
                assert_eq!(of_key(&ran), [expected], "{}", ran.told());
            }
            _ => {}
        }
    }
}

#[test]
fn of_one_key_it_is_said_whether_the_list_names_it() {
    let world = world();
    std::fs::write(world.path("keys"), "c new\ngone\n").expect("written");
    let plan = |key| {
        let job = up(&world).set("filter.keys_from", "\"keys\"");
        job.called("plan").arguments(&["--key", key]).run()
    };
    plan("c new")
        .exit(0)
        .says("transfer c new: missing_in_target");
    plan("gone")
        .exit(3)
        .says("skip gone: not_found (named in line 2; no such file below the source)");
    let other = plan("b-changed");
    other
        .exit(0)
        .says("no key `b-changed` is named by filter.keys_from = ");
}
