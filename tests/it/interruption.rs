//! Ctrl-C and SIGTERM: what is begun is finished or given up, and the report says so.

use std::time::Duration;

use rustix::process::Signal;
use s3sync::sandbox::{Action, Rule, When};

use crate::resume::journal;
use crate::world::{NEVER, Ran, Run, Running, World, content, until};

const MIB: usize = 1 << 20;

/// A tree with one large file, and small ones behind it.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("large", 24 * MIB);
    for n in 0..20 {
        tree.file(&format!("small/{n}"), 100);
    }
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("pair", "tree", "s3://second/")
}

/// Starts a run whose second part never comes, and waits until it is on its way.
fn started(world: &World) -> Running {
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(rule.when(When::Nth(2)));
    let running = up(world)
        .set("performance.max_parallel_uploads", "1")
        // whoever has started the tests may ignore it (`nohup`), and that is handed down
        .through(&["env", "--default-signal=HUP"])
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 2
    });
    running
}

fn is_interrupted(ran: &Ran, code: i32, signal: &str) {
    ran.exit(code);
    let run = &ran.report["run"];
    assert_eq!(run["status"], "interrupted", "{}", ran.told());
    assert_eq!(run["interrupted_by"], signal, "{}", ran.told());
    assert_eq!(run["exit_code"], code, "{}", ran.told());
    assert_eq!(
        ran.pair("pair").report["status"],
        "interrupted",
        "{}",
        ran.told()
    );
}

/// Statement 26: SIGTERM or Ctrl-C in a multipart upload → AbortMultipartUpload is sent, report
/// written, exit 143/130.
#[test]
fn the_first_signal_aborts_what_is_large_and_finishes_what_is_small() {
    for (signal, code, name) in [
        (Signal::INT, 130, "SIGINT"),
        (Signal::TERM, 143, "SIGTERM"),
        (Signal::HUP, 129, "SIGHUP"),
    ] {
        let world = world();
        let running = started(&world);
        running.signal(signal);
        let ran = running.wait();
        is_interrupted(&ran, code, name);
        assert_eq!(
            world.faults().calls("AbortMultipartUpload"),
            1,
            "{}",
            ran.told()
        );
        assert_eq!(world.faults().calls("CompleteMultipartUpload"), 0);
        assert_eq!(world.uploads("second"), [""; 0], "{name}");
        assert!(!journal(&world).exists(), "{name}");
        assert_eq!(world.get("second", "large"), None, "{name}");
        assert!(
            ran.pair("pair").count("not_attempted") >= 1,
            "{}",
            ran.told()
        );
        for (key, bytes) in world.objects("second", "") {
            assert_eq!(bytes, content(&key, 100), "{key}: what is there is whole");
        }

        // the next run brings the rest
        world.faults().clear();
        let rest = up(&world).run();
        rest.exit(0).all_proved();
        assert_eq!(world.objects("second", "").len(), 21);
        let done = ran.pair("pair").count("transferred/total");
        assert_eq!(done + rest.pair("pair").count("transferred/total"), 21);
    }
}

/// Statement 26: a second signal ends at once.
#[test]
fn the_second_signal_ends_at_once() {
    for (first, second, code) in [
        (Signal::INT, Signal::INT, 130),
        (Signal::TERM, Signal::TERM, 143),
        (Signal::INT, Signal::TERM, 143),
        (Signal::HUP, Signal::HUP, 129),
    ] {
        let world = world();
        // what is short is waited for
        let rule = Rule::new(Action::Delay(NEVER)).operation("PutObject");
        world.faults().add(rule);
        let running = started(&world);
        running.stop(first);
        running.signal(second);
        let ran = running.wait();
        ran.exit(code);
        assert_eq!(ran.report["run"]["status"], "interrupted", "{}", ran.told());
    }
}

/// Statement 26: a second signal ends at once, and hides nothing that had failed before.
#[test]
fn what_had_failed_is_told_after_a_second_signal() {
    let world = world();
    let refuse = Action::Refuse {
        status: 400,
        code: "EntityTooLarge".to_owned(),
        retry_after: None,
    };
    let refuse = Rule::new(refuse).operation("PutObject");
    world.faults().add(refuse.key("small/0"));
    world.faults().forget_calls();
    // what is short is waited for
    let rule = Rule::new(Action::Delay(NEVER)).operation("PutObject");
    world.faults().add(rule.key("small/9"));
    let running = up(&world).pair("later", "tree", "s3://first/").start();
    until("all else that is small has ended", || {
        world.faults().calls("PutObject") >= 20 && running.has_said("small/0")
    });
    running.signal(Signal::TERM);
    until("the first signal was heard", || {
        running.has_said("once more stops at once")
    });
    running.signal(Signal::TERM);
    let ran = running.wait();
    ran.exit(1);
    let run = &ran.report["run"];
    assert_eq!(run["status"], "failed", "{}", ran.told());
    assert_eq!(run["status_reason"], "ended by a second signal");
    assert_eq!(run["interrupted_by"], "SIGTERM", "{}", ran.told());
    for (pair, status, reason) in [
        ("pair", "failed", "also interrupted"),
        ("later", "interrupted", "not started"),
    ] {
        let report = ran.pair(pair).report;
        assert_eq!(report["status"], status, "{}", ran.told());
        assert_eq!(report["status_reason"], reason, "{}", ran.told());
    }
}

#[test]
fn later_pairs_are_not_begun() {
    let world = world();
    let rule = Rule::new(Action::Delay(NEVER));
    world
        .faults()
        .add(rule.operation("UploadPart").when(When::Nth(1)));
    let running = up(&world)
        .set("performance.max_parallel_uploads", "1")
        .pair("later", "s3://second/", "s3://first/")
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 1
    });
    running.signal(Signal::INT);
    let ran = running.wait();
    is_interrupted(&ran, 130, "SIGINT");
    assert_eq!(ran.pair("later").report["status"], "interrupted");
    assert_eq!(world.objects("first", "").len(), 0);
}

#[test]
fn a_download_that_is_stopped_leaves_no_file_and_no_temporary_one() {
    let world = world();
    let large = content("large", 24 * MIB);
    world.put_in_parts("first", "large", &large, &[8 * MIB, 8 * MIB, 8 * MIB]);
    let rule = Rule::new(Action::Delay(NEVER)).operation("GetObject");
    world.faults().add(rule.when(When::Nth(2)));
    let running = world
        .job()
        .pair("pair", "s3://first/", "down")
        .set("performance.max_parallel_uploads", "1")
        .start();
    until("a range is on its way", || {
        world.faults().calls("GetObject") >= 2
    });
    running.signal(Signal::TERM);
    let ran = running.wait();
    is_interrupted(&ran, 143, "SIGTERM");
    assert_eq!(world.tree("down").files().len(), 0, "{}", ran.told());
}

#[test]
fn wherever_it_is_stopped_the_next_run_converges() {
    for step in [1, 2, 3, 5, 8, 13] {
        let world = world();
        let rule = Rule::new(Action::Delay(Duration::from_millis(300)));
        world.faults().add(rule.when(When::Nth(step)));
        let running = up(&world).start();
        until("that many calls", || {
            world.faults().all_calls().values().sum::<u64>() >= step + 3
        });
        running.signal(Signal::INT);
        // it may have come to its end before
        let _ = running.wait();
        world.faults().clear();
        up(&world).run().exit(0);
        up(&world).run().exit(0).transferred(0);
        assert_eq!(world.objects("second", "").len(), 21, "{step}");
        assert_eq!(world.uploads("second"), [""; 0], "{step}");
    }
}

#[test]
fn a_check_waits_for_no_answer_any_more() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let world = world();
        let bytes = content("large", 24 * MIB);
        let cut = [8 * MIB; 3];
        world.put_in_parts("second", "large", &bytes, &cut);
        for operation in ["HeadObject", "GetObject", "GetObjectAttributes"] {
            let rule = Rule::new(Action::Delay(NEVER)).operation(operation);
            world.faults().add(rule);
        }
        let running = up(&world).called("check").start();
        until("something is asked", || {
            let asked = ["HeadObject", "GetObject", "GetObjectAttributes"];
            asked.iter().any(|it| world.faults().calls(it) > 0)
        });
        running.signal(signal);
        // it would be killed as late if the answer were waited for
        let ran = running.wait();
        is_interrupted(&ran, code, name);
        assert!(
            ran.pair("pair").count("not_attempted") >= 1,
            "{}",
            ran.told()
        );
    }
}

#[test]
fn what_is_short_has_the_grace_that_is_said_and_is_cut_then() {
    for (name, grace, arrives) in [
        ("in time", "1m", true),
        ("too late", "50ms", false),
        ("none", "0s", false),
    ] {
        let world = world();
        std::fs::remove_file(world.path("tree/large")).expect("removed");
        let rule = Rule::new(Action::Delay(NEVER)).operation("PutObject");
        world.faults().add(rule);
        let running = up(&world)
            .text(&format!("[job]\nshutdown_grace = \"{grace}\"\n"))
            .start();
        until("an object is on its way", || {
            world.faults().calls("PutObject") >= 1
        });
        running.stop(Signal::TERM);
        if arrives {
            world.faults().clear();
            world.faults().let_go();
        }
        let ran = running.wait();
        is_interrupted(&ran, 143, "SIGTERM");
        let transferred = ran.pair("pair").count("transferred/total");
        assert_eq!(transferred > 0, arrives, "{name}: {}", ran.told());
        assert!(
            arrives || ran.pair("pair").count("not_attempted") == 20,
            "{name}"
        );
    }
}

#[test]
fn an_endpoint_that_does_not_answer_keeps_no_run_that_is_to_end() {
    let world = world();
    for operation in ["AbortMultipartUpload", "PutObject"] {
        let rule = Rule::new(Action::Delay(NEVER)).operation(operation);
        world.faults().add(rule);
    }
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(rule.when(When::Nth(2)));
    let running = up(&world)
        .set("performance.max_parallel_uploads", "1")
        .text("[job]\nshutdown_grace = \"0s\"\n")
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 2
    });
    running.signal(Signal::TERM);
    // far below the read timeout, of which the abortion would have ten
    let ran = running.wait();
    is_interrupted(&ran, 143, "SIGTERM");
    assert!(ran.elapsed < Duration::from_secs(30), "{}", ran.told());
    assert!(world.faults().calls("AbortMultipartUpload") >= 1);
    assert_eq!(world.uploads("second"), ["large"]);
    assert!(journal(&world).exists(), "the next run knows of it");

    world.faults().clear();
    up(&world).run().exit(0).all_proved();
    assert_eq!(world.uploads("second"), [""; 0]);
    assert!(!journal(&world).exists());
}

#[test]
fn a_terminal_that_goes_away_does_not_end_a_run_that_was_to_outlive_it() {
    let world = world();
    let rule = Rule::new(Action::Delay(NEVER)).operation("UploadPart");
    world.faults().add(rule.when(When::Nth(2)));
    let running = up(&world)
        .set("performance.max_parallel_uploads", "1")
        .through(&["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"])
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 2
    });
    running.signal(Signal::HUP);
    world.faults().let_go();
    running.wait().exit(0).all_proved();
}

#[test]
fn a_second_signal_leaves_no_temporary_file() {
    let world = world();
    let large = content("large", 24 * MIB);
    world.put_in_parts("first", "large", &large, &[8 * MIB, 8 * MIB, 8 * MIB]);
    world.put("first", "small", b"small");
    let rule = Rule::new(Action::Delay(NEVER)).operation("GetObject");
    world.faults().add(rule.clone().key("small"));
    world.faults().add(rule.key("large").when(When::From(2)));
    let running = world
        .job()
        .pair("pair", "s3://first/", "down")
        .set("performance.max_parallel_uploads", "1")
        .start();
    until("both are on their way", || {
        world.faults().calls("GetObject") >= 3
    });
    running.stop(Signal::TERM);
    running.signal(Signal::TERM);
    running.wait().exit(143);
    assert_eq!(world.tree("down").files().len(), 0);
}
