//! What a pair writes down of what it would leave behind if it were killed, and what it finds that
//! an earlier run has left.

use crate::store::{LeftFiles, LeftUpload, UnheardUpload, Unwitnessed, Witness};

/// A journal as one pair sees it: nothing of another target is in it.
pub trait Journal: Witness {
    /// An upload is about to be asked for. It is to be told of once it has begun, and when it has
    /// ended.
    fn asking(&self, upload: UnheardUpload, made_from: &str) -> Entry;

    /// It has begun, or is gone on with.
    fn begun(&self, entry: Entry, upload: &LeftUpload);

    /// Nothing of it is left.
    fn ended(&self, entry: Entry);

    /// What earlier runs have left of the uploads of one whole key. Nobody else gets it: whoever
    /// takes it goes on with it, or ends it.
    fn take(&self, key: &str) -> Vec<Leftover>;

    /// What earlier runs have left and nobody has taken.
    fn untaken(&self) -> Vec<Leftover>;

    /// What this pair has begun in this run and not ended.
    fn unended(&self) -> Vec<Leftover>;
}

/// Names something in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry(pub u64);

/// Something that may be at the target and should not stay there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its name in the journal.
    pub entry: Entry,
    /// What an upload was made from, as whoever began it has it.
    pub made_from: String,
    /// What it is.
    pub what: Left,
}

/// What it is that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// An upload.
    Upload(LeftUpload),
    /// An upload that may never have begun.
    Unheard(UnheardUpload),
    /// Temporary files.
    TemporaryFiles(LeftFiles),
}

/// Nothing is written down, and nothing found.
impl Journal for Unwitnessed {
    fn asking(&self, _: UnheardUpload, _: &str) -> Entry {
        Entry(0)
    }

    fn begun(&self, _: Entry, _: &LeftUpload) {}

    fn ended(&self, _: Entry) {}

    fn take(&self, _: &str) -> Vec<Leftover> {
        Vec::new()
    }

    fn untaken(&self) -> Vec<Leftover> {
        Vec::new()
    }

    fn unended(&self) -> Vec<Leftover> {
        Vec::new()
    }
}
