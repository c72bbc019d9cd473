/*! What a run may leave behind if it is killed: `journal.ndjson` beside the job's history.

A line is written before a temporary file can be there and before an upload is asked for, again once
the upload's id is known, and when nothing of it is left. Written means handed to the kernel, which a
killed process cannot take back; the disk is waited for once, before the first temporary file of a
target, and told of uploads from a thread beside. All temporary files of one target share one line:
their names have a token in common, which a sweep of the tree finds.

A run that ends well leaves no line, and then no file. What is found by the next run of the job is
the pair's to whose target it belongs, by the name the pair had; [`Journal`] is what the pair sees.
*/

mod file;
#[cfg(test)]
mod fuzz;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex};

use self::file::{JournalFile, Record, What};
use super::lock::has_name;
use super::place::Place;
use crate::config::{Job, Pair};
use crate::context::{Entry, Journal, Left, Leftover};
use crate::event::locked;
use crate::object::Timestamp;
use crate::store::{LeftFiles, LeftUpload, UnheardUpload, Unwitnessed, Witness};

/// The journals of a job's pairs; of none where nothing is to be left behind.
#[derive(Debug, Default)]
pub(super) struct Journals {
    run: Option<Arc<RunJournal>>,
    pairs: HashMap<String, Arc<PairJournal>>,
}

impl Journals {
    /// For a run that may leave something behind, of a job whose places are still those it says.
    /// Nothing is written before there is something to write down.
    pub(super) fn open(job: &Job, run: &str) -> Self {
        let run = match RunJournal::open(job, run) {
            Ok(run) => Arc::new(run),
            Err(error) => {
                tracing::warn!(%error, "the journal of the job cannot be read: what a killed run left behind stays, and so would what this one leaves");
                return Self::default();
            }
        };
        let of_pair = |pair: &Pair| {
            (
                pair.name.clone(),
                Arc::new(PairJournal::new(&run, job, pair)),
            )
        };
        Self {
            pairs: job.pairs.iter().map(of_pair).collect(),
            run: Some(run),
        }
    }

    /// That of one pair.
    pub(super) fn of(&self, pair: &str) -> Arc<dyn Journal> {
        match self.pairs.get(pair) {
            Some(journal) => Arc::clone(journal) as Arc<dyn Journal>,
            None => Arc::new(Unwitnessed),
        }
    }

    /// The run has ended: what is left is for the next one.
    pub(super) fn finish(&self) {
        if let Some(run) = &self.run {
            run.finish();
        }
    }
}

/// The journal of one run.
#[derive(Debug)]
struct RunJournal {
    run: String,
    state: Mutex<State>,
    /// All pairs of the job, whether they run now or not; none where jobs that are not the same
    /// share its name.
    pairs: Option<Vec<String>>,
}

#[derive(Debug)]
struct State {
    file: JournalFile,
    /// What is left, by its name; that of earlier runs comes first.
    open: BTreeMap<u64, Record>,
    next: u64,
    /// Whether it was said that it cannot be written.
    is_broken: bool,
}

impl RunJournal {
    fn open(job: &Job, run: &str) -> io::Result<Self> {
        let directory = job.report.dir.join(&job.name);
        let (file, left) = JournalFile::open(&directory, run)?;
        let open: BTreeMap<_, _> = (1..).zip(left).collect();
        let state = State {
            next: open.len() as u64 + 1,
            open,
            file,
            is_broken: false,
        };
        let this = Self {
            run: run.to_owned(),
            state: Mutex::new(state),
            pairs: has_name(job).then(|| job.pair_names.clone()),
        };
        this.warn_of_the_homeless(job);
        Ok(this)
    }

    fn finish(&self) {
        let mut state = locked(&self.state);
        let State { file, open, .. } = &mut *state;
        if let Err(error) = file.finish(open) {
            tracing::warn!(path = %file.path().display(), %error, "the journal cannot be brought to the disk");
        }
    }

    /// What no pair can clean, because none writes there any more, is said.
    fn warn_of_the_homeless(&self, job: &Job) {
        let places: Vec<Place> = (job.pairs.iter())
            .map(|pair| Place::of_target(job, pair))
            .collect();
        for record in locked(&self.state).open.values() {
            if !places.iter().any(|place| record.is_at(place)) {
                tracing::warn!(
                    run = record.run,
                    target = record.target,
                    what = ?record.what,
                    "a run that was killed left this behind, and no pair that runs now writes there"
                );
            }
        }
    }

    fn write(state: &mut State, entry: u64, durably: bool) {
        let State {
            file,
            open,
            is_broken,
            ..
        } = state;
        let written = match open.get(&entry) {
            Some(record) => file.opened(entry, record, durably),
            None => file.closed(entry),
        };
        let written = written.and_then(|()| file.compact_if_long(open));
        if let Err(error) = written
            && !std::mem::replace(is_broken, true)
        {
            tracing::warn!(path = %file.path().display(), %error, "the journal cannot be written; what a killed run leaves behind would stay");
        }
    }
}

/// What of a run's journal is one pair's.
#[derive(Debug)]
struct PairJournal {
    run: Arc<RunJournal>,
    pair: String,
    place: Place,
}

impl PairJournal {
    fn new(run: &Arc<RunJournal>, job: &Job, pair: &Pair) -> Self {
        Self {
            run: Arc::clone(run),
            pair: pair.name.clone(),
            place: Place::of_target(job, pair),
        }
    }

    fn add(&self, made_from: &str, what: What, durably: bool) -> Entry {
        let record = Record {
            run: self.run.run.clone(),
            pair: self.pair.clone(),
            ts: Timestamp::now().rfc3339_millis(),
            target: self.place.root.clone(),
            endpoint: self.place.endpoint.clone(),
            made_from: made_from.to_owned(),
            what,
            is_taken: false,
        };
        let mut state = locked(&self.run.state);
        let entry = state.next;
        state.next += 1;
        state.open.insert(entry, record);
        RunJournal::write(&mut state, entry, durably);
        Entry(entry)
    }

    /// What an earlier run has left and is for this pair: its own, or that of one the job does not
    /// have any more. Of a job without a name only what was left at the very same place: all else
    /// may be another job's, which comes back to it.
    fn is_left_here(&self, record: &Record) -> bool {
        record.run != self.run.run
            && !record.is_taken
            && record.is_at(&self.place)
            && match &self.run.pairs {
                Some(pairs) => record.pair == self.pair || !pairs.contains(&record.pair),
                None => record.pair == self.pair && record.target == self.place.root,
            }
    }

    fn leftovers(&self, which: impl Fn(&Record) -> bool) -> Vec<Leftover> {
        let state = locked(&self.run.state);
        let open = state.open.iter().filter(|(_, record)| which(record));
        open.map(|(entry, record)| record.leftover(*entry))
            .collect()
    }
}

impl Journal for PairJournal {
    fn asking(&self, upload: UnheardUpload, made_from: &str) -> Entry {
        self.add(made_from, What::Unheard(upload), false)
    }

    fn begun(&self, entry: Entry, upload: &LeftUpload) {
        let mut state = locked(&self.run.state);
        if let Some(record) = state.open.get_mut(&entry.0) {
            record.what = What::Upload(upload.clone());
            RunJournal::write(&mut state, entry.0, true);
        }
    }

    fn ended(&self, entry: Entry) {
        let mut state = locked(&self.run.state);
        if state.open.remove(&entry.0).is_some() {
            RunJournal::write(&mut state, entry.0, false);
        }
    }

    fn take(&self, key: &str) -> Vec<Leftover> {
        let mut state = locked(&self.run.state);
        let open = state.open.iter_mut();
        // those of earlier runs are few, and come first
        let open = open.take_while(|(_, record)| record.run != self.run.run);
        let of_key = open.filter(|(_, record)| {
            matches!(&record.what, What::Upload(upload) if upload.key == key)
                && self.is_left_here(record)
        });
        of_key
            .map(|(entry, record)| {
                record.is_taken = true;
                record.leftover(*entry)
            })
            .collect()
    }

    fn untaken(&self) -> Vec<Leftover> {
        self.leftovers(|record| self.is_left_here(record))
    }

    fn unended(&self) -> Vec<Leftover> {
        self.leftovers(|record| {
            let is_upload = !matches!(record.what, What::TemporaryFiles(_));
            let is_own = record.run == self.run.run || record.is_taken;
            is_upload && is_own && record.pair == self.pair && record.is_at(&self.place)
        })
    }
}

impl Witness for PairJournal {
    fn temporary_files(&self, files: LeftFiles) {
        self.add("", What::TemporaryFiles(files), true);
    }

    fn no_temporary_files(&self, token: &str) {
        let of_token = |record: &Record| matches!(&record.what, What::TemporaryFiles(files) if files.token == token);
        for left in self.leftovers(of_token) {
            self.ended(left.entry);
        }
    }
}

impl Record {
    /// Whether a pair that writes there can remove it.
    fn is_at(&self, place: &Place) -> bool {
        let own = Place {
            root: self.target.clone(),
            endpoint: self.endpoint.clone(),
        };
        own.store() == place.store() && own.endpoint == place.endpoint
    }

    fn leftover(&self, entry: u64) -> Leftover {
        Leftover {
            entry: Entry(entry),
            made_from: self.made_from.clone(),
            what: match &self.what {
                What::Upload(upload) => Left::Upload(upload.clone()),
                What::Unheard(unheard) => Left::Unheard(unheard.clone()),
                What::TemporaryFiles(files) => Left::TemporaryFiles(files.clone()),
            },
        }
    }
}
