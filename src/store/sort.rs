/*! The external sort: as many entries of a listing as there are, in the memory of a few.

Entries are collected until they fill their share of memory, sorted, and written to a file as a
run. Runs are merged while they are read. Where there are many, they are first merged into longer
ones, level by level, so that the number of open files grows with the logarithm of the listing.

The files have no name: whatever ends the process, nothing is left of them.
*/

pub(super) mod record;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use super::s3::KeyOrder;
use super::{ErrorKind, StoreError};
use crate::object::{Entry, ObjectKey};

/// What can be sorted: it has a key, and can be written to a file nobody else reads.
pub(super) trait Sortable: fmt::Debug + Send + Sized + 'static {
    /// What it is ordered by.
    fn key(&self) -> &ObjectKey;

    /// Which of two with one key comes first; the other is dropped.
    fn rival(&self, other: &Self) -> Ordering;

    /// About what it takes in memory.
    fn footprint(&self) -> usize;

    /// Writes it.
    fn write(&self, to: &mut impl Write) -> io::Result<()>;

    /// Reads what was written; a file that ends within it is an error.
    fn read(from: &mut impl Read) -> io::Result<Self>;
}

/// What the entries in memory may take before they are written to a file.
const MEMORY: usize = 16 << 20;

/// So many runs of one level are merged to one of the next.
const FAN_IN: usize = 32;

/// Read ahead of each run, and written at once.
const BUFFER: usize = 32 << 10;

/// Collects entries in any order.
#[derive(Debug)]
pub(super) struct Sorter<T> {
    order: KeyOrder,
    dir: PathBuf,
    memory: usize,
    held: Vec<T>,
    held_bytes: usize,
    /// Runs by how often they were merged.
    levels: Vec<Vec<Run<T>>>,
}

impl<T: Sortable> Sorter<T> {
    /// For entries to be put into this order. What does not fit into memory goes to files in `dir`.
    pub(super) fn new(order: KeyOrder, dir: PathBuf) -> Self {
        Self::within(MEMORY, order, dir)
    }

    fn within(memory: usize, order: KeyOrder, dir: PathBuf) -> Self {
        Self {
            order,
            dir,
            memory,
            held: Vec::new(),
            held_bytes: 0,
            levels: Vec::new(),
        }
    }

    /// Takes some more, into memory.
    pub(super) fn extend(&mut self, entries: Vec<T>) {
        self.held_bytes += entries.iter().map(T::footprint).sum::<usize>();
        self.held.extend(entries);
    }

    /// Whether it is time to [spill](Self::spill).
    pub(super) fn is_full(&self) -> bool {
        self.held_bytes >= self.memory
    }

    /// Writes what is in memory to a file. It blocks.
    pub(super) fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let run = Run::written(&self.dir, self.held.drain(..).map(Ok))?;
        self.held_bytes = 0;
        self.add(run, 0)
    }

    /// Everything in order, each key once. It blocks.
    pub(super) fn finish(mut self) -> io::Result<Sorted<T>> {
        self.sort();
        let mut runs: Vec<Run<T>> = self.levels.into_iter().flatten().collect();
        runs.push(Run::Memory(self.held.into_iter()));
        Sorted::of(runs, self.order)
    }

    fn sort(&mut self) {
        let order = self.order;
        self.held.sort_unstable_by(|a, b| precedence(order, a, b));
    }

    fn add(&mut self, run: Run<T>, level: usize) -> io::Result<()> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < FAN_IN {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.levels[level]);
        let longer = Run::written(&self.dir, Sorted::of(runs, self.order)?)?;
        self.add(longer, level + 1)
    }
}

impl Sortable for Entry {
    fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// The later one.
    fn rival(&self, other: &Self) -> Ordering {
        other.modified.cmp(&self.modified)
    }

    fn footprint(&self) -> usize {
        let texts = self.key.as_str().len()
            + self.version.as_deref().map_or(0, str::len)
            + self.etag.as_ref().map_or(0, |_| 32)
            + self.storage_class.as_ref().map_or(0, |_| 48);
        // two counters and what the allocator rounds up to
        size_of::<Self>() + texts + 32
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        record::write(to, self)
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        record::read(from)
    }
}

/// Which of two entries comes first: by their keys, and of two with one key the one that counts.
fn precedence<T: Sortable>(order: KeyOrder, a: &T, b: &T) -> Ordering {
    order.compare(a.key(), b.key()).then_with(|| a.rival(b))
}

/// Entries in order, in memory or in a file.
#[derive(Debug)]
enum Run<T> {
    Memory(std::vec::IntoIter<T>),
    File {
        reader: BufReader<File>,
        /// Entries not read yet.
        left: u64,
    },
}

impl<T: Sortable> Run<T> {
    /// Writes entries to a file without a name.
    fn written(dir: &Path, entries: impl Iterator<Item = io::Result<T>>) -> io::Result<Self> {
        let mut writer = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(dir)?);
        let mut left = 0;
        for entry in entries {
            entry?.write(&mut writer)?;
            left += 1;
        }
        writer.flush()?;
        let mut file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Self::File {
            reader: BufReader::with_capacity(BUFFER, file),
            left,
        })
    }

    fn next(&mut self) -> io::Result<Option<T>> {
        match self {
            Self::Memory(entries) => Ok(entries.next()),
            Self::File { left: 0, .. } => Ok(None),
            Self::File { reader, left } => {
                *left -= 1;
                T::read(reader).map(Some)
            }
        }
    }
}

/// Entries in order, each key once; it ends after the first error. Reading blocks.
#[derive(Debug)]
pub(super) struct Sorted<T> {
    runs: Vec<Run<T>>,
    /// The first entry of each run that has one.
    heads: BinaryHeap<Head<T>>,
    order: KeyOrder,
    /// What was given out last.
    last: Option<ObjectKey>,
}

impl<T: Sortable> Sorted<T> {
    fn of(mut runs: Vec<Run<T>>, order: KeyOrder) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, entries) in runs.iter_mut().enumerate() {
            if let Some(entry) = entries.next()? {
                heads.push(Head { entry, run, order });
            }
        }
        Ok(Self {
            runs,
            heads,
            order,
            last: None,
        })
    }

    fn pop(&mut self) -> io::Result<Option<T>> {
        while let Some(Head { entry, run, .. }) = self.heads.pop() {
            if let Some(next) = self.runs[run].next()? {
                let order = self.order;
                self.heads.push(Head {
                    entry: next,
                    run,
                    order,
                });
            }
            if self.last.as_ref() != Some(entry.key()) {
                self.last = Some(entry.key().clone());
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

impl<T: Sortable> Iterator for Sorted<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.pop().transpose();
        if matches!(next, Some(Err(_))) {
            self.heads.clear();
        }
        next
    }
}

/// The first entry of a run; the greatest of them is the one that comes first.
#[derive(Debug)]
struct Head<T> {
    entry: T,
    run: usize,
    order: KeyOrder,
}

impl<T: Sortable> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        precedence(self.order, &other.entry, &self.entry).then(other.run.cmp(&self.run))
    }
}

impl<T: Sortable> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Sortable> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Sortable> Eq for Head<T> {}

/// Does what waits for the disk, where nobody waits for it; `dir` is where a sort has its files.
pub(super) async fn sorting<T: Send + 'static>(
    dir: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    done.map_err(|error| failed(dir, &error))
}

/// The error of a sort whose files are in `dir`.
pub(super) fn failed(dir: &Path, error: &io::Error) -> StoreError {
    let place = dir.display().to_string();
    let error = StoreError::io("sort the listing", place, error);
    let kind = match error.kind {
        ErrorKind::NoSpace | ErrorKind::TooManyOpenFiles => error.kind,
        _ => ErrorKind::Fatal,
    };
    let message = format!("{}; TMPDIR names another directory for it", error.message);
    StoreError {
        kind,
        message,
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Timestamp;

    fn entry(key: &str, second: i64) -> Entry {
        Entry {
            key: ObjectKey::new(key).expect("short"),
            size: key.len() as u64,
            modified: Timestamp::new(second, 0),
            etag: None,
            version: None,
            storage_class: None,
            checksum: None,
        }
    }

    /// Sorts keys in so little memory, a few at a time; how many files there were in the end.
    fn sorted(memory: usize, order: KeyOrder, entries: &[Entry]) -> (Vec<Entry>, usize) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut sorter = Sorter::within(memory, order, dir.path().to_owned());
        for some in entries.chunks(7) {
            sorter.extend(some.to_vec());
            if sorter.is_full() {
                sorter.spill().expect("spilled");
            }
        }
        let files = sorter.levels.iter().flatten().count();
        let sorted = sorter.finish().expect("merged");
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("a directory").count(),
            0,
            "the files have no names"
        );
        let sorted = sorted.collect::<io::Result<_>>().expect("read back");
        (sorted, files)
    }

    #[test]
    fn any_order_becomes_the_one_wanted_each_key_once() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let count = random.usize(0..3000);
            let mut entries: Vec<Entry> = (0..count)
                .map(|_| {
                    let slash = ["", "/", "//"][random.usize(0..3)];
                    let key = format!("{slash}{}/{}", random.u8(0..20), random.u16(0..2000));
                    entry(&key, 1)
                })
                .collect();
            random.shuffle(&mut entries);
            for order in [KeyOrder::Bytes, KeyOrder::AsInADirectory] {
                let mut expected = entries.clone();
                expected.sort_by(|a, b| order.compare(&a.key, &b.key));
                expected.dedup_by(|a, b| a.key == b.key);
                for memory in [1, 2000, 50_000, usize::MAX] {
                    let (seen, files) = sorted(memory, order, &entries);
                    assert_eq!(seen, expected, "seed {seed} {order:?} {memory}");
                    assert!(files <= 2 * FAN_IN, "seed {seed} {memory}: {files} files");
                    if memory == usize::MAX {
                        assert_eq!(files, 0, "all of it fits into memory");
                    }
                }
            }
        }
    }

    #[test]
    fn of_a_key_that_is_listed_twice_the_later_object_counts() {
        for memory in [1, usize::MAX] {
            for seconds in [[1, 2], [2, 1]] {
                let mut entries: Vec<Entry> = (0..20).map(|n| entry(&format!("a{n}"), 0)).collect();
                entries.insert(3, entry("k", seconds[0]));
                entries.push(entry("k", seconds[1]));
                let (seen, _) = sorted(memory, KeyOrder::Bytes, &entries);
                let k: Vec<_> = seen.iter().filter(|it| it.key.as_str() == "k").collect();
                assert_eq!(k, [&entry("k", 2)], "{memory} {seconds:?}");
                assert_eq!(seen.len(), 21);
            }
        }
    }

    #[test]
    fn no_place_for_files_is_an_error() {
        let mut sorter = Sorter::within(1, KeyOrder::Bytes, "/nowhere/at/all".into());
        sorter.extend(vec![entry("a", 1)]);
        assert!(sorter.spill().is_err());
    }
}
