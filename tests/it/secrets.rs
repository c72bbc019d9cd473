/*! No secret is written anywhere: every command, every channel a secret can come by, jobs that are
right and jobs that are broken.

A secret here is a canary: it names its channel, and nothing else in the world has its first word.
What is given is in `given/`; everything else below the world's directory is what s3sync wrote, and
is searched with both streams after each run.
*/

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::case;
use crate::world::{Ran, Run, World};

/// The first word of every canary.
const CANARY: &str = "canary-";

/// 32 bytes that begin like every canary, as an encryption key is written.
const CANARY_KEY: &str = "Y2FuYXJ5LW9mLXNzZS1jLWtleS0uLi4uLi4uLi4uLi4=";

fn canary(channel: &str) -> String {
    format!("{CANARY}{channel}-5d1f")
}

/// Each secret option of a target, said by a channel.
fn keys(of: &str, say: impl Fn(&str) -> String) -> String {
    ["access_key", "secret_access_key", "session_token"]
        .map(|option| format!("target.{option} = {}\n", say(&format!("{of}-{option}"))))
        .concat()
}

/// A world with a job whose every pair has its secrets from another channel, in `given/job.toml`.
struct Cage {
    world: World,
    variables: Vec<(String, String)>,
}

impl Cage {
    fn new() -> Self {
        let world = World::new();
        world.bucket("first");
        world.tree("tree").file("a", 10);
        let mut cage = Self {
            world,
            variables: Vec::new(),
        };
        cage.give_secret("from-file", &canary("file"));
        cage.give_secret("from-variable-file", &canary("variable-file"));
        cage.give_secret("from-flag-file", &canary("flag-file"));
        cage.give_secret("key-of-copies", CANARY_KEY);
        cage.give("job.toml", &cage.job());
        let path = cage.world.path("given/from-variable-file");
        for (name, value) in [
            ("SECRET", canary("env-table")),
            ("FILLED_IN", canary("interpolated")),
            ("MY_TOKEN", canary("variable-in-vars")),
            ("S3SYNC_VARS__OTHER_TOKEN", canary("vars-variable")),
            (
                "S3SYNC_PAIRS__VARIABLES__TARGET__SECRET_ACCESS_KEY",
                canary("variable"),
            ),
            (
                "S3SYNC_PAIRS__VARIABLES__TARGET__ACCESS_KEY_FILE",
                path.display().to_string(),
            ),
            ("S3SYNC_TARGET__SESSION_TOKEN", canary("variable-for-all")),
            ("AWS_ACCESS_KEY_ID", canary("sdk-id")),
            ("AWS_SECRET_ACCESS_KEY", canary("sdk")),
        ] {
            cage.variables.push((name.to_owned(), value));
        }
        cage
    }

    fn job(&self) -> String {
        let (url, region) = (&self.world.endpoint.url, &self.world.endpoint.region);
        let mut text = format!(
            "version = 1\nreport.dir = '../reports'\n[vars]\nvault_token = '{}'\nmine = '${{MY_TOKEN}}'\nother_token = 'x'\n\
             [defaults]\nretry.aws_max_attempts = 1\nretry.force_retry_count = 0\ntarget.endpoint_url = '{url}'\ntarget.region = '{region}'\ntarget.force_path_style = true\n",
            canary("vars")
        );
        let quoted = |text: &str| format!("'{text}'");
        for (pair, keys) in [
            ("literal", keys("literal", |of| quoted(&canary(of)))),
            ("kept", keys("env", |_| "{ env = 'SECRET' }".to_owned())),
            (
                "filed",
                keys("file", |_| "{ file = 'from-file' }".to_owned()),
            ),
            ("filled", keys("filled", |_| quoted("${FILLED_IN}"))),
            (
                "vars",
                keys("vars", |_| {
                    quoted("${vars.vault_token}${vars.mine}${vars.other_token}")
                }),
            ),
            ("variables", String::new()),
            (
                "defaulted",
                keys("defaulted", |of| {
                    quoted(&format!("${{NOBODY:-{}}}", canary(of)))
                }),
            ),
        ] {
            let _ = write!(
                text,
                "[pairs.{pair}]\nsource = '../tree'\ntarget.url = 's3://first/{pair}/'\n{keys}"
            );
        }
        let _ = write!(
            text,
            "[pairs.encrypted]\nsource = '../tree'\ntarget.url = 's3://first/encrypted/'\n{keys}target.sse_c = 'AES256'\ntarget.sse_c_key = '{CANARY_KEY}'\n\
             [pairs.copied]\nafter = ['encrypted']\nserver_side_copy = true\nsource.url = 's3://first/encrypted/'\nsource.endpoint_url = '{url}'\nsource.region = '{region}'\nsource.force_path_style = true\nsource.sse_c = 'AES256'\nsource.sse_c_key = {{ file = 'key-of-copies' }}\ntarget.url = 's3://first/copied/'\n{keys}",
            keys = keys("encrypted", |of| quoted(&canary(of)))
        );
        text
    }

    fn give(&self, name: &str, text: &str) {
        self.world.tree("given").write(name, text.as_bytes());
    }

    fn give_secret(&self, name: &str, text: &str) {
        self.give(name, text);
        let path = self.world.path("given").join(name);
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
    }

    /// A command in the environment of the job.
    fn command(&self, arguments: &[&str]) -> Run<'_> {
        let run = self.world.command(arguments);
        let variables = self.variables.iter();
        variables.fold(run, |run, (name, value)| run.environment(name, value))
    }

    /// A command in an environment that fits any job.
    fn elsewhere(&self, arguments: &[&str]) -> Run<'_> {
        let run = self.world.command(arguments);
        let of_any = |(name, _): &&(String, String)| !name.starts_with("S3SYNC_");
        let variables = self.variables.iter().filter(of_any);
        variables.fold(run, |run, (name, value)| run.environment(name, value))
    }

    /// Runs it, and asserts that nothing it wrote has a canary in it.
    #[track_caller]
    fn keeps(&self, run: Run<'_>) -> Ran {
        let (ran, leaks) = self.leaks(run);
        assert!(leaks.is_empty(), "{leaks:#?} of {}", ran.told());
        ran
    }

    /// Runs it; what it wrote that has a canary in it, and where.
    fn leaks(&self, run: Run<'_>) -> (Ran, Vec<String>) {
        let ran = run.run();
        let mut written = vec![
            ("stdout".to_owned(), ran.stdout.clone()),
            ("stderr".to_owned(), ran.stderr.clone()),
        ];
        for (name, bytes) in self.world.tree("").files() {
            if !name.starts_with("given/") {
                written.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        let mut leaks = Vec::new();
        for (place, text) in written {
            for line in text.lines() {
                if [CANARY, &CANARY_KEY[..12]]
                    .iter()
                    .any(|it| line.contains(it))
                {
                    let end = line.floor_char_boundary(300);
                    leaks.push(format!("{place}: {}", &line[..end]));
                }
            }
        }
        (ran, leaks)
    }
}

#[test]
fn no_command_shows_a_secret_of_a_job_that_is_right() {
    let cage = Cage::new();
    let loud = ["-vvv", "--json-tracing"];
    for arguments in [
        &["validate", "given/job.toml"][..],
        &["validate", "given/job.toml", "--format", "json"],
        &["explain", "given/job.toml"],
        &["explain", "given/job.toml", "--changed"],
        &["explain", "given/job.toml", "--format", "toml"],
        &["explain", "given/job.toml", "--format", "json"],
        &[
            "explain",
            "given/job.toml",
            "literal",
            "target.secret_access_key",
        ],
        &["explain", "given/job.toml", "vars"],
        &["run", "given/job.toml", "--emit-job"],
        &["run", "given/job.toml", "--sandbox", "own"],
        &["run", "given/job.toml", "--sandbox", "own", "-vvv"],
        &[
            "run",
            "given/job.toml",
            "--sandbox",
            "own",
            loud[0],
            loud[1],
        ],
        &[
            "run",
            "given/job.toml",
            "--sandbox",
            "own",
            "--dry-run",
            loud[0],
        ],
        &["run", "given", "--sandbox", "own"],
        &[
            "run",
            "given/job.toml",
            "--pair",
            "literal",
            "--sandbox",
            "own",
        ],
        &["report", "list", "given/job.toml"],
        &["report", "show", "job/latest", "--job", "given/job.toml"],
        &[
            "report",
            "verify",
            "job/latest",
            "--job",
            "given/job.toml",
            loud[0],
        ],
    ] {
        case(format_args!("{arguments:?}"));
        cage.keeps(cage.command(arguments)).exit(0);
    }
    // the server knows none of these keys, and says which it was shown
    for (arguments, exit) in [
        (&["run", "given/job.toml"][..], 1),
        (&["run", "given/job.toml", loud[0], loud[1]], 1),
        (&["plan", "given/job.toml"], 1),
        (&["plan", "given/job.toml", "--key", "a", loud[0]], 1),
        (&["validate", "given/job.toml", "--online"], 1),
        (
            &["validate", "given/job.toml", "--online", "--format", "json"],
            1,
        ),
    ] {
        case(format_args!("{arguments:?}"));
        cage.keeps(cage.command(arguments)).exit(exit);
        cage.keeps(cage.command(arguments).environment("RUST_LOG", "trace"))
            .exit(exit);
    }
}

#[test]
fn no_command_shows_a_secret_that_is_not_its_own() {
    let cage = Cage::new();
    for (arguments, exit) in [
        (&["init"][..], 0),
        (&["schema", "job"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["run"], 2),
        (&["run", "given/nowhere.toml"], 2),
        (&["run", "given/job.toml", "--pair", "nobody"], 2),
        (&["explain", "given/job.toml", "nobody"], 2),
        (&["check", "given/job.toml"], 1),
        (&["report", "list"], 0),
        (&["report", "show", "nothing"], 2),
        (&["lua", "check", "given/from-file"], 2),
    ] {
        case(format_args!("{arguments:?}"));
        cage.keeps(cage.command(arguments)).exit(exit);
    }
}

#[test]
fn a_job_from_elsewhere_keeps_its_secrets_too() {
    let cage = Cage::new();
    let job = cage
        .job()
        .replace("../", "")
        .replace("from-file", "given/from-file")
        .replace("key-of-copies", "given/key-of-copies");
    for arguments in [
        &["run", "--sandbox", "own", "-vvv"][..],
        &["explain"],
        &["explain", "--format", "toml"],
        &["explain", "--format", "json"],
        &["run", "--emit-job"],
    ] {
        case(format_args!("{arguments:?}"));
        let as_text = cage.command(arguments).environment("S3SYNC_JOB_TOML", &job);
        cage.keeps(as_text).exit(0);
        let mut words = arguments.to_vec();
        words.insert(1, "-");
        cage.keeps(cage.command(&words).input(job.as_str())).exit(0);
    }
    for broken in [
        job.replace("version = 1", "version = ["),
        job + "nonsense = 1\n",
    ] {
        let as_text = cage
            .command(&["run"])
            .environment("S3SYNC_JOB_TOML", &broken);
        cage.keeps(as_text).exit(2);
        cage.keeps(cage.command(&["run", "-"]).input(broken.as_str()))
            .exit(2);
    }
}

#[test]
fn a_command_line_keeps_its_secrets() {
    let cage = Cage::new();
    let literally = [
        ("--target-access-key", canary("flag-id")),
        ("--target-secret-access-key", canary("flag")),
        ("--target-session-token", canary("flag-token")),
    ];
    let in_files = ["access-key", "secret-access-key", "session-token"].map(|option| {
        (
            format!("--target-{option}-file"),
            "given/from-flag-file".to_owned(),
        )
    });
    let by_set = ["access_key", "secret_access_key", "session_token"].map(|option| {
        (
            "--set".to_owned(),
            format!("target.{option}={}", canary("set")),
        )
    });
    let literally = literally.map(|(flag, value)| (flag.to_owned(), value));
    for (name, flags) in [("literal", literally), ("files", in_files), ("set", by_set)] {
        let flags: Vec<_> = flags
            .iter()
            .flat_map(|(flag, value)| [&**flag, value])
            .collect();
        let reports = format!("report.dir={}", cage.world.path("reports").display());
        let endpoint = [
            "--target-endpoint-url",
            &cage.world.endpoint.url,
            "--target-force-path-style",
        ];
        let few = [
            "--aws-max-attempts",
            "1",
            "--force-retry-count",
            "0",
            "--set",
            &reports,
        ];
        let sides = ["tree", "s3://first/flags/"];
        let predecessor = ["init", "--from-cli", "--", "s3sync"];
        for (begin, end, exit) in [
            (&["sync"][..], &["--sandbox", "own", "-vvv"][..], 0),
            (&[], &["--sandbox", "own", "-vvv", "--json-tracing"], 0),
            (&["sync"], &["-vvv"], 1),
            (&[], &["-vvv", "--json-tracing"], 1),
            (&["plan"], &[], 1),
            (&["sync"], &["--emit-job"], 0),
            (&["sync"], &["--no-such-flag"], 2),
            (&["sync"], &["--worker-size", "none"], 2),
            (
                &["sync"],
                &["--target-secret-access-kye", "canary-misspelt"],
                2,
            ),
            (
                &["sync"],
                &["--target-secret-access-kye=canary-misspelt"],
                2,
            ),
            (&["sync"], &["--target-secret-access-key=canary-again"], 2),
            (
                &["sync"],
                &["--set", "target.secret_access_kye=canary-misspelt"],
                2,
            ),
            (
                &["sync"],
                &["--set", "target.secret_access_key:canary-colon"],
                2,
            ),
            (
                &["sync"],
                &["--set", "target.sse_c_key=canary-of-no-length"],
                2,
            ),
            (&["sync"], &["--source-sse-c-key", CANARY_KEY], 2),
            (&["sync"], &["--target-sse-c-key", CANARY_KEY], 2),
            (&["check"], &[], 1),
        ] {
            // a secret said twice over is the mistake itself
            if end.iter().any(|word| word.contains("again")) && name != "literal" {
                continue;
            }
            let arguments = [begin, &sides, &flags, &endpoint, &few, end].concat();
            case(format_args!("{name}: {arguments:?}"));
            let run = cage.elsewhere(&arguments);
            cage.keeps(run.clone()).exit(exit);
            cage.keeps(run.environment("RUST_LOG", "trace")).exit(exit);
        }
        // the predecessor had neither of the others
        if name == "literal" {
            let arguments = [&predecessor[..], &flags, &sides].concat();
            cage.keeps(cage.elsewhere(&arguments)).exit(0);
            let arguments = [&predecessor[..], &flags, &sides, &["--no-such-flag"]].concat();
            cage.keeps(cage.elsewhere(&arguments)).exit(2);
        }
    }
}

#[test]
fn the_predecessors_variables_keep_their_secrets() {
    let cage = Cage::new();
    for (arguments, exit) in [
        (
            &["init", "--from-env", "--", "s3://second/", "s3://first/"][..],
            0,
        ),
        (&["init", "--from-env"], 2),
        (&["init", "--from-env", "--", "tree", "there"], 2),
        (
            &[
                "sync",
                "tree",
                "s3://first/",
                "--sandbox",
                "own",
                "--set",
                "report.dir=reports",
                "-vvv",
            ],
            0,
        ),
        (
            &[
                "tree",
                "s3://first/",
                "--sandbox",
                "own",
                "--set",
                "report.dir=reports",
                "-vvv",
            ],
            0,
        ),
    ] {
        case(format_args!("{arguments:?}"));
        let run = cage.elsewhere(arguments);
        let run = [
            ("SOURCE_ACCESS_KEY", canary("former-id")),
            ("SOURCE_SECRET_ACCESS_KEY", canary("former")),
            ("SOURCE_SESSION_TOKEN", canary("former-token")),
            ("TARGET_SECRET_ACCESS_KEY", canary("former-target")),
            ("TARGET_ACCESS_KEY", canary("former-target-id")),
            ("SOURCE_SSE_C_KEY", CANARY_KEY.to_owned()),
            ("TARGET_SSE_C_KEY", CANARY_KEY.to_owned()),
            ("SOURCE_SSE_C", "AES256".to_owned()),
            ("TARGET_SSE_C", "AES256".to_owned()),
        ]
        .iter()
        .fold(run, |run, (name, value)| run.environment(name, value));
        cage.keeps(run).exit(exit);
    }
}

#[test]
fn broken_jobs_are_told_without_their_secrets() {
    let cage = Cage::new();
    let pair = "[pairs.x]\nsource = '../tree'\ntarget.url = 's3://first/'\n";
    let value = canary("broken");
    let broken: Vec<(&str, String)> = [
        ("no end", "target.secret_access_key = 'VALUE\n"),
        ("no end, doubled", "target.secret_access_key = \"VALUE\n"),
        ("bare", "target.secret_access_key = VALUE\n"),
        (
            "bare, below a table",
            "[pairs.x.target]\nsecret_access_key = VALUE\n",
        ),
        ("no sign", "target.secret_access_key 'VALUE'\n"),
        ("a colon", "target.secret_access_key: 'VALUE'\n"),
        (
            "the line before",
            "oops\ntarget.secret_access_key = 'VALUE'\n",
        ),
        (
            "the line behind",
            "target.secret_access_key = 'VALUE'\noops\n",
        ),
        ("behind it", "target.secret_access_key = 'VALUE' oops\n"),
        ("before it", "oops target.secret_access_key = 'VALUE'\n"),
        (
            "several lines",
            "target.secret_access_key = '''\nVALUE\n'''\noops\n",
        ),
        (
            "several lines without end",
            "target.secret_access_key = \"\"\"\nVALUE\n",
        ),
        ("a list", "target.secret_access_key = ['VALUE']\n"),
        (
            "a list of lines",
            "target.secret_access_key = [\n  'VALUE',\n  oops\n]\n",
        ),
        (
            "a list without end",
            "target.secret_access_key = [\n  'VALUE'\n",
        ),
        (
            "a table",
            "target.secret_access_key = { value = 'VALUE' }\n",
        ),
        (
            "a table of tables",
            "target.secret_access_key = { env = { name = 'VALUE' } }\n",
        ),
        (
            "two ways",
            "target.secret_access_key = { env = 'A', literal = 'VALUE' }\n",
        ),
        ("below it", "target.secret_access_key.value = 'VALUE'\n"),
        (
            "a table of its own",
            "[pairs.x.target.secret_access_key]\nvalue = 'VALUE'\n",
        ),
        (
            "tables of its own",
            "[[pairs.x.target.secret_access_key]]\nvalue = 'VALUE'\n",
        ),
        ("an escape", "target.secret_access_key = \"VALUE\\q\"\n"),
        ("misspelt", "target.secret_acess_key = 'VALUE'\n"),
        (
            "misspelt at the end",
            "target.secret_access_kye = 'VALUE'\n",
        ),
        ("run together", "target.secretaccesskey = 'VALUE'\n"),
        ("with hyphens", "target.secret-access-key = 'VALUE'\n"),
        ("a quoted key", "target.\"secret_access_kei\" = 'VALUE'\n"),
        (
            "a quoted key that breaks",
            "target.\"secret_access_key\" = VALUE\n",
        ),
        ("another word", "target.password = 'VALUE'\n"),
        ("a token", "target.sesion_token = 'VALUE'\n"),
        ("in capitals", "target.SECRET_ACCESS_KEY = 'VALUE'\n"),
        ("the SDK's name", "target.aws_secret_access_key = 'VALUE'\n"),
        (
            "twice",
            "target.secret_access_key = 'VALUE'\ntarget.secret_access_key = 'VALUE'\n",
        ),
        (
            "inline",
            "source = { secret_access_key = 'VALUE', url = 1 }\n",
        ),
        (
            "inline and broken",
            "x = { url = 1, secret_access_key = 'VALUE' oops }\n",
        ),
        (
            "inline and bare",
            "x = { secret_access_key = VALUE, url = 1 }\n",
        ),
        ("in the wrong place", "secret_access_key = 'VALUE'\n"),
        (
            "in the wrong table",
            "[report]\nsecret_access_key = 'VALUE'\n",
        ),
        ("in a hook", "[[hooks]]\ntoken = 'VALUE'\n"),
        ("no base64", "target.sse_c_key = 'VALUE'\n"),
        (
            "a guard of nothing",
            "delete.max_objects = 2\ntarget.sse_c = 'AES256'\ntarget.sse_c_key = 'BASE64'\n",
        ),
        ("alone", "target.access_key = 'VALUE'\n"),
        ("unfilled", "target.secret_access_key = '${NOWHERE}VALUE'\n"),
        (
            "an open brace",
            "target.secret_access_key = 'VALUE${NOWHERE'\n",
        ),
        (
            "a variable's",
            "target.region = '${vars.token}'\ntarget.acl = 'x'\n[vars]\ntoken = { a = 'VALUE' }\n",
        ),
        ("a variable's list", "[vars]\ntoken = ['VALUE']\n"),
        ("a variable that breaks", "[vars]\ntoken = VALUE\n"),
        (
            "a comment",
            "target.region = 1\n# target.secret_access_key = 'VALUE'\noops\n",
        ),
        (
            "a commented line",
            "#target.secret_access_key = 'VALUE' \noops = = 1\n",
        ),
    ]
    .map(|(name, text)| {
        let text = text.replace("VALUE", &value).replace("BASE64", CANARY_KEY);
        (name, format!("{pair}{text}"))
    })
    .into();
    let mut wrong = Vec::new();
    for (name, text) in &broken {
        cage.give("broken.toml", text);
        // what is included is told of in the same way
        cage.give("outer.toml", "include = ['broken.toml']\n");
        for arguments in [
            &["validate", "given/broken.toml"][..],
            &["validate", "given/broken.toml", "--format", "json"],
            &["run", "given/broken.toml", "-vvv"],
            &["explain", "given/broken.toml"],
            &["explain", "given/broken.toml", "--format", "json"],
            &["run", "given/broken.toml", "--emit-job"],
            &["validate", "given/outer.toml"],
        ] {
            let (ran, leaks) = cage.leaks(cage.elsewhere(arguments));
            if !leaks.is_empty() || !ran.has_ended(2) {
                wrong.push(format!("{name}: {leaks:#?} {}", ran.told()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!cage.world.path("reports").exists(), "nothing started");
}
