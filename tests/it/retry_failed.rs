//! `run JOB --retry-failed RUN`: exactly the failed objects of an earlier run.

use std::fs;

use s3sync::sandbox::{Action, Rule};

use crate::support::case;
use crate::world::{Ran, Run, World, same};

/// A world with ten objects on either side of two pairs.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    for n in 0..10 {
        let name = format!("k{n} ü/{n}");
        tree.file(&name, 100 + n);
        world.put("first", &format!("in/{name}"), name.as_bytes());
    }
    world
}

fn job(world: &World) -> Run<'_> {
    world
        .job()
        .set("retry.aws_max_attempts", "2")
        .pair("up", "tree", "s3://second/up/")
        .pair("across", "s3://first/in/", "s3://second/across/")
        .pair("down", "s3://first/in/", "down")
}

fn refuse(world: &World, operation: &str, key: &str) {
    world
        .faults()
        .add(Rule::slow_down().operation(operation).key(key));
}

fn id(ran: &Ran) -> String {
    ran.report["run"]["id"].as_str().expect("an id").to_owned()
}

fn again<'w>(world: &'w World, asked: &str) -> Run<'w> {
    job(world).arguments(&["--retry-failed", asked])
}

#[test]
fn exactly_the_failed_are_attempted_pair_by_pair() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    refuse(&world, "PutObject", "k7");
    refuse(&world, "GetObject", "k5");
    let ran = job(&world).run();
    ran.exit(1).transferred(24);
    for (pair, failed) in [("up", 2), ("across", 3), ("down", 1)] {
        assert_eq!(ran.pair(pair).count("failed"), failed, "{}", ran.told());
    }
    let earlier = id(&ran);
    // what has come since is not asked about
    world.tree("tree").file("new", 5);
    world.faults().clear();
    world.faults().forget_calls();
    let short = &earlier[..18];
    let ran = again(&world, short).run();
    ran.exit(0).transferred(6).all_proved();
    assert_eq!(ran.report["run"]["retries_of"], earlier.as_str());
    assert_eq!(ran.pair("up").count("listed/source"), 2);
    for operation in ["ListObjectsV2", "ListObjects", "DeleteObjects"] {
        assert_eq!(world.faults().calls(operation), 0, "{operation}");
    }
    assert_eq!(world.faults().calls("PutObject"), 5);
    let mut expected = world.tree("tree").files();
    expected.remove("new");
    same(&expected, &world.objects("second", "up/"));
    // it is a run like any other, and nothing failed in it
    let ran = again(&world, "latest").run();
    ran.exit(0).says("nothing to do");
    assert!(ran.report.is_null(), "no run is begun");
    let shown = world.command(&["report", "show", "--report-dir", "reports", "job/latest"]);
    shown
        .run()
        .exit(0)
        .says(&format!("the failed objects of run {earlier}"));
    job(&world).run().exit(0).transferred(1);
}

#[test]
fn a_run_of_the_failed_may_fail_and_be_followed_by_another() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    job(&world).run().exit(1);
    let ran = again(&world, "latest").run();
    ran.exit(1).transferred(0);
    assert_eq!(ran.report["pairs"].as_array().map(Vec::len), Some(2));
    assert_eq!(ran.pair("up").count("failed"), 1);
    world.faults().clear();
    again(&world, "latest").run().exit(0).transferred(2);
}

#[test]
fn what_is_gone_meanwhile_is_told_and_filters_still_hold() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    refuse(&world, "PutObject", "k4");
    job(&world).run().exit(1);
    world.faults().clear();
    fs::remove_file(world.tree("tree").join("k3 ü/3")).expect("a file");
    let filtered = again(&world, "latest").set("filter.exclude", "[\"k4*/**\"]");
    let ran = filtered.run();
    // `down` has nothing that failed; the filter is of the pair last added, and so of none here
    ran.exit(3).says("the settings are not those of run");
    let up = ran.pair("up");
    assert_eq!(up.count("skipped/total"), 1, "{}", ran.told());
    assert_eq!(up.line("k3 ü/3")["reason"], "not_found");
    assert_eq!(up.count("transferred/total"), 1);
    assert_eq!(ran.pair("across").count("transferred/total"), 2);
}

#[test]
fn damaged_objects_that_stayed_are_forced() {
    let world = world();
    let policy = serde_json::json!({"Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject"],
        "Resource": ["arn:aws:s3:::second/*"],
    }]});
    world.policy("second", &policy.to_string());
    let rule = Rule::new(Action::FlipStored).operation("PutObject");
    world.faults().add(rule.key("up/k6"));
    let ran = job(&world).run();
    ran.exit(1).says("could not be removed");
    world.faults().clear();
    let ran = again(&world, "latest").run();
    ran.exit(0).transferred(1).all_proved();
    assert_eq!(ran.pair("up").line("k6 ü/6")["reason"], "distrusted");
    same(&world.tree("tree").files(), &world.objects("second", "up/"));
}

#[test]
fn only_some_of_its_pairs_may_be_asked_for() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    let earlier = id(&job(&world).run());
    world.faults().clear();
    let ran = again(&world, &earlier).arguments(&["--pair", "down"]).run();
    ran.exit(0).says("nothing to do");
    let ran = again(&world, &earlier).arguments(&["--pair", "up"]).run();
    ran.exit(0).transferred(1);
    assert_eq!(ran.report["pairs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_no_object_is_to_blame_for_is_not_passed_over() {
    let world = world();
    let job = || job(&world).pair("gone", "nowhere", "s3://second/gone/");
    let again = || job().arguments(&["--retry-failed", "latest"]);
    job().run().exit(1);
    let ran = again().run();
    ran.exit(2).says("`gone` is failed");
    assert!(ran.report.is_null(), "nothing has begun");
    // beside what failed it is told
    refuse(&world, "PutObject", "k3");
    fs::write(world.path("tree/k3 ü/3"), "new").expect("a file");
    job().run().exit(1);
    world.faults().clear();
    let ran = again().run();
    ran.exit(3).transferred(1).says("`gone` is failed");
    // of the other pairs there is nothing to say
    again().arguments(&["--pair", "up"]).run().exit(0);
}

#[test]
fn what_cannot_be_known_or_does_not_fit_is_refused() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    let ran = job(&world).run();
    ran.exit(1);
    let earlier = id(&ran);
    let run = world.path(format!("reports/job/{earlier}"));
    let refused = |what: &str, retry: Run<'_>, words: &str| {
        case(format_args!("{what}"));
        let ran = retry.run();
        ran.exit(2).says(words);
        assert!(ran.report.is_null(), "nothing has begun");
    };
    refused(
        "no such run",
        again(&world, "01990000"),
        "no run `01990000`",
    );
    let other = world
        .job()
        .pair("across", "s3://first/in/", "s3://second/across/")
        .arguments(&["--retry-failed", "latest"]);
    refused("a pair is gone", other, "no longer has a pair of this name");
    let elsewhere = world
        .job()
        .pair("up", "tree", "s3://second/elsewhere/")
        .pair("across", "s3://first/in/", "s3://second/across/")
        .arguments(&["--retry-failed", "latest"]);
    refused(
        "another target",
        elsewhere,
        "and is now s3://second/elsewhere/",
    );
    let versions = world
        .job()
        .pair("up", "tree", "s3://second/up/")
        .pair("across", "s3://first/in/", "s3://second/across/")
        .set("versioning.enabled", "true")
        .arguments(&["--retry-failed", "latest"]);
    refused("versions", versions, "about versions of objects");
    let checked = job(&world).called("check").run();
    let check = again(&world, &id(&checked));
    refused("a check", check, "which attempts nothing");
    let evidence = run.join("pairs/up.objects.ndjson");
    let whole = fs::read(&evidence).expect("evidence");
    fs::write(&evidence, &whole[..whole.len() / 2]).expect("cut");
    refused("cut off", again(&world, &earlier), "cannot be relied on");
    fs::remove_file(&evidence).expect("it is there");
    refused("no evidence", again(&world, &earlier), "it is missing");
    let report = run.join("report.json");
    let mut record = ran.report.clone();
    record["run"]["finished_at"] = serde_json::Value::Null;
    fs::write(&report, record.to_string()).expect("a report");
    refused("not ended", again(&world, &earlier), "did not live to");
}

#[test]
fn what_failed_as_a_whole_is_not_nothing_to_do() {
    let world = world();
    fs::rename(world.path("tree"), world.path("gone")).expect("a tree");
    job(&world).run().exit(1);
    // nothing else failed: nothing is attempted, and nothing is claimed
    let ran = again(&world, "latest").run();
    ran.exit(2)
        .says("`up` is failed")
        .says("run the job as it is");
    assert!(ran.report.is_null(), "nothing has begun");
    again(&world, "latest")
        .arguments(&["--pair", "down"])
        .run()
        .exit(0);
    // single objects failed as well: they are attempted, and that is not all
    refuse(&world, "GetObject", "k5");
    fs::remove_dir_all(world.path("down")).expect("it was made");
    job(&world).run().exit(1);
    world.faults().clear();
    let ran = again(&world, "latest").run();
    ran.exit(3).says("did not fail by single objects alone");
    assert_eq!(ran.report["run"]["status"], "warning", "{}", ran.told());
}

#[test]
fn who_has_looked_since_means_the_run_before() {
    let world = world();
    refuse(&world, "PutObject", "k3");
    let earlier = id(&job(&world).run());
    world.faults().clear();
    let looked = job(&world).arguments(&["--dry-run"]).run();
    looked.exit(0);
    job(&world).called("check").run();
    let dry = again(&world, &id(&looked)).run();
    dry.exit(2).says("is a dry run, which attempts nothing");
    let ran = again(&world, "latest").run();
    ran.exit(0).transferred(2);
    assert_eq!(ran.report["run"]["retries_of"], earlier.as_str());
}
