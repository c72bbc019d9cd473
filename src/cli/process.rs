//! What the process needs of the system before it starts.

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// Raises the number of files that may be open to what the system allows. Where it refuses, the
/// error comes with the file that is one too many, and names the remedy.
pub(super) fn raise_open_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Makes a file that grows beyond what the user may write (`ulimit -f`) an error of that file; the
/// signal that comes with it would end the process.
fn hear_of_files_too_large(runtime: &tokio::runtime::Runtime) {
    let _inside = runtime.enter();
    let kind = SignalKind::from_raw(Signal::XFSZ.as_raw());
    if let Err(error) = signal(kind) {
        tracing::debug!(%error, "SIGXFSZ ends the process");
    }
}

/// The runtime everything runs on: as many threads as there are processors to use.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    hear_of_files_too_large(&runtime);
    Ok(runtime)
}
