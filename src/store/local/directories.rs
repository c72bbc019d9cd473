//! The directories files are written to: made when needed, kept open for a while, synced once.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{Mode, fsync, mkdirat};
use rustix::io::Errno;

use super::beneath::{Beneath, DIRECTORY};
use crate::store::{ErrorKind, StoreError};

/// How many directories stay open: keys come in order, so few are written to at a time.
const KEPT_OPEN: usize = 32;

/// The directories beneath one root.
///
/// Durability: every file is synced before it is renamed into place, so a crash leaves the old
/// or the new content, never half of one. The rename itself is on disk when its directory is
/// synced, which happens once for each directory, when it leaves this cache and in
/// [`Directories::sync`]; after every file it would double the cost of small ones.
#[derive(Debug)]
pub(super) struct Directories {
    root: PathBuf,
    beneath: Mutex<Option<Arc<Beneath>>>,
    open: Mutex<VecDeque<Arc<Directory>>>,
}

/// A directory that is open beneath the root.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    fd: OwnedFd,
    unsynced: AtomicBool,
}

impl Directory {
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Something was made, renamed or removed in it.
    pub(super) fn touched(&self) {
        self.unsynced.store(true, Ordering::Relaxed);
    }

    fn sync(&self) -> Result<(), Errno> {
        if self.unsynced.swap(false, Ordering::Relaxed) {
            match fsync(&self.fd) {
                // file systems that cannot sync a directory need not
                Err(Errno::INVAL | Errno::ROFS) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// One that left the cache while a file was still being written in it is synced with the last of
/// those.
impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = self.sync() {
            tracing::warn!(directory = %self.path.display(), %error, "a directory could not be synced");
        }
    }
}

impl Directories {
    /// Knows the root, and touches nothing yet.
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            beneath: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// The root, if it is there.
    pub(super) fn root(&self) -> Result<Option<Arc<Beneath>>, StoreError> {
        let mut beneath = lock(&self.beneath);
        if beneath.is_none() {
            match Beneath::open_root(&self.root) {
                Ok(opened) => *beneath = Some(Arc::new(opened)),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(self.root_failed("open", &error.into())),
            }
        }
        Ok(beneath.clone())
    }

    /// The directory at `path`, made together with those above it if it is not there.
    pub(super) fn make(&self, path: &Path) -> Result<Arc<Directory>, StoreError> {
        match self.try_make(path) {
            // one that was open has been removed by somebody else
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.forget_all()?;
                self.try_make(path)
            }
            result => result,
        }
    }

    fn try_make(&self, path: &Path) -> Result<Arc<Directory>, StoreError> {
        if let Some(known) = self.known(path) {
            return Ok(known);
        }
        let root = self.make_root()?;
        let fd = match (root.open(path, DIRECTORY), path.parent(), path.file_name()) {
            (Ok(fd), _, _) => fd,
            (Err(Errno::NOENT), Some(above), Some(name)) => {
                let parent = self.try_make(above)?;
                match mkdirat(parent.fd(), name, Mode::from_bits_truncate(0o777)) {
                    Ok(()) => parent.touched(),
                    // made by another at the same moment, or a link that leads nowhere
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(root.explain("make directory", path, error)),
                }
                root.open(path, DIRECTORY)
                    .map_err(|error| root.explain("make directory", path, error))?
            }
            (Err(error), _, _) => return Err(root.explain("open directory", path, error)),
        };
        self.keep(path, fd)
    }

    /// The directory at `path`, if it is there and no symbolic link leads to it; opened anew, for
    /// whoever removes something in it.
    pub(super) fn without_links(&self, path: &Path) -> Result<Option<OwnedFd>, StoreError> {
        let Some(root) = self.root()? else {
            return Ok(None);
        };
        match root.open_without_links(path, DIRECTORY) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(Errno::XDEV | Errno::LOOP) => Err(StoreError::new(
                "delete",
                self.root.join(path).display().to_string(),
                ErrorKind::UnsafeKey,
                "there is a symbolic link on the way; nothing is deleted through it",
            )),
            Err(error) => Err(root.explain("open directory", path, error)),
        }
    }

    /// Something was removed in the directory at `path`, which is to be synced.
    pub(super) fn touched(&self, path: &Path, fd: OwnedFd) -> Result<(), StoreError> {
        let directory = match self.known(path) {
            Some(known) => known,
            None => self.keep(path, fd)?,
        };
        directory.touched();
        Ok(())
    }

    /// Opens `path` and what is below it anew next time: it was removed.
    pub(super) fn forget(&self, path: &Path) {
        lock(&self.open).retain(|directory| !directory.path.starts_with(path));
    }

    /// Opens everything anew next time, the root as well.
    pub(super) fn forget_all(&self) -> Result<(), StoreError> {
        let open = std::mem::take(&mut *lock(&self.open));
        *lock(&self.beneath) = None;
        open.iter().try_for_each(|directory| self.synced(directory))
    }

    /// Makes all renames durable that have happened so far.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let open: Vec<_> = lock(&self.open).iter().cloned().collect();
        open.iter().try_for_each(|directory| self.synced(directory))
    }

    fn known(&self, path: &Path) -> Option<Arc<Directory>> {
        let mut open = lock(&self.open);
        let at = open.iter().rposition(|directory| directory.path == path)?;
        let directory = open.remove(at)?;
        open.push_back(Arc::clone(&directory));
        Some(directory)
    }

    fn keep(&self, path: &Path, fd: OwnedFd) -> Result<Arc<Directory>, StoreError> {
        let directory = Arc::new(Directory {
            path: path.to_owned(),
            fd,
            unsynced: AtomicBool::new(false),
        });
        let evicted = {
            let mut open = lock(&self.open);
            open.push_back(Arc::clone(&directory));
            (open.len() > KEPT_OPEN).then(|| open.pop_front()).flatten()
        };
        if let Some(evicted) = evicted {
            self.synced(&evicted)?;
        }
        Ok(directory)
    }

    fn synced(&self, directory: &Directory) -> Result<(), StoreError> {
        directory.sync().map_err(|error| {
            let path = self.root.join(&directory.path).display().to_string();
            StoreError::io("sync directory", path, &error.into())
        })
    }

    fn make_root(&self) -> Result<Arc<Beneath>, StoreError> {
        if let Some(root) = self.root()? {
            return Ok(root);
        }
        std::fs::create_dir_all(&self.root)
            .map_err(|error| self.root_failed("make directory", &error))?;
        self.root()?.ok_or_else(|| {
            self.root_failed("open", &std::io::Error::from(std::io::ErrorKind::NotFound))
        })
    }

    /// Without the root nothing else works either.
    fn root_failed(&self, operation: &'static str, error: &std::io::Error) -> StoreError {
        let error = StoreError::io(operation, self.root.display().to_string(), error);
        if error.kind.is_fatal() {
            return error;
        }
        StoreError {
            kind: ErrorKind::Fatal,
            ..error
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
