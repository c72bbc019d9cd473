//! The locks of a report directory, each a file that its process holds.
//!
//! Who looks at them or adds one holds `mutex`, for as long as that takes and no longer: what is
//! seen is what there is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::claim::Claim;
use crate::report::{HeldFile, is_held, locks_directory};

/// Nobody looks at the locks for longer, unless its machine is in trouble.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two attempts to look at the locks.
const PAUSE: Duration = Duration::from_millis(5);

/// `<report.dir>/.locks`.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    dir: PathBuf,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is ours.
    Taken(Registered),
    /// Another holds one that excludes it, and which.
    Anothers(Option<Claim>),
}

/// A lock of ours. It is let go when this is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    registry: Registry,
    name: String,
    claim: Claim,
    /// None once it is let go.
    held: Option<HeldFile>,
}

/// Why nobody knows whether a lock is free.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// The directory cannot be written.
    #[error("take a lock in `{}`: {source}; make the directory writable or set report.dir", dir.display())]
    Unwritable {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file system has no locks.
    #[error("take a lock in `{}`: its file system cannot lock files (flock: {source}); set report.dir to a directory on a local disk", dir.display())]
    Unsupported {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody does not come to an end.
    #[error("take a lock in `{}`: another process has been looking at the locks for {}s; is it stopped?", dir.display(), PATIENCE.as_secs())]
    Busy {
        /// The directory.
        dir: PathBuf,
    },
}

impl Registry {
    /// Of a report directory; nothing is made yet.
    pub(super) fn below(report_dir: &Path) -> Self {
        Self {
            dir: locks_directory(report_dir),
        }
    }

    /// Takes a lock, unless another run holds one that excludes it. `name` tells the locks of a run
    /// apart: no two of them have the same. This blocks.
    pub(super) fn claim(&self, name: &str, claim: &Claim) -> Result<Verdict, LockError> {
        let _looking = self.look()?;
        if let Some(refused) = (self.refusal(claim)).map_err(|error| self.failed(error))? {
            return Ok(refused);
        }
        let held = self.register(name, claim);
        Ok(Verdict::Taken(Registered {
            held: Some(held.map_err(|error| self.failed(error))?),
            registry: self.clone(),
            name: name.to_owned(),
            claim: claim.clone(),
        }))
    }

    fn register(&self, name: &str, claim: &Claim) -> io::Result<HeldFile> {
        let path = self.dir.join(format!("{}.{name}.lock", claim.run()));
        // nobody else can have it: whoever looks holds the mutex, which must not be held for ever
        let mut held = HeldFile::attempt(&path)?.ok_or_else(|| {
            io::Error::other(format!("`{}` is held by this run already", path.display()))
        })?;
        held.write(&claim.to_line())?;
        Ok(held)
    }

    /// Whether another run holds a lock that excludes this one. Locks of processes that are gone
    /// are removed.
    fn refusal(&self, claim: &Claim) -> io::Result<Option<Verdict>> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "lock") {
                continue;
            }
            let content = match is_held(&path).and_then(|held| Ok((held, fs::read(&path)?))) {
                Ok((true, content)) => content,
                Ok((false, _)) => {
                    let _ = fs::remove_file(&path);
                    continue;
                }
                // it was let go just now
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match Claim::read(&content) {
                Some(other) if claim.excludes(&other) => {
                    return Ok(Some(Verdict::Anothers(Some(other))));
                }
                Some(_) => {}
                // in doubt it is on the same
                None => return Ok(Some(Verdict::Anothers(None))),
            }
        }
        Ok(None)
    }

    /// Waits for the others who look.
    fn look(&self) -> Result<HeldFile, LockError> {
        let begun = Instant::now();
        let path = self.dir.join("mutex");
        loop {
            let looking = fs::create_dir_all(&self.dir).and_then(|()| HeldFile::attempt(&path));
            match looking {
                Ok(Some(held)) => return Ok(held),
                Ok(None) if begun.elapsed() > PATIENCE => {
                    let dir = self.dir.clone();
                    return Err(LockError::Busy { dir });
                }
                Ok(None) => std::thread::sleep(PAUSE),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    fn failed(&self, source: io::Error) -> LockError {
        let dir = self.dir.clone();
        match Errno::from_io_error(&source) {
            Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS) => {
                LockError::Unsupported { dir, source }
            }
            _ => LockError::Unwritable { dir, source },
        }
    }
}

impl Registered {
    /// Makes the file look used, and puts it back where somebody has removed it. Another run may
    /// have taken the lock meanwhile: that is the error.
    pub(super) fn renew(&mut self) -> Result<(), String> {
        let Some(held) = &self.held else {
            return Ok(());
        };
        if held.is_in_place() {
            return held.touch().map_err(|error| error.to_string());
        }
        let verdict = self.registry.claim(&self.name, &self.claim);
        match verdict.map_err(|error| error.to_string())? {
            Verdict::Taken(mut again) => {
                self.held = again.held.take();
                Ok(())
            }
            Verdict::Anothers(holder) => Err(format!(
                "the lock was removed while it was held, and now {}",
                self.claim.refused_by(holder.as_ref())
            )),
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(held) = self.held.take()
            && held.is_in_place()
        {
            let _ = held.remove();
        }
    }
}
