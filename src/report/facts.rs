//! The program, the machine and the process, as the report names them.

use super::schema::{Host, Process, Tool};

/// Kernel ticks in which `/proc` counts processor time: 100 on every Linux platform (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;

/// What the build script found out: commit, target and compiler, where they are known.
pub const BUILD: [(&str, Option<&str>); 3] = [
    ("commit", known(env!("BUILD_OF_S3SYNC_COMMIT"))),
    ("target", known(env!("BUILD_OF_S3SYNC_TARGET"))),
    ("rustc", known(env!("BUILD_OF_S3SYNC_RUSTC"))),
];

const fn known(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

/// The machine's name.
pub(super) fn hostname() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// The program.
pub(super) fn tool() -> Tool {
    let [commit, target, rustc] = BUILD.map(|(_, value)| value.map(str::to_owned));
    let features = [
        ("cli", cfg!(feature = "cli")),
        ("sandbox", cfg!(feature = "sandbox")),
    ];
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit,
        target,
        rustc,
        features: features
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}

/// The machine.
pub(super) fn host() -> Host {
    let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    Host {
        hostname: hostname(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpus,
    }
}

/// What the process has used so far; `None` where the system has no `/proc`.
pub(super) fn process() -> Process {
    let (user, system) = cpu_millis().unzip();
    Process {
        pid: std::process::id(),
        peak_rss_bytes: peak_rss_bytes(),
        cpu_user_ms: user,
        cpu_system_ms: system,
    }
}

/// `VmHWM:     5012 kB`, see proc_pid_status(5).
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Fields 14 and 15 of proc_pid_stat(5), counted from behind the name, which may contain spaces.
fn cpu_millis() -> Option<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let mut millis = || -> Option<u64> {
        let ticks: u64 = fields.next()?.parse().ok()?;
        Some(ticks * 1000 / TICKS_PER_SECOND)
    };
    Some((millis()?, millis()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_knows_what_it_used() {
        let process = process();
        assert!(process.peak_rss_bytes.expect("VmHWM") > 100_000);
        assert!(process.cpu_user_ms.is_some() && process.cpu_system_ms.is_some());
        assert!(!host().hostname.is_empty());
    }
}
