//! One run of the built binary, from its job to its end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::ran::runs;
use super::{Ran, World, until};

/// No run takes longer, or it hangs.
const LIMIT: Duration = Duration::from_mins(2);

/// A run that is being described.
#[derive(Debug, Clone)]
pub(crate) struct Run<'w> {
    world: &'w World,
    /// The job file's content; none for a command line.
    job: Option<String>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    /// What it reads on stdin.
    input: Vec<u8>,
    /// What starts the binary: a shell that limits it, for example.
    wrapper: Vec<OsString>,
}

impl<'w> Run<'w> {
    pub(super) fn job(world: &'w World) -> Self {
        let run = Self::command(world, &["run", "job.toml"]);
        let mut job = "version = 1\n[report]\ndir = \"reports\"\n\n[defaults]\n".to_owned();
        for (option, value) in patience() {
            let _ = writeln!(job, "{option} = \"{value}\"");
        }
        for side in ["source", "target"] {
            let (url, region) = (&world.endpoint.url, &world.endpoint.region);
            let _ = writeln!(
                job,
                "{side}.endpoint_url = \"{url}\"\n{side}.region = \"{region}\"\n{side}.force_path_style = true\n\
                 {side}.access_key = {{ env = \"WORLD_ACCESS_KEY\" }}\n\
                 {side}.secret_access_key = {{ env = \"WORLD_SECRET_KEY\" }}"
            );
        }
        Self {
            job: Some(job),
            environment: vec![
                (
                    "WORLD_ACCESS_KEY".to_owned(),
                    world.endpoint.access_key.clone(),
                ),
                (
                    "WORLD_SECRET_KEY".to_owned(),
                    world.endpoint.secret_key.clone(),
                ),
            ],
            ..run
        }
    }

    pub(super) fn sync(world: &'w World, source: &str, target: &str) -> Self {
        let mut run = Self::command(world, &["sync", source, target]);
        let reports = world.path("reports");
        run = run.arguments(&["--set", &format!("report.dir={}", reports.display())]);
        for (option, value) in patience() {
            run = run.arguments(&["--set", &format!("{option}={value}")]);
        }
        let endpoint = &world.endpoint;
        for (side, url) in [("source", source), ("target", target)] {
            if !url.starts_with("s3://") {
                continue;
            }
            for (flag, value) in [
                ("endpoint-url", &endpoint.url),
                ("region", &endpoint.region),
                ("access-key", &endpoint.access_key),
                ("secret-access-key", &endpoint.secret_key),
            ] {
                run = run.arguments(&[&format!("--{side}-{flag}"), value]);
            }
            run = run.arguments(&[&format!("--{side}-force-path-style")]);
        }
        run
    }

    pub(super) fn command(world: &'w World, arguments: &[&str]) -> Self {
        Self {
            world,
            job: None,
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: Vec::new(),
            input: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// Adds a pair to the job; later [settings](Run::set) are its own.
    pub(crate) fn pair(self, name: &str, source: &str, target: &str) -> Self {
        self.text(&format!(
            "\n[pairs.{name}]\nsource = {source:?}\ntarget = {target:?}\n"
        ))
    }

    /// An option of the pair last added, or of `[defaults]` before the first; `value` is TOML.
    pub(crate) fn set(self, option: &str, value: &str) -> Self {
        self.text(&format!("{option} = {value}\n"))
    }

    /// More text for the job file.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.job
            .as_mut()
            .expect("a run of a job file")
            .push_str(text);
        self
    }

    /// More arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Another command in place of the one it has.
    pub(crate) fn called(mut self, command: &str) -> Self {
        self.arguments[0] = OsString::from(command);
        self
    }

    /// Fewer arguments: all that are this word.
    pub(crate) fn without(mut self, word: &str) -> Self {
        self.arguments.retain(|argument| argument != word);
        self
    }

    /// A variable of the environment, which is empty but for `PATH`, `HOME` and `TMPDIR`.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What it finds on stdin, which is empty otherwise.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// What starts the binary in place of us.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(OsString::from).collect();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        self.start().wait()
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let world = self.world;
        if let Some(job) = &self.job {
            fs::write(world.path("job.toml"), job).expect("a job file");
        }
        for directory in ["home", "tmp"] {
            fs::create_dir_all(world.path(directory)).expect("a directory");
        }
        let mut words = self.wrapper;
        words.push(OsString::from(env!("CARGO_BIN_EXE_s3sync")));
        words.extend(self.arguments);
        let shown: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let shown = shown.join(" ");
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", world.path("home"))
            .env("TMPDIR", world.path("tmp"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.environment)
            .current_dir(world.path(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let earlier = runs(&world.path("reports"));
        let mut child = command.spawn().expect("the built binary");
        let (mut stdin, input) = (child.stdin.take().expect("a pipe"), self.input);
        // whoever reads none of it closes the pipe
        std::thread::spawn(move || stdin.write_all(&input));
        Running {
            stdout: Pipe::read(child.stdout.take().expect("a pipe")),
            stderr: Pipe::read(child.stderr.take().expect("a pipe")),
            child,
            job: self.job,
            shown,
            reports: world.path("reports"),
            earlier,
            started: Instant::now(),
        }
    }
}

/// Pauses between attempts, short enough for a test.
fn patience() -> [(&'static str, &'static str); 2] {
    [
        ("retry.initial_backoff", "5ms"),
        ("retry.force_retry_interval", "5ms"),
    ]
}

/// A run under way; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Its job file's content.
    job: Option<String>,
    stdout: Pipe,
    stderr: Pipe,
    shown: String,
    reports: PathBuf,
    /// Runs that were there before.
    earlier: BTreeSet<PathBuf>,
    started: Instant,
}

impl Running {
    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = Pid::from_raw(id).expect("not zero");
        kill_process(id, signal).expect("the process is there");
    }

    /// Sends the first signal, and waits until it was heard: no more is begun then.
    pub(crate) fn stop(&self, signal: Signal) {
        self.signal(signal);
        until("the first signal was heard", || {
            self.has_said("once more stops at once")
        });
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has said some words so far.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.stdout.text().contains(words) || self.stderr.text().contains(words)
    }

    /// What it has written to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Whether it has come to its end.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its end").is_some()
    }

    /// Waits for its end, and audits what it left.
    pub(crate) fn wait(mut self) -> Ran {
        let left = |started: Instant| LIMIT.saturating_sub(started.elapsed());
        let stdout = self.stdout.to_end(left(self.started));
        let stderr = self.stderr.to_end(left(self.started));
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            panic!("it hangs: {}", self.shown);
        };
        let status = self.child.wait().expect("its end");
        let elapsed = self.started.elapsed();
        // what runs must not be wrong to an editor
        if let (Some(job), true) = (&self.job, status.success()) {
            crate::schemas::holds_of_job(job);
        }
        let mut new = runs(&self.reports);
        new.retain(|run| !self.earlier.contains(run));
        // others may have run meanwhile
        let own: BTreeSet<_> = (new
            .iter()
            .filter(|run| is_of(run, self.child.id()))
            .cloned())
        .collect();
        if !own.is_empty() {
            new = own;
        }
        Ran::new(
            std::mem::take(&mut self.shown),
            (status, stdout, stderr),
            elapsed,
            new.pop_last().unwrap_or_default(),
        )
    }
}

/// Whether a run's report says that this process wrote it.
fn is_of(run: &Path, process: u32) -> bool {
    let report = fs::read(run.join("report.json")).unwrap_or_default();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap_or_default();
    report["process"]["pid"] == process
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pipe that is read beside us.
#[derive(Debug)]
struct Pipe {
    read: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Pipe {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let (sender, ended) = channel();
        let read = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&read);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                let mut into = into.lock().expect("no panic while it is held");
                into.extend_from_slice(&buffer[..length]);
            }
            let _ = sender.send(());
        });
        Self { read, ended }
    }

    fn text(&self) -> String {
        let read = self.read.lock().expect("no panic while it is held");
        String::from_utf8_lossy(&read).into_owned()
    }

    /// All of it, if it ends in time.
    fn to_end(&self, limit: Duration) -> Option<String> {
        self.ended.recv_timeout(limit).ok()?;
        Some(self.text())
    }
}
