//! What runs have left at a target and do not trust: `distrusted.ndjson` beside the job's history.
//!
//! Lines are appended while objects are found to be damaged or are sound again, before anything
//! else is done about them, and the file is rewritten at the end of a pair with what is left. Runs
//! of jobs of one name share it: they take turns by a lock.
//!
//! What is held is one entry for each key of the pair's target that the file names when the run
//! begins, and one for each damaged object that is still on its way: who has failed for good is in
//! the file, and no more is asked about it.

mod file;
#[cfg(test)]
mod fuzz;
mod writer;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use self::file::{Line, LinesFile, Read, Word};
use self::writer::{Writer, Written};
use super::place::Place;
use crate::config::{Job, Pair};
use crate::context::Distrusted;
use crate::digest::Verdict;
use crate::event::{Event, FailReason, Sink, locked};
use crate::object::{ETag, ObjectKey, Timestamp};
use crate::report::JobDirectory;

/// The part of the file that is about one pair's target.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    file: LinesFile,
    pair: String,
    /// What stands before a relative key in the name of an object.
    root: String,
    /// Where the object is, if not at AWS or in this machine's files.
    endpoint: Option<String>,
}

/// What a ledger says when a pair begins.
#[derive(Debug)]
pub(super) struct Opened {
    ledger: Ledger,
    keys: HashMap<ObjectKey, FailReason>,
    /// What is wrong with the file, in words.
    pub(super) warnings: Vec<String>,
}

impl Ledger {
    /// For a pair of a job, whose places are still those the job says: not those of a sandbox.
    pub(super) fn of(job: &Job, pair: &Pair) -> Self {
        let Place { root, endpoint } = Place::of_target(job, pair);
        Self {
            file: LinesFile::below(&JobDirectory::of(&job.report.dir, &job.name)),
            pair: pair.name.clone(),
            root,
            endpoint,
        }
    }

    /// Reads what is distrusted at the target. Nothing is written.
    pub(super) fn open(&self) -> io::Result<Opened> {
        let mut warnings = Vec::new();
        let mut keys = HashMap::new();
        self.file.each(|number, read| {
            let line = match read {
                Read::Line(line) => line,
                Read::Damaged(_, why) => {
                    warnings.push(format!(
                        "{}:{number}: cannot be read: {why}; what it names may count as unchanged: mend the line or remove it",
                        self.path().display()
                    ));
                    return Ok(());
                }
            };
            let key = line.object.strip_prefix(&self.root);
            let key = key.filter(|_| line.endpoint == self.endpoint);
            let Some(key) = key.and_then(|key| ObjectKey::new(key).ok()) else {
                return Ok(());
            };
            match (line.r#type, line.reason) {
                (Word::Distrusted, Some(reason)) => keys.insert(key, reason),
                (Word::Distrusted, None) | (Word::Trusted, _) => keys.remove(&key),
            };
            Ok(())
        })?;
        Ok(Opened {
            keys,
            ledger: self.clone(),
            warnings,
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    fn line(&self, word: Word, key: &ObjectKey, run: &str) -> Line {
        Line {
            v: file::VERSION,
            r#type: word,
            object: format!("{}{key}", self.root),
            endpoint: self.endpoint.clone(),
            etag: None,
            version_id: None,
            reason: None,
            pair: self.pair.clone(),
            run: run.to_owned(),
            ts: Timestamp::now().rfc3339_millis(),
        }
    }
}

impl Opened {
    /// The keys to be transferred whatever a comparison says.
    pub(super) fn keys(&self) -> Distrusted {
        Distrusted::new(self.keys.keys().cloned())
    }

    /// What keeps the file up to date during a run.
    pub(super) fn keeper(self, run: &str) -> Keeper {
        Keeper {
            ledger: self.ledger,
            run: run.to_owned(),
            state: Mutex::new(State {
                keys: self.keys,
                writer: None,
                trouble: None,
            }),
        }
    }
}

/// Writes down what becomes distrusted, and what no longer is.
#[derive(Debug)]
pub(super) struct Keeper {
    ledger: Ledger,
    run: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: HashMap<ObjectKey, FailReason>,
    /// Begins with the first line there is to write.
    writer: Option<Writer>,
    trouble: Option<io::Error>,
}

impl Keeper {
    /// Rewrites the file with what is left, if anything has changed; what went wrong, in words.
    pub(super) fn finish(&self) -> Option<String> {
        let mut state = locked(&self.state);
        if let Some(writer) = state.writer.take()
            && let Err(error) = writer.finish().and(self.ledger.file.compact())
        {
            state.trouble.get_or_insert(error);
        }
        let error = state.trouble.as_ref()?;
        let path: PathBuf = self.ledger.path().to_owned();
        Some(format!(
            "{}: what is damaged at the target could not be written down, and the next run may take it for unchanged: {error}",
            path.display()
        ))
    }

    fn distrust(
        &self,
        key: &ObjectKey,
        etag: Option<&ETag>,
        version: Option<&str>,
        reason: FailReason,
    ) {
        let line = Line {
            etag: etag.map(ETag::quoted),
            version_id: version.map(str::to_owned),
            reason: Some(reason),
            ..self.ledger.line(Word::Distrusted, key, &self.run)
        };
        let mut state = locked(&self.state);
        state.keys.insert(key.clone(), reason);
        // damage is rare and must outlive a power cut; what cannot be proved, or has annotations,
        // may be everything, but what is about to be published must be in the file before
        let durably = !is_of_many(reason);
        let first = durably || reason == FailReason::Annotations;
        let written = self.write(&mut state, line, durably);
        drop(state);
        if let Some(written) = written.filter(|_| first) {
            written.wait();
        }
    }

    /// Forgets what came of an object that has failed: the file has it.
    fn end(&self, key: &ObjectKey) {
        locked(&self.state).keys.remove(key);
    }

    /// Trusts a key again, if it was not trusted for a reason that `ends`.
    fn trust(&self, key: &ObjectKey, ends: impl Fn(FailReason) -> bool) {
        let mut state = locked(&self.state);
        if state.keys.get(key).copied().is_some_and(ends) {
            state.keys.remove(key);
            let line = self.ledger.line(Word::Trusted, key, &self.run);
            self.write(&mut state, line, false);
        }
    }

    fn write(&self, state: &mut State, line: Line, durably: bool) -> Option<Written> {
        if state.writer.is_none() {
            match Writer::start(self.ledger.file.clone()) {
                Ok(writer) => state.writer = Some(writer),
                Err(error) => {
                    state.trouble.get_or_insert(error);
                }
            }
        }
        let writer = state.writer.as_ref()?;
        Some(writer.write(line, durably))
    }
}

impl Sink for Keeper {
    fn event(&self, event: &Event) {
        match event {
            Event::Distrusted {
                key,
                etag,
                version,
                reason,
            } => self.distrust(key, etag.as_ref(), version.as_deref(), *reason),
            Event::Withdrawn { key } => self.trust(key, |_| true),
            Event::Failed { key, .. } => self.end(key),
            Event::Transferred { settled, .. } => {
                let key = &settled.source().key;
                match settled.integrity().verdict() {
                    Verdict::Verified(_) => self.trust(key, |_| true),
                    // the user now takes what cannot be proved; damage wants a proof
                    Verdict::Unverifiable(_) => {
                        self.trust(key, is_of_many);
                    }
                    Verdict::Mismatch { .. } => {}
                }
            }
            Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::OneObject { .. }
            | Event::Unchanged { .. }
            | Event::UnchangedMany { .. }
            | Event::Undecided { .. }
            | Event::Refreshed(_)
            | Event::Annotated(_)
            | Event::Compared(_)
            | Event::Planned { .. }
            | Event::MarkerCopied { .. }
            | Event::Deletion(_)
            | Event::Judged(_)
            | Event::Filtered { .. }
            | Event::FilteredMany { .. }
            | Event::NotWalked { .. }
            | Event::Skipped { .. }
            | Event::NotAttempted { .. }
            | Event::SubtreeUnreadable { .. }
            | Event::PairFailed { .. }
            | Event::Warning { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. }
            | Event::GuaranteeLost { .. } => {}
        }
    }
}

/// Whether it says nothing of damage: it ends also where nothing is proved.
fn is_of_many(reason: FailReason) -> bool {
    matches!(reason, FailReason::Unverifiable | FailReason::Annotations)
}
