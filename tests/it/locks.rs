//! Two runs at once: who works, who is turned away, what each of them leaves, and what becomes of
//! those that were killed.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use s3sync::object::Timestamp;
use s3sync::report::HeldFile;
use s3sync::sandbox::{Action, Rule, When};
use serde_json::Value;

use crate::support::case;
use crate::world::{NEVER, Ran, Run, Running, World, until};

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    world.tree("tree").file("a", 100).file("b/c", 2000);
    world
}

/// One pair that works, and one whose turn comes later.
fn two(world: &World) -> Run<'_> {
    up(world).pair("later", "tree", "s3://second/later/")
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("up", "tree", "s3://first/up/")
}

/// A job of another name.
fn other<'w>(world: &'w World, name: &str) -> Run<'w> {
    let run = world.job().arguments(&["--set", "log.level=info"]);
    run.arguments(&["--set", &format!("job.name={name}")])
}

/// Starts a run that does not come past its two uploads, and waits until it is there.
fn at_work(world: &World, run: Run<'_>) -> Running {
    let rule = Rule::new(Action::Delay(NEVER)).operation("PutObject");
    world.faults().add(rule.when(When::First(2)));
    world.faults().forget_calls();
    let running = run.start();
    until("both uploads are on their way", || {
        world.faults().calls("PutObject") >= 2
    });
    world.faults().clear();
    running
}

/// Ends a run as nothing can be ended worse.
fn kill(running: Running) -> Ran {
    running.signal(Signal::KILL);
    running.wait()
}

fn id(ran: &Ran) -> &str {
    ran.report["run"]["id"].as_str().expect("an id")
}

fn report_of(world: &World, job: &str, id: &str) -> Value {
    let path = world.path("reports").join(job).join(id).join("report.json");
    serde_json::from_slice(&fs::read(path).expect("a report")).expect("JSON")
}

fn history(world: &World, job: &str) -> Vec<Value> {
    let path = world.path("reports").join(job).join("history.ndjson");
    let text = fs::read_to_string(path).unwrap_or_default();
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    text.lines().map(parse).collect()
}

/// The id that `latest` of a job leads to.
fn latest(world: &World, job: &str) -> Option<PathBuf> {
    fs::read_link(world.path("reports").join(job).join("latest")).ok()
}

fn locks(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.path("reports/.locks"))
        .into_iter()
        .flatten();
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let locks = paths.filter(|path| path.extension().is_some_and(|it| it == "lock"));
    let names = locks.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    names.collect()
}

/// What a run that got no lock at all leaves.
#[track_caller]
fn is_turned_away(world: &World, ran: &Ran, code: i32) {
    ran.exit(code).transferred(0);
    let run = &ran.report["run"];
    assert_eq!(run["status"], "locked", "{}", ran.told());
    assert_eq!(run["exit_code"], code, "{}", ran.told());
    for pair in ran.report["pairs"].as_array().expect("pairs") {
        assert_eq!(pair["status"], "locked", "{}", ran.told());
    }
    let job = run["job"].as_str().expect("a name");
    assert_ne!(latest(world, job), Some(id(ran).into()), "{}", ran.told());
    let last = history(world, job).pop().expect("a line");
    crate::schemas::holds("history", &last);
    assert_eq!(
        (&last["run"], &last["status"]),
        (&run["id"], &run["status"])
    );
}

/// Statement 24: two runs of one job at once: one works, the other ends `locked` and does not touch
/// the first one's report
/// Statement 25: after SIGKILL the next run is not blocked
#[test]
fn n24_the_second_run_of_a_job_is_turned_away_until_the_first_is_gone() {
    let world = world();
    let running = at_work(&world, up(&world));
    let mine = world.path("reports/job");
    let runs = || {
        let entries = fs::read_dir(&mine).expect("runs").flatten();
        let runs = entries.filter(|entry| entry.path().is_dir());
        runs.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let [first] = &runs()[..] else {
        panic!("one run: {:?}", runs());
    };
    let heard = |report: &Value| report["run"]["heartbeat_at"].clone();
    let before = fs::read(first.join("report.json")).expect("a report");
    let ran = up(&world).run();
    is_turned_away(&world, &ran, 5);
    let reason = ran.report["run"]["status_reason"].as_str().expect("why");
    let name = first.file_name().expect("an id").to_string_lossy();
    for words in ["another run of the job `job`", &name, "process ", "since "] {
        assert!(reason.contains(words), "{words}: {reason}");
        ran.says(words);
    }
    // but for its own heartbeat
    let after: Value =
        serde_json::from_slice(&fs::read(first.join("report.json")).expect("a report"))
            .expect("JSON");
    let before: Value = serde_json::from_slice(&before).expect("JSON");
    assert_eq!(after["run"]["status"], "running");
    assert_eq!(after["run"]["id"], before["run"]["id"]);
    assert!(heard(&after).as_str() >= heard(&before).as_str());
    assert_eq!(latest(&world, "job"), None);

    let killed = kill(running);
    assert_eq!(
        killed.report["run"]["status"], "running",
        "it could not say"
    );
    up(&world).run().exit(0).transferred(2).all_proved();
    assert_eq!(locks(&world), [""; 0]);
    let report = report_of(&world, "job", &name);
    crate::schemas::holds("report", &report);
    assert_eq!(report["run"]["status"], "crashed");
    assert_eq!(report["pairs"][0]["status"], "crashed");
    let words = report["run"]["status_reason"].as_str().expect("why");
    assert!(words.contains("its process is gone"), "{words}");
    let statuses: Vec<Value> = history(&world, "job")
        .iter()
        .map(|line| line["status"].clone())
        .collect();
    assert_eq!(statuses, ["locked", "crashed", "success"]);
}

#[test]
fn who_says_skip_ends_well_and_says_so() {
    let world = world();
    let running = at_work(&world, up(&world));
    let ran = up(&world)
        .arguments(&["--set", "lock.on_conflict=skip"])
        .run();
    is_turned_away(&world, &ran, 0);
    // nobody gets mail of it
    assert_eq!(ran.stderr, "", "{}", ran.told());
    ran.says("LOCKED");
    drop(running);
}

#[test]
fn who_waits_works_after_the_other() {
    let world = world();
    let running = at_work(&world, up(&world));
    let waiting = up(&world)
        .arguments(&["--set", "lock.on_conflict=wait", "-v"])
        .start();
    until("it waits", || waiting.has_said("waiting: another run"));
    kill(running);
    waiting.wait().exit(0).transferred(2);
}

#[test]
fn who_waits_for_so_long_ends_locked_and_a_signal_ends_it_before() {
    let world = world();
    let running = at_work(&world, up(&world));
    let ran = up(&world)
        .arguments(&["--set", "lock.on_conflict=wait", "--set", "lock.wait=300ms"])
        .run();
    is_turned_away(&world, &ran, 5);
    ran.says("lock.wait");

    let waiting = up(&world)
        .arguments(&["--set", "lock.on_conflict=wait", "-v"])
        .start();
    until("it waits", || waiting.has_said("waiting: another run"));
    waiting.signal(Signal::TERM);
    let ran = waiting.wait();
    ran.exit(143).transferred(0);
    assert_eq!(ran.report["run"]["status"], "interrupted");
    assert_ne!(latest(&world, "job"), Some(id(&ran).into()));
    drop(running);
}

#[test]
fn a_target_is_locked_for_its_pair_alone() {
    for (target, is_locked) in [
        ("s3://first/up/", true),
        ("s3://first/up/below/", true),
        ("s3://first/", true),
        ("s3://first/u", true),
        ("s3://first/sibling/", false),
        ("s3://second/up/", false),
    ] {
        case(format_args!("{target}"));
        let world = world();
        let running = at_work(&world, up(&world));
        let ran = other(&world, "other")
            .pair("same", "tree", target)
            .pair("apart", "tree", "s3://second/apart/")
            .run();
        assert_eq!(ran.pair("apart").report["status"], "success");
        let pair = ran.pair("same").report;
        if is_locked {
            ran.exit(5).transferred(2);
            assert_eq!(ran.report["run"]["status"], "locked");
            assert_eq!(pair["status"], "locked");
            let why = pair["status_reason"].as_str().expect("why");
            for words in ["writes to the target", "of the job `job`", "s3://first/up/"] {
                assert!(why.contains(words), "{words}: {why}");
            }
            // it did work, and is the last one that ended
            assert_eq!(latest(&world, "other"), Some(id(&ran).into()));
        } else {
            ran.exit(0).transferred(4);
        }
        drop(running);
    }
}

#[test]
fn a_local_target_is_the_same_behind_a_link() {
    let world = world();
    world.put("first", "k", b"k");
    fs::create_dir(world.path("real")).expect("a directory");
    std::os::unix::fs::symlink("real", world.path("link")).expect("a link");
    let rule = Rule::new(Action::Delay(NEVER)).operation("GetObject");
    world.faults().add(rule.when(When::Nth(1)));
    let running = world.job().pair("down", "s3://first/", "real/deep").start();
    until("a download is on its way", || {
        world.faults().calls("GetObject") >= 1
    });
    world.faults().clear();
    for (target, code) in [("link", 5), ("link/deep/er", 5), ("link/aside", 0)] {
        case(format_args!("{target}"));
        let run = other(&world, "other").pair("down", "s3://first/", target);
        run.run().exit(code);
    }
    drop(running);
}

#[test]
fn pairs_from_the_command_line_are_known_by_their_sides() {
    let world = world();
    world.tree("elsewhere").file("x", 10);
    let sync = |source: &str, target: &str| world.sync(source, target);
    let running = at_work(&world, sync("tree", "s3://first/up/"));
    for (source, target, code, words) in [
        (
            "tree",
            "s3://first/up/",
            5,
            "with this source and this target",
        ),
        ("elsewhere", "s3://first/up/", 5, "writes to the target"),
        ("tree", "s3://first/other/", 0, ""),
    ] {
        case(format_args!("{source} {target}"));
        sync(source, target).run().exit(code).says(words);
    }
    let other_reports = format!("report.dir={}", world.path("elsewhere-reports").display());
    let elsewhere = sync("tree", "s3://first/up/").arguments(&["--set", &other_reports]);
    // other reports, other locks
    elsewhere.run().exit(0);
    // and whoever is at work is not called crashed by the others of that name
    let list = world
        .command(&["report", "list", "--report-dir", "reports"])
        .run();
    assert!(list.stdout.contains("running"), "{}", list.told());
    assert!(!list.stdout.contains("crashed"), "{}", list.told());
    drop(running);
}

#[test]
fn who_changes_nothing_takes_no_lock_and_marks_nothing() {
    let world = world();
    let running = at_work(&world, up(&world));
    up(&world).arguments(&["--dry-run"]).run().exit(0);
    up(&world).called("plan").run().exit(0);
    up(&world).called("check").run().exit(3);
    let killed = kill(running);
    up(&world).called("check").run().exit(3);
    let report = report_of(&world, "job", id(&killed));
    assert_eq!(report["run"]["status"], "running", "left as it was");
}

#[test]
fn a_killed_run_is_shown_as_crashed_before_any_other_run() {
    let world = world();
    let killed = at_work(&world, two(&world));
    let shown = |word: &[&str]| {
        let command = world.command(&["report"]).arguments(word);
        let shown = command.arguments(&["--report-dir", "reports"]).run();
        shown.exit(0);
        shown.stdout
    };
    assert!(shown(&["list"]).contains("running"));
    let killed = kill(killed);
    assert!(shown(&["list"]).contains("crashed"));
    assert!(shown(&["list", "--format", "json"]).contains("its process is gone"));
    let one = shown(&["show", id(&killed)]);
    assert!(
        one.contains("CRASHED") && one.contains("its process is gone"),
        "{one}"
    );
    assert!(one.contains("up: crashed\n"), "it had begun: {one}");
    assert!(one.contains("later: interrupted: not started\n"), "{one}");
    // a moved archive says the same; that of another machine says what is written there
    let run = world.path("reports/job").join(id(&killed));
    let text = fs::read_to_string(run.join("report.json")).expect("a report");
    let mut report: Value = serde_json::from_str(&text).expect("JSON");
    report["host"]["hostname"] = "elsewhere.example.com".into();
    fs::write(run.join("report.json"), report.to_string()).expect("written");
    assert!(shown(&["list"]).contains("running"));
    up(&world).run().exit(0);
    let after = report_of(&world, "job", id(&killed));
    assert_eq!(after["run"]["status"], "running", "nobody here knows");
}

/// A pod that was killed has another name than the next one.
#[test]
fn a_run_of_another_machine_has_crashed_once_it_is_silent_and_its_lock_is_free() {
    let world = world();
    let killed = kill(at_work(&world, up(&world)));
    let path = world
        .path("reports/job")
        .join(id(&killed))
        .join("report.json");
    let text = fs::read_to_string(&path).expect("a report");
    let mut report: Value = serde_json::from_str(&text).expect("JSON");
    report["host"]["hostname"] = "s3sync-29384610-x7k2p".into();
    let now = Timestamp::now().seconds();
    let seconds_ago = |seconds: i64| Timestamp::new(now - seconds, 0).rfc3339_millis();
    for (heard, held, status) in [
        // its lock may be one that is not seen here
        (seconds_ago(30), false, "running"),
        (seconds_ago(3600), true, "running"),
        ("at night".to_owned(), false, "running"),
        (seconds_ago(3600), false, "crashed"),
    ] {
        case(format_args!("{heard} {held}"));
        report["run"]["heartbeat_at"] = heard.as_str().into();
        fs::write(&path, report.to_string()).expect("written");
        let at_work = path.with_file_name(".running");
        let holding = held.then(|| HeldFile::waiting(&at_work).expect("a file"));
        up(&world).run().exit(0);
        drop(holding);
        let after = report_of(&world, "job", id(&killed));
        assert_eq!(after["run"]["status"], status);
    }
    let crashed = report_of(&world, "job", id(&killed));
    let reason = crashed["run"]["status_reason"].as_str().expect("a reason");
    assert!(reason.contains("nothing was heard of it since"), "{reason}");
    assert!(!reason.contains("gone"), "nobody here knows: {reason}");
    assert_eq!(crashed["pairs"][0]["status"], "crashed");
    // it may come back, and be silent again
    report["run"]["heartbeat_at"] = seconds_ago(1800).into();
    for text in [crashed.to_string(), report.to_string()] {
        fs::write(&path, text).expect("written");
        up(&world).run().exit(0);
        let after = report_of(&world, "job", id(&killed));
        assert_eq!(after["run"]["status"], "crashed");
        assert!(path.with_file_name(".running").exists(), "it may be held");
    }
    let lines = history(&world, "job");
    let of_it = lines.iter().filter(|line| line["run"] == id(&killed));
    assert_eq!(of_it.count(), 1);
}

/// Somebody who looks at the locks and does not come to an end keeps no run from its end.
#[test]
fn a_signal_is_heard_while_a_lock_is_asked_for() {
    for (options, code, status) in [
        (&[][..], 143, "interrupted"),
        (&["--set", "job.timeout=1s"], 6, "timeout"),
    ] {
        case(format_args!("{options:?}"));
        let world = world();
        let locks = world.path("reports/.locks");
        fs::create_dir_all(&locks).expect("a directory");
        let looking = HeldFile::waiting(&locks.join("mutex")).expect("a file");
        let running = up(&world).arguments(options).start();
        let job = world.path("reports/job");
        until("its report is there", || job.exists());
        if options.is_empty() {
            running.signal(Signal::TERM);
        }
        let ran = running.wait();
        ran.exit(code).transferred(0);
        assert_eq!(ran.report["run"]["status"], status, "{}", ran.told());
        drop(looking);
    }
}

#[test]
fn a_lock_directory_that_cannot_be_written_ends_the_run_before_it_begins() {
    let world = world();
    fs::create_dir(world.path("reports")).expect("a directory");
    fs::write(world.path("reports/.locks"), "").expect("a file");
    let ran = up(&world).run();
    ran.exit(1).says("take a lock in").says("set report.dir");
    assert_eq!(world.list("first", "").len(), 0);
    assert_eq!(ran.pair("up").report["status"], "failed");
}

#[test]
fn a_report_that_cannot_be_written_any_more_is_a_warning() {
    let world = world();
    let rule = Rule::new(Action::Delay(NEVER)).operation("PutObject");
    world.faults().add(rule.when(When::Nth(1)));
    let running = up(&world).start();
    until("an upload is on its way", || {
        world.faults().calls("PutObject") >= 1
    });
    fs::remove_dir_all(world.path("reports/job")).expect("removed");
    world.faults().let_go();
    let ran = running.wait();
    ran.exit(3).says("write the report");
    assert_eq!(world.list("first", "").len(), 2, "{}", ran.told());
}

#[test]
fn old_runs_make_way_and_what_counts_stays() {
    let world = world();
    let old = "01000000-0000-7000-8000-000000000000";
    let older = "00f00000-0000-7000-8000-000000000000";
    let made = |id: &str| {
        let run = world.path("reports/job").join(id);
        fs::create_dir_all(run.join("pairs")).expect("a run");
        fs::write(run.join("report.json"), "{}").expect("a report");
        run
    };
    let (old, older) = (made(old), made(older));
    std::os::unix::fs::symlink(
        older.file_name().expect("an id"),
        world.path("reports/job/latest"),
    )
    .expect("a link");
    up(&world).run().exit(0);
    assert!(old.exists(), "for good when nothing is said");
    let keep = |run: Run<'_>| run.arguments(&["--set", "report.keep=90d"]).run();
    std::os::unix::fs::symlink(
        older.file_name().expect("an id"),
        world.path("reports/job/l"),
    )
    .and_then(|()| {
        fs::rename(
            world.path("reports/job/l"),
            world.path("reports/job/latest"),
        )
    })
    .expect("a link");
    keep(up(&world).arguments(&["--dry-run"])).exit(0);
    assert!(old.exists(), "a dry run removes nothing");
    std::os::unix::fs::symlink(
        older.file_name().expect("an id"),
        world.path("reports/job/l"),
    )
    .and_then(|()| {
        fs::rename(
            world.path("reports/job/l"),
            world.path("reports/job/latest"),
        )
    })
    .expect("a link");
    keep(up(&world)).exit(0);
    assert!(!old.exists());
    assert!(older.exists(), "it was the latest");
    keep(up(&world)).exit(0);
    assert!(!older.exists());
    assert_eq!(history(&world, "job").len(), 4);
}

#[test]
fn reports_and_locks_are_neither_brought_nor_removed() {
    let world = world();
    // in the source
    let inside = |run: Run<'_>, dir: &str| {
        let ran = run.arguments(&[
            "--set",
            &format!("report.dir={}", world.path(dir).display()),
        ]);
        ran.run()
    };
    for _ in 0..2 {
        inside(up(&world), "tree/state").exit(0);
        assert_eq!(world.list("first", "").len(), 2);
    }
    assert!(world.path("tree/state/.locks/mutex").exists());
    // in the target
    let down = || world.job().pair("down", "s3://first/up/", "down");
    for transferred in [2, 0] {
        inside(down(), "down/state").exit(0);
        let seen = world
            .command(&["report", "list", "--report-dir", "down/state"])
            .run();
        seen.exit(0);
        let report = fs::read(world.path("down/state/job/latest/report.json")).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        let counts = &report["totals"]["counts"];
        assert_eq!(counts["transferred"]["total"], transferred);
        let listed = 2 - transferred;
        assert_eq!(counts["listed"]["target"], listed, "nothing of ours");
    }
}

/// The log of a run has what went well, whatever the terminal shows, and no secret.
#[test]
fn a_run_keeps_its_log() {
    let world = world();
    for (flags, wanted, unwanted, is_on_stderr) in [
        (&[][..], "sync completed.", "e_tag verified.", false),
        (&["-qq"], "sync completed.", "e_tag verified.", false),
        (&["-v"], "sync completed.", "e_tag verified.", true),
        (&["-vv"], "e_tag verified.", "\"level\":\"TRACE\"", true),
    ] {
        case(format_args!("{flags:?}"));
        world
            .tree("tree")
            .file("a", 100 + flags.len() + flags.concat().len());
        let ran = up(&world).arguments(flags).run();
        ran.exit(0);
        let path = world.path("reports/job").join(id(&ran)).join("log.ndjson");
        let text = fs::read_to_string(path).expect("a log");
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).expect("a line of JSON");
            assert!(
                record["level"].is_string() && record["timestamp"].is_string(),
                "{line}"
            );
        }
        assert!(text.contains(wanted) && !text.contains(unwanted), "{text}");
        assert_eq!(ran.stderr.contains(wanted), is_on_stderr, "{}", ran.told());
        assert!(!text.contains(&world.endpoint.secret_key));
    }
    let plan = up(&world).called("plan").run();
    plan.exit(0);
    // two runs, two logs
    let ids: Vec<_> = history(&world, "job");
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_pair_may_have_any_name_whatever_locks_are_called() {
    let world = world();
    for name in ["job", "pair_job", "mutex"] {
        case(format_args!("{name}"));
        let ran = other(&world, name).pair(name, "tree", &format!("s3://first/{name}/"));
        ran.run().exit(0).transferred(2);
    }
    assert_eq!(locks(&world), [""; 0]);
}

#[test]
fn a_job_may_have_any_name_whatever_is_beside_it() {
    let world = world();
    for name in ["locks", "mutex", "report"] {
        case(format_args!("{name}"));
        let ran = other(&world, name).pair("up", "tree", &format!("s3://first/{name}/"));
        ran.run().exit(0).transferred(2);
        let inside: Vec<_> = fs::read_dir(world.path("reports").join(name))
            .expect("a directory")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .filter(|name| !["history.ndjson", "latest"].contains(&name.as_str()))
            .collect();
        assert_eq!(inside.len(), 1, "the run alone: {inside:?}");
    }
    // what stands beside the jobs
    let ran = other(&world, ".locks").pair("up", "tree", "s3://first/dot/");
    ran.run().exit(2).says("job.name");
}

#[test]
fn the_time_of_a_job_counts_while_it_waits_for_another_run() {
    let world = world();
    let running = at_work(&world, up(&world));
    let ran = up(&world)
        .arguments(&["--set", "lock.on_conflict=wait", "--set", "job.timeout=1s"])
        .run();
    ran.exit(6).transferred(0).says("job.timeout");
    assert_eq!(ran.report["run"]["status"], "timeout", "{}", ran.told());
    drop(running);
}

#[test]
fn what_is_left_out_for_the_sake_of_a_skipped_pair_is_skipped_too() {
    for more in ["", "\n[job]\non_pair_failure = \"stop\"\n"] {
        case(format_args!("{more:?}"));
        let world = world();
        let running = at_work(&world, up(&world));
        let ran = world
            .job()
            .arguments(&["--set", "job.name=other", "--set", "lock.on_conflict=skip"])
            .pair("same", "tree", "s3://first/up/")
            .pair("later", "tree", "s3://second/later/")
            .set("after", "[\"same\"]")
            .set("delete.enabled", "true")
            .pair("apart", "tree", "s3://second/apart/")
            .text(more)
            .run();
        ran.exit(0).transferred(2);
        for (pair, status) in [
            ("same", "locked"),
            ("later", "locked"),
            ("apart", "success"),
        ] {
            let report = ran.pair(pair).report;
            assert_eq!(report["status"], status, "{pair}: {}", ran.told());
        }
        assert_eq!(ran.stderr, "", "{}", ran.told());
        drop(running);
    }
}
