//! Whether a directory can be read from or written to, found out without writing.

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use tokio_util::sync::CancellationToken;

use super::blocking::blocking;
use super::{LocalSourceSettings, LocalTargetSettings};
use crate::store::{ErrorKind, Finding, StoreError};

/// No disk is waited for longer.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// Whether there is a directory, or a file, that may be read.
pub async fn probe_source(settings: &LocalSourceSettings) -> Finding {
    let root = settings.root.clone();
    let looked = in_time(LONGEST_SILENCE, &settings.root, move || {
        readable(&root).map(str::to_owned)
    })
    .await;
    looked.map_or_else(wrong, |words| Finding::fine("open", words))
}

/// Whether there is a directory that may be written, or one to make it in.
pub async fn probe_target(settings: &LocalTargetSettings) -> Finding {
    let root = settings.root.clone();
    let looked = in_time(LONGEST_SILENCE, &settings.root, move || writable(&root)).await;
    looked.map_or_else(wrong, |words| Finding::fine("open", words))
}

/// What was found out, unless a disk does not answer for so long that it never may.
async fn in_time<T: Send + 'static>(
    limit: Duration,
    root: &Path,
    look: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let looked = tokio::time::timeout(limit, blocking(&CancellationToken::new(), look)).await;
    looked.unwrap_or_else(|_| {
        let message = format!("no answer within {} seconds", limit.as_secs());
        let place = root.display().to_string();
        Err(StoreError::new(
            "open",
            place,
            ErrorKind::Transient,
            message,
        ))
    })
}

fn wrong(error: StoreError) -> Finding {
    let remedy = match error.kind {
        ErrorKind::NotFound => "make it, mount it, or correct the path",
        ErrorKind::AccessDenied => "give this user the permission",
        ErrorKind::Transient => "is the disk, or the server behind it, there?",
        _ => "",
    };
    Finding::wrong(error, remedy)
}

fn readable(root: &Path) -> Result<&'static str, StoreError> {
    let failed = |error: std::io::Error| failed(root, &error);
    let status = std::fs::metadata(root).map_err(failed)?;
    if status.is_dir() {
        let mut entries = std::fs::read_dir(root).map_err(failed)?;
        return match entries.next() {
            None => Ok("an empty directory"),
            Some(entry) => {
                entry.map_err(failed)?;
                permits(root, Access::READ_OK | Access::EXEC_OK)?;
                Ok("a directory that may be read")
            }
        };
    }
    // opening a pipe waits for whoever writes to it
    if !status.is_file() {
        return Err(StoreError::new(
            "open",
            root.display().to_string(),
            ErrorKind::Occupied,
            "it is neither a file nor a directory",
        ));
    }
    std::fs::File::open(root).map_err(failed)?;
    Ok("a file that may be read")
}

fn writable(root: &Path) -> Result<String, StoreError> {
    let all = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    match std::fs::metadata(root) {
        Ok(status) if status.is_dir() => {
            permits(root, all)?;
            Ok("a directory that may be written".to_owned())
        }
        Ok(_) => Err(StoreError::new(
            "open",
            root.display().to_string(),
            ErrorKind::Occupied,
            "it is not a directory",
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let parent = match root.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            if !std::fs::metadata(parent)
                .map_err(|error| failed(parent, &error))?
                .is_dir()
            {
                let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
                return Err(failed(parent, &error));
            }
            permits(parent, Access::WRITE_OK | Access::EXEC_OK)?;
            Ok(format!(
                "not there yet, and may be made in {}",
                parent.display()
            ))
        }
        Err(error) => Err(failed(root, &error)),
    }
}

/// Asks the system as the user who would do it.
fn permits(path: &Path, access: Access) -> Result<(), StoreError> {
    accessat(CWD, path, access, AtFlags::EACCESS).map_err(|error| failed(path, &error.into()))
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::io("open", path.display().to_string(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_does_not_answer_is_not_waited_for() {
        let (answer, wait) = std::sync::mpsc::channel::<()>();
        let look = move || {
            let _ = wait.recv();
            Ok(())
        };
        let looked = in_time(Duration::from_millis(1), Path::new("/nfs"), look).await;
        let error = looked.expect_err("no answer");
        assert_eq!(error.message, "no answer within 0 seconds");
        drop(answer);
    }

    #[tokio::test]
    async fn a_directory_is_told_from_what_is_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("empty")).expect("a directory");
        std::fs::create_dir(path("full")).expect("a directory");
        std::fs::write(path("full/a"), "x").expect("a file");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(CWD, path("pipe"), mode).expect("a pipe");
        for (name, source, target) in [
            (
                "empty",
                "an empty directory",
                "a directory that may be written",
            ),
            (
                "full",
                "a directory that may be read",
                "a directory that may be written",
            ),
            ("full/a", "a file that may be read", "it is not a directory"),
            ("new", "no such file or directory", "not there yet"),
            (
                "new/below",
                "no such file or directory",
                "no such file or directory",
            ),
            ("full/a/b", "not a directory", "not a directory"),
            (
                "pipe",
                "neither a file nor a directory",
                "it is not a directory",
            ),
        ] {
            let root = path(name);
            let never_list = Vec::new();
            let asked = LocalSourceSettings {
                root: root.clone(),
                ignore_symlinks: false,
                never_list: never_list.clone(),
            };
            let seen = format!("{:?}", probe_source(&asked).await.answer);
            assert!(seen.contains(source), "{name}: {seen}");
            let asked = LocalTargetSettings { root, never_list };
            let seen = format!("{:?}", probe_target(&asked).await.answer);
            assert!(seen.contains(target), "{name}: {seen}");
            assert!(!path("new").exists(), "nothing is made");
        }
    }
}
