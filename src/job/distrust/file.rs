//! The file: lines that are appended, and rewritten when there are too many.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::event::FailReason;

/// The version of a line's form.
pub(super) const VERSION: u32 = 1;

/// The file and the one its users lock: it is replaced, and so cannot be locked itself.
#[derive(Debug, Clone)]
pub(super) struct LinesFile {
    path: PathBuf,
    lock: PathBuf,
}

/// One line. The last one about an object counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) v: u32,
    pub(super) r#type: Word,
    /// `s3://bucket/key`, or a path.
    pub(super) object: String,
    pub(super) endpoint: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) reason: Option<FailReason>,
    pub(super) pair: String,
    pub(super) run: String,
    pub(super) ts: String,
}

/// What a line says of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Distrusted,
    Trusted,
}

/// The file as it was.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By object and endpoint.
    last: BTreeMap<(String, Option<String>), Line>,
    /// Number, content and what is wrong with it.
    damaged: Vec<(usize, String, String)>,
}

impl LinesFile {
    /// In the folder of a job.
    pub(super) fn below(job: &Path) -> Self {
        Self {
            path: job.join("distrusted.ndjson"),
            lock: job.join(".distrusted.lock"),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything in it; a file that is not there is empty.
    pub(super) fn read(&self) -> io::Result<Lines> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lines::default()),
            bytes => bytes?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = Lines::default();
        for (number, text) in (1..).zip(text.lines()) {
            match serde_json::from_str::<Line>(text) {
                Ok(line) if line.v == VERSION => {
                    let object = (line.object.clone(), line.endpoint.clone());
                    lines.last.insert(object, line);
                }
                Ok(line) => {
                    let why = format!("it is of version {}", line.v);
                    lines.damaged.push((number, text.to_owned(), why));
                }
                Err(error) => {
                    let why = error.to_string();
                    let why = why.split(" at line ").next().unwrap_or_default();
                    lines
                        .damaged
                        .push((number, text.to_owned(), why.to_owned()));
                }
            }
        }
        Ok(lines)
    }

    /// Adds a line; `durably`, before this returns.
    pub(super) fn append(&self, line: &Line, durably: bool) -> io::Result<()> {
        let _locked = self.locked()?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        // one write: what a killed process leaves is whole, or one damaged line
        file.write_all(&json_line(line)?)?;
        if durably { file.sync_data() } else { Ok(()) }
    }

    /// Replaces the file by one of the lines that still say something; one that would be empty is
    /// removed.
    pub(super) fn compact(&self) -> io::Result<()> {
        let _locked = self.locked()?;
        let lines = self.read()?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        if lines.distrusted().next().is_none() && lines.damaged.is_empty() {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            return File::open(directory)?.sync_all();
        }
        let mut file = tempfile::Builder::new()
            .prefix(".distrusted-")
            // as far as the user's umask lets others read
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory)?;
        let mut content = Vec::new();
        for (_, text, _) in &lines.damaged {
            content.extend_from_slice(text.as_bytes());
            content.push(b'\n');
        }
        for line in lines.distrusted() {
            content.extend(json_line(line)?);
        }
        file.write_all(&content)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        File::open(directory)?.sync_all()
    }

    /// Waits for its turn; the lock ends with the file that is given.
    fn locked(&self) -> io::Result<File> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        Ok(lock)
    }
}

impl Lines {
    /// What is distrusted at the end of the file.
    pub(super) fn distrusted(&self) -> impl Iterator<Item = &Line> {
        let lines = self.last.values();
        lines.filter(|line| line.r#type == Word::Distrusted)
    }

    /// Lines that cannot be read, by their numbers, and why.
    pub(super) fn damaged(&self) -> impl Iterator<Item = (usize, &str)> {
        self.damaged
            .iter()
            .map(|(number, _, why)| (*number, why.as_str()))
    }
}

fn json_line(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(word: Word, object: &str) -> Line {
        Line {
            v: VERSION,
            r#type: word,
            object: object.to_owned(),
            endpoint: None,
            etag: None,
            version_id: None,
            reason: Some(FailReason::ETagMismatch),
            pair: "p".to_owned(),
            run: "r".to_owned(),
            ts: "t".to_owned(),
        }
    }

    fn objects(file: &LinesFile) -> Vec<String> {
        let lines = file.read().expect("readable");
        lines.distrusted().map(|line| line.object.clone()).collect()
    }

    #[test]
    fn the_last_line_counts_and_damaged_ones_are_kept() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(dir.path());
        assert_eq!(objects(&file), [""; 0]);
        for (word, object) in [
            (Word::Distrusted, "a"),
            (Word::Distrusted, "b"),
            (Word::Trusted, "a"),
        ] {
            file.append(&line(word, object), true).expect("written");
        }
        let mut text = fs::read_to_string(file.path()).expect("lines");
        text.insert_str(0, "{\"v\":1,\"type\":\"distr\n");
        fs::write(file.path(), text).expect("damaged");
        for _ in 0..2 {
            assert_eq!(objects(&file), ["b"]);
            let lines = file.read().expect("readable");
            let damaged: Vec<usize> = lines.damaged().map(|(number, _)| number).collect();
            assert_eq!(damaged, [1]);
            file.compact().expect("rewritten");
        }
        let text = fs::read_to_string(file.path()).expect("lines");
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn a_file_that_says_nothing_any_more_is_removed() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(dir.path());
        for word in [Word::Distrusted, Word::Trusted] {
            file.append(&line(word, "a"), false).expect("written");
        }
        file.compact().expect("removed");
        assert!(!file.path().exists());
        file.compact().expect("nothing to do");
    }

    #[test]
    fn runs_that_write_at_once_lose_nothing() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(dir.path());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for number in 0..25 {
                        let object = format!("{writer}-{number}");
                        file.append(&line(Word::Distrusted, &object), false)
                            .expect("written");
                        if number % 5 == 0 {
                            file.compact().expect("rewritten");
                        }
                    }
                });
            }
        });
        assert_eq!(objects(&file).len(), 100);
    }
}
