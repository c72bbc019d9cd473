//! Conditional writes and copies: what is sent, what a refusal becomes, and whose object it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3sync::config::OfTarget;
use s3sync::event::{self, Cause, Event};
use s3sync::plan::{Decision, Direction, Transfer};
use s3sync::sandbox::{Action, Moment, Mutation, Rule, When};
use s3sync::store::local::{LocalTarget, LocalTargetSettings};
use s3sync::store::memory::MemoryStore;
use s3sync::transfer::Transferrer;
use serde_json::json;

use crate::engine_room::{Told, context, ends, pair};
use crate::support::{Listed, case, write};
use crate::world::{NEVER, Ran, Run, Wire, World, content, same, until};

const MIB: usize = 1 << 20;
const SMALL: usize = 50_000;
const LARGE: usize = 12 * MIB + 7;

/// A world with a tree and the same in the bucket `first`. The target has older objects of the two
/// keys, and none of the third.
fn world() -> World {
    let world = empty();
    for key in ["large", "small"] {
        world.put("second", key, b"older");
    }
    world.faults().forget_calls();
    world
}

/// The same with nothing at the target.
fn empty() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (key, size) in [("large", LARGE), ("new", 10), ("small", SMALL)] {
        world.tree("tree").file(key, size);
        let bytes = content(key, size);
        if size < LARGE {
            world.put("first", key, &bytes);
        } else {
            let sizes = [5 * MIB, 5 * MIB, 2 * MIB + 7];
            world.put_in_parts("first", key, &bytes, &sizes);
        }
    }
    world.faults().forget_calls();
    world
}

/// A way to the bucket `second`, and what writes its small and its large objects.
type Way = (&'static str, &'static str, &'static str, [&'static str; 2]);

const WAYS: [Way; 3] = [
    (
        "up",
        "tree",
        "false",
        ["PutObject", "CompleteMultipartUpload"],
    ),
    (
        "across",
        "s3://first/",
        "false",
        ["PutObject", "CompleteMultipartUpload"],
    ),
    (
        "server side",
        "s3://first/",
        "true",
        ["CopyObject", "CompleteMultipartUpload"],
    ),
];

fn run<'w>(world: &'w World, (_, source, server_side, _): &Way) -> Run<'w> {
    world
        .job_in_small_parts()
        .set("server_side_copy", server_side)
        .pair("pair", source, "s3://second/")
}

fn if_match<'w>(world: &'w World, way: &Way) -> Run<'w> {
    run(world, way).set("conditional.if_match", "true")
}

fn if_none_match<'w>(world: &'w World, way: &Way) -> Run<'w> {
    run(world, way).set("conditional.if_none_match", "true")
}

fn all_arrived(world: &World, ran: &Ran) {
    ran.exit(0).transferred(3).all_proved();
    same(&world.tree("tree").files(), &world.objects("second", ""));
    assert_eq!(world.uploads("second"), [""; 0]);
}

/// The heads of the requests that publish a key.
fn publishing(wire: &Wire, key: &str) -> Vec<String> {
    let path = format!("/second/{key}");
    let mut heads = wire.heads();
    heads.retain(|head| {
        let first = head.lines().next().unwrap_or_default();
        let puts = first.starts_with("PUT") && !first.contains("partNumber");
        let completes = first.starts_with("POST") && !first.contains("uploads");
        (puts || completes) && first.contains(&path)
    });
    heads
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

#[test]
fn what_publishes_an_object_names_the_one_it_replaces() {
    for way in &WAYS {
        case(format_args!("{}", way.0));
        let mut world = world();
        let listed = world.list("second", "");
        let wire = Wire::between(&mut world);
        let ran = if_match(&world, way).run();
        all_arrived(&world, &ran);
        for key in ["small", "large", "new"] {
            let heads = publishing(&wire, key);
            assert_eq!(heads.len(), 1, "{key}: {heads:?}");
            let expected = listed.get(key).map(|seen| seen.etag.as_str());
            assert_eq!(header(&heads[0], "if-match"), expected, "{key}: {heads:?}");
            assert_eq!(header(&heads[0], "if-none-match"), None, "{key}");
        }
    }
}

#[test]
fn what_publishes_an_object_says_that_nothing_is_to_be_there() {
    for way in &WAYS {
        case(format_args!("{}", way.0));
        let mut world = empty();
        let wire = Wire::between(&mut world);
        let ran = if_none_match(&world, way).run();
        all_arrived(&world, &ran);
        for key in ["small", "large", "new"] {
            let heads = publishing(&wire, key);
            assert_eq!(heads.len(), 1, "{key}: {heads:?}");
            assert_eq!(header(&heads[0], "if-none-match"), Some("*"), "{key}");
            assert_eq!(header(&heads[0], "if-match"), None, "{key}");
        }
        // the second run has nothing to write
        if_none_match(&world, way).run().exit(0).transferred(0);
    }
}

#[test]
fn what_is_listed_is_not_written_over_where_nothing_is_to_be_there() {
    for way in &WAYS {
        for dry in [&[][..], &["--dry-run"]] {
            case(format_args!("{} {dry:?}", way.0));
            let world = world();
            let ran = if_none_match(&world, way).arguments(dry).run();
            ran.exit(3).transferred(1);
            for key in ["small", "large"] {
                let line = ran.pair("pair").line(key);
                assert_eq!(line["reason"], "precondition_failed", "{key}");
                assert_eq!(world.get("second", key).as_deref(), Some(&b"older"[..]));
            }
            // nothing was read or begun for them
            assert_eq!(world.faults().calls("UploadPart"), 0);
            assert_eq!(world.faults().calls("UploadPartCopy"), 0);
        }
    }
}

/// Has somebody else write a key of the target while a run is writing it: at its `nth` attempt.
fn beaten(
    world: &World,
    operation: &'static str,
    key: &'static str,
    nth: u64,
    run: Run<'_>,
) -> Ran {
    let late = Rule::new(Action::Delay(NEVER)).when(When::Nth(nth));
    world.faults().add(late.operation(operation).key(key));
    let running = run.start();
    until("the write", || {
        let mutations = world.faults().mutations();
        let is_it = |call: &&Mutation| call.operation == operation && call.key == key;
        mutations.iter().filter(is_it).count() as u64 == nth
    });
    world.put("second", key, b"another's");
    world.faults().clear();
    world.faults().let_go();
    running.wait()
}

#[test]
fn another_writers_object_stays_and_that_is_a_warning() {
    for way in &WAYS {
        for (operation, key) in way.3.into_iter().zip(["small", "large"]) {
            for condition in ["conditional.if_match", "conditional.if_none_match"] {
                case(format_args!("{} {key} {condition}", way.0));
                let world = if condition == "conditional.if_match" {
                    world()
                } else {
                    empty()
                };
                let job = run(&world, way).set(condition, "true");
                let ran = beaten(&world, operation, key, 1, job);
                ran.exit(3).transferred(2);
                let pair = ran.pair("pair");
                let skipped = json!([{"reason": "precondition_failed", "count": 1}]);
                assert_eq!(pair.report["counts"]["skipped"]["by"], skipped);
                assert_eq!(pair.count("warnings"), 1, "{}", ran.told());
                assert_eq!(pair.line(key)["outcome"], "warning");
                assert_eq!(world.get("second", key).as_deref(), Some(&b"another's"[..]));
                assert_eq!(world.uploads("second"), [""; 0]);
                // it is not what a later run has to repair
                let distrusted = world.path("reports/job/distrusted.ndjson");
                let distrusted = std::fs::read_to_string(distrusted).unwrap_or_default();
                assert!(!distrusted.contains(key), "{distrusted}");
            }
        }
    }
}

#[test]
fn an_object_that_went_away_is_not_written_either() {
    for way in &WAYS {
        case(format_args!("{}", way.0));
        let world = world();
        let operation = way.3[0];
        let late = Rule::new(Action::Delay(NEVER))
            .operation(operation)
            .key("small");
        world.faults().add(late);
        let running = if_match(&world, way).start();
        until("the write", || {
            let mutations = world.faults().mutations();
            mutations
                .iter()
                .any(|call| call.operation == operation && call.key == "small")
        });
        world.remove("second", "small");
        world.faults().clear();
        world.faults().let_go();
        let ran = running.wait();
        ran.exit(3).transferred(2);
        assert_eq!(
            ran.pair("pair").line("small")["reason"],
            "precondition_failed"
        );
        assert_eq!(world.get("second", "small"), None);
    }
}

#[test]
fn a_lost_answer_is_no_other_writer() {
    let lost = || Rule::new(Action::Close(Moment::After)).when(When::First(1));
    let refused = |number| {
        let action = Action::Refuse {
            status: 412,
            code: "PreconditionFailed".to_owned(),
            retry_after: None,
        };
        Rule::new(action).when(When::Nth(number))
    };
    for way in &WAYS {
        for (operation, key) in way.3.into_iter().zip(["small", "large"]) {
            for condition in ["conditional.if_match", "conditional.if_none_match"] {
                case(format_args!("{} {operation} {condition}", way.0));
                let world = if condition == "conditional.if_match" {
                    world()
                } else {
                    empty()
                };
                world.faults().add(lost().operation(operation).key(key));
                if operation == "CompleteMultipartUpload" {
                    // whatever a server asks first, the condition or the upload
                    world.faults().add(refused(2).operation(operation).key(key));
                }
                let ran = run(&world, way).set(condition, "true").run();
                all_arrived(&world, &ran);
                let retries = ran.pair("pair").number("/retries/count");
                assert_eq!(retries, 1, "{}", ran.told());
            }
        }
    }
}

#[test]
fn a_lost_answer_does_not_make_anothers_object_ours() {
    let busy = || Rule::slow_down().when(When::First(1));
    for way in &WAYS[..2] {
        for (operation, key) in way.3.into_iter().zip(["small", "large"]) {
            case(format_args!("{} {operation}", way.0));
            let world = world();
            world.faults().add(busy().operation(operation).key(key));
            let job = if_match(&world, way);
            let ran = beaten(&world, operation, key, 2, job);
            ran.exit(3).transferred(2);
            assert_eq!(ran.pair("pair").line(key)["reason"], "precondition_failed");
            assert_eq!(world.get("second", key).as_deref(), Some(&b"another's"[..]));
        }
    }
}

#[test]
fn who_meets_another_writer_tries_again() {
    let conflict = || {
        let action = Action::Refuse {
            status: 409,
            code: "ConditionalRequestConflict".to_owned(),
            retry_after: None,
        };
        Rule::new(action).when(When::First(1))
    };
    for way in &WAYS {
        for (operation, key) in way.3.into_iter().zip(["small", "large"]) {
            case(format_args!("{} {operation}", way.0));
            let world = empty();
            world.faults().add(conflict().operation(operation).key(key));
            let ran = if_none_match(&world, way).run();
            all_arrived(&world, &ran);
            // the parts of an upload have to be sent again
            let begun = world.faults().calls("CreateMultipartUpload");
            assert_eq!(begun, 1 + u64::from(key == "large"), "{}", ran.told());
        }
    }
}

#[test]
fn what_was_damaged_on_the_way_is_written_over_all_the_same() {
    for way in &WAYS {
        let operation = way.3[0];
        for condition in ["conditional.if_match", "conditional.if_none_match"] {
            case(format_args!("{} {condition}", way.0));
            let world = if condition == "conditional.if_match" {
                world()
            } else {
                empty()
            };
            let rot = Rule::new(Action::FlipStored)
                .operation(operation)
                .key("small");
            world.faults().add(rot.when(When::First(1)));
            let ran = run(&world, way).set(condition, "true").run();
            all_arrived(&world, &ran);
            assert_eq!(ran.pair("pair").line("small")["attempts"], 2);
        }
    }
}

/// Has the source's object replaced after it was listed and before it is copied.
fn replaced<'w>(world: &'w World, key: &'static str, run: Run<'w>) -> Ran {
    let operation = if key == "large" {
        "UploadPartCopy"
    } else {
        "CopyObject"
    };
    let late = Rule::new(Action::Delay(NEVER))
        .operation(operation)
        .key(key);
    world.faults().add(late.when(When::First(1)));
    let running = run.start();
    until("the copy", || {
        let mutations = world.faults().mutations();
        mutations
            .iter()
            .any(|call| call.operation == operation && call.key == key)
    });
    world.put("first", key, b"replaced meanwhile");
    world.faults().clear();
    world.faults().let_go();
    running.wait()
}

#[test]
fn a_source_that_was_replaced_is_copied_or_left_as_the_user_wants() {
    let way = &WAYS[2];
    for key in ["small", "large"] {
        for (condition, only_listed) in [
            ("conditional.copy_source_if_match", false),
            ("conditional.copy_source_if_match", true),
            // the target's own condition says nothing of the source
            ("conditional.if_none_match", false),
        ] {
            case(format_args!("{key} {condition} {only_listed}"));
            let world = empty();
            let mut job = run(&world, way);
            if only_listed || condition != "conditional.copy_source_if_match" {
                job = job.set(condition, "true");
            }
            let ran = replaced(&world, key, job);
            let seen = world.get("second", key);
            if only_listed {
                ran.exit(3).transferred(2);
                let line = ran.pair("pair").line(key);
                assert_eq!(line["reason"], "precondition_failed", "{line}");
                assert_eq!(seen, None);
            } else {
                ran.exit(0).transferred(3);
                assert_eq!(seen.as_deref(), Some(&b"replaced meanwhile"[..]));
            }
            assert_eq!(world.uploads("second"), [""; 0]);
        }
    }
}

#[test]
fn warnings_are_errors_where_the_user_says_so() {
    let counts = |ran: &Ran| -> BTreeMap<&str, u64> {
        let names = ["warnings", "errors", "failed", "skipped/total"];
        let pair = ran.pair("pair");
        names.map(|name| (name, pair.count(name))).into()
    };
    for (as_error, exit, status) in [("false", 3, "warning"), ("true", 1, "failed")] {
        case(format_args!("{as_error}"));
        let world = world();
        let job = if_none_match(&world, &WAYS[0]);
        let ran = job.set("warnings.as_error", as_error).run();
        ran.exit(exit).transferred(1);
        let pair = ran.pair("pair");
        assert_eq!(pair.report["status"], status);
        // what happened is told as it is, whatever it is worth
        let expected = BTreeMap::from([
            ("warnings", 2),
            ("errors", 0),
            ("failed", 0),
            ("skipped/total", 2),
        ]);
        assert_eq!(counts(&ran), expected);
        let reason = pair.report["status_reason"].as_str();
        assert_eq!(
            reason.is_some_and(|reason| reason.contains("warnings.as_error")),
            as_error == "true",
            "{reason:?}"
        );
    }
    // the one line of an ad-hoc run, as the predecessor has it
    let world = world();
    let target = "s3://second/";
    let ran = world
        .sync("tree", target)
        .arguments(&["--if-none-match", "--warn-as-error"])
        .run();
    ran.exit(1).says("error 0 objects, warning 2 objects");
}

#[test]
fn differences_a_check_finds_are_no_errors() {
    let world = world();
    let job = run(&world, &WAYS[1]).set("warnings.as_error", "true");
    let ran = job.called("check").run();
    ran.exit(3);
    assert_eq!(ran.pair("pair").report["status"], "warning");
    // and what it could not look at is one
    let policy = json!({"Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::first/small",
    }]});
    world.put("second", "small", &content("other", SMALL));
    world.policy("first", &policy.to_string());
    let job = run(&world, &WAYS[1]).set("warnings.as_error", "true");
    let ran = job.called("check").run();
    ran.exit(1).says("access_denied");
}

#[tokio::test]
async fn a_target_without_etags_is_written_to_and_that_is_told() {
    let source = MemoryStore::new();
    write(&source, "k", "newer").await.expect("a put");
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("k"), "old").expect("a file");
    let target = LocalTarget::new(LocalTargetSettings {
        root: dir.path().to_owned(),
        never_list: Vec::new(),
    });
    let told = Arc::<Told>::default();
    let mut pair = pair();
    pair.conditional.target = OfTarget::Listed;
    let context = context(&told);
    let transferrer = Transferrer::new(
        ends(&source, &target, Direction::S3ToLocal),
        &pair,
        &context,
    );
    let [entry] = &Listed::of(&source).await.entries[..] else {
        panic!("one object");
    };
    let replaces = event::Listed {
        size: 3,
        modified: entry.modified,
        etag: None,
        version: None,
    };
    let transfer = Transfer {
        source: entry.clone(),
        replaces: Some(replaces),
        because: Cause::SizeDiffers,
    };
    let done = transferrer.run(Decision::Transfer(transfer)).await;
    done.expect("nothing ends the pair");
    assert_eq!(told.transferred().len(), 1);
    let lost = told.events().into_iter().find_map(|event| match event {
        Event::GuaranteeLost { what, .. } => Some(what),
        _ => None,
    });
    assert!(
        lost.is_some_and(|what| what.contains("conditional.if_match")),
        "{:?}",
        told.events()
    );
}
