//! Removing the temporary files that a killed run left behind, wherever they are in a tree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat, unlinkat};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::LocalTargetSettings;
use super::beneath::{Beneath, DIRECTORY};
use super::blocking::halted;
use super::temporary::is_temporary_of;
use crate::store::StoreError;

/// Removes all files with this token in their names, and says how many there were. No link is
/// followed: where one leads within the tree, the tree has that directory as well. What cannot be
/// looked into or removed is an error, once everything else was done; so is it when `halt` ends it.
pub(super) fn sweep(
    settings: &LocalTargetSettings,
    token: &str,
    halt: &CancellationToken,
) -> Result<u64, StoreError> {
    let root = match Beneath::open_root(&settings.root) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(0),
        Err(error) => {
            let path = settings.root.display().to_string();
            return Err(StoreError::io("open", path, &error.into()));
        }
    };
    let mut sweeping = Sweeping {
        root,
        settings,
        token,
        waiting: vec![PathBuf::new()],
        removed: 0,
        failed: None,
    };
    while let Some(path) = sweeping.waiting.pop() {
        if halt.is_cancelled() {
            return Err(halted());
        }
        if let Err(error) = sweeping.directory(&path) {
            sweeping.fail("open", &path, error);
        }
    }
    sweeping.failed.map_or(Ok(sweeping.removed), Err)
}

struct Sweeping<'a> {
    root: Beneath,
    settings: &'a LocalTargetSettings,
    token: &'a str,
    /// Directories that were seen and not looked into yet.
    waiting: Vec<PathBuf>,
    removed: u64,
    failed: Option<StoreError>,
}

impl Sweeping<'_> {
    fn directory(&mut self, path: &Path) -> Result<(), Errno> {
        let fd = match self.root.open(path, DIRECTORY | OFlags::NOFOLLOW) {
            // it went away, or something else came in its place
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => return Ok(()),
            other => other?,
        };
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                kind = match statat(&fd, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(status) => FileType::from_raw_mode(status.st_mode),
                    Err(_) => continue,
                };
            }
            let below = path.join(OsStr::from_bytes(name));
            if kind == FileType::Directory && !self.is_of_the_run(&below) {
                self.waiting.push(below);
            } else if kind == FileType::RegularFile && is_temporary_of(name, self.token) {
                match unlinkat(&fd, entry.file_name(), AtFlags::empty()) {
                    Ok(()) => self.removed += 1,
                    Err(Errno::NOENT) => {}
                    Err(error) => self.fail("remove", &below, error),
                }
            }
        }
        Ok(())
    }

    /// Whether runs keep their own files there: reports, the sandbox.
    fn is_of_the_run(&self, path: &Path) -> bool {
        let path = self.settings.root.join(path);
        self.settings.never_list.contains(&path)
    }

    fn fail(&mut self, operation: &'static str, path: &Path, error: Errno) {
        let path = self.settings.root.join(path).display().to_string();
        let error = StoreError::io(operation, path, &error.into());
        self.failed.get_or_insert(error);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_files_of_the_token_go_wherever_they_are_beneath_the_root() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("root");
        let reports = root.join("reports");
        for below in ["a/b", "reports", "c"] {
            std::fs::create_dir_all(root.join(below)).expect("directories");
        }
        let outside = dir.path().join("outside");
        std::fs::create_dir(&outside).expect("a directory");
        symlink(&outside, root.join("link")).expect("a link");
        let of = |token: &str| format!(".s3sync-{token}000001.tmp");
        let (own, foreign) = (of("00000000aa"), of("00000000ab"));
        for (place, name) in [
            (&root, &own),
            (&root, &foreign),
            (&root.join("a/b"), &own),
            (
                &root.join("c"),
                &".s3sync-00000000aa000001.tmp.old".to_owned(),
            ),
            (&outside, &own),
            (&reports, &own),
        ] {
            std::fs::write(place.join(name), "x").expect("a file");
        }
        std::fs::create_dir(root.join("c").join(&own)).expect("a directory of that name");
        let settings = LocalTargetSettings {
            root: root.clone(),
            never_list: vec![reports.clone()],
        };
        assert_eq!(
            sweep(&settings, "00000000aa", &CancellationToken::new()).map_err(|e| e.kind),
            Ok(2)
        );
        for (path, stays) in [
            (root.join(&own), false),
            (root.join("a/b").join(&own), false),
            (root.join(&foreign), true),
            (root.join("c/.s3sync-00000000aa000001.tmp.old"), true),
            (root.join("c").join(&own), true),
            (outside.join(&own), true),
            (reports.join(&own), true),
        ] {
            assert_eq!(path.exists(), stays, "{}", path.display());
        }
        assert_eq!(
            sweep(&settings, "00000000aa", &CancellationToken::new()).map_err(|e| e.kind),
            Ok(0)
        );
    }

    #[test]
    fn a_root_that_is_not_there_has_nothing_to_sweep() {
        let settings = LocalTargetSettings {
            root: "/nowhere/at/all".into(),
            never_list: Vec::new(),
        };
        assert_eq!(
            sweep(&settings, "00000000aa", &CancellationToken::new()).map_err(|e| e.kind),
            Ok(0)
        );
    }
}
