//! Every version of a bucket, and a bucket as it was.

use std::collections::{BTreeMap, BTreeSet};

use rustix::process::Signal;
use s3sync::object::Timestamp;
use s3sync::sandbox::{Action, Rule, When};

use crate::world::{NEVER, Ran, Run, VersionSeen, World, content, until};

const MIB: usize = 1 << 20;

/// What happens to a key, one letter a round: `p` writes it, `d` deletes it, `.` leaves it.
const LIVES: [&str; 10] = [
    "ppppp", "ppdpp", "ppppd", "dpppp", "pdpdp", "pddpp", "pppdd", "d....", "p....", "pd.p.",
];

/// Both ways a bucket is copied to a bucket.
const WAYS: [&str; 2] = ["false", "true"];

/// Two buckets that keep versions.
fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
        world.keep_versions(bucket);
    }
    world
}

/// The same with 30 keys in the first, each with a life; some writes of one key share a second.
fn lived() -> World {
    let mut world = world();
    for round in 0..5 {
        for n in 0..30 {
            let key = format!("dir/{n:02} +ü");
            match LIVES[n % LIVES.len()].as_bytes()[round] {
                b'p' => world.put("first", &key, format!("{key} {round}").as_bytes()),
                b'd' => world.remove("first", &key),
                _ => {}
            }
        }
    }
    world.date("first", second);
    world
}

/// When the n-th write happened.
fn second(n: usize) -> Timestamp {
    let seconds = i64::try_from(n / 35).expect("few");
    Timestamp::new(1_700_000_000 + seconds, 0)
}

fn every_version<'w>(world: &'w World, server_side: &str) -> Run<'w> {
    world
        .job()
        .pair("pair", "s3://first/dir/", "s3://second/copy/")
        .set("versioning.enabled", "true")
        .set("server_side_copy", server_side)
}

/// The versions of each key below a prefix, and whether a marker hides it.
type Lives = BTreeMap<String, (Vec<VersionSeen>, bool)>;

fn lives(world: &World, bucket: &str, prefix: &str) -> Lives {
    let mut lives = Lives::new();
    for version in world.history(bucket) {
        let Some(key) = version.key.strip_prefix(prefix) else {
            continue;
        };
        let life = lives.entry(key.to_owned()).or_default();
        if version.etag.is_some() {
            life.0.push(version);
        } else if version.is_latest {
            life.1 = true;
        }
    }
    lives
}

/// Asserts that the target has every version of the source in its order, and its latest markers.
#[track_caller]
fn same_lives(world: &World, name: &str) {
    let (source, target) = (
        lives(world, "first", "dir/"),
        lives(world, "second", "copy/"),
    );
    for (key, (versions, is_deleted)) in &source {
        if versions.is_empty() {
            assert_eq!(target.get(key), None, "{name}: {key} never was there");
            continue;
        }
        let (copies, is_copy_deleted) = &target[key];
        let ids: Vec<_> = versions
            .iter()
            .map(|version| Some(version.id.clone()))
            .collect();
        let origins: Vec<_> = copies
            .iter()
            .map(|copy| world.metadata_of("second", copy, "s3sync_origin_version_id"))
            .collect();
        assert_eq!(origins, ids, "{name}: {key}");
        assert_eq!(is_copy_deleted, is_deleted, "{name}: {key}");
        for (version, copy) in versions.iter().zip(copies) {
            let time = world.metadata_of("second", copy, "s3sync_origin_last_modified");
            assert_eq!(
                time,
                Some(version.modified.rfc3339_offset()),
                "{name}: {key}"
            );
            assert_eq!(
                world.content_of("second", copy),
                world.content_of("first", version),
                "{name}: {key}"
            );
        }
    }
    let known: BTreeSet<_> = source.keys().collect();
    assert!(target.keys().all(|key| known.contains(key)), "{name}");
}

fn calls(world: &World) -> u64 {
    [
        "PutObject",
        "CopyObject",
        "DeleteObject",
        "DeleteObjects",
        "CompleteMultipartUpload",
    ]
    .map(|operation| world.faults().calls(operation))
    .iter()
    .sum()
}

#[test]
fn versions_arrive_in_order_and_once() {
    let world = lived();
    let source = lives(&world, "first", "dir/");
    let versions: usize = source.values().map(|(versions, _)| versions.len()).sum();
    let deleted = |life: &&(Vec<VersionSeen>, bool)| life.1 && !life.0.is_empty();
    let deleted = source.values().filter(deleted).count();
    let markers = source.values().filter(|life| life.1).count();
    assert!(
        versions > 80 && deleted == 6 && markers == 9,
        "{versions} {deleted} {markers}"
    );
    for (server_side, max_keys) in [("false", "1000"), ("true", "3"), ("false", "2")] {
        let name = format!("server side: {server_side}, {max_keys} in a page");
        let job = || every_version(&world, server_side).set("performance.max_keys", max_keys);
        let ran = job().run();
        ran.exit(0).transferred(versions).all_proved();
        let pair = ran.pair("pair");
        assert_eq!(
            pair.count("listed/source"),
            (versions + markers) as u64,
            "{name}"
        );
        assert_eq!(
            pair.count("deleted/delete_markers"),
            deleted as u64,
            "{name}"
        );
        assert_eq!(
            pair.count("transferred/created"),
            27,
            "{name}: first versions"
        );
        same_lives(&world, &name);
        is_told(&ran, &world);

        let (before, there) = (calls(&world), world.history("second"));
        let again = job().run();
        again.exit(0).transferred(0).all_proved();
        assert_eq!(again.pair("pair").count("deleted/total"), 0, "{name}");
        assert_eq!(calls(&world), before, "{name}: a second run writes nothing");
        assert_eq!(world.history("second"), there, "{name}");
        for version in there {
            world.remove_version("second", &version);
        }
    }
}

/// Asserts that the evidence names the versions on both sides.
#[track_caller]
fn is_told(ran: &Ran, world: &World) {
    let pair = ran.pair("pair");
    for end in ["source", "target"] {
        assert_eq!(pair.report[end]["versioning"], "enabled", "{}", ran.told());
    }
    let ids = |bucket: &str| -> BTreeMap<String, bool> {
        let history = world.history(bucket).into_iter();
        history.map(|it| (it.id, it.etag.is_none())).collect()
    };
    let (first, second) = (ids("first"), ids("second"));
    for line in pair.evidence() {
        let is_marker = line["action"] == "delete";
        assert!(is_marker || line["action"] == "transfer", "{line}");
        assert_eq!(is_marker, line["reason"] == "delete_marker", "{line}");
        for (end, ids) in [("source", &first), ("target", &second)] {
            let id = line[end]["version_id"].as_str().expect("an id");
            assert_eq!(ids.get(id), Some(&is_marker), "{end} of {line}");
        }
    }
}

/// What each key had after the writes up to a time.
fn model(history: &[VersionSeen], prefix: &str, time: Timestamp) -> BTreeMap<String, VersionSeen> {
    let mut had = BTreeMap::new();
    for version in history.iter().filter(|it| it.modified <= time) {
        let key = version
            .key
            .strip_prefix(prefix)
            .expect("below it")
            .to_owned();
        match version.etag {
            Some(_) => had.insert(key, version.clone()),
            None => had.remove(&key),
        };
    }
    had
}

#[test]
fn the_past_is_what_the_history_says() {
    let world = lived();
    let history = world.history("first");
    let mut times: BTreeSet<Timestamp> = history.iter().map(|it| it.modified).collect();
    let first = times.first().expect("some").seconds();
    assert!(times.len() >= 4, "{times:?}");
    times.insert(Timestamp::new(first - 1, 0));
    times.insert(Timestamp::new(first, 500_000_000));
    times.insert(Timestamp::now());
    for (at, time) in times.iter().enumerate() {
        let had = model(&history, "dir/", *time);
        let expected: BTreeMap<String, Vec<u8>> = had
            .iter()
            .map(|(key, version)| (key.clone(), world.content_of("first", version)))
            .collect();
        let text = format!("{:?}", time.rfc3339_millis());
        for (server_side, target) in [
            ("false", format!("s3://second/{at}/")),
            ("true", format!("s3://second/server-{at}/")),
            ("false", format!("past-{at}")),
        ] {
            let ran = world
                .job()
                .pair("pair", "s3://first/dir/", &target)
                .set("versioning.point_in_time", &text)
                .set("server_side_copy", server_side)
                .set("performance.max_keys", "3")
                .run();
            ran.exit(0).transferred(expected.len()).all_proved();
            let found = match target.strip_prefix("s3://second/") {
                Some(prefix) => world.objects("second", prefix),
                None => world.tree(&target).files(),
            };
            assert_eq!(found, expected, "{text} to {target}");
            for line in ran.pair("pair").evidence() {
                let key = line["key"].as_str().expect("a key");
                assert_eq!(line["source"]["version_id"], had[key].id, "{line}");
            }
        }
    }
}

#[test]
fn the_past_is_written_over_what_is_there_and_deletes_nothing() {
    let mut world = world();
    for text in ["old", "mid", "new"] {
        world.put("first", "a", text.as_bytes());
    }
    world.date("first", |n| Timestamp::new(1_000_000_000 + n as i64, 0));
    for (key, text) in [("a", "xyz"), ("b", "stays")] {
        world.put("second", key, text.as_bytes());
    }
    for _ in 0..2 {
        // the target is newer, and of the same size
        let ran = world
            .job()
            .pair("pair", "s3://first/", "s3://second/")
            .set("versioning.point_in_time", "\"2001-09-09T01:46:41Z\"")
            .run();
        ran.exit(0).transferred(1).all_proved();
        assert_eq!(ran.pair("pair").count("transferred/updated"), 1);
        assert_eq!(world.get("second", "a"), Some(b"mid".to_vec()));
        assert_eq!(world.get("second", "b"), Some(b"stays".to_vec()));
    }
}

#[test]
fn a_limit_of_objects_does_not_hide_versions() {
    let world = world();
    world.put("first", "dir/a", b"1");
    world.put("first", "dir/a", b"22");
    world.remove("first", "dir/a");
    let job = || every_version(&world, "false").set("performance.rate_limit_objects", "1000");
    let ran = job().run();
    ran.exit(0).transferred(2).all_proved();
    let deleted = &ran.report["totals"]["counts"]["deleted"]["delete_markers"];
    assert_eq!(*deleted, 1, "{}", ran.told());
    same_lives(&world, "limited");
    job().run().exit(0).transferred(0).all_proved();
}

#[test]
fn large_versions_keep_their_parts_and_their_order() {
    for server_side in WAYS {
        let world = world();
        for (n, sizes) in [
            (1, vec![5 * MIB, 6 * MIB]),
            (2, vec![7]),
            (3, vec![8 * MIB, MIB]),
        ] {
            let size = sizes.iter().sum();
            let bytes = content(&format!("large {n}"), size);
            if sizes.len() == 1 {
                world.put("first", "dir/large", &bytes);
            } else {
                world.put_in_parts("first", "dir/large", &bytes, &sizes);
            }
        }
        let job = || {
            every_version(&world, server_side)
                .set("multipart.threshold", "\"5MiB\"")
                .set("multipart.chunksize", "\"5MiB\"")
        };
        job().run().exit(0).transferred(3).all_proved();
        same_lives(&world, server_side);
        job().run().exit(0).transferred(0).all_proved();
    }
}

#[test]
fn a_version_that_fails_stops_those_behind_it() {
    for (server_side, operation) in [("false", "PutObject"), ("true", "CopyObject")] {
        let world = world();
        for n in 0..5 {
            world.put("first", "dir/a", format!("a {n}").as_bytes());
            world.put("first", "dir/b", format!("b {n}").as_bytes());
        }
        world.remove("first", "dir/a");
        let refusal = Action::Refuse {
            status: 403,
            code: "AccessDenied".to_owned(),
            retry_after: None,
        };
        let rule = Rule::new(refusal).operation(operation).key("copy/a");
        world.faults().add(rule.when(When::Nth(3)));
        let ran = every_version(&world, server_side).run();
        ran.exit(3).transferred(7);
        let pair = ran.pair("pair");
        assert_eq!(pair.count("skipped/total"), 1, "{}", ran.told());
        assert_eq!(pair.count("not_attempted"), 3, "{}", ran.told());
        assert_eq!(lives(&world, "second", "copy/")["a"].0.len(), 2);

        world.faults().clear();
        let rest = every_version(&world, server_side).run();
        rest.exit(0).transferred(3).all_proved();
        same_lives(&world, operation);
    }
}

#[test]
fn an_interrupted_key_goes_on_where_it_was() {
    let world = world();
    for n in 0..6 {
        world.put("first", "dir/a", format!("a {n}").as_bytes());
    }
    let rule = Rule::new(Action::Delay(NEVER))
        .operation("PutObject")
        .key("copy/a");
    world.faults().add(rule.when(When::Nth(3)));
    let before = world.faults().calls("PutObject");
    let running = every_version(&world, "false").start();
    until("the third version is on its way", || {
        world.faults().calls("PutObject") >= before + 3
    });
    running.stop(Signal::TERM);
    world.faults().let_go();
    let ran = running.wait();
    ran.exit(143).transferred(3);
    assert_eq!(ran.pair("pair").count("not_attempted"), 3, "{}", ran.told());

    world.faults().clear();
    every_version(&world, "false")
        .run()
        .exit(0)
        .transferred(3)
        .all_proved();
    same_lives(&world, "interrupted");
}

#[test]
fn objects_from_before_there_were_versions_count_too() {
    for server_side in WAYS {
        let world = World::new();
        world.bucket("first");
        world.bucket("second");
        world.keep_versions("second");
        world.put("first", "dir/a", b"before");
        world.put("first", "dir/b", b"only");
        world.keep_versions("first");
        world.put("first", "dir/a", b"after");
        let job = || every_version(&world, server_side);
        job().run().exit(0).transferred(3).all_proved();
        same_lives(&world, server_side);
        job().run().exit(0).transferred(0).all_proved();

        // the version without an id is written over: it is another one now
        world.suspend_versions("first");
        world.put("first", "dir/a", b"latest");
        world.keep_versions("first");
        job().run().exit(0).transferred(1).all_proved();
        let (copies, _) = &lives(&world, "second", "copy/")["a"];
        let contents: Vec<_> = copies
            .iter()
            .map(|it| world.content_of("second", it))
            .collect();
        assert_eq!(
            contents,
            [b"before".to_vec(), b"after".to_vec(), b"latest".to_vec()]
        );
        job().run().exit(0).transferred(0).all_proved();
    }
}

#[test]
fn markers_follow_the_source_and_stay_where_they_are() {
    let world = world();
    let job = || every_version(&world, "false");
    world.put("first", "dir/a", b"1");
    world.put("first", "dir/b", b"1");
    job().run().exit(0).transferred(2).all_proved();

    // deleted at the target: its markers are newer than all the source has
    world.remove("second", "copy/a");
    job().run().exit(0).transferred(0).all_proved();
    assert!(lives(&world, "second", "copy/")["a"].1);

    // deleted at the source: one marker each, and none where there is one
    world.remove("first", "dir/a");
    world.remove("first", "dir/b");
    let ran = job().run();
    ran.exit(0).transferred(0).all_proved();
    assert_eq!(
        ran.pair("pair").count("deleted/delete_markers"),
        1,
        "{}",
        ran.told()
    );
    assert_eq!(ran.pair("pair").line("b")["reason"], "delete_marker");
    same_lives(&world, "deleted");

    // come back, and deleted again
    world.put("first", "dir/a", b"2");
    world.remove("first", "dir/a");
    world.put("first", "dir/b", b"2");
    let ran = job().run();
    ran.exit(0).transferred(2).all_proved();
    assert_eq!(
        ran.pair("pair").count("deleted/delete_markers"),
        1,
        "{}",
        ran.told()
    );
    same_lives(&world, "back");
    job().run().exit(0).transferred(0).all_proved();
}

#[test]
fn an_old_version_never_becomes_the_newest() {
    let world = world();
    for n in 0..3 {
        world.put("first", "dir/a", format!("a {n}").as_bytes());
    }
    every_version(&world, "false").run().exit(0).transferred(3);
    // a lifecycle rule of the target
    let oldest = world.history("second").swap_remove(0);
    world.remove_version("second", &oldest);
    world.put("first", "dir/a", b"a 3");
    let ran = every_version(&world, "false").run();
    ran.exit(3).transferred(1).says("out_of_order");
    assert_eq!(world.get("second", "copy/a"), Some(b"a 3".to_vec()));
    let line = &ran.pair("pair").evidence()[0];
    assert_eq!(line["reason"], "out_of_order", "{line}");
}

#[test]
fn buckets_that_keep_no_versions_are_refused() {
    let versions = ("versioning.enabled", "true");
    let past = ("versioning.point_in_time", "\"2020-01-01T00:00:00Z\"");
    for (name, buckets, option, words) in [
        (
            "no source",
            ["plain", "keeps"],
            versions,
            "versioning.enabled needs a bucket",
        ),
        (
            "no target",
            ["keeps", "plain"],
            versions,
            "versioning.enabled needs a bucket",
        ),
        (
            "suspended",
            ["keeps", "suspended"],
            versions,
            "keeps no new versions",
        ),
        (
            "no past",
            ["plain", "keeps"],
            past,
            "versioning.point_in_time needs a bucket",
        ),
        ("no bucket", ["nowhere", "keeps"], past, "s3://nowhere/"),
    ] {
        let world = World::new();
        for bucket in ["keeps", "plain", "suspended"] {
            world.bucket(bucket);
            world.put(bucket, "a", b"1");
        }
        world.keep_versions("keeps");
        world.keep_versions("suspended");
        world.suspend_versions("suspended");
        let before = calls(&world);
        let [source, target] = buckets.map(|bucket| format!("s3://{bucket}/"));
        let ran = world
            .job()
            .pair("pair", &source, &target)
            .set(option.0, option.1)
            .run();
        ran.exit(1).says(words);
        assert_eq!(calls(&world), before, "{name}: nothing is written");
        assert_eq!(ran.pair("pair").count("listed/source"), 0, "{name}");
    }
}

#[test]
fn a_dry_run_and_a_plan_tell_each_version() {
    let world = world();
    world.put("first", "dir/a", b"1");
    world.put("first", "dir/a", b"22");
    world.remove("first", "dir/a");
    world.put("first", "dir/b", b"1");
    let before = calls(&world);
    let dry = every_version(&world, "false")
        .arguments(&["--dry-run"])
        .run();
    dry.exit(0).transferred(3);
    assert_eq!(
        dry.pair("pair").count("deleted/delete_markers"),
        1,
        "{}",
        dry.told()
    );
    let lines = dry.pair("pair").evidence();
    let outcomes: Vec<_> = lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["planned"; 4]);
    let plan = every_version(&world, "false").called("plan").run();
    plan.exit(0).says("3 to transfer").says("delete_marker");
    assert_eq!(calls(&world), before, "nothing is written");
}
