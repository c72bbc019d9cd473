//! `validate --online`: every side of every pair is asked, with reads only.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use s3sync::sandbox::{Action, Rule};
use serde_json::{Value, json};

use crate::support::case;
use crate::world::{Run, World};

fn world() -> World {
    let world = World::new();
    for bucket in ["first", "second"] {
        world.bucket(bucket);
    }
    world.put("first", "p/a", b"content");
    world.put("first", "p/b", b"");
    world.tree("tree").file("a", 10);
    world
}

/// A job whose pairs are all right.
fn right(world: &World) -> Run<'_> {
    let job = world.job().pair("up", "tree", "s3://second/q/");
    let job = job.pair("down", "s3://first/p/", "down");
    job.pair("across", "s3://first/", "s3://second/")
}

fn validated(job: Run<'_>) -> Run<'_> {
    job.called("validate").arguments(&["--online"])
}

/// A pair that says more of its sides than where they are.
fn sides(name: &str, source: &str, target: &str) -> String {
    format!("\n[pairs.{name}]\nsource.url = {source:?}\ntarget.url = {target:?}\n")
}

fn errors(stderr: &str) -> usize {
    let lines = stderr.lines();
    lines.filter(|line| line.starts_with("error: ")).count()
}

fn deny(world: &World, bucket: &str, action: &str) {
    let resources = [
        format!("arn:aws:s3:::{bucket}"),
        format!("arn:aws:s3:::{bucket}/*"),
    ];
    let policy = json!({"Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resources,
    }]});
    world.policy(bucket, &policy.to_string());
}

#[test]
fn what_is_well_is_a_line_for_each_side_and_nothing_is_changed() {
    let world = world();
    let before = world.faults().mutations().len();
    let ran = validated(right(&world)).run();
    ran.exit(0);
    assert_eq!(ran.stderr, "", "{}", ran.told());
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{}", ran.told());
    assert_eq!(lines[0], "job.toml: job job, 3 pairs: no problems");
    let buckets = "in us-east-1; may be listed";
    for words in [
        "pair up, source ",
        "tree: a directory that may be read",
        &format!(
            "pair up, target s3://second/q/: {buckets}, and nothing is there; keeps no versions"
        ),
        &format!("pair down, source s3://first/p/: {buckets}; may be read; keeps no versions"),
        "down: not there yet, and may be made in ",
    ] {
        ran.says(words);
    }
    assert_eq!(world.faults().mutations().len(), before, "{}", ran.told());
    assert!(!world.path("reports").exists() && !world.path("down").exists());
    // one object of a bucket is asked for, and one page of one key
    assert_eq!(world.faults().calls("GetObject"), 2, "{}", ran.told());
}

#[test]
fn every_problem_of_every_pair_is_told_at_once() {
    let world = world();
    for bucket in ["unlisted", "unread"] {
        world.bucket(bucket);
        world.put(bucket, "k", b"x");
    }
    deny(&world, "unlisted", "s3:ListBucket");
    deny(&world, "unread", "s3:GetObject");
    // a port of the system, which is handed to nobody: another test may get any other
    let nobody = "\"http://127.0.0.1:9\"";
    let job = || {
        right(&world)
            .pair("unlisted", "s3://unlisted/", "s3://unread/")
            .pair("unread", "s3://unread/", "s3://second/")
            .pair("missing", "nowhere", "s3://missing-bucket/")
            .text(&sides("unknown", "tree", "s3://second/"))
            .set("target.access_key", "\"nobody\"")
            .text(&sides("secret", "tree", "s3://second/"))
            .set("target.secret_access_key", "\"wrong\"")
            .text(&sides("nobody", "s3://first/", "no/parent"))
            .set("source.endpoint_url", nobody)
    };
    let ran = validated(job()).run();
    ran.exit(1);
    assert!(ran.elapsed < Duration::from_secs(20), "{}", ran.told());
    for (place, code, remedy) in [
        (
            "pair unlisted, source s3://unlisted/",
            "(AccessDenied)",
            "allow s3:ListBucket on arn:aws:s3:::unlisted to",
        ),
        (
            "pair unread, source s3://unread/",
            "GetObject `k`: access denied (AccessDenied)",
            "allow s3:GetObject on arn:aws:s3:::unread/* to",
        ),
        ("pair missing, source ", "no such file", "mount it"),
        (
            "pair missing, target s3://missing-bucket/",
            "there is no such bucket",
            "make it, or correct the URL",
        ),
        (
            "pair unknown, target s3://second/",
            "(InvalidAccessKeyId)",
            "check the profile or the keys",
        ),
        (
            "pair secret, target s3://second/",
            "(SignatureDoesNotMatch)",
            "check the keys",
        ),
        (
            "pair nobody, source s3://first/",
            "does not answer",
            "check endpoint_url",
        ),
        ("pair nobody, target ", "no such file", "make it"),
    ] {
        let mut blocks = ran.stderr.split("\n\n");
        let block = blocks.find(|block| block.contains(place));
        let block = block.unwrap_or_else(|| panic!("`{place}`: {}", ran.told()));
        for words in [code, remedy] {
            assert!(block.contains(words), "`{words}`: {}", ran.told());
        }
    }
    assert_eq!(errors(&ran.stderr), 8, "{}", ran.told());
    // the target of a pair is not read from
    ran.says("pair unlisted, target s3://unread/: in us-east-1; may be listed; keeps no versions");

    let ran = validated(job()).arguments(&["--format", "json"]).run();
    ran.exit(1);
    assert_eq!(ran.stderr, "", "{}", ran.told());
    let lines = ran.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let wrong: Vec<_> = lines
        .iter()
        .filter(|line| line["result"] == "wrong")
        .collect();
    assert_eq!(wrong.len(), 8, "{}", ran.told());
    assert_eq!(
        json!([
            wrong[0]["pair"],
            wrong[0]["side"],
            wrong[0]["asked"],
            wrong[0]["code"]
        ]),
        json!(["unlisted", "source", "ListObjectsV2", "AccessDenied"])
    );
}

#[test]
fn a_wrong_region_is_told_with_the_right_one() {
    let world = world();
    // S3 itself refuses, and names the region in a header
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("\"http://{}\"", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            let _ = connection.write_all(
                b"HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-3\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    let job = world.job().text(&sides("up", "tree", "s3://second/"));
    let ran = validated(job.set("target.endpoint_url", &endpoint)).run();
    ran.exit(1)
        .says("the bucket is in `eu-west-3`, and `us-east-1` was asked")
        .says("set the region of this side to \"eu-west-3\"");
    assert_eq!(errors(&ran.stderr), 1, "{}", ran.told());

    // the sandbox does not mind
    let job = world.job().text(&sides("up", "tree", "s3://second/"));
    let ran = validated(job.set("target.region", "\"eu-west-1\"")).run();
    ran.exit(0)
        .says("in us-east-1, and yet it answers where its region is said to be eu-west-1");
}

#[test]
fn what_a_run_can_do_without_is_no_problem() {
    for operation in ["HeadBucket", "GetBucketVersioning"] {
        case(format_args!("{operation}"));
        let world = world();
        let refused = Action::Refuse {
            status: 403,
            code: "AccessDenied".to_owned(),
            retry_after: None,
        };
        world.faults().add(Rule::new(refused).operation(operation));
        let ran = validated(right(&world)).run();
        ran.exit(0).says(&format!("({operation}: "));
    }
}

#[test]
fn whoever_does_not_answer_is_not_waited_for() {
    let world = world();
    // connections are taken by the system, and nobody reads from them
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("\"http://{}\"", silent.local_addr().expect("its address"));
    let job = right(&world).text(&sides("silent", "tree", "s3://second/"));
    let job = job
        .set("target.endpoint_url", &endpoint)
        .set("timeout.read", "\"200ms\"")
        .set("timeout.connect", "\"200ms\"");
    let ran = validated(job).run();
    ran.exit(1).says("no answer within");
    assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
    ran.says("pair up, target s3://second/q/: in us-east-1");
}

#[test]
fn a_wrong_file_is_not_asked_about_and_a_sandbox_is() {
    let world = world();
    let before: u64 = world.faults().all_calls().values().sum();
    let ran = validated(right(&world).set("no_such_key", "1")).run();
    ran.exit(2);
    let ran = right(&world).called("validate").run();
    ran.exit(0);
    let after: u64 = world.faults().all_calls().values().sum();
    assert_eq!(before, after, "offline asks nobody: {}", ran.told());

    let sandbox = world.path("rehearsal");
    let job = world.job().pair("up", "tree", "s3://made-for-it/");
    let ran = validated(job)
        .arguments(&["--sandbox", sandbox.to_str().expect("a path")])
        .run();
    ran.exit(0).says("s3://made-for-it/: in us-east-1");
    let after: u64 = world.faults().all_calls().values().sum();
    assert_eq!(before, after, "the real one is not asked: {}", ran.told());
}

#[test]
fn a_job_of_variables_alone_is_validated_like_a_file() {
    let world = world();
    let tree = world.path("tree").display().to_string();
    let sandbox = world.path("rehearsal").display().to_string();
    let online = || {
        let run = world.command(&["validate", "--online", "--sandbox", &sandbox]);
        run.environment("S3SYNC_SOURCE", &tree)
    };
    online()
        .environment("S3SYNC_TARGET", "s3://made-for-it/")
        .run()
        .exit(0)
        .says("environment: job default, 1 pair: no problems")
        .says("s3://made-for-it/: in us-east-1");
    online()
        .environment("S3SYNC_TARGT", "s3://made-for-it/")
        .run()
        .exit(2)
        .says("unknown variable `S3SYNC_TARGT`");
    let ran = world.command(&["validate"]).run();
    ran.exit(2).says("no job is said");
}

#[test]
fn a_bucket_that_keeps_no_versions_is_wrong_where_an_option_wants_them() {
    let world = world();
    let versions = world
        .job()
        .text(&sides("all", "s3://first/", "s3://second/"))
        .set("versioning.enabled", "true")
        .text(&sides("then", "s3://first/", "down"))
        .set("versioning.point_in_time", "\"2026-01-31T12:00:00Z\"");
    let ran = validated(versions).run();
    ran.exit(1);
    for words in [
        "`s3://first/`: keeps no versions, and versioning.enabled wants them",
        "`s3://second/`: keeps no versions, and versioning.enabled wants them",
        "`s3://first/`: keeps no versions, and versioning.point_in_time wants them",
        "enable versioning on the bucket",
    ] {
        ran.says(words);
    }
    assert_eq!(errors(&ran.stderr), 3, "{}", ran.told());
}
