//! Two sides that nobody has the same keys for: each is asked with its own.

use std::path::Path;

use s3sync::sandbox::{Sandbox, SandboxConfig};

use crate::support::case;
use crate::world::World;

/// Another account: an endpoint that knows other keys only.
fn other_account(world: &World, dir: &Path) -> Sandbox {
    let config = SandboxConfig {
        dir: dir.to_owned(),
        access_key: "OTHERACCOUNT".to_owned(),
        secret_key: "another secret".to_owned(),
        region: "ap-northeast-1".to_owned(),
        ..SandboxConfig::default()
    };
    let sandbox = world.block_on(Sandbox::start(config)).expect("a sandbox");
    sandbox.create_bucket("theirs").expect("a bucket");
    sandbox
}

fn pair(world: &World, other: &Sandbox, [ours, theirs]: [&str; 2]) -> String {
    format!(
        "version = 1\n[report]\ndir = \"reports\"\n[defaults]\nretry.aws_max_attempts = 1\n\
         aws.config_file = \"aws/config\"\naws.shared_credentials_file = \"aws/credentials\"\n\
         [pairs.across]\nsource.url = \"s3://ours/\"\nsource.endpoint_url = \"{}\"\n\
         source.force_path_style = true\n{ours}\ntarget.url = \"s3://theirs/copy/\"\n\
         target.endpoint_url = \"{}\"\ntarget.force_path_style = true\n{theirs}\n",
        world.endpoint.url,
        other.endpoint_url(),
    )
}

#[test]
fn each_side_is_asked_with_its_own_keys_or_profile() {
    let world = World::new();
    world.bucket("ours");
    world.put("ours", "a", b"one");
    world.put("ours", "b/c", b"two");
    let dir = world.path("other");
    let other = other_account(&world, &dir);
    let (key, secret) = (&world.endpoint.access_key, &world.endpoint.secret_key);
    let aws = world.tree("aws");
    let regions = format!(
        "[profile us]\nregion = {}\n[profile them]\nregion = ap-northeast-1\n",
        world.endpoint.region
    );
    aws.write("config", regions.as_bytes());
    let keys = format!(
        "[us]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n\
         [them]\naws_access_key_id = OTHERACCOUNT\naws_secret_access_key = another secret\n"
    );
    aws.write("credentials", keys.as_bytes());
    let own = format!(
        "source.access_key = \"{key}\"\nsource.secret_access_key = \"{secret}\"\nsource.region = \"{}\"",
        world.endpoint.region
    );
    let theirs = "target.access_key = \"OTHERACCOUNT\"\n\
        target.secret_access_key = \"another secret\"\ntarget.region = \"ap-northeast-1\"";
    let (us, them) = ("source.profile = \"us\"", "target.profile = \"them\"");
    let wrong = "target.profile = \"us\"\ntarget.region = \"ap-northeast-1\"";
    for (what, sides, exit) in [
        ("keys", [&*own, theirs], 0),
        ("profiles", [us, them], 0),
        ("a profile and keys", [us, theirs], 0),
        ("one account for both", [us, wrong], 1),
        (
            "a profile that is not there",
            ["source.profile = \"who\"", them],
            1,
        ),
    ] {
        case(format_args!("{what}"));
        let job = pair(&world, &other, sides);
        std::fs::write(world.path("across.toml"), job).expect("a job file");
        let run = world.command(&["run", "across.toml", "--set", "check.mode=always"]);
        // what the environment says is for sides that say nothing
        let ran = run
            .environment("AWS_ACCESS_KEY_ID", "NOBODY")
            .environment("AWS_SECRET_ACCESS_KEY", "nobody's")
            .environment("AWS_REGION", "sa-east-1")
            .run();
        ran.exit(exit);
        if exit == 0 {
            ran.transferred(2).all_proved();
            let regions = ["source", "target"].map(|side| {
                let region = &ran.pair("across").report[side]["region"];
                region.as_str().expect("a region").to_owned()
            });
            assert_eq!(regions, [&*world.endpoint.region, "ap-northeast-1"]);
        } else if what.starts_with("a profile") {
            ran.says("no credentials for s3://ours/").says("who");
        } else {
            ran.says("the access key is not known here");
        }
    }
    world.block_on(other.shutdown());
}
