//! The file: lines that are appended, held by a lock that ends with its process.
//!
//! A run locks the file for as long as it lives, so that what a living run has under way is never
//! taken for something left behind. Where another run of the same name holds it, the run keeps a
//! file of its own beside it (`journal.<run>.ndjson`), which a later run takes over.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::ops::Deref;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::store::{LeftFiles, LeftUpload, UnheardUpload};

/// The version of a line's form.
const VERSION: u32 = 1;

/// The file is rewritten when it is longer than this, and most of it says nothing any more.
const LONG: u64 = 1 << 20;

/// So much does a line that still says something take, about.
const OF_A_LINE: u64 = 1024;

/// Something that may have to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) run: String,
    pub(super) pair: String,
    pub(super) ts: String,
    /// Where it is: `s3://bucket/prefix` or `/path/`, and at which endpoint.
    pub(super) target: String,
    pub(super) endpoint: Option<String>,
    pub(super) made_from: String,
    pub(super) what: What,
    /// Whether somebody of this run has it.
    #[serde(skip)]
    pub(super) is_taken: bool,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Upload(LeftUpload),
    Unheard(UnheardUpload),
    TemporaryFiles(LeftFiles),
}

/// One line. The last one of an entry counts.
#[derive(Debug, Serialize, Deserialize)]
struct Line<R> {
    v: u32,
    entry: u64,
    /// `None` where nothing of it is left.
    left: Option<R>,
}

/// The file of one run.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    /// Where the run writes if somebody else has the file.
    own_path: PathBuf,
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: LockedFile,
    length: u64,
    /// Brings it to the disk.
    sync: Option<SyncSender<()>>,
}

impl JournalFile {
    /// Takes over what runs have left that are not alive any more.
    pub(super) fn open(directory: &Path, run: &str) -> io::Result<(Self, Vec<Record>)> {
        let mut this = Self {
            path: directory.join("journal.ndjson"),
            own_path: directory.join(format!("journal.{run}.ndjson")),
            writer: None,
        };
        let mut left = Vec::new();
        let mut taken = Vec::new();
        for path in journals(directory)? {
            let Locked::By(file) = lock(&path)? else {
                continue;
            };
            let mut bytes = Vec::new();
            (&*file).read_to_end(&mut bytes)?;
            left.extend(read(&bytes, &path));
            taken.push((path, file));
        }
        if !left.is_empty() {
            let open = (1..).zip(left.iter().cloned()).collect();
            this.rewrite(&open, &taken)?;
        }
        for (path, _held) in &taken {
            if left.is_empty() || *path != this.path {
                fs::remove_file(path)?;
            }
        }
        Ok((this, left))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down that something may be there from now on.
    pub(super) fn opened(&mut self, entry: u64, record: &Record, durably: bool) -> io::Result<()> {
        let writer = self.writer()?;
        writer.write(&line(entry, Some(record))?)?;
        match (&record.what, durably) {
            // one for all of them, before there is any
            (What::TemporaryFiles(_), true) => writer.file.sync_data(),
            (_, true) => {
                writer.sync_soon();
                Ok(())
            }
            (_, false) => Ok(()),
        }
    }

    /// Writes down that nothing of it is left.
    pub(super) fn closed(&mut self, entry: u64) -> io::Result<()> {
        let line = line(entry, None)?;
        self.writer()?.write(&line)
    }

    /// Replaces the file by one of what is left, when that is worth it.
    pub(super) fn compact_if_long(&mut self, open: &BTreeMap<u64, Record>) -> io::Result<()> {
        let length = self.writer.as_ref().map_or(0, |writer| writer.length);
        if length < LONG.max(4 * OF_A_LINE * open.len() as u64) {
            return Ok(());
        }
        self.rewrite(open, &[])
    }

    /// Leaves what is left on the disk; where that is nothing, no file.
    pub(super) fn finish(&mut self, open: &BTreeMap<u64, Record>) -> io::Result<()> {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        if open.is_empty() {
            return fs::remove_file(&self.path);
        }
        writer.file.sync_data()
    }

    /// The file to append to, made when the first line is written.
    fn writer(&mut self) -> io::Result<&mut Writer> {
        if self.writer.is_none() {
            let file = match create(&self.path)? {
                Locked::By(file) => file,
                Locked::BySomebodyElse => {
                    self.path.clone_from(&self.own_path);
                    let Locked::By(file) = create(&self.path)? else {
                        return Err(io::Error::other("another process has locked it"));
                    };
                    file
                }
            };
            let length = file.metadata()?.len();
            self.writer = Some(Writer::new(file, length));
        }
        Ok(self.writer.as_mut().expect("made above"))
    }

    /// A new file in place of the old one, which was locked before anybody can see it. Whoever
    /// waits for the old one sees that it is another.
    fn rewrite(
        &mut self,
        open: &BTreeMap<u64, Record>,
        taken: &[(PathBuf, LockedFile)],
    ) -> io::Result<()> {
        let holds = self.writer.is_some() || taken.iter().any(|(path, _)| *path == self.path);
        if !holds {
            match create(&self.path)? {
                Locked::By(file) => self.writer = Some(Writer::new(file, 0)),
                Locked::BySomebodyElse => self.path.clone_from(&self.own_path),
            }
        }
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let beside = tempfile::Builder::new()
            .prefix(".journal-")
            .tempfile_in(directory)?;
        let mut bytes = Vec::new();
        for (entry, record) in open {
            bytes.extend(line(*entry, Some(record))?);
        }
        let file = OpenOptions::new().append(true).open(beside.path())?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let file = LockedFile(file);
        (&*file).write_all(&bytes)?;
        file.sync_all()?;
        beside.persist(&self.path)?;
        File::open(directory)?.sync_all()?;
        self.writer = Some(Writer::new(file, bytes.len() as u64));
        Ok(())
    }
}

impl Writer {
    fn new(file: LockedFile, length: u64) -> Self {
        Self {
            file,
            length,
            sync: None,
        }
    }

    /// One write: what a killed process leaves is whole, or one damaged line at the end.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        (&*self.file).write_all(line)?;
        self.length += line.len() as u64;
        Ok(())
    }

    /// Has the disk told without waiting for it; lines that come meanwhile go with the next.
    fn sync_soon(&mut self) {
        if self.sync.is_none() {
            self.sync = self.file.try_clone().ok().and_then(|file| {
                let (orders, waiting) = sync_channel::<()>(1);
                let work = move || {
                    while waiting.recv().is_ok() {
                        if let Err(error) = file.sync_data() {
                            tracing::warn!(%error, "the journal cannot be brought to the disk");
                        }
                    }
                };
                let thread = thread::Builder::new().name("journal".to_owned());
                thread.spawn(work).ok().map(|_| orders)
            });
        }
        if let Some(sync) = &self.sync {
            match sync.try_send(()) {
                // one that has not begun yet does for this as well
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            }
        }
    }
}

/// A file that is locked until this is dropped. The thread that syncs may have it open for a moment
/// longer, and so may a program that is just being started.
#[derive(Debug)]
struct LockedFile(File);

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// Whose a file is.
enum Locked {
    By(LockedFile),
    BySomebodyElse,
}

/// Locks a file that is there; one that went away meanwhile is nobody's business any more.
fn lock(path: &Path) -> io::Result<Locked> {
    lock_with(path, OpenOptions::new().read(true).append(true))
}

/// Locks a file, which is made if it is not there.
fn create(path: &Path) -> io::Result<Locked> {
    lock_with(path, OpenOptions::new().create(true).append(true))
}

fn lock_with(path: &Path, options: &OpenOptions) -> io::Result<Locked> {
    loop {
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Locked::BySomebodyElse);
            }
            file => file?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(Locked::BySomebodyElse),
            Err(error) => return Err(error.into()),
        }
        let file = LockedFile(file);
        // it may have been replaced or removed since it was opened
        let is_there = fs::metadata(path);
        if is_there.is_ok_and(|there| Some(there.ino()) == file.metadata().ok().map(|it| it.ino()))
        {
            return Ok(Locked::By(file));
        }
    }
}

/// The journals of a job: of runs that are alive, and of those that are not.
fn journals(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(paths),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("journal.") && name.ends_with("ndjson") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// What the lines leave. A damaged one is told and passed over: the last one of a killed run may
/// be torn.
fn read(bytes: &[u8], path: &Path) -> Vec<Record> {
    let mut open = BTreeMap::new();
    for (number, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line<Record>>(text) {
            Ok(Line {
                v: VERSION,
                entry,
                left: Some(record),
            }) => {
                open.insert(entry, record);
            }
            Ok(Line {
                v: VERSION,
                entry,
                left: None,
            }) => {
                open.remove(&entry);
            }
            Ok(Line { v, .. }) => {
                tracing::warn!(path = %path.display(), number, v, "a line of another version is passed over");
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), number, %error, "a damaged line is passed over");
            }
        }
    }
    open.into_values().collect()
}

fn line(entry: u64, left: Option<&Record>) -> io::Result<Vec<u8>> {
    let v = VERSION;
    let mut bytes = serde_json::to_vec(&Line { v, entry, left })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::DirectoryId;

    pub(in super::super) fn record(token: &str) -> Record {
        Record {
            run: "r".to_owned(),
            pair: "p".to_owned(),
            ts: "t".to_owned(),
            target: "/root/".to_owned(),
            endpoint: None,
            made_from: String::new(),
            what: What::TemporaryFiles(LeftFiles {
                token: token.to_owned(),
                below: None,
            }),
            is_taken: false,
        }
    }

    fn left(directory: &Path, run: &str) -> Vec<Record> {
        JournalFile::open(directory, run).expect("readable").1
    }

    #[test]
    fn what_was_not_closed_is_found_whatever_the_last_line_is() {
        let dir = tempfile::tempdir().expect("tempdir");
        assert_eq!(left(dir.path(), "0"), []);
        let (mut file, _) = JournalFile::open(dir.path(), "1").expect("a journal");
        for (entry, token) in [(1, "a"), (2, "b"), (3, "c")] {
            file.opened(entry, &record(token), true).expect("written");
        }
        file.closed(2).expect("written");
        file.writer()
            .expect("open")
            .write(b"{\"v\":1,\"ent")
            .expect("torn");
        drop(file);
        for run in ["2", "3"] {
            assert_eq!(left(dir.path(), run), [record("a"), record("c")], "{run}");
        }
    }

    #[test]
    fn a_line_of_files_is_read_whether_it_says_which_directory_they_are_below_or_not() {
        let known = |file_system| Record {
            what: What::TemporaryFiles(LeftFiles {
                token: "a".to_owned(),
                below: Some(DirectoryId {
                    device: u64::MAX,
                    inode: 2,
                    file_system,
                }),
            }),
            ..record("")
        };
        for (files, expected) in [
            (r#"{"token":"a"}"#, record("a")),
            (
                r#"{"token":"a","below":{"device":18446744073709551615,"inode":2}}"#,
                known(None),
            ),
            (
                r#"{"token":"a","below":{"device":18446744073709551615,"inode":2,"file_system":7}}"#,
                known(Some(7)),
            ),
        ] {
            let text = format!(
                r#"{{"v":1,"entry":1,"left":{{"run":"r","pair":"p","ts":"t","target":"/root/","endpoint":null,"made_from":"","what":{{"temporary_files":{files}}}}}}}"#
            );
            let path = Path::new("journal.ndjson");
            let written = line(1, Some(&expected)).expect("a line");
            assert_eq!(String::from_utf8_lossy(&written), format!("{text}\n"));
            assert_eq!(read(text.as_bytes(), path), [expected], "{files}");
        }
    }

    #[test]
    fn a_run_that_leaves_nothing_leaves_no_file() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (mut file, _) = JournalFile::open(dir.path(), "1").expect("a journal");
        file.finish(&BTreeMap::new()).expect("nothing to do");
        file.opened(1, &record("a"), false).expect("written");
        assert!(file.path().exists());
        file.closed(1).expect("written");
        file.finish(&BTreeMap::new()).expect("removed");
        assert!(!file.path().exists());
    }

    #[test]
    fn what_a_living_run_has_is_not_left_behind() {
        let dir = tempfile::tempdir().expect("tempdir");
        let open = |run| JournalFile::open(dir.path(), run).expect("a journal");
        let (mut first, _) = open("1");
        first.opened(1, &record("a"), false).expect("written");
        let (mut second, left) = open("2");
        assert_eq!(left, [], "the first is alive");
        second.opened(1, &record("b"), false).expect("written");
        assert_ne!(first.path(), second.path());
        drop(first);
        drop(second);
        let (third, mut left) = open("3");
        left.sort_by_key(|record| format!("{:?}", record.what));
        assert_eq!(left, [record("a"), record("b")]);
        let names = journals(dir.path()).expect("readable");
        assert_eq!(names, [third.path()], "one file has it all");
    }

    /// As it is by the thread that syncs, and by a program that is just being started.
    #[test]
    fn what_a_run_left_is_found_though_a_copy_of_its_file_is_open() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (mut file, _) = JournalFile::open(dir.path(), "1").expect("a journal");
        file.opened(1, &record("a"), true).expect("written");
        let _copy = file.writer().expect("open").file.try_clone();
        drop(file);
        assert_eq!(left(dir.path(), "2"), [record("a")]);
    }

    #[test]
    fn a_long_file_is_replaced_by_what_is_left() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (mut file, _) = JournalFile::open(dir.path(), "1").expect("a journal");
        let open = BTreeMap::from([(1, record("a"))]);
        file.opened(1, &record("a"), false).expect("written");
        for entry in 2..8000 {
            file.opened(entry, &record("b"), false).expect("written");
            file.closed(entry).expect("written");
            file.compact_if_long(&open).expect("rewritten");
        }
        let length = fs::metadata(file.path()).expect("a file").len();
        assert!(length < LONG + OF_A_LINE, "{length}");
        let (_, other) = JournalFile::open(dir.path(), "2").expect("a journal");
        assert_eq!(other, [], "it is still held");
        drop(file);
        assert_eq!(left(dir.path(), "3"), [record("a")]);
    }
}
