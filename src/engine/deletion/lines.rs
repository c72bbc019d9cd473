//! Lines on their way to a file. What a full disk does not take stays in memory, so that it can be
//! told all the same.

use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek as _, Take};
use std::os::unix::fs::FileExt as _;

use serde::Serialize;

/// So much is written at once.
const AT_ONCE: usize = 64 << 10;

/// Lines of a file that nobody else writes to.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    /// How much is in the file.
    written: u64,
    /// What is to come behind it.
    buffer: Vec<u8>,
}

/// All lines from the first on.
pub(super) type Reading = BufReader<Chain<Take<File>, Cursor<Vec<u8>>>>;

impl Lines {
    /// None so far.
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            written: 0,
            buffer: Vec::with_capacity(AT_ONCE),
        }
    }

    /// Takes one more, as a whole or, where that is an error, not at all.
    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.flush_if_full()?;
        let length = self.buffer.len();
        if let Err(error) = serde_json::to_writer(&mut self.buffer, line) {
            self.buffer.truncate(length);
            return Err(error.into());
        }
        self.buffer.push(b'\n');
        Ok(())
    }

    /// Takes all that can be read there. After an error it may have taken some of it.
    pub(super) fn add_all(&mut self, from: &mut impl Read) -> io::Result<()> {
        loop {
            self.flush_if_full()?;
            let mut most = from.take(AT_ONCE as u64);
            if most.read_to_end(&mut self.buffer)? == 0 {
                return Ok(());
            }
        }
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync_all()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.written = 0;
        self.file.set_len(0)
    }

    /// Reads what it has by now, on the disk and beside it.
    pub(super) fn read(&self) -> io::Result<Reading> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let rest = Cursor::new(self.buffer.clone());
        let all = file.take(self.written).chain(rest);
        Ok(BufReader::with_capacity(AT_ONCE, all))
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < AT_ONCE {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.buffer.is_empty() {
            match self.file.write_at(&self.buffer, self.written) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => {
                    self.buffer.drain(..length);
                    self.written += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
