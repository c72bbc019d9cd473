//! Errors against which nothing helps end a pair within seconds, however many objects it has; and
//! those that only seem so are mended.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use s3sync::sandbox::{Action, Rule, When};

use crate::support::case;
use crate::world::{Endpoint, Run, World, content, until};

const FILES: usize = 300;

/// A world with many objects on either side.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    for n in 0..FILES {
        let name = format!("f{n:03}");
        tree.file(&name, 10);
        world.put("first", &name, &content(&name, 10));
    }
    let keys: Vec<String> = (0..FILES).map(|n| format!("f{n:03}")).collect();
    fs::write(world.path("keys"), keys.join("\n")).expect("a file");
    world.faults().forget_calls();
    world
}

fn refused(status: u16, code: &str) -> Rule {
    Rule::new(Action::Refuse {
        status,
        code: code.to_owned(),
        retry_after: None,
    })
}

fn requests(world: &World) -> u64 {
    world.faults().all_calls().values().sum()
}

/// Statement 48: credentials that are wrong or have expired for good stop the pair within seconds.
#[test]
fn what_helps_against_nothing_ends_the_pair_at_once() {
    let wrong_key = ("WORLD_ACCESS_KEY", "nobody");
    let wrong_secret = ("WORLD_SECRET_KEY", "wrong");
    let unknown = "the access key is not known here";
    let unfit = "does not fit the access key";
    for (name, source, target, options, environment, words) in [
        ("up", "tree", "s3://second/", &[][..], wrong_key, unknown),
        ("up", "tree", "s3://second/", &[], wrong_secret, unfit),
        ("down", "s3://first/", "down", &[], wrong_key, unknown),
        (
            "HEADs of the target",
            "tree",
            "s3://second/",
            &[("check.head_each_target", "true")],
            wrong_key,
            unknown,
        ),
        (
            "HEADs of the target by content",
            "tree",
            "s3://second/",
            &[
                ("check.head_each_target", "true"),
                ("check.mode", "\"etag\""),
            ],
            wrong_secret,
            unfit,
        ),
        (
            "named keys",
            "s3://first/",
            "down",
            &[("filter.keys_from", "\"keys\"")],
            wrong_key,
            unknown,
        ),
        (
            "named files",
            "tree",
            "s3://second/",
            &[("filter.keys_from", "\"keys\"")],
            wrong_key,
            unknown,
        ),
        (
            "no such bucket",
            "tree",
            "s3://nowhere-at-all/",
            &[("check.head_each_target", "true")],
            ("NOTHING", "wrong"),
            "there is no such bucket",
        ),
    ] {
        case(format_args!("{name}, {environment:?}"));
        let world = world();
        let mut run = world.job().pair("pair", source, target);
        for (option, value) in options {
            run = run.set(option, value);
        }
        let ran = run.environment(environment.0, environment.1).run();
        ran.exit(1).transferred(0).says(words);
        assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
        let requests = requests(&world);
        assert!(requests <= 64, "{requests} requests: {}", ran.told());
        let failed = ran.pair("pair").count("failed");
        assert!(failed <= 32, "{failed}: {}", ran.told());
    }
}

/// A job whose keys come from a program, which notes that it was asked.
fn asking_a_program(world: &World) -> Run<'_> {
    let endpoint = &world.endpoint;
    let program = format!(
        "#!/bin/sh\necho asked >> {asked}\necho '{{\"Version\": 1, \"AccessKeyId\": \"{key}\", \"SecretAccessKey\": \"{secret}\"}}'\n",
        asked = world.path("asked").display(),
        key = endpoint.access_key,
        secret = endpoint.secret_key,
    );
    fs::write(world.path("program"), program).expect("a program");
    let config = format!(
        "[default]\ncredential_process = /bin/sh {}\n",
        world.path("program").display()
    );
    fs::write(world.path("config"), config).expect("a file");
    let reports = format!("report.dir={}", world.path("reports").display());
    world
        .command(&[
            "sync",
            "tree",
            "s3://second/",
            "--target-endpoint-url",
            &endpoint.url,
            "--target-region",
            &endpoint.region,
            "--target-force-path-style",
            "--set",
            &reports,
            "--set",
            "retry.initial_backoff=5ms",
        ])
        .environment(
            "AWS_CONFIG_FILE",
            &world.path("config").display().to_string(),
        )
}

/// Statement 48: credentials that have expired and come back are looked up anew; those that do not
/// come back end the pair.
#[test]
fn credentials_that_expire_on_the_way_are_looked_up_anew() {
    let asked = |world: &World| {
        let asked = fs::read_to_string(world.path("asked")).unwrap_or_default();
        asked.lines().count()
    };
    let expired = || refused(400, "ExpiredToken").operation("PutObject");
    let recovers = world();
    recovers.faults().add(expired().when(When::Nth(100)));
    let ran = asking_a_program(&recovers).run();
    ran.exit(0).transferred(FILES).says("looked up anew");
    assert_eq!(asked(&recovers), 2, "{}", ran.told());

    let for_good = world();
    for_good.faults().add(expired().when(When::From(100)));
    let ran = asking_a_program(&for_good).run();
    ran.exit(1)
        .transferred(99)
        .says("the credentials have expired");
    assert_eq!(asked(&for_good), 2, "{}", ran.told());
    assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
    let calls = for_good.faults().calls("PutObject");
    assert!(calls <= 99 + 2 * 16, "{calls}");

    // keys of the settings do not come from anywhere
    let of_the_job = world();
    of_the_job.faults().add(expired().when(When::Nth(100)));
    let ran = of_the_job.job().pair("pair", "tree", "s3://second/").run();
    ran.exit(1).says("the credentials have expired");
}

/// A wrong clock is put right by the time of the answer, and told where that does not help.
#[test]
fn a_clock_that_goes_wrong_is_put_right_or_told() {
    let skewed = || refused(403, "RequestTimeTooSkewed");
    let mended = world();
    mended.faults().add(skewed().when(When::First(1)));
    let ran = mended.job().pair("pair", "tree", "s3://second/").run();
    ran.exit(0).transferred(FILES);
    assert_eq!(
        ran.pair("pair")
            .number("/retries/by_code/RequestTimeTooSkewed"),
        1
    );
    let hopeless = world();
    hopeless.faults().add(skewed());
    let ran = hopeless.job().pair("pair", "tree", "s3://second/").run();
    ran.exit(1).transferred(0).says("clock differs too much");
    assert!(requests(&hopeless) <= 4, "{}", ran.told());
}

/// A server that is gone ends the pair when one request has used its attempts up, and not each
/// object's.
#[test]
fn a_server_that_goes_away_ends_the_pair() {
    let home = World::at(Endpoint {
        url: "http://127.0.0.1:9".to_owned(),
        access_key: "nobody".to_owned(),
        secret_key: "nothing".to_owned(),
        region: "us-east-1".to_owned(),
    });
    fs::create_dir_all(home.path("served/second")).expect("a directory");
    let served = home.path("served").display().to_string();
    let server = home
        .command(&[
            "sandbox",
            &served,
            "--listen",
            "127.0.0.1:0",
            "--access-key",
            "nobody",
            "--secret-access-key",
            "nothing-at-all",
        ])
        .start();
    until("it listens", || server.stdout().contains("Ctrl-C"));
    let url = server.stdout();
    let url = url
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    let world = World::at(Endpoint {
        url: url.expect("its address").to_owned(),
        secret_key: "nothing-at-all".to_owned(),
        ..home.endpoint.clone()
    });
    world.bucket("second");
    for n in 0..FILES {
        world.tree("tree").file(&format!("f{n:03}"), 10);
    }
    let running = world
        .job()
        .pair("pair", "tree", "s3://second/")
        .set("performance.rate_limit_objects", "50")
        .start();
    until("some are there", || world.list("second", "").len() >= 10);
    server.signal(Signal::KILL);
    let ran = running.wait();
    ran.exit(1).says("does not answer");
    let pair = ran.pair("pair");
    assert!(pair.count("not_attempted") > 50, "{}", ran.told());
    assert!(pair.count("failed") <= 32, "{}", ran.told());
    assert!(ran.elapsed < Duration::from_secs(40), "{}", ran.told());
}
