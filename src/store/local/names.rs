//! The names in one directory, in the order their keys have.

use std::cmp::Ordering;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use super::temporary::is_temporary;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A symbolic link that leads to a file.
    LinkedFile,
    /// A symbolic link that leads to a directory.
    LinkedDirectory,
    /// A fifo, socket or device, also at the end of a symbolic link.
    Special,
    /// A symbolic link nobody knows where it leads, because the way there may not be looked at.
    Unknowable,
    /// A symbolic link of a source that is not followed.
    NotFollowed,
}

impl Kind {
    /// From the type of a file that is no symbolic link.
    pub(super) fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            _ => Self::Special,
        }
    }

    /// The same at the end of a symbolic link.
    pub(super) fn through_link(self) -> Self {
        match self {
            Self::File => Self::LinkedFile,
            Self::Directory => Self::LinkedDirectory,
            Self::LinkedFile
            | Self::LinkedDirectory
            | Self::Special
            | Self::Unknowable
            | Self::NotFollowed => self,
        }
    }

    pub(super) fn is_directory(self) -> bool {
        matches!(self, Self::Directory | Self::LinkedDirectory)
    }
}

/// All names of one directory in one piece of memory, because a directory may have millions.
#[derive(Debug)]
pub(super) struct Names {
    /// The names, each with its NUL.
    bytes: Vec<u8>,
    rows: Vec<Row>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    start: usize,
    /// Without the NUL.
    length: u16,
    kind: Kind,
}

impl Names {
    /// Reads and sorts the names in `directory`, our own temporary files left out. `follow` says
    /// where a symbolic link leads; `None` leaves it out.
    pub(super) fn read(
        directory: &OwnedFd,
        mut follow: impl FnMut(&CStr) -> Option<Kind>,
    ) -> Result<Self, Errno> {
        let mut names = Self {
            bytes: Vec::new(),
            rows: Vec::new(),
            next: 0,
        };
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let bytes = name.to_bytes();
            if bytes == b"." || bytes == b".." || is_temporary(bytes) {
                continue;
            }
            let kind = match entry.file_type() {
                // some file systems do not say
                FileType::Unknown => match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(status) => FileType::from_raw_mode(status.st_mode),
                    // it has vanished since, which is found and told where it is looked at
                    Err(Errno::NOENT) => FileType::RegularFile,
                    Err(error) => return Err(error),
                },
                known => known,
            };
            let kind = match kind {
                FileType::Symlink => match follow(name) {
                    Some(kind) => kind,
                    None => continue,
                },
                other => Kind::of(other),
            };
            names.push(name, kind);
        }
        names.sort();
        Ok(names)
    }

    /// The next name in order.
    pub(super) fn next(&mut self) -> Option<(&CStr, Kind)> {
        let row = *self.rows.get(self.next)?;
        self.next += 1;
        let with_nul = &self.bytes[row.start..=row.start + usize::from(row.length)];
        let name = CStr::from_bytes_with_nul(with_nul).expect("names are kept with their NUL");
        Some((name, row.kind))
    }

    fn push(&mut self, name: &CStr, kind: Kind) {
        let bytes = name.to_bytes_with_nul();
        self.rows.push(Row {
            start: self.bytes.len(),
            length: u16::try_from(bytes.len() - 1).expect("a file name has 255 bytes at most"),
            kind,
        });
        self.bytes.extend_from_slice(bytes);
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let name = |row: &Row| &bytes[row.start..row.start + usize::from(row.length)];
        self.rows.sort_unstable_by(|a, b| {
            order(
                (name(a), a.kind.is_directory()),
                (name(b), b.kind.is_directory()),
            )
        });
    }
}

/// Byte order of names, where a directory has a `/` behind its name: `a-b`, `a.b`, `a/`, `ab`.
fn order((a, a_is_directory): (&[u8], bool), (b, b_is_directory): (&[u8], bool)) -> Ordering {
    let common = a.len().min(b.len());
    let rest = |name: &[u8], is_directory: bool| {
        name.get(common)
            .copied()
            .or_else(|| is_directory.then_some(b'/'))
    };
    a[..common]
        .cmp(&b[..common])
        .then_with(|| rest(a, a_is_directory).cmp(&rest(b, b_is_directory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_sort_with_their_slash() {
        let mut names: Vec<(&[u8], bool)> = vec![
            (b"ab", false),
            (b"a", true),
            (b"a.b", false),
            (b"a-b", true),
            (b"a0", false),
            (b"A", false),
            ("\u{e9}".as_bytes(), false),
        ];
        names.sort_by(|a, b| order(*a, *b));
        let sorted: Vec<_> = names
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name))
            .collect();
        assert_eq!(sorted, ["A", "a-b", "a.b", "a", "a0", "ab", "\u{e9}"]);
    }
}
