//! The steps of an object on its way, told to whoever wants them.

use std::num::NonZeroU16;
use std::time::Duration;

use super::trouble::Trouble;
use super::{Transferrer, Work};
use crate::event::{Damaged, Event, Wrote};
use crate::object::Entry;
use crate::store::{Head, Meter as _, Upload};

/// What retries of whole objects are counted under.
const OBJECT: &str = "object";

/// What the target has taken.
pub(super) struct Written<'a> {
    /// What the source said of it.
    pub(super) head: &'a Head,
    pub(super) bytes: u64,
    /// Which part of which upload; `None` where the object went in one piece.
    pub(super) part: Option<(NonZeroU16, &'a dyn Upload)>,
}

impl<'a> Written<'a> {
    /// All of it at once.
    pub(super) fn whole(head: &'a Head) -> Self {
        Self {
            head,
            bytes: head.size,
            part: None,
        }
    }
}

impl Transferrer {
    /// An object is begun.
    pub(super) fn started(&self, entry: &Entry) {
        if self.tells_steps {
            self.sinks.emit(&Event::Started {
                key: entry.key.clone(),
                source: entry.into(),
            });
        }
    }

    /// It is to be begun again after this pause.
    pub(super) fn begun_again(&self, pause: Duration) {
        self.sinks.retry(OBJECT, OBJECT, pause);
    }

    /// The target has taken this much of it.
    pub(super) fn wrote(&self, work: &Work, written: Written<'_>) {
        let bytes = written.bytes;
        self.sinks.emit(&Event::Moved { bytes });
        if self.tells_steps {
            let upload = written.part.map(|(_, upload)| upload);
            let version = written.head.version.as_ref();
            self.sinks.emit(&Event::Wrote(Box::new(Wrote {
                key: work.entry.key.clone(),
                source_version: version.or(work.entry.version.as_ref()).cloned(),
                size: work.entry.size,
                bytes,
                part: written.part.map(|(number, _)| number),
                upload_id: upload.and_then(Upload::id).map(str::to_owned),
            })));
        }
    }

    /// What an attempt ended with, where that is proved damage.
    pub(super) fn tell_damage(&self, entry: &Entry, trouble: &Trouble) {
        let (mismatch, stored) = match trouble {
            Trouble::Damaged(mismatch) => (mismatch, None),
            Trouble::Published(rejected) => (&rejected.mismatch, Some(&rejected.stored)),
            Trouble::Store(_)
            | Trouble::Unproved(_)
            | Trouble::Parts(_)
            | Trouble::Asked(_)
            | Trouble::Filtered(_)
            | Trouble::Left(_)
            | Trouble::Hook(_) => {
                return;
            }
        };
        self.sinks.emit(&Event::Damaged(Box::new(Damaged {
            key: entry.key.clone(),
            source: entry.into(),
            stored: stored.cloned(),
            mismatch: *mismatch,
        })));
    }
}
