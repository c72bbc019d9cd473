//! The file: lines that are appended, and rewritten when there are too many.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::event::FailReason;
use crate::report::JobDirectory;

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

/// Something that stands in the file.
#[derive(Debug)]
pub(super) enum Read<'a> {
    /// A line.
    Line(Box<Line>),
    /// What cannot be read, as it stands there, and why.
    Damaged(&'a str, String),
}

impl LinesFile {
    /// In the folder of a job.
    pub(super) fn below(job: &JobDirectory) -> Self {
        Self {
            path: job.distrusted(),
            lock: job.path().join(".distrusted.lock"),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it line by line, each with its number; a file that is not there is empty.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(u64, Read<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => BufReader::new(file?),
        };
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if file.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim_end_matches('\n');
            take(number, read_line(text))?;
        }
        Ok(())
    }

    /// Adds lines; `durably`, before this returns.
    pub(super) fn append(&self, lines: &[Line], durably: bool) -> io::Result<()> {
        let _locked = self.locked()?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&self.path)?;
        let mut bytes = Vec::new();
        if !ends_a_line(&file)? {
            bytes.push(b'\n');
        }
        for line in lines {
            bytes.extend(json_line(line)?);
        }
        // one write: what a killed process leaves is whole, or one damaged line
        file.write_all(&bytes)?;
        if durably { file.sync_data() } else { Ok(()) }
    }

    /// Replaces the file by one of the lines that still say something; one that would be empty is
    /// removed. It is read twice, so that no more is held than a digest of each object's name.
    pub(super) fn compact(&self) -> io::Result<()> {
        let _locked = self.locked()?;
        let mut last = HashMap::new();
        let mut says_something = false;
        self.each(|number, read| {
            match read {
                Read::Line(line) => {
                    last.insert(name_of(&line), (number, line.r#type));
                }
                Read::Damaged(..) => says_something = true,
            }
            Ok(())
        })?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        says_something |= last.values().any(|(_, word)| *word == Word::Distrusted);
        if !says_something {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            return File::open(directory)?.sync_all();
        }
        let file = tempfile::Builder::new()
            .prefix(".distrusted-")
            // as far as the user's umask lets others read
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory)?;
        let mut content = BufWriter::new(file);
        self.each(|number, read| match read {
            Read::Damaged(text, _) => writeln!(content, "{text}"),
            Read::Line(line) if last.get(&name_of(&line)) == Some(&(number, Word::Distrusted)) => {
                content.write_all(&json_line(&line)?)
            }
            Read::Line(_) => Ok(()),
        })?;
        let file = content
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
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

fn read_line(text: &str) -> Read<'_> {
    match serde_json::from_str::<Line>(text) {
        Ok(line) if line.v == VERSION => Read::Line(Box::new(line)),
        Ok(line) => Read::Damaged(text, format!("it is of version {}", line.v)),
        Err(error) => {
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            Read::Damaged(text, why.to_owned())
        }
    }
}

/// Stands for an object and its endpoint.
fn name_of(line: &Line) -> [u8; 32] {
    let mut name = Sha256::new();
    name.update(&line.object);
    name.update([0]);
    name.update(line.endpoint.as_deref().unwrap_or_default());
    name.finalize().into()
}

/// Whether what is appended begins a line of its own: who was killed while it wrote has left the
/// beginning of one, which would swallow the next.
fn ends_a_line(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(true);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}

fn json_line(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    pub(in super::super) fn line(word: Word, object: &str) -> Line {
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
        let mut objects = BTreeSet::new();
        file.each(|_, read| {
            if let Read::Line(line) = read {
                match line.r#type {
                    Word::Distrusted => objects.insert(line.object),
                    Word::Trusted => objects.remove(&line.object),
                };
            }
            Ok(())
        })
        .expect("readable");
        objects.into_iter().collect()
    }

    #[test]
    fn the_last_line_counts_and_damaged_ones_are_kept() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(&JobDirectory::of(dir.path(), ""));
        assert_eq!(objects(&file), [""; 0]);
        for (word, object) in [
            (Word::Distrusted, "a"),
            (Word::Distrusted, "b"),
            (Word::Trusted, "a"),
        ] {
            file.append(&[line(word, object)], true).expect("written");
        }
        let mut text = fs::read_to_string(file.path()).expect("lines");
        text.insert_str(0, "{\"v\":1,\"type\":\"distr\n");
        fs::write(file.path(), text).expect("damaged");
        for _ in 0..2 {
            assert_eq!(objects(&file), ["b"]);
            let mut damaged = Vec::new();
            file.each(|number, read| {
                damaged.extend(matches!(read, Read::Damaged(..)).then_some(number));
                Ok(())
            })
            .expect("readable");
            assert_eq!(damaged, [1]);
            file.compact().expect("rewritten");
        }
        let text = fs::read_to_string(file.path()).expect("lines");
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn a_file_that_says_nothing_any_more_is_removed() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(&JobDirectory::of(dir.path(), ""));
        for word in [Word::Distrusted, Word::Trusted] {
            file.append(&[line(word, "a")], false).expect("written");
        }
        file.compact().expect("removed");
        assert!(!file.path().exists());
        file.compact().expect("nothing to do");
    }

    #[test]
    fn runs_that_write_at_once_lose_nothing() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = LinesFile::below(&JobDirectory::of(dir.path(), ""));
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for number in 0..25 {
                        let object = format!("{writer}-{number}");
                        file.append(&[line(Word::Distrusted, &object)], false)
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
