/*! A small world for the built binary: an S3 endpoint, directories, and runs whose books are audited.

Everything is below one temporary directory. The endpoint is the sandbox in this process, so that a
test can break it ([`World::faults`]), or any other server. A run has a clean environment, is
bounded in time, and what it leaves behind is audited before a test looks at it.
*/

mod beside;
mod buckets;
mod content;
mod dressed;
mod history;
mod ran;
mod run;
mod tree;
mod wire;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use s3sync::sandbox::{Faults, Sandbox, SandboxConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use buckets::Buckets;

pub(crate) use beside::Headers;
pub(crate) use content::{content, same};
pub(crate) use dressed::Dress;
pub(crate) use history::VersionSeen;
pub(crate) use ran::Ran;
pub(crate) use run::{Run, Running};
pub(crate) use tree::Tree;
pub(crate) use wire::{Blow, Body, Damage, Wire};

/// An endpoint, a directory, and the way to run s3sync between them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) endpoint: Endpoint,
    buckets: Buckets,
    sandbox: Option<Sandbox>,
    runtime: Runtime,
    dir: TempDir,
}

/// Where S3 is, and how it lets us in.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
}

/// Longer than any test waits: a call that is late by this never comes, unless it is let go.
pub(crate) const NEVER: Duration = Duration::from_mins(10);

/// What does not happen for so long does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

impl World {
    /// A new sandbox on an empty directory.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = runtime();
        let config = SandboxConfig {
            dir: dir.path().join("sandbox"),
            ..SandboxConfig::default()
        };
        let sandbox = runtime
            .block_on(Sandbox::start(config))
            .expect("a sandbox starts");
        let endpoint = Endpoint {
            url: sandbox.endpoint_url(),
            access_key: sandbox.access_key().to_owned(),
            secret_key: sandbox.secret_key().to_owned(),
            region: sandbox.region().to_owned(),
        };
        Self {
            buckets: Buckets::at(&endpoint),
            endpoint,
            sandbox: Some(sandbox),
            runtime,
            dir,
        }
    }

    /// A server that is there already.
    pub(crate) fn at(endpoint: Endpoint) -> Self {
        Self {
            buckets: Buckets::at(&endpoint),
            endpoint,
            sandbox: None,
            runtime: runtime(),
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    /// The faults of the sandbox, and the calls it counted.
    pub(crate) fn faults(&self) -> &Faults {
        self.sandbox.as_ref().expect("a sandbox").faults()
    }

    /// Waits for something that is no run of the binary.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Begins something that goes on beside the test, until the world ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// A path below the world's directory.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A directory of the world, which is made if it is not there.
    pub(crate) fn tree(&self, name: &str) -> Tree {
        Tree::at(self.path(name))
    }

    /// A job without pairs: [`Run::pair`] adds them.
    pub(crate) fn job(&self) -> Run<'_> {
        Run::job(self)
    }

    /// The same with the smallest parts S3 takes, 5 MiB, from that size on.
    pub(crate) fn job_in_small_parts(&self) -> Run<'_> {
        self.job()
            .set("multipart.threshold", "\"5MiB\"")
            .set("multipart.chunksize", "\"5MiB\"")
    }

    /// `s3sync sync SOURCE TARGET`, with the endpoint and its keys as flags.
    pub(crate) fn sync(&self, source: &str, target: &str) -> Run<'_> {
        Run::sync(self, source, target)
    }

    /// Any command line.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run<'_> {
        Run::command(self, arguments)
    }
}

/// Waits for something that is about to happen.
pub(crate) fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < PATIENCE, "it never came: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}
