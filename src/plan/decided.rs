/*! The keys a plan has decided on, so that one that begins anew decides on none of them again.

They come in the order of their names, so that each is written as what it has other than the one
before. A few thousand fit into memory; more go to a file that has no name, of some twenty bytes a
key, and are read again beside the listing they are looked for in.
*/

use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};

use tempfile::SpooledTempFile;

/// What stays in memory.
const MEMORY: usize = 256 << 10;

/// Written and read at once.
const BUFFER: usize = 16 << 10;

/// The keys decided on, in the order they came.
#[derive(Debug)]
pub(super) struct Decided {
    /// Compare keys without one leading slash, as a directory has them.
    strip: bool,
    log: io::Result<Log>,
    earlier: Option<Earlier>,
}

impl Decided {
    /// Nothing so far.
    pub(super) fn new(strip: bool) -> Self {
        Self {
            strip,
            log: Ok(Log::new()),
            earlier: None,
        }
    }

    /// Takes the next key, which was decided on. What cannot be kept is told by
    /// [`begin_anew`](Self::begin_anew).
    pub(super) fn add(&mut self, key: &str) {
        match &mut self.earlier {
            None => add(&mut self.log, key),
            Some(earlier) if earlier.here.iter().any(|known| known == key) => {}
            Some(earlier) => earlier.here.push(key.to_owned()),
        }
    }

    /// Whether an earlier plan decided on this key. Keys are asked for in the order of their
    /// names.
    pub(super) fn has(&mut self, key: &str) -> bool {
        let name = name(self.strip, key);
        self.here(name).iter().any(|known| known == key)
    }

    /// Whether an earlier plan decided on a key of this name; asked in order as well.
    pub(super) fn has_name(&mut self, name: &str) -> bool {
        !self.here(name).is_empty()
    }

    /// The same keys, to be asked for from the first on.
    pub(super) fn begin_anew(mut self) -> io::Result<Self> {
        while let Some(earlier) = &mut self.earlier {
            earlier.pass(&mut self.log);
            match earlier.head.take() {
                None => break,
                Some(head) => earlier.here.push(head),
            }
            earlier.read(&mut self.log);
        }
        Ok(Self {
            strip: self.strip,
            log: Ok(Log::new()),
            earlier: Some(Earlier::of(self.log?)?),
        })
    }

    /// The earlier keys of this name.
    fn here(&mut self, wanted: &str) -> &[String] {
        let Some(earlier) = &mut self.earlier else {
            return &[];
        };
        if earlier.name != wanted {
            earlier.pass(&mut self.log);
            wanted.clone_into(&mut earlier.name);
            while let Some(head) = &earlier.head {
                let at = name(self.strip, head);
                if at > wanted {
                    break;
                }
                if at < wanted {
                    add(&mut self.log, head);
                } else {
                    earlier.here.push(head.clone());
                }
                earlier.read(&mut self.log);
            }
        }
        &earlier.here
    }
}

fn name(strip: bool, key: &str) -> &str {
    if strip {
        key.strip_prefix('/').unwrap_or(key)
    } else {
        key
    }
}

fn add(log: &mut io::Result<Log>, key: &str) {
    if let Ok(open) = log
        && let Err(error) = open.write(key)
    {
        *log = Err(error);
    }
}

/// Keys being written.
#[derive(Debug)]
struct Log {
    file: BufWriter<SpooledTempFile>,
    last: String,
    count: u64,
}

impl Log {
    fn new() -> Self {
        Self {
            file: BufWriter::with_capacity(BUFFER, tempfile::spooled_tempfile(MEMORY)),
            last: String::new(),
            count: 0,
        }
    }

    fn write(&mut self, key: &str) -> io::Result<()> {
        let both = self.last.bytes().zip(key.bytes());
        let shared = both.take_while(|(a, b)| a == b).count();
        let rest = &key.as_bytes()[shared..];
        for length in [shared, rest.len()] {
            let length = u16::try_from(length).map_err(io::Error::other)?;
            self.file.write_all(&length.to_le_bytes())?;
        }
        self.file.write_all(rest)?;
        key.clone_into(&mut self.last);
        self.count += 1;
        Ok(())
    }
}

/// Keys of an earlier plan, being read.
#[derive(Debug)]
struct Earlier {
    file: BufReader<SpooledTempFile>,
    left: u64,
    last: Vec<u8>,
    /// The next one.
    head: Option<String>,
    /// What was asked for last.
    name: String,
    /// Its keys: the earlier plan's and this one's.
    here: Vec<String>,
}

impl Earlier {
    fn of(log: Log) -> io::Result<Self> {
        let mut file = log
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut earlier = Self {
            file: BufReader::with_capacity(BUFFER, file),
            left: log.count,
            last: Vec::new(),
            head: None,
            name: String::new(),
            here: Vec::new(),
        };
        earlier.head = earlier.next()?;
        Ok(earlier)
    }

    /// Writes those of the name asked for last.
    fn pass(&mut self, log: &mut io::Result<Log>) {
        for key in self.here.drain(..) {
            add(log, &key);
        }
    }

    fn read(&mut self, log: &mut io::Result<Log>) {
        match self.next() {
            Ok(head) => self.head = head,
            Err(error) => {
                self.head = None;
                *log = Err(error);
            }
        }
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut lengths = [0; 4];
        self.file.read_exact(&mut lengths)?;
        let [a, b, c, d] = lengths;
        let (shared, rest) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let at = usize::from(shared);
        self.last.resize(at + usize::from(rest), 0);
        self.file.read_exact(&mut self.last[at..])?;
        let key = String::from_utf8(self.last.clone()).map_err(io::Error::other)?;
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_decided_on_is_known_however_often_it_begins_anew() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let strip = random.bool();
            let slash = if strip { "/" } else { "" };
            // in the order of their names, of one name the one without the slash first
            let all: BTreeSet<(String, String)> = (0..random.usize(1..2000))
                .map(|_| {
                    let name = format!("é{}/{}", random.u8(0..30), random.u16(0..400));
                    let slash = if random.bool() { slash } else { "" };
                    (name.clone(), format!("{slash}{name}"))
                })
                .collect();
            let mut all: Vec<_> = all.into_iter().collect();
            all.sort_by_key(|(name, key)| (name.clone(), key.len()));
            let mut known = BTreeSet::new();
            let mut decided = Decided::new(strip);
            for pass in 0..4 {
                let until = random.usize(0..=all.len());
                let before = known.clone();
                for (name, key) in &all[..until] {
                    if random.u8(0..4) == 0 {
                        continue;
                    }
                    let has_name = all
                        .iter()
                        .any(|(other, key)| other == name && before.contains(key));
                    // of one name, what this pass has added is known as well
                    assert!(
                        decided.has_name(name) || !has_name,
                        "seed {seed} {pass} {name}"
                    );
                    let was = known.contains(key);
                    assert_eq!(decided.has(key), was, "seed {seed} pass {pass} {key}");
                    decided.add(key);
                    known.insert(key.clone());
                }
                decided = decided.begin_anew().expect("kept");
            }
            for (_, key) in &all {
                assert_eq!(decided.has(key), known.contains(key), "seed {seed} {key}");
            }
        }
    }
}
