use std::io::Read as _;
use std::path::Path;

use super::*;
use crate::config::{HookScope, HookTime, OnHookFailure, OnOutcome};

/// A shell that runs a script.
fn shell(directory: &Path, script: &str, timeout: Duration) -> ProgramHook {
    let run: Vec<String> = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    ProgramHook {
        at: HookTime::After,
        scope: HookScope::Job,
        on: OnOutcome::Any,
        shown: run.clone(),
        run,
        directory: directory.to_owned(),
        timeout,
        on_failure: OnHookFailure::Warn,
    }
}

const LONG: Duration = Duration::from_mins(10);

async fn run_hook(hook: &ProgramHook, input: &[u8], stop: (&CancellationToken, Duration)) -> Ended {
    run(Call {
        hook,
        told: vec![("S3SYNC_RUN_JOB", "nightly".to_owned())],
        withheld: &BTreeSet::new(),
        secrets: &[Secret::new("of the job")],
        input: input.to_vec(),
        stop: Stop {
            token: stop.0,
            grace: stop.1,
        },
    })
    .await
}

async fn run_script(script: &str, timeout: Duration, input: &[u8]) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    let hook = shell(directory.path(), script, timeout);
    run_hook(&hook, input, (&CancellationToken::new(), LONG)).await
}

/// Statement 55: whatever a hook does, it ends, and what is wrong is told.
#[tokio::test]
async fn a_program_ends_whatever_it_does() {
    let large = vec![b'x'; 1 << 20];
    for (what, script, exit_code, error) in [
        ("it is content", "exit 0", Some(0), None),
        (
            "it reads everything",
            "test $(wc -c) = 1048576",
            Some(0),
            None,
        ),
        ("it reads a little", "head -c 1 > /dev/null", Some(0), None),
        ("it closes its input", "exec <&-; exit 0", Some(0), None),
        (
            "it is told things",
            "test $S3SYNC_RUN_JOB = nightly",
            Some(0),
            None,
        ),
        (
            "it fails with words",
            "echo first; echo second >&2; exit 3",
            Some(3),
            Some("ended with exit code 3: second"),
        ),
        (
            "it fails with words on stdout only",
            "echo first; exit 3",
            Some(3),
            Some("ended with exit code 3: first"),
        ),
        (
            "it is killed",
            "kill -KILL $$",
            None,
            Some("was killed by SIGKILL"),
        ),
        (
            "it says very much",
            "head -c 20000000 /dev/zero | tr '\\0' 'y'; head -c 20000000 /dev/zero; echo",
            Some(0),
            None,
        ),
        // a daemon that keeps the pipes open for ever
        (
            "it leaves a daemon",
            "(trap '' HUP; exec tail -f /dev/null) & exit 0",
            Some(0),
            None,
        ),
    ] {
        let ended = run_script(script, LONG, &large).await;
        assert_eq!(ended.exit_code, exit_code, "{what}: {ended:?}");
        assert_eq!(ended.error.as_deref(), error, "{what}");
        assert!(!ended.is_timed_out, "{what}");
        assert!(ended.duration < LONG, "{what}");
    }
}

/// Statement 55: a hook that hangs is ended with all it has started.
#[tokio::test]
async fn a_program_that_hangs_is_ended_with_its_group() {
    let directory = tempfile::tempdir().expect("a directory");
    let fifo = directory.path().join("alive");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo").success());
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    let alive = rustix::fs::open(&fifo, flags, rustix::fs::Mode::empty()).expect("a fifo");
    let mut alive = std::fs::File::from(alive);
    for (what, script, signal) in [
        ("it waits", "exec tail -f /dev/null", 15),
        ("others wait", "tail -f /dev/null & wait", 15),
        (
            "it does not listen",
            "exec 3> alive; trap '' TERM; while :; do tail -f /dev/null; done",
            9,
        ),
        ("it talks and talks", "exec cat /dev/zero", 15),
    ] {
        // long enough for it to be started and for the trap to be set, whatever else is to be done
        let hook = shell(directory.path(), script, Duration::from_secs(2));
        let ended = run_hook(&hook, b"", (&CancellationToken::new(), LONG)).await;
        assert!(ended.is_timed_out, "{what}: {ended:?}");
        assert_eq!(ended.signal, Some(signal), "{what}: {ended:?}");
        let error = ended.error.expect(what);
        assert!(error.starts_with("took longer than 2s"), "{what}: {error}");
    }
    // whoever held its other end has ended
    loop {
        match alive.read(&mut [0]) {
            Ok(0) => break,
            Ok(_) => unreachable!("nobody writes"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stop_leaves_a_program_its_grace() {
    let directory = tempfile::tempdir().expect("a directory");
    let hook = shell(directory.path(), "exec tail -f /dev/null", LONG);
    let stop = CancellationToken::new();
    stop.cancel();
    let ended = run_hook(&hook, b"", (&stop, Duration::ZERO)).await;
    let error = ended.error.expect("it was ended");
    assert!(
        error.starts_with("was ended, as the run was stopped"),
        "{error}"
    );
    let quick = shell(directory.path(), "exit 0", LONG);
    let ended = run_hook(&quick, b"", (&stop, LONG)).await;
    assert_eq!(ended.error, None);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("plain"), "text").expect("a file");
    let mut hook = shell(directory.path(), "", LONG);
    for (program, why) in [
        ("./nothing", "no such file or directory"),
        ("no-such-program", "no such program in PATH"),
        ("./plain", "permission denied"),
    ] {
        program.clone_into(&mut hook.run[0]);
        let ended = run_hook(&hook, b"", (&CancellationToken::new(), LONG)).await;
        let error = ended.error.expect("it cannot be started");
        assert!(error.starts_with("cannot be started in `/"), "{error}");
        assert!(error.ends_with(&format!(": {why}")), "{error}");
        assert_eq!((ended.exit_code, ended.signal), (None, None));
    }
}

/// Statement 55: not even a program whose file system does not answer keeps a run.
#[tokio::test]
async fn a_program_that_cannot_be_started_in_its_time_is_given_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let hook = shell(directory.path(), "touch there", Duration::from_millis(50));
    let never = CancellationToken::new();
    let call = Call {
        hook: &hook,
        told: Vec::new(),
        withheld: &BTreeSet::new(),
        secrets: &[],
        input: Vec::new(),
        stop: Stop {
            token: &never,
            grace: LONG,
        },
    };
    let (release, stuck) = std::sync::mpsc::channel::<()>();
    let starting = start(&call, move |command| {
        let _ = stuck.recv();
        command.spawn()
    });
    let cut = pin!(cut(&hook, &call.stop));
    let (exit_code, _, is_timed_out, error) = attend(&call, starting, cut).await;
    assert_eq!((exit_code, is_timed_out), (None, true));
    let error = error.expect("it is told");
    assert!(error.contains("could not be started"), "{error}");
    drop(release);
}
