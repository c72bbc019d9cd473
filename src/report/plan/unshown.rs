//! What is logged beside a plan: everything the plan has no line for.

use crate::event::{Event, Sink};
use crate::report::LogSink;

/// Logs what is not about one object.
#[derive(Debug)]
pub(super) struct Unshown(pub(super) LogSink);

impl Sink for Unshown {
    fn event(&self, event: &Event) {
        match event {
            Event::PairFailed { .. } | Event::Warning { .. } | Event::GuaranteeLost { .. } => {
                self.0.event(event);
            }
            Event::Listed { .. }
            | Event::Relisted { .. }
            | Event::ListingDone { .. }
            | Event::OneObject { .. }
            | Event::Unchanged { .. }
            | Event::UnchangedMany { .. }
            | Event::Undecided { .. }
            | Event::Refreshed(_)
            | Event::Annotated(_)
            | Event::Compared(_)
            | Event::Transferred { .. }
            | Event::Planned { .. }
            | Event::MarkerCopied { .. }
            | Event::Filtered { .. }
            | Event::FilteredMany { .. }
            | Event::NotWalked { .. }
            | Event::Skipped { .. }
            | Event::Failed { .. }
            | Event::NotAttempted { .. }
            | Event::SubtreeUnreadable { .. }
            | Event::Started { .. }
            | Event::Wrote(_)
            | Event::Damaged(_)
            | Event::Distrusted { .. }
            | Event::Withdrawn { .. }
            | Event::Moved { .. }
            | Event::Request { .. }
            | Event::Retried { .. } => {}
        }
    }
}
