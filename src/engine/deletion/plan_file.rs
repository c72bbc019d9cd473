//! The delete plan of a pair on disk: one line for each candidate, and what was decided on them.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::SpooledTempFile;
use tokio::task::spawn_blocking;

use super::lines::Lines;
use super::plan_line::{Candidate, Line, Object, VERSION, Verdict};
use super::plan_reader::Reader;
use crate::event::{Judged, locked};
use crate::object::ETag;
use crate::plan::{DeletePermit, Deletion};
use crate::store::{ErrorKind, StoreError};

/// So much of what stays when the plan begins anew is kept in memory.
const LASTING_IN_MEMORY: usize = 256 << 10;

/// Candidates on their way to the disk.
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
    lines: Lines,
    count: u64,
    lasting: Lasting,
}

/// Once more those candidates that stay when the plan begins anew.
#[derive(Debug)]
struct Lasting {
    lines: SpooledTempFile,
    count: u64,
}

impl Candidates {
    /// Begins the plan of a pair at this path, or in a file without a name.
    pub(super) fn create(
        pair: &str,
        permit: DeletePermit,
        path: Option<&Path>,
    ) -> Result<Self, StoreError> {
        let name = path.map_or_else(spill_name, |path| path.display().to_string());
        let file = match path {
            Some(path) => OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path),
            None => tempfile::tempfile(),
        };
        let file = file.map_err(|error| failed(&name, &error))?;
        Ok(Self::in_file(pair, permit, name, file))
    }

    fn in_file(pair: &str, permit: DeletePermit, name: String, file: File) -> Self {
        Self {
            pair: pair.to_owned(),
            permit,
            name,
            state: Arc::new(Mutex::new(State {
                lines: Lines::new(file),
                count: 0,
                lasting: Lasting {
                    lines: tempfile::spooled_tempfile(LASTING_IN_MEMORY),
                    count: 0,
                },
            })),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        locked(&self.state).count
    }

    /// Takes one more, that the plan has found. An error is of the disk, and ends the pair.
    pub(in crate::engine) fn add(&self, deletion: &Deletion) -> Result<(), StoreError> {
        let line = self.line(deletion);
        let mut state = locked(&self.state);
        let added = state.lines.add(&line);
        added.map_err(|error| failed(&self.name, &error))?;
        state.count += 1;
        Ok(())
    }

    /// The same with one that a worker has found, which the plan does not find when it begins anew.
    pub(in crate::engine) fn add_lasting(&self, deletion: &Deletion) -> Result<(), StoreError> {
        self.add(deletion)?;
        let line = self.line(deletion);
        let Lasting { lines, count } = &mut locked(&self.state).lasting;
        let added = serde_json::to_writer(&mut *lines, &line).map_err(io::Error::from);
        let added = added.and_then(|()| lines.write_all(b"\n"));
        added.map_err(|error| failed(&spill_name(), &error))?;
        *count += 1;
        Ok(())
    }

    fn line(&self, deletion: &Deletion) -> Line {
        let target = deletion.target();
        Line::Candidate(Candidate {
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
        })
    }

    /// Forgets all that the plan has found: it begins anew.
    pub(in crate::engine) fn begin_anew(&self) -> Result<(), StoreError> {
        let State {
            lines,
            count,
            lasting,
        } = &mut *locked(&self.state);
        *count = 0;
        let of_plan = |error| failed(&self.name, &error);
        let of_spill = |error| failed(&spill_name(), &error);
        lines.clear().map_err(of_plan)?;
        lasting.lines.rewind().map_err(of_spill)?;
        lines.add_all(&mut lasting.lines).map_err(of_plan)?;
        lasting.lines.seek(SeekFrom::End(0)).map_err(of_spill)?;
        *count = lasting.count;
        Ok(())
    }

    /// Writes what was decided on them, and brings everything to the disk. After an error they can
    /// be read all the same.
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
            let lines = state.count + 1;
            state.lines.add(&verdict)?;
            let complete = true;
            state.lines.add(&Line::Trailer { lines, complete })?;
            state.lines.sync()
        });
        let written = written.await.expect("writing does not panic");
        written.map_err(|error| failed(&self.name, &error))
    }

    /// Reads all of them again, when no more come.
    pub(super) fn read(&self) -> Result<Reader, StoreError> {
        let state = locked(&self.state);
        let lines = state.lines.read();
        Ok(Reader {
            permit: self.permit,
            lines: lines.map_err(|error| failed(&self.name, &error))?,
            left: state.count,
            name: self.name.clone(),
        })
    }
}

/// Where files without a name are.
fn spill_name() -> String {
    std::env::temp_dir().display().to_string()
}

/// Without its plan a pair deletes nothing, and its report would not say what it might have.
pub(super) fn failed(name: &str, error: &io::Error) -> StoreError {
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
    use crate::event::{Extraneous, Listed};
    use crate::object::{ObjectKey, Timestamp};

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
            assert_eq!(all(&candidates, most).await, written, "{most}");
        }
    }

    /// All that is read again, so many at most at once.
    async fn all(candidates: &Candidates, most: usize) -> Vec<Deletion> {
        let mut reader = candidates.read().expect("the file");
        let mut read = Vec::new();
        loop {
            let (again, batch) = reader.batch(most).await.expect("a batch");
            reader = again;
            assert!(batch.len() <= most);
            if batch.is_empty() {
                return read;
            }
            read.extend(batch);
        }
    }

    /// Many of them, so that some are on the disk and some are not.
    fn many(permit: DeletePermit, prefix: &str) -> Vec<Deletion> {
        (0..1000)
            .map(|number| deletion(permit, &format!("{prefix}/{number}"), number, None))
            .collect()
    }

    #[tokio::test]
    async fn what_a_worker_has_found_stays_however_often_the_plan_begins_anew() {
        let permit = DeletePermit::for_tests();
        let candidates = Candidates::create("p", permit, None).expect("a file");
        let mut lasting = Vec::new();
        let mut found = Vec::new();
        for pass in 0..4 {
            found = many(permit, &format!("found {pass}"));
            let by_workers = many(permit, &format!("by workers {pass}"));
            for (one, other) in found.iter().zip(&by_workers) {
                candidates.add(one).expect("room");
                candidates.add_lasting(other).expect("room");
            }
            assert_eq!(candidates.count(), 2000 + lasting.len() as u64);
            lasting.extend(by_workers);
            if pass < 3 {
                candidates.begin_anew().expect("room");
            }
        }
        let before = lasting.len() - 1000;
        let last = found.into_iter().zip(lasting[before..].to_vec());
        let last = last.flat_map(|(found, other)| [found, other]);
        let expected: Vec<_> = lasting[..before].iter().cloned().chain(last).collect();
        assert_eq!(all(&candidates, 700).await, expected);
    }

    #[tokio::test]
    async fn what_a_full_disk_does_not_take_is_read_all_the_same() {
        let permit = DeletePermit::for_tests();
        let full = OpenOptions::new().read(true).write(true).open("/dev/full");
        let full = full.expect("a device");
        let candidates = Candidates::in_file("p", permit, "/dev/full".to_owned(), full);
        let mut taken = many(permit, "found");
        let taken_at_all = taken.iter().position(|one| candidates.add(one).is_err());
        taken.truncate(taken_at_all.expect("more than what is written at once"));
        assert!(candidates.add(&taken[0]).is_err(), "the disk is still full");
        let judged = Judged {
            candidates: candidates.count(),
            in_scope: 1000,
            withheld: None,
            message: String::new(),
        };
        let error = candidates.complete(&judged).await.expect_err("no room");
        assert_eq!(error.kind, ErrorKind::Fatal);
        assert!(!taken.is_empty());
        assert_eq!(all(&candidates, 10).await, taken);
    }

    #[test]
    fn what_does_not_fit_beside_the_plan_is_told_under_its_own_name() {
        let permit = DeletePermit::for_tests();
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("plan");
        let candidates = Candidates::create("p", permit, Some(&path)).expect("a file");
        locked(&candidates.state).lasting.lines =
            tempfile::spooled_tempfile_in(1, dir.path().join("missing"));
        let error = candidates.add_lasting(&deletion(permit, "a", 0, None));
        let error = error.expect_err("no such directory");
        assert_eq!(error.subject, std::env::temp_dir().display().to_string());
    }

    #[tokio::test]
    async fn a_plan_that_was_cut_off_is_not_taken_for_a_short_one() {
        let permit = DeletePermit::for_tests();
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("plan");
        let candidates = Candidates::create("p", permit, Some(&path)).expect("a file");
        candidates
            .add(&deletion(permit, "a", 0, None))
            .expect("room");
        let judged = Judged {
            candidates: 1,
            in_scope: 1,
            withheld: None,
            message: String::new(),
        };
        candidates.complete(&judged).await.expect("room");
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(0))
            .expect("cut off");
        let reader = candidates.read().expect("a file");
        assert!(reader.batch(1).await.is_err());
    }
}
