//! What a walk would have found under one key.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::beneath::DIRECTORY;
use super::read;
use crate::object::{Entry, LocalKey, ObjectKey};
use crate::store::{ErrorKind, Looked, Oddity, OddityKind, StoreError};

/// Looks at a key below a directory; `path` is what messages call it. Links are followed wherever
/// they lead, or left out, as by a walk.
pub(super) fn look(
    directory: &OwnedFd,
    key: &ObjectKey,
    local: &LocalKey,
    ignore_symlinks: bool,
    path: impl FnOnce() -> String,
) -> Result<Looked, StoreError> {
    let odd = |kind, message: &str| {
        Looked::Oddity(Oddity {
            name: key.as_str().to_owned(),
            kind,
            message: Some(message.to_owned()),
        })
    };
    if key.is_directory_marker() {
        return Ok(odd(OddityKind::Absent, "a directory is no object"));
    }
    let status = if ignore_symlinks {
        by_hand(directory, local.as_path())
    } else {
        statat(directory, local.as_path(), AtFlags::empty())
    };
    let status = match status {
        Ok(status) => status,
        Err(Errno::NOENT | Errno::NOTDIR) => {
            return Ok(odd(OddityKind::Absent, "no such file below the source"));
        }
        Err(Errno::LOOP) if ignore_symlinks => return Ok(odd(OddityKind::Absent, IGNORED)),
        Err(Errno::LOOP) => {
            return Ok(odd(OddityKind::Absent, "its links lead round in a circle"));
        }
        Err(error) => {
            let error = StoreError::io("stat", path(), &error.into());
            return match error.kind {
                ErrorKind::AccessDenied => Ok(odd(OddityKind::Denied, &error.to_string())),
                _ => Err(error),
            };
        }
    };
    Ok(match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => Looked::Entry(Entry {
            key: key.clone(),
            size: u64::try_from(status.st_size).unwrap_or(0),
            modified: read::modified(&status),
            etag: None,
            version: None,
            storage_class: None,
            checksum: None,
        }),
        FileType::Directory => odd(OddityKind::Absent, "it is a directory"),
        FileType::Symlink => odd(OddityKind::Absent, IGNORED),
        _ => odd(OddityKind::SpecialFile, "it is no regular file"),
    })
}

const IGNORED: &str = "there is a symbolic link in it, and local.ignore_symlinks leaves links out";

/// Goes down step by step, through no link.
fn by_hand(directory: &OwnedFd, path: &Path) -> Result<rustix::fs::Stat, Errno> {
    let mut above: Option<OwnedFd> = None;
    let mut steps = path.iter().peekable();
    while let Some(step) = steps.next() {
        let from = above.as_ref().unwrap_or(directory);
        if steps.peek().is_none() {
            return statat(from, step, AtFlags::SYMLINK_NOFOLLOW);
        }
        let below = openat(from, step, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
        let below = below.map_err(|error| {
            // some systems say so of a link, others that it is no directory
            let is_link = || {
                statat(from, step, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|at| FileType::from_raw_mode(at.st_mode) == FileType::Symlink)
            };
            if error == Errno::NOTDIR && is_link() {
                Errno::LOOP
            } else {
                error
            }
        });
        above = Some(below?);
    }
    Err(Errno::NOENT)
}
