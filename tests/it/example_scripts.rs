//! The scripts in `jobs/scripts`, run as their users would run them.

use std::path::Path;

use serde_json::Value;

use crate::support::case;
use crate::world::World;

fn script(name: &str) -> String {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let path = jobs.join("scripts").join(name);
    format!("{:?}", path.display().to_string())
}

/// Each script that filters, what it is given with its size, and what goes.
#[test]
fn filters_leave_out_what_they_say() {
    for (name, given, gone) in [
        (
            "skip_locked.lua",
            &[
                ("plans/budget.xlsx", 10),
                ("plans/~$budget.xlsx", 10),
                ("plans/.~lock.notes.odt#", 10),
                ("plans/.#notes.txt", 10),
                ("plans/notes.txt~", 10),
                ("a.TMP", 10),
                ("film.mp4.part", 10),
                ("partial/a", 10),
                ("empty", 0),
                ("~plans", 10),
            ][..],
            &["partial/a", "plans/budget.xlsx", "~plans"][..],
        ),
        (
            "one_a_day.lua",
            &[
                ("db/2026-11-22T14.sql", 10),
                ("db/2026-11-22T18.sql", 10),
                ("db/2026-11-23T02.sql", 10),
                ("other/2026-11-23T02.sql", 10),
                ("other/2026-11-23T03.sql", 10),
                ("readme", 10),
            ],
            &[
                "db/2026-11-22T14.sql",
                "db/2026-11-23T02.sql",
                "other/2026-11-23T02.sql",
                "readme",
            ],
        ),
    ] {
        case(format_args!("{name}"));
        let world = World::new();
        world.bucket("first");
        for (key, size) in given {
            world.tree("tree").file(key, *size);
        }
        let ran = world
            .job()
            .pair("up", "tree", "s3://first/")
            .set("lua.filter_script", &script(name))
            .run();
        ran.exit(0);
        let keys: Vec<_> = world.objects("first", "").into_keys().collect();
        assert_eq!(keys, gone, "{}", ran.told());
        let left_out = ran.pair("up").count("filtered/total");
        assert_eq!(left_out as usize, given.len() - gone.len(), "{name}");
    }
}

/// `jobs/scripted.toml` has them all: "cache_headers.lua" and "failures.lua" beside the filters.
#[test]
fn the_job_of_scripts_has_its_say() {
    let world = World::new();
    for bucket in ["files", "site"] {
        world.bucket(bucket);
    }
    for (tree, name, size) in [
        ("files", "plan.txt", 10),
        ("files", "~$plan.txt", 10),
        ("files", ".cache/a/b", 10),
        ("dumps", "2026-11-22T14.sql", 10),
        ("dumps", "2026-11-22T18.sql", 10),
        ("site", "index.html", 10),
        ("site", "app.js", 10),
        ("site", "app.js.map", 10),
        ("site", "intro.mp4", 2 << 20),
        ("site", "short.mp4", 10),
        ("site", "wrong\".txt", 10),
    ] {
        world.tree(tree).file(name, size);
    }
    world.deny("site", &["s3:PutObject"], "wrong*");
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/scripted.toml");
    let mut run = world.command(&["run", job.to_str().expect("UTF-8")]);
    for (pair, tree) in [
        ("fileserver", "files"),
        ("dumps", "dumps"),
        ("site", "site"),
    ] {
        let option = format!("pairs.{pair}.source.url={}", world.tree(tree).path());
        run = run.arguments(&["--set", &option]);
    }
    let reports = world.path("reports").display().to_string();
    for (name, value) in [
        ("FILES_BUCKET", "files"),
        ("SITE_BUCKET", "site"),
        ("S3SYNC_REPORT__DIR", &reports),
        ("S3SYNC_TARGET__ENDPOINT_URL", &world.endpoint.url),
        ("S3SYNC_TARGET__REGION", &world.endpoint.region),
        ("S3SYNC_TARGET__ACCESS_KEY", &world.endpoint.access_key),
        (
            "S3SYNC_TARGET__SECRET_ACCESS_KEY",
            &world.endpoint.secret_key,
        ),
        ("S3SYNC_TARGET__FORCE_PATH_STYLE", "true"),
    ] {
        run = run.environment(name, value);
    }
    let ran = run.run();
    ran.exit(3);
    let keys = |bucket| world.objects(bucket, "").into_keys().collect::<Vec<_>>();
    assert_eq!(keys("files"), ["dumps/2026-11-22T14.sql", "files/plan.txt"]);
    let gone = ["app.js", "index.html", "intro.mp4", "short.mp4"];
    assert_eq!(keys("site"), gone, "{}", ran.told());
    for (key, header, value) in [
        (
            "app.js",
            "cache-control",
            Some("max-age=31536000, immutable"),
        ),
        ("index.html", "cache-control", Some("no-cache")),
        ("intro.mp4", "cache-control", Some("max-age=3600")),
        ("intro.mp4", "storage-class", Some("GLACIER_IR")),
        ("short.mp4", "storage-class", None),
    ] {
        let dress = world.dress("site", key);
        let seen = dress.get(header).map(String::as_str);
        assert_eq!(seen, value, "{key}: {header}");
    }
    let skipped = ran.pair("site").report["counts"]["skipped"]["by"].to_string();
    assert!(skipped.contains("lua_cancelled"), "{skipped}");
    let said = format!("{}\n{}", ran.stdout, ran.stderr);
    let failure = said.lines().find_map(|line| {
        let at = line.find("{\"name\":")?;
        serde_json::Deserializer::from_str(&line[at..])
            .into_iter::<Value>()
            .next()?
            .ok()
    });
    let failure = failure.unwrap_or_else(|| panic!("{}", ran.told()));
    assert_eq!(failure["name"], "SYNC_WARNING");
    assert_eq!(failure["pair"], "site");
    assert_eq!(failure["key"], "wrong\".txt");
    assert_eq!(failure["message"], "access denied. skipping.");
}
