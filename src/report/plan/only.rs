//! The world as if one key were all of it.

use std::sync::Arc;

use crate::event::{Event, Side, Sink};

/// Hands on what happens to one key, and what is about no key. The key is counted as listed when
/// something is said of it, so that the books of whoever counts behind this balance.
#[derive(Debug)]
pub(super) struct Only {
    key: String,
    sinks: Vec<Arc<dyn Sink>>,
}

impl Only {
    pub(super) fn new(key: &str, sinks: Vec<Arc<dyn Sink>>) -> Self {
        Self {
            key: key.to_owned(),
            sinks,
        }
    }

    fn hand_on(&self, event: &Event) {
        for sink in &self.sinks {
            sink.event(event);
        }
    }

    fn hand_on_if(&self, key: &str, bytes: u64, event: &Event) {
        if key == self.key {
            self.hand_on(&Event::Listed {
                side: Side::Source,
                entries: 1,
                odd: 0,
                bytes,
            });
            self.hand_on(event);
        }
    }
}

impl Sink for Only {
    fn event(&self, event: &Event) {
        match event {
            Event::Unchanged { key, source, .. }
            | Event::Undecided { key, source, .. }
            | Event::Planned { key, source, .. }
            | Event::MarkerCopied { key, source, .. }
            | Event::NotAttempted { key, source } => {
                self.hand_on_if(key.as_str(), source.size, event);
            }
            Event::Transferred { settled, .. } => {
                let source = settled.source();
                self.hand_on_if(source.key.as_str(), source.size, event);
            }
            Event::Failed { key, source, .. } => {
                let size = source.as_ref().map_or(0, |source| source.size);
                self.hand_on_if(key.as_str(), size, event);
            }
            Event::Skipped { key, source, .. } | Event::Filtered { key, source, .. } => {
                let size = source.as_ref().map_or(0, |source| source.size);
                self.hand_on_if(key, size, event);
            }
            // the key was counted with what says that it is unchanged
            Event::Refreshed(refreshed) if refreshed.key.as_str() != self.key => {}
            Event::Annotated(annotated) if annotated.key.as_str() != self.key => {}
            Event::SubtreeUnreadable { name, .. } | Event::NotWalked { name, .. } => {
                if self.key.starts_with(name) {
                    self.hand_on(event);
                }
            }
            Event::Deletion(deletion) if deletion.key.as_str() == self.key => self.hand_on(event),
            // of other keys
            Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::UnchangedMany { .. }
            | Event::FilteredMany { .. }
            | Event::Deletion(_)
            | Event::Compared(_) => {}
            Event::ListingDone { .. }
            | Event::Judged(_)
            | Event::OneObject { .. }
            | Event::PairFailed { .. }
            | Event::Warning { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Refreshed(_)
            | Event::Annotated(_)
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. }
            | Event::GuaranteeLost { .. } => self.hand_on(event),
        }
    }

    fn wants_unchanged(&self) -> bool {
        true
    }

    fn wants_filtered(&self) -> bool {
        true
    }
}
