//! What a target was seen to have under a second name, through a symbolic link.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::Stat;

use crate::store::DirectoryId;

/// Files and directories that were listed through links: of what is in such a directory nobody
/// knows by its own name alone that it is in nobody's way.
#[derive(Debug, Default)]
pub(super) struct Reached(Mutex<HashSet<Id>>);

/// A file's or directory's identity: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id(u64, u64);

impl Id {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the fields' types differ between platforms"
    )]
    pub(super) fn of(status: &Stat) -> Self {
        Self(status.st_dev as u64, status.st_ino as u64)
    }
}

impl Id {
    /// The same with what its file system calls itself.
    pub(super) fn on(self, file_system: Option<u64>) -> DirectoryId {
        let Self(device, inode) = self;
        DirectoryId {
            device,
            inode,
            file_system,
        }
    }
}

impl Reached {
    /// It was listed through a link.
    pub(super) fn note(&self, id: Id) {
        self.lock().insert(id);
    }

    /// Whether it was.
    pub(super) fn has(&self, status: &Stat) -> bool {
        self.lock().contains(&Id::of(status))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Id>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
