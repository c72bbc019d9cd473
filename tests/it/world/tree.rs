//! A directory to sync from or to.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::content;

/// Unless a test says otherwise, files are this old: no second of an upload.
const LONG_AGO: i64 = 1_600_000_000;

/// A directory.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The directory, made if it is not there.
    pub(crate) fn at(root: PathBuf) -> Self {
        fs::create_dir_all(&root).expect("a directory");
        Self { root }
    }

    /// Its path as text.
    pub(crate) fn path(&self) -> &str {
        self.root.to_str().expect("the world's paths are UTF-8")
    }

    /// The path of a name below it.
    pub(crate) fn join(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.root.join(Path::new(name.as_ref()))
    }

    /// Writes a file of this size whose content follows from its name.
    pub(crate) fn file(&self, name: &str, size: usize) -> &Self {
        self.write(name, &content(name, size))
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> &Self {
        let path = self.join(name.as_ref());
        fs::create_dir_all(path.parent().expect("below the root")).expect("its directory");
        fs::write(&path, bytes).expect("a file");
        self.touch(name, LONG_AGO)
    }

    /// Sets the time of a file, in seconds since 1970.
    pub(crate) fn touch(&self, name: impl AsRef<OsStr>, seconds: i64) -> &Self {
        let file = File::options().write(true).open(self.join(name));
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 {
            UNIX_EPOCH - distance
        } else {
            UNIX_EPOCH + distance
        };
        file.expect("a file").set_modified(time).expect("a time");
        self
    }

    /// Sets the time of a file to now.
    pub(crate) fn touch_now(&self, name: impl AsRef<OsStr>) -> &Self {
        let file = File::options().write(true).open(self.join(name));
        let file = file.expect("a file");
        file.set_modified(SystemTime::now()).expect("a time");
        self
    }

    /// All files below it by their keys; symbolic links are not followed.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.paths()
            .into_iter()
            .map(|path| {
                let name = path.strip_prefix(&self.root).expect("below the root");
                let name = String::from_utf8_lossy(name.as_os_str().as_bytes()).into_owned();
                (name, fs::read(&path).expect("a file"))
            })
            .collect()
    }

    fn paths(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let entry = entry.expect("an entry");
                let kind = entry.file_type().expect("its kind");
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files
    }
}
