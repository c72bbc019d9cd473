/*! Removing files, and the directories that are empty then.

A file goes only if it is still what was listed, and never through a symbolic link: what is behind
one has a key of its own. What has been listed through a link stays under its own name, too: it may be
all that the target has of what the source calls by the other one. The look and the removal are two steps, as no system has one for both; what
is opened for them is opened anew, and nothing lies between them.
*/

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat, unlinkat};
use rustix::io::Errno;

use super::read;
use super::source::path_of;
use super::target::Tree;
use crate::object::LocalKey;
use crate::store::{ErrorKind, Removal, Removed, Still, StoreError};

impl Tree {
    /// Removes files; one result for each, in their order.
    pub(super) fn delete(&self, removals: &[Removal]) -> Vec<Result<Removed, StoreError>> {
        let mut emptied = BTreeSet::new();
        let results = removals
            .iter()
            .map(|removal| {
                self.delete_one(removal, &mut emptied)
                    .map(|()| Removed::Object)
            })
            .collect();
        // the deepest first, and each one's parent after it
        while let Some(path) = emptied.pop_last() {
            if self.remove_if_empty(&path)
                && let Some(above) = path.parent()
                && !above.as_os_str().is_empty()
            {
                emptied.insert(above.to_owned());
            }
        }
        results
    }

    fn delete_one(
        &self,
        removal: &Removal,
        emptied: &mut BTreeSet<PathBuf>,
    ) -> Result<(), StoreError> {
        let key = path_of("delete", &removal.key)?;
        if removal.key.is_directory_marker() {
            self.markers.forget(key.as_path());
            emptied.insert(key.as_path().to_owned());
            return Ok(());
        }
        if self.was_written(&key) {
            return Err(StoreError::new(
                "delete",
                self.path(key.as_path()),
                ErrorKind::PreconditionFailed,
                "on this file system it is the file of another key, which was written just now",
            ));
        }
        let (parent, name) = key.split();
        let Some(directory) = self.directories.without_links(parent)? else {
            return Ok(());
        };
        let failed = |error: Errno| {
            let path = self.path(key.as_path());
            StoreError::io("delete", path, &error.into())
        };
        match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => {
                let above = fstat(&directory).map_err(failed)?;
                if self.reached.has(&status) || self.reached.has(&above) {
                    return Err(StoreError::new(
                        "delete",
                        self.path(key.as_path()),
                        ErrorKind::PreconditionFailed,
                        "a symbolic link in the target leads to it, so that it has another name as well; it stays while the link does",
                    ));
                }
                if !self.is_to_go(&key, &status, removal.still.as_ref())? {
                    return Ok(());
                }
            }
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        match unlinkat(&directory, name, AtFlags::empty()) {
            Ok(()) => {}
            // gone already, or `name/` is there now, which is another key
            Err(Errno::NOENT | Errno::ISDIR) => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        self.directories.touched(parent, directory)?;
        if !parent.as_os_str().is_empty() {
            emptied.insert(parent.to_owned());
        }
        Ok(())
    }

    /// Whether what stands under the key is what is to be removed; `false` where nothing of it is
    /// there any more.
    fn is_to_go(
        &self,
        key: &LocalKey,
        status: &Stat,
        still: Option<&Still>,
    ) -> Result<bool, StoreError> {
        let stays = |kind, why: &str| {
            let path = self.path(key.as_path());
            Err(StoreError::new("delete", path, kind, why))
        };
        let status = match FileType::from_raw_mode(status.st_mode) {
            FileType::RegularFile => Some(*status),
            // what has its place has another key
            FileType::Directory => return Ok(false),
            // the link goes, and not what it leads to; that is what was listed
            FileType::Symlink => match self.behind(key) {
                Some(behind) => Some(behind),
                None if still.is_none() => None,
                None => return stays(ErrorKind::PreconditionFailed, REPLACED),
            },
            _ => {
                let why = "a fifo, socket or device has taken its place, and stays";
                return stays(ErrorKind::PreconditionFailed, why);
            }
        };
        match (status.map(|status| read::head(&status)), still) {
            (Some(head), Some(still))
                if head.size != still.size || head.modified != still.modified =>
            {
                stays(ErrorKind::PreconditionFailed, REPLACED)
            }
            _ => Ok(true),
        }
    }

    /// What a link leads to, if that is a file beneath the root.
    fn behind(&self, key: &LocalKey) -> Option<Stat> {
        let root = self.directories.root().ok().flatten()?;
        let file: OwnedFd = root.open(key.as_path(), LOOK).ok()?;
        let status = fstat(&file).ok()?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        is_file.then_some(status)
    }

    /// Whether a directory was removed; one with something in it stays, one that is a link, and one
    /// that the source has as a key of its own.
    fn remove_if_empty(&self, path: &Path) -> bool {
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        if self.markers.has(path) {
            return false;
        }
        let Ok(Some(parent)) = self.directories.without_links(above) else {
            return false;
        };
        let status = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW);
        if status.is_ok_and(|status| self.reached.has(&status)) {
            return false;
        }
        if let Err(error) = unlinkat(&parent, name, AtFlags::REMOVEDIR) {
            if !matches!(error, Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) {
                let path = self.path(path);
                tracing::warn!(path, %error, "an empty directory could not be removed");
            }
            return false;
        }
        self.directories.forget(path);
        if let Err(error) = self.directories.touched(above, parent) {
            tracing::warn!(%error, "a directory could not be synced");
        }
        true
    }
}

const REPLACED: &str = "it was replaced or written to since it was listed, and stays";

/// How a link's end is looked at.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);
