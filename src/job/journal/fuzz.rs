//! A journal that was torn, or written by somebody else: what it says whole is neither lost nor
//! doubled, and what comes behind is heard.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::file::JournalFile;
use super::file::tests::record;
use crate::chance::{blows, holds, strike, words_of_lines};

const WORDS: &[&str] = &[
    "\"entry\":18446744073709551615",
    "{\"v\":1,\"entry\":1,\"left\":null}\n",
    "\"left\":null",
    "..",
    "/",
];

/// What the next run finds, in no order.
fn left(directory: &Path) -> Vec<String> {
    let (_, left) = JournalFile::open(directory, "next").expect("any file is read");
    let mut left: Vec<_> = left.iter().map(|record| format!("{record:?}")).collect();
    left.sort();
    left
}

#[test]
fn whatever_the_journal_holds_is_found_and_what_is_added_is_heard() {
    let steps = prop::collection::vec((1..5_u64, any::<bool>()), 0..8);
    holds(
        4,
        (steps, blows(&words_of_lines(WORDS))),
        |(steps, blows)| {
            let dir = tempfile::tempdir().expect("a directory");
            let (mut file, _) = JournalFile::open(dir.path(), "first").expect("a journal");
            let mut open = BTreeMap::new();
            for (entry, opens) in steps {
                let done = if opens {
                    open.insert(entry, record(&entry.to_string()));
                    file.opened(entry, &open[&entry], false)
                } else {
                    open.remove(&entry);
                    file.closed(entry)
                };
                done.expect("written");
            }
            let path = file.path().to_owned();
            drop(file);
            let bytes = fs::read(&path).unwrap_or_default();
            let is_whole = blows.is_empty();
            fs::write(&path, strike(bytes, blows)).expect("damaged");
            let before = left(dir.path());
            if is_whole {
                let mut written: Vec<_> =
                    open.values().map(|record| format!("{record:?}")).collect();
                written.sort();
                assert_eq!(before, written);
            }
            assert_eq!(left(dir.path()), before, "read once more");
            let (mut file, found) = JournalFile::open(dir.path(), "second").expect("a journal");
            let entry = found.len() as u64 + 1;
            file.opened(entry, &record("new"), false).expect("written");
            drop(file);
            let mut after = left(dir.path());
            let new = format!("{:?}", record("new"));
            assert_eq!(after.iter().filter(|one| **one == new).count(), 1);
            after.retain(|one| *one != new);
            assert_eq!(after, before);
        },
    );
}
