//! `run DIR`: each job file of a directory as its own job.

use std::fs;

use rustix::process::Signal;
use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{NEVER, Run, World, until};

/// A world with a directory `jobs`.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10).file("b", 10);
    world.tree("jobs");
    world
}

/// A job file that sends the tree to a prefix.
fn job(world: &World, to: &str) -> String {
    let (url, region) = (&world.endpoint.url, &world.endpoint.region);
    let (key, secret) = (&world.endpoint.access_key, &world.endpoint.secret_key);
    format!(
        "version = 1\n[report]\ndir = '../reports'\n\n[pairs.up]\nsource = '../tree'\ntarget.url = '{to}'\n\
         target.endpoint_url = '{url}'\ntarget.region = '{region}'\ntarget.force_path_style = true\n\
         target.access_key = '{key}'\ntarget.secret_access_key = '{secret}'\nretry.initial_backoff = '5ms'\n"
    )
}

fn write(world: &World, name: &str, text: &str) {
    fs::write(world.path("jobs").join(name), text).expect("a job file");
}

fn run<'w>(world: &'w World, command: &str) -> Run<'w> {
    world.command(&[command, "jobs"])
}

fn has_run(world: &World, job: &str) -> bool {
    world.path("reports").join(job).join("latest").exists()
}

#[test]
fn each_file_is_a_job_with_its_own_report_and_the_worst_decides() {
    let world = world();
    write(&world, "b.toml", &job(&world, "s3://first/b/"));
    write(&world, "a.toml", &job(&world, "s3://missing-bucket/"));
    write(&world, "c.toml", &job(&world, "s3://first/c/"));
    write(&world, "notes.txt", "no job");
    write(&world, ".hidden.toml", "no job");
    let ran = run(&world, "validate").run();
    ran.exit(0);
    assert_eq!(
        ran.stdout,
        "jobs/a.toml: job a, 1 pair: no problems\n\
         jobs/b.toml: job b, 1 pair: no problems\n\
         jobs/c.toml: job c, 1 pair: no problems\n"
    );
    let plan = run(&world, "plan").run();
    plan.exit(1).says("up: failed: ").says("up: 2 to transfer");
    assert!(!world.path("reports").exists(), "{}", plan.told());

    let ran = run(&world, "run").run();
    ran.exit(1);
    for name in ["a", "b", "c"] {
        assert!(has_run(&world, name), "{name}: {}", ran.told());
    }
    assert_eq!(world.objects("first", "b/").len(), 2, "{}", ran.told());
    assert_eq!(world.objects("first", "c/").len(), 2, "{}", ran.told());
    let at = |name: &str| ran.stdout.find(&format!("{name}  run ")).expect(name);
    assert!(at("a") < at("b") && at("b") < at("c"), "{}", ran.told());
}

#[test]
fn nothing_starts_before_all_is_right() {
    let right = |world: &World| write(world, "a.toml", &job(world, "s3://first/a/"));
    type Wrong = fn(&World);
    let cases: [(&str, Wrong, &[&str]); 4] = [
        (
            "two broken files",
            |world| {
                write(world, "b.toml", &job(world, "s3://"));
                write(world, "c.toml", "version = 1\n[pairs");
            },
            &["jobs/b.toml:", "jobs/c.toml:"],
        ),
        (
            "one name twice",
            |world| {
                let named = format!("{}[job]\nname = 'a'\n", job(world, "s3://first/b/"));
                write(world, "b.toml", &named);
            },
            &[
                "two jobs are called `a`: jobs/a.toml and jobs/b.toml",
                "job.name",
            ],
        ),
        (
            "no pairs, and nobody includes it",
            |world| write(world, "b.toml", "version = 1\n"),
            &["pair"],
        ),
        (
            "a link that leads nowhere",
            |world| {
                let link = world.path("jobs/b.toml");
                std::os::unix::fs::symlink("nowhere", link).expect("a link");
            },
            &["jobs/b.toml"],
        ),
    ];
    for (what, wrong, words) in cases {
        case(format_args!("{what}"));
        let world = world();
        right(&world);
        wrong(&world);
        for command in ["run", "plan", "validate"] {
            let ran = run(&world, command).run();
            ran.exit(2);
            for word in words {
                assert!(ran.stderr.contains(word), "`{word}`: {}", ran.told());
            }
            assert!(!world.path("reports").exists(), "{}", ran.told());
        }
    }
    let world = world();
    for command in ["run", "plan", "validate"] {
        let ran = run(&world, command).run();
        ran.exit(2).says("there is no job file in `jobs`");
    }
}

/// Two jobs, of which the first meets trouble with its first object.
fn two(action: Action, when: When) -> World {
    let world = world();
    write(&world, "a.toml", &job(&world, "s3://first/a/"));
    write(&world, "b.toml", &job(&world, "s3://first/b/"));
    let late = Rule::new(Action::Delay(NEVER)).operation("PutObject");
    let rule = Rule::new(action).operation("PutObject");
    world.faults().add(rule.when(when));
    world.faults().add(late.when(When::Nth(2)));
    world
}

#[test]
fn a_signal_during_a_job_starts_no_other_even_if_that_one_fails() {
    let refused = Action::Refuse {
        status: 400,
        code: "InvalidArgument".to_owned(),
        retry_after: None,
    };
    for (what, action, exit) in [
        ("it is interrupted", Action::Delay(NEVER), 130),
        ("it fails", refused, 1),
    ] {
        case(format_args!("{what}"));
        let world = two(action, When::Nth(1));
        let running = run(&world, "run").start();
        until("both objects are on their way", || {
            world.faults().calls("PutObject") >= 2
        });
        running.stop(Signal::INT);
        world.faults().let_go();
        let ran = running.wait();
        assert!(!has_run(&world, "b"), "{}", ran.told());
        ran.says("not started").says("job=\"b\"");
        // a failure is worse than the signal, and must not hide it
        ran.exit(exit);
    }
}

/// A job that transfers nothing, with more text at its beginning.
fn small(world: &World, name: &str, pair: &str, text: &str) {
    world.tree("empty");
    let job = format!(
        "version = 1\n{text}\nreport.dir = '../reports'\nsandbox.dir = '../rehearsal'\n\
         [pairs.{pair}]\nsource = '../empty'\ntarget = 's3://bucket/{pair}/'\n"
    );
    write(world, name, &job);
}

#[test]
fn what_is_included_may_be_named_by_the_environment() {
    let world = world();
    write(
        &world,
        "common.toml",
        "version = 1\n[defaults]\nretry.initial_backoff = '5ms'\n",
    );
    small(&world, "a.toml", "a", "include = ['${COMMON}.toml']");
    let ran = run(&world, "validate")
        .environment("COMMON", "common")
        .run();
    ran.exit(0)
        .says("jobs/common.toml: no job of its own: jobs/a.toml includes it");
    // nobody includes it, and it is no job
    let ran = run(&world, "validate").environment("COMMON", "else").run();
    ran.exit(2).says("`jobs/common.toml` has no pairs");
}

#[test]
fn a_pair_that_is_spoken_of_is_in_one_of_the_jobs() {
    let world = world();
    small(&world, "a.toml", "photos", "");
    small(&world, "b.toml", "music", "");
    let variable = "S3SYNC_PAIRS__PHOTOS__PERFORMANCE__WORKER_SIZE";
    let flag = ["--set", "pairs.music.performance.worker_size=3"];
    let jobs = run(&world, "validate").environment(variable, "2");
    jobs.clone().arguments(&flag).run().exit(0);
    run(&world, "plan")
        .environment(variable, "2")
        .arguments(&flag)
        .run()
        .exit(0);
    // of none of them
    let unknown = ["--set", "pairs.video.performance.worker_size=3"];
    jobs.arguments(&unknown)
        .run()
        .exit(2)
        .says("no pair is called `video`");
    // of one file, it must be in that
    let one = world
        .command(&["validate", "jobs/b.toml"])
        .environment(variable, "2")
        .run();
    one.exit(2).says("no pair is called `photos`");
    let both = world.command(&["validate", "jobs/b.toml", "jobs/a.toml"]);
    both.environment(variable, "2").run().exit(0);
}

#[test]
fn each_job_logs_as_it_says() {
    let world = world();
    small(&world, "a.toml", "a", "log.level = 'error'");
    small(
        &world,
        "b.toml",
        "b",
        "log.level = 'debug'\nlog.format = 'json'",
    );
    small(&world, "c.toml", "c", "log.level = 'off'");
    let ran = run(&world, "run").run();
    ran.exit(0);
    let lines: Vec<_> = ran.stderr.lines().filter(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty(), "{}", ran.told());
    for line in lines {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(record["level"].is_string(), "{line}");
    }
}
