//! How requests get to S3: in time, through proxies, over TLS, and cut when nothing moves.

mod proxy;
mod tls;

use std::time::Duration;

use s3sync::sandbox::{Action, Rule, When};

use self::proxy::{Proxy, USER};
use crate::support::case;
use crate::world::{Blow, Body, Damage, NEVER, Ran, Run, Wire, World, content, same};

const MIB: usize = 1 << 20;

/// A world with a tree of a small and a large file, the same in the bucket `first`, and an empty
/// bucket `second`.
fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    let tree = world.tree("tree");
    tree.file("small", 1000).file("large", 9 * MIB);
    world.put("first", "small", &content("small", 1000));
    world.put("first", "large", &content("large", 9 * MIB));
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("pair", "tree", "s3://second/")
}

fn down(world: &World) -> Run<'_> {
    world.job().pair("pair", "s3://first/", "down")
}

fn across(world: &World) -> Run<'_> {
    world.job().pair("pair", "s3://first/", "s3://second/")
}

fn arrived(world: &World, ran: &Ran) {
    ran.exit(0).transferred(2).all_proved();
    let there = world.objects("second", "");
    same(&world.tree("tree").files(), &there);
}

#[test]
fn an_attempt_that_takes_too_long_is_made_again() {
    let world = world();
    // no other attempt is to take that long, however much else the machine has to do
    world.tree("tree").file("large", 1000);
    let late = Rule::new(Action::Delay(NEVER));
    world.faults().add(late.when(When::Nth(3)));
    let ran = up(&world).set("timeout.operation_attempt", "\"4s\"").run();
    arrived(&world, &ran);
    let retries = ran.pair("pair").number("/retries/by_code/Timeout");
    assert_eq!(retries, 1, "{}", ran.told());
}

#[test]
fn an_operation_that_takes_too_long_fails_and_names_the_option() {
    for (option, rule) in [
        ("timeout.operation", Rule::slow_down()),
        ("timeout.operation", Rule::new(Action::Delay(NEVER))),
        ("timeout.operation_attempt", Rule::new(Action::Delay(NEVER))),
    ] {
        let world = world();
        // no other operation is to take that long, however much else the machine has to do
        world.tree("tree").file("large", 1000);
        world.faults().add(rule.operation("PutObject").key("small"));
        let ran = up(&world)
            .set("retry.aws_max_attempts", "3000")
            .set("retry.initial_backoff", "\"200ms\"")
            .set(option, "\"1500ms\"");
        let ran = match option {
            "timeout.operation" => ran.run(),
            _ => ran.set("timeout.operation", "\"4s\"").run(),
        };
        case(format_args!("{option}"));
        ran.exit(1).transferred(1).says("(timeout.operation)");
        assert!(ran.elapsed < Duration::from_secs(20), "{}", ran.told());
    }
}

#[test]
fn no_time_is_unlimited_time() {
    let world = world();
    let run = ["operation", "operation_attempt", "connect", "read"]
        .into_iter()
        .fold(up(&world), |run, name| {
            run.set(&format!("timeout.{name}"), "\"0s\"")
        });
    arrived(&world, &run.run());
}

#[test]
fn what_s3_works_on_before_it_answers_is_waited_for() {
    let world = world();
    for operation in ["CopyObject", "UploadPartCopy", "CompleteMultipartUpload"] {
        let late = Rule::new(Action::DelayAnswer(Duration::from_secs(6)));
        world.faults().add(late.operation(operation));
    }
    let ran = across(&world)
        .set("server_side_copy", "true")
        .set("timeout.read", "\"3s\"")
        .run();
    arrived(&world, &ran);
    assert_eq!(
        ran.pair("pair").number("/retries/count"),
        0,
        "{}",
        ran.told()
    );
}

/// A body that stops moving in the middle, once.
fn stuck(of: Body, method: &'static str) -> Blow {
    Blow {
        of,
        method,
        path: "large",
        damage: Damage::Hold(MIB),
        times: 1,
    }
}

/// A run up or down that moves the large object at once.
fn in_one_piece<'w>(world: &'w World, way: &str) -> Run<'w> {
    let run = if way == "up" { up(world) } else { down(world) };
    run.set("multipart.threshold", "\"64MiB\"")
        .set("multipart.chunksize", "\"64MiB\"")
}

/// Statement 47: a connection that goes silent → cut within the stall timeout and retried elsewhere.
#[test]
fn a_body_that_stops_moving_is_cut_and_sent_again_elsewhere() {
    for (way, of, method) in [("up", Body::Request, "PUT"), ("down", Body::Answer, "GET")] {
        let mut world = world();
        // more than the sockets on the way can hold
        world.tree("tree").file("large", 48 * MIB);
        let wire = Wire::between(&mut world);
        wire.strike(&[stuck(of, method)]);
        let ran = in_one_piece(&world, way)
            .set("timeout.read", "\"2s\"")
            .run();
        case(format_args!("{way}"));
        ran.exit(0).transferred(2).all_proved();
        assert_eq!(wire.left(), 0);
        assert_eq!(
            ran.pair("pair").number("/retries/count"),
            1,
            "{}",
            ran.told()
        );
        assert!(ran.elapsed < Duration::from_secs(30), "{}", ran.told());
    }
}

#[test]
fn without_the_protection_a_silent_body_is_only_cut_by_the_attempts_own_limit() {
    for (way, of, method) in [("up", Body::Request, "PUT"), ("down", Body::Answer, "GET")] {
        let mut world = world();
        world.tree("tree").file("large", 48 * MIB);
        let wire = Wire::between(&mut world);
        wire.strike(&[stuck(of, method)]);
        let ran = in_one_piece(&world, way)
            .set("timeout.read", "\"1s\"")
            .set("timeout.operation_attempt", "\"6s\"")
            .set("protocol.stalled_stream_protection", "false")
            .run();
        case(format_args!("{way}"));
        ran.exit(0).transferred(2).all_proved();
        assert!(ran.elapsed > Duration::from_secs(6), "{}", ran.told());
        assert_eq!(
            ran.pair("pair").number("/retries/count"),
            1,
            "{}",
            ran.told()
        );
    }
}

/// Statement 47: a connection that goes silent is cut within the stall timeout and made again; a slow disk is no stall.
#[test]
fn who_waits_for_a_turn_has_not_stalled() {
    const FILES: usize = 36;
    let world = World::new();
    world.bucket("first");
    world.bucket("second");
    for n in 0..FILES {
        let name = format!("f{n:02}");
        world.tree("tree").file(&name, 256 << 10);
        world.put("first", &name, &content(&name, 256 << 10));
    }
    for (way, run) in [("up", up(&world)), ("down", down(&world))] {
        let ran = run
            .set("performance.worker_size", "36")
            .set("performance.rate_limit_bandwidth", "\"1MiB\"")
            .set("timeout.read", "\"3s\"")
            .set("timeout.operation_attempt", "\"4s\"")
            .set("timeout.operation", "\"5s\"")
            .run();
        case(format_args!("{way}"));
        ran.exit(0).transferred(FILES).all_proved();
        assert_eq!(
            ran.pair("pair").number("/retries/count"),
            0,
            "{}",
            ran.told()
        );
        assert!(ran.elapsed > Duration::from_millis(8600), "{}", ran.told());
    }
}

/// A run to an endpoint that only a proxy can find.
fn through<'w>(world: &'w mut World, scheme: &str, variable: &str, proxy: &str) -> Run<'w> {
    world.endpoint.url = format!("{scheme}://store.test");
    up(world)
        .environment(variable, proxy)
        .environment("AWS_CA_BUNDLE", &tls::authority())
}

#[test]
fn a_proxy_with_a_password_lets_us_through() {
    for (scheme, variable) in [
        ("http", "HTTP_PROXY"),
        ("http", "http_proxy"),
        ("https", "HTTPS_PROXY"),
        ("https", "https_proxy"),
        ("https", "ALL_PROXY"),
    ] {
        let mut world = world();
        let server = match scheme {
            "http" => world.endpoint.url.trim_start_matches("http://").to_owned(),
            _ => tls::before(&world),
        };
        let proxy = Proxy::to(&world, &server);
        let url = format!("http://{USER}@{}", proxy.address);
        let ran = through(&mut world, scheme, variable, &url)
            .environment("RUST_LOG", "trace")
            .run();
        case(format_args!("{scheme}, {variable}"));
        arrived(&world, &ran);
        assert!(proxy.let_in() > 0);
        for hidden in ["pass%20word", "pass word", "dXNlcjpwYXNzIHdvcmQ"] {
            assert!(!ran.told().contains(hidden), "`{hidden}` in {}", ran.told());
        }
    }
}

#[test]
fn a_proxy_that_refuses_us_ends_the_pair_at_once_and_is_named() {
    for scheme in ["http", "https"] {
        let mut world = world();
        let server = world.endpoint.url.trim_start_matches("http://").to_owned();
        let proxy = Proxy::to(&world, &server);
        let variable = format!("{}_PROXY", scheme.to_uppercase());
        let url = format!("http://user:canary@{}", proxy.address);
        let ran = through(&mut world, scheme, &variable, &url).run();
        case(format_args!("{scheme}"));
        ran.exit(1)
            .says(&format!("the proxy http://{} ({variable})", proxy.address))
            .says("(407)")
            .says("check the user and the password");
        assert!(!ran.told().contains("canary"), "{}", ran.told());
        assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
        assert_eq!(proxy.let_in(), 0);
    }
}

#[test]
fn what_is_on_this_machine_or_excepted_is_reached_past_the_proxy() {
    let mut world = world();
    let nobody = "http://127.0.0.1:9";
    let run = up(&world).environment("HTTP_PROXY", nobody);
    arrived(&world, &run.environment("ALL_PROXY", nobody).run());
    let ran = through(&mut world, "http", "HTTP_PROXY", nobody).run();
    ran.exit(1)
        .says("does not answer through the proxy http://127.0.0.1:9 (HTTP_PROXY)");
    // also where only the environment tells the endpoint
    let named = world
        .command(&["sync", "tree", "s3://second/", "--aws-max-attempts", "2"])
        .environment("AWS_ACCESS_KEY_ID", &world.endpoint.access_key)
        .environment("AWS_SECRET_ACCESS_KEY", &world.endpoint.secret_key)
        .environment("AWS_ENDPOINT_URL", &world.endpoint.url)
        .environment("HTTP_PROXY", nobody);
    named.run().exit(1).says("connection refused");
    // without a proxy nobody knows that name
    let ran = through(&mut world, "http", "HTTP_PROXY", nobody)
        .environment("NO_PROXY", "example.com, store.test")
        .run();
    ran.exit(1).says("store.test does not answer: ");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_at_the_start() {
    let mut world = world();
    let ran = through(
        &mut world,
        "https",
        "ALL_PROXY",
        "socks5://u:canary@127.0.0.1:9",
    )
    .run();
    ran.exit(1)
        .says("the proxy socks5://127.0.0.1:9 (ALL_PROXY) cannot be used");
    assert!(!ran.told().contains("canary"), "{}", ran.told());
}

/// The world with its endpoint behind TLS.
fn behind_tls() -> World {
    let mut world = world();
    world.endpoint.url = format!("https://{}", tls::before(&world));
    world
}

#[test]
fn an_authority_of_ones_own_is_trusted_by_its_bundle() {
    for signing in ["auto", "always", "never"] {
        let world = behind_tls();
        let ran = up(&world)
            .set("protocol.payload_signing", &format!("{signing:?}"))
            .environment("AWS_CA_BUNDLE", &tls::authority())
            .run();
        case(format_args!("{signing}"));
        arrived(&world, &ran);
    }
}

#[test]
fn who_is_not_trusted_is_not_spoken_to() {
    let world = behind_tls();
    for (bundle, told) in [
        (None, "AWS_CA_BUNDLE=FILE"),
        (Some(tls::stranger()), "does not vouch for it"),
    ] {
        let mut run = up(&world);
        if let Some(bundle) = &bundle {
            run = run.environment("AWS_CA_BUNDLE", bundle);
        }
        let ran = run.run();
        case(format_args!("{bundle:?}"));
        ran.exit(1).says("invalid peer certificate").says(told);
        assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
        assert!(world.objects("second", "").is_empty());
    }
}

#[test]
fn a_bundle_that_is_missing_or_broken_is_told_at_the_start() {
    let world = behind_tls();
    let broken = world.path("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n").expect("a file");
    let missing = world.path("missing.pem");
    for (bundle, told) in [
        (&missing, "AWS_CA_BUNDLE: cannot read `"),
        (&broken, "AWS_CA_BUNDLE: certificate 1 in `"),
    ] {
        let run = up(&world);
        let ran = run.environment("AWS_CA_BUNDLE", &bundle.display().to_string());
        let ran = ran.run();
        ran.exit(1).says(told).says(&bundle.display().to_string());
    }
    // it is not needed here
    let world = self::world();
    let run = up(&world).environment("AWS_CA_BUNDLE", &missing.display().to_string());
    arrived(&world, &run.run());
}

#[test]
fn what_the_sdk_does_is_logged_on_request_and_without_secrets() {
    for (aws_sdk, span_events) in [(true, false), (true, true), (false, false)] {
        let world = world();
        let mut run = up(&world).arguments(&["-vvv"]);
        if aws_sdk {
            run = run.arguments(&["--aws-sdk-tracing"]);
        }
        if span_events {
            run = run.arguments(&["--span-events-tracing"]);
        }
        let ran = run.run();
        case(format_args!("{aws_sdk}, {span_events}"));
        arrived(&world, &ran);
        assert_eq!(ran.stderr.contains("aws_smithy"), aws_sdk, "{}", ran.told());
        let closes = ran.stderr.lines().any(|line| line.contains("close"));
        assert_eq!(closes, span_events, "{}", ran.told());
        for hidden in [&world.endpoint.access_key, &world.endpoint.secret_key] {
            assert!(!ran.told().contains(hidden), "`{hidden}` in {}", ran.told());
        }
        assert!(!ran.stderr.contains("Signature="), "{}", ran.told());
    }
}
