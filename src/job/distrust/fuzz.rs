//! The file of what is distrusted, torn or written by somebody else: what it says is not lost, and
//! what comes behind is heard.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::file::tests::line;
use super::file::{LinesFile, Read, Word};
use crate::chance::{blows, holds, strike, words_of_lines};
use crate::report::JobDirectory;

const WORDS: &[&str] = &[
    "\"v\":4294967296",
    "{\"v\":1,\"type\":\"distrusted\"",
    "\"type\":\"trusted\"",
    "\"endpoint\":\"http://x\"",
];

/// What counts as distrusted, and the lines that cannot be read.
fn read(file: &LinesFile) -> (BTreeSet<(String, Option<String>)>, Vec<String>) {
    let (mut objects, mut damaged) = (BTreeSet::new(), Vec::new());
    file.each(|_, read| {
        match read {
            Read::Damaged(text, _) => damaged.push(text.to_owned()),
            Read::Line(line) => {
                let name = (line.object.clone(), line.endpoint.clone());
                match line.r#type {
                    Word::Distrusted => objects.insert(name),
                    Word::Trusted => objects.remove(&name),
                };
            }
        }
        Ok(())
    })
    .expect("any file is read");
    (objects, damaged)
}

#[test]
fn whatever_the_file_holds_is_kept_and_what_is_added_is_heard() {
    let lines = prop::collection::vec((any::<bool>(), "[a-d]"), 0..6);
    holds(
        2,
        (lines, blows(&words_of_lines(WORDS))),
        |(lines, blows)| {
            let dir = tempfile::tempdir().expect("a directory");
            let file = LinesFile::below(&JobDirectory::of(dir.path(), ""));
            for (is_distrusted, object) in &lines {
                let word = if *is_distrusted {
                    Word::Distrusted
                } else {
                    Word::Trusted
                };
                file.append(&[line(word, object)], false).expect("written");
            }
            let bytes = fs::read(file.path()).unwrap_or_default();
            fs::write(file.path(), strike(bytes, blows)).expect("damaged");
            let before = read(&file);
            file.compact().expect("rewritten");
            assert_eq!(read(&file), before, "the same in fewer lines");
            file.append(&[line(Word::Distrusted, "new")], true)
                .expect("written");
            let (mut objects, damaged) = read(&file);
            assert!(objects.remove(&("new".to_owned(), None)), "{damaged:?}");
            assert_eq!((objects, damaged), before, "the rest is as it was");
        },
    );
}

/// A process that was killed while it wrote leaves a beginning of a line: the next one is none of
/// it.
#[test]
fn a_line_behind_a_torn_one_is_heard() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = LinesFile::below(&JobDirectory::of(dir.path(), ""));
    file.append(
        &[line(Word::Distrusted, "a"), line(Word::Distrusted, "b")],
        true,
    )
    .expect("written");
    let whole = fs::read(file.path()).expect("lines");
    for end in 0..whole.len() {
        fs::write(file.path(), &whole[..end]).expect("torn");
        file.append(&[line(Word::Distrusted, "c")], true)
            .expect("written");
        let (objects, _) = read(&file);
        assert!(objects.contains(&("c".to_owned(), None)), "torn at {end}");
    }
}
