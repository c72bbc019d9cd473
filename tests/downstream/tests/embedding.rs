//! The program as its user sees it: what it prints is its own, and so are its signals.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;

fn gallery(files: &[(&str, usize)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir(dir.path().join("photos")).expect("a directory");
    for (name, size) in files {
        let path = dir.path().join("photos").join(name);
        fs::write(path, vec![b'x'; *size]).expect("a file");
    }
    dir
}

fn program(dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s3sync-downstream"));
    command
        .current_dir(dir.path())
        .env_clear()
        // what the program does is not for a stray variable to say
        .env("S3SYNC_DRY_RUN", "true")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[test]
fn it_does_what_its_hooks_say_and_prints_what_is_its_own() {
    let dir = gallery(&[
        ("1.jpg", 4000),
        ("1.thumb", 10),
        ("2.jpg", 5000),
        ("3.jpg", 6000),
    ]);
    let output = program(&dir).output().expect("it runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout, "Success: 2 copied, 2 verified, 2 left out\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    let report = dir.path().join("reports/gallery/latest/report.json");
    let report = fs::read_to_string(report).expect("a report");
    for words in ["\"no thumbnails\"", "\"quota\""] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

#[test]
fn its_signals_are_its_own() {
    let dir = gallery(&[("1.jpg", 4000), ("stop", 1)]);
    let mut child = program(&dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    assert_eq!(line, "waiting\n");
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill").success());
    let status = child.wait().expect("its end");
    assert_eq!(status.signal(), Some(2), "nobody caught it: {status:?}");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
}
