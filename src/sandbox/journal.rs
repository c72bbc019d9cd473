//! The journal of a bucket: one JSON line per change, appended, read back at the next start.
//!
//! A process killed in the middle of a line leaves a torn tail, which loading cuts off; the change
//! was never answered. A whole line that cannot be read is something else, and refused. A line is one array of changes, so that changes which belong together
//! (an upload completed and the object it became) are never seen apart.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Where the last whole line ends.
    length: u64,
}

impl Journal {
    /// Opens or makes the journal and gives every change in it to `apply`, in order.
    pub(super) fn open<T: DeserializeOwned>(
        path: &Path,
        mut apply: impl FnMut(T),
    ) -> io::Result<(Self, usize)> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let (mut whole, mut changes) = (0_u64, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            let batch = serde_json::from_slice::<Vec<T>>(&line)?;
            whole += length as u64;
            changes += batch.len();
            batch.into_iter().for_each(&mut apply);
        }
        drop(reader);
        file.set_len(whole)?;
        let journal = Self {
            file,
            length: whole,
        };
        Ok((journal, changes))
    }

    /// Appends changes that belong together.
    pub(super) fn append<T: Serialize>(&mut self, changes: &[T]) -> io::Result<()> {
        let mut line = serde_json::to_vec(changes)?;
        line.push(b'\n');
        if let Err(cause) = self.file.write_all(&line) {
            // half a line on a full disk must not become the beginning of the next one
            self.file.set_len(self.length)?;
            return Err(cause);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Replaces the journal at `path` by one with only these changes.
    pub(super) fn rewrite<T: Serialize>(
        path: &Path,
        changes: impl Iterator<Item = T>,
    ) -> io::Result<Self> {
        let fresh = fresh_path(path);
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(&fresh)?);
        for change in changes {
            serde_json::to_writer(&mut writer, &[change])?;
            writer.write_all(b"\n")?;
        }
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        std::fs::rename(&fresh, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self {
            length: file.metadata()?.len(),
            file,
        })
    }
}

fn fresh_path(path: &Path) -> PathBuf {
    path.with_extension("fresh")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_is_cut_off() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal");
        let load = || {
            let mut seen = Vec::new();
            let (journal, _) =
                Journal::open(&path, |change: u32| seen.push(change)).expect("loads");
            (journal, seen)
        };
        load().0.append(&[1, 2]).expect("appends");
        load().0.append(&[3]).expect("appends");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut f| f.write_all(b"[4,"))
            .expect("tears");
        let (mut journal, seen) = load();
        assert_eq!(seen, [1, 2, 3]);
        journal.append(&[5]).expect("appends");
        assert_eq!(load().1, [1, 2, 3, 5]);
        Journal::rewrite(&path, [7].into_iter()).expect("rewrites");
        assert_eq!(load().1, [7]);
    }
}
