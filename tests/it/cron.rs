/*! As cron and its like start a job: without a terminal, with streams that are closed or full, with
next to no environment, in a directory that is read only or gone. The run does what it would do
anywhere, says so in its report, and its exit code is the truth.
*/

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{case, skipped};
use crate::world::{World, same};

/// Files of the tree.
const FILES: usize = 40;

/// No run of them takes longer, or it hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// A world with a tree, an empty bucket, and a job that brings the one to the other; everything in
/// the job is absolute, the keys are in files.
struct Night {
    world: World,
}

impl Night {
    fn new() -> Self {
        let world = World::new();
        world.bucket("first");
        let tree = world.tree("tree");
        for number in 0..FILES {
            tree.file(&format!("{}/ä {number}", number % 3), 100 + number);
        }
        let night = Self { world };
        for (file, secret) in [
            ("access", &night.world.endpoint.access_key),
            ("secret", &night.world.endpoint.secret_key),
        ] {
            fs::write(night.path(file), secret).expect("a file");
            fs::set_permissions(night.path(file), Permissions::from_mode(0o600)).expect("a mode");
        }
        night.write_job("");
        night
    }

    /// Writes the job with these settings of its only pair.
    fn write_job(&self, settings: &str) {
        let endpoint = &self.world.endpoint;
        let text = format!(
            "version = 1\nreport.dir = {:?}\n[pairs.up]\nsource.url = {:?}\ntarget.url = 's3://first/'\n\
             target.endpoint_url = {:?}\ntarget.region = {:?}\ntarget.force_path_style = true\n\
             target.access_key = {{ file = {:?} }}\ntarget.secret_access_key = {{ file = {:?} }}\n\
             retry.initial_backoff = '5ms'\n{settings}\n",
            self.path("reports").display().to_string(),
            self.path("tree").display().to_string(),
            endpoint.url,
            endpoint.region,
            self.path("access").display().to_string(),
            self.path("secret").display().to_string(),
        );
        fs::write(self.path("job.toml"), text).expect("a job file");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path(name)
    }

    /// The shell runs this; `$S3SYNC` is the program and `$JOB` the job file. The environment is
    /// empty beside them.
    fn shell(&self, script: &str) -> Output {
        self.started(script, |_| {}).wait()
    }

    fn started(&self, script: &str, change: impl FnOnce(&mut Command)) -> Started {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .env_clear()
            .env("S3SYNC", env!("CARGO_BIN_EXE_s3sync"))
            .env("JOB", self.path("job.toml"))
            .env("DIR", self.path(""))
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        change(&mut command);
        Started {
            child: command.spawn().expect("a shell"),
            script: script.to_owned(),
        }
    }

    /// Asserts that everything has arrived and that the newest report says so; then makes it as if
    /// nothing had happened.
    #[track_caller]
    fn is_done(&self, told: &Output) {
        let report = self.report();
        assert_eq!(report["run"]["status"], "success", "{}", shown(told));
        assert_eq!(report["run"]["exit_code"], 0, "{}", shown(told));
        let counts = &report["totals"]["counts"];
        assert_eq!(counts["transferred"]["total"], FILES, "{}", shown(told));
        assert_eq!(counts["verified"]["objects"]["verified"], FILES, "{counts}");
        same(
            &self.world.tree("tree").files(),
            &self.world.objects("first", ""),
        );
        for key in self.world.list("first", "").into_keys() {
            self.world.remove("first", &key);
        }
        fs::remove_dir_all(self.path("reports")).expect("the reports");
    }

    /// The report of the only run.
    #[track_caller]
    fn report(&self) -> Value {
        let runs = fs::read_dir(self.path("reports/job")).expect("the job's folder");
        let mut runs: Vec<_> = runs
            .flatten()
            .map(|entry| entry.path().join("report.json"))
            .filter(|path| path.is_file() && !path.parent().is_some_and(Path::is_symlink))
            .collect();
        let report = runs.pop().expect("a report");
        assert!(runs.is_empty(), "more than one: {runs:?}");
        serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON")
    }
}

/// What was started, which must end.
struct Started {
    child: Child,
    script: String,
}

impl Started {
    fn wait(mut self) -> Output {
        let end = Instant::now() + LIMIT;
        // pipes hold what little is said here
        while self.child.try_wait().expect("it is ours").is_none() {
            if Instant::now() > end {
                let _ = self.child.kill();
                panic!("it hangs: {}", self.script);
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
        self.child.wait_with_output().expect("its end")
    }
}

fn shown(output: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
fn ends(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", shown(output));
}

/// Scripts that run the job under a condition, and end with its exit code.
const CONDITIONS: &[(&str, &str)] = &[
    ("as cron does it", "exec \"$S3SYNC\" run \"$JOB\""),
    ("nothing on stdin", "exec \"$S3SYNC\" run \"$JOB\" <&-"),
    ("no stdout", "exec \"$S3SYNC\" run \"$JOB\" >&-"),
    ("no stderr", "exec \"$S3SYNC\" run \"$JOB\" 2>&-"),
    (
        "no streams at all",
        "exec \"$S3SYNC\" run \"$JOB\" <&- >&- 2>&-",
    ),
    (
        "no streams, much to say",
        "exec \"$S3SYNC\" run \"$JOB\" -vvv <&- >&- 2>&-",
    ),
    ("stdout is full", "exec \"$S3SYNC\" run \"$JOB\" >/dev/full"),
    (
        "both are full",
        "exec \"$S3SYNC\" run \"$JOB\" -vv >/dev/full 2>&1",
    ),
    ("stdin is a directory", "exec \"$S3SYNC\" run \"$JOB\" </"),
    (
        "stdin never ends",
        "exec \"$S3SYNC\" run \"$JOB\" </dev/zero",
    ),
    (
        "nothing in the environment",
        "exec env -i \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "stdin and environment",
        "exec env -i \"$S3SYNC\" run \"$JOB\" <&- >&-",
    ),
    (
        "nobody may read what it makes",
        "umask 077; exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "few open files",
        "ulimit -n 128; exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "no core, little stack",
        "ulimit -c 0; ulimit -s 1024; exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "an odd zone",
        "TZ='<-1245>12:45' exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "a zone that is none",
        "TZ=:/etc/passwd exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "the locale of C",
        "LANG=C LC_ALL=C exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "a locale that is none",
        "LANG=xx_YY.latin9 LC_ALL=%s%n exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "a home that is none",
        "HOME=/nonexistent TMPDIR=/nonexistent exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "variables that are no text",
        "X=$(printf 'a\\351b') AWS_X=$X LANG=$X HOME=$X exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "a terminal that is none",
        "TERM=dumb COLUMNS=0 LINES=-1 exec \"$S3SYNC\" run \"$JOB\"",
    ),
    (
        "signals that are ignored",
        "trap '' PIPE HUP; exec \"$S3SYNC\" run \"$JOB\" >/dev/full",
    ),
    ("beside others", "exec nice -n 19 \"$S3SYNC\" run \"$JOB\""),
    (
        "without a session",
        "exec setsid -w \"$S3SYNC\" run \"$JOB\" <&- >/dev/null 2>&1",
    ),
];

#[test]
fn a_job_does_under_every_condition_what_it_does_anywhere() {
    let night = Night::new();
    for (name, script) in CONDITIONS {
        case(format_args!("{name}: {script}"));
        let output = night.shell(script);
        ends(&output, 0);
        night.is_done(&output);
    }
}

/// `s3sync run | head -1`: who reads ends early, by a signal or by an error.
#[test]
fn a_reader_that_goes_away_early_changes_nothing() {
    let night = Night::new();
    for (name, script) in [
        (
            "one line",
            "{ \"$S3SYNC\" run \"$JOB\" -vvv 2>&1; echo $? >\"$DIR/code\"; } | head -1",
        ),
        (
            "none",
            "{ \"$S3SYNC\" run \"$JOB\" -vvv 2>&1; echo $? >\"$DIR/code\"; } | true",
        ),
        (
            "and the signal is ignored",
            "trap '' PIPE; { \"$S3SYNC\" run \"$JOB\" -vvv 2>&1; echo $? >\"$DIR/code\"; } | true",
        ),
        (
            "what is shown as JSON",
            "{ \"$S3SYNC\" run \"$JOB\" --json-tracing -vvv; echo $? >\"$DIR/code\"; } 2>&1 | head -c 1",
        ),
    ] {
        case(format_args!("{name}: {script}"));
        let output = night.shell(script);
        let code = fs::read_to_string(night.path("code")).expect("a code");
        assert_eq!(code.trim(), "0", "{}", shown(&output));
        night.is_done(&output);
    }
}

/// What goes wrong is in the exit code and in the report also where nobody can be told.
#[test]
fn a_failure_that_nobody_hears_is_in_the_exit_code_and_the_report() {
    let night = Night::new();
    fs::write(night.path("secret"), "wrong").expect("a file");
    for streams in ["", "<&- >&- 2>&-", ">/dev/full 2>&1"] {
        case(format_args!("{streams}"));
        let output = night.shell(&format!("exec \"$S3SYNC\" run \"$JOB\" {streams}"));
        ends(&output, 1);
        let report = night.report();
        assert_eq!(report["run"]["status"], "failed", "{}", shown(&output));
        assert_eq!(report["run"]["exit_code"], 1, "{}", shown(&output));
        assert!(night.world.list("first", "").is_empty());
        fs::remove_dir_all(night.path("reports")).expect("the reports");
    }
    // and nothing has begun where the job is wrong
    night.write_job("no_such_option = 1");
    let output = night.shell("exec \"$S3SYNC\" run \"$JOB\" <&- >&- 2>&-");
    ends(&output, 2);
    assert!(!night.path("reports").exists());
}

/// A working directory that is read only, or that is not there any more.
#[test]
fn the_working_directory_is_no_matter_where_everything_is_absolute() {
    let night = Night::new();
    let output = night.shell("cd /proc && exec \"$S3SYNC\" run \"$JOB\"");
    ends(&output, 0);
    night.is_done(&output);

    let gone =
        "mkdir \"$DIR/gone\" && cd \"$DIR/gone\" && rmdir \"$DIR/gone\" && exec \"$S3SYNC\" run";
    let output = night.shell(&format!("{gone} \"$JOB\""));
    ends(&output, 0);
    night.is_done(&output);

    // what is relative to it is told
    let output = night.shell(&format!("{gone} job.toml"));
    ends(&output, 2);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("cannot read the job file `job.toml`"),
        "{told}"
    );
    assert!(!night.path("reports").exists());
}

/// Arguments and variables that are no text name what they name, or are told.
#[test]
fn what_is_no_text_is_told_and_nothing_begins() {
    let night = Night::new();
    let odd = OsStr::from_bytes(b"caf\xe9.toml");
    for (name, script, change) in [
        ("an argument", "exec \"$S3SYNC\" run \"$ODD\"", ("ODD", odd)),
        (
            "a flag",
            "exec \"$S3SYNC\" run \"$JOB\" \"--$ODD\"",
            ("ODD", odd),
        ),
        (
            "an assignment",
            "exec \"$S3SYNC\" run \"$JOB\" --set \"report.dir=$ODD\"",
            ("ODD", odd),
        ),
        (
            "a variable of ours",
            "exec \"$S3SYNC\" run \"$JOB\"",
            ("S3SYNC_REPORT__DIR", odd),
        ),
    ] {
        case(format_args!("{name}"));
        let output = night
            .started(script, |command| {
                command.env(change.0, change.1);
            })
            .wait();
        ends(&output, 2);
        assert!(!output.stderr.is_empty(), "{}", shown(&output));
        assert!(night.world.list("first", "").is_empty());
        assert!(!night.path("reports").exists());
    }
}

/// A user whom no file knows, who may write nothing but the reports.
#[test]
fn a_user_without_a_name_or_a_home_runs_a_job() {
    if !geteuid().is_root() {
        skipped(
            "a_user_without_a_name",
            "only root may become somebody else",
        );
        return;
    }
    let night = Night::new();
    let open = |path: &str, mode| {
        fs::set_permissions(night.path(path), Permissions::from_mode(mode)).expect("a mode");
    };
    fs::create_dir(night.path("reports")).expect("a directory");
    open("", 0o755);
    open("reports", 0o777);
    for secret in ["access", "secret"] {
        std::os::unix::fs::chown(night.path(secret), Some(54321), Some(54321)).expect("a user");
    }
    let program = "exec setpriv --reuid 54321 --regid 54321 --clear-groups env -i \"$S3SYNC\"";
    let output = night.shell(&format!("{program} --version"));
    if output.status.code() != Some(0) {
        skipped(
            "a_user_without_a_name",
            "setpriv is not there, or nobody else may read the program",
        );
        return;
    }
    let output = night.shell(&format!("cd / && {program} run \"$JOB\""));
    ends(&output, 0);
    night.is_done(&output);
}

/// Too few files for a run: it says so, and what it has written is whole.
#[test]
fn where_hardly_a_file_may_be_opened_the_truth_is_told() {
    let night = Night::new();
    for limit in [4, 8, 16, 24, 32] {
        case(format_args!("{limit}"));
        let script = format!("ulimit -n {limit}; exec \"$S3SYNC\" run \"$JOB\"");
        let output = night.shell(&script);
        let objects = night.world.objects("first", "");
        let files = night.world.tree("tree").files();
        for (key, bytes) in &objects {
            assert!(files.get(key) == Some(bytes), "{key} is whole");
        }
        let code = output.status.code().expect("an end of its own");
        assert!([0, 1, 2, 3].contains(&code), "{}", shown(&output));
        assert_eq!(code == 0, objects.len() == FILES, "{}", shown(&output));
        if code != 0 {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                told.to_lowercase().contains("too many open files"),
                "{}",
                shown(&output)
            );
        }
        for key in objects.into_keys() {
            night.world.remove("first", &key);
        }
        let _ = fs::remove_dir_all(night.path("reports"));
    }
}
