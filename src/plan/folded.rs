//! Names that are one on the target's file system: the first in order has it, the others are told.

use std::collections::HashMap;

use crate::store::Folding;

/// Remembers the names in the directories from the root to where the plan stands, as that many may
/// come again; keys of one directory come one after the other. That is the memory of the largest
/// directory, as a listing of it takes.
#[derive(Debug)]
pub(super) struct Folded {
    folding: Folding,
    levels: Vec<Level>,
}

/// The names in one directory.
#[derive(Debug, Default)]
struct Level {
    /// The directory's path, with its slash.
    path: String,
    /// How each name is written that came first, by what it has in common with others; `None` where
    /// it is written like that.
    names: HashMap<Box<str>, Option<Box<str>>>,
}

impl Folded {
    /// `None` where the file system sees every difference.
    pub(super) fn new(folding: Folding) -> Option<Self> {
        folding.folds().then(|| Self {
            folding,
            levels: vec![Level::default()],
        })
    }

    /// The same before the first name.
    pub(super) fn anew(&self) -> Option<Self> {
        Self::new(self.folding)
    }

    /// The earlier name, of a file or a directory, that this one or a directory on its way would be
    /// on the file system. Names come in ascending order; one that may go is remembered.
    pub(super) fn of(&mut self, name: &str) -> Option<String> {
        while (self.levels.len() > 1)
            && (self.levels.last()).is_some_and(|level| !name.starts_with(&level.path))
        {
            self.levels.pop();
        }
        let path = name.strip_suffix('/').unwrap_or(name);
        loop {
            let level = self.levels.last_mut()?;
            let start = level.path.len();
            let rest = path.get(start..)?;
            let (segment, is_directory) = match rest.find('/') {
                Some(end) => (&rest[..end], true),
                None => (rest, false),
            };
            if let Some(first) = level.first(self.folding, segment) {
                return Some(format!("{}{first}", level.path));
            }
            if !is_directory {
                return None;
            }
            let path = name[..=start + segment.len()].to_owned();
            self.levels.push(Level {
                path,
                ..Level::default()
            });
        }
    }
}

impl Level {
    /// How the name is written that came before this one and is another; this one is remembered
    /// where there is none.
    fn first(&mut self, folding: Folding, name: &str) -> Option<Box<str>> {
        let folded: Box<str> = folding.fold(name).into();
        let Some(first) = self.names.get(&folded) else {
            let written = (*folded != *name).then(|| name.into());
            self.names.insert(folded, written);
            return None;
        };
        let first = first.as_ref().unwrap_or(&folded);
        (**first != *name).then(|| first.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_names_that_are_one_has_it() {
        let folding = Folding {
            case: true,
            normal_form: true,
        };
        let mut folded = Folded::new(folding).expect("it folds");
        for (name, by) in [
            ("A/x", None),
            ("A/y", None),
            ("B", None),
            ("README", None),
            ("Readme", Some("README")),
            ("a-b", None),
            // a directory is one with the other, and so is all below it
            ("a/x", Some("A")),
            ("a/z", Some("A")),
            ("b/c", Some("B")),
            ("d/", None),
            ("d/E/f", None),
            ("d/E/g/H", None),
            ("d/E/g/h", Some("d/E/g/H")),
            ("d/e", Some("d/E")),
            ("d/f", None),
            ("e\u{301}", None),
            ("readme", Some("README")),
            ("x", None),
            ("x/y", None),
            ("\u{e9}", Some("e\u{301}")),
        ] {
            assert_eq!(folded.of(name).as_deref(), by, "{name}");
        }
        assert!(Folded::new(Folding::NONE).is_none());
    }

    /// What is no longer on the way is forgotten: the same name in another directory is another.
    #[test]
    fn only_the_way_is_remembered() {
        let folding = Folding {
            case: true,
            normal_form: false,
        };
        let mut folded = Folded::new(folding).expect("it folds");
        for directory in 0..1000 {
            for name in ["X", "y"] {
                let name = format!("{directory:04}/{name}");
                assert_eq!(folded.of(&name), None, "{name}");
            }
            assert_eq!(folded.levels.len(), 2);
        }
    }
}
