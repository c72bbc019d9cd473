//! Keys that want the same path in a directory: the first in order has it, the others are told.

use crate::object::Entry;

/// Remembers the files that may stand in the way of keys to come: those whose name begins the
/// current one. Between `a` and `a/b` only keys that begin with `a` can come, so these few suffice.
#[derive(Debug)]
pub(super) struct Shadow {
    files: Vec<File>,
    is_provisional: bool,
}

#[derive(Debug)]
struct File {
    name: String,
    /// Where it may yet be kept out.
    provisional: Option<Entry>,
}

/// Whose the path of a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is that of the file of this name.
    By(String),
    /// It is that of the first of these that goes.
    ByOneThatGoes(Vec<Entry>),
}

impl Shadow {
    /// Where keys are `provisional`, it is not sure yet that they go.
    pub(super) fn new(provisional: bool) -> Self {
        Self {
            files: Vec::new(),
            is_provisional: provisional,
        }
    }

    /// The earlier keys whose path this one would need, as a file or as a directory. Names come in
    /// ascending order. A key that may go is remembered. Of two that are one name for a directory
    /// the first counts also where it may be kept out: the target has one object to compare both
    /// with.
    pub(super) fn of(&mut self, name: &str, entry: &Entry) -> Option<Taken> {
        while (self.files.last()).is_some_and(|file| !name.starts_with(&file.name)) {
            self.files.pop();
        }
        let above = |file: &&File| name[file.name.len()..].starts_with('/');
        if let Some(same) = self.files.iter().find(|file| file.name == name) {
            return Some(Taken::By(same.name.clone()));
        }
        let mut taken = self.files.iter().filter(above).peekable();
        let taken = match taken.peek() {
            Some(first) if !self.is_provisional => return Some(Taken::By(first.name.clone())),
            Some(_) => {
                let others = taken.filter_map(|file| file.provisional.clone());
                Some(Taken::ByOneThatGoes(others.collect()))
            }
            None => None,
        };
        // a marker is a directory: what is below it belongs there
        if !name.ends_with('/') {
            self.files.push(File {
                name: name.to_owned(),
                provisional: self.is_provisional.then(|| entry.clone()),
            });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ObjectKey, Timestamp};

    fn entry(name: &str) -> Entry {
        Entry {
            key: ObjectKey::new(name).expect("a key"),
            size: 1,
            modified: Timestamp::new(0, 0),
            etag: None,
            version: None,
            storage_class: None,
            checksum: None,
        }
    }

    #[test]
    fn the_first_of_two_keys_has_the_path() {
        let mut shadow = Shadow::new(false);
        for (name, by) in [
            ("a", None),
            ("a", Some("a")),
            ("a-b", None),
            ("a.b/c", None),
            ("a/", Some("a")),
            ("a/b", Some("a")),
            ("a/b/c", Some("a")),
            ("ab", None),
            ("b/", None),
            ("b/c", None),
        ] {
            let expected = by.map(|by| Taken::By(by.to_owned()));
            assert_eq!(shadow.of(name, &entry(name)), expected, "{name}");
        }
    }

    #[test]
    fn of_keys_that_may_be_kept_out_every_one_may_have_the_path() {
        let mut shadow = Shadow::new(true);
        for (name, by) in [
            ("a", &[][..]),
            ("a-b", &[]),
            ("a/", &["a"]),
            ("a/b", &["a"]),
            ("a/b/c", &["a", "a/b"]),
            ("a/c", &["a"]),
            ("ab", &[]),
        ] {
            let seen = match shadow.of(name, &entry(name)) {
                None => Vec::new(),
                Some(Taken::ByOneThatGoes(others)) => others,
                Some(Taken::By(by)) => panic!("{name}: {by}"),
            };
            let seen: Vec<_> = seen.iter().map(|other| other.key.as_str()).collect();
            assert_eq!(seen, by, "{name}");
        }
        let mut shadow = Shadow::new(true);
        assert_eq!(shadow.of("x", &entry("/x")), None);
        let same = Some(Taken::By("x".to_owned()));
        assert_eq!(shadow.of("x", &entry("x")), same);
    }
}
