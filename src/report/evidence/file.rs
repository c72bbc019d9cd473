//! A file of lines that is hashed while it is written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::digest::{Algorithm, Hasher};

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Lines of JSON on their way to a file that did not exist before.
#[derive(Debug)]
pub(super) struct HashedFile {
    writer: BufWriter<Hashing>,
    /// Reused, so that a line costs no allocation.
    scratch: Vec<u8>,
    lines: u64,
}

/// The last line: without it the file is incomplete.
#[derive(Serialize, JsonSchema)]
pub(super) struct Trailer {
    /// What tells it from the lines before it.
    #[schemars(extend("const" = TRAILER))]
    r#type: &'static str,
    /// How many lines stand before it.
    lines: u64,
    /// That it was written says so.
    #[schemars(extend("const" = true))]
    complete: bool,
}

const TRAILER: &str = "trailer";

impl HashedFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let hashing = Hashing {
            file,
            hasher: Hasher::new(Algorithm::Sha256),
        };
        Ok(Self {
            writer: BufWriter::with_capacity(BUFFER_BYTES, hashing),
            scratch: Vec::new(),
            lines: 0,
        })
    }

    /// Lines so far, without the trailer.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    pub(super) fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.write(line)?;
        self.lines += 1;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Writes the trailer and brings everything to the disk; gives the SHA-256 of the whole file
    /// in hexadecimal.
    pub(super) fn finish(&mut self) -> io::Result<String> {
        self.write(&Trailer {
            r#type: TRAILER,
            lines: self.lines,
            complete: true,
        })?;
        self.writer.flush()?;
        let hashing = self.writer.get_mut();
        hashing.file.sync_all()?;
        let hasher = std::mem::replace(&mut hashing.hasher, Hasher::new(Algorithm::Sha256));
        Ok(hasher.finish().hex())
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.scratch.clear();
        serde_json::to_writer(&mut self.scratch, line)?;
        self.scratch.push(b'\n');
        self.writer.write_all(&self.scratch)
    }
}

struct Hashing {
    file: File,
    hasher: Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashing")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
