//! Evidence: one NDJSON line per object, written after the act.

mod audit;
mod claim;
mod encode;
mod file;
mod line;
mod reader;
mod repeats;
mod schema;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub use audit::{EvidenceAudit, audit_evidence};
pub use claim::{Claim, ClaimedComparison, ClaimedEnd, ClaimedError, ClaimedParts, ClaimedProof};
pub use reader::{EvidenceReader, ReadLine};
pub use repeats::Repeats;
pub use schema::evidence_schema;

use super::locked;
use super::schema::EvidenceFile;
use crate::config::ReportLevel;
use crate::event::{Event, Side, Sink, Warned};
use crate::plan::Aim;
use file::HashedFile;
pub(super) use line::Line;

/// Writes the evidence of one pair. Lines are buffered; the file is complete when its last line is
/// the trailer.
#[derive(Debug)]
pub struct Evidence {
    scope: Scope,
    file: Mutex<State>,
}

/// What a line says beyond its event, and which events get one.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The pair.
    pub pair: String,
    /// What the pair is run for.
    pub aim: Aim,
    /// How much is written.
    pub level: ReportLevel,
    /// What stands before a relative key at the source.
    pub source_prefix: String,
    /// Whether that is the whole key of the only object there is; its listing tells.
    pub is_one_object: Arc<AtomicBool>,
    /// What stands before a relative key at the target.
    pub target_prefix: String,
    /// What counts as a warning.
    pub warned: Warned,
}

impl Scope {
    /// Takes in what an event says of the pair's ends.
    pub(super) fn learn(&self, event: &Event) {
        if let Event::OneObject { side: Side::Source } = event {
            self.is_one_object.store(true, Ordering::Relaxed);
        }
    }

    /// The whole key at the source of a relative one.
    fn source_key(&self, key: &str) -> String {
        if self.is_one_object.load(Ordering::Relaxed) {
            self.source_prefix.clone()
        } else {
            format!("{}{key}", self.source_prefix)
        }
    }

    /// The whole key at the target of a relative one.
    fn target_key(&self, key: &str) -> String {
        format!("{}{key}", self.target_prefix)
    }
}

#[derive(Debug)]
enum State {
    Open(Box<HashedFile>),
    /// Writing failed; the evidence stays incomplete, which the missing trailer shows.
    Broken {
        lines: u64,
        error: io::Error,
    },
    Finished {
        lines: u64,
        sha256: String,
    },
}

impl Evidence {
    /// Creates the file.
    pub fn create(path: &Path, scope: Scope) -> io::Result<Self> {
        let file = Mutex::new(State::Open(Box::new(HashedFile::create(path)?)));
        Ok(Self { scope, file })
    }

    /// Writes the trailer and syncs the file. Events that come later are not written.
    pub fn finish(&self) {
        let mut state = locked(&self.file);
        if let State::Open(file) = &mut *state {
            let lines = file.lines();
            *state = match file.finish() {
                Ok(sha256) => State::Finished { lines, sha256 },
                Err(error) => State::Broken { lines, error },
            };
        }
    }

    /// Brings what is buffered into the file, so that little is lost if the process is killed.
    pub fn flush(&self) {
        let mut state = locked(&self.file);
        if let State::Open(file) = &mut *state {
            let lines = file.lines();
            if let Err(error) = file.flush() {
                *state = State::Broken { lines, error };
            }
        }
    }

    /// What went wrong with the file, if anything did.
    pub fn trouble(&self) -> Option<String> {
        match &*locked(&self.file) {
            State::Broken { lines, error } => Some(format!(
                "the evidence could not be written after line {lines} and stays incomplete: {error}"
            )),
            State::Open(_) | State::Finished { .. } => None,
        }
    }

    /// What the report says of the file, under the path it has there.
    pub fn describe(&self, path: String) -> EvidenceFile {
        let (lines, sha256) = match &*locked(&self.file) {
            State::Open(file) => (file.lines(), None),
            State::Broken { lines, .. } => (*lines, None),
            State::Finished { lines, sha256 } => (*lines, Some(sha256.clone())),
        };
        EvidenceFile {
            path,
            level: self.scope.level,
            lines,
            sha256,
        }
    }
}

impl Sink for Evidence {
    fn event(&self, event: &Event) {
        self.scope.learn(event);
        let Some(line) = Line::of(event, &self.scope) else {
            return;
        };
        if !line.is_wanted(self.scope.level) {
            return;
        }
        let mut state = locked(&self.file);
        if let State::Open(file) = &mut *state {
            let lines = file.lines();
            if let Err(error) = file.append(&line.numbered(lines + 1)) {
                *state = State::Broken { lines, error };
            }
        }
    }

    fn wants_unchanged(&self) -> bool {
        self.scope.level == ReportLevel::All
    }

    fn wants_filtered(&self) -> bool {
        self.scope.level == ReportLevel::All
    }
}

#[cfg(test)]
mod tests;
