//! A file that becomes visible whole or not at all.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, fchmod, fsync, futimens,
    openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::directories::Directory;
use crate::object::Timestamp;

const PREFIX: &str = ".s3sync-";
const SUFFIX: &str = ".tmp";
const DIGITS: usize = 16;
/// What has two normal forms.
const ACCENT: &str = "\u{e9}";

/// Whether a file's name is one that [`Temporary`] gives: `.s3sync-0123456789abcdef.tmp`.
pub(super) fn is_temporary(name: &[u8]) -> bool {
    name.strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()))
        // a file system may have given it another normal form
        .map(|rest| rest.strip_suffix("e\u{301}".as_bytes()).unwrap_or(rest))
        .map(|rest| rest.strip_suffix(ACCENT.as_bytes()).unwrap_or(rest))
        .is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A new file in the directory it will stay in, under a name that listings leave out. Dropped
/// before it is published, it is removed.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: Arc<Directory>,
    name: String,
    file: Arc<File>,
    published: bool,
}

impl Temporary {
    /// Makes an empty file; [`Errno::NOENT`] when the directory was removed meanwhile.
    pub(super) fn create(directory: Arc<Directory>) -> Result<Self, Errno> {
        Self::create_named(directory, "")
    }

    /// The same under a name with an é in it, which may be written in two ways.
    pub(super) fn create_accented(directory: Arc<Directory>) -> Result<Self, Errno> {
        Self::create_named(directory, ACCENT)
    }

    fn create_named(directory: Arc<Directory>, accent: &str) -> Result<Self, Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = format!("{PREFIX}{:016x}{accent}{SUFFIX}", random());
            match openat(
                directory.fd(),
                &*name,
                flags,
                Mode::from_bits_truncate(0o666),
            ) {
                Ok(fd) => {
                    return Ok(Self {
                        directory,
                        name,
                        file: Arc::new(File::from(fd)),
                        published: false,
                    });
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The directory it is in.
    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where to write.
    pub(super) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Gives the file its time and the permissions of the one it replaces, brings it to disk and
    /// renames it to `name`.
    pub(super) fn publish(mut self, name: &str, modified: Timestamp) -> Result<(), Errno> {
        let directory = self.directory.fd();
        if let Ok(replaced) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            && FileType::from_raw_mode(replaced.st_mode) == FileType::RegularFile
        {
            fchmod(&self.file, Mode::from_raw_mode(replaced.st_mode & 0o777))?;
        }
        futimens(&self.file, &times(modified))?;
        fsync(&self.file)?;
        renameat(directory, &*self.name, directory, name)?;
        self.published = true;
        self.directory.touched();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = unlinkat(self.directory.fd(), &*self.name, AtFlags::empty())
        {
            tracing::warn!(name = self.name, %error, "a temporary file could not be removed");
        }
    }
}

fn times(modified: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds(),
            tv_nsec: modified.nanos().into(),
        },
    }
}

/// Names need to differ, no more; a collision is tried again.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_temporary() {
        for (name, expected) in [
            (".s3sync-0123456789abcdef.tmp", true),
            (".s3sync-0123456789abcde.tmp", false),
            (".s3sync-0123456789abcdeg.tmp", false),
            ("s3sync-0123456789abcdef.tmp", false),
            (".s3sync-0123456789abcdef.tmp2", false),
            (".s3sync-.tmp", false),
            (".s3sync-0123456789abcdef\u{e9}.tmp", true),
            (".s3sync-0123456789abcdefe\u{301}.tmp", true),
            (".s3sync-0123456789abcdee\u{301}.tmp", false),
        ] {
            assert_eq!(is_temporary(name.as_bytes()), expected, "{name}");
        }
    }
}
