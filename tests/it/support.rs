//! What several tests need.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bytes::Bytes;
use futures::StreamExt as _;
use s3sync::digest::{Algorithm, digest};
use s3sync::object::{Entry, ObjectKey, Timestamp};
use s3sync::store::{Content, Oddity, OddityKind, Put, Read, Removal, Source, StoreError, Target};

/// To be removed whatever they are.
pub(crate) fn removals(keys: &[ObjectKey]) -> Vec<Removal> {
    keys.iter().map(Into::into).collect()
}

/// A key that is known to be one.
pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("a key of at most 1024 bytes")
}

/// What to write for an object of this size, with a time no clock has by chance.
pub(crate) fn put(text: &str, size: usize) -> Put {
    let modified = Timestamp::new(1_234_567_890, 123_456_789);
    Put::bare(key(text), size as u64, modified)
}

/// Writes an object in one go.
pub(crate) async fn write(
    target: &dyn Target,
    text: &str,
    bytes: impl Into<Bytes>,
) -> Result<(), StoreError> {
    let bytes = bytes.into();
    let md5 = digest(Algorithm::Md5, &bytes);
    let stored = target.put(&put(text, bytes.len()), bytes, &[md5]).await;
    stored.map(drop)
}

/// Reads a whole object without hashing it.
pub(crate) async fn read(source: &dyn Source, text: &str) -> Result<Content, StoreError> {
    let read = Read {
        key: key(text),
        version: None,
        range: None,
        expected: 0,
        if_match: None,
        hash: Vec::new(),
    };
    source.read(&read).await
}

/// A listing to its end.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    pub(crate) oddities: Vec<Oddity>,
    pub(crate) longest_page: usize,
    pub(crate) error: Option<StoreError>,
}

impl Listed {
    /// Reads a listing to its end or its error.
    pub(crate) async fn of(source: &dyn Source) -> Self {
        let mut listed = Self::default();
        let mut pages = source.list();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    listed.longest_page = listed.longest_page.max(page.entries.len());
                    listed.entries.extend(page.entries);
                    listed.oddities.extend(page.oddities);
                }
                Err(error) => {
                    assert!(
                        listed.error.is_none(),
                        "a listing ends after its first error"
                    );
                    listed.error = Some(error);
                }
            }
        }
        listed
    }

    /// The keys, in the order listed.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.entries
            .iter()
            .map(|entry| entry.key.as_str())
            .collect()
    }

    /// What was odd, in the order listed.
    pub(crate) fn odd(&self) -> Vec<(&str, OddityKind)> {
        self.oddities
            .iter()
            .map(|oddity| (&*oddity.name, oddity.kind))
            .collect()
    }
}

/// Says that a test shows nothing here, and why; past the harness, which keeps what passing tests
/// print to itself: a skipped test must not look like one that passed.
pub(crate) fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// Names the row of a table that is under way: shown with the test that fails.
#[allow(
    clippy::print_stdout,
    reason = "the harness shows it where it is wanted"
)]
pub(crate) fn case(row: fmt::Arguments<'_>) {
    println!("{row}");
}

/// Runs the built binary in the repository with a reader that goes away at once: that is no error,
/// and nothing is said of it.
pub(crate) fn run_unread(words: &[&str]) {
    case(format_args!("{words:?}"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_s3sync"))
        .args(words)
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the built binary");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
    assert!(said.is_empty(), "{words:?}: {said}");
}
