//! Evidence read back, line by line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::claim::Claim;

/// No line that was ever written is longer: keys have 1024 bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// The lines of a file, in its order.
#[derive(Debug)]
pub struct EvidenceReader {
    file: BufReader<File>,
    number: u64,
    line: Vec<u8>,
}

/// One line, as far as it can be read.
#[derive(Debug)]
pub enum ReadLine {
    /// About an object or a subtree.
    Claim(Box<Claim>),
    /// The last line, and how many it says stand before it.
    Trailer(u64),
    /// Not a line of evidence, and why.
    Broken(String),
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
    #[serde(default)]
    lines: Option<u64>,
    #[serde(default)]
    complete: bool,
}

impl EvidenceReader {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(64 << 10, File::open(path)?),
            number: 0,
            line: Vec::new(),
        })
    }

    /// The next line with its number, counted from 1; `None` at the end.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, ReadLine)>> {
        self.line.clear();
        let mut bounded = (&mut self.file).take(LONGEST_LINE);
        if bounded.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some((self.number, parse(&self.line))))
    }

    /// The line last read, as it stands in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.line
    }
}

fn parse(line: &[u8]) -> ReadLine {
    if line.last() != Some(&b'\n') {
        return ReadLine::Broken("it has no end".to_owned());
    }
    let broken = |error: serde_json::Error| {
        // its own line number is always 1
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        ReadLine::Broken(format!("{text}, at byte {}", error.column()))
    };
    match serde_json::from_slice::<Kind>(line) {
        Ok(kind) if kind.r#type == "trailer" => match kind.lines {
            Some(lines) if kind.complete => ReadLine::Trailer(lines),
            Some(_) | None => ReadLine::Broken("a trailer that does not say so".to_owned()),
        },
        Ok(_) => match serde_json::from_slice(line) {
            Ok(claim) => ReadLine::Claim(Box::new(claim)),
            Err(error) => broken(error),
        },
        Err(error) => broken(error),
    }
}
