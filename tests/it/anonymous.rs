//! A source that everyone may read, and a requester who pays.

use serde_json::json;

use crate::support::case;
use crate::world::{Run, Wire, World, content, same};

const MIB: usize = 1 << 20;

/// A world with a tree, and the same in the bucket `first`.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for (key, size) in [("large", 12 * MIB + 7), ("small", 50_000)] {
        world.tree("tree").file(key, size);
        world.put("first", key, &content(key, size));
    }
    world
}

/// Lets everyone list and read the bucket `first`.
fn publish(world: &World, actions: &[&str]) {
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": actions,
        "Resource": ["arn:aws:s3:::first", "arn:aws:s3:::first/*"],
    }]});
    world.policy("first", &policy.to_string());
}

/// A job whose source has no keys: those of the world are the target's.
fn anonymously<'w>(world: &'w World, target: &str) -> Run<'w> {
    let url = &world.endpoint.url;
    let region = &world.endpoint.region;
    let side = |side: &str| {
        format!(
            "{side}.endpoint_url = \"{url}\"\n{side}.region = \"{region}\"\n{side}.force_path_style = true\n"
        )
    };
    let text = format!(
        "version = 1\n[report]\ndir = \"reports\"\n[pairs.pair]\nsource.url = \"s3://first/\"\ntarget.url = \"{target}\"\n\
         multipart.threshold = \"5MiB\"\nmultipart.chunksize = \"5MiB\"\nsource.no_sign_request = true\nretry.initial_backoff = \"5ms\"\n{}",
        side("source")
    );
    let text = if target.starts_with("s3://") {
        let keys = "target.access_key = { env = \"KEY\" }\ntarget.secret_access_key = { env = \"SECRET\" }\n";
        format!("{text}{}{keys}", side("target"))
    } else {
        text
    };
    std::fs::write(world.path("anonymous.toml"), text).expect("a job file");
    world
        .command(&["run", "anonymous.toml"])
        .environment("KEY", &world.endpoint.access_key)
        .environment("SECRET", &world.endpoint.secret_key)
        // nobody is asked for these
        .environment("AWS_ACCESS_KEY_ID", "not-to-be-sent")
        .environment("AWS_SECRET_ACCESS_KEY", "not-to-be-used")
}

#[test]
fn a_public_bucket_is_read_without_any_signature() {
    for target in ["down", "s3://second/"] {
        case(format_args!("{target}"));
        let mut world = world();
        publish(&world, &["s3:ListBucket", "s3:GetObject"]);
        let wire = Wire::between(&mut world);
        let ran = anonymously(&world, target).run();
        ran.exit(0).transferred(2).all_proved();
        let lost = ran.report["pairs"][0]["guarantees_lost"].to_string();
        let tells_no_tags = lost.contains("tells none to anonymous requests");
        assert_eq!(tells_no_tags, target != "down", "{lost}");
        let arrived = if target == "down" {
            world.tree("down").files()
        } else {
            world.objects("second", "")
        };
        same(&world.tree("tree").files(), &arrived);
        let heads = wire.heads();
        let mut asked = [0, 0];
        for head in &heads {
            let first = head.lines().next().unwrap_or_default();
            let is_source = first.contains("/first");
            asked[usize::from(is_source)] += 1;
            assert_eq!(head.contains("authorization:"), !is_source, "{head}");
            assert!(!head.contains("x-amz-security-token"), "{head}");
            assert!(!first.contains("X-Amz-Signature"), "{head}");
        }
        assert!(asked[1] > 3, "{heads:?}");
        assert_eq!(asked[0] > 0, target != "down", "{heads:?}");
    }
}

#[test]
fn a_private_bucket_is_one_clear_error() {
    let world = world();
    let ran = anonymously(&world, "down").run();
    ran.exit(1).says("source.no_sign_request");
    let pair = ran.pair("pair");
    assert_eq!(pair.count("errors"), 1, "{}", ran.told());
    assert_eq!(world.tree("down").files().len(), 0);
    // what may be listed and not be read is told object by object
    publish(&world, &["s3:ListBucket"]);
    let ran = anonymously(&world, "down").run();
    ran.exit(3).transferred(0).says("source.no_sign_request");
    let by = json!([{"reason": "access_denied", "count": 2}]);
    assert_eq!(ran.pair("pair").report["counts"]["skipped"]["by"], by);
}

#[test]
fn who_pays_says_so_with_every_request_of_that_side() {
    for (source, target, server_side, payer) in [
        ("tree", "s3://second/", "false", "target"),
        ("s3://first/", "down", "false", "source"),
        ("s3://first/", "s3://second/", "false", "source"),
        ("s3://first/", "s3://second/", "false", "target"),
        ("s3://first/", "s3://second/", "true", "source"),
        ("s3://first/", "s3://second/", "true", "target"),
    ] {
        case(format_args!("{source} {target} {server_side} {payer}"));
        let mut world = world();
        // parts, so that all kinds of requests are made
        let sizes = [5 * MIB, 5 * MIB, 2 * MIB + 7];
        world.put_in_parts("first", "large", &content("large", 12 * MIB + 7), &sizes);
        let wire = Wire::between(&mut world);
        let mut job = world.job_in_small_parts();
        if server_side == "true" {
            job = job.set("server_side_copy", server_side);
        }
        let job = job.text(&format!(
            "\n[pairs.pair]\nsource.url = {source:?}\ntarget.url = {target:?}\n{payer}.request_payer = true\n"
        ));
        job.run().exit(0).transferred(2).all_proved();
        let paid = if payer == "source" {
            "/first"
        } else {
            "/second"
        };
        let mut seen = 0;
        for head in wire.heads() {
            let first = head.lines().next().unwrap_or_default();
            // a copy reads what the source's owner pays for otherwise
            let is_copy = head.contains("x-amz-copy-source:");
            let expected = first.contains(paid) || is_copy;
            seen += usize::from(expected);
            assert_eq!(
                head.contains("x-amz-request-payer: requester"),
                expected,
                "{head}"
            );
        }
        assert!(seen >= 3, "{seen}");
    }
}
