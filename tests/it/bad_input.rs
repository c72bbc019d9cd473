//! What a user gets wrong: one clear message, the right exit code, nothing half-written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::{case, skipped};
use crate::world::{Run, World};

fn world() -> World {
    let world = World::new();
    world.bucket("first");
    world.tree("tree").file("a", 10).file("b/c", 10);
    world
}

fn up(world: &World) -> Run<'_> {
    world.job().pair("up", "tree", "s3://first/")
}

/// What the user is told on stderr, without the table of a run that began.
fn said(text: &str) -> usize {
    text.lines()
        .filter(|line| line.contains("ERROR") || line.starts_with("error"))
        .count()
}

#[test]
fn what_a_job_says_wrong_is_refused_before_anything_starts() {
    let world = world();
    let refused: [(&str, Run<'_>, &[&str]); 9] = [
        (
            "both sides local",
            world.job().pair("x", "tree", "down"),
            &["both sides of `x` are local", "job.toml:"],
        ),
        (
            "a typo",
            up(&world).set("server_side_cpy", "true"),
            &[
                "unknown key `server_side_cpy`",
                "job.toml:",
                "did you mean `server_side_copy`?",
            ],
        ),
        (
            "a wrong type",
            up(&world).set("performance.worker_size", "\"many\""),
            &["worker_size", "job.toml:"],
        ),
        ("no TOML", up(&world).text("\n[pairs.up\n"), &["job.toml:"]),
        (
            "a checksum that is not named",
            up(&world).set("check.mode", "\"checksum\""),
            &["without `check.checksum_algorithm`", "job.toml:"],
        ),
        (
            "another algorithm",
            up(&world).set("checksum.algorithm", "\"CRC16\""),
            &["CRC16", "job.toml:"],
        ),
        (
            "no bucket",
            world.job().pair("x", "tree", "s3://"),
            &["`s3://` names no bucket", "job.toml:"],
        ),
        (
            "an unknown pair",
            up(&world).arguments(&["--pair", "upp"]),
            &["no pair is called `upp`"],
        ),
        (
            "no file",
            world.command(&["run", "nowhere.toml"]),
            &["nowhere.toml"],
        ),
    ];
    for (name, run, words) in refused {
        let ran = run.run();
        case(format_args!("{name}"));
        ran.exit(2);
        for word in words {
            assert!(ran.stderr.contains(word), "`{word}`: {}", ran.told());
        }
        assert_eq!(said(&ran.stderr), 1, "{name}: {}", ran.told());
        assert!(!world.path("reports").exists(), "{name}: nothing started");
    }
    assert_eq!(world.list("first", "").len(), 0);
}

#[test]
fn flags_are_refused_as_the_file_is() {
    let world = world();
    for (name, run, words) in [
        ("both local", world.sync("tree", "down"), "local"),
        (
            "parts of no object",
            world
                .sync("tree", "s3://first/")
                .arguments(&["--auto-chunksize"]),
            "`multipart.auto_chunksize` without",
        ),
        (
            "unknown",
            world
                .sync("tree", "s3://first/")
                .arguments(&["--no-such-flag"]),
            "--no-such-flag",
        ),
        (
            "no option",
            world
                .sync("tree", "s3://first/")
                .arguments(&["--set", "chek.mode=mtime"]),
            "check",
        ),
        (
            "environment",
            world
                .sync("tree", "s3://first/")
                .environment("S3SYNC_WORKER_SIZE", "8"),
            "S3SYNC_WORKER_SIZE",
        ),
    ] {
        let ran = run.run();
        case(format_args!("{name}"));
        ran.exit(2);
        assert!(ran.stderr.contains(words), "`{words}`: {}", ran.told());
        assert!(!world.path("reports").exists(), "{name}: nothing started");
    }
    // a flag does not hide a broken file
    let ran = up(&world)
        .set("check.mode", "\"tag\"")
        .arguments(&["--set", "check.mode=mtime"])
        .run();
    ran.exit(2);
    // and one wins over a file that is right
    up(&world)
        .set("delete", "true")
        .arguments(&["--set", "pairs.up.delete=false"])
        .run()
        .exit(0);
}

#[test]
fn what_cannot_be_reached_ends_the_pair_with_one_message() {
    let world = world();
    // a port of the system, which is handed to nobody: another test may get any other
    let nobody = "http://127.0.0.1:9";
    let cases: [(&str, Run<'_>, &[&str]); 7] = [
        (
            "no such directory",
            world.job().pair("x", "nowhere", "s3://first/"),
            &["nowhere", "no such directory"],
        ),
        (
            "no such bucket to write to",
            world.job().pair("x", "tree", "s3://missing-bucket/"),
            &[
                "there is no such bucket: s3://missing-bucket/",
                "NoSuchBucket",
            ],
        ),
        (
            "no such bucket to read from",
            world.job().pair("x", "s3://missing-bucket/p/", "down"),
            &["there is no such bucket: s3://missing-bucket/p/"],
        ),
        (
            "a wrong secret",
            up(&world).arguments(&["--target-secret-access-key", "wrong"]),
            &[
                "the secret access key does not fit the access key",
                "SignatureDoesNotMatch",
            ],
        ),
        (
            "an unknown key",
            up(&world).arguments(&["--target-access-key", "nobody"]),
            &["the access key is not known here", "InvalidAccessKeyId"],
        ),
        (
            "nobody listens",
            up(&world).arguments(&["--target-endpoint-url", nobody]),
            &["does not answer", "check endpoint_url"],
        ),
        (
            "nobody listens, with the defaults' patience",
            up(&world)
                .arguments(&["--target-endpoint-url", nobody])
                .arguments(&["--initial-backoff-milliseconds", "100"]),
            &["does not answer"],
        ),
    ];
    for (name, run, words) in cases {
        let ran = run.run();
        case(format_args!("{name}"));
        ran.exit(1);
        for word in words {
            assert!(ran.stderr.contains(word), "`{word}`: {}", ran.told());
        }
        assert_eq!(said(&ran.stderr), 1, "{name}: {}", ran.told());
        assert!(ran.elapsed < Duration::from_secs(10), "{}", ran.told());
        assert_eq!(ran.report["run"]["status"], "failed", "{}", ran.told());
        ran.transferred(0);
    }
    assert_eq!(world.list("first", "").len(), 0);
    assert!(
        !world.path("down").exists(),
        "no target for a source that is not there"
    );
}

/// What a run leaves behind does not make the source that is missing, which would then be empty.
#[test]
fn a_source_that_is_missing_is_not_made_by_its_report() {
    let world = world();
    let missing = world.path("missing");
    fs::create_dir(world.path("real")).expect("a directory");
    std::os::unix::fs::symlink("real", world.path("link")).expect("a link");
    for (source, report) in [
        ("missing", "missing"),
        ("missing", "missing/reports"),
        ("missing/deep", "./missing/deep/er/reports"),
        ("real/missing", "link/missing/reports"),
    ] {
        for command in ["run", "check"] {
            case(format_args!("{command} {source} {report}"));
            let ran = world
                .job()
                .called(command)
                .pair("x", source, "s3://first/x/")
                .arguments(&["--set", &format!("report.dir={report}")])
                .run();
            ran.exit(1).says("the source").says("is not there");
            assert!(!missing.exists() && !world.path("real/missing").exists());
        }
    }
    // that it lies in a source that is there is well
    let ran = up(&world)
        .arguments(&["--set", "report.dir=tree/reports"])
        .run();
    ran.exit(0);
}

#[test]
fn an_unreadable_file_is_skipped_and_an_unreadable_source_fails() {
    let world = world();
    let tree = world.tree("tree");
    let lock =
        |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    lock(tree.join("a"), 0o000);
    // permissions do not bind root, unless it gives that up
    let humble: &[&str] = match fs::read(tree.join("a")) {
        Err(_) => &[],
        Ok(_) => &["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
    };
    if !humble.is_empty() && !can_run(humble) {
        skipped(
            "an_unreadable_file",
            "root may read everything, and setpriv is not there",
        );
        return;
    }
    let ran = up(&world).through(humble).run();
    ran.exit(3).transferred(1);
    assert_eq!(
        ran.pair("up").line("a")["reason"],
        "unreadable_file",
        "{}",
        ran.told()
    );
    assert_eq!(world.list("first", "").len(), 1);

    lock(tree.join("b"), 0o000);
    let ran = up(&world).through(humble).run();
    ran.exit(3).says("unreadable_directory");

    lock(tree.join(""), 0o000);
    let ran = up(&world).through(humble).run();
    lock(tree.join(""), 0o755);
    ran.exit(1).says("permission denied");
}

#[test]
fn a_target_that_cannot_be_written_fails_and_leaves_nothing() {
    let world = world();
    world.put("first", "a", b"x");
    world.tree("").write("file", b"in the way");
    let ran = world.job().pair("down", "s3://first/", "file").run();
    ran.exit(1);
    assert_eq!(
        fs::read(world.path("file")).expect("untouched"),
        b"in the way"
    );
}

#[test]
fn too_many_open_files_name_the_remedy() {
    let world = world();
    let tree = world.tree("many");
    for n in 0..300 {
        tree.file(&format!("{n}"), 5000);
    }
    let ran = world
        .job()
        .pair("up", "many", "s3://first/")
        .set("performance.worker_size", "200")
        .through(&["sh", "-c", "ulimit -n 40; exec \"$@\"", "sh"])
        .run();
    ran.exit(1).says("too many open files").says("ulimit -n");
    for (key, bytes) in world.objects("first", "") {
        assert_eq!(bytes.len(), 5000, "{key} is whole");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_said_and_nothing_moves() {
    let world = world();
    world.tree("").write("file", b"in the way");
    for place in ["file", "file/below"] {
        let dir = format!("report.dir={}", world.path(place).display());
        let ran = up(&world).arguments(&["--set", &dir]).run();
        ran.exit(1).says("write the report").says("report.dir");
    }
    assert_eq!(world.list("first", "").len(), 0);
}

pub(crate) fn can_run(wrapper: &[&str]) -> bool {
    let mut command = std::process::Command::new(wrapper[0]);
    let status = command.args(&wrapper[1..]).arg("true").status();
    status.is_ok_and(|status| status.success())
}
