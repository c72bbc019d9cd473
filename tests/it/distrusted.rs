//! What is damaged at the target and cannot be removed never passes for unchanged.

use std::fs;
use std::path::PathBuf;

use s3sync::sandbox::{Action, Rule};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Run, World};

/// A world whose target damages one object as it is stored, and lets nobody delete.
fn damaging() -> World {
    let world = World::new();
    world.bucket("target");
    world.tree("tree").file("good", 100).file("bad", 200);
    let policy = json!({"Statement": [{
        "Effect": "Deny", "Principal": "*",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": ["arn:aws:s3:::target/*"],
    }]});
    world.policy("target", &policy.to_string());
    damage(&world);
    world
}

fn damage(world: &World) {
    let rule = Rule::new(Action::FlipStored).operation("PutObject");
    world.faults().add(rule.key("bad"));
}

fn up(world: &World) -> Run<'_> {
    world
        .job()
        .set("retry.force_retry_count", "1")
        .pair("up", "tree", "s3://target/pre/")
}

fn ledger(world: &World) -> PathBuf {
    world.path("reports/job/distrusted.ndjson")
}

fn lines(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(ledger(world)).unwrap_or_default();
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    text.lines().map(parse).collect()
}

#[test]
fn what_cannot_be_removed_is_sent_again_until_it_is_proved() {
    let world = damaging();
    let ran = up(&world).run();
    ran.exit(1).transferred(1).says("could not be removed");
    let written = lines(&world);
    let [line] = &written[..] else {
        panic!("one line: {written:?}");
    };
    for (name, value) in [
        ("object", json!("s3://target/pre/bad")),
        ("endpoint", json!(world.endpoint.url)),
        ("reason", json!("etag_mismatch")),
        ("pair", json!("up")),
        ("run", ran.report["run"]["id"].clone()),
        ("etag", json!(world.list("target", "")["pre/bad"].etag)),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }

    // damaged again, it stays what it is
    up(&world).run().exit(1).transferred(0);
    assert_eq!(lines(&world).len(), 1);

    world.faults().clear();
    let plan = up(&world).called("plan").run();
    plan.exit(0).says("distrusted");
    let dry = up(&world).arguments(&["--dry-run"]).run();
    dry.exit(0).transferred(1);
    assert_eq!(dry.pair("up").line("bad")["reason"], "distrusted");
    assert_eq!(lines(&world).len(), 1, "a dry run writes nothing");

    let mended = up(&world).run();
    mended.exit(0).transferred(1).all_proved();
    assert_eq!(mended.pair("up").line("bad")["reason"], "distrusted");
    assert_eq!(mended.pair("up").count("transferred/updated"), 1);
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
    up(&world).run().exit(0).transferred(0);
}

#[test]
fn no_way_of_comparing_overrules_it() {
    for mode in ["mtime", "size"] {
        let world = damaging();
        let job = || up(&world).set("check.mode", &format!("{mode:?}"));
        let first = job().run();
        if first.has_ended(2) {
            // a mode that is not built yet
            assert_ne!(mode, "mtime", "{}", first.told());
            continue;
        }
        first.exit(1);
        world.faults().clear();
        case(format_args!("{mode}"));
        job().run().exit(0).transferred(1).all_proved();
        job().run().exit(0).transferred(0);
    }
}

#[test]
fn what_could_be_removed_is_not_distrusted() {
    let world = World::new();
    world.bucket("target");
    world.tree("tree").file("good", 100).file("bad", 200);
    damage(&world);
    up(&world).run().exit(1).says("was removed");
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}

#[test]
fn of_a_bucket_with_versions_every_damaged_one_is_taken_away() {
    let world = World::new();
    world.bucket("target");
    world.keep_versions("target");
    world.put("target", "pre/bad", b"what was there before");
    world.tree("tree").file("bad", 200);
    damage(&world);
    up(&world).run().exit(1).says("was removed");
    let left = world.get("target", "pre/bad");
    assert_eq!(left.as_deref(), Some(&b"what was there before"[..]));
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}

#[test]
fn what_must_be_proved_and_cannot_be_is_not_unchanged() {
    let world = World::new();
    world.bucket("target");
    world.encrypt_by_default("target", "aws:kms");
    world.tree("tree").file("a", 100);
    // the ETag of a sealed object says nothing, and the checksum S3 makes of it is not asked
    let job = |word: &str| {
        up(&world)
            .set("verify.checksum", "false")
            .set("verify.unverifiable", &format!("{word:?}"))
    };
    for _ in 0..2 {
        let ran = job("fail").run();
        ran.exit(1).transferred(0);
        assert_eq!(ran.pair("up").line("a")["reason"], "unverifiable");
        assert_eq!(lines(&world)[0]["reason"], "unverifiable");
    }
    // who takes what cannot be proved gets it once more, and then has it
    job("accept").run().exit(0).transferred(1);
    job("accept").run().exit(0).transferred(0);
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}

#[test]
fn a_damaged_line_is_told_and_kept_and_stops_nothing() {
    let world = damaging();
    up(&world).run().exit(1);
    let whole = fs::read_to_string(ledger(&world)).expect("a line");
    fs::write(ledger(&world), format!("{}\n{whole}", &whole[..40])).expect("written");
    world.faults().clear();
    let ran = up(&world).run();
    ran.exit(3)
        .transferred(1)
        .says("distrusted.ndjson:1: cannot be read");
    let left = fs::read_to_string(ledger(&world)).expect("the damaged line");
    assert_eq!(left, format!("{}\n", &whole[..40]));
}

#[test]
fn what_a_rehearsal_distrusts_is_not_distrusted_in_earnest() {
    let world = damaging();
    up(&world).run().exit(1);
    world.faults().clear();
    // the same places, and another endpoint
    let rehearsed = up(&world).arguments(&["--sandbox", "rehearsal"]).run();
    rehearsed.exit(0).transferred(2);
    assert_eq!(lines(&world).len(), 1);
    up(&world).run().exit(0).transferred(1);
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}
