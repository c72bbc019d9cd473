//! The delete plan of a pair on disk: one line for each candidate, and what was decided on them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;

use tokio::task::spawn_blocking;

use super::plan_line::{Candidate, Line, Object, VERSION, Verdict};
use crate::event::{Judged, Listed, locked};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::plan::{DeletePermit, Deletion};
use crate::store::{ErrorKind, StoreError};

/// Candidates on their way to the disk, and back from it.
#[derive(Debug)]
pub(in crate::engine) struct Candidates {
    pair: String,
    permit: DeletePermit,
    /// What to call the file.
    name: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    writer: BufWriter<File>,
    count: u64,
}

impl Candidates {
    /// Begins the plan of a pair at this path, or in a file without a name.
    pub(super) fn create(
        pair: &str,
        permit: DeletePermit,
        path: Option<&Path>,
    ) -> Result<Self, StoreError> {
        let name = path.map_or_else(
            || std::env::temp_dir().display().to_string(),
            |path| path.display().to_string(),
        );
        let file = match path {
            Some(path) => OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path),
            None => tempfile::tempfile(),
        };
        let file = file.map_err(|error| failed(&name, &error))?;
        Ok(Self {
            pair: pair.to_owned(),
            permit,
            name,
            state: Arc::new(Mutex::new(State {
                writer: BufWriter::with_capacity(64 << 10, file),
                count: 0,
            })),
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        locked(&self.state).count
    }

    /// Takes one more. An error is of the disk, and ends the pair.
    pub(in crate::engine) fn add(&self, deletion: &Deletion) -> Result<(), StoreError> {
        let target = deletion.target();
        let line = Line::Candidate(Candidate {
            v: VERSION,
            pair: self.pair.clone(),
            key: deletion.key().as_str().to_owned(),
            reason: deletion.because(),
            target: Object {
                size: target.size,
                last_modified: target.modified.to_string(),
                modified: (target.modified.seconds(), target.modified.nanos()),
                etag: target.etag.as_ref().map(ETag::quoted),
                version_id: target.version.as_deref().map(str::to_owned),
            },
        });
        let mut state = locked(&self.state);
        append(&mut state.writer, &line).map_err(|error| failed(&self.name, &error))?;
        state.count += 1;
        Ok(())
    }

    /// Forgets all of them.
    pub(in crate::engine) fn discard(&self) -> Result<(), StoreError> {
        let mut state = locked(&self.state);
        let mut discard = || -> io::Result<()> {
            state.writer.flush()?;
            let file = state.writer.get_mut();
            file.set_len(0)?;
            file.rewind()
        };
        discard().map_err(|error| failed(&self.name, &error))?;
        state.count = 0;
        Ok(())
    }

    /// Writes what was decided on them, and brings everything to the disk.
    pub(super) async fn complete(&self, judged: &Judged) -> Result<(), StoreError> {
        let verdict = Line::Verdict(Verdict {
            v: VERSION,
            pair: self.pair.clone(),
            candidates: judged.candidates,
            target_objects: judged.in_scope,
            withheld: judged.withheld,
            message: judged.withheld.map(|_| judged.message.clone()),
        });
        let state = Arc::clone(&self.state);
        let written = spawn_blocking(move || {
            let mut state = locked(&state);
            append(&mut state.writer, &verdict)?;
            let trailer = Line::Trailer {
                lines: state.count + 1,
                complete: true,
            };
            append(&mut state.writer, &trailer)?;
            state.writer.flush()?;
            state.writer.get_ref().sync_all()
        });
        let written = written.await.expect("writing does not panic");
        written.map_err(|error| failed(&self.name, &error))
    }

    /// Reads all of them again, once they are complete.
    pub(super) fn read(&self) -> Result<Reader, StoreError> {
        let begin = || -> io::Result<_> {
            let mut file = locked(&self.state).writer.get_ref().try_clone()?;
            file.rewind()?;
            Ok(BufReader::with_capacity(64 << 10, file))
        };
        Ok(Reader {
            permit: self.permit,
            file: begin().map_err(|error| failed(&self.name, &error))?,
            name: self.name.clone().into(),
        })
    }
}

/// Candidates on their way back from the disk.
#[derive(Debug)]
pub(super) struct Reader {
    permit: DeletePermit,
    file: BufReader<File>,
    name: PathBuf,
}

impl Reader {
    /// The next ones, so many at most; none after the last.
    pub(super) async fn batch(mut self, most: usize) -> Result<(Self, Vec<Deletion>), StoreError> {
        let name = self.name.display().to_string();
        let read = spawn_blocking(move || {
            let mut batch = Vec::new();
            let mut text = String::new();
            while batch.len() < most {
                text.clear();
                if self.file.read_line(&mut text)? == 0 {
                    return Err(io::Error::other("the file ends before its last line"));
                }
                match serde_json::from_str(&text)? {
                    Line::Candidate(candidate) => batch.push(candidate.read(self.permit)?),
                    Line::Verdict(_) => {
                        // whoever comes again finds the same
                        let behind = i64::try_from(text.len()).map_err(io::Error::other)?;
                        self.file.seek_relative(-behind)?;
                        break;
                    }
                    Line::Trailer { .. } => break,
                }
            }
            Ok((self, batch))
        });
        let read = read.await.expect("reading does not panic");
        read.map_err(|error| failed(&name, &error))
    }
}

impl Candidate {
    fn read(self, permit: DeletePermit) -> io::Result<Deletion> {
        let Object {
            size,
            modified: (seconds, nanos),
            etag,
            version_id,
            ..
        } = self.target;
        let key = ObjectKey::new(self.key).map_err(io::Error::other)?;
        let target = Listed {
            size,
            modified: Timestamp::new(seconds, nanos),
            etag: etag.as_deref().map(ETag::parse),
            version: version_id.map(Into::into),
        };
        Ok(permit.deletion(key, target, self.reason))
    }
}

fn append(to: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

/// Without its plan a pair deletes nothing, and its report would not say what it might have.
fn failed(name: &str, error: &io::Error) -> StoreError {
    let error = StoreError::io("delete plan", name, error);
    StoreError {
        kind: ErrorKind::Fatal,
        message: format!(
            "{}; nothing is deleted without a plan on disk",
            error.message
        ),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Extraneous;

    fn deletion(permit: DeletePermit, key: &str, seconds: i64, etag: Option<&str>) -> Deletion {
        let target = Listed {
            size: 7,
            modified: Timestamp::new(seconds, 999_999_999),
            etag: etag.map(ETag::parse),
            version: etag.map(|_| "v1".into()),
        };
        let key = ObjectKey::new(key).expect("short");
        permit.deletion(key, target, Extraneous::Missing)
    }

    #[tokio::test]
    async fn what_is_read_is_what_was_written() {
        let permit = DeletePermit::for_tests();
        let written: Vec<Deletion> = [
            ("a", 0, Some("0cc175b9c0f1b6a831c399e269772661")),
            (
                "line\nbreak \"quoted\" \\ \u{1} \u{200e}",
                -1,
                Some("0cc175b9c0f1b6a831c399e269772661-3"),
            ),
            ("beyond all calendars", i64::MAX / 4, None),
            ("z", 1, Some("opaque")),
        ]
        .map(|(key, seconds, etag)| deletion(permit, key, seconds, etag))
        .into();
        let candidates = Candidates::create("p", permit, None).expect("a file");
        for one in &written {
            candidates.add(one).expect("room");
        }
        assert_eq!(candidates.count(), 4);
        let judged = Judged {
            candidates: 4,
            in_scope: 9,
            withheld: None,
            message: String::new(),
        };
        candidates.complete(&judged).await.expect("room");
        // however many at once, and twice
        for most in [1, 3, 4, 100] {
            let mut reader = candidates.read().expect("the file");
            let mut read = Vec::new();
            loop {
                let (again, batch) = reader.batch(most).await.expect("a batch");
                reader = again;
                assert!(batch.len() <= most);
                if batch.is_empty() {
                    break;
                }
                read.extend(batch);
            }
            assert_eq!(read, written, "{most}");
        }
    }

    #[tokio::test]
    async fn a_plan_that_was_cut_off_is_not_taken_for_a_short_one() {
        let permit = DeletePermit::for_tests();
        let candidates = Candidates::create("p", permit, None).expect("a file");
        candidates
            .add(&deletion(permit, "a", 0, None))
            .expect("room");
        locked(&candidates.state).writer.flush().expect("room");
        let (reader, _) = candidates
            .read()
            .expect("a file")
            .batch(1)
            .await
            .expect("one");
        assert!(reader.batch(1).await.is_err());
    }
}
