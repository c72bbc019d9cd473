//! What is damaged at the target and cannot be removed never passes for unchanged.

use std::fs;
use std::path::PathBuf;

use s3sync::sandbox::{Action, Moment, Rule, When};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Run, World, content};

/// The smallest part S3 takes: threshold and part size of runs in parts.
const PART: usize = 5 << 20;

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

/// A pair that moves `large` in two parts, and `small` at once; or lets S3 copy both.
fn in_parts<'w>(world: &'w World, source: &str) -> Run<'w> {
    let run = world
        .job()
        .set("multipart.threshold", "\"5MiB\"")
        .set("multipart.chunksize", "\"5MiB\"")
        .set("retry.force_retry_count", "1")
        .set("retry.aws_max_attempts", "2")
        .pair("up", source, "s3://target/pre/");
    if source.starts_with("s3:") {
        run.set("server_side_copy", "true")
    } else {
        run
    }
}

#[test]
fn an_etag_told_wrong_every_time_is_never_unchanged() {
    for (operation, source, name, size) in [
        ("PutObject", "tree", "small", 1000),
        ("CompleteMultipartUpload", "tree", "large", PART + 7),
        ("CopyObject", "s3://source/", "small", 1000),
    ] {
        for versions in [false, true] {
            case(format_args!("{operation}, versions: {versions}"));
            let world = World::new();
            world.bucket("source");
            world.bucket("target");
            if versions {
                world.keep_versions("target");
            }
            world.put("source", name, &content(name, 1000));
            world.tree("tree").file(name, size);
            let lie = Rule::new(Action::WrongETag).operation(operation);
            world.faults().add(lie);
            for round in 0..3 {
                case(format_args!("round {round}"));
                let ran = in_parts(&world, source).run();
                ran.exit(1).transferred(0);
                let line = ran.pair("up").line(name);
                assert_eq!(line["reason"], "etag_mismatch", "{line}");
                assert_eq!(ran.pair("up").count("unchanged"), 0, "{}", ran.told());
                // by a version what was stored is found; by an ETag it has not, it is not
                let is_there = world
                    .list("target", "")
                    .contains_key(&format!("pre/{name}"));
                assert_eq!(is_there, !versions, "{}", ran.told());
                assert_eq!(ran.told().contains("it was removed"), versions);
                assert_eq!(ran.told().contains("was not removed"), !versions);
                assert_eq!(lines(&world).len(), usize::from(!versions));
            }
            world.faults().clear();
            in_parts(&world, source).run().exit(0).transferred(1);
            assert!(!ledger(&world).exists(), "{:?}", lines(&world));
            in_parts(&world, source).run().exit(0).transferred(0);
        }
    }
}

/// Completions that are carried out, and whose answers are lost.
fn lose_completions(world: &World, when: When, swapped: bool) {
    let add = |action| {
        let rule = Rule::new(action).operation("CompleteMultipartUpload");
        world.faults().add(rule.when(when));
    };
    if swapped {
        add(Action::SwapParts);
    }
    add(Action::Close(Moment::After));
}

fn refuse(world: &World, operation: &str, status: u16) {
    let refusal = Action::Refuse {
        status,
        code: "NotImplemented".to_owned(),
        retry_after: None,
    };
    world.faults().add(Rule::new(refusal).operation(operation));
}

/// A world with one large file, and its content.
fn one_large(encrypted: bool) -> (World, Vec<u8>) {
    let world = World::new();
    world.bucket("target");
    if encrypted {
        world.encrypt_by_default("target", "aws:kms");
    }
    world.tree("tree").file("large", PART + 7);
    let bytes = world.tree("tree").files().remove("large");
    (world, bytes.expect("a file"))
}

#[test]
fn what_was_completed_wrong_and_not_answered_is_sent_again_at_once() {
    for encrypted in [false, true] {
        for ended in [404, 204] {
            case(format_args!("encrypted: {encrypted}, aborted with {ended}"));
            let (world, bytes) = one_large(encrypted);
            lose_completions(&world, When::First(1), true);
            if ended == 204 {
                refuse(&world, "AbortMultipartUpload", 204);
            }
            let ran = in_parts(&world, "tree").run();
            ran.exit(0).transferred(1).all_proved();
            assert_eq!(ran.pair("up").line("large")["attempts"], 2);
            assert!(world.get("target", "pre/large") == Some(bytes));
            assert!(!ledger(&world).exists(), "{:?}", lines(&world));
        }
    }
}

#[test]
fn what_was_completed_well_and_not_answered_is_done() {
    for encrypted in [false, true] {
        for ended in [404, 204] {
            case(format_args!("encrypted: {encrypted}, aborted with {ended}"));
            let (world, bytes) = one_large(encrypted);
            lose_completions(&world, When::Always, false);
            if ended == 204 {
                refuse(&world, "AbortMultipartUpload", 204);
            }
            let ran = in_parts(&world, "tree").run();
            ran.exit(0).transferred(1).all_proved();
            assert_eq!(ran.pair("up").line("large")["attempts"], 1);
            assert!(world.get("target", "pre/large") == Some(bytes));
        }
    }
}

#[test]
fn what_was_completed_wrong_every_time_is_never_unchanged() {
    for versions in [false, true] {
        for (name, refused, is_removed) in [
            ("it can be asked", &[][..], true),
            ("HEAD is refused", &["HeadObject"], false),
            ("it cannot be removed", &["DeleteObject"], false),
        ] {
            case(format_args!("{name}, versions: {versions}"));
            let (world, bytes) = one_large(false);
            if versions {
                world.keep_versions("target");
            }
            for round in 0..2 {
                case(format_args!("round {round}"));
                lose_completions(&world, When::Always, true);
                for operation in refused {
                    refuse(&world, operation, 501);
                }
                let ran = in_parts(&world, "tree").run();
                world.faults().clear();
                ran.exit(1).transferred(0);
                assert_eq!(ran.pair("up").count("unchanged"), 0, "{}", ran.told());
                assert_eq!(ran.pair("up").line("large")["attempts"], 4);
                let is_there = world.get("target", "pre/large").is_some();
                assert_eq!(is_there, !is_removed, "{}", ran.told());
                assert_eq!(lines(&world).len(), usize::from(!is_removed));
                assert_eq!(world.uploads("target"), [""; 0]);
            }
            let mended = in_parts(&world, "tree").run();
            mended.exit(0).transferred(1).all_proved();
            assert!(world.get("target", "pre/large") == Some(bytes));
            assert!(!ledger(&world).exists(), "{:?}", lines(&world));
        }
    }
}

#[test]
fn an_object_nobody_here_made_is_left_alone() {
    let (world, _) = one_large(false);
    let old = content("older", PART + 7);
    world.put_in_parts("target", "pre/large", &old, &[PART, 7]);
    world.tree("tree").touch("large", 4_000_000_000);
    let rule = Rule::new(Action::Close(Moment::Before)).operation("CompleteMultipartUpload");
    world.faults().add(rule);
    // the upload is gone as if it had been completed
    let gone = Action::Refuse {
        status: 404,
        code: "NoSuchUpload".to_owned(),
        retry_after: None,
    };
    world
        .faults()
        .add(Rule::new(gone).operation("AbortMultipartUpload"));
    let ran = in_parts(&world, "tree").run();
    ran.exit(1).transferred(0);
    assert!(world.get("target", "pre/large") == Some(old));
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}

#[test]
fn a_damaged_version_below_a_sound_one_is_told_as_what_it_is() {
    let world = World::new();
    world.bucket("target");
    world.keep_versions("target");
    world.tree("tree").file("bad", 200);
    refuse(&world, "DeleteObject", 403);
    let once = Rule::new(Action::FlipStored).operation("PutObject");
    world.faults().add(once.when(When::First(1)));
    let ran = up(&world).run();
    ran.exit(3).transferred(1).says("stays below the new one");
    assert!(
        !ran.told().contains("sent again by every run"),
        "{}",
        ran.told()
    );
    assert!(!ledger(&world).exists(), "{:?}", lines(&world));
}
