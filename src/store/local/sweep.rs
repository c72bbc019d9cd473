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
use crate::store::{DirectoryId, LeftFiles, StoreError, Swept};

/// Removes all files with this token in their names. No link is followed: where one leads within
/// the tree, the tree has that directory as well. What cannot be looked into or removed is an error,
/// once everything else was done; so is it when `halt` ends it.
pub(super) fn sweep(
    settings: &LocalTargetSettings,
    left: &LeftFiles,
    halt: &CancellationToken,
) -> Result<Swept, StoreError> {
    let root = match Beneath::open_root(&settings.root) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(Swept::NotThere),
        Err(error) => {
            let path = settings.root.display().to_string();
            return Err(StoreError::io("open", path, &error.into()));
        }
    };
    let here = root.id().ok();
    let mut sweeping = Sweeping {
        root,
        settings,
        token: &left.token,
        is_empty: true,
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
    let Sweeping {
        is_empty,
        removed,
        failed,
        ..
    } = sweeping;
    match failed {
        Some(error) => Err(error),
        None if removed > 0 || is_theirs(left.below, here, is_empty) => Ok(Swept::Clean(removed)),
        None => Ok(Swept::NotThere),
    }
}

/// Whether the root in which none of them was found is the directory that had them. A disk may come
/// back under another number, and another disk under that of this one: what a file system calls itself
/// counts, where it is known, for the roots of many have the same inode. Whoever makes a directory anew
/// gives it another inode; an empty one may be where a disk is to be mounted.
fn is_theirs(below: Option<DirectoryId>, here: Option<DirectoryId>, is_empty: bool) -> bool {
    let (Some(below), Some(here)) = (below, here) else {
        return !is_empty;
    };
    let is_there = match (below.file_system, here.file_system) {
        (Some(below), Some(here)) => below == here,
        _ => below.device == here.device,
    };
    is_there && (below.inode == here.inode || !is_empty)
}

struct Sweeping<'a> {
    root: Beneath,
    settings: &'a LocalTargetSettings,
    token: &'a str,
    /// Whether the root has nothing but what runs keep there for themselves.
    is_empty: bool,
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
            if kind == FileType::Directory && self.is_of_the_run(&below) {
                continue;
            }
            self.is_empty = false;
            if kind == FileType::Directory {
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
    use crate::store::ErrorKind;

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
        assert_eq!(swept(&root, &[&reports], None), Ok(Swept::Clean(2)));
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
        assert_eq!(swept(&root, &[&reports], None), Ok(Swept::Clean(0)));
    }

    /// A disk that is not mounted has nothing to sweep, and may have a lot of it tomorrow.
    #[test]
    fn a_root_that_is_not_theirs_is_not_taken_for_clean() {
        let dir = tempfile::tempdir().expect("a directory");
        let (empty, full) = (dir.path().join("empty"), dir.path().join("full"));
        let reports = empty.join("reports");
        for path in [&reports, &full.join("x")] {
            std::fs::create_dir_all(path).expect("a directory");
        }
        let id = |path: &Path| Beneath::open_root(path).and_then(|root| root.id());
        let (of_empty, of_full) = (id(&empty).expect("an id"), id(&full).expect("an id"));
        let on_another = |id: DirectoryId| DirectoryId {
            device: id.device + 1,
            file_system: id.file_system.map(|id| !id),
            ..id
        };
        for (root, below, expected) in [
            (&dir.path().join("missing"), None, Swept::NotThere),
            (&dir.path().join("missing"), Some(of_full), Swept::NotThere),
            // written by those who did not say which it was
            (&empty, None, Swept::NotThere),
            (&full, None, Swept::Clean(0)),
            // the very one
            (&empty, Some(of_empty), Swept::Clean(0)),
            (&full, Some(of_full), Swept::Clean(0)),
            // another one on the same disk
            (&empty, Some(of_full), Swept::NotThere),
            (&full, Some(of_empty), Swept::Clean(0)),
            // one on another disk
            (&empty, Some(on_another(of_full)), Swept::NotThere),
            (&full, Some(on_another(of_empty)), Swept::NotThere),
            (&empty, Some(on_another(of_empty)), Swept::NotThere),
            (&full, Some(on_another(of_full)), Swept::NotThere),
        ] {
            let seen = swept(root, &[&reports], below);
            assert_eq!(seen, Ok(expected), "{} {below:?}", root.display());
        }
        // where they are found, that is where they were
        std::fs::write(full.join("x/.s3sync-00000000aa000001.tmp"), "x").expect("a file");
        let seen = swept(&full, &[], Some(on_another(of_empty)));
        assert_eq!(seen, Ok(Swept::Clean(1)));
    }

    /// The root of every ext4 has the inode 2, and disks take turns at one mount point.
    #[test]
    fn a_disk_is_known_by_what_it_calls_itself_and_not_by_the_inode_of_its_root() {
        let id = |device, inode, file_system| {
            Some(DirectoryId {
                device,
                inode,
                file_system,
            })
        };
        let below = id(1, 2, Some(7));
        for (below, here, of_empty, of_full) in [
            (below, below, true, true),
            // under another number
            (below, id(9, 2, Some(7)), true, true),
            (below, id(9, 3, Some(7)), false, true),
            // another one, under another number or the same
            (below, id(9, 2, Some(8)), false, false),
            (below, id(1, 2, Some(8)), false, false),
            // one of them does not say what it is
            (below, id(1, 2, None), true, true),
            (id(1, 2, None), id(1, 3, Some(7)), false, true),
            (id(1, 2, None), id(9, 2, Some(7)), false, false),
            (id(1, 2, None), id(9, 2, None), false, false),
            (None, below, false, true),
        ] {
            let seen = [true, false].map(|is_empty| is_theirs(below, here, is_empty));
            assert_eq!(seen, [of_empty, of_full], "{below:?} {here:?}");
        }
    }

    fn swept(
        root: &Path,
        never_list: &[&PathBuf],
        below: Option<DirectoryId>,
    ) -> Result<Swept, ErrorKind> {
        let settings = LocalTargetSettings {
            root: root.to_owned(),
            never_list: never_list.iter().copied().cloned().collect(),
        };
        let left = LeftFiles {
            token: "00000000aa".to_owned(),
            below,
        };
        sweep(&settings, &left, &CancellationToken::new()).map_err(|error| error.kind)
    }
}
