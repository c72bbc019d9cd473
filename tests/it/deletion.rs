//! Deletion through the built binary: who goes, who stays, and what withholds all of it.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use s3sync::sandbox::{Action, Moment, Rule, When};
use serde_json::{Value, json};

use crate::local_files::Mounted;
use crate::support::{case, skipped};
use crate::world::{Headers, Ran, Run, World};

/// Every direction: what the source is called, what the target is called, and whether S3 copies.
const WAYS: [(&str, &str, bool); 4] = [
    ("tree", "s3://second/t/", false),
    ("s3://first/p/", "down", false),
    ("s3://first/p/", "s3://second/t/", false),
    ("s3://first/p/", "s3://second/t/", true),
];

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world.tree("tree");
    world.tree("down");
    world
}

/// Puts an object where a location says.
fn put(world: &World, location: &str, key: &str, bytes: &[u8]) {
    match location.strip_prefix("s3://") {
        None => _ = world.tree(location).write(key, bytes),
        Some(rest) => {
            let (bucket, prefix) = rest.split_once('/').expect("a prefix");
            world.put(bucket, &format!("{prefix}{key}"), bytes);
        }
    }
}

/// Removes it again.
fn remove(world: &World, location: &str, key: &str) {
    match location.strip_prefix("s3://") {
        None => fs::remove_file(world.tree(location).join(key)).expect("a file"),
        Some(rest) => {
            let (bucket, prefix) = rest.split_once('/').expect("a prefix");
            world.remove(bucket, &format!("{prefix}{key}"));
        }
    }
}

/// The keys at a location.
fn keys(world: &World, location: &str) -> BTreeSet<String> {
    match location.strip_prefix("s3://") {
        None => world.tree(location).files().into_keys().collect(),
        Some(rest) => {
            let (bucket, prefix) = rest.split_once('/').expect("a prefix");
            let listed = world.list(bucket, prefix).into_keys();
            listed
                .map(|key| key.strip_prefix(prefix).unwrap_or(&key).to_owned())
                .collect()
        }
    }
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn job<'w>(world: &'w World, (source, target, copies): (&str, &str, bool)) -> Run<'w> {
    let job = world.job().pair("pair", source, target);
    let job = job.set("delete.enabled", "true");
    if copies {
        job.set("server_side_copy", "true")
    } else {
        job
    }
}

/// Without shares: the trees of these tests are small, and some lose most of what they have.
fn free<'w>(world: &'w World, way: (&str, &str, bool)) -> Run<'w> {
    job(world, way).set("delete.max_percent", "100")
}

/// What became of each candidate, by its key: outcome and reason.
fn fates(ran: &Ran) -> Vec<(String, Value)> {
    let mut lines = ran.pair("pair").evidence();
    lines.retain(|line| line["action"] == "delete");
    let fate = |line: &Value| {
        let key = line["key"].as_str().expect("a key").to_owned();
        (key, json!([line["outcome"], line["reason"]]))
    };
    let mut fates: Vec<_> = lines.iter().map(fate).collect();
    fates.sort_by(|a, b| a.0.cmp(&b.0));
    fates
}

/// The candidates of the delete plan on disk, and its verdict.
fn plan(world: &World, ran: &Ran) -> (Vec<String>, Value) {
    let run = ran.report["run"]["id"].as_str().expect("an id");
    let path = format!("reports/job/{run}/pairs/pair.deletions.ndjson");
    let text = fs::read_to_string(world.path(path)).expect("the delete plan");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    for line in &lines {
        crate::schemas::holds("deletions", line);
    }
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["type"] == kind).collect() };
    let keys = of("candidate");
    let keys = keys.iter().filter_map(|line| line["key"].as_str());
    let verdict = of("verdict").first().map(|line| (*line).clone());
    assert_eq!(of("trailer").len(), 1, "{text}");
    (
        keys.map(str::to_owned).collect(),
        verdict.unwrap_or_default(),
    )
}

/// Asserts that nothing was deleted, and by which guard.
#[track_caller]
fn withheld(world: &World, ran: &Ran, exit: i32, guard: &str, candidates: &[&str]) {
    ran.exit(exit);
    let pair = ran.pair("pair");
    let deleted = &pair.report["counts"]["deleted"];
    assert_eq!(deleted["total"], 0, "{}", ran.told());
    assert_eq!(deleted["withheld"], candidates.len(), "{}", ran.told());
    assert_eq!(pair.report["deletion"]["guard"], guard, "{}", ran.told());
    let expected: Vec<_> = candidates
        .iter()
        .map(|key| ((*key).to_owned(), json!(["withheld", guard])))
        .collect();
    assert_eq!(fates(ran), expected, "{}", ran.told());
    let (planned, verdict) = plan(world, ran);
    assert_eq!(planned, candidates, "{}", ran.told());
    assert_eq!(verdict["withheld"], guard, "{verdict}");
}

#[test]
fn what_the_source_does_not_have_goes_in_every_direction() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        for key in ["a", "d/e", "d/f"] {
            put(&world, source, key, b"new");
        }
        for key in ["a-b", "a.b", "d/e/x y+z%20", "gone/deep/er", "z"] {
            put(&world, target, key, b"old");
        }
        world.faults().forget_calls();
        let ran = free(&world, way).run();
        ran.exit(0).transferred(3);
        assert_eq!(keys(&world, target), set(&["a", "d/e", "d/f"]), "{way:?}");
        let counts = &ran.pair("pair").report["counts"]["deleted"];
        assert_eq!(counts["total"], 5, "{}", ran.told());
        assert_eq!(counts["objects"], 5, "{}", ran.told());
        assert_eq!(counts["candidates"], 5, "{}", ran.told());
        assert!(
            (fates(&ran).iter()).all(|(_, fate)| *fate == json!(["ok", "missing_in_source"])),
            "{:?}",
            fates(&ran)
        );
        let calls = world.faults().calls("DeleteObjects");
        // one asks whether conditions are heeded
        let expected = if target.starts_with("s3") { 2 } else { 0 };
        assert_eq!(calls, expected, "{way:?}");
        assert!(!world.path("down/gone").exists(), "an emptied directory");
        // a second run does nothing
        world.faults().forget_calls();
        let ran = free(&world, way).run();
        ran.exit(0).transferred(0);
        assert_eq!(ran.pair("pair").count("deleted/candidates"), 0);
        assert_eq!(world.faults().mutations(), []);
    }
}

/// Statement 11: source root missing or unreadable → nothing deleted, status `failed`; empty →
/// nothing deleted, status `guard`.
#[test]
fn an_empty_source_deletes_nothing_and_a_missing_one_neither() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (_, target, _) = way;
        put(&world, target, "a", b"old");
        put(&world, target, "b", b"old");
        let ran = job(&world, way).run();
        withheld(&world, &ran, 4, "min_source_objects", &["a", "b"]);
        ran.says("delete.min_source_objects = 1");
        assert_eq!(ran.report["run"]["status"], "guard");
        assert_eq!(keys(&world, target), set(&["a", "b"]));
        // by the user's will
        let ran = free(&world, way)
            .set("delete.min_source_objects", "0")
            .run();
        ran.exit(0);
        assert_eq!(keys(&world, target), set(&[]));
    }
    let world = world();
    world.put("second", "t/a", b"old");
    let ran = job(&world, ("nowhere", "s3://second/t/", false)).run();
    ran.exit(1).says("no such directory");
    assert_eq!(ran.pair("pair").count("deleted/candidates"), 0);
    let ran = job(&world, ("s3://nowhere/p/", "s3://second/t/", false)).run();
    ran.exit(1).says("nowhere");
    assert_eq!(keys(&world, "s3://second/t/"), set(&["a"]));
}

/// Statement 11: empty → nothing deleted, status `guard`; so it is where all that is left is no
/// object: the marker of the source's own prefix, or a fifo.
#[test]
fn a_source_of_no_objects_is_empty_whatever_else_it_has() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        put(&world, target, "a", b"old");
        put(&world, target, "b", b"old");
        if let Some(place) = source.strip_prefix("s3://") {
            let (bucket, marker) = place.split_once('/').expect("a prefix");
            world.put(bucket, marker, b"");
        } else {
            let fifo = world.tree(source).join("fifo");
            let made = std::process::Command::new("mkfifo").arg(fifo).status();
            assert!(made.expect("mkfifo").success());
        }
        let ran = job(&world, way).run();
        withheld(&world, &ran, 4, "min_source_objects", &["a", "b"]);
        assert_eq!(keys(&world, target), set(&["a", "b"]));
    }
}

/// The marker of the source's prefix says nothing of what the target has under the same name.
#[test]
fn the_marker_of_the_prefix_protects_no_keys_below_the_same_name() {
    let world = world();
    for key in ["data/", "data/a"] {
        world.put("first", key, b"");
    }
    for key in ["t/a", "t/data/old"] {
        world.put("second", key, b"");
    }
    free(&world, ("s3://first/data/", "s3://second/t/", false))
        .run()
        // the marker itself is skipped
        .exit(3);
    assert_eq!(keys(&world, "s3://second/t/"), set(&["a"]));
}

/// What the source has below the job's own reports, or in a directory that leads back to one above
/// it, is not listed; nobody knows that it is missing.
#[test]
fn below_directories_that_are_never_listed_nothing_is_deleted() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("a", 1).file("archive/x", 1).file("d/x", 1);
    std::os::unix::fs::symlink(".", tree.join("d/loop")).expect("a link");
    for key in ["archive-2", "archive/x", "archive/y", "d/loop/x", "gone"] {
        world.put("second", &format!("t/{key}"), b"1");
    }
    let archive = fs::canonicalize(tree.join("archive")).expect("a path");
    let ran = world
        .sync(tree.path(), "s3://second/t/")
        .arguments(&[
            "--delete",
            "--set",
            "delete.max_percent=100",
            "--set",
            &format!("report.dir={}", archive.display()),
        ])
        .run();
    ran.exit(0);
    let left = set(&["a", "archive/x", "archive/y", "d/loop/x", "d/x"]);
    assert_eq!(keys(&world, "s3://second/t/"), left, "{}", ran.told());
}

/// A way to run as somebody whom permissions bind, if there is one.
fn humbly(unreadable: &std::path::Path) -> Option<&'static [&'static str]> {
    const HUMBLE: &[&str] = &["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    if fs::read_dir(unreadable).is_err() {
        return Some(&[]);
    }
    let can = std::process::Command::new(HUMBLE[0])
        .args(&HUMBLE[1..])
        .arg("true")
        .status();
    can.is_ok_and(|status| status.success()).then_some(HUMBLE)
}

/// Statement 11: source root unreadable → nothing deleted, status `failed`.
/// Statement 12: a sub-directory that cannot be read → nothing below it is deleted on the target,
/// other extraneous keys are, exit 3.
#[test]
fn below_an_unreadable_directory_nothing_is_deleted() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("a", 1).file("closed/x", 1);
    for key in ["a-gone", "closed-gone", "closed/x", "closed/y", "z-gone"] {
        world.put("second", &format!("t/{key}"), b"old");
    }
    let lock = |name: &str, mode| {
        fs::set_permissions(tree.join(name), Permissions::from_mode(mode)).expect("a mode");
    };
    lock("closed", 0o000);
    let Some(humble) = humbly(&tree.join("closed")) else {
        lock("closed", 0o755);
        return skipped("below_an_unreadable_directory", "root may read everything");
    };
    let up = ("tree", "s3://second/t/", false);
    lock("", 0o000);
    let unreadable = free(&world, up).through(humble).run();
    lock("", 0o755);
    let before = keys(&world, "s3://second/t/");
    let ran = free(&world, up).through(humble).run();
    lock("closed", 0o755);
    unreadable.exit(1);
    assert_eq!(before.len(), 5, "{}", unreadable.told());
    ran.exit(3).says("unreadable_directory");
    let left = set(&["a", "closed/x", "closed/y"]);
    assert_eq!(keys(&world, "s3://second/t/"), left, "{}", ran.told());
    assert_eq!(ran.pair("pair").count("deleted/total"), 3);
}

/// Statement 13: a LIST that fails on page k (503, reset, 403) on either side → zero deletes.
#[test]
fn a_listing_that_fails_on_either_side_deletes_nothing() {
    let refuse = |status, code: &str| Action::Refuse {
        status,
        code: code.to_owned(),
        retry_after: None,
    };
    for (name, action) in [
        ("503", refuse(503, "SlowDown")),
        ("403", refuse(403, "AccessDenied")),
        ("reset", Action::Close(Moment::Before)),
    ] {
        // one side is listed by requests, and that is the one that fails
        for way in &WAYS[..2] {
            let world = world();
            let (source, target, _) = *way;
            for n in 0..8 {
                put(&world, source, &format!("k{n}"), b"1");
                put(&world, target, &format!("k{n}"), b"1");
            }
            put(&world, target, "a", b"old");
            // from its third page on
            let rule = Rule::new(action.clone()).operation("ListObjectsV2");
            let rule = rule.when(When::From(3));
            let run = free(&world, *way)
                .set("performance.max_keys", "2")
                .set("performance.max_parallel_listings", "1")
                .set("retry.aws_max_attempts", "2")
                .set("retry.initial_backoff", "\"1ms\"");
            world.faults().add(rule);
            world.faults().forget_calls();
            let ran = run.run();
            ran.exit(1);
            let failed = ran.pair("pair").report["status_reason"].to_string();
            case(format_args!("{name} {way:?}: {failed}"));
            assert_eq!(world.faults().calls("DeleteObjects"), 0, "{}", ran.told());
            assert_eq!(world.faults().calls("DeleteObject"), 0, "{}", ran.told());
            world.faults().clear();
            assert_eq!(keys(&world, target).len(), 9, "{}", ran.told());
            let counts = &ran.pair("pair").report["counts"]["deleted"];
            assert_eq!(counts["withheld"], counts["candidates"], "{}", ran.told());
        }
    }
}

/// Statement 14: `max_objects = 10` with 11 candidates → zero deletes, the plan is in the report.
/// Statement 15: `max_percent` exceeded → the same.
#[test]
fn too_many_candidates_withhold_all_of_them() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        for n in 0..11 {
            put(&world, source, &format!("stays-{n:02}"), b"1");
            put(&world, target, &format!("stays-{n:02}"), b"1");
        }
        let extra: Vec<String> = (0..11).map(|n| format!("extra-{n:02}")).collect();
        let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
        for key in &extra {
            put(&world, target, key, b"1");
        }
        let ran = job(&world, way).set("delete.max_objects", "10").run();
        withheld(&world, &ran, 4, "max_objects", &extra);
        ran.says("11 candidates, more than delete.max_objects = 10");
        let ran = job(&world, way).set("delete.max_percent", "49").run();
        withheld(&world, &ran, 4, "max_percent", &extra);
        ran.says("11 candidates of 22 objects at the target");
        assert_eq!(keys(&world, target).len(), 22);
        // at the bound
        let ran = job(&world, way).set("delete.max_objects", "11").run();
        ran.exit(0);
        assert_eq!(keys(&world, target).len(), 11);
    }
}

#[test]
fn a_marker_that_is_not_listed_withholds_all_of_them() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        put(&world, source, "a", b"1");
        put(&world, target, "z", b"1");
        let run = || {
            let job = job(&world, way).set("delete.require_source_marker", "\"here/.marker\"");
            job.set("filter.exclude", "[\"**/.marker\"]").run()
        };
        withheld(&world, &run(), 4, "marker_missing", &["z"]);
        // a filter may reject it: it is there
        put(&world, source, "here/.marker", b"");
        run().exit(0);
        assert_eq!(keys(&world, target), set(&["a"]));
    }
}

#[test]
fn a_failed_object_withholds_all_of_them_unless_the_user_proceeds() {
    let world = world();
    world.tree("tree").file("a", 1).file("bad", 1);
    world.put("second", "t/z", b"1");
    let up = ("tree", "s3://second/t/", false);
    let action = Action::Refuse {
        status: 400,
        code: "InvalidArgument".to_owned(),
        retry_after: None,
    };
    world
        .faults()
        .add(Rule::new(action).operation("PutObject").key("bad"));
    let ran = job(&world, up).run();
    withheld(&world, &ran, 1, "errors", &["z"]);
    let ran = job(&world, up).set("delete.on_errors", "\"proceed\"").run();
    ran.exit(1);
    assert_eq!(ran.pair("pair").count("deleted/total"), 1);
    assert_eq!(keys(&world, "s3://second/t/"), set(&["a"]));
}

/// Statement 16: a key that the source has but a filter rejects is not deleted unless
/// `delete.excluded`; a target-only key that the key, size, time or Lua filters reject is not
/// either; the same in all directions.
#[test]
fn what_filters_reject_stays_unless_the_user_wants_it_gone() {
    for way in WAYS {
        let (source, target, _) = way;
        for (name, option, value) in [
            ("glob", "filter.exclude", "[\"*.tmp\"]"),
            ("include", "filter.include", "[\"a*\", \"old\"]"),
            ("regex", "filter.exclude_regex", "['\\.tmp$']"),
            ("size", "filter.larger_size", "3"),
            ("script", "lua.filter_script", "\"filter.lua\""),
        ] {
            case(format_args!("{way:?} {name}"));
            let world = world();
            let script = "function filter(object) return not object.key:find('tmp') end";
            fs::write(world.path("filter.lua"), script).expect("a script");
            put(&world, source, "a", b"long");
            // both have it, only the target has it, and one that nothing rejects
            put(&world, source, "both.tmp", b"1");
            put(&world, target, "both.tmp", b"2");
            put(&world, target, "only.tmp", b"3");
            put(&world, target, "old", b"long");
            let run = || free(&world, way).set(option, value);
            let ran = run().run();
            ran.exit(0);
            let expected = set(&["a", "both.tmp", "only.tmp"]);
            assert_eq!(keys(&world, target), expected, "{}", ran.told());
            let ran = run().set("delete.excluded", "true").run();
            ran.exit(0);
            assert_eq!(keys(&world, target), set(&["a"]), "{}", ran.told());
            let expected = [
                ("both.tmp".to_owned(), json!(["ok", "excluded"])),
                ("only.tmp".to_owned(), json!(["ok", "missing_in_source"])),
            ];
            assert_eq!(fates(&ran), expected, "{}", ran.told());
        }
    }
}

/// Statement 17: the source file failed or vanished → its target object stays.
#[test]
fn what_the_source_has_and_cannot_give_stays() {
    let world = world();
    let tree = world.tree("tree");
    tree.file("a", 1).file("bad", 2);
    for name in ["fifo", "pipes/fifo"] {
        fs::create_dir_all(tree.join(name).parent().expect("a parent")).expect("a directory");
        rustix::fs::mkfifoat(rustix::fs::CWD, tree.join(name), rustix::fs::Mode::RWXU)
            .expect("a fifo");
    }
    for key in ["bad", "fifo", "pipes/fifo", "gone"] {
        world.put("second", &format!("t/{key}"), b"1");
    }
    let action = Action::Refuse {
        status: 400,
        code: "InvalidArgument".to_owned(),
        retry_after: None,
    };
    world
        .faults()
        .add(Rule::new(action).operation("PutObject").key("bad"));
    let up = ("tree", "s3://second/t/", false);
    let ran = free(&world, up)
        .set("delete.on_errors", "\"proceed\"")
        .run();
    ran.exit(1);
    let left = set(&["a", "bad", "fifo", "pipes/fifo"]);
    assert_eq!(keys(&world, "s3://second/t/"), left, "{}", ran.told());
}

/// A link to a disk that is not mounted, and links that are not to be followed, say nothing of what
/// would stand there.
#[test]
fn below_links_that_are_not_followed_nothing_is_deleted() {
    for ignore in ["false", "true"] {
        let world = world();
        let tree = world.tree("tree");
        tree.file("a", 1);
        let broken = world.path("not-mounted");
        std::os::unix::fs::symlink(&broken, tree.join("disk")).expect("a link");
        for key in ["disk", "disk-2", "disk/photos/1", "gone"] {
            world.put("second", &format!("t/{key}"), b"1");
        }
        let ran = free(&world, ("tree", "s3://second/t/", false))
            .set("local.ignore_symlinks", ignore)
            .run();
        ran.exit(0);
        let left = set(&["a", "disk", "disk/photos/1"]);
        assert_eq!(keys(&world, "s3://second/t/"), left, "{}", ran.told());
    }
}

/// Statement 18: DeleteObjects answers 200 with per-key errors → those are failures, not deletions.
#[test]
fn what_could_not_be_deleted_is_a_failure() {
    let world = world();
    world.tree("tree").file("a", 1);
    for key in ["kept/x", "z"] {
        world.put("second", &format!("t/{key}"), b"1");
    }
    world.deny("second", &["s3:DeleteObject"], "t/kept/*");
    let ran = free(&world, ("tree", "s3://second/t/", false)).run();
    ran.exit(1);
    let left = set(&["a", "kept/x"]);
    assert_eq!(keys(&world, "s3://second/t/"), left, "{}", ran.told());
    let expected = [
        ("kept/x".to_owned(), json!(["failed", "other"])),
        ("z".to_owned(), json!(["ok", "missing_in_source"])),
    ];
    assert_eq!(fates(&ran), expected, "{}", ran.told());
    let pair = ran.pair("pair");
    assert_eq!(pair.count("deleted/failed"), 1);
    assert_eq!(pair.count("errors"), 1);
    assert_eq!(pair.count("failed"), 0, "nothing of the source failed");
}

/// Statement 19: a dry run sends not one mutating request, and its decisions equal the real run's.
#[test]
fn a_dry_run_decides_the_same_and_changes_nothing() {
    for way in WAYS {
        for most in ["2", "1"] {
            case(format_args!("{way:?} {most}"));
            let world = world();
            let (source, target, _) = way;
            put(&world, source, "a", b"1");
            for key in ["y/1", "z"] {
                put(&world, target, key, b"1");
            }
            let before = keys(&world, target);
            world.faults().forget_calls();
            let run = || free(&world, way).set("delete.max_objects", most);
            let dry = run().arguments(&["--dry-run"]).run();
            let shown = run().called("plan").run();
            let text = if most == "2" {
                "2 to delete"
            } else {
                "2 deletions withheld"
            };
            assert!(shown.stdout.contains(text), "{}", shown.told());
            assert_eq!(world.faults().mutations(), [], "{}", dry.told());
            assert_eq!(keys(&world, target), before);
            let real = run().run();
            let exit = if most == "2" { 0 } else { 4 };
            for ran in [&dry, &shown, &real] {
                ran.exit(exit);
            }
            let planned: Vec<_> = fates(&dry)
                .into_iter()
                .map(|(key, fate)| (key, fate.to_string().replace("planned", "ok")))
                .collect();
            let done: Vec<_> = fates(&real)
                .into_iter()
                .map(|(key, fate)| (key, fate.to_string()))
                .collect();
            assert_eq!(planned, done);
            assert_eq!(plan(&world, &dry).0, plan(&world, &real).0);
            assert_eq!(
                dry.pair("pair").report["counts"]["deleted"],
                real.pair("pair").report["counts"]["deleted"]
            );
        }
    }
}

/// Statement 20: on a versioned target the report tells delete markers from removed objects.
#[test]
fn delete_markers_are_told_from_removed_objects() {
    let world = world();
    world.keep_versions("second");
    world.tree("tree").file("a", 1);
    world.put("second", "t/z", b"1");
    let ran = free(&world, ("tree", "s3://second/t/", false)).run();
    ran.exit(0);
    let counts = &ran.pair("pair").report["counts"]["deleted"];
    assert_eq!(counts["delete_markers"], 1, "{}", ran.told());
    assert_eq!(counts["objects"], 0, "{}", ran.told());
    let line = ran.pair("pair").line("z");
    assert!(line["marker_version_id"].is_string(), "{line}");
    assert_eq!(world.versions("second").len(), 2, "nothing is gone");
}

/// Statement 40: `dir/` markers: local → S3 does not delete them.
#[test]
fn markers_of_directories_stay_where_the_source_is_a_directory() {
    let world = world();
    world.tree("tree").file("d/a", 1);
    for key in ["d/", "empty/", "gone/"] {
        world.put("second", &format!("t/{key}"), b"");
    }
    world.put("second", "t/gone/x", b"1");
    free(&world, ("tree", "s3://second/t/", false))
        .run()
        .exit(0);
    let left = set(&["d/", "d/a", "empty/", "gone/"]);
    assert_eq!(keys(&world, "s3://second/t/"), left);
    // between buckets they are keys like any other
    world.put("first", "p/d/", b"");
    let ran = free(&world, ("s3://first/p/", "s3://second/t/", false)).run();
    ran.exit(0);
    assert_eq!(keys(&world, "s3://second/t/"), set(&["d/"]));
}

/// Statement 41: keys that sort differently as paths and as bytes (`a/`, `a-b`, `a.b`, `a/b`) with
/// deletion on → repeated runs are stable.
#[test]
fn keys_that_sort_differently_as_paths_are_stable() {
    const NAMES: [&str; 9] = [
        "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "A/z", "a b/c", "aé/x",
    ];
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        // of `a/b` and `a/b/c` a directory can have one
        let names: Vec<&str> = NAMES.into_iter().filter(|name| *name != "a/b").collect();
        for (at, key) in names.iter().enumerate() {
            put(&world, source, key, b"1");
            put(&world, target, &format!("{key}{at}"), b"old");
        }
        free(&world, way).run().exit(0);
        assert_eq!(keys(&world, target), set(&names));
        for _ in 0..2 {
            world.faults().forget_calls();
            let ran = free(&world, way).run();
            ran.exit(0).transferred(0);
            assert_eq!(ran.pair("pair").count("deleted/candidates"), 0);
            assert_eq!(world.faults().mutations(), []);
        }
    }
}

/// Statement 54: overlapping targets with deletion, or a source inside its target → refused at
/// validation.
#[test]
fn targets_that_deletion_would_reach_into_are_refused() {
    let world = world();
    world.put("second", "t/a", b"1");
    let text = "\n[pairs.other]\nsource = \"tree\"\ntarget = \"s3://second/t/sub/\"\n";
    let up = ("tree", "s3://second/t/", false);
    let ran = job(&world, up).text(text).run();
    ran.exit(2)
        .says("the targets of `pair` and `other` overlap, and `pair` deletes");
    let inside = ("s3://second/t/sub/", "s3://second/t/", false);
    job(&world, inside).run().exit(2);
    let bare = ("tree", "s3://second/t", false);
    job(&world, bare).run().exit(2).says("delete.bare_prefix");
    assert_eq!(keys(&world, "s3://second/t/"), set(&["a"]));
}

#[test]
fn a_single_object_says_nothing_of_what_else_there_should_be() {
    let world = world();
    world.put("first", "p/one", b"1");
    world.put("second", "t/a", b"1");
    for target in ["s3://second/t/", "down"] {
        put(&world, target, "kept", b"1");
        let ran = job(&world, ("s3://first/p/one", target, false)).run();
        ran.exit(1).transferred(0).says("single object");
        assert!(keys(&world, target).contains("kept"), "{target}");
    }
}

#[test]
fn the_last_words_tell_what_was_deleted() {
    let world = world();
    world.tree("tree").file("a", 1);
    world.put("second", "t/x", b"1");
    world.put("second", "t/y", b"1");
    let sync = || {
        world
            .sync("tree", "s3://second/t/")
            .arguments(&["--delete"])
    };
    let ran = sync().arguments(&["--max-delete", "1"]).run();
    ran.exit(4).says("deleted 0 objects");
    let ran = sync().arguments(&["--dry-run"]).run();
    ran.exit(0).says("[dry-run] delete completed.");
    let ran = sync().run();
    ran.exit(0).says("deleted 2 objects");
    remove(&world, "tree", "a");
    sync().run().exit(4).says("deletions withheld");
}

/// What the other filters only learn by asking protects what they reject as well, also where it is
/// unchanged; and with `delete.excluded` it goes.
#[test]
fn what_late_filters_reject_stays_unless_the_user_wants_it_gone() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        for key in ["a.txt", "same.jpg", "new.jpg"] {
            put(&world, source, key, b"1");
        }
        let types = |key: &str| {
            if key.ends_with("jpg") {
                "image/jpeg"
            } else {
                "text/plain"
            }
        };
        if source.starts_with("s3") {
            for key in ["a.txt", "same.jpg", "new.jpg"] {
                let headers = Headers {
                    content_type: Some(types(key)),
                    ..Headers::NONE
                };
                world.put_with("first", &format!("p/{key}"), b"1", &headers);
            }
        }
        // one is unchanged, one would be overwritten
        free(&world, way).run().exit(0);
        put(&world, target, "new.jpg", b"older");
        let run = || free(&world, way).set("filter.exclude_content_type_regex", "[\"^image/\"]");
        let all = set(&["a.txt", "new.jpg", "same.jpg"]);
        run().run().exit(0);
        assert_eq!(keys(&world, target), all);
        let ran = run().set("delete.excluded", "true").run();
        ran.exit(0);
        assert_eq!(keys(&world, target), set(&["a.txt"]), "{}", ran.told());
        let expected =
            ["new.jpg", "same.jpg"].map(|key| (key.to_owned(), json!(["ok", "excluded"])));
        assert_eq!(fates(&ran), expected, "{}", ran.told());
    }
}

/// The same where a listing turns out to be in no order, so that both sides are listed once more:
/// those of the first pages are not judged again.
#[test]
fn what_late_filters_reject_goes_although_a_listing_begins_anew() {
    for (source, target, copies) in WAYS {
        for side in [source, target] {
            let Some(bucket) = side.strip_prefix("s3://") else {
                continue;
            };
            let bucket = bucket.split('/').next().unwrap_or_default();
            case(format_args!("{source} {target} {copies} {bucket}"));
            let world = world();
            let all: Vec<String> = (0..16).map(|n| format!("{n:02}.jpg")).collect();
            for name in &all {
                put(&world, source, name, b"1");
                if source.starts_with("s3") {
                    let headers = Headers {
                        content_type: Some("image/jpeg"),
                        ..Headers::NONE
                    };
                    world.put_with("first", &format!("p/{name}"), b"1", &headers);
                }
            }
            free(&world, (source, target, copies)).run().exit(0);
            put(&world, target, "only-there", b"x");
            let turned = Rule::new(Action::TurnRound).operation("ListObjectsV2");
            world.faults().add(turned.bucket(bucket).when(When::Nth(3)));
            world.faults().forget_calls();
            let ran = free(&world, (source, target, copies))
                .set("performance.max_keys", "4")
                .set("performance.max_parallel_listings", "1")
                .set("filter.exclude_content_type_regex", "[\"^image/\"]")
                .set("delete.excluded", "true")
                .run();
            ran.exit(0).says("listed once more");
            assert_eq!(keys(&world, target), set(&[]), "{}", ran.told());
            let fates = fates(&ran);
            assert_eq!(fates.len(), 17, "each is told once: {fates:?}");
            let filtered = ran.pair("pair").number("/counts/filtered/total");
            assert_eq!(filtered, 16, "{}", ran.told());
        }
    }
}

/// A delete plan that cannot be written to its end keeps what it has, and says so of each: that the
/// disk is full is no bug.
#[test]
fn a_plan_whose_disk_is_full_withholds_its_candidates() {
    let test = "a_plan_whose_disk_is_full_withholds_its_candidates";
    // all of it is in memory when it is closed; some of it is on the disk already
    for (count, room) in [(3, 0), (600, 40 << 10)] {
        case(format_args!("{count} candidates, {room} bytes"));
        let world = world();
        world.tree("tree").write("a", b"1");
        for number in 0..count {
            world.put("second", &format!("t/{number:04}"), b"x");
        }
        let full = world.tree("full");
        let Some(_mounted) = Mounted::tmpfs(std::path::Path::new(full.path()), "1m") else {
            return skipped(test, "mounting a small tmpfs is not allowed here");
        };
        fill(&full.join("filler"), room);
        let ran = free(&world, ("tree", "s3://second/t/", false))
            .called("plan")
            .environment("TMPDIR", full.path())
            .run();
        let told = ran.told();
        ran.exit(1).says("no space left").says("errors");
        assert!(!told.contains("bug of s3sync"), "{told}");
        let withheld = told.lines().filter(|line| line.contains("withhold "));
        let withheld = withheld.count();
        // when the pair fails on the way, it looks no further
        assert!(
            (withheld == count) || (count > 3 && withheld > 200),
            "{told}"
        );
    }
}

/// Writes until a disk has no more room, and then leaves so much of it.
fn fill(path: &std::path::Path, room: u64) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).expect("a file");
    while file.write_all(&[7; 4096]).is_ok() {}
    let length = file.metadata().expect("a file").len();
    file.set_len(length - room).expect("some room");
}

/// A transfer that only a candidate blocks waits until it is gone, and is no error for the guards.
#[test]
fn what_only_a_candidate_blocks_comes_after_it_is_gone() {
    for (name, source, target) in [
        ("a file where a directory must be", "x/y/z", "x/y"),
        ("a directory where a file must be", "x", "x/y/z"),
        ("a marker where a file is", "x/", "x"),
    ] {
        case(format_args!("{name}"));
        let world = world();
        let down = ("s3://first/p/", "down", false);
        let content: &[u8] = if source.ends_with('/') { b"" } else { b"new" };
        world.put("first", &format!("p/{source}"), content);
        world.put("first", "p/a", b"1");
        world.tree("down").write(target, b"old");
        // a guard keeps the one, and so the other
        let ran = free(&world, down).set("delete.max_objects", "0").run();
        ran.exit(4);
        assert_eq!(ran.pair("pair").line(source)["reason"], "shadowed_key");
        assert_eq!(keys(&world, "down"), set(&["a", target]));
        let ran = free(&world, down).run();
        ran.exit(0);
        let there = if source.ends_with('/') {
            assert!(world.path("down/x").is_dir(), "{}", ran.told());
            set(&["a"])
        } else {
            set(&["a", source])
        };
        assert_eq!(keys(&world, "down"), there, "{}", ran.told());
        free(&world, down).run().exit(0).transferred(0);
    }
}

#[test]
fn a_target_that_is_asked_for_each_key_is_listed_for_deletion() {
    for way in WAYS {
        case(format_args!("{way:?}"));
        let world = world();
        let (source, target, _) = way;
        for key in ["a", "b"] {
            put(&world, source, key, b"1");
        }
        put(&world, target, "b.tmp", b"1");
        put(&world, target, "old", b"1");
        let run = || {
            free(&world, way)
                .set("check.head_each_target", "true")
                .set("filter.exclude", "[\"*.tmp\"]")
        };
        run().run().exit(0).transferred(2);
        assert_eq!(keys(&world, target), set(&["a", "b", "b.tmp"]));
        let ran = run().run();
        ran.exit(0).transferred(0);
        assert_eq!(ran.pair("pair").count("unchanged"), 2, "{}", ran.told());
    }
}

#[test]
fn a_thousand_objects_go_in_one_request() {
    let world = world();
    world.tree("tree").file("stays", 1);
    for n in 0..2100 {
        world.tree("tree").write(format!("d{}/f{n}", n % 7), b"");
    }
    let up = ("tree", "s3://second/t/", false);
    free(&world, up).run().exit(0).transferred(2101);
    for n in 0..7 {
        fs::remove_dir_all(world.path(format!("tree/d{n}"))).expect("a directory");
    }
    world.faults().forget_calls();
    // all batches are on their way before the first has found out
    let late = Rule::new(Action::Delay(Duration::from_millis(300)));
    world.faults().add(late.operation("HeadObject"));
    let ran = free(&world, up).run();
    ran.exit(0);
    assert_eq!(ran.pair("pair").count("deleted/total"), 2100);
    // and one that asks whether conditions are heeded
    assert_eq!(world.faults().calls("DeleteObjects"), 3 + 1);
    assert_eq!(keys(&world, "s3://second/t/"), set(&["stays"]));
}

#[test]
fn what_is_deleted_is_told_to_scripts() {
    let world = world();
    let script = "function on_event(event)
        if event.event_type & (1 << 5) ~= 0 then print('gone: ' .. event.key) end
    end";
    fs::write(world.path("event.lua"), script).expect("a script");
    world.tree("tree").file("a", 1);
    world.put("second", "t/z", b"1");
    let ran = free(&world, ("tree", "s3://second/t/", false))
        .set("lua.event_script", "\"event.lua\"")
        .arguments(&["-v"])
        .run();
    ran.exit(0).says("gone: z");
}

#[test]
fn a_plan_of_one_key_says_that_it_goes() {
    let world = world();
    world.tree("tree").file("a", 1);
    world.put("second", "t/z", b"1");
    let ran = free(&world, ("tree", "s3://second/t/", false))
        .called("plan")
        .arguments(&["--key", "z"])
        .run();
    ran.exit(0).says("delete z: missing_in_source");
    assert_eq!(keys(&world, "s3://second/t/"), set(&["z"]));
}

/// The report and the sandbox of a job stay, wherever they are.
#[test]
fn the_places_of_the_job_itself_stay() {
    let world = world();
    world.put("first", "p/a", b"1");
    world.tree("down").write("old", b"1");
    let job = fs::canonicalize(world.path("down"))
        .expect("a path")
        .join("reports");
    let run = || {
        world
            .sync("s3://first/p/", world.tree("down").path())
            .arguments(&[
                "--delete",
                "--set",
                "delete.max_percent=100",
                "--set",
                &format!("report.dir={}", job.display()),
            ])
    };
    for _ in 0..2 {
        run().run().exit(0);
        assert!(job.join("adhoc").is_dir());
        assert!(!world.path("down/old").exists());
    }
}
