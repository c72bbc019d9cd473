//! Programs before and after: what they are told, what their failure means, and that nothing they
//! do keeps a run from its end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;
use s3sync::sandbox::{Action, Rule, When};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{NEVER, Ran, Run, World, until};

/// A world with a directory of two files, an empty bucket, and a script `hook` beside the job.
fn world(script: &str) -> World {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10).file("b", 20);
    let hook = world.path("hook");
    fs::write(&hook, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).expect("a program");
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("pair", "tree", "s3://first/")
}

/// A hook that runs the script.
fn hook(at: &str, scope: &str, more: &str) -> String {
    format!("\n[[hooks]]\nat = {at:?}\nscope = {scope:?}\nrun = [\"./hook\"]\n{more}\n")
}

/// One of each kind.
fn everywhere() -> String {
    [
        ("before", "job"),
        ("before", "pair"),
        ("after", "pair"),
        ("after", "job"),
    ]
    .map(|(at, scope)| hook(at, scope, ""))
    .concat()
}

fn read(world: &World, name: &str) -> String {
    fs::read_to_string(world.path(name)).unwrap_or_default()
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

/// What the report says of the hooks that ran, one key each.
fn said(ran: &Ran, key: &str) -> Vec<Value> {
    let hooks = ran.report["hooks"].as_array().expect("hooks").iter();
    hooks.map(|hook| hook[key].clone()).collect()
}

#[test]
fn programs_run_around_the_job_and_each_pair_and_are_told_of_it() {
    let world = world(
        "echo \"$S3SYNC_RUN_AT $S3SYNC_RUN_SCOPE ${S3SYNC_RUN_PAIR:-none} ${S3SYNC_RUN_STATUS:-none} ${S3SYNC_RUN_EXIT_CODE:-none} ${S3SYNC_RUN_TRANSFERRED:-none} ${S3SYNC_RUN_BYTES:-none}\" >> trace\n\
         cat > \"given-$S3SYNC_RUN_AT-$S3SYNC_RUN_SCOPE\"\n\
         test -f \"$S3SYNC_RUN_REPORT\" && test \"$S3SYNC_RUN_JOB\" = job",
    );
    let ran = up(&world)
        .pair("other", "s3://first/", "down")
        .text(&everywhere())
        .run();
    ran.exit(0).transferred(4).all_proved();
    assert_eq!(
        read(&world, "trace"),
        "before job none none none none none\n\
         before pair pair none none none none\n\
         after pair pair success 0 2 30\n\
         before pair other none none none none\n\
         after pair other success 0 2 30\n\
         after job none success 0 4 60\n"
    );
    let given = |name| -> Value { serde_json::from_str(&read(&world, name)).expect("JSON") };
    let before = given("given-before-job");
    assert_eq!(before["run"]["status"], "running");
    let after = given("given-after-job");
    crate::schemas::holds("report", &after);
    assert_eq!(after["run"]["status"], "success");
    assert_eq!(after["run"]["exit_code"], 0);
    assert_eq!(
        after["totals"], ran.report["totals"],
        "nothing is counted after it"
    );
    let pair = given("given-after-pair");
    assert_eq!(pair["name"], "other");
    assert_eq!(pair["status"], "success");
    assert_eq!(
        pair["evidence"],
        ran.pair("other").report["evidence"],
        "it is complete"
    );

    crate::schemas::holds("report", &ran.report);
    assert_eq!(said(&ran, "exit_code"), [0; 6].map(Value::from));
    assert_eq!(
        said(&ran, "pair"),
        [
            json!(null),
            json!("pair"),
            json!("pair"),
            json!("other"),
            json!("other"),
            json!(null)
        ]
    );
    assert_eq!(said(&ran, "run")[0], json!(["./hook"]));
    assert_eq!(said(&ran, "error"), vec![Value::Null; 6]);
}

/// Statement 55: a hook that fails leaves the outcome of the sync as it is, unless it is to fail it.
#[test]
fn what_the_failure_of_a_program_means() {
    let world = world("echo it is broken >&2; exit 7");
    for (at, scope, on_error, exit, run, pair, transferred) in [
        ("before", "job", "ignore", 0, "success", "success", 2),
        ("before", "job", "warn", 3, "warning", "success", 2),
        ("before", "job", "fail", 1, "failed", "not_attempted", 0),
        ("before", "pair", "ignore", 0, "success", "success", 2),
        ("before", "pair", "warn", 3, "warning", "warning", 2),
        ("before", "pair", "fail", 1, "failed", "failed", 0),
        ("after", "pair", "ignore", 0, "success", "success", 2),
        ("after", "pair", "warn", 3, "warning", "warning", 2),
        ("after", "pair", "fail", 1, "failed", "failed", 2),
        ("after", "job", "ignore", 0, "success", "success", 2),
        ("after", "job", "warn", 3, "warning", "success", 2),
        ("after", "job", "fail", 1, "failed", "success", 2),
    ] {
        case(format_args!("{at} {scope} {on_error}"));
        for key in ["a", "b"] {
            world.remove("first", key);
        }
        let more = format!("on_error = {on_error:?}");
        let ran = up(&world).text(&hook(at, scope, &more)).run();
        ran.exit(exit).transferred(transferred);
        assert_eq!(ran.report["run"]["status"], run, "{}", ran.told());
        assert_eq!(ran.pair("pair").report["status"], pair, "{}", ran.told());
        assert_eq!(said(&ran, "exit_code"), [json!(7)]);
        assert_eq!(
            said(&ran, "error"),
            [json!("ended with exit code 7: it is broken")]
        );
        if exit != 0 {
            ran.says("the hook `./hook` ended with exit code 7: it is broken");
        }
        if exit == 1 {
            let reason = ran.report["run"]["status_reason"]
                .as_str()
                .expect("a reason");
            assert!(reason.contains("the hook `./hook`"), "{reason}");
        }
    }
}

/// Each warning of a program around the job is counted, as those around a pair are.
#[test]
fn every_program_that_fails_with_a_warning_is_counted() {
    let world = world("exit 7");
    for (before, after) in [(1, 0), (2, 0), (0, 2), (2, 1)] {
        case(format_args!("{before} before, {after} after"));
        let hooks = [
            hook("before", "job", "").repeat(before),
            hook("after", "job", "").repeat(after),
        ];
        let ran = up(&world).text(&hooks.concat()).run();
        ran.exit(3);
        let counted = &ran.report["totals"]["counts"]["warnings"];
        assert_eq!(*counted, json!(before + after), "{}", ran.told());
        assert_eq!(ran.pair("pair").count("warnings"), 0, "{}", ran.told());
        let reason = ran.report["run"]["status_reason"]
            .as_str()
            .expect("a reason");
        let told = reason
            .matches("the hook `./hook` ended with exit code 7")
            .count();
        assert_eq!(
            told,
            before.max(1),
            "all those before, or else the first: {reason}"
        );
    }
}

/// What failed with a warning is told and counted, whatever comes of those after it.
#[test]
fn a_warning_before_a_program_that_fails_or_is_stopped_is_counted() {
    let world = world(
        "if [ $# = 1 ]; then exit 7; fi\n\
         echo > started\n\
         if test -f endless; then exec tail -f /dev/null; fi\n\
         exit 8",
    );
    let started = world.path("started");
    for (scope, is_stopped, exit) in [
        ("job", false, 1),
        ("pair", false, 1),
        ("job", true, 143),
        ("pair", true, 143),
    ] {
        case(format_args!("{scope} {is_stopped}"));
        let _ = fs::remove_file(&started);
        if is_stopped {
            fs::write(world.path("endless"), "").expect("a file");
        }
        let first =
            hook("before", scope, "on_error = \"warn\"").replace("hook\"]", "hook\", \"1\"]");
        let second = hook("before", scope, "on_error = \"fail\"");
        let running = up(&world).text(&(first + &second)).start();
        until("the second has begun", || started.exists());
        if is_stopped {
            running.signal(Signal::TERM);
        }
        let ran = running.wait();
        ran.exit(exit).transferred(0);
        ran.says("the hook `./hook` ended with exit code 7");
        let counted = &ran.report["totals"]["counts"]["warnings"];
        assert_eq!(*counted, 1, "{}", ran.told());
    }
}

/// Statement 55: a hook that hangs is ended in its time, and taken down.
#[test]
fn a_program_that_hangs_is_ended() {
    let world = world("exec tail -f /dev/null");
    for (at, scope) in [
        ("before", "job"),
        ("before", "pair"),
        ("after", "pair"),
        ("after", "job"),
    ] {
        case(format_args!("{at} {scope}"));
        let ran = up(&world).text(&hook(at, scope, "timeout = \"1s\"")).run();
        ran.exit(3);
        assert_eq!(said(&ran, "timed_out"), [json!(true)], "{}", ran.told());
        assert_eq!(said(&ran, "signal"), [json!("SIGTERM")], "{}", ran.told());
        assert_eq!(said(&ran, "exit_code"), [json!(null)]);
    }
    assert_eq!(world.objects("first", "").len(), 2);
}

#[test]
fn a_program_that_is_not_there_is_no_reason_to_copy_nothing() {
    let world = world("");
    let missing = "\n[[hooks]]\nat = \"before\"\nrun = [\"./missing\"]\n";
    let ran = up(&world).text(missing).run();
    ran.exit(3)
        .transferred(2)
        .says("the program of a hook is not there: `./missing`");
    let error = said(&ran, "error")[0]
        .as_str()
        .expect("an error")
        .to_owned();
    assert!(error.contains("cannot be started"), "{error}");
}

#[test]
fn programs_wait_for_the_outcomes_they_name() {
    let world = world("echo \"$1 $S3SYNC_RUN_STATUS\" >> trace");
    let on = |outcomes: &str, name: &str| {
        format!("\n[[hooks]]\nat = \"after\"\non = {outcomes}\nrun = [\"./hook\", {name:?}]\n")
    };
    let hooks = [
        on("[\"success\"]", "well"),
        on("[\"failed\", \"guard\"]", "badly"),
        on("[\"warning\"]", "so-so"),
    ]
    .concat();
    let well = up(&world).text(&hooks).run();
    well.exit(0);
    let badly = world
        .job()
        .pair("pair", "nothing", "s3://first/")
        .text(&hooks)
        .run();
    badly.exit(1);
    assert_eq!(read(&world, "trace"), "well success\nbadly failed\n");
}

#[test]
fn what_changes_nothing_runs_no_programs() {
    let world = world("echo ran >> trace");
    for (command, more) in [
        ("run", "--dry-run"),
        ("plan", "job.toml"),
        ("check", "job.toml"),
    ] {
        case(format_args!("{command}"));
        let run = up(&world).text(&everywhere()).called(command);
        let run = if more == "job.toml" {
            run
        } else {
            run.arguments(&[more])
        };
        let ran = run.run();
        assert!(ran.has_ended(0) || ran.has_ended(3), "{}", ran.told());
        assert_eq!(read(&world, "trace"), "");
    }
}

#[test]
fn programs_get_no_secrets_and_show_none() {
    let world = world("env > \"environment-$S3SYNC_RUN_SCOPE\"; echo \"$1\" >&2; exit 1");
    let hooks = ["job", "pair"].map(|scope| {
        format!(
            "\n[[hooks]]\nat = \"after\"\nscope = {scope:?}\nrun = [\"./hook\", \"${{vars.api_token}}\", \"--password\", \"canary-3\"]\n"
        )
    });
    let ran = up(&world)
        .text("\n[vars]\napi_token = \"\"\n")
        .text(&hooks.concat())
        .environment("S3SYNC_VARS__API_TOKEN", "canary-1")
        .environment("S3SYNC_PAIRS__PAIR__TARGET__SESSION_TOKEN", "")
        .environment("S3SYNC_RUN_OF_ANOTHER", "canary-2")
        .environment("S3SYNC_LOG__LEVEL", "info")
        .environment("MINE", "kept")
        .run();
    ran.exit(3);
    for scope in ["job", "pair"] {
        let environment = read(&world, &format!("environment-{scope}"));
        for (name, is_there) in [
            ("MINE=kept", true),
            ("S3SYNC_LOG__LEVEL=info", true),
            ("S3SYNC_RUN_ID=", true),
            ("WORLD_SECRET_KEY", false),
            ("WORLD_ACCESS_KEY", false),
            ("canary", false),
        ] {
            assert_eq!(
                environment.contains(name),
                is_there,
                "{scope} {name}: {environment}"
            );
        }
    }
    let report = ran.report.to_string();
    assert!(!report.contains("canary"), "{report}");
    assert!(!ran.stderr.contains("canary"), "{}", ran.told());
    let run = said(&ran, "run");
    assert_eq!(run[0], run[1]);
    assert_eq!(run[0][3], "[redacted]");
    let explained = world
        .command(&["explain", "job.toml"])
        .environment("S3SYNC_VARS__API_TOKEN", "canary-1");
    let explained = explained
        .environment("WORLD_SECRET_KEY", "canary-4")
        .environment("WORLD_ACCESS_KEY", "canary-5")
        .run();
    explained.exit(0).says("./hook");
    assert!(!explained.stdout.contains("canary"), "{}", explained.told());
}

#[test]
fn what_programs_say_is_logged_within_bounds() {
    let world = world("echo a word; yes | head -c 1000000; printf '\\033[31mred\\n' >&2");
    let ran = up(&world)
        .text(&hook("after", "job", ""))
        .environment("S3SYNC_LOG__LEVEL", "info")
        .run();
    ran.exit(0)
        .says("a word")
        .says("what else it says is not logged")
        .says("red");
    assert!(
        !ran.stderr.contains("\u{1b}[31mred"),
        "a terminal would obey it"
    );
    assert!(ran.stderr.len() < 10_000_000, "{}", ran.stderr.len());
}

#[test]
fn a_signal_ends_what_runs_before_and_lets_what_runs_after() {
    let world = world(
        "if [ $S3SYNC_RUN_AT = before ]; then echo > started; exec tail -f /dev/null; fi\n\
         echo \"$S3SYNC_RUN_SCOPE $S3SYNC_RUN_STATUS $S3SYNC_RUN_EXIT_CODE\" >> trace",
    );
    let started = world.path("started");
    for scope in ["job", "pair"] {
        case(format_args!("{scope}"));
        let hooks = [
            hook("before", scope, ""),
            hook("after", "pair", ""),
            hook("after", "job", ""),
        ];
        let _ = fs::remove_file(&started);
        let running = up(&world).text(&hooks.concat()).start();
        until("it has begun", || started.exists());
        running.signal(Signal::TERM);
        let ran = running.wait();
        ran.exit(143).transferred(0);
        assert_eq!(
            ran.pair("pair").report["status"],
            "interrupted",
            "{}",
            ran.told()
        );
    }
    assert_eq!(
        read(&world, "trace"),
        "job interrupted 143\npair interrupted 143\njob interrupted 143\n"
    );
}

#[test]
fn a_signal_in_the_middle_of_a_pair_runs_what_comes_after() {
    let world = world("echo \"$S3SYNC_RUN_SCOPE $S3SYNC_RUN_STATUS\" >> trace");
    world.tree("tree").file("large", 24 << 20);
    let late = Rule::new(Action::Delay(NEVER));
    world
        .faults()
        .add(late.operation("UploadPart").when(When::Nth(2)));
    let hooks = [
        hook("after", "pair", ""),
        hook("after", "job", "on = [\"interrupted\"]"),
    ];
    let running = up(&world)
        .set("performance.max_parallel_uploads", "1")
        .text(&hooks.concat())
        .start();
    until("a part is on its way", || {
        world.faults().calls("UploadPart") >= 2
    });
    running.signal(Signal::INT);
    running.wait().exit(130);
    assert_eq!(read(&world, "trace"), "pair interrupted\njob interrupted\n");
    assert_eq!(world.uploads("first"), [""; 0]);
}

#[test]
fn a_second_signal_ends_programs_too() {
    let world = world("exec 3> alive; echo > started; exec tail -f /dev/null");
    let alive = world.path("alive");
    fifo(&alive);
    let running = up(&world).text(&hook("after", "job", "")).start();
    // the program waits for somebody to read
    let mut reader = fs::File::open(&alive).expect("a fifo");
    until("it has begun", || world.path("started").exists());
    running.stop(Signal::TERM);
    running.signal(Signal::TERM);
    running.wait().exit(143);
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut rest).expect("its end");
    assert!(rest.is_empty(), "whoever held the other end is gone");
}

#[test]
fn a_daemon_that_a_program_leaves_keeps_nobody() {
    let world = world("(trap '' HUP; exec tail -f /dev/null) & echo $! > daemon");
    let ran = up(&world).text(&everywhere()).run();
    let pid = read(&world, "daemon").trim().parse().ok();
    let pid = pid
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, Signal::KILL).expect("it is still there");
    ran.exit(0).transferred(2);
}

#[test]
fn secrets_that_a_program_says_are_not_kept() {
    let world = world("env; env >&2; exit 1");
    let ran = up(&world)
        .text(&hook("after", "job", ""))
        .environment("AWS_SECRET_ACCESS_KEY", "canary-of-the-environment")
        .environment("AWS_SESSION_TOKEN", "canary-of-the-session")
        .run();
    ran.exit(3);
    let run = ran.report["run"]["id"].as_str().expect("an id");
    let log = read(&world, &format!("reports/job/{run}/log.ndjson"));
    assert!(log.contains("AWS_SESSION_TOKEN=[redacted]"), "{log}");
    for text in [log, ran.report.to_string(), ran.stderr.clone()] {
        assert!(!text.contains("canary"), "{text}");
    }
}
