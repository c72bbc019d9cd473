//! A file that a process holds. The kernel lets go of it when the process ends, however it ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// A file locked by `flock(2)`, which is not inherited by programs that are started meanwhile. It is
/// let go when this is dropped, also while another thread is just starting one: between its fork and
/// its exec that one has all files open, and closing ours alone would let go of nothing.
#[derive(Debug)]
pub struct HeldFile {
    file: File,
    path: PathBuf,
}

impl HeldFile {
    /// Makes the file where it is not there, and holds it; whoever holds it now is waited for.
    pub fn waiting(path: &Path) -> io::Result<Self> {
        Self::holding(path, FlockOperation::LockExclusive, true)
            .map(|held| held.expect("who waits is not turned away"))
    }

    /// Makes the file where it is not there, and holds it unless another does.
    pub fn attempt(path: &Path) -> io::Result<Option<Self>> {
        Self::holding(path, FlockOperation::NonBlockingLockExclusive, true)
    }

    /// Holds a file that is there, unless another does. One that is not there is an error.
    pub fn attempt_existing(path: &Path) -> io::Result<Option<Self>> {
        Self::holding(path, FlockOperation::NonBlockingLockExclusive, false)
    }

    fn holding(path: &Path, how: FlockOperation, create: bool) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .create(create)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)?;
            match flock(&file, how) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let held = Self {
                file,
                path: path.to_owned(),
            };
            // who cleans up may have removed it in between: then another holds another file
            if held.is_in_place() {
                return Ok(Some(held));
            }
        }
    }

    /// Whether its path still leads to it.
    pub fn is_in_place(&self) -> bool {
        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let there = fs::symlink_metadata(&self.path).map(id);
        there.is_ok_and(|there| self.file.metadata().map(id).is_ok_and(|own| own == there))
    }

    /// Replaces its content.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(content)
    }

    /// Makes it look used to those who remove what is old.
    pub fn touch(&self) -> io::Result<()> {
        self.file.set_modified(SystemTime::now())
    }

    /// Removes the file, and lets go of it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Whether some process holds a file that is there.
pub fn is_held(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            let _ = flock(&file, FlockOperation::Unlock);
            Ok(false)
        }
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_it() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("lock");
        assert!(HeldFile::attempt_existing(&path).is_err(), "none is made");
        let mut held = HeldFile::waiting(&path).expect("a file");
        held.write(b"longer").expect("written");
        held.write(b"me").expect("written");
        assert!(HeldFile::attempt(&path).expect("a file").is_none());
        assert!(is_held(&path).expect("a file"));
        drop(held);
        assert!(!is_held(&path).expect("a file"));
        let held = HeldFile::attempt_existing(&path).expect("a file");
        assert!(held.is_some_and(|held| held.remove().is_ok()));
        assert!(!path.exists());
    }

    /// As one is in a process that was forked and has not come to its program yet.
    #[test]
    fn a_file_is_let_go_though_a_copy_of_it_is_open() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("lock");
        let held = HeldFile::waiting(&path).expect("a file");
        let _copy = held.file.try_clone().expect("a copy");
        assert!(is_held(&path).expect("a file"));
        drop(held);
        assert!(!is_held(&path).expect("a file"));
        assert!(HeldFile::attempt(&path).expect("a file").is_some());
    }

    #[test]
    fn a_file_that_was_removed_meanwhile_is_not_taken_for_the_lock() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("lock");
        let held = HeldFile::waiting(&path).expect("a file");
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || HeldFile::waiting(&path).expect("a file")
        });
        fs::remove_file(&path).expect("removed by a cleaner");
        assert!(!held.is_in_place());
        drop(held);
        let next = waiting.join().expect("no panic");
        assert!(next.is_in_place());
        assert!(HeldFile::attempt(&path).expect("a file").is_none());
    }
}
