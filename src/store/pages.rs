//! What listings come in: pages of entries, and of what is none.

use futures::stream::BoxStream;

use super::StoreError;
use crate::object::{Entry, ObjectKey};

/// The pages of a listing in ascending byte order of key, across pages too; a bucket that is
/// compared with a directory lists by the names keys have there
/// ([`KeyOrder`](super::s3::KeyOrder)). It ends after the first error: a listing is complete only
/// if it ended without one.
pub type Listing = BoxStream<'static, Result<Page, StoreError>>;

/// Some consecutive entries of a listing, or whatever else is listed key by key.
#[derive(Debug)]
pub struct Page<E = Entry> {
    /// In the listing's order.
    pub entries: Vec<E>,
    /// What stood among them and cannot be synchronized.
    pub oddities: Vec<Oddity>,
    /// What the store could not tell of keys that were asked for by their names.
    pub failures: Vec<(ObjectKey, StoreError)>,
    /// Whether the store is one object: its prefix is the whole key of the only entry, which has
    /// the last segment of it for a name.
    pub is_one_object: bool,
}

impl<E> Default for Page<E> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            oddities: Vec::new(),
            failures: Vec::new(),
            is_one_object: false,
        }
    }
}

/// Something a listing met that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The name it would have as a key; bytes that are not UTF-8 are written `\xNN`.
    pub name: String,
    /// What it is.
    pub kind: OddityKind,
    /// In words, where there is more to say.
    pub message: Option<String>,
}

/// Why something listed is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OddityKind {
    /// A fifo, socket or device.
    SpecialFile,
    /// A name that is not UTF-8.
    NotUtf8,
    /// A name longer than a key may be.
    KeyTooLong,
    /// A directory that cannot be read: nothing is known about what is below it.
    UnreadableDirectory,
    /// A directory that was not looked into ([`LeavesOut`](super::LeavesOut)): nothing below it is
    /// wanted.
    LeftOut,
    /// A symbolic link that is not followed: it leads nowhere, or none is. It is no object, and
    /// what would stand there or below it is not known.
    NotFollowed,
    /// An object whose key equals the prefix, so that nothing is left of its name.
    KeyIsPrefix,
    /// A file or directory that went away between being listed and being looked at.
    Vanished,
    /// It was asked for by its name, and nothing is there.
    Absent,
    /// It was asked for by its name, and may not be looked at.
    Denied,
    /// Its name can be no path below the root.
    UnsafeName,
}

/// What a listing would have under a key that was asked for by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// An object.
    Entry(Entry),
    /// Something that is none, or nothing.
    Oddity(Oddity),
}
