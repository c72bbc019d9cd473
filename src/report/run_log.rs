//! `log.ndjson`: what is logged while a run goes on, in the run's own directory.
//!
//! Logging is of the process, and so is the place its records go to: one run at a time has it. A
//! program that embeds the library has its own logging, and its runs none of this.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Mutex;

use super::{ReportError, RunDirectory, locked};

/// The log of the run under way.
static CURRENT: Mutex<Option<Open>> = Mutex::new(None);

#[derive(Debug)]
struct Open {
    file: File,
    trouble: Option<io::Error>,
}

/// A log that is open until it is dropped or ended.
#[derive(Debug)]
#[must_use = "the log ends when this is dropped"]
pub struct RunLog(());

impl RunLog {
    /// Opens the log of a run; what is logged from now on is written there.
    pub fn begin(directory: &RunDirectory) -> Result<Self, ReportError> {
        let path = directory.path().join("log.ndjson");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|source| ReportError { path, source })?;
        *locked(&CURRENT) = Some(Open {
            file,
            trouble: None,
        });
        Ok(Self(()))
    }

    /// What went wrong with it so far, told once.
    pub fn trouble(&self) -> Option<String> {
        let trouble = locked(&CURRENT).as_mut()?.trouble.take()?;
        Some(format!("the log of the run is not complete: {trouble}"))
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        *locked(&CURRENT) = None;
    }
}

/// Writes records to the log of the run under way; between runs they go nowhere.
#[derive(Debug, Clone, Copy)]
pub struct RunLogWriter;

impl Write for RunLogWriter {
    /// One record is one write, so that a run that is killed leaves whole lines. That a log cannot
    /// be written is nothing the log can tell.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if let Some(open) = locked(&CURRENT).as_mut()
            && let Err(error) = open.file.write_all(record)
        {
            open.trouble.get_or_insert(error);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
