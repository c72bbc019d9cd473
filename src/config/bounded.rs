//! Reading files that may be anything: never more than a bound, never what has no end.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::units::write_size;

/// What a file holds.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Whether every user of the machine may read it.
    pub(super) is_for_everybody: bool,
}

/// Whether what another process writes at the moment may be read, such as `<(command)` of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipes {
    Read,
    Refuse,
}

/// Reads a file of at most `most` bytes. The error says what is wrong with it, as the second half
/// of a sentence.
pub(super) fn read(path: &Path, most: u64, pipes: Pipes) -> Result<Content, String> {
    // a pipe that nobody writes to would be waited for when it is opened
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| cause(&error))?;
    let metadata = file.metadata().map_err(|error| cause(&error))?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err("it is a directory".to_owned());
    }
    if kind.is_fifo() && pipes == Pipes::Read {
        rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(|error| cause(&error.into()))?;
    } else if kind.is_fifo() {
        return Err("it is a pipe, not a file".to_owned());
    } else if !kind.is_file() {
        return Err("it is a device, not a file".to_owned());
    }
    if metadata.len() > most {
        return Err(too_large(most));
    }
    Ok(Content {
        bytes: read_all(file, most)?,
        is_for_everybody: kind.is_file() && metadata.permissions().mode() & 0o004 != 0,
    })
}

/// Reads to the end, or to the bound, which is an error.
pub(super) fn read_all(from: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cause(&error))?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

/// Why the system refused, in its words without its number.
pub(super) fn cause(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn too_large(most: u64) -> String {
    format!("it is larger than {}", write_size(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_has_no_end_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b'x'; 1025]).expect("written");
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .expect("a pipe");
        for (path, said) in [
            (Path::new("/"), "it is a directory"),
            (Path::new("/dev/zero"), "it is a device, not a file"),
            (Path::new("/dev/null"), "it is a device, not a file"),
            (Path::new("/nowhere/at/all"), "no such file or directory"),
            (&large, "it is larger than 1KiB"),
            (&pipe, "it is a pipe, not a file"),
        ] {
            let seen = read(path, 1024, Pipes::Refuse).map(|content| content.bytes.len());
            assert_eq!(seen.err().as_deref(), Some(said), "{}", path.display());
        }
        // a pipe without a writer has nothing in it, and is not waited for
        let content = read(&pipe, 1024, Pipes::Read).expect("an end");
        assert!(content.bytes.is_empty());
    }

    #[test]
    fn a_file_of_the_largest_size_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, vec![b'x'; 1024]).expect("written");
        for (mode, is_for_everybody) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
            let content = read(&path, 1024, Pipes::Refuse).expect("read");
            assert_eq!(content.bytes.len(), 1024);
            assert_eq!(content.is_for_everybody, is_for_everybody, "{mode:o}");
        }
    }
}
