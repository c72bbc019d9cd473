//! A file that becomes visible whole or not at all.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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

/// So many of the digits say whose file it is.
const TOKEN_DIGITS: usize = 10;

/// Whether a file's name is one that [`Temporary`] gives: `.s3sync-0123456789abcdef.tmp`.
pub(super) fn is_temporary(name: &[u8]) -> bool {
    digits_of(name).is_some_and(|digits| digits.len() == DIGITS)
}

/// Whether a file's name is one that was given with this token.
pub(super) fn is_temporary_of(name: &[u8], token: &str) -> bool {
    token.len() == TOKEN_DIGITS
        && is_temporary(name)
        && digits_of(name).is_some_and(|digits| digits.starts_with(token.as_bytes()))
}

fn digits_of(name: &[u8]) -> Option<&[u8]> {
    name.strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()))
        // a file system may have given it another normal form
        .map(|rest| rest.strip_suffix("e\u{301}".as_bytes()).unwrap_or(rest))
        .map(|rest| rest.strip_suffix(ACCENT.as_bytes()).unwrap_or(rest))
        .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// The names of the temporary files of one target, all with the same token in them.
#[derive(Debug)]
pub(super) struct TemporaryNames {
    token: String,
    next: AtomicU64,
    /// How many of them there are.
    there: AtomicU64,
}

impl TemporaryNames {
    /// Names that nobody else gives.
    pub(super) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            token: format!("{:010x}", random >> (64 - 4 * TOKEN_DIGITS)),
            next: AtomicU64::new(0),
            there: AtomicU64::new(0),
        }
    }

    /// What they have in common.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether a file with such a name is there.
    pub(super) fn any_there(&self) -> bool {
        self.there.load(Ordering::Relaxed) > 0
    }

    fn next(&self, accent: &str) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed) & 0xff_ffff;
        format!("{PREFIX}{}{number:06x}{accent}{SUFFIX}", self.token)
    }
}

/// Removes every temporary file of this process, and lets no more be made: it ends now.
pub fn remove_temporary_files() {
    ENDS.store(true, Ordering::SeqCst);
    let there = std::mem::take(&mut *there());
    for (name, directory) in there {
        let _ = unlinkat(directory.fd(), &*name, AtFlags::empty());
    }
}

/// Whether the process ends, and removes what it has made.
static ENDS: AtomicBool = AtomicBool::new(false);

/// The temporary files of this process.
static THERE: LazyLock<Mutex<HashMap<String, Arc<Directory>>>> = LazyLock::new(Mutex::default);

fn there() -> std::sync::MutexGuard<'static, HashMap<String, Arc<Directory>>> {
    THERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new file in the directory it will stay in, under a name that listings leave out. Dropped
/// before it is published, it is removed.
#[derive(Debug)]
pub(super) struct Temporary {
    names: Arc<TemporaryNames>,
    directory: Arc<Directory>,
    name: String,
    file: Arc<File>,
    published: bool,
}

impl Temporary {
    /// Makes an empty file; [`Errno::NOENT`] when the directory was removed meanwhile.
    pub(super) fn create(
        names: &Arc<TemporaryNames>,
        directory: Arc<Directory>,
    ) -> Result<Self, Errno> {
        Self::create_named(names, directory, "")
    }

    /// The same under a name with an é in it, which may be written in two ways.
    pub(super) fn create_accented(
        names: &Arc<TemporaryNames>,
        directory: Arc<Directory>,
    ) -> Result<Self, Errno> {
        Self::create_named(names, directory, ACCENT)
    }

    fn create_named(
        names: &Arc<TemporaryNames>,
        directory: Arc<Directory>,
        accent: &str,
    ) -> Result<Self, Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = names.next(accent);
            // told before it is there: whoever removes them all misses none
            there().insert(name.clone(), Arc::clone(&directory));
            let made = openat(
                directory.fd(),
                &*name,
                flags,
                Mode::from_bits_truncate(0o666),
            );
            let fd = match made {
                Ok(fd) => fd,
                Err(error) => {
                    there().remove(&name);
                    match error {
                        Errno::EXIST => continue,
                        error => return Err(error),
                    }
                }
            };
            names.there.fetch_add(1, Ordering::Relaxed);
            let made = Self {
                names: Arc::clone(names),
                directory,
                name,
                file: Arc::new(File::from(fd)),
                published: false,
            };
            return if ENDS.load(Ordering::SeqCst) {
                Err(Errno::CANCELED)
            } else {
                Ok(made)
            };
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
        self.is_gone();
        self.directory.touched();
        Ok(())
    }
}

impl Temporary {
    /// Nothing has its name any more.
    fn is_gone(&self) {
        there().remove(&self.name);
        self.names.there.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        match unlinkat(self.directory.fd(), &*self.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => self.is_gone(),
            Err(error) => {
                tracing::warn!(name = self.name, %error, "a temporary file could not be removed");
            }
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

    #[test]
    fn a_name_tells_whose_file_it_is() {
        let names = TemporaryNames::new();
        let (one, two) = (names.next(""), names.next(""));
        assert_ne!(one, two);
        for name in [&one, &two] {
            assert!(is_temporary(name.as_bytes()), "{name}");
            assert!(is_temporary_of(name.as_bytes(), names.token()), "{name}");
        }
        let others = TemporaryNames::new();
        for token in [others.token(), "", "0123"] {
            assert!(!is_temporary_of(one.as_bytes(), token), "{token}");
        }
    }
}
