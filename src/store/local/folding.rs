//! Whether a directory takes different names for the same: by a file of our own where one may be
//! written, by what is there already where not.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Stat, statat};

use super::directories::Directory;
use super::temporary::{Temporary, TemporaryNames};
use crate::store::Folding;

/// So many names in a directory are looked at.
const MOST_NAMES: usize = 256;

/// Asks with a temporary file, which is gone when this returns; `None` where none could be written.
pub(super) fn asked(names: &Arc<TemporaryNames>, directory: Arc<Directory>) -> Option<Folding> {
    let file = Temporary::create_accented(names, directory).ok()?;
    let exact = file.name().to_owned();
    let is_one = |name: &str| is_one(file.directory().fd(), &exact, name);
    Some(Folding {
        case: is_one(&exact.to_ascii_uppercase()),
        normal_form: is_one(&exact.replace('\u{e9}', "e\u{301}")),
    })
}

/// Looks whether a name that is there answers to another case; where one does, normal forms are
/// taken to be one as well, as they are on most such file systems.
pub(super) fn seen(root: &Path) -> Folding {
    let of = |case| Folding {
        case,
        normal_form: case,
    };
    if let (Ok(directory), Ok(names)) = (std::fs::File::open(root), std::fs::read_dir(root)) {
        for name in names.flatten().take(MOST_NAMES) {
            if let Some(case) = name
                .file_name()
                .to_str()
                .and_then(|name| answers(&directory, name))
            {
                return of(case);
            }
        }
    }
    // an empty one, or none: it is like the one it is in, or will be in
    let mut path = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    while let (Some(above), Some(name)) = (path.parent(), path.file_name()) {
        let case = std::fs::File::open(above)
            .ok()
            .and_then(|above| answers(&above, name.to_str()?));
        if let Some(case) = case {
            return of(case);
        }
        path = above.to_owned();
    }
    Folding::NONE
}

/// Whether a name that is there answers to another case; `None` where it has none, or is not there.
fn answers(directory: &impl AsFd, name: &str) -> Option<bool> {
    let other: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    (other != name && look(directory, name).is_some()).then(|| is_one(directory, name, &other))
}

/// Whether two names lead to the same file.
fn is_one(directory: &impl AsFd, a: &str, b: &str) -> bool {
    let id = |status: Stat| (status.st_dev, status.st_ino);
    let (a, b) = (look(directory, a).map(id), look(directory, b).map(id));
    a.is_some() && a == b
}

fn look(directory: &impl AsFd, name: &str) -> Option<Stat> {
    statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hard link is how one file has two names where all differences are seen.
    #[test]
    fn a_name_answers_to_another_case_or_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str| dir.path().join(name);
        let fd = std::fs::File::open(dir.path()).expect("the directory");
        std::fs::write(file("alone"), "").expect("a file");
        std::fs::write(file("123"), "").expect("a file");
        std::fs::write(file("one"), "").expect("a file");
        std::fs::hard_link(file("one"), file("ONE")).expect("a link");
        std::fs::write(file("two"), "").expect("a file");
        std::fs::write(file("TWO"), "").expect("a file");
        if answers(&fd, "alone") == Some(true) {
            return; // the file system of this machine folds
        }
        for (name, expected) in [
            ("alone", Some(false)),
            ("123", None),
            ("missing", None),
            ("one", Some(true)),
            ("two", Some(false)),
        ] {
            assert_eq!(answers(&fd, name), expected, "{name}");
        }
        let unseen = dir.path().join("new/below");
        assert_eq!(seen(&unseen), Folding::NONE);
    }
}
