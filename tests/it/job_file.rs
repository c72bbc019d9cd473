/*! Job files, variables and flags that are wrong, through the built binary: one message with its
place and its remedy, exit 2, and nothing started.

That a file may not be read because of its mode cannot be shown to root, whom modes do not bind: a
directory and a missing file stand in.
*/

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::case;
use crate::world::{Ran, Run, World};

const UP: &str = "[pairs.up]\nsource = 'tree'\ntarget = 's3://first/'\n";
const LONG_UP: &str =
    "[pairs.up]\nsource = 'tree'\n[pairs.up.target]\nurl = 's3://first/'\naccess_key = 'x'\n";
const DOWN: &str = "[pairs.down]\nsource = 's3://first/'\ntarget = 'down'\n";

fn world() -> World {
    let world = World::new();
    world.tree("tree").file("a", 10);
    world
}

fn give(world: &World, name: &str, bytes: impl AsRef<[u8]>) {
    world.tree("").write(name, bytes.as_ref());
}

/// Runs it: nothing starts, and so many errors are told, with these words among them.
#[track_caller]
fn refused(world: &World, run: Run<'_>, errors: usize, words: &[&str]) -> Ran {
    let ran = run.run();
    ran.exit(2);
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}`: {}", ran.told());
    }
    let lines = ran.stderr.lines();
    let told = lines.filter(|line| line.starts_with("error: ")).count();
    assert_eq!(told, errors, "{}", ran.told());
    assert_eq!(ran.stdout, "", "{}", ran.told());
    for place in ["reports", "home/.local", "down", "own"] {
        assert!(!world.path(place).exists(), "{place}: {}", ran.told());
    }
    ran
}

/// Statement 52: what is wrong in a job file → file:line:col, nothing runs.
#[test]
fn a_file_that_is_wrong_starts_nothing() {
    let world = world();
    fs::create_dir(world.path("folder")).expect("a directory");
    for (name, job, words) in [
        (
            "an undefined variable",
            UP.replace("first/", "first/${PREFIX}").into_bytes(),
            &["`PREFIX` is not set", "job.toml:3:", "${PREFIX:-default}"][..],
        ),
        (
            "an undefined variable of the file",
            UP.replace("first/", "first/${vars.prefix}").into_bytes(),
            &["vars.prefix", "job.toml:3:"],
        ),
        (
            "an include of itself",
            format!("include = ['job.toml']\n{UP}").into_bytes(),
            &["include", "job.toml:1:12"],
        ),
        (
            "an include cycle",
            format!("include = ['other.toml']\n{UP}").into_bytes(),
            &["include", "other.toml:1:12"],
        ),
        (
            "a missing include",
            format!("include = ['nowhere.toml']\n{UP}").into_bytes(),
            &["`nowhere.toml`", "no such file", "job.toml:1:12"],
        ),
        (
            "a directory as include",
            format!("include = ['folder']\n{UP}").into_bytes(),
            &["`folder`", "directory", "job.toml:1:12"],
        ),
        (
            "not UTF-8",
            [UP.as_bytes(), b"# caf\xe9\n"].concat(),
            &["not UTF-8", "job.toml:4:6", "save the file as UTF-8"],
        ),
        (
            "a pair twice",
            format!("{UP}{UP}").into_bytes(),
            &["`up`", "job.toml:4:8", "job.toml:1:"],
        ),
        (
            "no pairs",
            b"version = 1\n".to_vec(),
            &["`job.toml` has no pairs", "[pairs.NAME]"],
        ),
        (
            "nothing",
            Vec::new(),
            &["`job.toml` has no pairs", "[pairs.NAME]"],
        ),
        (
            "a missing secret",
            format!("{LONG_UP}secret_access_key = {{ file = 'nowhere' }}\n").into_bytes(),
            &[
                "`target.secret_access_key`",
                "`nowhere`: no such file",
                "job.toml:6:",
            ],
        ),
        (
            "a secret that is a directory",
            format!("{LONG_UP}secret_access_key = {{ file = 'folder' }}\n").into_bytes(),
            &[
                "`target.secret_access_key`",
                "`folder`: it is a directory",
                "job.toml:6:",
            ],
        ),
        (
            "a secret of no variable",
            format!("{LONG_UP}secret_access_key = {{ env = 'NOBODY' }}\n").into_bytes(),
            &["`target.secret_access_key`", "NOBODY", "job.toml:6:"],
        ),
    ] {
        give(&world, "job.toml", &job);
        give(&world, "other.toml", "include = ['job.toml']\n");
        for command in ["run", "plan", "validate"] {
            case(format_args!("{name}: {command}"));
            refused(&world, world.command(&[command, "job.toml"]), 1, words);
        }
        case(format_args!("{name}: on stdin"));
        if !name.contains("include") {
            let run = world.command(&["run", "-"]).input(job);
            let words: Vec<_> = words
                .iter()
                .map(|word| word.replace("job.toml", "<stdin>"))
                .collect();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            refused(&world, run, 1, &words);
        }
    }
}

#[test]
fn three_errors_are_told_in_one_go() {
    let world = world();
    let job = format!(
        "{UP}larger_siz = 1\nperformance.worker_size = 'many'\n[report]\nlevel = 'everything'\n"
    );
    give(&world, "job.toml", job);
    let words = ["job.toml:4:1", "job.toml:5:27", "job.toml:7:9"];
    refused(&world, world.command(&["run", "job.toml"]), 3, &words);
}

#[test]
fn ten_megabytes_of_toml_are_bounded() {
    let world = world();
    let mut pairs = String::new();
    for n in 0.. {
        if pairs.len() > 10 << 20 {
            break;
        }
        let _ = writeln!(
            pairs,
            "[pairs.p{n}]\nsource = 'tree'\ntarget = 's3://first/{n}/'"
        );
    }
    let limited = ["sh", "-c", "ulimit -v 1500000; exec \"$@\"", "sh"];
    for (name, text) in [
        ("pairs", pairs),
        ("one line", format!("x = '{}'", "x".repeat(10 << 20))),
        ("brackets", "[".repeat(10 << 20)),
        ("nesting", format!("x = {}", "[".repeat(10 << 20))),
        ("blanks", "\n".repeat(10 << 20)),
    ] {
        case(format_args!("{name}"));
        give(&world, "job.toml", &text);
        give(
            &world,
            "outer.toml",
            format!("include = ['job.toml']\n{UP}"),
        );
        for (run, words) in [
            (
                world.command(&["run", "job.toml"]),
                ["`job.toml`", "larger than"],
            ),
            (
                world.command(&["run", "outer.toml"]),
                ["outer.toml:1:12", "larger than"],
            ),
            (
                world.command(&["run", "-"]).input(text),
                ["standard input", "larger than"],
            ),
        ] {
            let ran = refused(&world, run.through(&limited), 1, &words);
            assert!(
                ran.elapsed < Duration::from_secs(10),
                "{}",
                ran.elapsed.as_secs()
            );
        }
    }
    // what is small enough to be read is bounded too, however it is nested
    for text in [
        format!("x = {}", "[".repeat(1 << 20)),
        format!("x = {}1", "{a=".repeat(300_000)),
        format!("[{}a]", "a.".repeat(500_000)),
        format!("{}a = 1", "a.".repeat(500_000)),
    ] {
        case(format_args!("{}…", &text[..12]));
        give(&world, "job.toml", &text);
        let ran = world.command(&["run", "job.toml"]).through(&limited).run();
        ran.exit(2);
        assert!(ran.elapsed < Duration::from_secs(20), "{:?}", ran.elapsed);
        assert!(
            ran.stderr.len() < 10_000,
            "{} bytes are told",
            ran.stderr.len()
        );
    }
}

/// Statement 52: of a variable the same: it is named, with a suggestion, and nothing runs.
#[test]
fn variables_that_are_wrong_start_nothing() {
    let world = world();
    give(&world, "job.toml", UP);
    give(&world, "two.toml", format!("{UP}{DOWN}"));
    for (file, variable, value, words) in [
        (
            "job.toml",
            "S3SYNC_PERFORMANCE__WORKER_SIZ",
            "8",
            &[
                "unknown variable",
                "did you mean S3SYNC_PERFORMANCE__WORKER_SIZE?",
            ][..],
        ),
        (
            "job.toml",
            "S3SYNC_WORKER_SIZE",
            "8",
            &[
                "unknown variable",
                "did you mean S3SYNC_PERFORMANCE__WORKER_SIZE?",
            ],
        ),
        (
            "job.toml",
            "S3SYNC_NONSENSE",
            "8",
            &["unknown variable", "this program's own"],
        ),
        (
            "job.toml",
            "S3SYNC_PAIRS__UPP__DRY_RUN",
            "1",
            &["no pair is called `upp`", "did you mean `up`?"],
        ),
        (
            "job.toml",
            "S3SYNC_PAIRS__OTHER__DRY_RUN",
            "1",
            &["`other`", "this job has up"],
        ),
        (
            "job.toml",
            "S3SYNC_DRY_RUN",
            "maybe",
            &["`dry_run`", "not `maybe`"],
        ),
        (
            "job.toml",
            "S3SYNC_TARGET__SECRET_ACCESS_KEY_FILE",
            "nowhere",
            &["`target.secret_access_key`", "`nowhere`: no such file"],
        ),
        (
            "two.toml",
            "S3SYNC_SOURCE",
            "tree",
            &[
                "`source.url` is said for 2 pairs at once",
                "pairs.up.source.url",
            ],
        ),
        (
            "two.toml",
            "S3SYNC_TARGET",
            "s3://x/",
            &["`target.url`", "pairs.up.target.url"],
        ),
    ] {
        case(format_args!("{variable}={value}"));
        let run = world.command(&["run", file]).environment(variable, value);
        let place = format!("--> environment variable {variable}");
        refused(&world, run, 1, &[words, &[&place]].concat());
    }
}

/// Statement 52: of a flag the same: it is named, and nothing runs.
#[test]
fn flags_that_are_wrong_start_nothing() {
    let world = world();
    give(&world, "job.toml", UP);
    for (flags, errors, words) in [
        (
            &["--set", "dry_rum=1"][..],
            1,
            &["`dry_rum`", "--set dry_rum", "did you mean `dry_run`?"][..],
        ),
        (
            &["--set", "dry_run"],
            1,
            &["without `=`", "--set PATH=VALUE"],
        ),
        (
            &["--set", "pairs.upp.dry_run=1"],
            1,
            &["no pair is called `upp`", "did you mean `up`?"],
        ),
        (
            &["--worker-size", "0"],
            1,
            &["worker_size", "from 1 to 65535", "flag --worker-size"],
        ),
        (
            &["--worker-sise", "8"],
            1,
            &["--worker-sise", "--worker-size"],
        ),
        (
            &["--pair", "down"],
            1,
            &["no pair is called `down`", "there is up"],
        ),
        (
            &[
                "--full-object-checksum",
                "--additional-checksum-algorithm",
                "SHA256",
            ],
            1,
            &[
                "`checksum.full_object`",
                "SHA256",
                "flag --full-object-checksum",
                "flag --additional-checksum-algorithm",
            ],
        ),
        (
            &["--target-secret-access-key", "x"],
            1,
            &[
                "without `target.access_key`",
                "flag --target-secret-access-key",
            ],
        ),
        (
            &[
                "--target-access-key",
                "x",
                "--target-secret-access-key-file",
                "nowhere",
            ],
            1,
            &[
                "`nowhere`: no such file",
                "flag --target-secret-access-key-file",
            ],
        ),
    ] {
        case(format_args!("{flags:?}"));
        let run = world.command(&["run", "job.toml"]).arguments(flags);
        refused(&world, run, errors, words);
    }
}

#[test]
fn no_job_or_one_that_is_not_there_is_told() {
    let world = world();
    give(&world, "job.toml", UP);
    fs::create_dir(world.path("folder")).expect("a directory");
    let ways = [
        "no job is said",
        "run FILE",
        "S3SYNC_JOB_FILE",
        "S3SYNC_JOB_TOML",
        "S3SYNC_SOURCE and S3SYNC_TARGET",
    ];
    refused(&world, world.command(&["run"]), 1, &ways);
    for (words_of_it, words) in [
        (
            &["run", "nowhere.toml"][..],
            &["`nowhere.toml`: no such file"][..],
        ),
        (&["run", "folder"], &["no job file in `folder`", "*.toml"]),
        (&["run", "job.toml/x"], &["`job.toml/x`: not a directory"]),
        (
            &["run", "job.toml", "job.toml"],
            &["two jobs are called `job`", "job.name"],
        ),
        (&["run", "-"], &["`<stdin>` has no pairs", "[pairs.NAME]"]),
    ] {
        case(format_args!("{words_of_it:?}"));
        refused(&world, world.command(words_of_it), 1, words);
    }
    let two = world.command(&["run", "-", "-"]).input(UP);
    refused(
        &world,
        two,
        1,
        &["standard input was read already", "one job only"],
    );
    for (value, words) in [
        ("nowhere.toml", "`nowhere.toml`: no such file"),
        ("folder", "`folder`: it is a directory"),
    ] {
        case(format_args!("S3SYNC_JOB_FILE={value}"));
        let run = world
            .command(&["run"])
            .environment("S3SYNC_JOB_FILE", value);
        refused(
            &world,
            run,
            1,
            &[words, "--> environment variable S3SYNC_JOB_FILE"],
        );
    }
    let run = world
        .command(&["run"])
        .environment("S3SYNC_JOB_TOML", "x = [");
    refused(&world, run, 1, &["not TOML", "S3SYNC_JOB_TOML:1:"]);
    let run = world.command(&["run"]).environment("S3SYNC_SOURCE", "tree");
    refused(
        &world,
        run,
        1,
        &["`default` has no target", "set S3SYNC_TARGET"],
    );
}

#[test]
fn a_secret_that_everybody_may_read_is_a_warning() {
    let world = world();
    give(&world, "secret", "sandboxsecret\n");
    give(&world, "job.toml", UP);
    let run = |mode| {
        fs::set_permissions(world.path("secret"), Permissions::from_mode(mode)).expect("a mode");
        let flags = [
            "--target-access-key",
            "x",
            "--target-secret-access-key-file",
            "secret",
        ];
        let run = world.command(&[
            "run",
            "job.toml",
            "--sandbox",
            "own",
            "--set",
            "report.dir=reports",
        ]);
        let ran = run.arguments(&flags).run();
        ran.exit(0);
        ran
    };
    let open = run(0o644);
    for words in [
        "WARN",
        "`secret`",
        "--target-secret-access-key-file",
        "chmod o-r",
    ] {
        assert!(open.stderr.contains(words), "`{words}`: {}", open.told());
    }
    open.transferred(1);
    let closed = run(0o640);
    assert!(!closed.stderr.contains("chmod"), "{}", closed.told());
}

#[test]
fn five_hundred_pairs_are_read_and_told_of() {
    let world = world();
    let job = |wrong: usize| {
        let mut text = "version = 1\n[defaults]\nchecksum.algorithm = 'CRC64NVME'\n".to_owned();
        for n in 0..500 {
            let key = if n == wrong {
                "worker_siz"
            } else {
                "worker_size"
            };
            let _ = writeln!(
                text,
                "[pairs.pair_{n}]\nsource = 'tree/{n}'\ntarget = 's3://first/{n}/'\nperformance.{key} = 8"
            );
        }
        text
    };
    give(&world, "many.toml", job(usize::MAX));
    let ran = world.command(&["validate", "many.toml"]).run();
    ran.exit(0)
        .says("many.toml: job many, 500 pairs: no problems");
    // no measure of speed, but of what would be wrong with any machine
    assert!(ran.elapsed < Duration::from_secs(30), "{:?}", ran.elapsed);
    give(&world, "many.toml", job(499));
    let words = [
        "`worker_siz`",
        "many.toml:2003:13",
        "did you mean `worker_size`?",
    ];
    refused(&world, world.command(&["validate", "many.toml"]), 1, &words);

    let nightly = format!("{}/jobs/nightly.toml", env!("CARGO_MANIFEST_DIR"));
    let ran = world.command(&["validate", &nightly]).run();
    ran.exit(0)
        .says("nightly.toml: job nightly, 5 pairs: no problems");
}
