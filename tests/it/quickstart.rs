//! The newcomer's command, and the sandbox a user may start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_sdk_s3::types::ChecksumAlgorithm;
use rustix::process::Signal;

use crate::world::{Endpoint, World, content, same, until};

/// The repository as a newcomer has it, as far as the quickstart looks at it.
fn clone(world: &World) -> usize {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let job = fs::read(repository.join("jobs/quickstart.toml")).expect("the quickstart");
    world.tree("clone").write("jobs/quickstart.toml", &job);
    let sources = crate::world::Tree::at(repository.join("src")).files();
    for (name, bytes) in &sources {
        world.tree("clone/src").write(name, bytes);
    }
    sources.len()
}

#[test]
fn the_quickstart_proves_everything_then_does_nothing_then_only_what_changed() {
    let world = World::new();
    let files = clone(&world);
    let run = || {
        let reports = world.path("reports").display().to_string();
        world
            .command(&["run", "clone/jobs/quickstart.toml"])
            .arguments(&["--set", &format!("report.dir={reports}")])
            .run()
    };
    let restored = || world.tree("clone/target/quickstart/restore").files();
    let sources = || world.tree("clone/src").files();

    run().exit(0).transferred(3 * files).all_proved();
    same(&sources(), &restored());

    run().exit(0).transferred(0).all_proved();

    world.tree("clone/src").write("lib.rs", b"changed");
    let ran = run();
    ran.exit(0).transferred(3).all_proved();
    for pair in ["upload", "mirror", "restore"] {
        assert_eq!(
            ran.pair(pair).count("transferred/total"),
            1,
            "{}",
            ran.told()
        );
    }
    same(&sources(), &restored());
}

#[test]
fn run_and_sync_rehearse_on_a_sandbox_of_their_own() {
    let world = World::new();
    world.tree("tree").file("a", 10).file("large", 9 << 20);
    let reports = format!("report.dir={}", world.path("reports").display());
    let sync = |source: &str, target: &str| {
        world
            .command(&[
                "sync",
                source,
                target,
                "--sandbox",
                "own",
                "--set",
                &reports,
            ])
            .run()
    };
    sync("tree", "s3://made-on-demand/p/")
        .exit(0)
        .transferred(2)
        .all_proved();
    sync("tree", "s3://made-on-demand/p/")
        .exit(0)
        .transferred(0);
    sync("s3://made-on-demand/p/", "down")
        .exit(0)
        .transferred(2)
        .all_proved();
    same(&world.tree("tree").files(), &world.tree("down").files());

    // a rehearsal never reaches the endpoint the job names
    let job = || {
        world
            .job()
            .pair("up", "tree", "s3://rehearsed/")
            .arguments(&["--sandbox", "own"])
    };
    job().run().exit(0).transferred(2).all_proved();
    job().run().exit(0).transferred(0);
    assert!(
        world.faults().all_calls().is_empty(),
        "{:?}",
        world.faults().all_calls()
    );
}

#[test]
fn the_plain_form_ends_with_the_one_line_its_users_know() {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 1000);
    let plain = world.sync("tree", "s3://first/").without("sync");
    let ran = plain.run();
    ran.exit(0).transferred(1);
    let line = ran.stdout.lines().last().unwrap_or_default();
    for words in [
        "transferred   1 objects | ",
        "etag verified 1 objects,  checksum verified 0 objects,  deleted 0 objects,  skipped 0 objects,  error 0 objects, warning 0 objects,  duration ",
    ] {
        assert!(line.contains(words), "`{words}` in `{line}`");
    }
}

#[test]
fn a_sandbox_serves_until_it_is_told_to_end_and_keeps_what_it_has() {
    let world = World::new();
    for round in 0..2 {
        for signal in [Signal::TERM, Signal::INT] {
            let serving = world
                .command(&["sandbox", "served", "--listen", "127.0.0.1:0"])
                .arguments(&["--access-key", "mine", "--secret-access-key", "secret"])
                .start();
            until("it serves", || serving.has_said("Ctrl-C ends it"));
            let said = serving.stdout();
            let url = said
                .split_whitespace()
                .find(|word| word.starts_with("http://"));
            let served = World::at(Endpoint {
                url: url.expect("the endpoint").to_owned(),
                access_key: "mine".to_owned(),
                secret_key: "secret".to_owned(),
                region: "us-east-1".to_owned(),
            });
            if round == 0 && signal == Signal::TERM {
                served.bucket("first");
                served.put("first", "a", &content("a", 1000));
            }
            let expected = BTreeMap::from([("a".to_owned(), content("a", 1000))]);
            same(&expected, &served.objects("first", ""));
            serving.signal(signal);
            serving.wait().exit(0);
        }
    }
}

#[test]
fn checksums_are_stored_with_the_objects() {
    let world = World::new();
    world.bucket("first");
    world
        .tree("tree")
        .file("small", 1000)
        .file("large", 17 << 20);
    for algorithm in [ChecksumAlgorithm::Crc64Nvme, ChecksumAlgorithm::Sha256] {
        let prefix = format!("s3://first/{}/", algorithm.as_str());
        let ran = world
            .job()
            .set("checksum.algorithm", &format!("{:?}", algorithm.as_str()))
            .pair("up", "tree", &prefix)
            .run();
        ran.exit(0).transferred(2).all_proved();
        for key in ["small", "large"] {
            let head = world.head("first", &format!("{}/{key}", algorithm.as_str()));
            let kept = match algorithm {
                ChecksumAlgorithm::Sha256 => head.checksum_sha256(),
                _ => head.checksum_crc64_nvme(),
            };
            let line = ran.pair("up").line(key);
            let told = &line["target"]["checksum"][algorithm.as_str()];
            assert_eq!(told.as_str(), kept, "{line}");
        }
    }
}
